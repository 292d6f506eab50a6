"""Taking a dead node's messages over: one transaction in PostgreSQL, then the same steps as after a start.

Source: architecture section 4; decision 0015. What was open at the dead node is in doubt with its heir, its queues are
read from its marks, the receipts it owed are searched, its ends of validity are swept.
What must not enter: leases (lease_keeper.py), binds (binds.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.lanes import LANES
from gateway.lease import LEASE_S
from gateway.lifecycle import Lifecycle
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.recovery import Recovery
from gateway.storage.cluster import Inheritance, Neighbour, take_over
from gateway.storage.database import NodeSeat
from gateway.storage.group_commit import AcceptStream, FencedOut, NotCommitted
from gateway.storage.reader import Reader

log = logging.getLogger("passerelle.cluster")


class Takeover:
    """Inherits dead neighbours. `marks_lock` is held while marks and sweeps are stored, by whoever stores them."""

    def __init__(
        self,
        seat: NodeSeat,
        keeper: LeaseKeeper,
        reader: Reader,
        accepting: AcceptStream,
        lifecycle: Lifecycle,
        recovery: Recovery,
        deliveries: EsmeDeliveries,
        wall_ms: Callable[[], int],
    ) -> None:
        self._seat = seat
        self._keeper = keeper
        self._reader = reader
        self._accepting = accepting
        self._lifecycle = lifecycle
        self._recovery = recovery
        self._deliveries = deliveries
        self._wall_ms = wall_ms
        self.marks_lock = asyncio.Lock()
        self.sweep_from_ms: int | None = None  # ends of validity before the heir's own mark are to be looked for again

    async def look(self) -> None:
        """Take over whoever is dead. Raises NotCommitted, FencedOut."""
        for dead in self._keeper.dead:
            await self.inherit(dead)

    async def inherit(self, dead: Neighbour) -> int | None:
        """Take one node over; how many messages it left in doubt, None when there was nothing to inherit."""
        heir = self._seat.node_id, self._seat.epoch
        committing = False

        async def take(connection: object) -> Inheritance | None:
            nonlocal committing
            committing = True
            now_ms, next_journal_id = self._wall_ms(), self._accepting.next_journal_id
            return await take_over(connection, dead, heir, LEASE_S, now_ms, next_journal_id)  # type: ignore[arg-type]

        async with self.marks_lock:
            try:
                left = await self._reader.run(take)
            except NotCommitted as fault:
                if committing:  # nobody can tell whether it is ours now: a new start finds what it left
                    raise FencedOut(f"PostgreSQL went away while node {dead.name} was taken over") from fault
                raise
            if left is None:
                return None
            self._lifecycle.active.holding.widen(left.spans)
            for connector_id, outbox in self._lifecycle.outboxes.items():
                for lane in LANES:
                    if connector_id in self._lifecycle.connectors or (connector_id, lane) in left.marks:
                        outbox.search_from(left.marks.get((connector_id, lane), left.from_id), lane)
            self._deliveries.owe_from(left.owed_from_id)
            self.sweep_from_ms = min(self.sweep_from_ms or left.swept_until_ms, left.swept_until_ms)
        doubtful = await self._recovery.adopt_journals(left.journals)
        await self._lifecycle.waiting_room.load()
        log.warning("node_taken_over", extra={"node": dead.name, "unseen_s": dead.unseen_s, "in_doubt": doubtful})
        await self._deliveries.recover(list(self._lifecycle.book.accounts))
        return doubtful
