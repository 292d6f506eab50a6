"""The two questions to a route table: which connector takes this message, and why not the others.

`choose` is on the way of every message (architecture, "The way of a message"): its first lines are the
whole work of a message whose first connector is up. `explain` is for people and may be slow; it never
disagrees with `choose`. Nothing that remembers may enter: the same facts, table and health give the same
answer.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from router.facts import Facts, Health, NoRoute, RouteChoice
from router.route import Misfit, Route, misfit_of
from router.table import RouteTable

Verdict = Literal["chosen", "tried", "suspended", "down", "weight", "later"] | Misfit
"""Why a candidate was left out. weight: usable, but this message's share of the group fell to another
member.
later: usable, but an earlier group took the message. down, suspended, tried: its connector's state. Others:
`Misfit`."""


class Candidate(Struct, frozen=True):
    """A route that reaches the destination, and what became of it."""

    route: Route
    verdict: Verdict


class Explanation(Struct, frozen=True):
    """The outcome of `choose`, every route that reaches the destination in the order asked, and how many do
    not."""

    outcome: RouteChoice | NoRoute
    candidates: tuple[Candidate, ...]
    elsewhere: int


def choose(facts: Facts, table: RouteTable, health: Mapping[str, Health]) -> RouteChoice | NoRoute:
    """The connector for a message: up before down, then order, closeness of match, and weight by sticky key.

    A connector missing from health is down. Source: architecture, "The way of a message".
    """
    plan = table.plan_for(facts)
    group = plan.first
    if group is not None:
        member = group.only or group.home(facts.sticky_key)
        connector = member.connector
        if health.get(connector) == "up" and connector not in facts.excluded:
            return member.choice
    return plan.detour(facts, health)


def explain(facts: Facts, table: RouteTable, health: Mapping[str, Health]) -> Explanation:
    """What `choose` answers, with the verdict on every route that reaches the destination."""
    outcome = choose(facts, table, health)
    reaching = table.reaching(facts)
    chosen = None
    if isinstance(outcome, RouteChoice):
        chosen = next(route for route in reaching if route.route_id == outcome.route_id)
    candidates = tuple(Candidate(route, _verdict(route, chosen, facts, health)) for route in reaching)
    return Explanation(outcome, candidates, len(table.routes) - len(reaching))


def _verdict(route: Route, chosen: Route | None, facts: Facts, health: Mapping[str, Health]) -> Verdict:
    if chosen is not None and route.route_id == chosen.route_id:
        return "chosen"
    misfit = misfit_of(route, facts)
    if misfit is not None:
        return misfit
    if route.connector in facts.excluded:
        return "tried"
    state = health.get(route.connector, "down")
    if state != "up":
        return state
    same_group = chosen is not None and (route.order, route.match) == (chosen.order, chosen.match)
    return "weight" if same_group else "later"
