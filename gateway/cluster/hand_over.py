"""Messages that another node handed to this one: their queues are told, so that their rows are read.

Source: decision 0016. A row of handed_over was written in the batch that handed them over; it is deleted once this
node's marks are below them, so that a crash in between finds them, here or with an heir.
What must not enter: the choice of the node that messages are handed to (reach.py).
"""

from __future__ import annotations

import asyncio

from gateway.crash_points import crash_point
from gateway.lifecycle import Lifecycle
from gateway.storage.cluster import handed_over_to, take_handed_over
from gateway.storage.database import NodeSeat
from gateway.storage.reader import Reader

TAKE_AT_ONCE = 1_000  # chosen: rows of one read


class HandOver:
    """Takes up what was handed to this node. marks_lock: held while marks are stored, by whoever stores them."""

    def __init__(self, seat: NodeSeat, reader: Reader, lifecycle: Lifecycle, marks_lock: asyncio.Lock) -> None:
        self._seat = seat
        self._reader = reader
        self._lifecycle = lifecycle
        self._marks_lock = marks_lock

    async def take(self) -> None:
        """Tell the queues of all that was handed over. Raises NotCommitted."""
        while await self._take_some() == TAKE_AT_ONCE:
            pass

    async def _take_some(self) -> int:
        node_id, epoch = self._seat.node_id, self._seat.epoch
        async with self._marks_lock:
            rows = await self._reader.run(lambda c: handed_over_to(c, node_id, TAKE_AT_ONCE))
            told = []
            for row in rows:
                outbox = self._lifecycle.outboxes.get(row.connector_id)
                if outbox is not None:
                    outbox.rows_wait(row.account_id, row.from_id, row.lane)
                    told.append(row.hand_over_id)
            if told:
                crash_point("handover.told")
                await self._reader.run(lambda c: take_handed_over(c, node_id, epoch, told))
        return len(told)
