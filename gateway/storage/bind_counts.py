"""Binds of logins over several nodes, as rows: one typed function a statement of statements/bind_counts.sql.

Source: decision 0018. Whose lease stands is asked by the database's clock (architecture 5).
What must not enter: who is let in otherwise (gateway/ingress).
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from gateway.lease import LEASE_S
from gateway.storage.named_statements import load_statements

_SQL = load_statements("bind_counts.sql")

Counts = tuple[int, int, int]  # transmitters, receivers, transceivers


async def claim_bind(
    connection: asyncpg.Connection,
    esme_id: int,
    node: tuple[int, int],
    counts: Counts,
    bind_type: int,
    most: tuple[int, int],
) -> bool:
    """Whether a login may have so many binds on a node (node_id, epoch), one of bind_type (its place in Counts) new.

    most: in all, and of this type. True: it is stored, and counts on every node from now on.
    """
    async with connection.transaction():
        await connection.fetch(_SQL["lock_binds"], esme_id)
        claimed = await connection.fetchval(_SQL["claim_bind"], esme_id, *node, *counts, bind_type, *most, LEASE_S)
    return claimed is not None


async def tell_binds(connection: asyncpg.Connection, node: tuple[int, int], counts: Mapping[int, Counts]) -> None:
    """Store how many binds logins (esme_id) have on a node now."""
    columns = list(zip(*counts.values(), strict=True))
    await connection.execute(_SQL["tell_binds"], *node, list(counts), *map(list, columns))
