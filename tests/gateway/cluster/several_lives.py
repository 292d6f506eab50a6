"""Lives over one PostgreSQL that share carriers, looked after by hand instead of by the clock.

What belongs here: what gateway.daemon.carrier_jobs does, one look at a time. What must not enter: what a test is about.
"""

from __future__ import annotations

import asyncio

from gateway.cluster.hand_over import HandOver
from gateway.cluster.reach import Reach
from tests.gateway.conftest import Ground, Life


class Sharing:
    """A life that shares its carriers with others. marks_lock: as a takeover's."""

    def __init__(self, ground: Ground, life: Life) -> None:
        self.ground = ground
        self.life = life
        rooms = life.lifecycle
        self.reach = Reach(life.seat, life.reader, life.carriers.values(), rooms.health, rooms.elsewhere)
        self.hand_over = HandOver(life.seat, life.reader, rooms, asyncio.Lock())

    async def look(self) -> None:
        """One turn of the clock's job."""
        await self.reach.look(self.life.lifecycle.book.connector_names)
        await self.hand_over.take()


async def look_at_each_other(*sharing: Sharing) -> None:
    """Until everybody knows how it stands with everybody."""
    for _ in range(2):
        for each in sharing:
            await each.look()
