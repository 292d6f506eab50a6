"""Limits that nodes keep together, as values: the whole limit alone, a share apart, slices when borrowing.

Source: decision 0018; smpp-answers (burst of one second). What must not enter: who lends (tests/gateway/counters).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingress.limit_shares import HELD_S, SharedPace, SharedQuota, Sharing

APART, TOGETHER = Sharing(2, borrowing=False), Sharing(2, borrowing=True)


def passed(pace: SharedPace, tries: int, now: float) -> int:
    return sum(pace.take(1, now) for _ in range(tries))


def used(quota: SharedQuota, tries: int, span: int = 7) -> int:
    found = 0
    for _ in range(tries):
        if quota.has(1, span):
            quota.take(1)
            found += 1
    return found


# ---------------------------------------------------------------- parts a second


def test_alone_a_burst_of_one_second_passes_and_then_the_rate() -> None:
    pace = SharedPace(10, now=100.0)
    assert passed(pace, 20, 100.0) == 10
    assert passed(pace, 20, 100.55) == 5


def test_apart_each_node_has_its_share() -> None:
    pace = SharedPace(10, 100.0, APART)
    assert passed(pace, 20, 100.0) == 5
    assert passed(pace, 20, 101.05) == 5


def test_together_nothing_is_earned_here_and_slices_are_spent() -> None:
    pace = SharedPace(10, 100.0, TOGETHER)
    assert passed(pace, 20, 100.0) == 10 * HELD_S // 2
    assert passed(pace, 20, 200.0) == 0
    wish = pace.wish()
    assert wish == 10 * HELD_S - 0.5  # what was asked is more than may be held; half a part was left
    pace.lend(wish, 3.0, 0.0)
    assert passed(pace, 20, 200.0) == 3


def test_an_idle_node_gives_back_all_but_its_reserve_and_then_asks_nothing() -> None:
    pace = SharedPace(100, 100.0, TOGETHER)
    assert passed(pace, 100, 100.0) == 25
    pace.lend(50.0, 50.0, 0.0)
    assert pace.wish() == 0.0  # it was just asked for: all of it is wanted
    assert pace.wish() == -25.0
    pace.lend(-25.0, -25.0, 0.0)
    assert pace.wish() == 0.0


def test_without_limit_everything_passes_and_nothing_is_wished() -> None:
    pace = SharedPace(0, 0.0, TOGETHER)
    assert passed(pace, 1000, 0.0) == 1000
    assert pace.wish() == 0.0


def test_more_parts_than_a_bucket_pass_when_it_is_full_and_are_paid_for_afterwards() -> None:
    for sharing in (Sharing(), APART, TOGETHER):
        pace = SharedPace(2, 0.0, sharing)
        assert pace.take(10, 0.0)
        assert not pace.take(1, 0.2)


def test_one_part_may_always_pass_in_the_end_however_many_share_a_small_limit() -> None:
    pace = SharedPace(1, 0.0, Sharing(10, borrowing=False))
    assert passed(pace, 5, 0.0) == 1
    assert passed(pace, 5, 9.0) == 0
    assert passed(pace, 5, 10.1) == 1


def test_what_was_used_up_stays_used_when_nodes_come_and_go() -> None:
    pace = SharedPace(10, 0.0)
    assert passed(pace, 20, 0.0) == 10
    for sharing in (TOGETHER, APART, Sharing()):
        pace.share(10, sharing, 0.0)
        assert passed(pace, 20, 0.0) == 0


@settings(max_examples=200, deadline=None)
@given(st.floats(0.5, 200), st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 10)), min_size=1, max_size=80))
def test_over_any_time_no_more_than_a_burst_the_rate_and_one_message_passes(
    rate: float, asked: list[tuple[float, int]]
) -> None:
    pace, now, total = SharedPace(rate, now=0.0), 0.0, 0
    for pause_s, parts in asked:
        now += pause_s
        if pace.take(parts, now):
            total += parts
    assert total <= max(rate, 1.0) + rate * now + 10 + 1e-6


# ---------------------------------------------------------------- parts a span


def test_alone_a_quota_is_whole_again_in_the_next_span_and_takes_back() -> None:
    quota = SharedQuota(3)
    assert used(quota, 5) == 3
    assert quota.is_used_up
    quota.give_back(1)
    assert used(quota, 5) == 1
    assert used(quota, 5, span=8) == 3
    quota.give_back(5)
    assert not quota.has(6, 8)
    assert SharedQuota(0).has(1_000_000, 1)


def test_apart_each_node_has_its_share_of_what_is_left() -> None:
    quota = SharedQuota(100, APART)
    assert used(quota, 100) == 50
    assert not quota.is_used_up  # others may have left theirs: not for ever
    quota.counted(70)
    assert used(quota, 100) == 15
    quota.counted(100)
    assert used(quota, 100) == 0
    assert quota.is_used_up


@pytest.mark.parametrize(("limit", "advance"), [(1000, 25), (10, 1), (3, 0)])
def test_together_a_little_passes_before_anything_was_borrowed(limit: int, advance: int) -> None:
    quota = SharedQuota(limit, TOGETHER)
    assert used(quota, limit) == advance
    assert not quota.is_used_up
    assert quota.wish() >= limit
    quota.lend(limit, advance, limit)
    assert used(quota, limit) == 0
    assert quota.is_used_up


def test_an_idle_node_gives_all_of_a_quota_back() -> None:
    quota = SharedQuota(1000, TOGETHER)
    assert used(quota, 4) == 4
    assert quota.wish() == 10
    quota.lend(10, 10, 10)
    assert quota.wish() == -6
    quota.lend(-6, -6, 4)
    assert quota.wish() == 0


def test_what_was_lent_for_a_former_span_is_void() -> None:
    quota = SharedQuota(1000, TOGETHER)
    quota.has(1, 7)
    wish = quota.wish()
    assert quota.has(1, 8)
    quota.lend(wish, wish, wish)
    quota.wish()
    assert used(quota, 1000, span=8) == 25


def test_when_the_count_is_lost_what_others_borrowed_is_not_divided_again() -> None:
    quota = SharedQuota(1000, TOGETHER)
    assert used(quota, 20) == 20
    quota.lend(quota.wish(), 30.0, 900.0)
    quota.share(1000, APART)
    assert used(quota, 1000) == (1000 - 890) // 2
