"""Several nodes over one database: leases, spans of messages, and the transaction in which one node inherits another.

What belongs here: typed functions over statements/cluster.sql. Leases are by the database's clock (architecture 5).
What must not enter: when a node counts as dead (gateway/cluster), what is done with what was inherited.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import msgspec

from gateway.holding import Span
from gateway.lease import LEASE_S
from gateway.message import ID_TIME_SHIFT
from gateway.storage.database import CLUSTER_SQL
from gateway.storage.messages import Journal, load_marks, open_journals

FORWARDED_CHANNEL = "passerelle_forwarded"  # schema 0014: trigger receipts_forwarded
REACH_CHANNEL = "passerelle_reach"  # schema 0015: trigger reach_changed
HANDED_CHANNEL = "passerelle_handed_over"  # schema 0015: trigger messages_handed_over
ANY_JOURNAL = (1 << 63) - 1


class Neighbour(msgspec.Struct, frozen=True):
    """A node as another one sees it. holds: its span grows, so nobody took it over since its last start. inherits:
    whether it takes others over, as nodes do and processes of the HTTP API do not.
    """

    node_id: int
    name: str
    epoch: int
    unseen_s: float
    holds: bool
    inherits: bool = True


class Inheritance(msgspec.Struct, frozen=True):
    """What a dead node leaves: journals (under the heir's numbers), and from where its queues and sweeps go on."""

    journals: list[Journal]
    marks: dict[tuple[int, int], int]  # by connector and lane
    from_id: int  # its oldest span begins here
    owed_from_id: int
    swept_until_ms: int
    spans: list[Span]  # all that the heir holds now


async def renew_lease(connection: asyncpg.Connection, node_id: int, epoch: int) -> list[Neighbour] | None:
    """Say that this life of a node goes on; the other nodes, or None when another process took its place."""
    rows = await connection.fetch(CLUSTER_SQL["renew_lease"], node_id, epoch)
    if not rows or not rows[0]["renewed"]:
        return None
    names = Neighbour.__struct_fields__
    return [Neighbour(*(row[name] for name in names)) for row in rows if row["node_id"] != node_id]


async def spans_held(connection: asyncpg.Connection, node_id: int) -> list[Span]:
    """The spans that a node holds now."""
    return [Span(*row) for row in await connection.fetch(CLUSTER_SQL["spans_held"], node_id)]


async def take_over(
    connection: asyncpg.Connection,
    dead: Neighbour,
    heir: tuple[int, int],
    lease_s: float,
    now_ms: int,
    next_journal_id: Callable[[], int],
) -> Inheritance | None:
    """Fence a dead node and give all it holds to its heir (node_id, epoch), in one transaction. None: it lives after
    all, or somebody else inherits.
    """
    heir_id, heir_epoch = heir
    async with connection.transaction():
        pair = {row["node_id"]: row for row in await connection.fetch(CLUSTER_SQL["lock_pair"], dead.node_id, heir_id)}
        theirs, ours = pair[dead.node_id], pair[heir_id]
        if theirs["epoch"] != dead.epoch or theirs["unseen_s"] <= lease_s or ours["epoch"] != heir_epoch:
            return None
        last_ids = [row["last_id"] for row in await connection.fetch(CLUSTER_SQL["raise_epoch"], dead.node_id)]
        until_id = max((now_ms + 1) << ID_TIME_SHIFT, max(last_ids, default=0) + 1)
        spans = await connection.fetch(CLUSTER_SQL["take_spans"], dead.node_id, heir_id, until_id)
        journals = await open_journals(connection, dead.node_id, ANY_JOURNAL)
        own_ids = [next_journal_id() for _ in journals]
        their_ids = [journal.journal_id for journal in journals]
        await connection.execute(CLUSTER_SQL["take_journals"], dead.node_id, heir_id, their_ids, own_ids)
        marks = await load_marks(connection, dead.node_id)
        await connection.execute(CLUSTER_SQL["take_marks"], dead.node_id, heir_id)
        owed_from_id, swept_until_ms = theirs["owed_from_id"], theirs["swept_until_ms"]
        await connection.execute(CLUSTER_SQL["take_sweeps"], heir_id, owed_from_id, swept_until_ms)
        held = await spans_held(connection, heir_id)
    return Inheritance(
        [
            Journal(own_id, each.account_ids, each.message_ids, each.sends)
            for own_id, each in zip(own_ids, journals, strict=True)
        ],
        marks,
        min((row["from_id"] for row in spans), default=until_id),
        owed_from_id,
        swept_until_ms,
        held,
    )


async def hand_notifications_over(
    connection: asyncpg.Connection, node_id: int, bound_here: list[int], kept: list[int], limit: int
) -> int:
    """Hand what a node owes to nodes where the ESMEs are bound; how many. bound_here: ESMEs it can tell itself; kept:
    messages that its memory holds.
    """
    found = await connection.fetchrow(CLUSTER_SQL["hand_notifications_over"], node_id, bound_here, kept, limit, LEASE_S)
    return 0 if found is None else int(found["handed"])


class Told(msgspec.Struct, frozen=True):
    """What another node said of a connector: how many binds it configures, and how many of them take messages there;
    span_id: the node's newest.
    """

    connector_id: int
    node_id: int
    bound: int
    binds: int
    alive: bool
    unseen_s: float
    span_id: int


async def tell_reach(
    connection: asyncpg.Connection, node_id: int, epoch: int, binds: dict[int, tuple[int, int]]
) -> None:
    """Say how many binds of this node take messages, and how many it configures; by connector id, of all it has."""
    bound, configured = [each for each, _ in binds.values()], [each for _, each in binds.values()]
    await connection.execute(CLUSTER_SQL["tell_reach"], node_id, epoch, list(binds), bound, configured)


async def read_reach(connection: asyncpg.Connection, node_id: int) -> list[Told]:
    """What the other nodes said, the dead ones' last word included."""
    names = Told.__struct_fields__
    found = await connection.fetch(CLUSTER_SQL["reach"], node_id, LEASE_S)
    return [Told(*(row[name] for name in names)) for row in found]


class HandedOver(msgspec.Struct, frozen=True):
    """A queue that got messages of an account, the first of them with this id, from another node."""

    hand_over_id: int
    connector_id: int
    lane: int
    account_id: int
    from_id: int


async def handed_over_to(connection: asyncpg.Connection, node_id: int, limit: int) -> list[HandedOver]:
    """Which queues got messages that this node holds and may not know of."""
    return [HandedOver(*row) for row in await connection.fetch(CLUSTER_SQL["handed_over_to"], node_id, limit)]


async def take_handed_over(connection: asyncpg.Connection, node_id: int, epoch: int, ids: list[int]) -> None:
    """Forget hand-overs that memory knows: after a crash the marks find their messages."""
    await connection.execute(CLUSTER_SQL["take_handed_over"], node_id, epoch, ids)


BindKey = tuple[int, int]  # connector_id, bind_no


class BindOwner(msgspec.Struct, frozen=True):
    """Whose a bind is. is_held: by a life that goes on; else it was left by one that was fenced."""

    connector_id: int
    bind_no: int
    node_id: int
    is_held: bool


async def bind_owners(connection: asyncpg.Connection) -> list[BindOwner]:
    """All binds that are not free."""
    return [BindOwner(*row) for row in await connection.fetch(CLUSTER_SQL["bind_owners"])]


async def take_binds(connection: asyncpg.Connection, node_id: int, epoch: int, wanted: list[BindKey]) -> list[BindKey]:
    """Become owner of binds; which of them, as others may have been faster."""
    connectors, numbers = [each for each, _ in wanted], [number for _, number in wanted]
    found = await connection.fetch(CLUSTER_SQL["take_binds"], node_id, epoch, connectors, numbers)
    return [(row["connector_id"], row["bind_no"]) for row in found]


async def give_binds_back(connection: asyncpg.Connection, node_id: int, epoch: int, ended: list[BindKey]) -> None:
    """Binds whose links have ended are nobody's from here on."""
    connectors, numbers = [each for each, _ in ended], [number for _, number in ended]
    await connection.execute(CLUSTER_SQL["give_binds_back"], node_id, epoch, connectors, numbers)


async def leave(connection: asyncpg.Connection, node_id: int, epoch: int) -> None:
    """Say that this life ended in order: whoever takes over need not wait."""
    await connection.execute(CLUSTER_SQL["leave"], node_id, epoch, LEASE_S)
