"""Values that go into a route choice and come out of it.

Facts are what the caller knows of one message (architecture, "The way of a message"); the outcome is a
`RouteChoice` or a `NoRoute`, both values, both with a reason short enough to be stored with each message.
Never put a clock, a hash of the caller's ids or a lookup of networks here: all three are passed in, done.
"""

from typing import Final, Literal

from msgspec import Struct

Health = Literal["up", "down", "suspended"]
"""up: takes messages now. down: not bound, or bound elsewhere; chosen only when nothing is up: it waits.
suspended: an operator or an alarm took it out; never chosen. A connector nobody reported yet is down."""

WHY_LIMIT: Final = 120
"""Characters of a `why`; chosen so that a timeline shows it on one line and a million rows stay small."""


class Facts(Struct, frozen=True, gc=False):
    """What is known of one message when its connector is chosen.

    destination: E.164 digits without plus. mcc, mnc: digits, or None when the network is not known.
    minute_of_week: 0..10079 from Monday 00:00, in the zone the table's windows are written in.
    sticky_key: any integer (its lower 64 bits count), equal for all parts of a message: same key, same
    connector.
    excluded: connectors this message was already tried on; they are not chosen again.
    """

    destination: str
    mcc: str | None
    mnc: str | None
    account_id: int
    sender: str
    traffic_class: str
    minute_of_week: int
    sticky_key: int
    excluded: frozenset[str] = frozenset()


class RouteChoice(Struct, frozen=True, gc=False):
    """The connector to use, the route that named it, and why (at most `WHY_LIMIT` characters, no number in
    it).

    waiting: nothing was up, so the message is to queue for this connector until it comes back.
    """

    connector: str
    route_id: int
    why: str
    waiting: bool = False


class NoRoute(Struct, frozen=True, gc=False):
    """Nothing may take the message.

    no_match: no enabled route fits the facts (a permanent refusal). none_left: routes fit, but each of their
    connectors is suspended or was already tried.
    """

    reason: Literal["no_match", "none_left"]
    why: str
