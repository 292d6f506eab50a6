"""The margin guard: nobody pays less for a part than the account above him pays for it.

A reseller buys at his own account's price (its rate, else everybody's) and sells to the accounts below it at theirs.
Looked at is every prefix that a rate names where one of the two has a price of its own: between them prices do not
change. Pure.
What must not enter: writing rates, what a refusal says (the doors' tables).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from gateway.accept.fact_book import ANY_PREFIX, DEFAULT_PART_PRICE_MICROS
from gateway.storage.facts import RateRow


class BelowCost(msgspec.Struct, frozen=True):
    """A price below its cost: what an account pays for a part to a prefix, and what the account above it pays."""

    account_id: int
    parent_id: int
    prefix: str
    price_micros: int
    cost_micros: int


Prices = Mapping[int | None, Mapping[str, int]]


def prices_of(rates: Iterable[RateRow]) -> Prices:
    """Prices in force by account (None: everybody's) and prefix."""
    found: dict[int | None, dict[str, int]] = {}
    for rate in rates:
        found.setdefault(rate.account_id, {})[rate.prefix] = rate.price_micros
    return found


def price_at(prices: Prices, account_id: int, prefix: str) -> int:
    """What an account pays for a part to numbers that begin so: as FactBook.price_micros finds it."""
    for owner in (account_id, None):
        own = prices.get(owner, {})
        for length in range(len(prefix), 0, -1):
            if prefix[:length] in own:
                return own[prefix[:length]]
        if ANY_PREFIX in own:
            return own[ANY_PREFIX]
    return DEFAULT_PART_PRICE_MICROS


def below_cost(rates: Iterable[RateRow], parents: Mapping[int, int]) -> Iterator[BelowCost]:
    """Every price below its cost. parents: of each account that has one."""
    prices = prices_of(rates)
    everybodys = prices.get(None, {})
    card, dearest = sorted(everybodys), max(DEFAULT_PART_PRICE_MICROS, *everybodys.values(), 0)
    for account_id, parent_id in sorted(parents.items()):
        own, above = prices.get(account_id, {}), prices.get(parent_id, {})
        highest_cost = max(0 if ANY_PREFIX in above else dearest, *above.values(), 0)
        if (ANY_PREFIX in own and min(own.values()) >= highest_cost) or not (own or above):
            continue  # dear everywhere; or both pay what everybody pays
        named = {*own, *above, ANY_PREFIX}
        for prefix in sorted(named | {p for q in named & {*own, *above} for p in _beginning_with(card, q)}):
            price, cost = price_at(prices, account_id, prefix), price_at(prices, parent_id, prefix)
            if price < cost:
                yield BelowCost(account_id, parent_id, prefix, price, cost)


def _beginning_with(card: Sequence[str], prefix: str) -> Sequence[str]:
    """The prefixes of a sorted card that begin so: there one account pays its own price, and the other everybody's."""
    if prefix == ANY_PREFIX:
        return card
    first = bisect_left(card, prefix)
    return card[first : bisect_left(card, prefix + ":", first)]  # ":" follows the digits
