"""/v1/credit-orders: what a customer orders, sees and cancels.

Administrators are told in the transaction that stores an order. Another account's order is not found.
What must not enter: payment and crediting (operator_credit_orders.py), which event leads where (gateway.ledger).
"""

from __future__ import annotations

import datetime
from typing import Final

import asyncpg

from admin_api.idempotency import REPLAYED, hash_body
from admin_api.languages import Words
from admin_api.lookups import country_of
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_credit_orders import CreditOrder, CreditOrders, ListOrders, Payment, PlaceOrder
from admin_api.models_credits import read_amount
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.writer import Writer
from gateway.ledger import orders
from gateway.storage import credit_orders as rows
from gateway.storage.credit_orders import LAST_ID, OrderRow
from telecom.money import format_credits
from telecom.numbers import NumberRefused, parse_number

LIST: Final = "credit-orders"
ID_DIGITS: Final = 18  # of a row's number that fits a bigint
PHONE: Final = Words("this is no possible phone number", "ce n'est pas un numéro de téléphone possible")


async def place(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/credit-orders."""
    asked: PlaceOrder = call.body
    phone = ""
    if asked.phone is not None:
        number = parse_number(asked.phone, default_region=country_of(service, call, None))
        if isinstance(number, NumberRefused):
            return Problem("invalid_request", errors=[Fault(("body", "phone"), "phone", PHONE)])
        phone = number.e164
    amount = read_amount(asked.credits)
    assert isinstance(amount, int)  # the model saw to it
    new = rows.NewOrder(
        account_id=call.account_id,
        amount_micros=amount,
        contact_name=asked.contact_name.strip(),
        email=asked.email or "",
        phone=phone,
        note=asked.note.strip(),
        reference=asked.reference.strip(),
        language=call.language,
        idempotency_key=call.idempotency_key,
        body_hash=hash_body(asked),
        expires_in_days=service.configuration.admin_api.credits.order_days,
    )
    placed = await Writer(service.reader).run(lambda connection: orders.place(connection, new))
    if isinstance(placed, orders.Placed):
        return Answer(describe(placed.order), headers=REPLAYED if placed.replayed else {})
    if placed == "key_mismatch":
        return Problem("idempotency_mismatch")
    return Problem("too_many_orders", more={"limit": rows.OPEN_ORDERS})


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/credit-orders."""
    asked: ListOrders = call.query
    before_id = LAST_ID
    if asked.cursor is not None:
        place_in_list = service.cursors.read(call.account_id, LIST, asked.state, asked.cursor)
        if place_in_list is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place_in_list
    own, filters = [call.account_id], (None, asked.state)
    page = await service.reader.run(lambda c: rows.page_of_orders(c, own, filters, before_id, asked.limit))
    cursor = None
    if len(page) == asked.limit:
        cursor = service.cursors.make(call.account_id, LIST, asked.state, page[-1].order_id)
    return Answer(CreditOrders([describe(order) for order in page], cursor))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/credit-orders/{id}."""
    order_id, own = read_id(call.path["id"]), [call.account_id]
    order = None if order_id is None else await service.reader.run(lambda c: rows.find_order(c, order_id, own))
    return Problem("not_found") if order is None else Answer(describe(order))


async def cancel(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/credit-orders/{id}/cancel."""
    order_id, own = read_id(call.path["id"]), [call.account_id]
    if order_id is None:
        return Problem("not_found")

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if await rows.find_order(connection, order_id, own) is None:
            return Problem("not_found")
        refusal = await orders.cancel(connection, order_id, f"key {call.caller.key.prefix}")
        order = await rows.find_order(connection, order_id, own)
        assert order is not None
        return Answer(describe(order)) if refusal is None else Problem("order_state", more={"state": order.state})

    return await Writer(service.reader).run(work)


# ---------------------------------------------------------------- what operators' side shares


def read_id(text: str) -> int | None:
    """The number of a row in a path; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS else None


def describe(order: OrderRow) -> CreditOrder:
    """An order as its customer sees it."""
    return CreditOrder(
        id=str(order.order_id),
        state=order.state,
        credits=format_credits(order.amount_micros),
        contact_name=order.contact_name,
        email=order.email or None,
        phone=f"+{order.phone}" if order.phone else None,
        note=order.note,
        reference=order.reference,
        placed_at=format_moment(order.placed_at),
        expires_at=format_moment(order.expires_at) if order.state == "placed" else None,
        payment=_describe_payment(order),
        ended_at=None if order.ended_at is None else format_moment(order.ended_at),
        reason=order.reason or None,
    )


def _describe_payment(order: OrderRow) -> Payment | None:
    if order.paid_on is None:
        return None
    return Payment(
        method=order.payment_method,
        reference=order.payment_reference,
        amount=str(order.payment_amount),
        currency=order.payment_currency,
        paid_on=order.paid_on.isoformat(),
    )


def format_moment(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
