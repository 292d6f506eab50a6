"""An order of credit: placed, paid, credited, refused, cancelled; each in its caller's transaction, with its notice.

Source: docs/credit-orders.md; permitted events: order_states.py. Refusals are words; after one, the caller undoes its
transaction.
What must not enter: who has which permission and what is audited (admin_api), SQL, the words of notices.
"""

from __future__ import annotations

from typing import Literal

import asyncpg
import msgspec

from gateway.ledger import moves, order_states
from gateway.ledger.moves import Asked, By, Facts, MoveRefusal
from gateway.storage import credit_orders as rows
from gateway.storage.api_messages import balance
from gateway.storage.credit_moves import MoveRow, NewMove
from gateway.storage.credit_orders import NewOrder, OrderRow, Payment
from gateway.storage.notices import tell

OrderRefusal = Literal["key_mismatch", "too_many_orders", "order_state"]


class Placed(msgspec.Struct, frozen=True):
    """An order that was placed. replayed: under this key it was placed before, and this is that one."""

    order: OrderRow
    replayed: bool


async def place(connection: asyncpg.Connection, new: NewOrder) -> Placed | OrderRefusal:
    """Write an order down, and tell administrators."""
    order_id = await rows.place_order(connection, new)
    if order_id is None:
        found = await rows.find_order_by_key(connection, new.account_id, new.idempotency_key)
        if found is None:
            return "too_many_orders"
        return Placed(found, True) if found.body_hash == new.body_hash else "key_mismatch"
    order = await _load(connection, order_id)
    facts: Facts = {
        "order": order_id,
        "account": order.account,
        "credits": order.amount_micros,
        "contact": " ".join((order.contact_name, order.phone and f"+{order.phone}", order.email)),
    }
    await _tell(connection, "order.placed", order.account_id, facts)
    return Placed(order, False)


async def cancel(connection: asyncpg.Connection, order_id: int, by: str) -> OrderRefusal | None:
    """By its customer, who has not paid; None: done."""
    done = await rows.end_order(connection, order_id, order_states.ends("cancel"), by, "")
    return None if done else "order_state"


async def pay(connection: asyncpg.Connection, order: OrderRow, payment: Payment, by: By) -> OrderRefusal | None:
    """Record a payment made by hand, or correct the record; what was proposed for the former one is withdrawn."""
    if not await rows.pay_order(connection, order.order_id, order_states.ends("pay"), payment, by[1]):
        return "order_state"
    await moves.withdraw_of_order(connection, order.order_id, by)
    if order.state == "placed":
        facts: Facts = {"order": order.order_id, "credits": order.amount_micros}
        await _tell(connection, "order.paid", order.account_id, facts)
    return None


async def credit(connection: asyncpg.Connection, order: OrderRow, new: NewMove) -> Asked | MoveRefusal:
    """Top its account up by what was ordered, or propose so; once, whoever else does the same."""
    if (order.state, "credit") not in order_states.MOVES:
        return "order_not_paid"
    asked = await moves.ask(connection, new)
    if isinstance(asked, Asked) and not asked.replayed and asked.move.state == "applied":
        await tell_credited(connection, asked.move)
    return asked


async def tell_credited(connection: asyncpg.Connection, move: MoveRow) -> None:
    """Tell its customer, in the transaction that credited."""
    left, _ = await balance(connection, move.account_id)
    facts: Facts = {"order": move.order_id or 0, "credits": move.amount_micros, "balance": left}
    await _tell(connection, "order.credited", move.account_id, facts)


async def refuse(connection: asyncpg.Connection, order: OrderRow, by: By, reason: str) -> OrderRefusal | None:
    """End it without credit, tell its customer why, and take back what was proposed for it; None: done."""
    if not await rows.end_order(connection, order.order_id, order_states.ends("refuse"), by[1], reason):
        return "order_state"
    await moves.withdraw_of_order(connection, order.order_id, by)
    facts: Facts = {"order": order.order_id, "credits": order.amount_micros, "reason": reason}
    await _tell(connection, "order.refused", order.account_id, facts)
    return None


async def expire(connection: asyncpg.Connection) -> int:
    """End what nobody paid in time; how many."""
    return await rows.expire_orders(connection, order_states.ends("expire"))


async def _tell(connection: asyncpg.Connection, event: str, account_id: int, facts: Facts) -> None:
    """Once of each order, also where two people record its payment at once."""
    await tell(connection, event=event, account_id=account_id, facts=facts, once=f"order {facts['order']}")


async def _load(connection: asyncpg.Connection, order_id: int) -> OrderRow:
    order = await rows.find_order(connection, order_id, None)
    assert order is not None
    return order
