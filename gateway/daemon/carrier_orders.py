"""What operators ask of this node's ways out and of binds to it: wishes put in force, binds ended and made anew.

Source: decision 0005. A wish is a row of facts, so that it outlives nodes and commands: a command says when it is in
force here, and a late or repeated one changes nothing. Rebind and unbind have no lasting row: late, they are refused.
What must not enter: who may ask (command line, admin_api), rerouting (gateway.rerouting).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from gateway.accept.fact_book import FactBook
from gateway.daemon.rooms import Rooms
from gateway.egress.smpp_connector import SmppConnector
from gateway.storage.carriers import load_carriers
from gateway.storage.commands import Command
from gateway.wall_clock import wall_ms

PATIENCE_S: Final = 5.0  # chosen: other commands wait behind; what takes longer is told as it stands
LOOK_S: Final = 0.05  # chosen: between two looks at what is still owed

Answer = dict[str, Any]


class Refused(Exception):
    """The node cannot do it; the text is a code that people's sides translate."""


def apply_wishes(rooms: Rooms, book: FactBook) -> None:
    """Put what is wished of each connector in force: at start, and whenever facts change."""
    rooms.reach.taken_out = book.taken_out
    rooms.bind_shares.stopped = book.stopped
    for connector in rooms.connectors:
        is_out = connector.name in book.taken_out
        if connector.suspended != is_out:
            connector.take_out(is_out)


def told_of(rooms: Rooms) -> list[Answer]:
    """What this node tells of its connectors, beside their binds and queues."""
    return [_told(rooms, connector) for connector in rooms.connectors]


def _told(rooms: Rooms, connector: SmppConnector) -> Answer:
    faults = [link.last_fault for link in connector.links if link.last_fault is not None]
    at_ms, why = max(faults, default=(0, ""))
    return {
        "connector": connector.name,
        "health": connector.health,
        "bound": connector.bound,
        "binds": connector.bind_count,
        "tps": connector.profile.tps,
        "rate_per_s": round(connector.rate.rate_per_s, 1),
        "window": connector.window.window,
        "last_fault": why,
        "last_fault_at_ms": at_ms,
    }


async def _wish(rooms: Rooms, connection: asyncpg.Connection, command: Command) -> Answer:
    """connector_id: see to it that what its row wishes now is in force here."""
    connector = _connector(rooms, command)
    wished = {row.connector_id: row.wish for row in await load_carriers(connection)}[connector.connector_id]
    name, connector_id = connector.name, connector.connector_id
    rooms.reach.taken_out = (rooms.reach.taken_out - {name}) | ({name} if wished != "run" else frozenset())
    rooms.bind_shares.stopped = (rooms.bind_shares.stopped - {connector_id}) | (
        {connector_id} if wished == "stop" else frozenset()
    )
    connector.take_out(wished != "run")
    await _until(lambda: wished == "run" or _is_quiet(rooms, connector, wished == "stop"))
    return {"wish": wished, **_figures(rooms, connector)}


def _is_quiet(rooms: Rooms, connector: SmppConnector, stopped: bool) -> bool:
    figures = _figures(rooms, connector)
    return not figures["open"] and not figures["queued"] and not (stopped and connector.open_binds)


async def _rebind(rooms: Rooms, connection: asyncpg.Connection, command: Command) -> Answer:
    """connector_id, until_ms: end its binds here and open them anew."""
    connector = _connector(rooms, command)
    _refuse_late(command)
    before = {link.number: link.generation for link in connector.links if link.number in connector.open_binds}
    connector.rebind()
    fresh = [link for link in connector.links if link.number in before]
    await _until(lambda: all(link.bound and link.generation != before[link.number] for link in fresh))
    return _figures(rooms, connector) | {"rebound": sum(link.generation != before[link.number] for link in fresh)}


async def _unbind(rooms: Rooms, connection: asyncpg.Connection, command: Command) -> Answer:
    """system_id, until_ms: end the binds of an SMPP login here."""
    _refuse_late(command)
    system_id, server = command.arguments["system_id"], rooms.server
    connections = [] if server is None else list(server.connections)
    ended = [each for each in connections if each.esme is not None and each.esme.system_id == system_id]
    for each in ended:
        each.begin_unbind()
    return {"ended": len(ended)}


def _connector(rooms: Rooms, command: Command) -> SmppConnector:
    connector_id = int(command.arguments["connector_id"])
    found = next((each for each in rooms.connectors if each.connector_id == connector_id), None)
    if found is None:
        raise Refused("not_configured_here")
    return found


def _refuse_late(command: Command) -> None:
    if wall_ms() > int(command.arguments["until_ms"]):
        raise Refused("too_late")


def _figures(rooms: Rooms, connector: SmppConnector) -> Answer:
    connector_id = connector.connector_id
    open_parts = sum(m.open_parts for m in rooms.lifecycle.active if m.connector_id == connector_id)
    return {"queued": len(rooms.lifecycle.outboxes[connector_id]), "open": open_parts, "bound": connector.bound}


async def _until(reached: Callable[[], bool]) -> None:
    """Until something holds, or for PATIENCE_S."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not reached() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(LOOK_S)


ORDERS: Final[dict[str, Callable[[Rooms, asyncpg.Connection, Command], Awaitable[Answer]]]] = {
    "connector_wish": _wish,
    "connector_rebind": _rebind,
    "esme_unbind": _unbind,
}
