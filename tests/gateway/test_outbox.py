"""The windows in memory on a connector's waiting rows: bounded, in order, and no message is forgotten between the two.

Architecture section 4; promise P5. What must not enter: reading rows (gateway/refill.py), who is next (test_lanes.py).
"""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.lanes import LANES, MARKETING, OTP, TRANSACTIONAL
from gateway.message import Envelope, Message
from gateway.outbox import ACCOUNTS_AT_ONCE, ROWS_AT_ONCE, Outbox, Stretch

LIMIT = 8
KINDS = ("otp", "transactional", "marketing")


def message(message_id: int, kind: str = "otp", account_id: int = 1, parts: int = 1) -> Message:
    return Message(message_id, account_id, 1, 1, 1, kind, parts, 0, 1, 1, 0, "A", "2", "", b"", Envelope())


def take(outbox: Outbox) -> int:
    each = outbox.peek()
    assert each is not None
    assert outbox.take(each) is each
    return each.message_id


def test_messages_of_an_account_and_lane_leave_in_the_order_in_which_they_came() -> None:
    outbox = Outbox(LIMIT)
    assert outbox.idle
    assert outbox.peek() is None
    assert all(outbox.put(message(n)) for n in (1, 2))
    assert not outbox.idle
    outbox.put_first(message(9))
    assert [take(outbox) for _ in range(3)] == [9, 1, 2]
    assert outbox.idle


def test_a_retry_goes_first_in_its_own_lane_only() -> None:
    outbox = Outbox(LIMIT)
    outbox.put(message(1, "marketing"))
    outbox.put_first(message(2, "marketing"))
    outbox.put(message(3, "otp"))
    assert [take(outbox) for _ in range(3)] == [3, 2, 1]


def test_beyond_its_room_an_accounts_messages_stay_rows_and_so_do_all_that_follow() -> None:
    outbox = Outbox(LIMIT)
    assert [outbox.put(message(n)) for n in range(1, 8)] == [True] * 4 + [False] * 3
    assert outbox.lanes[OTP].rows_from == {1: 5}
    assert not outbox.wants_rows
    take(outbox)
    assert not outbox.put(message(8))  # it would overtake 5, 6 and 7
    assert not outbox.idle
    while outbox.peek():
        take(outbox)
    assert outbox.wants_rows
    assert outbox.begin_read(outbox.lanes[OTP]) == (Stretch(1, 5, 4),)


def test_no_account_and_no_lane_takes_anothers_place_in_memory() -> None:
    outbox = Outbox(LIMIT)
    for number in range(100):
        outbox.put(message(number, "marketing"))
    assert outbox.put(message(101, "marketing", account_id=2))
    assert all(outbox.put(message(200 + number, "otp")) for number in range(4))
    assert outbox.lanes[MARKETING].rows_from == {1: 4}


def test_rows_are_read_of_each_account_alike() -> None:
    outbox = Outbox(LIMIT)
    lane = outbox.lanes[TRANSACTIONAL]
    outbox.search_from(5, TRANSACTIONAL)
    assert outbox.begin_search(lane) == 5
    outbox.end_search(lane, [(1, 10), (2, 20), (3, 30)])
    assert outbox.begin_read(lane) == (Stretch(1, 10, 4), Stretch(2, 20, 2), Stretch(3, 30, 1))
    rows = [message(10 + n, "transactional", 1) for n in range(4)]
    outbox.end_read(lane, [*rows, message(20, "transactional", 2)], {1: 14})
    assert lane.rows_from == {1: 14}
    assert [take(outbox) for _ in range(5)] == [10, 11, 12, 13, 20]


def test_one_read_is_bounded_in_rows_and_in_accounts() -> None:
    outbox = Outbox(100_000)
    lane = outbox.lanes[MARKETING]
    for account in range(200):
        lane.leave(account, 1)
    (stretch,) = outbox.begin_read(lane)
    assert stretch.most == ROWS_AT_ONCE
    outbox = Outbox(300)
    lane = outbox.lanes[MARKETING]
    for account in range(200):
        outbox.lanes[MARKETING].leave(account, 1)
    stretches = outbox.begin_read(lane)
    assert len(stretches) <= ACCOUNTS_AT_ONCE
    assert sum(each.most for each in stretches) <= 300


def test_whoever_was_read_goes_behind_those_who_were_not() -> None:
    outbox = Outbox(1)
    lane = outbox.lanes[OTP]
    for account in (1, 2, 3):
        lane.leave(account, account * 10)
    seen = []
    for _ in range(6):
        (stretch,) = outbox.begin_read(lane)
        seen.append(stretch.account_id)
        row = message(stretch.from_id, "otp", stretch.account_id)
        outbox.end_read(lane, [row], {stretch.account_id: stretch.from_id + 1})
        take(outbox)
    assert seen == [1, 2, 3, 1, 2, 3]


def test_one_that_was_accepted_late_moves_the_place_to_read_from_back() -> None:
    outbox = Outbox(1)
    outbox.put(message(10))
    outbox.put(message(12))
    outbox.put(message(11))
    assert outbox.lanes[OTP].rows_from == {1: 11}


def test_what_is_left_to_rows_during_a_search_or_a_read_is_read_by_the_next() -> None:
    outbox = Outbox(LIMIT)
    lane = outbox.lanes[OTP]
    outbox.search_from(5)
    assert outbox.begin_search(lane) == 5
    assert not outbox.put(message(9))  # its COMMIT came after the search's snapshot
    outbox.end_search(lane, [(1, 5)])
    assert outbox.begin_read(lane)[0].from_id == 5
    assert not outbox.put(message(11))
    outbox.end_read(lane, [message(5)], {})
    assert lane.rows_from == {1: 11}


def test_a_search_or_a_read_that_failed_is_made_again_from_where_it_began() -> None:
    outbox = Outbox(LIMIT)
    lane = outbox.lanes[OTP]
    outbox.search_from(5)
    outbox.begin_search(lane)
    outbox.search_from(7)
    outbox.end_search(lane, None)
    assert outbox.begin_search(lane) == 5
    outbox.end_search(lane, [(1, 6)])
    (stretch,) = outbox.begin_read(lane)
    outbox.end_read(lane, [], {stretch.account_id: stretch.from_id})
    assert outbox.begin_read(lane) == (stretch,)


def test_the_oldest_id_includes_rows_that_are_sought_or_read() -> None:
    outbox = Outbox(LIMIT)
    lane = outbox.lanes[OTP]
    assert outbox.oldest_id() is None
    outbox.put(message(7))
    outbox.search_from(5, OTP)
    assert outbox.oldest_id() == 5
    outbox.begin_search(lane)
    assert outbox.oldest_id() == 5
    outbox.end_search(lane, [(2, 5)])
    outbox.begin_read(lane)
    assert outbox.oldest_id() == 5
    outbox.end_read(lane, [message(5, account_id=2)], {2: 6})
    assert outbox.oldest_id() == 5
    assert [outbox.lanes[n].oldest_id() for n in LANES] == [5, None, None]
    take(outbox)
    take(outbox)
    assert outbox.oldest_id() == 6


def test_a_draining_node_lets_nothing_leave_and_reads_nothing() -> None:
    outbox = Outbox(LIMIT)
    outbox.put(message(1))
    outbox.search_from(2)
    outbox.lanes[OTP].leave(2, 3)
    outbox.hold = True
    assert outbox.peek() is None
    assert not outbox.wants_rows
    assert outbox.begin_read(outbox.lanes[OTP]) == ()
    assert outbox.begin_search(outbox.lanes[OTP]) is None
    assert not outbox.idle
    outbox.hold = False
    assert outbox.wants_rows


def test_claims_are_taken_also_beyond_the_limit() -> None:
    outbox = Outbox(1)
    outbox.put(message(1))
    outbox.put_claimed(message(2))
    assert len(outbox) == 2


def test_a_message_is_withdrawn_wherever_it_stands_and_once() -> None:
    outbox = Outbox(LIMIT)
    messages = [message(1), message(2), message(3, account_id=2), message(4, "marketing")]
    outbox.put(messages[0])
    outbox.put_first(messages[1])
    outbox.put(messages[2])
    outbox.put(messages[3])
    assert not outbox.withdraw(message(1))  # another object, however alike
    for each in messages[:3]:
        assert outbox.withdraw(each)
        assert not outbox.withdraw(each)
    assert take(outbox) == 4
    assert outbox.idle
    outbox.put(message(5))
    assert take(outbox) == 5


def test_only_marketing_leaves_room_and_only_while_nobody_more_urgent_waits() -> None:
    outbox = Outbox(LIMIT)
    campaign = message(1, "marketing")
    outbox.put(campaign)
    assert 0 < outbox.spare(campaign) < 1
    outbox.put(message(2, "transactional"))
    assert outbox.spare(campaign) == 0  # each has its turns: a spare that is always used would starve it
    take(outbox)
    assert 0 < outbox.spare(campaign) < 1


def test_a_lane_that_begins_to_wait_has_the_room_looked_at_again() -> None:
    room = asyncio.Event()
    outbox = Outbox(LIMIT, room)
    outbox.put(message(1, "marketing"))
    room.clear()  # the sender found none, and waits
    outbox.put(message(2, "marketing"))
    assert not room.is_set()
    outbox.put(message(3, "otp"))
    assert room.is_set()


class OutboxLife(RuleBasedStateMachine):
    """Acceptance, sending and reading in any order: what was accepted is sent, once, and memory stays bounded."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(LIMIT)
        self.next_id = 1
        self.rows: dict[int, tuple[str, int]] = {}  # committed and queued, as the database knows: kind, account
        self.held: set[int] = set()  # in memory
        self.sent: list[int] = []
        self.read: dict[int, tuple[tuple[Stretch, ...], dict[int, tuple[str, int]]]] = {}  # by lane: what, snapshot
        self.sought: dict[int, tuple[int, dict[int, tuple[str, int]]]] = {}

    @rule(late=st.booleans(), kind=st.sampled_from(KINDS), account=st.integers(1, 3), count=st.integers(1, 4))
    def accepted(self, late: bool, kind: str, account: int, count: int) -> None:
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        for message_id in reversed(ids) if late else ids:  # two doors' commits may come in either order
            self.rows[message_id] = kind, account
            if self.outbox.put(message(message_id, kind, account)):
                self.held.add(message_id)

    @precondition(lambda self: self.outbox.peek() is not None)
    @rule()
    def sent_one(self) -> None:
        message_id = take(self.outbox)
        self.held.remove(message_id)
        del self.rows[message_id]
        self.sent.append(message_id)

    @rule(place=st.integers(0, 20))
    def withdrawn(self, place: int) -> None:
        """A customer takes one back: it goes on as a row that has a time of its own."""
        waiting = [each for lane in self.outbox.lanes for each in lane.queue]
        if waiting:
            each = waiting[place % len(waiting)]
            assert self.outbox.withdraw(each)
            self.held.remove(each.message_id)
            del self.rows[each.message_id]

    @rule(back=st.integers(0, 9), lane=st.sampled_from((None, *LANES)))
    def doubted(self, back: int, lane: int | None) -> None:
        """Rows of an unknown COMMIT may be there."""
        self.outbox.search_from(max(1, self.next_id - back), lane)

    @rule(lane=st.sampled_from(LANES))
    def search_begun(self, lane: int) -> None:
        if lane not in self.sought and lane not in self.read:
            from_id = self.outbox.begin_search(self.outbox.lanes[lane])
            if from_id is not None:
                self.sought[lane] = from_id, dict(self.rows)

    @rule(lane=st.sampled_from(LANES), away=st.booleans())
    def search_ended(self, lane: int, away: bool) -> None:
        if lane in self.sought:
            from_id, snapshot = self.sought.pop(lane)
            first: dict[int, int] = {}
            for n in sorted(snapshot):
                kind, account = snapshot[n]
                if n >= from_id and kind == KINDS[lane]:
                    first.setdefault(account, n)
            self.outbox.end_search(self.outbox.lanes[lane], None if away else list(first.items()))

    @rule(lane=st.sampled_from(LANES))
    def read_begun(self, lane: int) -> None:
        if lane not in self.read and lane not in self.sought:
            stretches = self.outbox.begin_read(self.outbox.lanes[lane])
            if stretches:
                self.read[lane] = stretches, dict(self.rows)

    @rule(lane=st.sampled_from(LANES), away=st.booleans())
    def read_ended(self, lane: int, away: bool) -> None:
        if lane not in self.read:
            return
        stretches, snapshot = self.read.pop(lane)
        if away:
            self.outbox.end_read(self.outbox.lanes[lane], [], {each.account_id: each.from_id for each in stretches})
            return
        found, more = [], {}
        for each in stretches:
            whose = (KINDS[lane], each.account_id)
            ids = sorted(n for n, whom in snapshot.items() if n >= each.from_id and whom == whose)[: each.most]
            found += [message(n, *whose) for n in ids if n not in self.held and n in self.rows]
            if len(ids) == each.most:
                more[each.account_id] = ids[-1] + 1
        self.held.update(m.message_id for m in found)
        self.outbox.end_read(self.outbox.lanes[lane], found, more)

    @invariant()
    def nothing_is_forgotten_and_nothing_is_sent_twice(self) -> None:
        assert len(self.sent) == len(set(self.sent))
        for lane in self.outbox.lanes:
            outside = [n for n, (kind, _) in self.rows.items() if kind == KINDS[lane.number] and n not in self.held]
            oldest = lane.oldest_id()
            assert not outside or (oldest is not None and oldest <= min(outside))
            assert not outside or lane.has_rows
        assert self.outbox.idle == (not self.held and not any(lane.has_rows for lane in self.outbox.lanes))

    @invariant()
    def whatever_waits_will_be_read_without_anybody_asking(self) -> None:
        for lane in self.outbox.lanes:
            busy = lane.reading or lane.searching_from is not None
            if lane.has_rows and not lane.queue.count and not busy:
                assert lane.rows_wanted.is_set()

    @invariant()
    def memory_is_bounded(self) -> None:
        assert all(lane.queue.count <= LIMIT for lane in self.outbox.lanes)


OutboxLife.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestOutboxLife = OutboxLife.TestCase
