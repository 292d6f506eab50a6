"""What time does to orders and proposals: what nobody paid or decided in time expires, and what waits is counted.

Any number of processes do this at once. A proposal past its time moves nothing anyway, also before this looked.
What must not enter: which states expire (gateway.ledger).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import asyncpg

from admin_api.service import Service
from gateway.ledger import moves, orders
from gateway.storage.credit_orders import count_waiting
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown

EXPIRE_EVERY_S: Final = 60.0  # chosen: how late a list tells what has expired


async def run(service: Service) -> None:
    """Look again and again."""
    while True:
        with contextlib.suppress(NotCommitted, OutcomeUnknown):
            await service.writer.run(expire_once)
            service.credit_waiting = await service.writer.read(count_waiting)
        await asyncio.sleep(EXPIRE_EVERY_S)


async def expire_once(connection: asyncpg.Connection) -> int:
    """End what is past its time; how many rows."""
    return await moves.expire(connection) + await orders.expire(connection)
