"""Typed functions over statements/credit_moves.sql: moves of credit that people make.

Credit moves inside the database's function apply_credit_move and nowhere else; what it answers is a value.
What must not enter: who may propose or decide (admin_api), which event leads where (gateway.ledger.move_states).
"""

from __future__ import annotations

import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

MOVE_LIMIT_MICROS: Final = 1_000_000_000 * 1_000_000  # chosen: of one move; what is more is a slip of the hand
LAST_ID: Final = 2**63 - 1

MoveKind = Literal["top_up", "adjustment", "refund", "credit_limit", "transfer"]
# What apply_credit_move answers.
Applied = Literal[
    "applied",
    "not_proposed",
    "expired",
    "same_person",
    "order_not_paid",
    "account_closed",
    "payer_not_active",
    "insufficient_credit",
    "balance_too_high",
]

_SQL = load_statements("credit_moves.sql")


class NewMove(msgspec.Struct, frozen=True, kw_only=True):
    """A move as somebody asks for it. amount_micros: what the balance changes by; of credit_limit: the new limit.

    proposed_by_id None: a person at the command line. payer_id: of a transfer. whole_alone: nobody else is ever needed.
    """

    account_id: int
    kind: MoveKind
    amount_micros: int
    reason: str
    proposed_by_id: int | None
    proposed_by: str
    payer_id: int | None = None
    order_id: int | None = None
    idempotency_key: str = ""
    body_hash: bytes = b""
    expires_in_h: int = 72
    whole_alone: bool = False
    alone_up_to_micros: int = 0


class MoveRow(msgspec.Struct, frozen=True):
    """A move as it stands, with the names of its accounts."""

    move_id: int
    account_id: int
    account: str
    kind: MoveKind
    amount_micros: int
    payer: str | None
    order_id: int | None
    reason: str
    alone: bool
    state: Literal["proposed", "applied", "declined", "withdrawn", "expired"]
    proposed_by_id: int | None
    proposed_by: str
    proposed_at: datetime.datetime
    expires_at: datetime.datetime
    decided_by: str
    decided_at: datetime.datetime | None
    decision: str
    posting_id: int | None
    body_hash: bytes


async def propose_move(connection: asyncpg.Connection, new: NewMove) -> int | None:
    """The id of the new move; None: asked before under this key, its order has a living one, or no such account."""
    await connection.execute(_SQL["lock_proposer"], new.proposed_by_id or 0)
    move_id: int | None = await connection.fetchval(
        _SQL["propose_move"],
        *(new.account_id, new.kind, new.amount_micros, new.payer_id, new.order_id, new.reason),
        *(new.proposed_by_id, new.proposed_by, new.idempotency_key, new.body_hash, new.expires_in_h),
        *(new.whole_alone, new.alone_up_to_micros),
    )
    return move_id


async def apply_move(connection: asyncpg.Connection, move_id: int, by_id: int | None, by_name: str) -> Applied:
    """Move the credit of a proposed move, or say why not; then nothing has changed."""
    answer: Applied = await connection.fetchval(_SQL["apply_move"], move_id, by_id, by_name)
    return answer


async def end_move(
    connection: asyncpg.Connection,
    move_id: int,
    states: tuple[list[str], str],
    by: tuple[int | None, str],
    decision: str,
) -> bool:
    """Put an open move in a state where it moves nothing. states: those before, the one after. False: not open."""
    found = await connection.fetchval(_SQL["end_move"], move_id, *states, *by, decision)
    return found is not None


async def withdraw_moves_of_order(
    connection: asyncpg.Connection, order_id: int, states: tuple[list[str], str], by: tuple[int | None, str]
) -> None:
    """Take back what was proposed for an order."""
    await connection.execute(_SQL["withdraw_moves_of_order"], order_id, *states, *by)


async def expire_moves(connection: asyncpg.Connection, states: tuple[list[str], str]) -> int:
    """End what nobody decided in time; how many."""
    return len(await connection.fetch(_SQL["expire_moves"], *states))


async def find_move(connection: asyncpg.Connection, move_id: int, seen: list[int] | None) -> MoveRow | None:
    """One move of the accounts that may be seen (None: all)."""
    row = await connection.fetchrow(_SQL["find_move"], move_id, seen)
    return None if row is None else MoveRow(*row)


async def find_move_by_key(connection: asyncpg.Connection, by_id: int | None, key: str) -> MoveRow | None:
    """What a person asked under an idempotency key."""
    move_id = await connection.fetchval(_SQL["find_move_by_key"], by_id or 0, key)
    return None if move_id is None else await find_move(connection, move_id, None)


async def page_of_moves(
    connection: asyncpg.Connection,
    seen: list[int] | None,
    filters: tuple[int | None, str | None],
    before_id: int,
    limit: int,
) -> list[MoveRow]:
    """Moves below an id, newest first. filters: one account, one state."""
    rows = await connection.fetch(_SQL["page_of_moves"], seen, *filters, before_id, limit)
    return [MoveRow(*row) for row in rows]


async def accounts_from(connection: asyncpg.Connection, account_id: int) -> list[int]:
    """An account and all that are below it."""
    return [row["account_id"] for row in await connection.fetch(_SQL["accounts_from"], account_id)]


async def find_funds(connection: asyncpg.Connection, account_id: int, seen: list[int] | None) -> tuple[int, int] | None:
    """balance_micros and credit_limit_micros of one account of those that may be seen (None: all)."""
    row = await connection.fetchrow(_SQL["find_funds"], account_id, seen)
    return None if row is None else (row["balance_micros"], row["credit_limit_micros"])
