"""Moves of credit that people make: asked for, approved by a second person, or ended; each in its caller's transaction.

Source: promise P3, decision 0021. Whether a second person is needed follows from what one person moves alone in a day.
Refusals are words of MoveRefusal; after one, the caller undoes its transaction.
What must not enter: who has which permission and what is audited (admin_api), SQL.
"""

from __future__ import annotations

from typing import Literal

import asyncpg
import msgspec

from gateway.ledger import move_states
from gateway.ledger.move_states import MoveEvent
from gateway.storage import credit_moves as rows
from gateway.storage.credit_moves import MoveRow, NewMove
from gateway.storage.notices import tell

MoveRefusal = Literal[
    "account_unknown",
    "key_mismatch",
    "order_in_approval",
    "not_proposed",
    "expired",
    "same_person",
    "order_not_paid",
    "account_closed",
    "payer_not_active",
    "insufficient_credit",
    "balance_too_high",
]
Facts = dict[str, str | int]  # of a notice
By = tuple[int | None, str]  # a user's id (None: a person at the command line) and name


class Asked(msgspec.Struct, frozen=True):
    """A move that was asked for. replayed: under this key it was asked before, and this is that one."""

    move: MoveRow
    replayed: bool


async def ask(connection: asyncpg.Connection, new: NewMove) -> Asked | MoveRefusal:
    """Write a move down, and apply it at once where no second person is needed."""
    move_id = await rows.propose_move(connection, new)
    if move_id is None:
        return await _asked_before(connection, new)
    move = await _load(connection, move_id)
    if move.alone:
        outcome = await rows.apply_move(connection, move_id, new.proposed_by_id, new.proposed_by)
        return Asked(await _load(connection, move_id), False) if outcome == "applied" else outcome
    facts: Facts = {"account": move.account, "credits": move.amount_micros, "reason": move.reason}
    facts["asked_by"] = move.proposed_by
    await tell(connection, event="credit.waiting", account_id=move.account_id, facts=facts)
    return Asked(move, False)


async def approve(connection: asyncpg.Connection, move_id: int, by: By) -> MoveRefusal | None:
    """Apply what somebody else proposed; None: done."""
    outcome = await rows.apply_move(connection, move_id, *by)
    return None if outcome == "applied" else outcome


async def end(
    connection: asyncpg.Connection, move: MoveRow, event: MoveEvent, by: By, reason: str = ""
) -> MoveRefusal | None:
    """Decline what somebody else proposed, or withdraw one's own; None: done."""
    own = move.proposed_by_id is not None and move.proposed_by_id == by[0]
    if own != (event == "withdraw"):
        return "same_person"
    ended = await rows.end_move(connection, move.move_id, move_states.ends(event), by, reason)
    return None if ended else "not_proposed"


async def withdraw_of_order(connection: asyncpg.Connection, order_id: int, by: By) -> None:
    """Take back what was proposed for an order that changes."""
    await rows.withdraw_moves_of_order(connection, order_id, move_states.ends("withdraw"), by)


async def expire(connection: asyncpg.Connection) -> int:
    """End what nobody decided in time; how many."""
    return await rows.expire_moves(connection, move_states.ends("expire"))


async def _asked_before(connection: asyncpg.Connection, new: NewMove) -> Asked | MoveRefusal:
    found = await rows.find_move_by_key(connection, new.proposed_by_id, new.idempotency_key)
    if found is not None:
        return Asked(found, True) if found.body_hash == new.body_hash else "key_mismatch"
    return "account_unknown" if new.order_id is None else "order_in_approval"


async def _load(connection: asyncpg.Connection, move_id: int) -> MoveRow:
    move = await rows.find_move(connection, move_id, None)
    assert move is not None
    return move
