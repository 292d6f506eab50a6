"""What a node does for its neighbours by the clock: fold receipts that they received for its messages, and
hand them what is owed to ESMEs that are bound there.

Source: decision 0015: woken by NOTIFY, with a poll behind it.
What must not enter: what is done (gateway/cluster).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

from gateway.daemon.rooms import Rooms
from gateway.storage.cluster import FORWARDED_CHANNEL, hand_notifications_over
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, connect
from gateway.storage.group_commit import NotCommitted

log = logging.getLogger("passerelle.daemon")

HAND_OVER_EVERY_S = 0.5  # chosen: how late a receipt may leave for the node where its ESME is bound
HAND_AT_ONCE = 5_000  # chosen: what one mailbox holds
FORWARDED_POLL_S = 1.0  # chosen: behind the notification, in case it was lost


def jobs(rooms: Rooms) -> list[Coroutine[Any, Any, None]]:
    """All loops of this file."""
    return [_fold_forwarded(rooms), _hand_notifications_over(rooms)]


async def _hand_notifications_over(rooms: Rooms) -> None:
    """What is owed to ESMEs that are bound on a neighbour goes there. A node alone asks nothing."""

    async def hand(bound: list[int], kept: list[int]) -> int:
        node_id = rooms.seat.node_id
        return await rooms.reader.run(lambda c: hand_notifications_over(c, node_id, bound, kept, HAND_AT_ONCE))

    while True:
        await asyncio.sleep(HAND_OVER_EVERY_S)
        if rooms.keeper.living:
            try:
                await rooms.deliveries.hand_over(hand)
            except NotCommitted as fault:
                log.warning("job_waits", extra={"job": "hand_notifications_over", "why": str(fault)})


async def _fold_forwarded(rooms: Rooms) -> None:
    woken = asyncio.Event()
    while True:
        try:
            connection = await connect(rooms.dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(FORWARDED_POLL_S)
            continue
        try:
            await connection.add_listener(FORWARDED_CHANNEL, lambda *_: woken.set())
            while not connection.is_closed():
                woken.clear()
                await rooms.forwarding.fold()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FORWARDED_POLL_S):
                        await woken.wait()
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("job_waits", extra={"job": "fold_forwarded", "why": str(fault)})
            await asyncio.sleep(FORWARDED_POLL_S)
        finally:
            connection.terminate()
