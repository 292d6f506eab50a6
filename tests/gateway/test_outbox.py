"""The window in memory on a connector's waiting rows: bounded, in order, and no message is forgotten between the two.

Architecture section 4; promise P5. What must not enter: reading rows (lifecycle, statement queued_after).
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.message import Envelope, Message
from gateway.outbox import Outbox

LIMIT = 4


def message(message_id: int) -> Message:
    return Message(message_id, 1, 1, 1, 1, "otp", 1, 0, 1, 1, 0, "A", "2", "", b"", Envelope())


def test_messages_leave_in_the_order_in_which_they_came() -> None:
    outbox = Outbox(LIMIT)
    assert outbox.idle
    assert outbox.peek() is None
    assert all(outbox.put(message(n)) for n in (1, 2))
    assert not outbox.idle
    outbox.put_first(message(9))
    assert [outbox.take().message_id for _ in range(3)] == [9, 1, 2]
    assert outbox.idle


def test_beyond_the_limit_messages_stay_rows_and_so_do_all_that_follow() -> None:
    outbox = Outbox(LIMIT)
    assert [outbox.put(message(n)) for n in range(1, 8)] == [True] * 4 + [False] * 3
    assert outbox.resume_from_id == 5
    assert not outbox.wants_rows
    outbox.take()
    outbox.take()
    assert outbox.wants_rows
    assert not outbox.put(message(8))  # it would overtake 5, 6 and 7
    assert not outbox.idle


def test_one_that_was_accepted_late_moves_the_place_to_read_from_back() -> None:
    outbox = Outbox(1)
    outbox.put(message(10))
    outbox.put(message(12))
    outbox.put(message(11))
    assert outbox.resume_from_id == 11


def test_what_is_left_to_rows_during_a_read_is_read_by_the_next() -> None:
    outbox = Outbox(LIMIT)
    outbox.search_from(5)
    assert outbox.begin_refill() == 5
    assert not outbox.put(message(9))  # its COMMIT came after the read's snapshot
    outbox.end_refill([message(5)], None)
    assert outbox.resume_from_id == 9
    assert outbox.begin_refill() == 9
    outbox.end_refill([message(9)], None)
    assert outbox.resume_from_id is None


def test_the_oldest_id_includes_rows_that_are_being_read() -> None:
    outbox = Outbox(LIMIT)
    assert outbox.oldest_id() is None
    outbox.put(message(7))
    outbox.search_from(5)
    assert outbox.oldest_id() == 5
    outbox.begin_refill()
    assert outbox.oldest_id() == 5
    outbox.end_refill([message(5)], 6)
    assert outbox.oldest_id() == 5
    outbox.take()
    outbox.take()
    assert outbox.oldest_id() == 6


def test_a_draining_node_lets_nothing_leave_and_reads_nothing() -> None:
    outbox = Outbox(LIMIT)
    outbox.put(message(1))
    outbox.search_from(2)
    outbox.hold = True
    assert outbox.peek() is None
    assert not outbox.wants_rows
    assert not outbox.idle


def test_claims_are_taken_also_beyond_the_limit() -> None:
    outbox = Outbox(1)
    outbox.put(message(1))
    outbox.put_claimed(message(2))
    assert len(outbox) == 2


class OutboxLife(RuleBasedStateMachine):
    """Acceptance, sending and reading in any order: what was accepted is sent, once, and memory stays bounded."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(LIMIT)
        self.next_id = 1
        self.rows: set[int] = set()  # committed and queued, as the database knows
        self.held: set[int] = set()  # in memory
        self.sent: list[int] = []
        self.read: tuple[int, set[int]] | None = None

    @rule(late=st.booleans())
    def accepted(self, late: bool) -> None:
        ids = [self.next_id, self.next_id + 1]
        self.next_id += 2
        for message_id in reversed(ids) if late else ids:  # two doors' commits may come in either order
            self.rows.add(message_id)
            if self.outbox.put(message(message_id)):
                self.held.add(message_id)

    @precondition(lambda self: self.outbox.peek() is not None)
    @rule()
    def sent_one(self) -> None:
        message_id = self.outbox.take().message_id
        self.held.remove(message_id)
        self.rows.remove(message_id)
        self.sent.append(message_id)

    @precondition(lambda self: self.read is None and self.outbox.wants_rows)
    @rule()
    def read_begun(self) -> None:
        from_id = self.outbox.begin_refill()
        self.read = (from_id, set(self.rows))

    @precondition(lambda self: self.read is not None)
    @rule()
    def read_ended(self) -> None:
        assert self.read is not None
        from_id, snapshot = self.read
        self.read = None
        asked = LIMIT // 2
        found = sorted(n for n in snapshot if n >= from_id)[:asked]
        fresh = [n for n in found if n not in self.held and n in self.rows]
        self.held.update(fresh)
        self.outbox.end_refill([message(n) for n in fresh], found[-1] + 1 if len(found) == asked else None)

    @invariant()
    def nothing_is_forgotten_and_nothing_is_sent_twice(self) -> None:
        assert len(self.sent) == len(set(self.sent))
        outside = self.rows - self.held
        oldest = self.outbox.oldest_id()
        assert not outside or (oldest is not None and oldest <= min(outside))
        if self.read is None and outside:
            assert self.outbox.resume_from_id is not None
            assert self.outbox.resume_from_id <= min(outside)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.outbox) <= LIMIT + LIMIT // 2


OutboxLife.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestOutboxLife = OutboxLife.TestCase
