"""The queue in front of a connector: a window in memory on the rows that wait in PostgreSQL.

What belongs here: which messages wait in memory, from which id on the others are only rows, and in which order
they leave.
A dead carrier's million messages stay rows; memory holds the first few thousand. What must not enter: IO, pace,
routing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from gateway.message import Message

LEFT_MEANWHILE: Final = 1 << 63  # larger than any id: rows wait, and none was added since the read began


class Outbox:
    """Messages of one connector that wait to be sent, oldest first; retries that cost no attempt go in front."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._queue: deque[Message] = deque()
        self.resume_from_id: int | None = None  # from this id on, waiting messages are rows only
        self._refilling_from: int | None = None  # a read from this id on is under way
        self.hold = False  # nothing leaves any more: the node is draining
        self.work = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, here or in rows: a new message may overtake nobody."""
        return not self._queue and self.resume_from_id is None and not self.hold

    def put(self, message: Message) -> bool:
        """Queue a stored message; False when it stays a row only, because memory is full or older rows wait."""
        if self.resume_from_id is not None:
            self.resume_from_id = min(self.resume_from_id, message.message_id)
            return False
        if len(self._queue) >= self.limit:
            self.resume_from_id = message.message_id
            self.work.set()
            return False
        self._queue.append(message)
        self.work.set()
        return True

    def put_first(self, message: Message) -> None:
        """Queue a message before all others: it was already its turn."""
        self._queue.appendleft(message)
        self.work.set()

    def put_claimed(self, message: Message) -> None:
        """Queue a message that was claimed from `delayed`, beyond the limit if need be: claims are bounded
        themselves.
        """
        self._queue.append(message)
        self.work.set()

    def peek(self) -> Message | None:
        """The next message, left where it is."""
        return self._queue[0] if self._queue and not self.hold else None

    def take(self) -> Message:
        """The next message."""
        return self._queue.popleft()

    def withdraw(self, message: Message) -> bool:
        """Take this very message out of the queue, wherever it stands; False: it is not here. Rare: it searches."""
        for place, waiting in enumerate(self._queue):
            if waiting is message:
                del self._queue[place]
                return True
        return False

    @property
    def wants_rows(self) -> bool:
        """Whether rows should be read: some wait, and half of the memory is free."""
        return self.resume_from_id is not None and len(self._queue) <= self.limit // 2 and not self.hold

    def begin_refill(self) -> int:
        """From which id to read. Messages left to rows while the read is under way are not forgotten."""
        from_id = self.resume_from_id or 0
        self.resume_from_id = LEFT_MEANWHILE
        self._refilling_from = from_id
        return from_id

    def end_refill(self, rows: list[Message], resume_from_id: int | None) -> None:
        """Take the rows read; resume_from_id: where more wait, None when the read found the end."""
        meanwhile, self.resume_from_id, self._refilling_from = self.resume_from_id, resume_from_id, None
        if meanwhile != LEFT_MEANWHILE:
            self.search_from(meanwhile or 0)
        self._queue.extend(rows)
        self.work.set()

    def search_from(self, message_id: int) -> None:
        """Rows from this id on may wait: have them read."""
        self.resume_from_id = message_id if self.resume_from_id is None else min(self.resume_from_id, message_id)
        self.work.set()

    def oldest_id(self) -> int | None:
        """The smallest id that waits here, in memory or from where rows begin; None when nothing waits."""
        oldest = min((m.message_id for m in self._queue), default=None)
        waiting = [each for each in (oldest, self.resume_from_id, self._refilling_from) if each is not None]
        return min(waiting, default=None)
