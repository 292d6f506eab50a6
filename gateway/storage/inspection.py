"""What operators look at: messages, queues, nodes; one typed function a statement of inspection.sql.

What belongs here: reading for people. Rows are asyncpg records; their columns stand in the statement.
What must not enter: a write, and anything the way of a message waits for.
"""

from __future__ import annotations

from typing import Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

MESSAGE_ID_LIMIT: Final = (1 << 63) - 1  # bigint
NODE_ALIVE_S: Final = 5.0  # chosen: a node tells of itself each second

_SQL = load_statements("inspection.sql")


class NodeSeen(msgspec.Struct, frozen=True):
    """A node and what it last told. unseen_s: seconds since then, None when it never lived. live: its JSON."""

    name: str
    node_id: int
    epoch: int
    unseen_s: float | None
    live: dict[str, object]

    @property
    def alive(self) -> bool:
        """Whether it told of itself a moment ago."""
        return self.unseen_s is not None and self.unseen_s <= NODE_ALIVE_S


async def list_messages(
    connection: asyncpg.Connection,
    account_id: int | None,
    state: str | None,
    first_id: int,
    before_id: int,
    limit: int,
) -> list[asyncpg.Record]:
    """The newest messages with first_id <= id < before_id, newest first, of one account and state or of all (None)."""
    return await connection.fetch(_SQL["list_messages"], account_id, state, first_id, before_id, limit)


async def find_message(connection: asyncpg.Connection, message_id: int) -> asyncpg.Record | None:
    """The row of one message with account, system_id and connector by name; None when there is none."""
    return await connection.fetchrow(_SQL["find_message"], message_id)


async def find_inbound_message(connection: asyncpg.Connection, message_id: int) -> asyncpg.Record | None:
    """The row of one inbound message, likewise."""
    return await connection.fetchrow(_SQL["find_inbound_message"], message_id)


async def load_events(connection: asyncpg.Connection, account_id: int, ids: list[int]) -> list[asyncpg.Record]:
    """message_id, at_ms, event, detail of the uncommon facts of an account's messages."""
    return await connection.fetch(_SQL["load_events"], account_id, ids)


async def load_waits(connection: asyncpg.Connection, account_id: int, message_id: int) -> list[asyncpg.Record]:
    """kind, at_ms, detail of what one message waits for."""
    return await connection.fetch(_SQL["load_waits"], account_id, message_id)


async def load_nodes(connection: asyncpg.Connection) -> list[NodeSeen]:
    """Every node that ever took a seat."""
    return [
        NodeSeen(
            row["name"], row["node_id"], row["epoch"], row["unseen_s"], msgspec.json.decode(row["live"], type=dict)
        )
        for row in await connection.fetch(_SQL["load_nodes"])
    ]


async def count_queues(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """connector, state, messages, oldest_id of the open messages."""
    return await connection.fetch(_SQL["count_queues"])


async def count_waiting(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """system_id, kind, waiting, oldest_id of what waits for customers."""
    return await connection.fetch(_SQL["count_waiting"])


async def tally_progress(connection: asyncpg.Connection, first_id: int) -> asyncpg.Record:
    """accepted, submitted, delivered, failed, receipts of all messages from an id on."""
    row = await connection.fetchrow(_SQL["tally_progress"], first_id)
    assert row is not None
    return row


async def follow_messages(connection: asyncpg.Connection, first_id: int, limit: int) -> list[asyncpg.Record]:
    """Where at most `limit` messages stand, from an id on, oldest first."""
    return await connection.fetch(_SQL["follow_messages"], first_id, limit)


async def applied_migrations(connection: asyncpg.Connection) -> list[str]:
    """The migrations this database has seen; empty when it has seen none."""
    try:
        return [row["name"] for row in await connection.fetch(_SQL["applied_migrations"])]
    except asyncpg.UndefinedTableError:
        return []


async def partition_days(connection: asyncpg.Connection) -> list[str]:
    """The days, YYYYMMDD, for which messages can be stored."""
    return [row["day"] for row in await connection.fetch(_SQL["partition_days"])]


async def server_clock(connection: asyncpg.Connection) -> float:
    """The database's wall clock in Unix seconds."""
    clock: float = await connection.fetchval(_SQL["server_clock"])
    return clock


async def find_opt_out(connection: asyncpg.Connection, account_id: int, number: str) -> asyncpg.Record | None:
    """opted_out, word, at_ms of a person's last word to an account; None when he never said one."""
    return await connection.fetchrow(_SQL["find_opt_out"], account_id, number)
