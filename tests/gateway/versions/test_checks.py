"""Faults that forbid a list, all at once; doubts about what it would do.

What must not enter: the router's own rules (tests/router).
"""

from __future__ import annotations

import msgspec

from gateway.storage.facts import AccountRow, ConnectorRow, FactRows, RateRow, RouteRow
from gateway.versions.checks import DOUBTS_LIMIT, Checked, check_rates, check_routes

CREDIT = 1_000_000
ROWS = FactRows(
    accounts=[AccountRow(7, "acme", "active", 0, 0, None, False)],
    esmes=[],
    sender_names=[],
    connectors=[ConnectorRow(1, "carrier-a", "smpp"), ConnectorRow(2, "carrier-b", "smpp")],
    routes=[],
    rates=[],
    number_ranges=[],
    blocks=[],
    inbound_numbers=[],
)
ALL = RouteRow(1, 100, "*", None, None, None, None, None, [], 1, 1, True)


def route(route_id: int, **given: object) -> RouteRow:
    return msgspec.structs.replace(ALL, route_id=route_id, **given)


def kinds(checked: Checked) -> list[tuple[str, int]]:
    return [(doubt.kind, doubt.route_id) for doubt in checked.doubts]


def test_a_sound_list_says_nothing() -> None:
    assert check_routes(ROWS, [ALL], {1, 2}) == Checked([], [])
    assert check_rates(ROWS, [RateRow(0, None, "229", 1), RateRow(0, 7, "229", 1)]) == Checked([], [])


def test_all_faults_come_at_once_and_new_routes_are_named_by_their_place() -> None:
    checked = check_routes(ROWS, [route(1, connector_id=9), route(0, account_id=8)], {1})
    assert [(fault.kind, fault.route_id) for fault in checked.faults] == [
        ("unknown_connector", 1),
        ("unknown_account", -2),
    ]
    checked = check_routes(ROWS, [route(1), route(0), route(0)], {1})
    assert [fault.sentence("en") for fault in checked.faults if fault.route_id == -2]
    assert len(checked.faults) == 2
    checked = check_rates(ROWS, [RateRow(0, 8, "229", 1), RateRow(0, None, "1", 1), RateRow(0, None, "1", 2)])
    assert [fault.kind for fault in checked.faults] == ["unknown_account", "same_rate"]


def test_doubts_about_routes() -> None:
    wanted = [
        route(1, prefix="229"),
        route(2, prefix="22997", order=200),
        route(3, prefix="2299", connector_id=2),
        route(4, prefix="2250", connector_id=2, order=300),
    ]
    checked = check_routes(ROWS, wanted, {1})
    assert checked.faults == []
    assert set(kinds(checked)) == {
        ("unreachable", 2),
        ("overlap", 3),
        ("stranded", 3),
        ("stranded", 4),
        ("no_default", 0),
    }


def test_a_price_below_what_the_chosen_route_costs_is_told_for_everybody_and_for_an_account() -> None:
    rows = msgspec.structs.replace(ROWS, routes=[route(1, cost_micros=2 * CREDIT), route(2, prefix="33", order=1)])
    wanted = [
        RateRow(0, None, "*", 3 * CREDIT),
        RateRow(0, None, "229", 3 * CREDIT),
        RateRow(0, 7, "229", CREDIT),
        RateRow(0, 7, "33", 1),
    ]
    (doubt,) = check_rates(rows, wanted).doubts
    assert (doubt.kind, doubt.route_id) == ("below_cost", 1)
    assert "229 (7): 1 < 2" in doubt.sentence("fr")


def test_doubts_are_told_up_to_a_limit() -> None:
    rows = msgspec.structs.replace(ROWS, routes=[route(1, cost_micros=CREDIT)])
    wanted = [RateRow(0, None, str(prefix), 1) for prefix in range(1000, 2000)]
    assert len(check_rates(rows, wanted).doubts) == DOUBTS_LIMIT
