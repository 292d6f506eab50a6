"""Keeping a node's lease alive, and seeing which neighbours lost theirs.

Source: architecture section 4 (leases by the database's clock); decision 0015.
What must not enter: what becomes of a dead neighbour's messages (takeover.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

import asyncpg

from gateway.lease import LEASE_S, Lease
from gateway.storage.cluster import Neighbour, renew_lease
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, NodeSeat
from gateway.storage.group_commit import FencedOut

log = logging.getLogger("passerelle.cluster")

RENEW_EVERY_S = 0.5  # chosen: a dead neighbour is seen so soon after its lease ended
RENEW_PATIENCE_S = 1.5  # chosen: two tries that hang still leave a lease time for a third


class LeaseKeeper:
    """Renews the lease on a connection of its own, since those of the streams may wait for a batch."""

    def __init__(self, seat: NodeSeat, lease: Lease, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._seat = seat
        self._lease = lease
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._steady_since: float | None = None  # when the unbroken row of renewals began
        self.neighbours: list[Neighbour] = []
        self.looked = asyncio.Event()  # once it was tried to see the neighbours

    @property
    def living(self) -> list[Neighbour]:
        """The other nodes whose lease stands."""
        return [each for each in self.neighbours if each.holds and each.unseen_s <= LEASE_S]

    @property
    def dead(self) -> list[Neighbour]:
        """The other nodes that lost their lease and that nobody took over yet.

        Who could not renew for a moment believes nobody dead until a whole lease has passed: they may have had the same
        trouble with the database, and have the same right to a first renewal.
        """
        if self._steady_since is None or monotonic() - self._steady_since < LEASE_S:
            return []
        return [each for each in self.neighbours if each.holds and each.unseen_s > LEASE_S]

    async def renew(self) -> None:
        """Renew once. Raises FencedOut when another process took this node's place."""
        began = self._lease.begin()
        try:
            async with asyncio.timeout(RENEW_PATIENCE_S):
                if self._connection is None:
                    self._connection = await self._connect()
                neighbours = await renew_lease(self._connection, self._seat.node_id, self._seat.epoch)
        except (DatabaseAway, *CONNECTION_FAULTS) as fault:
            log.warning("lease_waits", extra={"why": str(fault) or "no answer in time"})
            self.close()
            self._steady_since = None
            self._lease.unheard()
            self.looked.set()
            return
        if neighbours is None:
            log.error("node_fenced", extra={"remedy": "another node took over; systemd starts this one again"})
            raise FencedOut("its lease ended and another node took over")
        self.neighbours = neighbours
        self.looked.set()
        self._lease.renewed(began, alone=not any(each.holds and each.inherits for each in neighbours))
        if self._steady_since is None:
            self._steady_since = monotonic()

    async def run(self) -> None:
        """Renew until cancelled."""
        try:
            while True:
                await self.renew()
                await asyncio.sleep(RENEW_EVERY_S)
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
