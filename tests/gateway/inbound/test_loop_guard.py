"""How often one number wrote to another in a minute, and that the memory of it ends.

What must not enter: what is done with a loop (test_desk.py).
"""

from __future__ import annotations

import pytest

from gateway.inbound import loop_guard
from gateway.inbound.loop_guard import LoopGuard


def test_what_is_too_much_is_counted_from_its_first() -> None:
    guard = LoopGuard(3)
    assert [guard.count("a", "b", 1000 + n) for n in range(5)] == [0, 0, 0, 1, 2]
    assert guard.count("a", "c", 1004) == 0
    assert guard.count("b", "a", 1004) == 0


def test_a_minute_later_it_begins_anew() -> None:
    guard = LoopGuard(1)
    assert [guard.count("a", "b", at_ms) for at_ms in (0, 59_999, 60_000, 60_001)] == [0, 1, 0, 1]


def test_a_clock_that_stepped_back_begins_anew() -> None:
    guard = LoopGuard(1)
    assert [guard.count("a", "b", at_ms) for at_ms in (60_000, 0, 1)] == [0, 0, 1]


def test_of_too_many_pairs_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_guard, "PAIRS_LIMIT", 10)
    guard = LoopGuard(1)
    for number in range(30):
        guard.count(str(number), "b", 0)
    assert len(guard) == 10
    assert guard.count("29", "b", 0) == 1
