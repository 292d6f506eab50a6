"""A route table, checked and compiled: from the facts of a message to its plan in about a microsecond.

What the table cannot tell apart shares one plan: a destination is reduced to the longest prefix any route
names, an account, sender or class no route names to "another", a minute to the stretch between two window
edges. So the memo is as small as the table (architecture 4, cheap hot values). Health must not enter: it
changes while a table stands.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import Final

from router.facts import Facts
from router.plan import Plan
from router.prefixes import PrefixMap
from router.route import EVERYTHING, Route, misfit_of, rank_of, reaches
from router.route_checks import RouteFault, faults_of

PLANS_LIMIT: Final = 16_384
"""Plans remembered at once, about 2 KiB each; chosen to hold a world of prefixes in 32 MiB. Past it, all
are forgotten."""


class RouteTable:
    """Unchanging routes and a memo of plans; build it with `compile`, replace it whole when a row changes."""

    __slots__ = (
        "_accounts",
        "_by_match",
        "_classes",
        "_edges",
        "_names_networks",
        "_plain",
        "_plans",
        "_senders",
        "_zones",
        "routes",
    )

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(sorted(routes, key=rank_of))
        enabled = [route for route in self.routes if route.enabled]
        self._by_match: dict[str, list[Route]] = {}
        for route in enabled:
            self._by_match.setdefault(route.match, []).append(route)
        self._zones = PrefixMap({match: match for match in self._by_match if match.isdigit()})
        self._names_networks = any("/" in match for match in self._by_match)
        self._accounts = {route.account_id for route in enabled} - {None}
        self._senders = {route.sender for route in enabled} - {None}
        self._classes = {route.traffic_class for route in enabled} - {None}
        self._edges = sorted({edge for route in enabled for pair in route.window or () for edge in pair})
        narrowed = self._accounts or self._senders or self._classes or self._edges
        self._plain = not self._names_networks and not narrowed
        self._plans: dict[object, Plan] = {}

    @classmethod
    def compile(cls, routes: Iterable[Route], connectors: Collection[str]) -> "RouteTable | list[RouteFault]":
        """Check the routes against each other and the connectors that exist; give the table, or all faults
        at once."""
        written = tuple(routes)
        return faults_of(written, connectors) or cls(written)

    def plan_for(self, facts: Facts) -> Plan:
        """The groups of routes that fit these facts (health, sticky key and exclusions aside)."""
        zone = self._zones.longest(facts.destination)
        key = zone if self._plain else self._key(facts, zone)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= PLANS_LIMIT:
                self._plans.clear()
            plan = self._plans[key] = Plan(self._fitting(facts, zone or ""))
        return plan

    def _key(self, facts: Facts, zone: str | None) -> tuple[object, ...]:
        account, sender, traffic_class = facts.account_id, facts.sender, facts.traffic_class
        return (
            zone,
            (facts.mcc, facts.mnc) if self._names_networks else None,
            account if account in self._accounts else None,
            sender if sender in self._senders else None,
            traffic_class if traffic_class in self._classes else None,
            bisect_right(self._edges, facts.minute_of_week) if self._edges else 0,
        )

    def _fitting(self, facts: Facts, zone: str) -> list[Route]:
        matches = [zone[:length] for length in range(1, len(zone) + 1)]
        if self._names_networks:
            matches += [f"{facts.mcc}/{facts.mnc}", f"{facts.mcc}/{EVERYTHING}"]
        reaching = (route for match in (*matches, EVERYTHING) for route in self._by_match.get(match, ()))
        return sorted((route for route in reaching if misfit_of(route, facts) is None), key=rank_of)

    def reaching(self, facts: Facts) -> list[Route]:
        """Every route, disabled ones too, whose match covers the destination, in the order they are asked."""
        return [route for route in self.routes if reaches(route, facts)]
