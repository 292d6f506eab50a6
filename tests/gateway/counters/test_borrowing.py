"""Two nodes' rates over one real Valkey: never over the limit together, an idle one in nobody's way.

Source: decision 0018, promise P8. What must not enter: doors and processes (tests/faults/test_shared_limits.py).
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from gateway.accept.refusals import Refusal
from gateway.cluster.borrowing import Borrowing
from gateway.counters.redis_link import FIRST_PAUSE_S, LAST_PAUSE_S, MISSES_LIMIT, RedisLink
from gateway.ingress.limit_shares import Sharing
from gateway.ingress.rates import LoginRate, Rates
from gateway.storage import logins
from tests.gateway.conftest import Ground
from tests.valkey import Valkey


class OneNode:
    """The rates of one node, and who borrows for them."""

    def __init__(self, ground: Ground, rates: Rates, link: RedisLink | None) -> None:
        self.rates, self.link = rates, link
        self.neighbours = 1
        self.borrowing = Borrowing(rates, lambda: self.neighbours, link)
        self.esme = next(iter(rates.book.esmes.values()))

    async def borrow(self, times: int = 1) -> None:
        for _ in range(times):
            await self.borrowing.borrow()

    @property
    def rate(self) -> LoginRate:
        return self.rates.of(self.esme, monotonic())

    def flood(self, tries: int) -> int:
        """How many of so many submissions pass now."""
        rate, now = self.rate, monotonic()
        return sum(rate.refusal(1, now) is None for _ in range(tries))


class Two:
    def __init__(self, a: OneNode, b: OneNode) -> None:
        self.a, self.b = a, b


@contextlib.asynccontextmanager
async def two_nodes(ground: Ground, url: str | None, **limits: int) -> AsyncIterator[Two]:
    asked: dict[str, int | None] = {"tps": None, "per_minute": None, "per_day": None}
    await logins.set_account_rates(ground.connection, ground.account_id, **asked | limits)
    book = await ground.book()
    links = [RedisLink(url) if url is not None else None for _ in "ab"]
    try:
        a, b = (OneNode(ground, Rates(book, ground.clock), link) for link in links)
        for node in (a, b):
            await node.borrow()
        yield Two(a, b)
    finally:
        for link in links:
            if link is not None:
                await link.close()


@pytest.mark.parametrize("span", ["per_minute", "per_day"])
async def test_two_nodes_never_pass_more_than_a_tenth_over_a_spans_limit(
    ground: Ground, valkey: Valkey, span: str
) -> None:
    async with two_nodes(ground, valkey.url, **{span: 1000}) as two:
        total = 0
        for _ in range(30):
            total += two.a.flood(70) + two.b.flood(70)
            await two.a.borrow()
            await two.b.borrow()
        assert 1000 <= total <= 1100


async def test_an_idle_node_leaves_the_whole_day_to_the_other(ground: Ground, valkey: Valkey) -> None:
    async with two_nodes(ground, valkey.url, per_day=1000) as two:
        total = two.b.flood(3)
        for _ in range(30):
            await two.b.borrow()
            total += two.a.flood(70)
            await two.a.borrow()
        assert 1000 <= total <= 1100
        assert two.a.rate.refusal(1, monotonic()) is Refusal.DAY_LIMIT, "for ever, since nobody has any left"
        ground.clock.pass_s(86_400)
        assert two.a.flood(10) == 10


async def test_what_a_node_passed_alone_counts_when_a_neighbour_comes(ground: Ground, valkey: Valkey) -> None:
    async with two_nodes(ground, valkey.url, per_day=1000) as two:
        for node in (two.a, two.b):
            node.neighbours = 0
            await node.borrow()
        total = two.a.flood(600)
        assert total == 600
        two.a.neighbours = two.b.neighbours = 1
        for _ in range(30):
            await two.a.borrow(2)
            await two.b.borrow()
            total += two.b.flood(70)
        assert 1000 <= total <= 1100


async def test_a_second_passes_no_more_than_its_rate_and_one_burst_over_both_nodes(
    ground: Ground, valkey: Valkey
) -> None:
    async with two_nodes(ground, valkey.url, tps=1000) as two:
        began, total = monotonic(), 0
        for _ in range(40):
            total += two.a.flood(500) + two.b.flood(500)
            await two.a.borrow()
            await two.b.borrow()
        took_s = monotonic() - began
        assert total <= 1000 * (took_s + 1.0)
        assert total >= 500  # the reserves of both


async def test_a_valkey_that_was_born_just_now_lends_nothing_it_did_not_earn(ground: Ground, valkey: Valkey) -> None:
    async with two_nodes(ground, valkey.url, tps=1_000_000) as two:
        two.a.flood(1_000_000)
        valkey.kill()
        began = monotonic()
        await valkey.start()
        link = RedisLink(valkey.url)
        lent, _ = await link.ask("borrow", ["born", "limit"], ["pace", 1_000_000, 1_000_000, 0, 60]) or (0, 0)
        took_s = monotonic() - began
        await link.close()
        assert float(lent) <= 1_000_000 * took_s


async def test_valkey_goes_and_comes_back_and_each_node_has_its_share_meanwhile(
    ground: Ground, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_nodes(ground, valkey.url, per_minute=1000) as two:
        assert two.a.rates.sharing == Sharing(2, borrowing=True)
        valkey.kill()
        with caplog.at_level(logging.WARNING, "passerelle.counters"):
            for _ in range(5):
                two.a.flood(1)
                await two.a.borrow()
            assert [record.message for record in caplog.records] == ["redis_away"], "once, however often it is tried"
            assert two.a.rates.sharing == Sharing(2, borrowing=False)
            assert two.a.flood(1000) in range(490, 501)
            await valkey.start()
            assert two.a.link is not None
            two.a.link.forget_pause()
            await two.a.borrow()
            assert [record.message for record in caplog.records] == ["redis_away", "redis_back"]
        assert two.a.rates.sharing == Sharing(2, borrowing=True)
        assert two.a.link.times_away == 1


async def test_a_valkey_that_hangs_is_as_good_as_away(ground: Ground, valkey: Valkey) -> None:
    async with two_nodes(ground, valkey.url, tps=10) as two:
        valkey.freeze()
        for _ in range(MISSES_LIMIT):
            assert two.a.rates.sharing == Sharing(2, borrowing=True)
            two.a.flood(1)
            await two.a.borrow()
        assert two.a.rates.sharing == Sharing(2, borrowing=False)
        valkey.thaw()


async def test_while_redis_is_away_it_is_asked_at_growing_pauses(valkey: Valkey) -> None:
    now = [0.0]
    link = RedisLink(valkey.url, lambda: now[0])
    valkey.kill()
    tries = []
    while now[0] < 60:
        before = link.ask_again_at
        assert await link.ask("borrow", ["born"], []) is None
        if link.ask_again_at != before:
            tries.append(link.ask_again_at - now[0])
        now[0] += FIRST_PAUSE_S / 2
    await link.close()
    assert tries[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert max(tries) == LAST_PAUSE_S


async def test_several_nodes_without_redis_have_their_shares(ground: Ground) -> None:
    async with two_nodes(ground, None, per_minute=1000) as two:
        assert two.a.flood(1000) == two.b.flood(1000) == 500


def test_a_node_without_redis_imports_no_client() -> None:
    program = "import sys, gateway.daemon.node, gateway.command_line.main; sys.exit('redis' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
