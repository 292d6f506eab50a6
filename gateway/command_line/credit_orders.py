"""`passerelle credit-order`: customers' orders of credit, for a person without a browser.

What belongs here: orders listed, shown, credited (with the payment, where none is recorded), refused. Whoever works on
the machine itself needs no second person; the audit log has the system's user.
What must not enter: rules about states (gateway.ledger).
"""

from __future__ import annotations

import datetime
import getpass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.finding import find_account
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_fields, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.ledger import order_states, orders
from gateway.ledger.moves import Asked
from gateway.storage import credit_orders as rows
from gateway.storage.audit import CommandLineActor, CommandLineAsked, record
from gateway.storage.credit_moves import NewMove
from gateway.storage.credit_orders import OrderRow, Payment
from telecom.money import format_credits

REASON_LIMIT: Final = 200  # as the HTTP API's

credit_orders = typer.Typer(help="What customers order of credit.", no_args_is_help=True)

OrderArgument = Annotated[int, typer.Argument(metavar="ORDER", min=1, max=rows.LAST_ID, help="Number of the order.")]


@credit_orders.command("list")
def list_orders(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="placed, paid, credited, refused, cancelled, expired.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the orders, newest first."""
    if state is not None and state not in order_states.STATES:
        raise Refusal(
            say("state {name} is unknown", name=state),
            say("write one of {names}", names=", ".join(order_states.STATES)),
        )

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[OrderRow]:
        owner = None if account is None else (await find_account(connection, account)).account_id
        return await rows.page_of_orders(connection, None, (owner, state), rows.LAST_ID, limit)

    columns = ("order_id", "account", "state", "credits", "contact", "placed_at", "ended_at")
    show_rows([_fields(order) for order in with_database(config, work)], columns, as_json)


@credit_orders.command("show")
def show_order(
    order: OrderArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Show one order."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> OrderRow:
        return await _find(connection, order)

    show_fields(_fields(with_database(config, work)), as_json)


@credit_orders.command("credit")
def credit_order(
    order: OrderArgument,
    method: Annotated[str, typer.Option("--method", help="How it was paid; for an order without payment.")] = "",
    amount: Annotated[str, typer.Option("--amount", help="How much money, like 65000.00.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Three capital letters, like XOF.")] = "",
    paid_on: Annotated[str, typer.Option("--paid-on", help="The day, like 2026-01-31; else today (UTC).")] = "",
    reference: Annotated[str, typer.Option("--reference", help="The payment's number at the bank.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Credit an order, once; its customer is told."""
    payment = _payment(method, amount, currency, paid_on, reference) if method else None

    async def work(connection: asyncpg.Connection, _: Configuration) -> OrderRow:
        async with connection.transaction():
            found = await _find(connection, order)
            if found.state == "placed" and payment is not None:
                await orders.pay(connection, found, payment, (None, _asked().operator.name))
                found = await _find(connection, order)
            if found.state == "placed":
                raise Refusal(
                    say("no payment is recorded for order {order}", order=order),
                    say("write it: --method cash --amount 65000 --currency XOF"),
                )
            asked = await orders.credit(connection, found, _move(found))
            if not isinstance(asked, Asked):
                raise Refusal(
                    say("order {order} cannot be credited: {why}", order=order, why=say(asked).replace("_", " ")),
                    f"passerelle credit-order show {order}",
                )
            await _record(connection, "credit_orders.credited", found)
            return found

    done = with_database(config, work)
    facts = {"order": order, "credits": format_credits(done.amount_micros), "account": done.account}
    answer(as_json, "order {order}: {credits} credits for account {account}", **facts)


@credit_orders.command("refuse")
def refuse_order(
    order: OrderArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; its customer reads it.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Refuse an order; its customer is told why."""
    if not reason.strip() or not reason.isprintable() or len(reason) > REASON_LIMIT:
        raise Refusal(say("this is no reason"), say("write 1 to {limit} printable characters", limit=REASON_LIMIT))

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        async with connection.transaction():
            found = await _find(connection, order)
            if await orders.refuse(connection, found, (None, _asked().operator.name), reason.strip()) is not None:
                raise Refusal(
                    say("order {order} is {state}", order=order, state=say(found.state)),
                    f"passerelle credit-order show {order}",
                )
            await _record(connection, "credit_orders.refused", found)

    with_database(config, work)
    answer(as_json, "order {order} is refused", order=order)


def _payment(method: str, amount: str, currency: str, paid_on: str, reference: str) -> Payment:
    try:
        money = Decimal(amount)
        day = datetime.date.fromisoformat(paid_on) if paid_on else datetime.datetime.now(datetime.UTC).date()
    except (InvalidOperation, ValueError) as fault:
        raise Refusal(say("this is no payment"), say("write --amount 65000.00 --paid-on 2026-01-31")) from fault
    sound = money.is_finite() and 0 <= money < 10**15 and round(money, 2) == money
    if not sound or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise Refusal(say("this is no payment"), say("write --amount 65000.00 --currency XOF"))
    if not (method + reference).isprintable() or len(method) > 40 or len(reference) > 100:
        raise Refusal(say("this is no payment"), say("write method and reference in printable characters"))
    return Payment(method, reference, money, currency, day)


def _move(order: OrderRow) -> NewMove:
    return NewMove(
        account_id=order.account_id,
        kind="top_up",
        amount_micros=order.amount_micros,
        reason=f"credit order {order.order_id}",
        proposed_by_id=None,
        proposed_by=_asked().operator.name,
        order_id=order.order_id,
        whole_alone=True,
    )


def _asked() -> CommandLineAsked:
    return CommandLineAsked(CommandLineActor(getpass.getuser()))


async def _record(connection: asyncpg.Connection, action: str, before: OrderRow) -> None:
    after = await _find(connection, before.order_id)
    told = {"before": {"state": before.state}, "after": {"state": after.state, "reason": after.reason}}
    subject = f"credit_order:{after.order_id}"
    await record(connection, _asked(), action=action, subject=subject, account_id=after.account_id, **told)


async def _find(connection: asyncpg.Connection, order_id: int) -> OrderRow:
    found = await rows.find_order(connection, order_id, None)
    if found is None:
        raise Refusal(say("order {order} is unknown", order=order_id), "passerelle credit-order list")
    return found


def _fields(order: OrderRow) -> dict[str, Any]:
    paid = None if order.payment_amount is None else f"{order.payment_amount} {order.payment_currency}"
    return {
        "order_id": order.order_id,
        "account": order.account,
        "state": order.state,
        "credits": format_credits(order.amount_micros),
        "contact": order.contact_name,
        "email": order.email,
        "phone": order.phone and f"+{order.phone}",
        "note": order.note,
        "reference": order.reference,
        "placed_at": order.placed_at,
        "paid": paid,
        "method": order.payment_method,
        "payment_reference": order.payment_reference,
        "paid_on": None if order.paid_on is None else order.paid_on.isoformat(),
        "paid_by": order.paid_by,
        "ended_at": order.ended_at,
        "ended_by": order.ended_by,
        "reason": order.reason,
    }
