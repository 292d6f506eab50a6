"""What another list would have done with messages that were sent.

What must not enter: how the sample is read (tests/admin_api).
"""

from __future__ import annotations

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.storage.facts import FactRows, RateRow
from gateway.versions.dry_run import Costs, Sampled, dry_run
from tests.gateway.versions.test_checks import CREDIT, ROWS, route


def books(now: FactRows, then: FactRows) -> tuple[FactBook, FactBook, Costs]:
    costs = [{row.route_id: row.cost_micros for row in rows.routes} for rows in (now, then)]
    return FactBook(now), FactBook(then), Costs(*costs)


def sample(*destinations: str) -> list[Sampled]:
    return [Sampled(number << 20, 7, "ACME", to, "transactional", 2) for number, to in enumerate(destinations)]


def test_messages_go_elsewhere_are_refused_or_newly_taken_and_money_is_counted() -> None:
    now = msgspec.structs.replace(
        ROWS,
        routes=[route(1, prefix="229", cost_micros=CREDIT), route(2, prefix="225")],
        rates=[RateRow(1, None, "229", 3 * CREDIT)],
    )
    then = msgspec.structs.replace(
        ROWS,
        routes=[route(1, prefix="229", connector_id=2, cost_micros=2 * CREDIT), route(3, prefix="33")],
        rates=[RateRow(1, None, "229", 4 * CREDIT)],
    )
    told = dry_run(sample("22901", "22902", "22501", "3361", "441"), *books(now, then))

    assert told.messages == 5
    assert dict(told.moved) == {("carrier-a", "carrier-b"): 2}
    assert (told.refused, told.newly_taken, told.same) == (1, 1, 1)
    assert (told.price_before_micros, told.price_after_micros) == (14 * CREDIT, 18 * CREDIT)
    assert (told.cost_known, told.cost_before_micros, told.cost_after_micros) == (2, 4 * CREDIT, 8 * CREDIT)


def test_the_same_list_changes_nothing() -> None:
    rows = msgspec.structs.replace(ROWS, routes=[route(1)])
    told = dry_run(sample("22901", "3361"), *books(rows, rows))
    assert (told.same, told.refused, dict(told.moved)) == (2, 0, {})
    assert told.price_before_micros == told.price_after_micros
