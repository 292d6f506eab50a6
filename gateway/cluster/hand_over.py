"""Messages that go from node to node: what another one handed to this one, what waits here for binds that are there.

Source: decision 0016. A row of handed_over is written in the batch that hands messages over; it is deleted once the
marks of the node that holds them are below them, so that a crash in between finds them, here or with an heir.
What must not enter: the choice of the node that messages are handed to (reach.py).
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from gateway.cluster.reach import Reach
from gateway.crash_points import crash_point
from gateway.lifecycle import Lifecycle
from gateway.message import Message
from gateway.outbox import Outbox
from gateway.refill import Refill
from gateway.storage.cluster import handed_over_to, take_handed_over
from gateway.storage.database import NodeSeat
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader

TAKE_AT_ONCE: Final = 1_000  # chosen: rows of one read
PASS_ON_AT_ONCE: Final = 800  # chosen: messages of one batch of the settle stream
PATIENCE_S: Final = 1.0  # chosen: a bind that is lost for a moment sends nobody's queue away


class HandOver:
    """Of one node. marks_lock: held while marks are stored, by whoever stores them."""

    def __init__(
        self,
        seat: NodeSeat,
        reader: Reader,
        settling: SettleStream,
        lifecycle: Lifecycle,
        refill: Refill,
        reach: Reach,
        marks_lock: asyncio.Lock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._seat = seat
        self._reader = reader
        self._settling = settling
        self._life = lifecycle
        self._refill = refill
        self._reach = reach
        self._marks_lock = marks_lock
        self._patience_s = patience_s
        self._since: dict[int, float] = {}  # by connector: since when its binds are elsewhere only
        self._strangers: set[int] = set()  # connectors that this node does not configure, with a queue all the same
        self._turn = 0

    def prepare(self) -> None:
        """Queues for connectors that only other nodes configure: for what this one accepted before, or inherited."""
        for connector_id in self._reach.strangers - self._life.outboxes.keys():
            self._life.outboxes[connector_id] = Outbox(self._life.queue_limit)

    async def run(self) -> None:
        """Read those queues' rows, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.prepare()
                for connector_id in self._reach.strangers - self._strangers:
                    self._strangers.add(connector_id)
                    tasks.create_task(self._refill.run(connector_id))
                await asyncio.sleep(PATIENCE_S)

    # ------------------------------------------------------------------ from others

    async def take(self) -> None:
        """Tell the queues of all that was handed to this node. Raises NotCommitted."""
        while await self._take_some() == TAKE_AT_ONCE:
            pass

    async def _take_some(self) -> int:
        node_id, epoch = self._seat.node_id, self._seat.epoch
        async with self._marks_lock:
            rows = await self._reader.run(lambda c: handed_over_to(c, node_id, TAKE_AT_ONCE))
            told = []
            for row in rows:
                outbox = self._life.outboxes.get(row.connector_id)
                if outbox is not None:
                    outbox.rows_wait(row.account_id, row.from_id, row.lane)
                    told.append(row.hand_over_id)
            if told:
                crash_point("handover.told")
                await self._reader.run(lambda c: take_handed_over(c, node_id, epoch, told))
        return len(told)

    # ------------------------------------------------------------------ to others

    async def pass_on(self) -> bool:
        """Hand on what waits here for connectors whose binds are on other nodes only; whether there was something."""
        bound = self._reach.bound_elsewhere
        now = monotonic()
        self._since = {connector_id: self._since.get(connector_id, now) for connector_id in bound}
        passed = 0
        for connector_id, spans in bound.items():
            outbox = self._life.outboxes.get(connector_id)
            if outbox is not None and now - self._since[connector_id] >= self._patience_s:
                passed += await self._pass_on(outbox, spans)
        return passed > 0

    async def _pass_on(self, outbox: Outbox, spans: tuple[int, ...]) -> int:
        handed: list[Message] = []
        kept: list[Message] = []
        while (message := outbox.peek()) is not None and len(handed) < PASS_ON_AT_ONCE:
            outbox.take(message)
            if message.state == "queued":  # else it became final while it waited
                (handed if self._life.waiting_room.let_go(message) else kept).append(message)
        for message in reversed(kept):
            outbox.put_first(message)
        if handed:
            await self._hand(handed, spans)
        return len(handed)

    async def _hand(self, messages: list[Message], spans: tuple[int, ...]) -> None:
        """They leave memory now; whoever reads their rows from here on waits for the batch, or finds them landing."""
        for message in messages:
            self._turn += 1
            self._life.hand_on(message, spans[self._turn % len(spans)])
            self._life.active.leave(message.message_id)
        self._life.active.land(messages)
        try:
            await self._settling.durable()
        finally:
            self._life.active.landed(messages)
        crash_point("handover.stored")
