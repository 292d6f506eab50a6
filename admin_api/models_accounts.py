"""Accounts as operators write and read them: limits, trees of resellers, prices of one account.

Prices and balances are text of credits, exact. A limit of 0 is none.
What must not enter: credit limits and moves of credit (models_credits.py), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_messages import Limit
from admin_api.models_operators import Cursor, Email, Id, Phone, UserName
from admin_api.problems import Fault
from admin_api.reading import NUL
from telecom.money import MoneyRefused, parse_credits

MOST_RATES: Final = 1000  # chosen: prices of one request; a whole card is imported by /v1/admin/rates
LARGEST: Final = 2**31 - 1  # PostgreSQL, integer
LONGEST_PREFIX: Final = 15  # E.164

AccountName = Annotated[str, Meta(min_length=1, max_length=64)]
Region = Annotated[str, Meta(pattern=r"^([A-Z]{2})?$", max_length=2, description="ISO 3166, like BJ; empty: none.")]
Language = Literal["fr", "en"]
Pace = Annotated[int, Meta(ge=0, le=LARGEST)]
Prefix = Annotated[str, Meta(pattern=r"^([0-9]{1,15}|\*)$", max_length=LONGEST_PREFIX)]
Price = Annotated[str, Meta(max_length=24, description="Credits a part, like 0.035.")]
State = Literal["active", "suspended", "closed"]

PRINTABLE: Final = Words(
    "printable characters, none at the ends blank", "des caractères imprimables, sans blanc aux bouts"
)
NO_AMOUNT: Final = Words(
    "an amount of credits with at most six digits after the point", "un montant de crédits, six décimales au plus"
)
TWICE: Final = Words("this prefix stands twice", "ce préfixe figure deux fois")


class SetRate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The price of a part to numbers that begin so; "*": to all others. price null: it ends."""

    prefix: Prefix
    price: Price | None

    @property
    def price_micros(self) -> int | None:
        """In micro-units; None: it ends."""
        found = None if self.price is None else parse_credits(self.price)
        return None if isinstance(found, MoneyRefused) else found


def rate_faults(rates: list[SetRate]) -> Iterator[Fault]:
    """What is wrong with prices, one by one."""
    known: set[str] = set()
    for place, rate in enumerate(rates):
        if rate.price is not None and isinstance(parse_credits(rate.price), MoneyRefused):
            yield Fault(("rates", place, "price"), "amount", NO_AMOUNT)
        if rate.prefix in known:
            yield Fault(("rates", place, "prefix"), "twice", TWICE)
        known.add(rate.prefix)


Rates = Annotated[list[SetRate], Meta(max_length=MOST_RATES)]


class FirstKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An API key of the new account, with every scope."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "first"


class FirstEsme(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An SMPP login of the new account."""

    system_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,15}$", max_length=15)]


class FirstUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A user of role reseller for the new account; he changes the password at his first login."""

    name: UserName
    email: Email = ""
    phone: Phone = ""
    language: Language = "fr"


class OpenAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An account without credit. parent_id: whose customer it is; if a reseller asks, his own account's.
    rates: its own prices; without, everybody's. api_key, esme, user: what is made with it.
    """

    name: AccountName
    parent_id: Id | None = None
    region: Region = ""
    language: Language = "fr"
    tps: Pace = 0
    per_minute: Pace = 0
    per_day: Pace = 0
    rates: Rates = []
    api_key: FirstKey | None = None
    esme: FirstEsme | None = None
    user: FirstUser | None = None

    def more_faults(self) -> Iterator[Fault]:
        """A name is seen in tables and logs."""
        if self.name.strip() != self.name or not self.name.isprintable():
            yield Fault(("name",), "printable", PRINTABLE)
        if self.api_key is not None and not self.api_key.name.isprintable():
            yield Fault(("api_key", "name"), "printable", PRINTABLE)
        yield from rate_faults(self.rates)


class ChangeAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. parent_id "": it stands below none. The credit limit is changed by /v1/admin/credits."""

    parent_id: Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,8})?$", max_length=9)] | None = None
    region: Region | None = None
    language: Language | None = None
    masked_refusals: bool | None = None
    tps: Pace | None = None
    per_minute: Pace | None = None
    per_day: Pace | None = None


class MoveAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """reason: kept in the audit log."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]

    def more_faults(self) -> Iterator[Fault]:
        """It is stored."""
        if "\0" in self.reason:
            yield Fault(("reason",), "nul", NUL)


class ListAccounts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """By name. text: somewhere in the name."""

    state: State | None = None
    parent_id: Id | None = None
    text: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50

    def more_faults(self) -> Iterator[Fault]:
        """It is compared in PostgreSQL."""
        if "\0" in (self.text or ""):
            yield Fault(("text",), "nul", NUL)


class Account(msgspec.Struct, kw_only=True):
    """An account. available: balance and credit limit together."""

    id: str
    name: str
    state: State
    parent_id: str | None
    balance: str
    credit_limit: str
    available: str
    region: str | None
    language: Language
    masked_refusals: bool
    tps: int
    per_minute: int
    per_day: int
    created_at: str


class Accounts(msgspec.Struct):
    """A page. next_cursor null: the end."""

    accounts: list[Account]
    next_cursor: str | None


class NewEsmeLogin(msgspec.Struct):
    """Shown once."""

    system_id: str
    password: str


class NewUserLogin(msgspec.Struct):
    """Shown once; the password must be changed at the first login."""

    name: str
    password: str


class OpenedAccount(msgspec.Struct, kw_only=True):
    """The account, and what was made with it; secrets are shown this once."""

    account: Account
    api_key: str | None = None
    esme: NewEsmeLogin | None = None
    user: NewUserLogin | None = None


class ChangeRates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Prefixes that are not named keep their price. All are changed, or none."""

    rates: Annotated[list[SetRate], Meta(min_length=1, max_length=MOST_RATES)]

    def more_faults(self) -> Iterator[Fault]:
        """Of each price."""
        yield from rate_faults(self.rates)


class AccountRate(msgspec.Struct):
    """An own price of the account, since when it is in force."""

    prefix: str
    price: str
    since: str


class AccountRates(msgspec.Struct):
    """Own prices; what none of them covers costs what everybody pays."""

    rates: list[AccountRate]


class Change(msgspec.Struct):
    """One value that was changed."""

    at: str
    field: str
    former: str | None
    became: str | None


class Changes(msgspec.Struct):
    """Newest first."""

    changes: list[Change]
