"""Credit as customers read it: the balance and the postings behind it.

Source: defaults page, Credits: integers of micro-credits inside, exact text of credits outside.
What must not enter: moving money; that is the gateway's, in the transactions that cause it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit

MICROS: Final = 1_000_000
PostingKind = Literal["top_up", "hold", "capture", "release", "adjustment", "refund"]


def format_credits(micros: int) -> str:
    """Micro-credits as exact text of credits."""
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, rest = divmod(micros, MICROS)
    return f"{sign}{whole}" + (f".{rest:06d}".rstrip("0") if rest else "")


class Balance(msgspec.Struct):
    """available: what can still be sent for: balance and credit limit together."""

    balance: str
    credit_limit: str
    available: str
    currency: str = "credit"


class ListPostings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which postings, newest first."""

    kind: PostingKind | None = None
    cursor: Annotated[str, Meta(max_length=256)] | None = None
    limit: Limit = 50


class Posting(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One move of credit between the purses funding, available, held and spent."""

    id: str
    kind: PostingKind
    from_purse: str
    to_purse: str
    amount: str
    at: str
    messages: int = 0
    reason: str | None = None


class Postings(msgspec.Struct):
    """A page. next_cursor null: the end."""

    postings: list[Posting]
    next_cursor: str | None
