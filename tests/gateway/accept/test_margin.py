"""The margin guard: which prices lie below their cost, and where nobody names one, the price that is in force there."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accept.fact_book import ANY_PREFIX, DEFAULT_PART_PRICE_MICROS, FactBook
from gateway.accept.margin import below_cost, price_at, prices_of
from gateway.storage.facts import FactRows, RateRow

RESELLER, CUSTOMER, BELOW = 1, 2, 3
PARENTS = {CUSTOMER: RESELLER, BELOW: CUSTOMER}


def rates(*given: tuple[int | None, str, int]) -> list[RateRow]:
    return [RateRow(number, account, prefix, price) for number, (account, prefix, price) in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], []),
        ([(None, "229", 5)], []),
        ([(RESELLER, "229", 5)], []),  # his customers pay a whole credit
        ([(RESELLER, "229", 5), (CUSTOMER, "229", 4)], [(CUSTOMER, "229", 4, 5)]),
        ([(RESELLER, "229", 5), (CUSTOMER, "229", 5)], []),
        ([(None, "*", 3), (RESELLER, "229", 5)], [(CUSTOMER, "229", 3, 5)]),  # what everybody pays is less
        ([(RESELLER, "*", 5), (None, "229", 4)], [(CUSTOMER, "229", 4, 5)]),
        ([(RESELLER, "*", 5), (CUSTOMER, "*", 6), (CUSTOMER, "2299", 4)], [(CUSTOMER, "2299", 4, 5)]),
        ([(CUSTOMER, "*", 9), (RESELLER, "*", 9), (BELOW, "*", 8)], [(BELOW, "*", 8, 9)]),
        ([(None, "*", 3), (CUSTOMER, "*", 9)], [(BELOW, "*", 3, 9)]),
    ],
)
def test_prices_below_cost_are_found(
    given: list[tuple[int | None, str, int]], found: list[tuple[int, str, int, int]]
) -> None:
    told = below_cost(rates(*given), PARENTS)
    assert [(each.account_id, each.prefix, each.price_micros, each.cost_micros) for each in told] == found


def test_an_account_in_no_tree_may_pay_anything() -> None:
    assert list(below_cost(rates((CUSTOMER, "*", 0), (RESELLER, "*", 9)), {})) == []


def test_the_guard_knows_the_prices_that_messages_pay() -> None:
    names = ("2", "22", "229", "2291", ANY_PREFIX)
    for count, prefixes in enumerate(itertools.combinations(names, 2)):
        given = rates((RESELLER, prefixes[0], 10 + count), (None, prefixes[1], 100 + count))
        book = FactBook(FactRows([], [], [], [], [], given, [], [], [], [], [], []))
        for digits in ("2", "22", "229", "22911", "33", "5"):
            for account in (RESELLER, CUSTOMER):
                assert price_at(prices_of(given), account, digits) == book.price_micros(account, digits)
    assert price_at({}, RESELLER, "229") == DEFAULT_PART_PRICE_MICROS


@given(data=st.data())
def test_no_price_below_cost_is_missed(data: st.DataObject) -> None:
    """Against a look at every number of three digits over a small alphabet."""
    alphabet = st.text("12", min_size=1, max_size=3) | st.just(ANY_PREFIX)
    named = [
        (account, prefix, price)
        for account in (None, RESELLER, CUSTOMER)
        for prefix, price in data.draw(st.dictionaries(alphabet, st.integers(0, 3), max_size=5)).items()
    ]
    prices = prices_of(rates(*named))
    dialled = ["".join(digits) for digits in itertools.product("129", repeat=3)]
    wrong = [d for d in dialled if price_at(prices, CUSTOMER, d) < price_at(prices, RESELLER, d)]
    found = list(below_cost(rates(*named), {CUSTOMER: RESELLER}))
    assert not wrong or found
    assert all(any(d.startswith(each.prefix) or each.prefix == ANY_PREFIX for each in found) for d in wrong)
