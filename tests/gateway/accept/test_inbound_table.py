"""Whose a handset's message is: the most particular place, a keyword before none, then the order; and who shares.

What must not enter: rows of a database, conversations (gateway.inbound).
"""

from __future__ import annotations

import pytest

from gateway.accept.inbound_table import InboundTable
from gateway.storage.facts import InboundRouteRow


def route(number: int, address: str, keyword: str | None = None, account: int = 1, order: int = 100) -> InboundRouteRow:
    return InboundRouteRow(
        number, order, address.rstrip("*"), address.endswith("*"), keyword, account, account, f"account {account}",
        "fr", False,
    )  # fmt: skip


TABLE = InboundTable(
    [
        route(1, "36000"),
        route(2, "36000", "info", account=2),
        route(3, "36*", "info", account=3),
        route(4, "36*", account=3, order=50),
        route(5, "36*", account=4, order=60),
        route(6, "360*", "vote", account=5),
        route(7, "*", account=6),
        route(8, "45000", "jeu", account=1),
        route(9, "45000", "quiz", account=2),
    ]
)


@pytest.mark.parametrize(
    ("number", "keyword", "expected", "why"),
    [
        ("36000", "", 1, "number 36000, whatever the word"),
        ("36000", "info", 2, "number 36000, keyword info"),
        ("36001", "info", 3, "prefix 36, keyword info"),
        ("36001", "vote", 6, "prefix 360, keyword vote"),
        ("36001", "other", 4, "prefix 36, whatever the word"),
        ("99", "info", 7, "any number, whatever the word"),
        ("45000", "jeu", 8, "number 45000, keyword jeu"),
        ("45000", "other", 7, "any number, whatever the word"),
    ],
)
def test_the_most_particular_place_decides(number: str, keyword: str, expected: int, why: str) -> None:
    choice = TABLE.choose(number, keyword)
    assert choice is not None
    assert (choice.route.route_id, choice.why) == (expected, why)


def test_an_unknown_keyword_of_a_number_without_default_is_nobodys() -> None:
    table = InboundTable([route(8, "45000", "jeu"), route(9, "45000", "quiz", account=2)])
    assert table.choose("45000", "other") is None
    assert [r.route_id for r in table.sharers("45000")] == [8, 9]
    assert table.is_shared("45000")


def test_who_shares_is_told_only_where_no_keyword_decided() -> None:
    plain, by_word = TABLE.choose("36000", ""), TABLE.choose("36000", "info")
    assert plain is not None
    assert by_word is not None
    assert ({r.account_id for r in plain.shared}, by_word.shared) == ({1, 2}, ())


def test_a_number_of_one_account_is_not_shared_whatever_its_keywords() -> None:
    table = InboundTable([route(1, "36000"), route(2, "36000", "info")])
    assert not table.has_shared
    assert not table.is_shared("36000")
    choice = table.choose("36000", "")
    assert choice is not None
    assert choice.shared == ()


def test_our_own_numbers_are_known_and_nothing_is_nobodys() -> None:
    assert TABLE.numbers == {"36000", "45000"}
    assert InboundTable([]).choose("36000", "") is None
    assert InboundTable([]).sharers("36000") == ()


def test_a_prefix_longer_than_the_number_does_not_fit() -> None:
    assert InboundTable([route(1, "3600*")]).choose("36", "") is None
