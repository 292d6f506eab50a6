"""Whose handsets' messages are, as operators write and read it: numbers given as wholes, routes by number and keyword.

A change is another route: nothing is edited in place, as on the command line.
What must not enter: messages themselves (models_webhooks.py), who wins where several fit (gateway.accept).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_operators import Id
from admin_api.problems import Fault
from telecom.keywords import KEYWORD_CHARACTERS, fold, is_keyword

NO_KEYWORD: Final = Words(
    f"write one word of at most {KEYWORD_CHARACTERS} characters",
    f"écrivez un seul mot de {KEYWORD_CHARACTERS} caractères au plus",
)
ONE_OWNER: Final = Words("name either esme_id or account_id", "nommez soit esme_id, soit account_id")

Address = Annotated[str, Meta(pattern=r"^([0-9]{3,15}|[!-~]{1,11})$", max_length=15)]
Number = Annotated[
    str, Meta(pattern=r"^([0-9]{1,15}\*?|\*|[!-)+-~]{1,11})$", max_length=16, description="36000, 2290*, *, a name")
]


class AddInboundNumber(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """esme_id: the login that takes what is sent there; account_id: an account that is told over HTTP alone."""

    address: Address
    esme_id: Id | None = None
    account_id: Id | None = None

    def more_faults(self) -> Iterator[Fault]:
        """One owner."""
        if (self.esme_id is None) == (self.account_id is None):
            yield Fault(("esme_id",), "owner", ONE_OWNER)


class InboundNumber(msgspec.Struct):
    """A number that handsets write to, and whose it is."""

    address: str
    account: str
    system_id: str | None


class InboundNumbers(msgspec.Struct):
    """All of them."""

    numbers: list[InboundNumber]


class AddInboundRoute(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """number: whole, a prefix like 2290*, or *. keyword: only messages whose first word it is. order: lower first."""

    number: Number
    esme_id: Id
    keyword: Annotated[str, Meta(min_length=1, max_length=KEYWORD_CHARACTERS)] | None = None
    order: Annotated[int, Meta(ge=0, le=1_000_000)] = 100

    def more_faults(self) -> Iterator[Fault]:
        """A keyword is one word."""
        if self.keyword is not None and not is_keyword(fold(self.keyword)):
            yield Fault(("keyword",), "keyword", NO_KEYWORD)


class InboundRoute(msgspec.Struct):
    """A route of handsets' messages."""

    id: str
    number: str
    keyword: str | None
    order: int
    account: str
    system_id: str


class InboundRoutes(msgspec.Struct):
    """All of them, the most particular first."""

    routes: list[InboundRoute]
