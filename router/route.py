"""One route as an operator writes it, and the rules that say whether it fits a message.

The destination of a route is a prefix (`229`), everything (`*`), a network (`616/03`) or a country
(`616/*`), MCC and MNC as in ITU-T E.212. Within one order a network ranks first, then prefixes, longest
first, then a country, then `*`. No health and no weighing may enter: a route fits or does not, whatever its
connector is doing.
"""

from typing import Final, Literal

from msgspec import Struct

from router.facts import Facts
from router.prefixes import PREFIX_DIGITS_LIMIT

EVERYTHING: Final = "*"
MINUTES_OF_WEEK: Final = 7 * 24 * 60

Misfit = Literal["disabled", "other_account", "other_sender", "other_class", "outside_window"]


class Route(Struct, frozen=True):
    """A rule that names a connector for the messages it fits; None means any.

    order: lower is asked first. Routes of equal order and match form a group: its fitting members share the
    traffic by weight (1..10,000, relative) and stand in for one another. group: a name for that group,
    shown in reasons.
    window: half-open ranges [from, until) in minutes of the week, 0 is Monday 00:00, 10,080 is the end of
    Sunday.
    sender: exactly as registered, case included.
    """

    route_id: int
    order: int
    match: str
    connector: str
    account_id: int | None = None
    sender: str | None = None
    traffic_class: str | None = None
    window: tuple[tuple[int, int], ...] | None = None
    weight: int = 1
    group: str | None = None
    enabled: bool = True


def rank_of(route: Route) -> tuple[int, int, str, int]:
    """Sort key: order, then how closely the destination is named; the id makes the sequence total."""
    match = route.match
    if match == EVERYTHING:
        closeness = PREFIX_DIGITS_LIMIT + 2
    elif match.endswith("/*"):
        closeness = PREFIX_DIGITS_LIMIT + 1
    elif "/" in match:
        closeness = 0
    else:
        closeness = PREFIX_DIGITS_LIMIT + 1 - len(match)
    return route.order, closeness, match, route.route_id


def reaches(route: Route, facts: Facts) -> bool:
    """Whether the route's match covers the destination (its digits, or its network where that is known)."""
    match = route.match
    if match == EVERYTHING:
        return True
    if "/" not in match:
        return facts.destination.startswith(match)
    mcc, mnc = match.split("/")
    return facts.mcc == mcc and mnc in (EVERYTHING, facts.mnc)


def misfit_of(route: Route, facts: Facts) -> Misfit | None:
    """Why a route that reaches the destination does not fit the message all the same; None when it fits."""
    if not route.enabled:
        return "disabled"
    if route.account_id not in (None, facts.account_id):
        return "other_account"
    if route.sender not in (None, facts.sender):
        return "other_sender"
    if route.traffic_class not in (None, facts.traffic_class):
        return "other_class"
    minute = facts.minute_of_week
    if route.window is not None and not any(start <= minute < end for start, end in route.window):
        return "outside_window"
    return None


def described(route: Route) -> str:
    """The route in a few words: `route 12: order 10, prefix 229, account 7, class otp`."""
    match = route.match
    if match == EVERYTHING:
        words = [f"order {route.order}", "any destination"]
    else:
        words = [f"order {route.order}", f"{'network' if '/' in match else 'prefix'} {match}"]
    if route.account_id is not None:
        words.append(f"account {route.account_id}")
    if route.sender is not None:
        words.append(f"sender {route.sender}")
    if route.traffic_class is not None:
        words.append(f"class {route.traffic_class}")
    if route.window is not None:
        words.append("in its window")
    return f"route {route.route_id}: " + ", ".join(words)
