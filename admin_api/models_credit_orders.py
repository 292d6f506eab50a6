"""Orders of credit as customers place them and operators see them through.

Source: docs/credit-orders.md. What a person writes is one printable line, but for the note.
What must not enter: rules about states (gateway.ledger.order_states).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_credits import AccountId, Credits, Cursor, line_fault, read_amount
from admin_api.models_messages import Limit
from admin_api.problems import Fault

LEAST_MICROS: Final = 1_000_000  # chosen: nobody is paid for less than one credit
OrderState = Literal["placed", "paid", "credited", "refused", "cancelled", "expired"]
Email = Annotated[
    str,
    Meta(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"),
]
Phone = Annotated[str, Meta(min_length=2, max_length=32, description="+22997000001, or national.")]
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]
Money = Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,2})?$", max_length=18, description='"655957.00"')]

CONTACT: Final = Words("an e-mail address or a phone number is needed", "il faut une adresse e-mail ou un téléphone")
NOTE: Final = Words("only printable characters and line breaks", "uniquement caractères imprimables et sauts de ligne")
DAY: Final = Words("a day is expected, like 2026-01-31", "un jour est attendu, comme 2026-01-31")


class PlaceOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How much credit, and whom to ask. reference: your own, like a purchase order's number."""

    credits: Credits
    contact_name: Annotated[str, Meta(min_length=1, max_length=100)]
    email: Email | None = None
    phone: Phone | None = None
    note: Annotated[str, Meta(max_length=1000)] = ""
    reference: Annotated[str, Meta(max_length=64)] = ""

    def more_faults(self) -> Iterator[Fault]:
        """Of the amount, the contact and the texts."""
        amount = read_amount(self.credits, least_micros=LEAST_MICROS)
        if isinstance(amount, Words):
            yield Fault(("credits",), "amount", amount)
        yield from line_fault("contact_name", self.contact_name)
        for name in ("email", "phone", "reference"):
            if text := getattr(self, name):
                yield from line_fault(name, text)
        if not self.note.replace("\n", "").isprintable():
            yield Fault(("note",), "text", NOTE)
        if self.email is None and self.phone is None:
            yield Fault(("email",), "missing", CONTACT)


class RecordPayment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A payment that an operator saw. amount: money of the currency (ISO 4217), not credits."""

    method: Annotated[str, Meta(min_length=1, max_length=40, description="cash, bank transfer, mobile money, ...")]
    reference: Annotated[str, Meta(max_length=100)] = ""
    amount: Money
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
    paid_on: Day

    def more_faults(self) -> Iterator[Fault]:
        """Of the texts and the day."""
        yield from line_fault("method", self.method)
        if self.reference:
            yield from line_fault("reference", self.reference)
        if self.day() is None:
            yield Fault(("paid_on",), "day", DAY)

    def day(self) -> datetime.date | None:
        """The day; None where there is no such day."""
        try:
            return datetime.date.fromisoformat(self.paid_on)
        except ValueError:
            return None

    def money(self) -> Decimal:
        """The amount."""
        return Decimal(self.amount)


class Payment(msgspec.Struct, kw_only=True):
    """What was recorded."""

    method: str
    reference: str
    amount: str
    currency: str
    paid_on: str


class CreditOrder(msgspec.Struct, kw_only=True):
    """An order. state placed: waits for payment until expires_at. reason: why it was refused."""

    id: str
    state: OrderState
    credits: str
    contact_name: str
    email: str | None
    phone: str | None
    note: str
    reference: str
    placed_at: str
    expires_at: str | None
    payment: Payment | None
    ended_at: str | None
    reason: str | None


class CreditOrders(msgspec.Struct):
    """A page. next_cursor null: the end."""

    orders: list[CreditOrder]
    next_cursor: str | None


class ListOrders(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which orders, newest first."""

    state: OrderState | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class OperatorsOrder(CreditOrder, kw_only=True):
    """An order as operators see it: whose it is, and who did what."""

    account_id: str
    account: str
    paid_by: str | None
    ended_by: str | None


class OperatorsOrders(msgspec.Struct):
    """A page. next_cursor null: the end."""

    orders: list[OperatorsOrder]
    next_cursor: str | None


class ListOperatorsOrders(ListOrders, kw_only=True, forbid_unknown_fields=True):
    """Of one account, or of all."""

    account_id: AccountId | None = None
