"""What a node does by the clock so that several nodes share carriers: tell and hear where binds stand, share binds,
take up what was handed over.

Source: decision 0016: woken by NOTIFY, with a poll behind it.
What must not enter: what is done (gateway/cluster).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from time import monotonic
from typing import Any

from gateway.daemon.rooms import Rooms
from gateway.storage.cluster import HANDED_CHANNEL, REACH_CHANNEL
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, connect
from gateway.storage.group_commit import NotCommitted

log = logging.getLogger("passerelle.daemon")

LOOK_EVERY_S = 0.1  # chosen: how late the others are told that a bind stands or fell
POLL_S = 0.5  # chosen: behind the notifications, and how late a dead node's binds are missed


def jobs(rooms: Rooms) -> list[Coroutine[Any, Any, None]]:
    """All loops of this file."""
    return [_follow(rooms), rooms.hand_over.run()]


async def begin(rooms: Rooms) -> None:
    """Take what binds are free or were ours before, so that a node that is ready has begun to bind."""
    with contextlib.suppress(NotCommitted):  # else by the clock
        await rooms.reach.look(rooms.lifecycle.book.connector_names)
        await rooms.bind_shares.look()


async def _follow(rooms: Rooms) -> None:
    woken = asyncio.Event()
    while True:
        try:
            connection = await connect(rooms.dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(POLL_S)
            continue
        try:
            await connection.add_listener(REACH_CHANNEL, lambda *_: woken.set())
            await connection.add_listener(HANDED_CHANNEL, lambda *_: woken.set())
            while not connection.is_closed():
                woken.clear()
                await rooms.reach.look(rooms.lifecycle.book.connector_names)
                await rooms.bind_shares.look()
                await rooms.hand_over.take()
                if not await rooms.hand_over.pass_on():
                    await _until_something_changed(rooms, woken)
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("job_waits", extra={"job": "follow_carriers", "why": str(fault)})
            await asyncio.sleep(POLL_S)
        finally:
            connection.terminate()


async def _until_something_changed(rooms: Rooms, woken: asyncio.Event) -> None:
    """Until a node told something, a bind here rose or fell, or it is time to look anyway."""
    until = monotonic() + POLL_S
    while not (woken.is_set() or rooms.reach.changed or rooms.bind_shares.changed) and monotonic() < until:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await woken.wait()
