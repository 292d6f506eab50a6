"""Ways out as operators steer them: a wish that is a row, commands that nodes carry out, what living nodes tell.

What belongs here: one typed function a statement of carriers.sql, and the rules that command line and HTTP API share:
whom a command asks, how what several nodes did of it becomes one state.
What must not enter: what a node does with a wish (gateway.daemon.carrier_orders), words for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import asyncpg
import msgspec

from gateway.storage import commands
from gateway.storage.inspection import NodeSeen
from gateway.storage.named_statements import load_statements

Wish = Literal["run", "drain", "stop"]
CommandState = Literal["asked", "taken", "done", "failed"]
LATELY_S: Final = 600.0  # as gateway.cluster.reach: a node that ended so long ago may come back
AWAY_S: Final = 5.0  # chosen: a node tells of itself each second

_SQL = load_statements("carriers.sql")


class CarrierRow(msgspec.Struct, frozen=True):
    """A connector and what operators wish of it. kind: smpp, sim, voice, http."""

    connector_id: int
    name: str
    kind: str
    wish: Wish
    alphanumeric_senders: bool


class Part(msgspec.Struct, frozen=True):
    """What one node did of a command. node None: any node may take it. away: it was not seen for a while."""

    node: str | None
    state: CommandState
    why: str
    away: bool
    unseen_s: float | None
    result: dict[str, Any]


class Order(msgspec.Struct, frozen=True):
    """A command as operators follow it. state: the least that any node concerned has reached; failed where one did."""

    command_id: int
    command: str
    arguments: dict[str, Any]
    asked_by: str
    asked_at: Any
    ended_at: Any
    state: CommandState
    parts: list[Part]


async def load_carriers(connection: asyncpg.Connection) -> list[CarrierRow]:
    """Every connector that a row speaks of, by name."""
    return [CarrierRow(*row) for row in await connection.fetch(_SQL["load_carriers"])]


async def configured_connectors(connection: asyncpg.Connection) -> frozenset[int]:
    """The connectors that some node configures, by what nodes told lately."""
    return frozenset(row["connector_id"] for row in await connection.fetch(_SQL["configured_connectors"], LATELY_S))


async def order_wish(connection: asyncpg.Connection, connector_id: int, wish: Wish, asked_by: str) -> int:
    """Put a wish into its row and ask the nodes concerned to say when it is in force; the command_id. The caller's
    transaction makes both one.
    """
    await connection.execute(_SQL["set_wish"], connector_id, wish)
    return await _ask_connectors_nodes(connection, "connector_wish", {"connector_id": connector_id}, asked_by)


async def order_rebind(connection: asyncpg.Connection, connector_id: int, until_ms: int, asked_by: str) -> int:
    """Ask the nodes concerned to end the binds of a connector and bind anew; the command_id. until_ms: a node that
    hears of it later does nothing.
    """
    arguments = {"connector_id": connector_id, "until_ms": until_ms}
    return await _ask_connectors_nodes(connection, "connector_rebind", arguments, asked_by)


async def order_unbind(connection: asyncpg.Connection, system_id: str, until_ms: int, asked_by: str) -> int:
    """Ask every living node to end the binds of an SMPP login now; the command_id. It may bind again at once."""
    nodes = [row["node_id"] for row in await connection.fetch(_SQL["living_nodes"], AWAY_S)]
    arguments = {"system_id": system_id, "until_ms": until_ms}
    return await _ask_nodes(connection, nodes, "esme_unbind", arguments, asked_by)


async def _ask_connectors_nodes(
    connection: asyncpg.Connection, command: str, arguments: dict[str, Any], asked_by: str
) -> int:
    connector_id = arguments["connector_id"]
    nodes = [row["node_id"] for row in await connection.fetch(_SQL["nodes_of_connector"], connector_id, LATELY_S)]
    return await _ask_nodes(connection, nodes, command, arguments, asked_by)


async def _ask_nodes(
    connection: asyncpg.Connection, nodes: list[int], command: str, arguments: dict[str, Any], asked_by: str
) -> int:
    """One row a node; where nobody is concerned, one that any node may take."""
    command_id = await commands.ask(connection, command, arguments, asked_by, nodes[0] if nodes else None)
    for node_id in nodes[1:]:
        await connection.execute(_SQL["ask_part"], command_id, node_id)
    return command_id


async def find_order(connection: asyncpg.Connection, command_id: int) -> Order | None:
    """A command with all its parts; None: there is none, or the id is that of a part."""
    rows = await connection.fetch(_SQL["command_parts"], command_id)
    if not rows or rows[0]["command_id"] != command_id:
        return None
    first, parts = rows[0], [_part_of(row) for row in rows]
    ended = [row["ended_at"] for row in rows]
    return Order(
        command_id=command_id,
        command=first["command"],
        arguments=msgspec.json.decode(first["arguments"], type=dict[str, Any]),
        asked_by=first["asked_by"],
        asked_at=first["asked_at"],
        ended_at=None if None in ended else max(ended),
        state=state_of(parts),
        parts=parts,
    )


async def recent_orders(connection: asyncpg.Connection, before_id: int, limit: int) -> list[Order]:
    """The newest commands below an id, newest first."""
    found = []
    for row in await connection.fetch(_SQL["recent_commands"], before_id, limit):
        order = await find_order(connection, row["command_id"])
        assert order is not None
        found.append(order)
    return found


def state_of(parts: Iterable[Part]) -> CommandState:
    """failed where a node failed; else the least that any reached: asked, taken, done."""
    states: set[CommandState] = {part.state for part in parts}
    order: tuple[CommandState, ...] = ("failed", "asked", "taken")
    return next((state for state in order if state in states), "done")


def _part_of(row: asyncpg.Record) -> Part:
    result = msgspec.json.decode(row["result"], type=dict[str, Any])
    state: CommandState = "failed" if row["state"] == "refused" else row["state"]
    unseen_s = row["unseen_s"]
    away = row["node"] is not None and state in ("asked", "taken") and (unseen_s is None or unseen_s > AWAY_S)
    return Part(row["node"], state, str(result.get("why", "")), away, unseen_s, result)


# ---------------------------------------------------------------- what living nodes tell


class CarrierSeen(msgspec.Struct, frozen=True):
    """A connector as one living node has it: its JSON as that node told it."""

    node: str
    told: dict[str, Any]
    binds: list[dict[str, Any]]
    queue: dict[str, Any]


def carriers_seen(nodes: Iterable[NodeSeen]) -> dict[str, list[CarrierSeen]]:
    """By connector: what each living node that configures it tells."""
    found: dict[str, list[CarrierSeen]] = {}
    for node in nodes:
        if not node.alive:
            continue
        binds = [bind for bind in listed(node, "binds") if bind.get("side") == "carrier"]
        queues = {str(queue.get("connector")): queue for queue in listed(node, "queues")}
        for told in listed(node, "carriers"):
            name = str(told.get("connector"))
            own = [bind for bind in binds if bind.get("name") == name]
            found.setdefault(name, []).append(CarrierSeen(node.name, told, own, queues.get(name, {})))
    return found


def listed(node: NodeSeen, key: str) -> list[dict[str, Any]]:
    """A list of objects that a node tells under a key; empty where it tells something else."""
    value = node.live.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
