"""What an operator may not write in a route table, each fault with its culprit and its remedy.

A disabled route keeps its own values checked, but nothing that depends on its neighbours: an operator
disables a route whose connector left the configuration, and the table must still load (house style 5:
refusals are values). No compiling may enter: these checks see routes as written.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from router.number_ranges import is_mcc, is_mnc
from router.prefixes import is_prefix
from router.route import EVERYTHING, MINUTES_OF_WEEK, Route

TRAFFIC_CLASSES: Final = ("otp", "transactional", "marketing", "service")
"""Glossary: traffic class."""

WEIGHT_LIMIT: Final = 10_000
"""Chosen: a share of a hundredth of a percent is finer than any contract."""

SENDER_LIMIT: Final = 20
"""SMPP v3.4, 5.2.8: source_addr holds at most 20 characters before its NUL."""


class RouteFault(Struct, frozen=True):
    """A route that cannot be used: its id, what is wrong, and what to do about it."""

    route_id: int
    fault: str
    remedy: str


def faults_of(routes: Sequence[Route], connectors: Collection[str]) -> list[RouteFault]:
    """All faults of a table at once, in the order of its rows; connectors are the names that exist."""
    faults = [RouteFault(route.route_id, *words) for route in routes for words in _own_faults(route)]
    enabled = [route for route in routes if route.enabled]
    for route in enabled:
        if route.connector not in connectors:
            faults.append(_unknown_connector(route, connectors))
    faults.extend(_same_ids(routes))
    faults.extend(_same_rules(enabled))
    faults.extend(_torn_groups(enabled))
    return faults


def _own_faults(route: Route) -> Iterator[tuple[str, str]]:
    if route.order < 0:
        yield f"order {route.order} is negative", "number orders from 0; lower is asked first"
    yield from _match_faults(route.match)
    if not 1 <= route.weight <= WEIGHT_LIMIT:
        yield (
            f"weight {route.weight} is outside 1..{WEIGHT_LIMIT}",
            "write a weight from 1 on; to give a route no traffic, disable it",
        )
    if route.account_id is not None and route.account_id <= 0:
        yield (
            f"account {route.account_id} cannot exist",
            "name an account's id, or leave the account out for any",
        )
    if route.sender is not None and not 1 <= len(route.sender) <= SENDER_LIMIT:
        yield (
            f"sender {route.sender!r} has {len(route.sender)} characters",
            f"write 1 to {SENDER_LIMIT} characters, or leave the sender out for any",
        )
    if route.traffic_class is not None and route.traffic_class not in TRAFFIC_CLASSES:
        yield (
            f"traffic class {route.traffic_class!r} is unknown",
            f"write one of {', '.join(TRAFFIC_CLASSES)}",
        )
    if route.group is not None and not route.group:
        yield "the group's name is empty", "name the group, or leave the name out"
    yield from _window_faults(route.window)


def _match_faults(match: str) -> Iterator[tuple[str, str]]:
    if match == EVERYTHING or is_prefix(match):
        return
    mcc, slash, mnc = match.partition("/")
    if not slash:
        bare = match.lstrip("+0")
        remedy = f"write {bare}" if is_prefix(bare) else "write '*', or 1 to 15 digits from the country code on"
        yield f"{match!r} is not the opening of an E.164 number", remedy
    elif not is_mcc(mcc) or (mnc != EVERYTHING and not is_mnc(mnc)):
        yield (
            f"{match!r} is not a network",
            "write MCC/MNC like 616/03, or 616/* for every network of the country",
        )


def _window_faults(window: tuple[tuple[int, int], ...] | None) -> Iterator[tuple[str, str]]:
    if window is None:
        return
    if not window:
        yield (
            "the window is never open",
            "give it a range, leave the window out for always, or disable the route",
        )
    for start, end in window:
        if start < 0 or start >= MINUTES_OF_WEEK or end < 1 or end > MINUTES_OF_WEEK:
            yield (
                f"window {start}-{end} leaves the week",
                f"write minutes of the week, 0 (Monday 00:00) to {MINUTES_OF_WEEK} (end of Sunday)",
            )
        elif start >= end:
            yield (
                f"window {start}-{end} ends before it begins",
                f"over the end of the week write two ranges, {start}-{MINUTES_OF_WEEK} and 0-{end}"
                if start > end > 0
                else "write a range that ends after it begins",
            )


def _unknown_connector(route: Route, connectors: Collection[str]) -> RouteFault:
    close = get_close_matches(route.connector, connectors, n=1)
    known = ", ".join(sorted(connectors)) or "none"
    remedy = f"did you mean {close[0]}?" if close else f"configure it, or name one of: {known}"
    return RouteFault(route.route_id, f"connector {route.connector!r} does not exist", remedy)


def _same_ids(routes: Iterable[Route]) -> Iterator[RouteFault]:
    seen: set[int] = set()
    for route in routes:
        if route.route_id in seen:
            yield RouteFault(route.route_id, "two routes carry this id", "give one of them another id")
        seen.add(route.route_id)


def _same_rules(routes: Iterable[Route]) -> Iterator[RouteFault]:
    seen: dict[tuple[object, ...], int] = {}
    for route in routes:
        window = None if route.window is None else tuple(sorted(set(route.window)))
        narrowing = (route.account_id, route.sender, route.traffic_class, window)
        rule = (route.order, route.match, *narrowing, route.connector)
        first = seen.setdefault(rule, route.route_id)
        if first != route.route_id:
            yield RouteFault(
                route.route_id,
                f"says the same as route {first}",
                f"delete one of the two; for a larger share raise the weight of route {first}",
            )


def _torn_groups(routes: Iterable[Route]) -> Iterator[RouteFault]:
    """A group is one order and match: a name may neither span two of them nor contradict its neighbour's."""
    places: dict[str, tuple[int, str]] = {}
    names: dict[tuple[int, str], str] = {}
    for route in routes:
        if route.group is None:
            continue
        place = (route.order, route.match)
        order, match = places.setdefault(route.group, place)
        name = names.setdefault(place, route.group)
        if name != route.group:
            yield RouteFault(
                route.route_id,
                f"names group {route.group!r}, but order {route.order}, match {route.match} is {name!r}",
                f"join {name!r}, or give this route another order",
            )
        elif (order, match) != place:
            yield RouteFault(
                route.route_id,
                f"names group {route.group!r}, which is order {order}, match {match}",
                f"write order {order} and match {match} too, or another group name",
            )
