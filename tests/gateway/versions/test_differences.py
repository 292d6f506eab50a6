"""What two lists say differently, counted whole and told in both languages.

What must not enter: versions of a database (tests/gateway/storage/test_versions.py).
"""

from __future__ import annotations

import msgspec

from gateway.storage.facts import RateRow, RouteRow
from gateway.versions.differences import Names, compare_rates, compare_routes, sentence

NAMES = Names({7: "acme"}, {1: "carrier-a", 2: "carrier-b"})
ROUTE = RouteRow(3, 100, "229", None, None, None, None, None, [], 1, 1, True)


def test_routes_are_the_same_by_their_numbers() -> None:
    other = msgspec.structs.replace(ROUTE, connector_id=2, account_id=7, enabled=False)
    new = msgspec.structs.replace(ROUTE, route_id=0, cost_micros=2_500_000)
    found = compare_routes([ROUTE, msgspec.structs.replace(ROUTE, route_id=4)], [other, new], NAMES, 10)

    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    english = [sentence(change, "en") for change in found.changes]
    assert english == [
        "removed: route 4: order 100, to 229, connector carrier-a, weight 1, enabled yes",
        "changed: route 3: connector carrier-a -> carrier-b, account - -> acme, enabled yes -> no",
        "added: route: order 100, to 229, connector carrier-a, weight 1, enabled yes, cost 2.5",
    ]
    assert sentence(found.changes[1], "fr") == (
        "modifié : route 3 : connecteur carrier-a -> carrier-b, compte - -> acme, active oui -> non"
    )


def test_rates_are_the_same_by_account_and_prefix_and_few_are_told_of_many() -> None:
    before = [RateRow(1, None, "229", 1), RateRow(2, 7, "229", 2)]
    after = [
        RateRow(0, None, "229", 1),
        RateRow(0, 7, "229", 3),
        *(RateRow(0, None, str(n), 1) for n in range(300, 400)),
    ]
    found = compare_rates(before, after, NAMES, 2)

    assert (found.added, found.removed, found.changed) == (100, 0, 1)
    assert [sentence(change, "en") for change in found.changes] == [
        "changed: acme 229: price 0.000002 -> 0.000003",
        "added: 300: price 0.000001",
    ]


def test_what_is_the_same_says_nothing() -> None:
    assert compare_routes([ROUTE], [ROUTE], NAMES, 10).changes == []
    assert compare_rates([RateRow(1, None, "1", 1)], [RateRow(9, None, "1", 1)], NAMES, 10).changes == []
