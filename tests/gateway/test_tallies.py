"""Durations fall into their buckets, and a quantile is the bucket in which it is reached.

What must not enter: the metrics page.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tallies import ANSWER_BUCKETS_S, RECEIPT_BUCKETS_S, Durations, Tallies


def test_a_duration_on_a_bound_belongs_below_it() -> None:
    durations = Durations((1, 2))
    for seconds in (0, 1, 1.5, 2, 3):
        durations.observe(seconds)
    assert durations.counts == [2, 2, 1]
    assert durations.total_s == pytest.approx(7.5)


def test_quantiles_of_nothing_and_of_something() -> None:
    durations = Durations((1, 2))
    assert durations.quantile_s(0.99) == 0
    for seconds in (0.5, 0.5, 1.5, 9):
        durations.observe(seconds)
    assert (durations.quantile_s(0.5), durations.quantile_s(0.75), durations.quantile_s(1)) == (1, 2, float("inf"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.floats(0.01, 1))
def test_at_least_that_share_lies_at_or_below_a_quantile(seconds: list[float], share: float) -> None:
    durations = Durations(ANSWER_BUCKETS_S)
    for each in seconds:
        durations.observe(each)
    bound = durations.quantile_s(share)
    assert sum(each <= bound for each in seconds) >= share * len(seconds) - 1e-9


def test_bounds_grow() -> None:
    for bounds in (ANSWER_BUCKETS_S, RECEIPT_BUCKETS_S):
        assert list(bounds) == sorted(set(bounds))


def test_each_connector_has_durations_of_its_own() -> None:
    tallies = Tallies()
    tallies.submit_latency["a"].observe(1)
    assert sum(tallies.submit_latency["b"].counts) == 0
