"""Each message is held at most once, whatever rows are read while messages come and go.

What must not enter: the rooms around it (test_queues.py).
"""

from __future__ import annotations

from gateway.active import ActiveMessages
from gateway.holding import Span
from gateway.message import ID_NODE_SHIFT, Envelope, Message


def message(message_id: int) -> Message:
    return Message(message_id, 1, 1, 1, 1, "otp", 1, 0, 1, 9, 0, "ACME", "229", "why", b"", Envelope())


def test_a_row_of_a_held_message_gives_the_one_held() -> None:
    active = ActiveMessages()
    held = message(1)
    active.enter(held)
    with active.reading() as left:
        assert active.adopt(message(1), left) is held
    assert list(active) == [held]


def test_a_row_nobody_holds_is_held_from_here_on() -> None:
    active = ActiveMessages()
    row = message(1)
    with active.reading() as left:
        assert active.adopt(row, left) is row
    assert active.get(1) is row


def test_a_row_whose_message_left_while_it_was_read_is_stale() -> None:
    active = ActiveMessages()
    active.enter(message(1))
    with active.reading() as left, active.reading() as other:
        active.leave(1)
        assert active.adopt(message(1), left) is None
        assert active.adopt(message(1), other) is None  # every read under way
    with active.reading() as later:
        assert active.adopt(message(1), later) is not None


def test_a_row_that_lands_while_it_is_read_is_not_adopted() -> None:
    active = ActiveMessages()
    with active.reading() as left:
        active.land([message(1)])
        assert active.adopt(message(1), left) is None
        active.landed([message(1)])
        assert active.adopt(message(1), left) is None
    with active.reading() as later:
        assert active.adopt(message(1), later) is not None


def test_a_message_that_landed_and_left_between_two_reads_is_a_row_like_any_other() -> None:
    active = ActiveMessages()
    active.land([message(1)])
    active.landed([message(1)])
    assert len(active) == 0
    assert 1 not in active
    with active.reading() as left:
        assert active.adopt(message(1), left) is not None
    assert 1 in active


def test_a_row_inherited_during_its_read_is_stale() -> None:
    active = ActiveMessages()
    active.holding.widen([Span(1, 1, 0, 1 << 62)])
    row = message(2 << ID_NODE_SHIFT)
    with active.reading() as left:
        active.holding.widen([Span(2, 2, 0, 1 << 62)])
        assert active.adopt(row, left) is None
    with active.reading() as left:
        assert active.adopt(row, left) is row
