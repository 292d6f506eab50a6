"""Commands to a living node: rows that it takes by LISTEN, with a poll behind it, and closes with what came of them.

Source: architecture section 4. A command that a former life, or a dead node, left is taken again where it stood.
What must not enter: what people may ask (the command line and the admin API check it before they write a row).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from gateway.daemon.carrier_orders import ORDERS, Refused
from gateway.daemon.rooms import Rooms
from gateway.notify.esme_deliveries import GIVE_UP_MS
from gateway.storage import commands
from gateway.storage.commands import COMMANDS_CHANNEL, REPLAYS_CHANNEL, Command
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, connect

log = logging.getLogger("passerelle.daemon")

COMMANDS_POLL_S: Final = 10.0  # chosen: behind the notification, in case it was lost
AWAY_PAUSE_S: Final = 1.0  # chosen: between tries while PostgreSQL is away
REPLAY_PAGE: Final = 2_000  # chosen: receipts queued by one transaction

Clock = Callable[[], int]
Answer = dict[str, Any]


async def follow_commands(rooms: Rooms, wall_ms: Clock) -> None:
    """Take what is asked of this node until cancelled."""
    while True:
        try:
            connection = await connect(rooms.dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(AWAY_PAUSE_S)
            continue
        try:
            await _follow(connection, rooms, wall_ms)
        except CONNECTION_FAULTS as fault:
            log.warning("commands_wait", extra={"why": str(fault)})
        finally:
            connection.terminate()
        await asyncio.sleep(AWAY_PAUSE_S)


async def _follow(connection: asyncpg.Connection, rooms: Rooms, wall_ms: Clock) -> None:
    asked = asyncio.Event()
    await connection.add_listener(COMMANDS_CHANNEL, lambda *_: asked.set())
    await connection.add_listener(
        REPLAYS_CHANNEL, lambda *heard: rooms.deliveries.look_again(int(heard[-1])) if heard[-1].isdigit() else None
    )
    while not connection.is_closed():
        asked.clear()
        while command := await commands.take_command(connection, rooms.seat.node_id, rooms.seat.epoch):
            await _obey(connection, rooms, command, wall_ms)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COMMANDS_POLL_S):
                await asked.wait()


async def _obey(connection: asyncpg.Connection, rooms: Rooms, command: Command, wall_ms: Clock) -> None:
    run, order = COMMANDS.get(command.command), ORDERS.get(command.command)
    try:
        if order is not None:
            state, result = "done", await order(rooms, connection, command)
        elif run is None:
            state, result = "refused", {"why": f"this node knows no command {command.command!r}"}
        else:
            state, result = "done", await run(connection, command, wall_ms)
    except Refused as refusal:
        state, result = "refused", {"why": str(refusal)}
    except (KeyError, TypeError, ValueError, asyncpg.DataError) as fault:  # boundary: a row that nobody checked
        state, result = "refused", {"why": f"its arguments are unfit: {fault}"}
    await commands.end_command(connection, command.command_id, state, result)
    log.info("command", extra={"command": command.command, "command_id": command.command_id, "state": state})


async def _replay_receipts(connection: asyncpg.Connection, command: Command, wall_ms: Clock) -> Answer:
    """Tell receipts again: account_id, esme_id or null, after_id, until_id, ended (a list of done, dead)."""
    return await _replay(commands.replay_receipts, connection, command, wall_ms)


async def _replay_inbound(connection: asyncpg.Connection, command: Command, wall_ms: Clock) -> Answer:
    """The same of messages from handsets."""
    return await _replay(commands.replay_inbound, connection, command, wall_ms)


async def _replay(
    next_page: Callable[..., Awaitable[commands.ReplayPage]],
    connection: asyncpg.Connection,
    command: Command,
    wall_ms: Clock,
) -> Answer:
    given = command.arguments
    whose = (int(given["account_id"]), None if given["esme_id"] is None else int(given["esme_id"]))
    after_id, until_id = max(int(given["after_id"]), command.progress), int(given["until_id"])
    now_ms = wall_ms()
    while True:
        page = await next_page(
            connection,
            command.command_id,
            whose,
            (after_id, until_id),
            given["ended"],
            REPLAY_PAGE,
            (now_ms, now_ms + GIVE_UP_MS),
        )
        await commands.tell_of_replays(connection, page.esme_ids)
        if page.found < REPLAY_PAGE:
            return {}
        after_id = page.last_id


COMMANDS: Final[dict[str, Callable[[asyncpg.Connection, Command, Clock], Awaitable[Answer]]]] = {
    "replay_receipts": _replay_receipts,
    "replay_inbound": _replay_inbound,
}
