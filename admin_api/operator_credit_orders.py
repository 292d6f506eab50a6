"""/v1/admin/credit-orders: operators record what was paid for an order, credit it once, or refuse it.

Its customer is told in the transaction that credits or refuses. Crediting is a move (operator_credits.py): a large one
waits for a second person. Each change is an audit row of its own transaction.
What must not enter: which event leads where (gateway.ledger.order_states), placing (credit_orders.py).
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import msgspec

from admin_api import operator_credits
from admin_api.credit_orders import describe as describe_to_customer
from admin_api.credit_orders import read_id
from admin_api.models_credit_orders import ListOperatorsOrders, OperatorsOrder, OperatorsOrders, RecordPayment
from admin_api.models_credits import Decide
from admin_api.operator_credits import read_place, seen_by
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from gateway.ledger import orders
from gateway.ledger.orders import OrderRefusal
from gateway.storage import credit_orders as rows
from gateway.storage.audit import record
from gateway.storage.credit_orders import OrderRow

LIST: Final = "operators' credit-orders"


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/credit-orders/{id}."""
    found = await service.writer.read(lambda connection: _find(connection, call))
    return Problem("not_found") if found is None else Answer(describe(found))


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/credit-orders."""
    asked: ListOperatorsOrders = call.query
    filters = (None if asked.account_id is None else int(asked.account_id), asked.state)
    before_id = read_place(service, call, LIST, list(filters), asked.cursor)
    if isinstance(before_id, Problem):
        return before_id

    async def read(connection: asyncpg.Connection) -> list[OrderRow]:
        return await rows.page_of_orders(connection, await seen_by(connection, call), filters, before_id, asked.limit)

    page = await service.writer.read(read)
    cursor = None
    if len(page) == asked.limit:
        cursor = service.cursors.make(-call.operator.user_id, LIST, list(filters), page[-1].order_id)
    return Answer(OperatorsOrders([describe(order) for order in page], cursor))


async def record_payment(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credit-orders/{id}/payment."""
    asked: RecordPayment = call.body
    day = asked.day()
    assert day is not None  # the model saw to it
    payment = rows.Payment(asked.method.strip(), asked.reference.strip(), asked.money(), asked.currency, day)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        order = await _find(connection, call)
        if order is None:
            return Problem("not_found")
        refusal = await orders.pay(connection, order, payment, (call.operator.user_id, call.operator.name))
        return await _changed(connection, call, order, refusal, "paid")

    return await service.writer.run(work)


async def refuse(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credit-orders/{id}/refuse."""
    asked: Decide = call.body

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        order = await _find(connection, call)
        if order is None:
            return Problem("not_found")
        by = (call.operator.user_id, call.operator.name)
        refusal = await orders.refuse(connection, order, by, asked.reason.strip())
        return await _changed(connection, call, order, refusal, "refused")

    return await service.writer.run(work)


async def credit(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/credit-orders/{id}/credit: the move, applied or proposed."""

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        order = await _find(connection, call)
        if order is None:
            return Problem("not_found")
        reason = f"credit order {order.order_id}" + (f", {order.reference}" if order.reference else "")
        account_id, amount, order_id = order.account_id, order.amount_micros, order.order_id
        new = operator_credits.new_move(service, call, account_id, "top_up", amount, reason, order_id=order_id)
        answer = await operator_credits.tell_asked(connection, call, await orders.credit(connection, order, new))
        if isinstance(answer, Problem) and answer.code == "order_state":
            answer.more = {"state": order.state}
        return answer

    return await service.writer.run(work)


async def _changed(
    connection: asyncpg.Connection, call: Call, before: OrderRow, refusal: OrderRefusal | None, done: str
) -> Answer | Problem:
    after = await rows.find_order(connection, before.order_id, None)
    assert after is not None
    if refusal is not None:
        return Problem("order_state", more={"state": after.state})
    was, told, subject = describe(before), describe(after), f"credit_order:{after.order_id}"
    whose, action = after.account_id, f"credit_orders.{done}"
    await record(connection, call, action=action, subject=subject, before=was, after=told, account_id=whose)
    return Answer(told)


async def _find(connection: asyncpg.Connection, call: Call) -> OrderRow | None:
    order_id = read_id(call.path["id"])
    return None if order_id is None else await rows.find_order(connection, order_id, await seen_by(connection, call))


def describe(order: OrderRow) -> OperatorsOrder:
    """An order as operators see it."""
    shown: dict[str, Any] = msgspec.structs.asdict(describe_to_customer(order))
    shown |= {"account_id": str(order.account_id), "account": order.account}
    return OperatorsOrder(**shown, paid_by=order.paid_by or None, ended_by=order.ended_by or None)
