"""What is wrong with routes or rates before they are put in force: faults that forbid it, doubts that people judge.

The router's own checks say what no table may hold; the doubts are about what it would do: a route that serves nobody, a
destination without any, a price below what the carrier takes. Pure. What must not enter: rows of a database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from gateway.accept.fact_book import ANY_PREFIX, FactBook
from gateway.storage.facts import FactRows, RateRow, RouteRow
from router.choose import choose
from router.coverage import shadow_of
from router.facts import Facts, RouteChoice
from router.prefixes import is_prefix
from router.route import EVERYTHING, Route
from router.route_checks import faults_of
from telecom.money import format_credits

DOUBTS_LIMIT: Final = 200  # chosen: nobody reads more, and a hundred thousand rates may all be below one cost
LONGEST_NUMBER: Final = 15  # E.164

Doubt = Literal["unreachable", "stand_in", "stranded", "no_default", "overlap", "below_cost", "unknown_account"]
Language = Literal["en", "fr"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "invalid": ("{text}; {remedy}", "{text} ; {remedy}"),
    "unknown_connector": ("there is no connector {text}", "le connecteur {text} n'existe pas"),
    "unknown_account": ("there is no account {text}", "le compte {text} n'existe pas"),
    "same_rate": ("the rate of {text} stands twice", "le tarif de {text} figure deux fois"),
    "unreachable": (
        "never serves: route {text} takes all of it, to the same connector",
        "ne sert jamais : la route {text} prend tout, vers le même connecteur",
    ),
    "stand_in": (
        "serves only while the connector of route {text} is out",
        "ne sert que si le connecteur de la route {text} est hors service",
    ),
    "stranded": (
        "no node that lives configures connector {text}",
        "aucun nœud vivant ne configure le connecteur {text}",
    ),
    "no_default": (
        "no route takes everything (*): other destinations are refused",
        "aucune route ne prend tout (*) : les autres destinations sont refusées",
    ),
    "overlap": (
        "has the order of route {text} and overlaps it: the longer prefix is asked first",
        "a l'ordre de la route {text} et la recouvre : le préfixe le plus long est essayé d'abord",
    ),
    "below_cost": ("to {text}: the price is below what the carrier takes", "vers {text} : prix inférieur au coût"),
}


class Finding(msgspec.Struct, frozen=True):
    """One fault or doubt. kind: of the words above; route_id 0: of no one route; text, remedy: their gaps."""

    kind: str
    route_id: int
    text: str = ""
    remedy: str = ""

    def sentence(self, language: Language) -> str:
        """As people read it."""
        words = _WORDS[self.kind][language == "fr"].format(text=self.text, remedy=self.remedy)
        return f"route {self.route_id}: {words}" if self.route_id > 0 else words


class Checked(msgspec.Struct, frozen=True):
    """Faults forbid; doubts are told, at most DOUBTS_LIMIT of them."""

    faults: list[Finding]
    doubts: list[Finding]


def check_routes(rows: FactRows, wanted: Sequence[RouteRow], reachable: Collection[int]) -> Checked:
    """Of routes that are to be put in force. reachable: connectors that living nodes configure."""
    names = {row.connector_id: row.name for row in rows.connectors}
    accounts = {row.account_id for row in rows.accounts}
    numbered = _numbered(wanted)
    faults = [
        Finding("unknown_connector", _shown(row), str(row.connector_id))
        for row in numbered
        if row.connector_id not in names
    ]
    faults += [
        Finding("unknown_account", _shown(row), str(row.account_id))
        for row in numbered
        if row.account_id is not None and row.account_id not in accounts
    ]
    if faults:
        return Checked(faults, [])
    routes = [_route(row, names) for row in numbered]
    shown = {row.route_id: _shown(row) for row in numbered}
    faults += [
        Finding("invalid", shown[fault.route_id], _renamed(fault.fault), _renamed(fault.remedy))
        for fault in faults_of(routes, set(names.values()))
    ]
    if faults:
        return Checked(faults, [])
    doubts = [*_of_coverage(routes, shown), *_overlaps(routes, shown)]
    doubts += [
        Finding("stranded", _shown(row), names[row.connector_id])
        for row in numbered
        if row.enabled and row.connector_id not in reachable
    ]
    if not any(route.enabled and _takes_all(route) for route in routes):
        doubts.append(Finding("no_default", 0))
    doubts += below_cost(msgspec.structs.replace(rows, routes=numbered))
    return Checked([], doubts[:DOUBTS_LIMIT])


def check_rates(rows: FactRows, wanted: Sequence[RateRow]) -> Checked:
    """Of rates that are to be put in force beside the other facts."""
    accounts = {row.account_id for row in rows.accounts}
    unknown = {row.account_id for row in wanted if row.account_id is not None} - accounts
    faults = [Finding("unknown_account", 0, str(account_id)) for account_id in sorted(unknown)]
    seen: set[tuple[int | None, str]] = set()
    for row in wanted:
        key = row.account_id, row.prefix
        if key in seen:
            faults.append(Finding("same_rate", 0, row.prefix))
        seen.add(key)
    if faults:
        return Checked(faults[:DOUBTS_LIMIT], [])
    return Checked([], list(below_cost(msgspec.structs.replace(rows, rates=list(wanted)))))


def below_cost(rows: FactRows) -> list[Finding]:
    """Destinations whose price is below what the route that would be chosen costs, everybody and account by account."""
    costs = {row.route_id: row.cost_micros for row in rows.routes if row.cost_micros is not None}
    if not costs:
        return []
    book = FactBook(rows)
    health: Mapping[str, Literal["up"]] = dict.fromkeys(book.connector_ids, "up")
    found: list[Finding] = []
    for account_id, prefix in _probes(rows):
        choice = choose(_facts(account_id or 0, prefix), book.routes, health)
        if not isinstance(choice, RouteChoice) or choice.route_id not in costs:
            continue
        price, cost = book.price_micros(account_id or 0, prefix), costs[choice.route_id]
        if price < cost:
            who = "" if account_id is None else f" ({account_id})"
            told = f"{prefix}{who}: {format_credits(price)} < {format_credits(cost)}"
            found.append(Finding("below_cost", choice.route_id if choice.route_id < FIRST_NEW else 0, told))
        if len(found) == DOUBTS_LIMIT:
            break
    return found


def _probes(rows: FactRows) -> Iterator[tuple[int | None, str]]:
    """Destinations that are priced or routed each in its own way."""
    seen: set[tuple[int | None, str]] = set()
    for account_id, prefix in (
        *((rate.account_id, rate.prefix) for rate in rows.rates if rate.prefix != ANY_PREFIX),
        *((route.account_id, route.prefix) for route in rows.routes if route.prefix and is_prefix(route.prefix)),
    ):
        if (account_id, prefix) not in seen:
            seen.add((account_id, prefix))
            yield account_id, prefix


def _facts(account_id: int, destination: str) -> Facts:
    return Facts(destination, None, None, account_id, "", "transactional", 0, 0)


_NUMBERS: Final = re.compile(r"\d{10,}")
FIRST_NEW: Final = 2**30  # stands for the numbers of routes that have none yet: above every real one


def _numbered(wanted: Sequence[RouteRow]) -> list[RouteRow]:
    """New routes under numbers of their own, so that findings can name them."""
    return [
        msgspec.structs.replace(row, route_id=FIRST_NEW + place) if row.route_id == 0 else row
        for place, row in enumerate(wanted)
    ]


def _shown(row: RouteRow) -> int:
    """A route's number as people know it; minus its place from 1 on where it has none."""
    return row.route_id if row.route_id < FIRST_NEW else -(row.route_id - FIRST_NEW + 1)


def _renamed(text: str) -> str:
    """A sentence of the router that names a route without number by its place."""
    return _NUMBERS.sub(
        lambda found: f"new {int(found[0]) - FIRST_NEW + 1}" if int(found[0]) >= FIRST_NEW else found[0], text
    )


def _route(row: RouteRow, names: Mapping[int, str]) -> Route:
    return Route(
        route_id=row.route_id,
        order=row.order,
        match=row.match,
        connector=names[row.connector_id],
        account_id=row.account_id,
        sender=row.sender,
        traffic_class=row.traffic_class,
        window=row.window,
        weight=row.weight,
        enabled=row.enabled,
    )


def _of_coverage(routes: Sequence[Route], shown: Mapping[int, int]) -> Iterator[Finding]:
    for route in routes:
        shadow = shadow_of(route, routes)
        if shadow is not None:
            yield Finding(shadow.kind, shown[route.route_id], str(abs(shown[shadow.by])))


def _overlaps(routes: Sequence[Route], shown: Mapping[int, int]) -> Iterator[Finding]:
    """Routes of one order, to different connectors, one of whose prefixes opens the other's."""
    placed: dict[tuple[int, str], Route] = {}
    for route in routes:
        if route.enabled and is_prefix(route.match):
            placed.setdefault((route.order, route.match), route)
    for (order, match), route in placed.items():
        for length in range(len(match) - 1, 0, -1):
            wider = placed.get((order, match[:length]))
            if wider is not None and wider.connector != route.connector:
                yield Finding("overlap", shown[route.route_id], str(abs(shown[wider.route_id])))
                break


def _takes_all(route: Route) -> bool:
    narrowed = (route.account_id, route.sender, route.traffic_class, route.window)
    return route.match == EVERYTHING and narrowed == (None, None, None, None)
