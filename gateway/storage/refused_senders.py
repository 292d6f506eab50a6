"""Pairs of a carrier and a sender that it refused: one typed function for each statement of refused_senders.sql.

What belongs here: rows that nodes write when a carrier refuses a sender for the fifth time, and operators take away.
What must not enter: counting (gateway.sender_refusals), routing.
"""

from __future__ import annotations

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

SENDER_SQL = load_statements("refused_senders.sql")


class RefusedSenderRow(msgspec.Struct, frozen=True, gc=False):
    """A sender (case-folded) that is not sent over this connector any more."""

    connector_id: int
    sender: str


async def load_refused_senders(connection: asyncpg.Connection) -> list[RefusedSenderRow]:
    """Every disabled pair."""
    return [RefusedSenderRow(*row) for row in await connection.fetch(SENDER_SQL["load_refused_senders"])]


async def allow_sender(connection: asyncpg.Connection, connector_id: int, sender: str) -> str | None:
    """Let a sender go over a carrier again; the status it was refused with, None when it was not disabled."""
    found: str | None = await connection.fetchval(SENDER_SQL["allow_sender"], connector_id, sender.casefold())
    return found
