"""What a node does by the clock for messages from handsets: parts whose deadline passed, opt-outs and orders of others.

Opt-outs change row by row: a notification makes a node read what changed, never all (decision 0013). A message that an
operator gave to an ESME is told of by a notification too; behind both stands a poll.
What must not enter: decisions about messages (gateway.inbound), facts (clock_jobs.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

import asyncpg

from gateway.accept.opt_outs import OptOuts
from gateway.daemon.rooms import Rooms
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, connect
from gateway.storage.group_commit import NotCommitted
from gateway.storage.inbound import INBOUND_CHANNEL, OPT_OUTS_CHANNEL, read_opt_outs

log = logging.getLogger("passerelle.daemon")

JOIN_EVERY_S = 2.0  # chosen: how late a deadline may be seen
LISTEN_POLL_S = 30.0  # chosen: behind the notifications, in case one was lost
RECONNECT_S = 0.5  # chosen: an opt-out of another node is to be heard within a second


def jobs(rooms: Rooms) -> list[Coroutine[Any, Any, None]]:
    """All loops of this file."""
    return [_join_parts(rooms), _listen(rooms)]


async def _join_parts(rooms: Rooms) -> None:
    """Deadlines of parts, and what a crash left unjoined; the debts of a former life are known first."""
    while True:
        await asyncio.sleep(JOIN_EVERY_S)
        if not rooms.deliveries.recovered:
            continue
        try:
            await rooms.lifecycle.inbound.join_due(rooms.lifecycle.book)
            if rooms.lifecycle.inbound.has_fresh:
                await rooms.lifecycle.publish()
        except NotCommitted as fault:
            log.warning("job_waits", extra={"job": "join_parts", "why": str(fault)})


async def refresh_opt_outs(connection: asyncpg.Connection, opt_outs: OptOuts) -> None:
    """All opt-outs the first time, then what changed."""
    changes, mark = await read_opt_outs(connection, opt_outs.mark)
    opt_outs.apply(changes)
    opt_outs.mark = mark


async def _listen(rooms: Rooms) -> None:
    """Hear what other nodes and operators write, on a connection of its own."""
    changed = asyncio.Event()
    owed: set[int] = set()

    def hear(_: object, _pid: int, channel: str, payload: object) -> None:
        if channel == INBOUND_CHANNEL and str(payload).isdecimal():
            owed.add(int(str(payload)))
        changed.set()

    while True:
        try:
            connection = await connect(rooms.dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(RECONNECT_S)
            continue
        try:
            await connection.add_listener(OPT_OUTS_CHANNEL, hear)
            await connection.add_listener(INBOUND_CHANNEL, hear)
            await rooms.deliveries.look_for_rows()  # that were added while nobody listened
            while not connection.is_closed():
                changed.clear()
                await refresh_opt_outs(connection, rooms.lifecycle.opt_outs)
                while owed:
                    rooms.deliveries.look_again(owed.pop())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LISTEN_POLL_S):
                        await changed.wait()
                if not changed.is_set():
                    await rooms.deliveries.look_for_rows()
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("opt_outs_wait", extra={"why": str(fault)})
        finally:
            connection.terminate()
        await asyncio.sleep(RECONNECT_S)
