"""Lives over one PostgreSQL that share carriers, looked after by hand instead of by the clock.

What belongs here: what gateway.daemon.carrier_jobs does, one look at a time. What must not enter: what a test is about.
"""

from __future__ import annotations

import asyncio

from gateway.cluster.bind_shares import BindShares
from gateway.cluster.hand_over import HandOver
from gateway.cluster.reach import Reach
from gateway.refill import Refill
from tests.gateway.conftest import Ground, Life


class Sharing:
    """A life that shares its carriers with others. binds: of each carrier that it configures."""

    def __init__(self, ground: Ground, life: Life, binds: int = 2) -> None:
        self.ground = ground
        self.life = life
        rooms = life.lifecycle
        for carrier in life.carriers.values():
            carrier.bind_count = binds
        self.reach = Reach(life.seat, life.reader, life.carriers.values(), rooms.health, rooms.elsewhere)
        self.bind_shares = BindShares(life.seat, life.reader, self.reach, life.carriers.values())
        refill, lock = Refill(rooms, life.reader, life.settling), asyncio.Lock()
        self.hand_over = HandOver(life.seat, life.reader, life.settling, rooms, refill, self.reach, lock, patience_s=0)

    async def look(self) -> None:
        """One turn of the clock's job."""
        await self.reach.look(self.life.lifecycle.book.connector_names)
        await self.bind_shares.look()
        await self.hand_over.take()
        await self.hand_over.pass_on()


async def look_at_each_other(*sharing: Sharing) -> None:
    """Until everybody knows how it stands with everybody."""
    for _ in range(5):  # configured, given back, taken, bound, heard
        for each in sharing:
            await each.look()
