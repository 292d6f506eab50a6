"""Typed functions over statements/api_messages.sql: what customers read over HTTP, by account first.

A page looks at a bounded number of rows, whatever its filter: partitions are read backwards by their primary key.
What must not enter: how it is shown (admin_api), any write.
"""

from __future__ import annotations

from typing import Final

import asyncpg
import msgspec

from gateway.message import Message
from gateway.storage.messages import read_message
from gateway.storage.named_statements import load_statements

SCANNED_A_PAGE: Final = 20_000  # chosen: rows that a page with a filter looks at, some 20 ms

_SQL = load_statements("api_messages.sql")


class MessageFilter(msgspec.Struct, frozen=True):
    """Which messages: ids from first_id on, in these states (None: all), to these digits (None: all)."""

    first_id: int
    states: tuple[str, ...] | None
    destination: str | None


async def page_of_messages(
    connection: asyncpg.Connection, account_id: int, before_id: int, wanted: MessageFilter, limit: int
) -> tuple[list[Message], int | None]:
    """Messages of an account below an id, newest first, and below which id the next page begins; None: the end."""
    filtered = wanted.states is not None or wanted.destination is not None
    looked_at = SCANNED_A_PAGE if filtered else limit
    states = None if wanted.states is None else list(wanted.states)
    span = (account_id, before_id, wanted.first_id)
    found = await connection.fetch(_SQL["page_of_messages"], *span, states, wanted.destination, limit, looked_at)
    messages = [read_message(dict(row)) for row in found]
    if len(messages) == limit:
        return messages, messages[-1].message_id
    if not filtered:
        return messages, None
    edge = await connection.fetchrow(_SQL["edge_of_page"], *span, looked_at)
    assert edge is not None
    return messages, edge["last_id"] if edge["looked_at"] == looked_at else None


async def find_message(connection: asyncpg.Connection, account_id: int, message_id: int) -> Message | None:
    """One message of an account."""
    row = await connection.fetchrow(_SQL["find_message"], account_id, message_id)
    return None if row is None else read_message(dict(row))


async def page_of_postings(
    connection: asyncpg.Connection, account_id: int, before_id: int, kind: str | None, limit: int
) -> list[asyncpg.Record]:
    """posting_id, kind, from_purse, to_purse, amount_micros, message_count, reason, posted_at, newest first."""
    return await connection.fetch(_SQL["page_of_postings"], account_id, before_id, kind, limit)


async def balance(connection: asyncpg.Connection, account_id: int) -> tuple[int, int]:
    """balance_micros and credit_limit_micros."""
    row = await connection.fetchrow(_SQL["balance"], account_id)
    assert row is not None
    return row["balance_micros"], row["credit_limit_micros"]
