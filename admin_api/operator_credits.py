"""/v1/admin/credits, /v1/admin/transfers: operators move credit, and a second one looks at what is large.

Source: promise P3, decision 0021. What a reseller sees and gives to is his own account and what is below it; whatever
else is not found. Each change is an audit row of its own transaction.
What must not enter: what moves credit (gateway.ledger, function apply_credit_move), orders (operator_credit_orders.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from admin_api.credit_orders import format_moment, read_id
from admin_api.idempotency import REPLAYED, hash_body
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_credits import (
    CreditMove,
    CreditMoves,
    Decide,
    ListMoves,
    MoveCredit,
    Transfer,
    read_amount,
)
from admin_api.models_money import Balance, ListPostings, Postings
from admin_api.money import describe_posting
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.ledger import moves, orders
from gateway.ledger.move_states import MoveEvent
from gateway.ledger.moves import Asked, MoveRefusal
from gateway.storage import api_messages
from gateway.storage import credit_moves as rows
from gateway.storage.audit import record
from gateway.storage.credit_moves import LAST_ID, MoveRow, NewMove
from telecom.money import MICROS_PER_CREDIT, format_credits

LIST: Final = "credits"
LEDGER: Final = "account ledger"
OF_REFUSAL: Final[dict[MoveRefusal, str]] = {
    "account_unknown": "not_found",
    "key_mismatch": "idempotency_mismatch",
    "order_in_approval": "order_in_approval",
    "order_not_paid": "order_state",
    "not_proposed": "move_decided",
    "expired": "move_decided",
    "same_person": "second_person_needed",
    "account_closed": "account_closed",
    "payer_not_active": "account_suspended",
    "insufficient_credit": "insufficient_credit",
    "balance_too_high": "balance_too_high",
}


async def move(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credits."""
    asked: MoveCredit = call.body
    amount = asked.amount()
    assert isinstance(amount, int)  # the model saw to it
    new = new_move(service, call, int(asked.account_id), asked.kind, amount, asked.reason)
    return await service.writer.run(lambda connection: ask(connection, call, new))


async def transfer(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/transfers."""
    asked: Transfer = call.body
    amount, payee_id, payer_id = read_amount(asked.credits), int(asked.account_id), call.operator.account_id
    assert isinstance(amount, int)
    new = new_move(service, call, payee_id, "transfer", amount, asked.reason, payer_id=payer_id)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if payer_id is None or payee_id == payer_id or payee_id not in (await seen_by(connection, call) or ()):
            return Problem("not_found")
        return await ask(connection, call, new)

    return await service.writer.run(work)


async def approve(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credits/{id}/approve."""

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        before = await _find(connection, call)
        if before is None:
            return Problem("not_found")
        refusal = await moves.approve(connection, before.move_id, (call.operator.user_id, call.operator.name))
        if refusal is None and before.order_id is not None:
            await orders.tell_credited(connection, before)
        return await _decided(connection, call, before, refusal, "approved")

    return await service.writer.run(work)


async def decline(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credits/{id}/decline."""
    asked: Decide = call.body
    return await _end(service, call, "decline", "declined", asked.reason.strip())


async def withdraw(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credits/{id}/withdraw."""
    return await _end(service, call, "withdraw", "withdrawn", "")


async def _end(service: Service, call: Call, event: MoveEvent, done: str, reason: str) -> Answer | Problem:
    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        before = await _find(connection, call)
        if before is None:
            return Problem("not_found")
        by = (call.operator.user_id, call.operator.name)
        refusal = await moves.end(connection, before, event, by, reason)
        if refusal == "same_person" and event == "withdraw":
            return Problem("not_own_proposal")
        return await _decided(connection, call, before, refusal, done)

    return await service.writer.run(work)


async def _decided(
    connection: asyncpg.Connection, call: Call, before: MoveRow, refusal: MoveRefusal | None, done: str
) -> Answer | Problem:
    after = await rows.find_move(connection, before.move_id, None)
    assert after is not None
    if refusal is not None:
        return Problem(OF_REFUSAL[refusal], more={"state": "expired" if refusal == "expired" else after.state})
    told, subject = describe(after), f"credit_move:{after.move_id}"
    was, whose = {"state": before.state}, after.account_id
    await record(connection, call, action=f"credits.{done}", subject=subject, before=was, after=told, account_id=whose)
    return Answer(told)


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/credits/{id}."""
    found = await service.writer.read(lambda connection: _find(connection, call))
    return Problem("not_found") if found is None else Answer(describe(found))


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/credits."""
    asked: ListMoves = call.query
    filters = (None if asked.account_id is None else int(asked.account_id), asked.state)
    before_id = read_place(service, call, LIST, list(filters), asked.cursor)
    if isinstance(before_id, Problem):
        return before_id

    async def read(connection: asyncpg.Connection) -> list[MoveRow]:
        return await rows.page_of_moves(connection, await seen_by(connection, call), filters, before_id, asked.limit)

    page = await service.writer.read(read)
    cursor = None
    if len(page) == asked.limit:
        cursor = service.cursors.make(-call.operator.user_id, LIST, list(filters), page[-1].move_id)
    return Answer(CreditMoves([describe(each) for each in page], cursor))


# ---------------------------------------------------------------- what an account has


async def show_balance(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}/balance."""
    account_id = read_id(call.path["id"])
    found = await service.writer.read(lambda connection: _funds(connection, call, account_id))
    if found is None:
        return Problem("not_found")
    balance, limit = found
    return Answer(Balance(format_credits(balance), format_credits(limit), format_credits(balance + limit)))


async def show_ledger(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}/ledger."""
    asked: ListPostings = call.query
    account_id = read_id(call.path["id"])
    filters = [account_id, asked.kind]
    before_id = read_place(service, call, LEDGER, filters, asked.cursor)
    if isinstance(before_id, Problem):
        return before_id

    async def read(connection: asyncpg.Connection) -> list[asyncpg.Record] | None:
        if account_id is None or await _funds(connection, call, account_id) is None:
            return None
        return await api_messages.page_of_postings(connection, account_id, before_id, asked.kind, asked.limit)

    page = await service.writer.read(read)
    if page is None:
        return Problem("not_found")
    cursor = None
    if len(page) == asked.limit:
        cursor = service.cursors.make(-call.operator.user_id, LEDGER, filters, page[-1]["posting_id"])
    return Answer(Postings([describe_posting(row) for row in page], cursor))


async def _funds(connection: asyncpg.Connection, call: Call, account_id: int | None) -> tuple[int, int] | None:
    if account_id is None or account_id > LARGEST_ACCOUNT_ID:
        return None
    return await rows.find_funds(connection, account_id, await seen_by(connection, call))


LARGEST_ACCOUNT_ID: Final = 2**31 - 1  # schema: integer


# ---------------------------------------------------------------- what the side of orders shares


async def seen_by(connection: asyncpg.Connection, call: Call) -> list[int] | None:
    """The accounts that an operator sees: a reseller his own and those below it; None: all."""
    own = call.operator.account_id
    return None if own is None else await rows.accounts_from(connection, own)


def read_place(
    service: Service, call: Call, list_name: str, filters: Sequence[object], cursor: str | None
) -> int | Problem:
    """Below which id a list goes on."""
    if cursor is None:
        return LAST_ID
    place = service.cursors.read(-call.operator.user_id, list_name, filters, cursor)
    return (
        Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        if place is None
        else place
    )


def new_move(
    service: Service,
    call: Call,
    account_id: int,
    kind: rows.MoveKind,
    amount_micros: int,
    reason: str,
    payer_id: int | None = None,
    order_id: int | None = None,
) -> NewMove:
    """A move as this operator asks for it."""
    settings = service.configuration.admin_api.credits
    return NewMove(
        account_id=account_id,
        kind=kind,
        amount_micros=amount_micros,
        reason=reason.strip(),
        proposed_by_id=call.operator.user_id,
        proposed_by=call.operator.name,
        payer_id=payer_id,
        order_id=order_id,
        idempotency_key=call.idempotency_key,
        body_hash=hash_body((call.route, call.body)),
        expires_in_h=settings.proposal_hours,
        alone_up_to_micros=settings.alone_up_to * MICROS_PER_CREDIT,
    )


async def ask(connection: asyncpg.Connection, call: Call, new: NewMove) -> Answer | Problem:
    """Move, or propose to; with its audit row."""
    return await tell_asked(connection, call, await moves.ask(connection, new))


async def tell_asked(connection: asyncpg.Connection, call: Call, asked: Asked | MoveRefusal) -> Answer | Problem:
    """What is answered to a move that was asked for: 202 where a second person must approve it."""
    if not isinstance(asked, Asked):
        return Problem(OF_REFUSAL[asked])
    told, status = describe(asked.move), 202 if asked.move.state == "proposed" else 0
    if asked.replayed:
        return Answer(told, status, headers=REPLAYED)
    action = "credits.applied" if asked.move.state == "applied" else "credits.proposed"
    subject = f"credit_move:{asked.move.move_id}"
    await record(connection, call, action=action, subject=subject, after=told, account_id=asked.move.account_id)
    return Answer(told, status)


async def _find(connection: asyncpg.Connection, call: Call) -> MoveRow | None:
    move_id = read_id(call.path["id"])
    return None if move_id is None else await rows.find_move(connection, move_id, await seen_by(connection, call))


def describe(each: MoveRow) -> CreditMove:
    """A move as operators see it."""
    return CreditMove(
        id=str(each.move_id),
        account_id=str(each.account_id),
        account=each.account,
        kind=each.kind,
        credits=format_credits(each.amount_micros),
        payer=each.payer,
        order_id=None if each.order_id is None else str(each.order_id),
        reason=each.reason,
        state=each.state,
        proposed_by=each.proposed_by,
        proposed_at=format_moment(each.proposed_at),
        expires_at=format_moment(each.expires_at) if each.state == "proposed" else None,
        decided_by=each.decided_by or None,
        decided_at=None if each.decided_at is None else format_moment(each.decided_at),
        decision=each.decision or None,
        posting_id=None if each.posting_id is None else str(each.posting_id),
    )
