"""Notices, and who wants which where, as customers and operators write and read them.

Source: docs/notices.md. Amounts are exact text of credits, phones E.164 with plus.
What must not enter: sending (gateway.notices), rows, which events are whose (gateway/notice_events.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_messages import Limit
from admin_api.problems import Fault
from gateway.notices.addresses import read_email
from telecom.money import MoneyRefused, parse_credits
from telecom.numbers import Number, parse_number

MOST_ADDRESSES: Final = 5  # schema: notice_preferences
NO_EMAIL: Final = Words("this is no e-mail address", "ceci n'est pas une adresse e-mail")
NO_PHONE: Final = Words("a number like +2290197000001 is expected", "attendu : un numéro comme +2290197000001")
NO_AMOUNT: Final = Words(
    "an amount of credits is expected, with at most six digits after the point",
    "un montant de crédits est attendu, avec six décimales au plus après le point",
)

EventName = Annotated[str, Meta(min_length=1, max_length=40)]
Address = Annotated[str, Meta(min_length=1, max_length=254)]
Phone = Annotated[str, Meta(min_length=1, max_length=20)]
Channels = Annotated[list[Literal["email", "sms"]], Meta(max_length=2)]
Cursor = Annotated[str, Meta(max_length=256)]
State = Literal["due", "done", "dead"]


class EventChannels(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """By which channels an event is told; none: not at all."""

    event: EventName
    channels: Channels


class WishedPreferences(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All that is wished, in place of what was. events: those told otherwise than usual. low_balance null: never."""

    language: Literal["fr", "en"]
    emails: Annotated[list[Address], Meta(max_length=MOST_ADDRESSES)] = []
    phones: Annotated[list[Phone], Meta(max_length=MOST_ADDRESSES)] = []
    low_balance: Annotated[str, Meta(max_length=40)] | None = None
    events: Annotated[list[EventChannels], Meta(max_length=40)] = []

    def more_faults(self) -> Iterator[Fault]:
        """Addresses that are none, an amount that is none."""
        for place, email in enumerate(self.emails):
            if read_email(email) is None:
                yield Fault(("emails", place), "email", NO_EMAIL)
        for place, phone in enumerate(self.phones):
            if not phone.startswith("+") or not isinstance(parse_number(phone, strict=True), Number):
                yield Fault(("phones", place), "phone", NO_PHONE)
        if self.low_balance is not None and isinstance(parse_credits(self.low_balance), MoneyRefused):
            yield Fault(("low_balance",), "amount", NO_AMOUNT)


class NoticePreferences(msgspec.Struct, kw_only=True):
    """events: every event that may come, and by which channels it does. low_balance: of an account."""

    language: str
    emails: list[str]
    phones: list[str]
    low_balance: str | None
    events: list[EventChannels]


class ListNotices(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which notices, newest first."""

    state: State | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class ListAllNotices(ListNotices, kw_only=True, forbid_unknown_fields=True):
    """account_id: whose."""

    account_id: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}$", max_length=9)] | None = None


class Notice(msgspec.Struct, kw_only=True):
    """One letter or SMS. count: of how many notices it tells; why: what the last try found; message_id: of an SMS."""

    id: str
    event: str
    account_id: str | None
    channel: Literal["email", "sms"]
    address: str
    count: int
    state: State
    tries: int
    why: str
    made_at: str
    next_try_at: str | None
    ended_at: str | None
    message_id: str | None


class Notices(msgspec.Struct):
    """A page. next_cursor null: the end."""

    notices: list[Notice]
    next_cursor: str | None
