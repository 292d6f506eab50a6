"""Typed functions over statements/recalls.sql: messages that customers ask about again, and the one write beside the
streams: replacing a message that no node holds.

What belongs here: laying values out and reading rows back. What must not enter: who may ask, which message may still
be changed (gateway.recall).
"""

from __future__ import annotations

from typing import Literal

import asyncpg

from gateway.message import Message
from gateway.storage.database import CONNECTION_FAULTS
from gateway.storage.group_commit import OutcomeUnknown
from gateway.storage.messages import encode_envelope, read_message
from gateway.storage.named_statements import load_statements

RECALL_SQL = load_statements("recalls.sql")
PARKED_WHY = "being replaced"  # of a row of `delayed` that was made for the replacing only

Replaced = Literal["replaced", "no_credit", "held"]


class FoundRow:
    """A message's row, and where it waits: postponed: in `delayed`; unclaimed: no node has it in memory for that."""

    __slots__ = ("message", "postponed", "unclaimed")

    def __init__(self, row: asyncpg.Record) -> None:
        fields = dict(row)
        self.postponed: bool = fields.pop("postponed")
        self.unclaimed: bool = fields.pop("unclaimed")
        self.message = read_message(fields)


async def find_message(connection: asyncpg.Connection, account_id: int, message_id: int) -> FoundRow | None:
    """One message of an account."""
    row = await connection.fetchrow(RECALL_SQL["find_message"], account_id, message_id)
    return None if row is None else FoundRow(row)


async def find_between(connection: asyncpg.Connection, account_id: int, first: int, last: int) -> list[Message]:
    """Messages of an account between two ids, both included."""
    found = await connection.fetch(RECALL_SQL["find_between"], account_id, first, last)
    return [read_message(dict(row)) for row in found]


async def find_waiting(
    connection: asyncpg.Connection, account_id: int, destination_addr: str, after_id: int, limit: int
) -> list[Message]:
    """Messages of an account to a number that wait to be sent, oldest first, after an id."""
    found = await connection.fetch(RECALL_SQL["find_waiting"], account_id, destination_addr, after_id, limit)
    return [read_message(dict(row)) for row in found]


async def replace_message(
    connection: asyncpg.Connection, before: Message, after: Message, due_at_ms: int, now_ms: int
) -> Replaced:
    """Store `after` in place of `before`, as it was read. due_at_ms: a new schedule, 0 for none.

    "held": some node holds the message, or it changed since it was read: nothing was done. Raises OutcomeUnknown when
    the answer was lost, and what else a connection may raise where surely nothing was done.
    """
    extra_micros = after.price_micros - before.price_micros
    arguments = (
        before.account_id,
        before.message_id,
        before.revision,
        after.part_count,
        after.data_coding,
        after.price_micros,
        after.expires_at_ms,
        after.not_before_ms,
        after.user_data,
        encode_envelope(after.envelope),
        after.notify,
        extra_micros,
        due_at_ms,
        now_ms,
        PARKED_WHY,
    )
    try:
        row = await connection.fetchrow(RECALL_SQL["replace_message"], *arguments)
    except CONNECTION_FAULTS as fault:
        if isinstance(fault, asyncpg.PostgresError) and not connection.is_closed() and fault.sqlstate[:2] != "57":
            raise  # PostgreSQL itself said no
        raise OutcomeUnknown(str(fault)) from fault
    assert row is not None
    if row["changed"]:
        return "replaced"
    return "no_credit" if row["too_poor"] else "held"
