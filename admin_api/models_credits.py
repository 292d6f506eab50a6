"""Credit as operators move it: what they ask, what a move looks like; and the checks of amounts and lines of text.

Source: defaults page, Credits: exact text of credits outside, integers of micro-credits inside.
What must not enter: moving money (gateway.ledger), who may do what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_messages import Limit
from admin_api.problems import Fault
from gateway.storage.credit_moves import MOVE_LIMIT_MICROS, MoveKind
from telecom.money import MoneyRefused, format_credits, parse_credits

Credits = Annotated[str, Meta(min_length=1, max_length=40, description='Exact text of credits: "1000", "0.035".')]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Cursor = Annotated[str, Meta(max_length=256)]
AccountId = Annotated[str, Meta(pattern="^[0-9]{1,9}$", max_length=9)]
MoveState = Literal["proposed", "applied", "declined", "withdrawn", "expired"]

LINE: Final = Words("one line of printable characters is expected", "une ligne de caractères imprimables est attendue")
AMOUNT: Final = Words(
    "an amount is expected, with at most six digits after the point, like 1000 or 0.035",
    "un montant est attendu, avec six chiffres au plus après le point, comme 1000 ou 0.035",
)
NOT_ZERO: Final = Words("an amount other than zero is expected", "un montant différent de zéro est attendu")


def read_amount(text: str, *, signed: bool = False, least_micros: int = 1) -> int | Words:
    """Micros of an amount of one move, or what is wrong with it."""
    micros = parse_credits(text, signed=signed)
    if isinstance(micros, MoneyRefused):
        return AMOUNT
    if not signed and micros < least_micros:
        least = format_credits(least_micros)
        return Words(f"at least {least} credits", f"au moins {least} crédits")
    if signed and not micros:
        return NOT_ZERO
    if abs(micros) > MOVE_LIMIT_MICROS:
        most = format_credits(MOVE_LIMIT_MICROS)
        return Words(f"at most {most} credits at once", f"{most} crédits au plus en une fois")
    return micros


def line_fault(name: str, text: str) -> Iterator[Fault]:
    """The fault of a text that is no printable line, or that is blank."""
    if not text.isprintable() or not text.strip():
        yield Fault((name,), "line", LINE)


class MoveCredit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to move. credits: of an adjustment with its sign; of credit_limit the new limit. reason: of the ledger."""

    account_id: AccountId
    kind: Literal["top_up", "adjustment", "refund", "credit_limit"]
    credits: Credits
    reason: Reason

    def amount(self) -> int | Words:
        """What the balance changes by, or the new limit, in micros; or the fault of `credits`."""
        least = 0 if self.kind == "credit_limit" else 1
        micros = read_amount(self.credits, signed=self.kind == "adjustment", least_micros=least)
        return -micros if self.kind == "refund" and isinstance(micros, int) else micros

    def more_faults(self) -> Iterator[Fault]:
        """Of the amount and the reason."""
        amount = self.amount()
        if isinstance(amount, Words):
            yield Fault(("credits",), "amount", amount)
        yield from line_fault("reason", self.reason)


class Transfer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From the reseller's own balance to an account below his."""

    account_id: AccountId
    credits: Credits
    reason: Reason

    def more_faults(self) -> Iterator[Fault]:
        """Of the amount and the reason."""
        amount = read_amount(self.credits)
        if isinstance(amount, Words):
            yield Fault(("credits",), "amount", amount)
        yield from line_fault("reason", self.reason)


class Decide(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason

    def more_faults(self) -> Iterator[Fault]:
        """Of the reason."""
        yield from line_fault("reason", self.reason)


class CreditMove(msgspec.Struct, kw_only=True):
    """A move. state proposed: a second person must approve it by expires_at; posting_id: its posting in the ledger."""

    id: str
    account_id: str
    account: str
    kind: MoveKind
    credits: str
    payer: str | None
    order_id: str | None
    reason: str
    state: MoveState
    proposed_by: str
    proposed_at: str
    expires_at: str | None
    decided_by: str | None
    decided_at: str | None
    decision: str | None
    posting_id: str | None


class CreditMoves(msgspec.Struct):
    """A page. next_cursor null: the end."""

    moves: list[CreditMove]
    next_cursor: str | None


class ListMoves(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which moves, newest first."""

    account_id: AccountId | None = None
    state: MoveState | None = None
    cursor: Cursor | None = None
    limit: Limit = 50
