"""Typed functions over statements/messages.sql: one function a statement, rows in, values out.

What belongs here: laying values out as columns and reading rows back as Message.
What must not enter: decisions, retries, transactions (group_commit.py owns those of the hot path).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import msgspec

from gateway.message import Envelope, InboundMessage, Message, ParkedReceipt
from gateway.storage.named_statements import load_statements

MESSAGE_SQL = load_statements("messages.sql")
ACCEPT = MESSAGE_SQL["accept"]
SETTLE = MESSAGE_SQL["settle"]

encode_envelope = msgspec.msgpack.Encoder().encode
decode_envelope = msgspec.msgpack.Decoder(Envelope).decode


def accept_columns(messages: list[Message], opened: list[bool], journal_id: int) -> list[object]:
    """The arguments of the statement `accept` after its first three. opened: which attempts the journal names."""
    handed_to = [m.handed_to for m in messages]
    return [
        journal_id,
        [m.account_id for m in messages],
        [m.message_id for m in messages],
        [m.esme_id for m in messages],
        [m.connector_id for m in messages],
        [m.route_id for m in messages],
        [m.traffic_class for m in messages],
        [m.part_count for m in messages],
        [m.data_coding for m in messages],
        [m.price_micros for m in messages],
        [m.expires_at_ms for m in messages],
        [m.not_before_ms for m in messages],
        [m.source_addr for m in messages],
        [m.destination_addr for m in messages],
        [m.route_why for m in messages],
        [m.user_data for m in messages],
        [encode_envelope(m.envelope) for m in messages],
        [m.notify for m in messages],
        opened,
        list({m.account_id for m in messages}),
        max((m.message_id for m in messages), default=0),
        handed_to if any(handed_to) else [],
    ]


def read_message(fields: dict[str, Any]) -> Message:
    """A message from the columns of its row."""
    fields["envelope"] = decode_envelope(fields["envelope"])
    fields["refused_by"] = tuple(fields["refused_by"])
    return Message(**fields)


async def claim_position(
    connection: asyncpg.Connection, node_id: int, stream: str, epoch: int
) -> tuple[int, int] | None:
    """The number a stream has reached now, and the last batch it committed; no other statement up to that number
    commits from here on. None: the epoch is no longer the node's.
    """
    row = await connection.fetchrow(MESSAGE_SQL["claim_position"], node_id, stream, epoch)
    return None if row is None else (row["batch"], row["committed"])


async def stored_ids(connection: asyncpg.Connection, messages: list[Message]) -> frozenset[int]:
    """Which of these messages are in the database."""
    accounts, ids = list({m.account_id for m in messages}), [m.message_id for m in messages]
    found = await connection.fetch(MESSAGE_SQL["stored_ids"], accounts, ids)
    return frozenset(row["message_id"] for row in found)


async def held_ids(connection: asyncpg.Connection, messages: list[Message]) -> frozenset[int]:
    """Which of these messages still have their hold open."""
    accounts, ids = list({m.account_id for m in messages}), [m.message_id for m in messages]
    found = await connection.fetch(MESSAGE_SQL["held_ids"], accounts, ids)
    return frozenset(row["message_id"] for row in found)


async def open_attempts(
    connection: asyncpg.Connection, node_id: int, epoch: int, journal_id: int, messages: list[Message]
) -> bool:
    """Commit a journal of attempts; False when this epoch is no longer the node's."""
    accounts, ids = [m.account_id for m in messages], [m.message_id for m in messages]
    sends = [m.sends for m in messages]
    row = await connection.fetchrow(MESSAGE_SQL["open_attempts"], node_id, journal_id, accounts, ids, epoch, sends)
    return row is not None


async def load_messages(connection: asyncpg.Connection, keys: Iterable[tuple[int, int]]) -> dict[int, Message]:
    """Rows by (account_id, message_id), as a mapping by message_id; absent ones are left out."""
    pairs = list(keys)
    found = await connection.fetch(
        MESSAGE_SQL["load_messages"], list({account for account, _ in pairs}), [message for _, message in pairs]
    )
    return {row["message_id"]: read_message(dict(row)) for row in found}


async def queued_accounts(
    connection: asyncpg.Connection, connector_id: int, lane: int, from_id: int, node_id: int
) -> list[tuple[int, int]]:
    """(account_id, first message_id) of every account with messages of a node that wait, from an id on."""
    found = await connection.fetch(MESSAGE_SQL["queued_accounts"], connector_id, lane, from_id, node_id)
    return [(row["account_id"], row["message_id"]) for row in found]


async def queued_rows(
    connection: asyncpg.Connection,
    connector_id: int,
    lane: int,
    account_ids: list[int],
    from_ids: list[int],
    most: list[int],
    node_id: int,
) -> list[Message]:
    """A node's messages that wait: of each account at most so many, from its id on, in order of acceptance."""
    asked = (connector_id, lane, account_ids, from_ids, most, node_id)
    found = await connection.fetch(MESSAGE_SQL["queued_rows"], *asked)
    return [read_message(dict(row)) for row in found]


class Journal(msgspec.Struct):
    """A row of open_attempts: which writing (sends) of which messages may be on a wire."""

    journal_id: int
    account_ids: list[int]
    message_ids: list[int]
    sends: list[int]


async def open_journals(connection: asyncpg.Connection, node_id: int, before_id: int) -> list[Journal]:
    """Journals that former lives of a node left, oldest first."""
    return [Journal(*row) for row in await connection.fetch(MESSAGE_SQL["open_journals"], node_id, before_id)]


async def release_claims(connection: asyncpg.Connection, epoch: int, is_held: Callable[[int], bool]) -> int:
    """Give back what this life claimed without hearing of it; is_held: whether a message id is in memory. How many."""
    rows = await connection.fetch(MESSAGE_SQL["held_claims"], epoch)
    lost = [(row["account_id"], row["message_id"]) for row in rows if not is_held(row["message_id"])]
    if lost:
        await connection.execute(MESSAGE_SQL["release_claims"], [a for a, _ in lost], [m for _, m in lost])
    return len(lost)


async def claim_delayed(
    connection: asyncpg.Connection, now_ms: int, claim: int, limit: int, node_id: int
) -> list[tuple[int, int]]:
    """Take up (account_id, message_id) of postponed messages whose time has come, for one life of a node."""
    found = await connection.fetch(MESSAGE_SQL["claim_delayed"], now_ms, claim, limit, node_id)
    return [(row["account_id"], row["message_id"]) for row in found]


async def overdue(
    connection: asyncpg.Connection, after_ms: int, until_ms: int, states: tuple[str, ...], limit: int, node_id: int
) -> list[Message]:
    """A node's messages in one of these states although their validity ended in this span, first ended first."""
    found = await connection.fetch(MESSAGE_SQL["overdue"], after_ms, until_ms, list(states), limit, node_id)
    return [read_message(dict(row)) for row in found]


async def find_smsc_ids(
    connection: asyncpg.Connection, connector_id: int, keys: list[str], from_id: int
) -> list[asyncpg.Record]:
    """Rows of smsc_ids whose key is one of these, not older than a message id."""
    return list(await connection.fetch(MESSAGE_SQL["find_smsc_ids"], connector_id, keys, from_id))


def _parked(row: asyncpg.Record) -> ParkedReceipt:
    return ParkedReceipt(**{name: row[name] for name in ParkedReceipt.__struct_fields__})


async def load_parked(connection: asyncpg.Connection, since_ms: int, limit: int, node_id: int) -> list[ParkedReceipt]:
    """A node's parked receipts not older than a time, oldest first."""
    return [_parked(row) for row in await connection.fetch(MESSAGE_SQL["load_parked"], since_ms, limit, node_id)]


async def parked_after(
    connection: asyncpg.Connection, connector_id: int, after_id: int, limit: int, node_id: int
) -> list[ParkedReceipt]:
    """A node's parked receipts of a connector after a parked id, oldest first."""
    found = await connection.fetch(MESSAGE_SQL["parked_after"], connector_id, after_id, limit, node_id)
    return [_parked(row) for row in found]


async def load_dresses(connection: asyncpg.Connection) -> dict[int, str]:
    """What was learnt of the dress of each connector's ids."""
    return {row["connector_id"]: row["dress"] for row in await connection.fetch(MESSAGE_SQL["load_dresses"])}


async def attempts_elsewhere(
    connection: asyncpg.Connection, node_id: int, connector_id: int, handsets: list[str]
) -> list[Message]:
    """Messages that nodes other than this one may have on a wire, by no id known."""
    rows = await connection.fetch(MESSAGE_SQL["attempts_elsewhere"], node_id, connector_id, handsets)
    return [read_message(dict(row)) for row in rows]


async def forwarded_to(connection: asyncpg.Connection, node_id: int, limit: int) -> list[asyncpg.Record]:
    """Receipts that other nodes received for a node's messages, oldest first."""
    return list(await connection.fetch(MESSAGE_SQL["forwarded_to"], node_id, limit))


async def bury_parked(connection: asyncpg.Connection, before_ms: int, forget_before_ms: int) -> int:
    """Give up parked receipts older than a time, and forget those older than another; how many were given up."""
    return len(await connection.fetch(MESSAGE_SQL["bury_parked"], before_ms, forget_before_ms))


async def waiting_of_esme(
    connection: asyncpg.Connection, esme_id: int, edge_id: int, limit: int, node_id: int, newest_first: bool = False
) -> list[asyncpg.Record]:
    """What a node owes an ESME, oldest first after a message id, or newest first before it."""
    statement = MESSAGE_SQL["newest_waiting_of_esme"] if newest_first else MESSAGE_SQL["waiting_of_esme"]
    return list(await connection.fetch(statement, esme_id, edge_id, limit, node_id))


async def esmes_with_rows(connection: asyncpg.Connection, esme_ids: list[int], node_id: int) -> list[int]:
    """Which of these ESMEs a node owes something that is a row."""
    return [row["esme_id"] for row in await connection.fetch(MESSAGE_SQL["esmes_with_rows"], esme_ids, node_id)]


async def waiting_overdue(
    connection: asyncpg.Connection, now_ms: int, limit: int, node_id: int
) -> list[asyncpg.Record]:
    """What a node owed for too long."""
    return list(await connection.fetch(MESSAGE_SQL["waiting_overdue"], now_ms, limit, node_id))


async def owed_receipts(
    connection: asyncpg.Connection, account_ids: list[int], from_id: int, limit: int, node_id: int
) -> list[Message]:
    """A node's final messages whose receipt nobody has taken and nobody keeps for later."""
    found = await connection.fetch(MESSAGE_SQL["owed_receipts"], account_ids, from_id, limit, node_id)
    return [read_message(dict(row)) for row in found]


def _inbound(row: asyncpg.Record) -> InboundMessage:
    return InboundMessage(**{name: row[name] for name in InboundMessage.__struct_fields__})


async def load_inbound(connection: asyncpg.Connection, ids: list[int]) -> dict[int, InboundMessage]:
    """Inbound messages by id."""
    return {row["message_id"]: _inbound(row) for row in await connection.fetch(MESSAGE_SQL["load_inbound"], ids)}


async def due_inbound(connection: asyncpg.Connection, after_id: int, limit: int, node_id: int) -> list[InboundMessage]:
    """A node's inbound messages that their ESME has not taken, oldest first."""
    return [_inbound(row) for row in await connection.fetch(MESSAGE_SQL["due_inbound"], after_id, limit, node_id)]


async def move_marks(connection: asyncpg.Connection, node_id: int, marks: dict[tuple[int, int], int]) -> None:
    """Remember, by connector id and lane, below which message id nothing waits in this node."""
    connectors, lanes = [connector for connector, _ in marks], [lane for _, lane in marks]
    await connection.execute(MESSAGE_SQL["move_marks"], node_id, connectors, lanes, list(marks.values()))


async def load_marks(connection: asyncpg.Connection, node_id: int) -> dict[tuple[int, int], int]:
    """Where the queues of this node begin, by connector id and lane."""
    found = await connection.fetch(MESSAGE_SQL["load_marks"], node_id)
    return {(row["connector_id"], row["lane"]): row["queued_from_id"] for row in found}
