"""Pauses and addresses of a link that lost its carrier. smpp-answers, "Client link". What must not enter: sockets."""

from __future__ import annotations

import pytest

from gateway.egress.reconnect import End, Reconnects


def longest(low: float, high: float) -> float:
    return high


def shortest(low: float, high: float) -> float:
    return low


def test_pauses_are_1_2_4_to_60_s_with_full_jitter_and_begin_anew_after_a_bind_that_stood() -> None:
    link = Reconnects(1, 60.0, sticky=True)
    assert [link.after("failed", longest) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert link.after("failed", shortest) == 0
    assert [link.after("steady", longest), link.after("failed", longest)] == [1, 2]


def test_the_longest_pause_is_the_profile_s() -> None:
    link = Reconnects(1, 0.5, sticky=True)
    assert [link.after("failed", longest) for _ in range(3)] == [0.5, 0.5, 0.5]


def test_refused_credentials_wait_60_s_to_15_min_without_jitter() -> None:
    link = Reconnects(1, 60.0, sticky=True)
    assert [link.after("refused", shortest) for _ in range(6)] == [60, 120, 240, 480, 900, 900]
    link.after("steady", longest)
    assert link.after("refused", shortest) == 60


def test_already_bound_waits_30_to_60_s_each_time() -> None:
    link = Reconnects(1, 60.0, sticky=True)
    assert [link.after("already_bound", shortest), link.after("already_bound", longest)] == [30, 60]
    assert link.after("failed", longest) == 1


@pytest.mark.parametrize(
    ("sticky", "ends", "places"),
    [
        (True, ["failed", "failed", "steady", "steady", "refused", "failed"], [1, 2, 2, 2, 0, 1]),
        (False, ["failed", "failed", "steady", "failed", "already_bound"], [1, 2, 0, 1, 2]),
    ],
)
def test_an_address_that_fails_gives_way_to_the_next(sticky: bool, ends: list[End], places: list[int]) -> None:
    link = Reconnects(3, 60.0, sticky)
    found = []
    for end in ends:
        link.after(end, longest)
        found.append(link.place)
    assert found == places
