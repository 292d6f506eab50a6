"""The queue in front of a connector: in each lane a window in memory on the rows that wait in PostgreSQL.

What belongs here: which messages wait in memory, which are only rows, from which id on, and in which order they leave.
A dead carrier's million messages stay rows, and no lane and no account takes another's place in memory.
What must not enter: IO, pace, routing; who is next (gateway.lanes).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.lanes import LANE_OF_CLASS, LANES, SPARE_OF_CLASS, FairQueue, LaneTurns
from gateway.message import Message

LEFT_MEANWHILE: Final = 1 << 63  # larger than any id: rows are being read, and none was added since that began
ACCOUNTS_AT_ONCE: Final = 64  # chosen: accounts of one read
ROWS_AT_ONCE: Final = 2_000  # chosen: rows of one read; reading them stops the loop for some 20 ms


class Stretch(msgspec.Struct, frozen=True):
    """What to read of one account: at most so many waiting rows from an id on."""

    account_id: int
    from_id: int
    most: int


class Lane:
    """What waits of one urgency, in memory and as rows."""

    __slots__ = ("number", "queue", "reading", "rows_from", "rows_wanted", "search_from", "searching_from", "promised")

    def __init__(self, number: int) -> None:
        self.number = number
        self.queue = FairQueue()
        self.rows_from: dict[int, int] = {}  # by account: from this id on, waiting messages are rows only
        self.search_from: int | None = None  # from this id on, rows of accounts that nobody knows of may wait
        self.searching_from: int | None = None  # such a search is under way
        self.reading: tuple[Stretch, ...] = ()  # a read is under way
        self.promised = 0  # messages that the read may bring
        self.rows_wanted = asyncio.Event()

    @property
    def has_rows(self) -> bool:
        """Whether messages wait that are only rows, or may."""
        return bool(self.rows_from) or self.search_from is not None or self.searching_from is not None

    def oldest_id(self) -> int | None:
        """The smallest id that waits here, in memory or from where rows begin; None when nothing waits."""
        ids = [message.message_id for message in self.queue]
        ids += [from_id for from_id in self.rows_from.values() if from_id != LEFT_MEANWHILE]
        ids += [stretch.from_id for stretch in self.reading]
        ids += [each for each in (self.search_from, self.searching_from) if each is not None]
        return min(ids, default=None)

    def leave(self, account_id: int, message_id: int) -> None:
        """A message of this account stays a row only."""
        self.rows_from[account_id] = min(self.rows_from.get(account_id, LEFT_MEANWHILE), message_id)
        self.rows_wanted.set()


class Outbox:
    """Messages of one connector that wait to be sent, in lanes; retries that cost no attempt go first in their lane.

    limit: messages in memory a lane. Of them an account may hold as many as it leaves free (dynamic thresholds,
    Choudhury and Hahne 1998): one alone half, and whoever comes always finds a place.
    """

    def __init__(self, limit: int, room: asyncio.Event | None = None) -> None:
        """room: of the connector; set too when a lane begins to wait, since it may have room that others have not."""
        self.limit = limit
        self.lanes = tuple(Lane(number) for number in LANES)
        self.work = asyncio.Event()
        self.idle = True  # nothing waits, here or in rows: a new message may overtake nobody
        self._room = room or asyncio.Event()
        self._turns = LaneTurns()
        self._hold = False

    def __len__(self) -> int:
        return sum(lane.queue.count for lane in self.lanes)

    @property
    def hold(self) -> bool:
        """Whether nothing leaves any more: the node is draining."""
        return self._hold

    @hold.setter
    def hold(self, now: bool) -> None:
        self._hold = now
        self._look()

    def _look(self) -> None:
        self.idle = not (self._turns.waiting or self._hold or any(lane.has_rows for lane in self.lanes))

    # ------------------------------------------------------------------ in

    def put(self, message: Message) -> bool:
        """Queue a stored message; False when it stays a row only: its account's older ones do, or have no room."""
        lane = self.lanes[LANE_OF_CLASS[message.traffic_class]]
        queue = lane.queue
        free = self.limit - queue.count - lane.promised
        if (
            (lane.rows_from and message.account_id in lane.rows_from)
            or lane.search_from is not None
            or lane.searching_from is not None
            or (free <= queue.count and free <= queue.held(message.account_id))
            or free <= 0
        ):
            lane.leave(message.account_id, message.message_id)
            self.idle = False
            return False
        queue.put(message)
        self._wake(lane)
        return True

    def put_first(self, message: Message) -> None:
        """Queue a message before all others of its lane: it had its turn."""
        lane = self.lanes[LANE_OF_CLASS[message.traffic_class]]
        lane.queue.put_first(message)
        self._wake(lane)

    def put_claimed(self, message: Message) -> None:
        """Queue a message that was claimed from `delayed`, beyond the limit if need be: claims are bounded
        themselves.
        """
        lane = self.lanes[LANE_OF_CLASS[message.traffic_class]]
        lane.queue.put(message)
        self._wake(lane)

    def _wake(self, lane: Lane) -> None:
        if self._turns.begin(lane.number):
            self._room.set()
            self.idle = False
        self.work.set()

    # ------------------------------------------------------------------ out

    def peek(self, stuck: Message | None = None) -> Message | None:
        """The next message, left where it is; where that one is stuck for want of room, one that may pass it."""
        if self._hold:
            return None
        if stuck is None:
            lane = self._turns.next()
        else:
            lane = self._turns.next_past(LANE_OF_CLASS[stuck.traffic_class], stuck.part_count)
        return None if lane is None else self.lanes[lane].queue.head()

    def spare(self, message: Message) -> float:
        """The share of its connector's room that a message is to leave: nothing while more urgent ones wait too, for
        then each has its turns.
        """
        return SPARE_OF_CLASS[message.traffic_class] if self._turns.waiting == 1 else 0.0

    def take(self, message: Message) -> Message:
        """Take out what peek() gave."""
        lane = self.lanes[LANE_OF_CLASS[message.traffic_class]]
        queue = lane.queue
        taken = queue.take()
        self._turns.charge(lane.number, taken.part_count)
        if lane.rows_from:
            lane.rows_wanted.set()
        if not queue.count:
            self._turns.end(lane.number)
            self._look()
        return taken

    def withdraw(self, message: Message) -> bool:
        """Take this very message out of its lane, wherever it stands; False: it is not here. Rare: it searches."""
        lane = self.lanes[LANE_OF_CLASS[message.traffic_class]]
        if not lane.queue.withdraw(message):
            return False
        if not lane.queue.count:
            self._turns.end(lane.number)
            self._look()
        if lane.rows_from:
            lane.rows_wanted.set()
        return True

    # ------------------------------------------------------------------ rows

    @property
    def wants_rows(self) -> bool:
        """Whether rows should be read, or are being read, of whatever lane."""
        return not self._hold and any(
            lane.search_from is not None or lane.searching_from is not None or lane.reading or self._stretches(lane)
            for lane in self.lanes
        )

    def search_from(self, message_id: int, lane: int | None = None) -> None:
        """Rows from this id on may wait, of any account: have them found, in one lane or in each."""
        for each in self.lanes if lane is None else (self.lanes[lane],):
            each.search_from = message_id if each.search_from is None else min(each.search_from, message_id)
            each.rows_wanted.set()
        self.idle = False

    def rows_wait(self, account_id: int, from_id: int, lane: int) -> None:
        """Rows of this account wait in a lane, from this id on: another node handed them over."""
        self.lanes[lane].leave(account_id, from_id)
        self.idle = False

    def begin_search(self, lane: Lane) -> int | None:
        """From which id on to look for accounts with waiting rows; None: there is nothing to look for."""
        if self._hold:
            return None
        lane.searching_from, lane.search_from = lane.search_from, None
        return lane.searching_from

    def end_search(self, lane: Lane, found: Iterable[tuple[int, int]] | None) -> None:
        """Which accounts have rows, from which id on; None: PostgreSQL was away, look again."""
        began, lane.searching_from = lane.searching_from, None
        if found is None:
            self.search_from(began or 0, lane.number)
        for account_id, from_id in found or ():
            lane.leave(account_id, from_id)
        self._look()

    def begin_read(self, lane: Lane) -> tuple[Stretch, ...]:
        """What to read now. Messages left to rows while the read is under way are not forgotten."""
        if self._hold:
            return ()
        lane.reading = tuple(self._stretches(lane))
        for stretch in lane.reading:
            lane.rows_from[stretch.account_id] = LEFT_MEANWHILE
        lane.promised = sum(stretch.most for stretch in lane.reading)
        return lane.reading

    def _stretches(self, lane: Lane) -> list[Stretch]:
        """Accounts with rows that hold less than half of what they may, as far as memory is free."""
        if lane.reading or not lane.rows_from:
            return []
        found: list[Stretch] = []
        free, readable = self.limit - lane.queue.count, ROWS_AT_ONCE
        for account_id, from_id in lane.rows_from.items():
            if free <= 0 or not readable or len(found) == ACCOUNTS_AT_ONCE:
                break
            held = lane.queue.held(account_id)
            share = max(1, (free + held) // 2)
            if 2 * held <= share and held < share:
                most = min(share - held, readable)
                found.append(Stretch(account_id, from_id, most))
                free -= most
                readable -= most
        return found

    def end_read(self, lane: Lane, rows: list[Message], more_from: dict[int, int]) -> None:
        """Take the rows that were read, in order; more_from: by account, where more may wait."""
        for stretch in lane.reading:  # whoever was read goes behind those who were not
            meanwhile = lane.rows_from.pop(stretch.account_id)
            from_id = min(meanwhile, more_from.get(stretch.account_id, LEFT_MEANWHILE))
            if from_id != LEFT_MEANWHILE:
                lane.rows_from[stretch.account_id] = from_id
        lane.reading = ()
        lane.promised = 0
        for message in rows:
            lane.queue.put(message)
        if rows:
            self._wake(lane)
        if lane.rows_from:
            lane.rows_wanted.set()
        self._look()

    def oldest_id(self) -> int | None:
        """The smallest id that waits here, in memory or from where rows begin; None when nothing waits."""
        return min((oldest for lane in self.lanes if (oldest := lane.oldest_id()) is not None), default=None)
