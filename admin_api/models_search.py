"""Operators' search of messages and delivery reports, exports, and telling again: as they ask and read.

Ids and amounts are text, times RFC 3339; numbers are masked for roles without `numbers.read`.
What must not enter: rows, SQL.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, field

from admin_api.languages import Words
from admin_api.models_messages import Event, Limit, Price, Status, Time, TrafficClass
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault
from admin_api.reading import NUL

LONGEST_SPAN: Final = datetime.timedelta(days=366)  # chosen: of one account
SPAN_OF_ALL: Final = datetime.timedelta(days=31)  # chosen: over all accounts

AccountId = Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")]
Digits = Annotated[str, Meta(pattern=r"^\+?[0-9]{6,15}$")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Told = Literal["no", "asked", "done", "dead"]
FinalStatus = Literal["delivered", "undeliverable", "rejected", "expired", "cancelled", "unknown"]

SPAN: Final = Words("until is not after since", "until n'est pas après since")


class _Span(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    account_id: AccountId | None = None
    to: Digits | None = None
    sender: Name | None = field(name="from", default=None)
    connector: Name | None = None
    traffic_class: TrafficClass | None = field(name="class", default=None)
    error: Name | None = None
    since: Time | None = None
    until: Time | None = None

    def more_faults(self) -> Iterator[Fault]:
        """NUL, and spans that end before they begin."""
        for name, text in (("from", self.sender), ("connector", self.connector), ("error", self.error)):
            if text is not None and "\0" in text:
                yield Fault((name,), "nul", NUL)
        if self.since is not None and self.until is not None and self.since >= self.until:
            yield Fault(("until",), "order", SPAN)


class SearchMessages(_Span, kw_only=True, forbid_unknown_fields=True):
    """Which messages, newest first: of an account_id, or of 31 days at most. A page may be short: see next_cursor."""

    status: Status | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class SearchReports(_Span, kw_only=True, forbid_unknown_fields=True):
    """Which ended messages, likewise. told: how far the SMPP receipt came."""

    status: FinalStatus | None = None
    told: Told | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class ExportMessages(_Span, kw_only=True, forbid_unknown_fields=True):
    """As the search. bom: a mark by which Excel knows that a CSV is UTF-8."""

    status: Status | None = None
    format: Literal["csv", "xlsx"] = "csv"
    bom: bool = False


class ExportReports(_Span, kw_only=True, forbid_unknown_fields=True):
    """As the search. bom: a mark by which Excel knows that a CSV is UTF-8."""

    status: FinalStatus | None = None
    told: Told | None = None
    format: Literal["csv", "xlsx"] = "csv"
    bom: bool = False


class ExportOwn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which messages; without since those of the last 31 days."""

    status: Status | None = None
    to: Digits | None = None
    since: Time | None = None
    until: Time | None = None
    bom: bool = False


class FoundMessage(msgspec.Struct, kw_only=True):
    """A message as operators see it; its text is not shown. told: how far the SMPP receipt came."""

    id: str
    account_id: str
    account: str
    status: Status
    state: str
    to: str
    sender: str = field(name="from")
    traffic_class: str = field(name="class")
    connector: str | None
    route_why: str
    parts: int
    part_states: str
    price: Price
    charge: Literal["held", "captured", "released"]
    error: str
    smsc_message_ids: list[str]
    attempts: int
    told: Told
    created_at: str
    expires_at: str
    scheduled_at: str | None
    submitted_at: str | None
    final_at: str | None
    told_at: str | None


class FoundMessages(msgspec.Struct):
    """A page. next_cursor null: the end; searched_to: how far back the search came."""

    messages: list[FoundMessage]
    next_cursor: str | None
    searched_to: str | None


class TracedMessage(msgspec.Struct, kw_only=True):
    """One message, what happened to it, and what it waits for."""

    message: FoundMessage
    timeline: list[Event]
    waits: list[Event]


class ReplayReports(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is told again, of messages accepted in a span. by smpp: to the account's logins; webhook: to one URL."""

    account_id: AccountId
    since: Time
    until: Time | None = None
    by: Literal["smpp", "webhook"] = "smpp"
    webhook_id: Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")] | None = None
    state: Literal["dead", "done", "all"] = "dead"

    def more_faults(self) -> Iterator[Fault]:
        """A webhook needs its id."""
        if (self.by == "webhook") != (self.webhook_id is not None):
            yield Fault(
                ("webhook_id",), "webhook_id", Words("with by webhook, and only then", "avec by webhook seulement")
            )
        if self.until is not None and self.since >= self.until:
            yield Fault(("until",), "order", SPAN)


class ReplayAsked(msgspec.Struct, kw_only=True):
    """command_id: of the row by which a node is asked (by smpp); replayed: deliveries owed again (by webhook)."""

    command_id: str | None = None
    replayed: int | None = None
