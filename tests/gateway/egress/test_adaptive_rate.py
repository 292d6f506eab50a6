"""The learnt rate against a carrier on virtual time: it converges, it hardly throttles, it never goes mad.

smpp-answers, 0x58; the issue's figure: limits of 100, 20, 80 parts a second, within 15 s, under 1 % throttled.
What must not enter: sockets, real time.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.egress.adaptive_rate import LOWEST_PER_S, PAUSES_S, SPARED_MOST, SPARED_SHARE, AdaptiveRate
from gateway.pace import Pace

STEP_S = 0.001
TICK_S = 0.2


class CarrierOnPaper:
    """A limit that moves, as a bucket of one second, behind a latency and a window; and the sender that learns it."""

    def __init__(
        self, contract: float, latency_s: float = 0.02, window: int = 10, demand: float = 1e9, fickle: float = 0.0
    ) -> None:
        self.rate = AdaptiveRate(contract, 0.0)
        self.taken, self.throttled = Counter[int](), Counter[int]()  # by second
        self.now = 0.0
        self._latency_s, self._window, self._demand = latency_s, window, demand
        self._pace = Pace(contract, 0.0)
        self._answers: list[tuple[float, int, bool]] = []
        self._waiting = 0.0
        self._sent = 0
        self._next_tick = 0.0
        self._fickle = fickle
        self._chance = random.Random(1)

    def live(self, limit: float, seconds: float) -> None:
        """So long with this limit of the carrier."""
        bucket = Pace(limit, self.now)
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            self._read_answers()
            if self.now >= self._next_tick:
                self._next_tick = self.now + TICK_S
                self.rate.tick(self.taken.total(), self.now)
                self._pace.rate_per_s, self._pace.burst_s = self.rate.rate_per_s, self.rate.burst_s
            self._waiting = min(self._waiting + self._demand * STEP_S, 1e6)
            while (
                self.now >= self.rate.paused_until
                and len(self._answers) < self._window
                and self._waiting >= 1
                and self._pace.take(1, self.now)
            ):
                self._waiting -= 1
                self._sent += 1
                heapq.heappush(self._answers, (self.now + self._latency_s, self._sent, self._takes(bucket)))

    def _takes(self, bucket: Pace) -> bool:
        return self._chance.random() >= self._fickle and bucket.take(1, self.now)

    def _read_answers(self) -> None:
        while self._answers and self._answers[0][0] <= self.now:
            _, _, taken = heapq.heappop(self._answers)
            if taken:
                self.taken[int(self.now)] += 1
                continue
            self.throttled[int(self.now)] += 1
            if self.rate.throttled(self.taken.total(), self.now):
                self._pace.rate_per_s, self._pace.burst_s = self.rate.rate_per_s, self.rate.burst_s
                self._pace.start_over(self.rate.paused_until)

    def share_throttled(self) -> float:
        return self.throttled.total() / (self.taken.total() + self.throttled.total())

    def per_second(self, since: int, until: int) -> float:
        return sum(self.taken[second] for second in range(since, until)) / (until - since)


@pytest.mark.parametrize("contract", [0, 100, 120, 500])
@pytest.mark.parametrize("latency_s", [0.002, 0.05])
def test_a_limit_that_moves_is_met_within_15_s_and_under_1_percent_throttled(contract: int, latency_s: float) -> None:
    carrier = CarrierOnPaper(contract, latency_s)
    for place, limit in enumerate((100, 20, 80)):
        carrier.live(limit, 30)
        assert carrier.per_second(30 * place + 15, 30 * place + 30) >= 0.9 * limit
    assert 0 < carrier.share_throttled() < 0.01


def test_a_wide_window_and_a_slow_carrier_are_learnt_too() -> None:
    carrier = CarrierOnPaper(contract=100, latency_s=0.2, window=50)
    for place, limit in enumerate((100, 20, 80)):
        carrier.live(limit, 30)
        assert carrier.per_second(30 * place + 15, 30 * place + 30) >= 0.9 * limit
    assert carrier.share_throttled() < 0.01


def test_a_carrier_that_keeps_its_contract_is_never_throttled_and_gets_all_of_it() -> None:
    carrier = CarrierOnPaper(contract=100)
    carrier.live(100, 60)
    assert carrier.rate.rate_per_s == 100
    assert not carrier.rate.learnt
    assert carrier.throttled.total() <= 1  # the first burst may meet the first tick of its bucket
    assert carrier.per_second(10, 60) == pytest.approx(100, rel=0.01)


def test_a_rate_comes_back_to_the_contract_and_never_beyond() -> None:
    carrier = CarrierOnPaper(contract=100)
    carrier.live(20, 30)
    assert carrier.rate.rate_per_s < 30
    carrier.live(1000, 30)
    assert carrier.rate.rate_per_s == 100
    assert carrier.rate.burst_s == 1


def test_a_rate_that_nobody_uses_is_not_raised() -> None:
    carrier = CarrierOnPaper(contract=0)
    carrier.live(20, 20)
    carrier._demand, carrier._waiting = 5.0, 0.0
    carrier.live(20, 5)
    learnt = carrier.rate.rate_per_s
    carrier.live(20, 120)
    assert carrier.rate.rate_per_s == learnt
    assert carrier.throttled.total() == sum(carrier.throttled[s] for s in range(25))


def test_pauses_double_to_a_minute_while_nothing_is_taken_and_begin_anew_after() -> None:
    rate = AdaptiveRate(100, 0.0)
    now, pauses = 0.0, []
    for _ in range(9):
        assert rate.throttled(0, now)
        assert not rate.throttled(0, now + 0.5)  # one more answer of the same window
        pauses.append(rate.paused_until - now)
        now = rate.paused_until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert rate.rate_per_s == LOWEST_PER_S
    assert rate.throttled(1, now)
    assert rate.paused_until - now == PAUSES_S[0]


def test_a_carrier_without_contract_that_throttles_before_it_took_anything_is_found_out_too() -> None:
    carrier = CarrierOnPaper(contract=0)
    assert carrier.rate.throttled(0, 0.1)
    assert carrier.rate.rate_per_s == LOWEST_PER_S
    carrier.live(100, 40)
    assert carrier.per_second(25, 40) >= 90


def test_what_was_the_window_does_not_spare_a_rate_its_refusals_again() -> None:
    rate = AdaptiveRate(100, 0.0)
    taken = int(SPARED_MOST / SPARED_SHARE)
    assert [rate.throttled(taken, 1.0) for _ in range(int(SPARED_MOST))] == [False] * int(SPARED_MOST)
    rate.forget(1.0)
    assert rate.throttled(taken, 1.0)


def test_the_rate_is_halved_where_nothing_better_is_known() -> None:
    rate = AdaptiveRate(100, 0.0)
    assert rate.throttled(0, 5.0)
    assert rate.rate_per_s == 50


@settings(max_examples=30)
@given(
    st.lists(st.integers(min_value=1, max_value=300), min_size=1, max_size=5),
    st.sampled_from([0, 50, 100]),
    st.sampled_from([0.002, 0.1]),
)
def test_whatever_the_limits_the_rate_stays_within_its_bounds(
    limits: list[int], contract: int, latency_s: float
) -> None:
    carrier = CarrierOnPaper(contract, latency_s)
    for limit in limits:
        carrier.live(limit, 3)
        assert carrier.rate.rate_per_s == 0 or carrier.rate.rate_per_s >= LOWEST_PER_S
        assert not contract or carrier.rate.rate_per_s <= contract
        assert carrier.rate.paused_until - carrier.now <= PAUSES_S[1]


@pytest.mark.parametrize("contract", [0, 100])
def test_a_carrier_that_refuses_now_and_then_at_any_rate_is_not_sent_ever_less(contract: int) -> None:
    carrier = CarrierOnPaper(contract, 0.03, window=40, demand=85, fickle=0.002)
    carrier.live(1e6, 900)
    assert carrier.per_second(60, 900) >= 84
