"""The book of facts: the longest prefix decides a price, every prefix decides a block, contradictions are named.

Glossary: rate, suppression; defaults.md, Credits. A naive reading of the rows judges the compiled one.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.accept.fact_book import DEFAULT_PART_PRICE_MICROS, FactBook, FactBookFault
from gateway.storage.facts import BlockRow, InboundNumberRow, NumberRangeRow, RateRow, RouteRow
from tests.gateway.accept.facts_at_hand import OURS, THEIRS, block, rate, rows

DIGITS = st.text("123", min_size=1, max_size=4)
ACCOUNTS = st.sampled_from([None, OURS, THEIRS])
BLOCKS = st.lists(st.builds(block, DIGITS, ACCOUNTS), max_size=8)
RATES = st.lists(
    st.builds(rate, st.one_of(DIGITS, st.just("*")), st.integers(0, 9), ACCOUNTS),
    max_size=8,
    unique_by=lambda r: (r.account_id, r.prefix),
)


def test_without_rates_a_part_costs_one_credit() -> None:
    assert FactBook(rows()).price_micros(OURS, "336") == DEFAULT_PART_PRICE_MICROS == 1_000_000


def test_an_accounts_own_rate_comes_first_and_then_the_longest_prefix() -> None:
    book = FactBook(rows(rates=[rate("*", 5), rate("336", 7), rate("33", 6), rate("*", 3, OURS), rate("33", 2, OURS)]))
    assert book.price_micros(OURS, "33612") == 2
    assert book.price_micros(OURS, "229") == 3
    assert book.price_micros(THEIRS, "33612") == 7
    assert book.price_micros(THEIRS, "331") == 6
    assert book.price_micros(THEIRS, "229") == 5


def test_an_own_rate_for_elsewhere_leaves_the_common_one() -> None:
    book = FactBook(rows(rates=[rate("229", 2, OURS), rate("33", 6)]))
    assert book.price_micros(OURS, "33612") == 6
    assert book.price_micros(OURS, "44") == DEFAULT_PART_PRICE_MICROS


def test_a_price_of_nothing_is_a_price() -> None:
    assert FactBook(rows(rates=[rate("336", 0), rate("*", 5)])).price_micros(OURS, "33612") == 0


@settings(max_examples=150, deadline=None)
@given(RATES, DIGITS, st.sampled_from([OURS, THEIRS]))
def test_prices_are_those_of_a_naive_reading(rates: list[RateRow], number: str, account_id: int) -> None:
    expected = DEFAULT_PART_PRICE_MICROS
    for account in (account_id, None):
        fitting = [r for r in rates if r.account_id == account and (r.prefix == "*" or number.startswith(r.prefix))]
        if fitting:
            expected = max(fitting, key=lambda r: 0 if r.prefix == "*" else len(r.prefix)).price_micros
            break
    assert FactBook(rows(rates=rates)).price_micros(account_id, number) == expected


def test_a_longer_block_does_not_hide_a_shorter_one() -> None:
    book = FactBook(rows(blocks=[block("33", None), block("336", THEIRS)]))
    assert book.is_blocked(OURS, "33612345678")
    assert book.is_blocked(THEIRS, "33612345678")
    assert not book.is_blocked(OURS, "229")


def test_an_accounts_block_binds_nobody_else() -> None:
    book = FactBook(rows(blocks=[block("33612345678", OURS)]))
    assert book.is_blocked(OURS, "33612345678")
    assert not book.is_blocked(THEIRS, "33612345678")
    assert not book.is_blocked(OURS, "33612345679")


@settings(max_examples=150, deadline=None)
@given(BLOCKS, DIGITS, st.sampled_from([OURS, THEIRS]))
def test_blocks_are_those_of_a_naive_reading(blocks: list[BlockRow], number: str, account_id: int) -> None:
    expected = any(number.startswith(b.prefix) and b.account_id in (None, account_id) for b in blocks)
    assert FactBook(rows(blocks=blocks)).is_blocked(account_id, number) == expected


def test_senders_networks_and_numbers_are_laid_out_for_looking_up() -> None:
    book = FactBook(
        rows(
            number_ranges=[NumberRangeRow("3361", "208", "01", "Orange")],
            inbound_numbers=[InboundNumberRow("8080", OURS, 1)],
        )
    )
    assert (OURS, "acme") in book.senders
    assert book.networks is not None
    network = book.networks.lookup("33612345678")
    assert network is not None
    assert (network.mcc, network.mnc) == ("208", "01")
    assert book.inbound_numbers["8080"].esme_id == 1
    assert book.esmes["ours1"].account_id == OURS
    assert book.connector_ids == {"carrier-a": 1}
    assert FactBook(rows()).networks is None


def test_a_route_that_cannot_be_is_named_with_its_remedy() -> None:
    with pytest.raises(FactBookFault, match="route 7"):
        FactBook(rows(routes=[RouteRow(7, 1, "0229", None, None, None, None, None, [], 1, 1, True)]))


def test_a_number_range_that_cannot_be_is_named() -> None:
    with pytest.raises(FactBookFault, match="number range"):
        FactBook(rows(number_ranges=[NumberRangeRow("0", "208", "01", "nobody")]))
