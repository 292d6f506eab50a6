"""What a start finds and what it needs for that: attempts of a former life become doubts, queues are read from marks.

Source: architecture section 4 (rows are claimed at start and after a crash); decisions 0006 and 0009 (marks).
What must not enter: what happens in the course of a life (gateway/lifecycle.py, gateway/by_the_clock.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.crash_points import crash_point
from gateway.lanes import LANE_OF_CLASS, LANES
from gateway.lifecycle import Lifecycle
from gateway.message import AttemptJournal, Message
from gateway.receipts import fold
from gateway.storage.group_commit import SettleStream
from gateway.storage.messages import Journal
from gateway.storage.reader import Reader


class Recovery:
    """Takes up what a former life left, and says from where the next one has to look."""

    def __init__(self, lifecycle: Lifecycle, reader: Reader, settling: SettleStream) -> None:
        self._life = lifecycle
        self._reader = reader
        self._settling = settling

    async def recover(self, node_id: int, marks: Mapping[tuple[int, int], int]) -> int:
        """Take up what a former life left: attempts without known outcome are in doubt, queues are read again.

        Returns how many messages are in doubt. To be done before anything is sent.
        """
        doubtful = await self.adopt_journals(await self._reader.open_journals(node_id))
        await self._life.waiting_room.load()
        for connector_id, outbox in self._life.outboxes.items():
            for lane in LANES:
                if connector_id in self._life.connectors or (connector_id, lane) in marks:
                    outbox.search_from(marks.get((connector_id, lane), 0), lane)
        return doubtful

    async def adopt_journals(self, found: list[Journal]) -> int:
        """Attempts that another life left open are in doubt here; how many messages that are."""
        doubtful = 0
        journals = {j.journal_id: AttemptJournal(j.journal_id) for j in found}
        newest = {  # a message may stand in several: only its last writing counts
            message_id: (account_id, sends, j.journal_id)
            for j in found
            for account_id, message_id, sends in zip(j.account_ids, j.message_ids, j.sends, strict=True)
        }
        with self._life.active.reading() as left:
            await self._settling.durable()
            keys = [(account_id, message_id) for message_id, (account_id, _, _) in newest.items()]
            loaded = await self._reader.load_messages(keys)
        for message in loaded.values():
            _, sends, journal_id = newest[message.message_id]
            if message.message_id in self._life.active or message.message_id in left:
                continue  # it was handed to this node before, and is at work here
            if not self._life.active.holding.has(message):
                continue  # it was handed on after that writing
            if message.state == "in_doubt" or (message.state == "queued" and sends > message.sends):
                message.journal = journals[journal_id]
                message.journal.open_count += 1
                message.sends = sends
                doubtful += 1
                self._doubt_whole(message)
        self._settling.batch.closed_journals += [j.journal_id for j in journals.values() if not j.open_count]
        crash_point("recover.found")
        await self._settling.durable()
        crash_point("recover.stored")
        return doubtful

    def _doubt_whole(self, message: Message) -> None:
        self._life.active.enter(message)
        for part_no, letter in enumerate(message.part_states):
            if fold.part_in_doubt(message, part_no) == "changed":
                self._life.note(message, "in_doubt", f"part {part_no}: the node ended while it was open")
            if letter in "QI":
                self._life.waiting_room.doubt(message, part_no)
        self._life.store(message)

    def marks(self, now_id: int) -> dict[tuple[int, int], int]:
        """By connector id and lane: from which message id on something may be queued in this node."""
        horizon = min(now_id, self._life.active.oldest_landing())
        found = {}
        for connector_id, outbox in self._life.outboxes.items():
            for lane in outbox.lanes:
                oldest = lane.oldest_id()
                found[connector_id, lane.number] = horizon if oldest is None else min(horizon, oldest)
        for message in self._life.active:
            if message.state == "queued" and message.connector_id in self._life.outboxes:
                key = message.connector_id, LANE_OF_CLASS[message.traffic_class]
                found[key] = min(found[key], message.message_id)
        for _, connector_id, from_id in self._life.uncertain:
            for lane_number in LANES:
                key = connector_id, lane_number
                found[key] = min(found.get(key, horizon), from_id)
        return found
