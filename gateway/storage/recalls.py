"""Typed functions over statements/recalls.sql: messages that customers ask about again, and the one write beside the
streams: replacing a message that no node holds.

What belongs here: laying values out and reading rows back. What must not enter: who may ask, which message may still
be changed (gateway.recall).
"""

from __future__ import annotations

from typing import Literal

import asyncpg
import msgspec

from gateway.message import Message
from gateway.storage.database import CONNECTION_FAULTS
from gateway.storage.group_commit import OutcomeUnknown
from gateway.storage.messages import encode_envelope, read_message
from gateway.storage.named_statements import load_statements

RECALL_SQL = load_statements("recalls.sql")
PARKED_WHY = "being replaced"  # of a row of `delayed` that was made for the replacing only

Replaced = Literal["replaced", "no_credit", "held"]


class FoundRow:
    """A message's row, and where it waits: postponed: in `delayed`; unclaimed: no node has it in memory for that.

    holder_node: the node that alone may change it.
    """

    __slots__ = ("holder_node", "message", "postponed", "unclaimed")

    def __init__(self, row: asyncpg.Record) -> None:
        fields = dict(row)
        self.postponed: bool = fields.pop("postponed")
        self.unclaimed: bool = fields.pop("unclaimed")
        self.holder_node: int = fields.pop("holder_node")
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
    except asyncpg.DeadlockDetectedError:  # the statement's order of locks forbids it; if ever, the batch went on
        return "held"
    except CONNECTION_FAULTS as fault:
        if isinstance(fault, asyncpg.PostgresError) and not connection.is_closed() and fault.sqlstate[:2] != "57":
            raise  # PostgreSQL itself said no
        raise OutcomeUnknown(str(fault)) from fault
    assert row is not None
    if row["changed"]:
        return "replaced"
    return "no_credit" if row["too_poor"] else "held"


class Wish(msgspec.Struct):
    """What another node asks of this one. changes: as that node wrote them; None: cancel the message."""

    wish_id: int
    account_id: int
    message_id: int
    changes: bytes | None


async def make_wish(connection: asyncpg.Connection, holder_node: int, message: Message, changes: bytes | None) -> int:
    """Ask the node that holds a message to change it; the wish's id."""
    wish_id: int = await connection.fetchval(
        RECALL_SQL["make_wish"], holder_node, message.account_id, message.message_id, changes
    )
    return wish_id


async def wish_outcome(connection: asyncpg.Connection, wish_id: int) -> str | None:
    """What became of a wish; None: nothing yet."""
    outcome: str | None = await connection.fetchval(RECALL_SQL["wish_outcome"], wish_id)
    return outcome


async def drop_wish(connection: asyncpg.Connection, wish_id: int) -> None:
    """Forget a wish."""
    await connection.execute(RECALL_SQL["drop_wish"], wish_id)


async def open_wishes(connection: asyncpg.Connection, node_id: int, limit: int) -> list[Wish]:
    """What other nodes ask of a node and was not answered, oldest first."""
    return [Wish(*row) for row in await connection.fetch(RECALL_SQL["open_wishes"], node_id, limit)]


async def answer_wish(connection: asyncpg.Connection, wish_id: int, outcome: str) -> None:
    """Tell the asker."""
    await connection.execute(RECALL_SQL["answer_wish"], wish_id, outcome)
