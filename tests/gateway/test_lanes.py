"""Who is served next: shares of lanes and accounts in parts, order, and nobody starved, whatever comes.

gateway/lanes.py. The last tests run an outbox on virtual time: one OTP behind a campaign of a million.
What must not enter: rows and connectors (test_outbox.py, test_lanes_in_life.py).
"""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.lanes import LANE_OF_CLASS, LANES, MARKETING, OTP, QUANTUM_PARTS, TRANSACTIONAL, FairQueue, LaneTurns
from gateway.message import Envelope, Message
from gateway.outbox import Outbox
from gateway.pace import Pace
from telecom.parts import MAX_PARTS

CLASS_OF_LANE = ("otp", "transactional", "marketing")
NUMBERS = itertools.count(1)


def message(account_id: int = 1, parts: int = 1, kind: str = "otp", message_id: int = 0) -> Message:
    number = message_id or next(NUMBERS)
    return Message(number, account_id, 1, 1, 1, kind, parts, 0, 1, 1 << 60, 0, "A", "2", "", b"", Envelope())


def served(turns: LaneTurns, parts_of_lane: dict[int, int], messages: int) -> Counter[int]:
    """Parts served of each lane while all of these wait for ever, with messages of so many parts each."""
    found: Counter[int] = Counter()
    for lane in parts_of_lane:
        turns.begin(lane)
    for _ in range(messages):
        lane = turns.next()
        assert lane is not None
        turns.charge(lane, parts_of_lane[lane])
        found[lane] += parts_of_lane[lane]
    return found


# ---------------------------------------------------------------- lanes


def test_lanes_that_all_wait_are_served_8_to_3_to_1() -> None:
    assert served(LaneTurns(), dict.fromkeys(LANES, 1), 1200) == {OTP: 800, TRANSACTIONAL: 300, MARKETING: 100}


def test_a_lane_alone_has_everything_and_two_share_as_they_would_with_the_third() -> None:
    assert served(LaneTurns(), {MARKETING: 1}, 50) == {MARKETING: 50}
    assert served(LaneTurns(), {TRANSACTIONAL: 1, MARKETING: 1}, 400) == {TRANSACTIONAL: 300, MARKETING: 100}


@given(st.fixed_dictionaries({lane: st.integers(1, MAX_PARTS) for lane in LANES}))
def test_shares_hold_in_parts_whatever_the_length_of_messages(parts: dict[int, int]) -> None:
    found = served(LaneTurns(), parts, 2400)
    whole = sum(found.values())
    for lane, share in zip(LANES, (8, 3, 1), strict=True):
        assert abs(found[lane] - whole * share / 12) <= 2 * MAX_PARTS


@given(st.lists(st.tuples(st.sampled_from(LANES), st.integers(1, MAX_PARTS)), max_size=60), st.integers(0, 200))
def test_one_otp_that_comes_to_an_empty_lane_is_next_whatever_was_served_before(
    before: list[tuple[int, int]], taken: int
) -> None:
    turns, waiting = LaneTurns(), Counter(lane for lane, _ in before if lane != OTP)
    for lane in waiting:
        turns.begin(lane)
    for _ in range(taken):
        lane = turns.next()
        if lane is not None:
            turns.charge(lane, 1)
    turns.begin(OTP)
    assert turns.next() == OTP


def test_a_lane_that_was_silent_has_saved_nothing_up() -> None:
    turns = LaneTurns()
    served(turns, {MARKETING: 1}, 1000)
    assert 9 <= served(turns, {TRANSACTIONAL: 1, MARKETING: 1}, 40)[MARKETING] <= 11


@given(st.integers(1, MAX_PARTS), st.sampled_from((TRANSACTIONAL, MARKETING)))
def test_what_passes_a_stuck_lane_is_bounded_by_the_share_of_what_is_stuck(parts: int, stuck: int) -> None:
    turns = LaneTurns()
    for lane in (OTP, stuck):
        turns.begin(lane)
    turns.charge(OTP, 1)
    assert turns.next() == stuck  # its turn, and it finds no room for all its parts
    passed = 0
    while (lane := turns.next_past(stuck, parts)) is not None:
        assert lane == OTP
        turns.charge(lane, 1)
        passed += 1
        assert passed < 1000
    assert 0 < passed <= parts * 8
    assert turns.next() == stuck
    assert turns.next_past(OTP, 1) is None  # nobody is more urgent


# ---------------------------------------------------------------- accounts


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, MAX_PARTS)), max_size=80))
def test_an_accounts_messages_leave_in_order_and_none_is_lost(sizes: list[tuple[int, int]]) -> None:
    queue, put = FairQueue(), [message(account, parts) for account, parts in sizes]
    for each in put:
        queue.put(each)
    assert sorted(m.message_id for m in queue) == sorted(m.message_id for m in put)
    left = [queue.take() for _ in range(queue.count)]
    assert queue.count == 0
    assert queue.held(1) == 0
    for account in range(1, 5):
        ours = [m for m in put if m.account_id == account]
        assert [m for m in left if m.account_id == account] == ours


@given(st.integers(2, 6), st.lists(st.integers(1, MAX_PARTS), min_size=6, max_size=6))
def test_accounts_that_all_wait_have_equal_parts_whatever_the_length_of_their_messages(
    accounts: int, parts: list[int]
) -> None:
    queue, sent = FairQueue(), Counter[int]()
    for account in range(accounts):
        for _ in range(400 // parts[account] + 1):
            queue.put(message(account, parts[account]))
    for _ in range(200):
        if any(not queue.held(account) for account in range(accounts)):
            break
        taken = queue.take()
        sent[taken.account_id] += taken.part_count
        counts = [sent[account] for account in range(accounts)]
        assert max(counts) - min(counts) <= 2 * QUANTUM_PARTS + MAX_PARTS


@given(st.integers(1, 30), st.integers(1, MAX_PARTS))
def test_an_account_that_comes_waits_for_one_turn_of_each_other(others: int, parts: int) -> None:
    queue = FairQueue()
    for account in range(others):
        for _ in range(100):
            queue.put(message(account))
    queue.take()
    late = message(99, parts)
    queue.put(late)
    before = list(itertools.takewhile(lambda m: m is not late, (queue.take() for _ in range(queue.count))))
    assert len(before) <= others * QUANTUM_PARTS


@given(st.data())
def test_the_head_is_what_is_taken_however_often_it_is_asked_for(data: st.DataObject) -> None:
    queue = FairQueue()
    for step in data.draw(st.lists(st.integers(0, 3), max_size=60)):
        if step:
            queue.put(message(step, data.draw(st.integers(1, MAX_PARTS))))
        elif queue.count:
            heads = [queue.head() for _ in range(3)]
            assert [queue.take()] * 3 == heads


def test_what_was_put_first_leaves_first_in_the_order_it_had() -> None:
    queue, messages = FairQueue(), [message(account) for account in (1, 1, 2)]
    queue.put(messages[2])
    for each in reversed(messages[:2]):
        queue.put_first(each)
    assert [queue.take() for _ in range(3)] == messages


# ---------------------------------------------------------------- an outbox on virtual time


class Street:
    """A carrier of so many parts a second, a window, and answers that take their time; a campaign that never ends."""

    def __init__(self, tps: float, window: int, answer_s: float, campaign_parts: int, limit: int = 100) -> None:
        self.outbox = Outbox(limit)
        self.pace = Pace(tps, 0.0)
        self.window, self.answer_s, self.campaign_parts = window, answer_s, campaign_parts
        self.now = 0.0
        self.open: list[tuple[float, int]] = []  # when it is answered, parts
        self.left: list[tuple[float, Message]] = []

    def refill(self) -> None:
        """The campaign's rows fill their lane as far as they may: as a million in PostgreSQL would."""
        while self.outbox.put(message(7, self.campaign_parts, "marketing")):
            pass
        self.outbox.lanes[MARKETING].rows_from.clear()

    def reserve(self, parts: int, spare: float) -> bool:
        used = sum(p for _, p in self.open)
        kept = min(-(-self.window * spare // 1), self.window - 1)
        if used and used + parts + kept > self.window:
            return False
        return self.pace.take(parts, self.now, spare)

    def run_until(self, end: float) -> None:
        while self.now < end:
            self.open = [each for each in self.open if each[0] > self.now]
            self.refill()
            stuck = None
            while (each := self.outbox.peek(stuck)) is not None:
                if self.reserve(each.part_count, self.outbox.spare(each)):
                    self.outbox.take(each)
                    self.open.append((self.now + self.answer_s, each.part_count))
                    self.left.append((self.now, each))
                else:
                    stuck = each
            self.now += 0.01


@given(
    st.sampled_from((1.0, 5.0, 50.0, 400.0)),
    st.sampled_from((2, 10, 100)),
    st.sampled_from((0.02, 0.5, 8.0)),
    st.floats(0.0, 3.0),
)
def test_one_otp_behind_a_million_leaves_within_a_second(tps: float, window: int, answer_s: float, at: float) -> None:
    street = Street(tps, window, answer_s, campaign_parts=1)
    street.run_until(at)
    otp = message(3, 1, "otp")
    assert street.outbox.put(otp)
    street.run_until(street.now + 1.02)
    assert any(each is otp for _, each in street.left)


def test_a_campaign_alone_has_all_the_pace() -> None:
    street = Street(tps=50, window=100, answer_s=0.1, campaign_parts=1)
    street.run_until(10.0)
    assert len(street.left) >= 500


@given(st.integers(1, MAX_PARTS))
def test_while_all_wait_a_slow_carriers_window_is_shared_too(parts: int) -> None:
    """Also the widest messages find their room in a window that more urgent ones would fill."""
    street = Street(tps=0, window=10, answer_s=0.1, campaign_parts=parts, limit=30)
    for _ in range(60):
        for kind in ("otp", "transactional"):
            while street.outbox.put(message(1, 1, kind)):
                pass
            street.outbox.lanes[LANE_OF_CLASS[kind]].rows_from.clear()
        street.run_until(street.now + 0.2)
    sent = Counter[str]()
    for _, each in street.left:
        sent[each.traffic_class] += each.part_count
    assert sent["marketing"] * 30 >= sent["otp"]
