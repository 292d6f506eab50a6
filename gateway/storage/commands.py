"""Command rows: what people ask of living nodes, and what came of it; receipts that are told again; dead letters.

Source: architecture section 4 (the command line and the admin API act on a node only by audited rows).
What must not enter: what a command does in a node (daemon.commands).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

COMMANDS_CHANNEL: Final = "passerelle_commands"  # migration 0005: trigger tell_nodes_of_commands
REPLAYS_CHANNEL: Final = "passerelle_replays"  # statement tell_of_replays; the payload is an esme_id
DEAD_AFTER_S: Final = 30.0  # chosen: a node tells of itself each second; its open commands pass to another then

_SQL = load_statements("commands.sql")


class Command(msgspec.Struct, frozen=True):
    """A command that this node took. progress: how far a former life came with it."""

    command_id: int
    command: str
    arguments: dict[str, Any]
    asked_by: str
    progress: int


class ReplayPage(msgspec.Struct, frozen=True):
    """One page of a replay: the last message of it, how many it found, and whose they are."""

    last_id: int
    found: int
    esme_ids: list[int]


async def ask(
    connection: asyncpg.Connection, command: str, arguments: dict[str, Any], asked_by: str, node_id: int | None = None
) -> int:
    """Ask a node, or any node (None), for something; the command_id."""
    encoded = msgspec.json.encode(arguments).decode()
    found: int = await connection.fetchval(_SQL["ask"], node_id, command, encoded, asked_by)
    return found


async def find_command(connection: asyncpg.Connection, command_id: int) -> asyncpg.Record | None:
    """A command and what came of it; arguments and result as JSON texts."""
    return await connection.fetchrow(_SQL["find_command"], command_id)


async def list_commands(connection: asyncpg.Connection, kinds: Sequence[str], limit: int) -> list[asyncpg.Record]:
    """The newest commands of these kinds, newest first."""
    return await connection.fetch(_SQL["list_commands"], list(kinds), limit)


async def take_command(connection: asyncpg.Connection, node_id: int, epoch: int) -> Command | None:
    """Take the oldest command that waits for this node; None when none does."""
    row = await connection.fetchrow(_SQL["take_command"], node_id, epoch, DEAD_AFTER_S)
    if row is None:
        return None
    arguments = msgspec.json.decode(row["arguments"], type=dict[str, Any])
    return Command(row["command_id"], row["command"], arguments, row["asked_by"], row["progress"])


async def end_command(connection: asyncpg.Connection, command_id: int, state: str, result: dict[str, Any]) -> None:
    """Close a command as done or refused, with what came of it."""
    await connection.execute(_SQL["end_command"], command_id, state, msgspec.json.encode(result).decode())


async def replay_receipts(
    connection: asyncpg.Connection,
    command_id: int,
    whose: tuple[int, int | None],
    span: tuple[int, int],
    ended: Sequence[str],
    limit: int,
    times_ms: tuple[int, int],
) -> ReplayPage:
    """Queue the next page of receipts to be told again. whose: account_id, esme_id or None; span: after which message
    id, up to which; ended: done, dead; times_ms: now, and when they are given up.
    """
    row = await connection.fetchrow(_SQL["replay_receipts"], *whose, *span, list(ended), limit, *times_ms, command_id)
    assert row is not None
    return ReplayPage(row["last_id"], row["found"], row["esme_ids"])


async def replay_inbound(
    connection: asyncpg.Connection,
    command_id: int,
    whose: tuple[int, int | None],
    span: tuple[int, int],
    ended: Sequence[str],
    limit: int,
    times_ms: tuple[int, int],
) -> ReplayPage:
    """The same for messages from handsets."""
    row = await connection.fetchrow(_SQL["replay_inbound"], *whose, *span, list(ended), limit, *times_ms, command_id)
    assert row is not None
    return ReplayPage(row["last_id"], row["found"], row["esme_ids"])


async def tell_of_replays(connection: asyncpg.Connection, esme_ids: Sequence[int]) -> None:
    """Wake the nodes on which these logins are bound."""
    await connection.execute(_SQL["tell_of_replays"], list(esme_ids))


async def list_dead(
    connection: asyncpg.Connection, account_id: int | None, first_id: int, before_id: int, limit: int
) -> list[asyncpg.Record]:
    """What no customer took with first_id <= id < before_id, newest first."""
    return await connection.fetch(_SQL["list_dead"], account_id, first_id, before_id, limit)


async def list_orphans(
    connection: asyncpg.Connection, connector: str | None, before_id: int, limit: int
) -> list[asyncpg.Record]:
    """Receipts that fit no attempt, of a connector or of all, with parked_id < before_id, newest first."""
    return await connection.fetch(_SQL["list_orphans"], connector, before_id, limit)


async def find_orphan(connection: asyncpg.Connection, parked_id: int, message_id: int) -> asyncpg.Record | None:
    """A receipt that was given up beside a message (message_id None: there is none such); None: no such receipt."""
    return await connection.fetchrow(_SQL["find_orphan"], parked_id, message_id)


async def adopt_orphan(
    connection: asyncpg.Connection, parked_id: int, account_id: int, message_id: int, part_no: int
) -> bool:
    """Give a receipt that was given up to a part of a message; False: somebody else did."""
    found = await connection.fetchval(_SQL["adopt_orphan"], parked_id, account_id, message_id, part_no)
    return found is not None


async def list_dresses(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """connector, dress, answered, receipted, learnt_at_ms."""
    return await connection.fetch(_SQL["list_dresses"])
