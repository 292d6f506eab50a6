"""The token bucket: never more than a burst and the rate, whatever is asked when; nobody waits without end.

smpp-answers (over the account's rate: burst of one second, cost = parts). What must not enter: what is refused.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pace import Pace


def test_a_burst_of_one_second_passes_and_then_the_rate() -> None:
    pace = Pace(10, now=100.0)
    assert [pace.take(1, 100.0) for _ in range(11)] == [True] * 10 + [False]
    assert not pace.take(1, 100.09)
    assert pace.take(1, 100.11)
    assert not pace.take(1, 100.11)


def test_without_rate_everything_passes() -> None:
    pace = Pace(0, now=0.0)
    assert all(pace.take(1000, 0.0) for _ in range(1000))
    assert pace.ready_at(1000, 5.0) == 5.0


def test_a_message_of_more_parts_than_a_burst_passes_a_full_bucket_and_is_paid_for_afterwards() -> None:
    pace = Pace(2, now=0.0)
    assert pace.take(10, 0.0)
    assert not pace.take(1, 4.0)
    assert pace.ready_at(1, 4.0) == pytest.approx(4.5)
    assert pace.take(1, 4.6)


def test_a_rate_below_one_a_second_still_lets_one_pass() -> None:
    pace = Pace(0.5, now=0.0)
    assert pace.take(1, 0.0)
    assert not pace.take(1, 1.0)
    assert pace.take(1, 2.0)


def test_what_was_not_used_is_returned_and_no_more_than_a_burst_is_kept() -> None:
    pace = Pace(5, now=0.0)
    assert pace.take(5, 0.0)
    pace.put_back(5)
    assert pace.take(5, 0.0)
    assert pace.take(5, 1000.0)
    assert not pace.take(1, 1000.0)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.5, 200), st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 10)), min_size=1, max_size=80))
def test_over_any_time_no_more_than_a_burst_the_rate_and_one_message_passes(
    rate: float, asked: list[tuple[float, int]]
) -> None:
    pace, now, passed = Pace(rate, now=0.0), 0.0, 0
    for pause_s, parts in asked:
        now += pause_s
        if pace.take(parts, now):
            passed += parts
    assert passed <= max(rate, 1.0) + rate * now + 10


@settings(max_examples=200, deadline=None)
@given(st.floats(0.5, 200), st.lists(st.integers(1, 10), min_size=1, max_size=30), st.integers(1, 10))
def test_whoever_comes_back_when_told_passes(rate: float, taken: list[int], parts: int) -> None:
    pace = Pace(rate, now=0.0)
    for each in taken:
        pace.take(each, 0.0)
    if not pace.take(parts, 0.0):
        assert pace.take(parts, pace.ready_at(parts, 0.0) + 1e-6)


def test_what_is_to_be_spared_of_a_burst_is_left_for_whoever_asks_without() -> None:
    pace = Pace(8, now=0.0)
    assert pace.take(6, 0.0, spare=0.25)
    assert not pace.take(1, 0.0, spare=0.25)
    assert pace.ready_at(1, 0.0, spare=0.25) > 0.0
    assert pace.take(2, 0.0)
    assert pace.take(1, 1.0, spare=0.25)


def test_a_spare_keeps_nobody_out_of_a_small_bucket_that_is_full() -> None:
    pace = Pace(1, now=0.0)
    assert pace.take(1, 0.0, spare=0.25)
    assert pace.take(1, pace.ready_at(1, 0.0, spare=0.25), spare=0.25)
