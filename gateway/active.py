"""The messages this process holds: each at most once, so that no row is ever worked on by two objects.

What belongs here: entering, leaving, and adopting rows that were read while messages came and went.
A row read from PostgreSQL is a memory of the past: between the read and its answer the message may have been taken up,
finished and forgotten here. What must not enter: what is done with a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from gateway.holding import Holding
from gateway.message import Message


class Left(set[int]):
    """Who left memory during a read, and what this node held when it began."""

    def __init__(self, holding: Holding) -> None:
        super().__init__()
        self.holding = holding


class ActiveMessages:
    """Messages in memory that are not final, by id."""

    def __init__(self) -> None:
        self._held: dict[int, Message] = {}
        self.holding = Holding()
        self._landing: set[int] = set()  # handed to the accept stream and not decided yet
        self._left: list[Left] = []  # one for each read under way: who left meanwhile

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._held

    def __iter__(self) -> Iterator[Message]:
        return iter(self._held.values())

    def get(self, message_id: int) -> Message | None:
        """The message, if it is held."""
        return self._held.get(message_id)

    def enter(self, message: Message) -> None:
        """Hold a message from here on."""
        self._held[message.message_id] = message

    def leave(self, message_id: int) -> None:
        """Hold it no longer: it is final, or waits as a row."""
        self._held.pop(message_id, None)
        for left in self._left:
            left.add(message_id)

    def land(self, messages: list[Message]) -> None:
        """These are about to be committed: whoever reads their rows before we know must not adopt them."""
        self._landing.update([m.message_id for m in messages])

    def landed(self, messages: list[Message]) -> None:
        """Their commit was seen, or will never be."""
        ids = [m.message_id for m in messages]
        self._landing.difference_update(ids)
        for left in self._left:
            left.update(ids)

    def oldest_landing(self) -> int:
        """The smallest id that is about to be committed, or beyond every id."""
        return min(self._landing, default=1 << 63)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Left]:
        """Around a read of rows that are to be adopted; gives what `adopt` needs.

        The order is: enter, wait until all that memory knows is durable, read, adopt. Whoever left before is then in
        the rows, whoever leaves from here on is in what is given.
        """
        left = Left(self.holding.as_it_is())
        self._left.append(left)
        try:
            yield left
        finally:
            self._left = [each for each in self._left if each is not left]  # equal sets are not the same set

    def adopt(self, row: Message, left: Left) -> Message | None:
        """The message of a row that was just read: the one held already, the row itself (held from here on), or None
        when the message left memory, or was about to enter it, while the row was read: then the row is stale; or
        when another node held it as the read began: it may have changed it since.
        """
        held = self._held.get(row.message_id)
        if held is not None:
            return held
        if row.message_id in left or row.message_id in self._landing or not left.holding.has(row):
            return None
        row.unqueued = True
        self._held[row.message_id] = row
        return row

    def adopt_queued(self, rows: Iterable[Message], left: Left) -> list[Message]:
        """Of the rows of a queue that were just read, the messages that nobody sends yet: the reader sends them.

        Also those held already because a receipt for another part, say, was faster than this read.
        """
        found = []
        for row in rows:
            message = self.adopt(row, left)
            if message is None or message.open_parts or message.state != "queued":
                continue
            if message.unqueued:
                message.unqueued = False
                found.append(message)
        return found
