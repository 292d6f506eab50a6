"""Typed functions over statements/credit_orders.sql: orders of credit, from placing to their end.

An order carries whom to tell: whoever ordered may be nobody that notices know.
What must not enter: which event leads where (gateway.ledger.order_states), crediting (credit_moves.py), notices.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

OPEN_ORDERS: Final = 20  # chosen: of one account at once; each of them tells administrators by SMS
LAST_ID: Final = 2**63 - 1

_SQL = load_statements("credit_orders.sql")


class NewOrder(msgspec.Struct, frozen=True):
    """An order as its customer writes it. phone: digits of E.164, or nothing; language: in which he is told."""

    account_id: int
    amount_micros: int
    contact_name: str
    email: str
    phone: str
    note: str
    reference: str
    language: Literal["en", "fr"]
    idempotency_key: str
    body_hash: bytes
    expires_in_days: int


class Payment(msgspec.Struct, frozen=True):
    """What an operator saw of a payment. amount: money of the currency (ISO 4217), not credit."""

    method: str
    reference: str
    amount: Decimal
    currency: str
    paid_on: datetime.date


class OrderRow(msgspec.Struct, frozen=True):
    """An order as it stands; account: its name."""

    order_id: int
    account_id: int
    account: str
    state: Literal["placed", "paid", "credited", "refused", "cancelled", "expired"]
    amount_micros: int
    contact_name: str
    email: str
    phone: str
    note: str
    reference: str
    language: Literal["en", "fr"]
    body_hash: bytes
    placed_at: datetime.datetime
    expires_at: datetime.datetime
    payment_method: str
    payment_reference: str
    payment_amount: Decimal | None
    payment_currency: str
    paid_on: datetime.date | None
    paid_by: str
    ended_by: str
    ended_at: datetime.datetime | None
    reason: str


_FIELDS: Final = tuple(each.name for each in msgspec.structs.fields(OrderRow))


async def place_order(connection: asyncpg.Connection, new: NewOrder) -> int | None:
    """The id of the new order; None: asked before under this key, or the account has OPEN_ORDERS."""
    await connection.execute(_SQL["lock_orderer"], new.account_id)
    order_id: int | None = await connection.fetchval(_SQL["place_order"], *msgspec.structs.astuple(new), OPEN_ORDERS)
    return order_id


async def find_order(connection: asyncpg.Connection, order_id: int, seen: list[int] | None) -> OrderRow | None:
    """One order of the accounts that may be seen (None: all)."""
    row = await connection.fetchrow(_SQL["find_order"], order_id, seen)
    return None if row is None else _read(row)


async def find_order_by_key(connection: asyncpg.Connection, account_id: int, key: str) -> OrderRow | None:
    """What an account ordered under an idempotency key."""
    order_id = await connection.fetchval(_SQL["find_order_by_key"], account_id, key)
    return None if order_id is None else await find_order(connection, order_id, [account_id])


async def page_of_orders(
    connection: asyncpg.Connection,
    seen: list[int] | None,
    filters: tuple[int | None, str | None],
    before_id: int,
    limit: int,
) -> list[OrderRow]:
    """Orders below an id, newest first. filters: one account, one state."""
    rows = await connection.fetch(_SQL["page_of_orders"], seen, *filters, before_id, limit)
    return [_read(row) for row in rows]


async def pay_order(
    connection: asyncpg.Connection, order_id: int, states: tuple[list[str], str], payment: Payment, by: str
) -> bool:
    """Record a payment. states: those before, the one after; False: the order's state does not permit it."""
    told = msgspec.structs.astuple(payment)
    return await connection.fetchval(_SQL["pay_order"], order_id, *states, *told, by) is not None


async def end_order(
    connection: asyncpg.Connection, order_id: int, states: tuple[list[str], str], by: str, reason: str
) -> bool:
    """End an order without credit. states: those before, the one after; False: its state does not permit it."""
    return await connection.fetchval(_SQL["end_order"], order_id, *states, by, reason) is not None


async def expire_orders(connection: asyncpg.Connection, states: tuple[list[str], str]) -> int:
    """End what nobody paid in time; how many."""
    return len(await connection.fetch(_SQL["expire_orders"], *states))


async def count_waiting(connection: asyncpg.Connection) -> dict[str, int]:
    """What waits for people: `order` for its payment, `payment` for its credit, `approval` for a second person."""
    row = await connection.fetchrow(_SQL["count_waiting"])
    assert row is not None
    return dict(row)


def _read(row: Any) -> OrderRow:
    return OrderRow(*(row[name] for name in _FIELDS))
