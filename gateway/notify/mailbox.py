"""One ESME's binds and what it is owed in memory: in which order it leaves, and from where on the rest are rows.

What belongs here: queue and cursor, oldest first or newest first as the login wishes, which bind is next.
What must not enter: PostgreSQL, the ladder of retries, PDUs (esme_deliveries.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from gateway.message import InboundMessage, Message
from gateway.smpp.pdus import DeliverSm

QUEUE_LIMIT: Final = 5_000  # chosen: owed to one ESME in memory; more wait as rows
LAST_ID: Final = (1 << 63) - 1  # bigint


class Bind(Protocol):
    """A bound session that can take deliver_sm."""

    def deliverable(self) -> int:
        """How many it takes now."""
        ...

    def wind_clock(self) -> bool:
        """Tell the session what time it is, before anything is sent."""
        ...

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        """Send one."""
        ...

    def flush(self) -> None:
        """Write what was sent."""
        ...


class Owed(msgspec.Struct):
    """One thing an ESME is owed. stored: a row of waiting_notifications names it. read_back: the message is not the
    object that this process settles, but one of its own. parts: deliver_sm that it takes, one after the other.
    """

    esme_id: int
    account_id: int
    message_id: int
    message: Message | None
    inbound: InboundMessage | None
    tries: int = 0
    give_up_at_ms: int = 0
    stored: bool = False
    closed: bool = False
    read_back: bool = False
    parts: int = 1
    parts_told: int = 0
    impossible_on: tuple[Bind, ...] = ()  # binds that cannot carry it: others go first


class Mailbox:
    """One ESME's binds and what it is owed, in memory."""

    __slots__ = ("binds", "each_part", "here", "later", "left", "newest_first", "queue", "read_from_id", "turn")

    def __init__(self, newest_first: bool = False, each_part: bool = False) -> None:
        self.newest_first = newest_first
        self.each_part = each_part  # a receipt for each part that we made
        self.binds: list[Bind] = []
        self.queue: deque[Owed] = deque()
        self.later: list[tuple[int, Owed]] = []  # due at (Unix milliseconds), to be tried again
        self.here: set[int] = set()  # message ids in memory: queued, sent and unanswered, or to be tried again
        self.left: set[int] | None = None  # while rows are read: ids that left memory meanwhile
        self.turn = 0
        self.read_from_id: int | None = self.first_edge  # rows after it (newest first: before it) wait; None: no row

    @property
    def first_edge(self) -> int:
        """From where all rows are read."""
        return LAST_ID if self.newest_first else 0

    def wish(self, newest_first: bool, each_part: bool) -> None:
        """The login's wishes changed; a new order is read from its first row."""
        self.each_part = each_part
        if newest_first != self.newest_first:
            self.newest_first = newest_first
            self.read_from_id = self.first_edge

    def rows_wait(self, edge: int) -> None:
        """Rows on the far side of this id wait; what is read already is known by `here`."""
        if self.read_from_id is None:
            self.read_from_id = edge
        else:
            self.read_from_id = max(self.read_from_id, edge) if self.newest_first else min(self.read_from_id, edge)

    def row_waits(self, message_id: int) -> None:
        """This message waits as a row."""
        self.rows_wait(message_id + 1 if self.newest_first else message_id - 1)

    @property
    def takes_more(self) -> bool:
        """Whether something new may stay in memory: there is room, and it overtakes nobody who goes first."""
        return bool(self.binds) and len(self.queue) < QUEUE_LIMIT and (self.newest_first or self.read_from_id is None)

    @property
    def wants_rows(self) -> bool:
        return bool(self.binds) and self.read_from_id is not None and len(self.queue) < QUEUE_LIMIT // 2

    def put(self, owed: Owed) -> None:
        """Queue something new."""
        self.here.add(owed.message_id)
        if self.newest_first:
            self.queue.appendleft(owed)
        else:
            self.queue.append(owed)

    def put_read_back(self, owed: Owed) -> None:
        """Queue the next row, in the order in which rows are read."""
        self.here.add(owed.message_id)
        self.queue.append(owed)

    def forget(self, owed: Owed) -> None:
        """It is in memory no longer."""
        self.here.discard(owed.message_id)
        if self.left is not None:
            self.left.add(owed.message_id)

    def next_bind(self, without: Sequence[Bind] = ()) -> Bind | None:
        """The next bind in turn that has room."""
        binds = self.binds
        for _ in range(len(binds)):
            self.turn = (self.turn + 1) % len(binds)
            if binds[self.turn] not in without and binds[self.turn].deliverable() > 0:
                return binds[self.turn]
        return None
