"""Which routes other routes leave nothing to: for the eyes of operators, beside the list of routes.

A route behind one that takes all of its messages serves only while that one's connector is out; behind one with the
same connector it serves never. Health, weights and messages may not enter: routes are read as written.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from router.prefixes import is_prefix
from router.route import EVERYTHING, MINUTES_OF_WEEK, Route, rank_of

ALWAYS: Final = ((0, MINUTES_OF_WEEK),)


class Shadow(Struct, frozen=True):
    """Why a route has nothing to do. stand_in: only while the connector of route `by` is out. unreachable: never."""

    kind: Literal["stand_in", "unreachable"]
    by: int


def shadow_of(route: Route, routes: Sequence[Route]) -> Shadow | None:
    """What leaves nothing to an enabled route among these; None when some messages are its own."""
    if not route.enabled:
        return None
    before = [each for each in routes if each.enabled and _is_asked_before(each, route) and covers(each, route)]
    same = next((each for each in before if each.connector == route.connector), None)
    if same is not None:
        return Shadow("unreachable", same.route_id)
    return Shadow("stand_in", before[0].route_id) if before else None


def covers(wide: Route, narrow: Route) -> bool:
    """Whether every message that fits `narrow` fits `wide`."""
    return (
        _reaches_all(wide.match, narrow.match)
        and wide.account_id in (None, narrow.account_id)
        and wide.sender in (None, narrow.sender)
        and wide.traffic_class in (None, narrow.traffic_class)
        and all(
            any(start <= first and last <= end for start, end in wide.window or ALWAYS)
            for first, last in narrow.window or ALWAYS
        )
    )


def _is_asked_before(route: Route, other: Route) -> bool:
    """Whether it is asked in an earlier group; members of one group share by weight and shadow nobody."""
    return rank_of(route)[:3] < rank_of(other)[:3]


def _reaches_all(wide: str, narrow: str) -> bool:
    if wide in (EVERYTHING, narrow):
        return True
    if wide.endswith("/*"):
        return narrow.startswith(wide[:-1])
    return is_prefix(wide) and is_prefix(narrow) and narrow.startswith(wide)
