"""Facts, routes and tables that the tests of the router start from.

Each function fills in what a test does not care about, so that a test names only what it is about.
No expectation may enter: what is right belongs to the tests and to naive_router.py.
"""

from collections.abc import Iterable
from typing import Any

from router.facts import Facts
from router.route import Route
from router.route_checks import RouteFault
from router.table import RouteTable

CONNECTORS = ("carrier-a", "carrier-b", "carrier-c", "carrier-d")
A, B, C, D = CONNECTORS


def facts(destination: str = "22997000001", **known: Any) -> Facts:
    """Facts of a transactional message of account 7 to Benin, Monday 00:00, except where told otherwise."""
    usual: dict[str, Any] = {
        "mcc": "616",
        "mnc": "03",
        "account_id": 7,
        "sender": "ACME",
        "traffic_class": "transactional",
        "minute_of_week": 0,
        "sticky_key": 1,
    }
    return Facts(destination, **(usual | known))


def route(route_id: int, match: str = "*", connector: str = A, **written: Any) -> Route:
    """A route of order 10 for everything to carrier-a, except where told otherwise."""
    usual: dict[str, Any] = {"route_id": route_id, "order": 10, "match": match, "connector": connector}
    return Route(**(usual | written))


def table(*routes: Route) -> RouteTable:
    """The compiled table of routes that carry no fault."""
    compiled = RouteTable.compile(routes, CONNECTORS)
    assert isinstance(compiled, RouteTable), compiled
    return compiled


def faults(*routes: Route, connectors: Iterable[str] = CONNECTORS) -> list[RouteFault]:
    """The faults of routes that must carry some."""
    compiled = RouteTable.compile(routes, tuple(connectors))
    assert isinstance(compiled, list), "the table compiled"
    return compiled
