"""Customers' limits over several nodes: slices are borrowed ahead of need, so no message waits for a question.

Source: decision 0018, promise P8. Alone: nothing is asked. Redis away, or none: each node has its share.
What must not enter: what a limit is (gateway/ingress/rates.py), how Redis is asked (gateway/counters).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from gateway.ingress.limit_shares import Sharing
from gateway.ingress.rates import Rates, Wish

if TYPE_CHECKING:  # a node without [redis] imports no client
    from gateway.counters.redis_link import RedisLink

BORROW_EVERY_S = (0.05, 0.15)  # chosen: drawn anew each time, so that no node always comes right after another
ALONE_EVERY_S = 0.5  # as lease_keeper.RENEW_EVERY_S: a neighbour is not known sooner
ASKED_AT_ONCE = 500  # chosen: limits in one question; a millisecond of Redis
BORN = "passerelle:born"
LIMITS = "passerelle:limit:"
KEPT_S = 2 * 86_400  # chosen: longer than the longest span
PACE_KEPT_S = 60  # chosen: a pace is full again after a second


class Borrowing:
    """Tells the rates of a node how they are shared, and borrows for them."""

    def __init__(self, rates: Rates, neighbours: Callable[[], int], link: RedisLink | None) -> None:
        self._rates = rates
        self._neighbours = neighbours  # how many other nodes live
        self._link = link

    async def run(self) -> None:
        """Borrow until cancelled."""
        while True:
            await self.borrow()
            await asyncio.sleep(ALONE_EVERY_S if self._rates.sharing.nodes == 1 else random.uniform(*BORROW_EVERY_S))

    async def borrow(self) -> None:
        """Look who shares the limits, and borrow what is wished."""
        nodes = 1 + self._neighbours()
        borrowing = nodes > 1 and self._link is not None and await self._lend(self._link)
        self._rates.share(Sharing(nodes, borrowing), monotonic())

    async def _lend(self, link: RedisLink) -> bool:
        """Whether Redis is there: it answered, one answer is missing, or nothing was asked."""
        wishes = self._rates.wishes() if self._rates.sharing.borrowing else []
        if not wishes and not link.away and self._rates.sharing.borrowing:
            return True
        for begin in range(0, max(len(wishes), 1), ASKED_AT_ONCE):
            asked = wishes[begin : begin + ASKED_AT_ONCE]
            told = await link.ask("borrow", [BORN, *(LIMITS + wish.name for wish in asked)], _words(asked))
            if told is None:
                return not link.away and self._rates.sharing.borrowing
            for wish, lent, total in zip(asked, told[::2], told[1::2], strict=True):
                wish.bucket.lend(wish.parts, float(lent), float(total))
        return True


def _words(wishes: Sequence[Wish]) -> list[str | float]:
    """As counters/borrow.lua reads them."""
    words: list[str | float] = []
    for wish in wishes:
        bucket = wish.bucket
        kept_s = PACE_KEPT_S if bucket.kind == "pace" else KEPT_S
        words += [bucket.kind, bucket.limit, wish.parts, bucket.paid, kept_s]
    return words
