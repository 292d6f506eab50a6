"""Connections to PostgreSQL, and the conditions under which this gateway is willing to work on one.

What belongs here: connecting with our settings, refusing a server that may lose a commit (promise P1), node
registration.
What must not enter: anything about messages; statements live in SQL files, one typed function each.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import asyncpg
import msgspec

from gateway.lease import LEASE_S
from gateway.storage.named_statements import load_statements

OLDEST_SERVER = 15  # MERGE-free SQL, but enum-free too: 15 is what Debian 12 ships
CONNECT_TIMEOUT_S = 5.0  # chosen: a local or rack-near server answers in milliseconds
COMMAND_TIMEOUT_S = 30.0  # chosen: a batch takes milliseconds; past this the server is as good as away
REQUIRED_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")

# What a broken connection may raise. A backend's last words (FATAL, from a killed server) can arrive before its end of
# stream: until then asyncpg refuses the next statement by InternalClientError.
CONNECTION_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

SeatKind = Literal["node", "api"]

NODE_SQL = load_statements("nodes.sql")
CLUSTER_SQL = load_statements("cluster.sql")


class DatabaseUnfit(Exception):
    """This PostgreSQL must not be trusted with messages; the text names the setting and the remedy."""


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached now. Nothing of what was asked was committed."""


class NodeTaken(Exception):
    """Another living process already runs under this node's name."""


class NodeSeat(msgspec.Struct, frozen=True):
    """A node's place in the database for one life of its process."""

    node_id: int
    epoch: int
    accept_batch: int
    settle_batch: int
    swept_until_ms: int
    owed_from_id: int
    last_id: int  # new message ids are larger: this node gave it, or it lies in a span that another one took over
    span_id: int  # what is handed to this life of the node belongs to this span


async def connect(dsn: str, more: Mapping[str, str] = MappingProxyType({})) -> asyncpg.Connection:
    """One connection with the gateway's settings, and more of them. Raises DatabaseAway."""
    try:
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={
                "synchronous_commit": "on",
                "jit": "off",  # plans of microseconds must not wait for a compiler
                "plan_cache_mode": "force_generic_plan",  # the batches' statements never profit from their values
                "application_name": "passerelle",
                "timezone": "UTC",
                **more,
            },
        )
    except (
        OSError,
        TimeoutError,
        asyncpg.InternalClientError,
        asyncpg.OperatorInterventionError,  # starting, recovering, stopping, killed
        asyncpg.PostgresConnectionError,
    ) as fault:
        raise DatabaseAway(f"PostgreSQL cannot be reached: {fault}") from fault
    except asyncpg.TooManyConnectionsError as fault:
        raise DatabaseAway(f"PostgreSQL has no connection left: raise max_connections ({fault})") from fault


async def connect_as_node(dsn: str) -> asyncpg.Connection:
    """The same for a node: a process that was stopped in the middle of a transaction holds its locks no longer than its
    lease, so that its neighbours go on. Raises DatabaseAway.
    """
    return await connect(dsn, {"idle_in_transaction_session_timeout": f"{int(LEASE_S * 1000)}"})


async def refuse_unfit_server(connection: asyncpg.Connection) -> None:
    """Raise DatabaseUnfit unless an acknowledged commit survives a crash of this server (promise P1)."""
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise DatabaseUnfit(f"PostgreSQL {version.major} is too old: {OLDEST_SERVER} or newer is needed")
    for name in REQUIRED_SETTINGS:
        value = await connection.fetchval("SELECT current_setting($1)", name)
        if value == "off":
            raise DatabaseUnfit(
                f"PostgreSQL runs with {name} = off, so an acknowledged message could be lost: set {name} = on"
            )


async def take_seat(connection: asyncpg.Connection, name: str, kind: SeatKind = "node") -> NodeSeat:
    """Register this process as the node of that name, with a new epoch. The connection must stay open: it holds
    the seat. kind: whether it is a node, or a process of the HTTP API, which accepts messages and sends none.

    Raises NodeTaken when a living process holds it. A killed one loses it with its connection.
    """
    node_id = await connection.fetchval(NODE_SQL["node_id"], name)
    if node_id is None:
        node_id = await connection.fetchval(NODE_SQL["new_node"], name, kind)
    if not await connection.fetchval("SELECT pg_try_advisory_lock(7062, $1)", node_id):
        raise NodeTaken(f"a node named {name!r} is already running on this database: give this one another [node] name")
    async with connection.transaction():
        row = await connection.fetchrow(NODE_SQL["new_epoch"], node_id)  # locks the node: an heir at work is waited for
        await connection.execute(CLUSTER_SQL["open_span"], node_id)
        span = await connection.fetchrow(CLUSTER_SQL["span_of"], node_id)
    assert row is not None
    assert span is not None
    fields = dict(row) | {"last_id": max(row["last_id"], span["from_id"]), "span_id": span["span_id"]}
    return NodeSeat(node_id, **fields)


async def tell(
    connection: asyncpg.Connection, seat: NodeSeat, live: str, swept_until_ms: int, owed_from_id: int
) -> None:
    """Store what a living node shows of itself (JSON), and how far its sweeps have come."""
    await connection.execute(NODE_SQL["tell"], seat.node_id, seat.epoch, live, swept_until_ms, owed_from_id)


async def ledger_imbalance_micros(connection: asyncpg.Connection) -> int:
    """By how much balances and ledger differ, summed over accounts; anything but 0 is a fault of ours."""
    return int(await connection.fetchval(NODE_SQL["ledger_imbalance"]))
