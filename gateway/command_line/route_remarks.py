"""What an operator should see beside a route: that it serves nobody, or only while another one is out.

What belongs here: the router's word on coverage (router.coverage) and the configuration's on connectors, as sentences.
What must not enter: SQL, a choice of route.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gateway.command_line.words import say
from gateway.storage import facts
from router.coverage import shadow_of
from router.route import Route

REMARKS: Final = {
    "disabled": "disabled",
    "stranded": "its connector is configured nowhere: nothing is sent by it",
    "stand_in": "serves only while the connector of route {by} is out",
    "unreachable": "never serves: route {by} takes all of it, to the same connector",
}


def as_route(row: facts.RouteRow, names: Mapping[int, str]) -> Route:
    """A row as the router takes it. names: connector name by id."""
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


def remarks_on(routes: Sequence[Route], configured: Collection[str]) -> dict[int, tuple[str, int]]:
    """By route: the kind of remark and the route it speaks of (0: none). configured: connectors that a TOML names."""
    found = {}
    for route in routes:
        shadow = shadow_of(route, routes)
        if not route.enabled:
            found[route.route_id] = "disabled", 0
        elif route.connector not in configured:
            found[route.route_id] = "stranded", 0
        elif shadow is not None:
            found[route.route_id] = shadow.kind, shadow.by
    return found


def in_words(remark: tuple[str, int] | None) -> str:
    """The sentence of a remark; empty for none."""
    return "" if remark is None else say(REMARKS[remark[0]], by=remark[1])
