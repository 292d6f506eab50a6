"""The router a second time, as slowly and plainly as it can be said: the judge of the fast one.

It follows the meaning of a route table sentence by sentence, with no memo, no plan and its own arithmetic.
Nothing of the router but its values may be imported here, or the judge would sit on the bench.
"""

from collections.abc import Mapping, Sequence
from math import log

from router.facts import Facts
from router.route import Route


def naive_choice(facts: Facts, routes: Sequence[Route], health: Mapping[str, str]) -> tuple[str, int, bool] | str:
    """(connector, route_id, waiting), or the reason of no route."""
    fitting = [route for route in routes if _fits(route, facts)]
    if not fitting:
        return "no_match"
    left = [r for r in fitting if r.connector not in facts.excluded and _state(r, health) != "suspended"]
    if not left:
        return "none_left"
    up = [route for route in left if _state(route, health) == "up"]
    usable = up or left
    first = min(_place(route) for route in usable)
    turn = [route for route in usable if _place(route) == first]
    group = sorted((route for route in fitting if _place(route) == first), key=lambda route: route.route_id)
    winner = _weighed(group, turn, facts.sticky_key)
    return winner.connector, winner.route_id, not up


def _state(route: Route, health: Mapping[str, str]) -> str:
    return health.get(route.connector, "down")


def _fits(route: Route, facts: Facts) -> bool:
    if route.match == "*":
        reached = True
    elif "/" in route.match:
        mcc, mnc = route.match.split("/")
        reached = facts.mcc == mcc and (mnc == "*" or mnc == facts.mnc)
    else:
        reached = facts.destination[: len(route.match)] == route.match
    return (
        reached
        and route.enabled
        and (route.account_id is None or route.account_id == facts.account_id)
        and (route.sender is None or route.sender == facts.sender)
        and (route.traffic_class is None or route.traffic_class == facts.traffic_class)
        and (route.window is None or any(facts.minute_of_week in range(*pair) for pair in route.window))
    )


def _place(route: Route) -> tuple[int, int, str]:
    """Order, then a network, then prefixes from 15 digits down, then a country, then everything."""
    if route.match == "*":
        return route.order, 99, route.match
    if route.match.endswith("/*"):
        return route.order, 98, route.match
    if "/" in route.match:
        return route.order, 0, route.match
    return route.order, 50 - len(route.match), route.match


def _weighed(group: Sequence[Route], turn: Sequence[Route], key: int) -> Route:
    point = _even(key, _seed(2 * group[0].order)) * sum(route.weight for route in group) // 2**32
    passed = 0
    for route in group:
        passed += route.weight
        if point < passed:
            if route in turn:
                return route
            break
    return min(turn, key=lambda each: (_race_time(each, key), each.route_id))


def _race_time(route: Route, key: int) -> float:
    return -log((_even(key, _seed(2 * route.route_id + 1)) + 0.5) / 4294967296) / route.weight


def _seed(number: int) -> int:
    return _even(number, 1) * 4294967296 + _even(number, 2)


def _even(key: int, salt: int) -> int:
    first = (key + salt) * 11400714819323198485 % 2**64
    return (first ^ first // 2**32) * 13787848793156543929 % 2**64 // 2**32
