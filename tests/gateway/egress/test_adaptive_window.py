"""The learnt window against a carrier on virtual time: it converges, hardly anything is refused, nobody is slowed for
nothing.

smpp-answers, 0x58 and 0x14; the issue's "adaptive rate and window"; decision 0010. With the rate beside it, joined as
egress/smpp_connector.py joins them. What must not enter: sockets, real time.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.egress.adaptive_rate import AdaptiveRate
from gateway.egress.adaptive_window import FLOOR, WATCH_S, AdaptiveWindow, Noted
from gateway.pace import Pace

STEP_S = 0.001
TICK_S = 0.2
CONFIGURED = 50


class CarrierOnPaper:
    """One bind: a window that moves, a rate, answers of some latency or one after the other; and the sender.

    each_s: so long the carrier works on each message, one after the other; 0: on all at once, latency_s each.
    """

    def __init__(self, each_s: float = 0.0, limit: float = 0.0, demand: float = 1e9, seed: int = 1) -> None:
        self.window, self.rate = AdaptiveWindow(CONFIGURED, 0.0), AdaptiveRate(0, 0.0)
        self.taken, self.refused = Counter[int](), Counter[int]()  # by second
        self.now = 0.0
        self.each_s, self.demand = each_s, demand
        self._chance = random.Random(seed)
        self._limit = Pace(limit, 0.0)
        self._pace = Pace(0, 0.0)
        self._answers: list[tuple[float, int, float, bool]] = []  # when, number, since when, taken
        self._places: dict[int, Noted] = {}
        self._free_at = 0.0  # when the carrier has worked off what it took
        self._owed = 0  # what it took and has not answered
        self._waited_s = 0.0
        self._waiting = 0.0
        self._sent = 0
        self._next_tick = 0.0
        self._filled = False

    def live(self, seconds: float, window: int = 10_000, latency_s: tuple[float, float] = (0.02, 0.03)) -> None:
        """So long with this window and latency of the carrier."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            self._read_answers()
            if self.now >= self._next_tick:
                self._next_tick = self.now + TICK_S
                self._tick()
            self._waiting = min(self._waiting + self.demand * STEP_S, 1e6)
            while (
                self._waiting >= 1
                and self.now >= self.rate.paused_until
                and len(self._answers) < self.window.window
                and self._pace.take(1, self.now)
            ):
                self._send(window, self._chance.uniform(*latency_s))
            self._filled |= self._waiting >= 1 and len(self._answers) >= self.window.window

    def _tick(self) -> None:
        full, self._filled = self._filled, False
        if self.window.judge(bool(self._places), self.now):
            self.rate.forget(self.now)
        self.rate.tick(self.taken.total(), self.now)
        self.window.tick(self.taken.total(), self._waited_s, full, self.now)
        self._pace.rate_per_s, self._pace.burst_s = self.rate.rate_per_s, self.rate.burst_s

    def _send(self, window: int, latency_s: float) -> None:
        self._waiting -= 1
        self._sent += 1
        taken = self._owed < window and self._limit.take(1, self.now)
        if taken:
            self._owed += 1
            self._free_at = max(self._free_at, self.now) + self.each_s
        at = (self._free_at if taken and self.each_s else self.now) + latency_s
        heapq.heappush(self._answers, (at, self._sent, self.now, taken))
        if self.window.watching:
            self._places[self._sent] = self.window.note(len(self._answers))

    def _read_answers(self) -> None:
        while self._answers and self._answers[0][0] <= self.now:
            _, number, sent_at, taken = heapq.heappop(self._answers)
            noted = self._places.pop(number, None)
            if taken:
                self._owed -= 1
                self._waited_s += self.now - sent_at
                if noted is not None:
                    self.window.taken(noted)
                self.taken[int(self.now)] += 1
                continue
            self.refused[int(self.now)] += 1
            if not self.window.refused(noted, self.now) and self.rate.throttled(self.taken.total(), self.now):
                self._pace.rate_per_s, self._pace.burst_s = self.rate.rate_per_s, self.rate.burst_s
                self._pace.start_over(self.rate.paused_until)

    def a_second(self, since: int, until: int) -> float:
        return sum(self.taken[second] for second in range(since, until)) / (until - since)

    def share_refused(self, since: int, until: int) -> float:
        refused = sum(self.refused[second] for second in range(since, until))
        return refused / max(1, refused + sum(self.taken[second] for second in range(since, until)))


@pytest.mark.parametrize("latency_s", [(0.02, 0.02), (0.02, 0.06), (0.2, 0.2), (0.1, 0.5)])
def test_a_window_that_moves_is_met_and_under_1_percent_refused_afterwards(latency_s: tuple[float, float]) -> None:
    carrier = CarrierOnPaper()
    mean_s = sum(latency_s) / 2
    for place, window in enumerate((50, 5, 20)):
        carrier.live(45, window, latency_s)
        settled = 45 * place + 25, 45 * place + 45
        assert carrier.window.window <= window
        assert carrier.a_second(*settled) >= 0.85 * window / (mean_s + STEP_S)
        assert carrier.share_refused(*settled) < 0.01


def test_a_narrow_window_is_known_after_the_first_burst_and_slows_nothing_else() -> None:
    carrier = CarrierOnPaper()
    carrier.live(4, 20)
    assert carrier.window.window == 20
    assert not carrier.rate.learnt
    assert carrier.refused.total() <= CONFIGURED


def test_a_carrier_that_refuses_nothing_keeps_its_whole_window_whatever_its_latency() -> None:
    for latency_s in ((0.05, 0.2), (0.5, 0.5), (1.0, 3.0)):
        carrier = CarrierOnPaper()
        carrier.live(120, latency_s=latency_s)
        assert carrier.window.window == CONFIGURED
        assert carrier.a_second(20, 120) >= 0.97 * CONFIGURED / (sum(latency_s) / 2 + STEP_S)


def test_answers_that_only_wait_for_each_other_are_waited_for_in_a_smaller_window_at_the_same_throughput() -> None:
    carrier = CarrierOnPaper(each_s=0.02)
    carrier.live(60)
    assert FLOOR < carrier.window.window <= 12
    assert carrier.a_second(30, 60) >= 0.95 * 50
    carrier.each_s = 0.0
    carrier.live(400, latency_s=(0.2, 0.2))
    assert carrier.window.window == CONFIGURED, "it works on all at once again"


def test_a_rate_is_not_taken_for_a_window() -> None:
    carrier = CarrierOnPaper(limit=100)
    carrier.live(90)
    assert carrier.window.window == CONFIGURED
    assert carrier.rate.learnt
    assert carrier.a_second(30, 90) >= 90
    assert carrier.share_refused(0, 90) < 0.02
    assert carrier.share_refused(15, 90) < 0.01


def test_requests_are_noted_after_a_calm_and_a_refusal_and_while_the_window_is_narrowed() -> None:
    carrier = CarrierOnPaper(demand=100)
    assert carrier.window.watching
    carrier.live(WATCH_S + 1)
    assert not carrier.window.watching
    assert not carrier._places
    carrier.demand, carrier._waiting = 0, 0.0
    carrier.live(3)
    assert carrier.window.watching
    carrier.demand = 1e9
    carrier.live(3, 10)
    assert carrier.window.window == 10, "the first burst shows it"
    assert carrier.window.watching


def test_a_window_that_narrows_under_way_is_met_within_seconds() -> None:
    carrier = CarrierOnPaper()
    carrier.live(20)
    carrier.live(5, 10)
    assert carrier.window.window == 10
    assert not carrier.rate.learnt


def test_a_window_that_nobody_fills_is_not_asked_to_grow() -> None:
    carrier = CarrierOnPaper()
    carrier.live(5, 10)
    assert carrier.window.window == 10
    carrier.demand, carrier._waiting = 5.0, 0.0
    carrier.live(120, 10)
    assert carrier.window.window == 10


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(min_value=1, max_value=80), min_size=1, max_size=5),
    st.sampled_from([0.0, 30.0, 300.0]),
    st.sampled_from([0.0, 0.02]),
    st.sampled_from([(0.002, 0.002), (0.05, 0.3)]),
)
def test_whatever_the_carrier_the_window_stays_within_its_bounds(
    windows: list[int], limit: float, each_s: float, latency_s: Any
) -> None:
    carrier = CarrierOnPaper(each_s, limit)
    for window in windows:
        carrier.live(3, window, latency_s)
        assert FLOOR <= carrier.window.window <= CONFIGURED
        assert len(carrier._places) <= CONFIGURED
