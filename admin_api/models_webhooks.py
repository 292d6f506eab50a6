"""Webhooks, delivery reports and handsets' messages as customers write and read them.

Source: docs/webhooks.md. A report and an inbound message look here as they do in a webhook of the native format.
What must not enter: sending (gateway.webhooks), rows.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit, Time
from gateway.webhooks.targets import URL_CHARACTERS

MOST_WEBHOOKS: Final = 20  # chosen: of one account at once
Event = Literal[
    "message.submitted",
    "message.delivered",
    "message.undeliverable",
    "message.rejected",
    "message.expired",
    "message.deleted",
    "message.unknown",
    "inbound.received",
    "balance.low",
    "order.paid",
    "order.credited",
    "order.refused",
    "sender.decided",
    "webhook.disabled",
]
Url = Annotated[str, Meta(min_length=1, max_length=URL_CHARACTERS, description="https://... or http://...")]
Events = Annotated[list[Event], Meta(min_length=1, max_length=16)]
Format = Literal["native", "kannel", "jasmin"]
Cursor = Annotated[str, Meta(max_length=256)]
ReportStatus = Literal["delivered", "undeliverable", "rejected", "expired", "deleted", "unknown"]


class AddWebhook(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to tell what. format kannel: the URL is a template with escape codes."""

    url: Url
    events: Events
    format: Format = "native"
    method: Literal["GET", "POST"] = "POST"


class ChangeWebhook(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. state active: told again what happens from now on."""

    url: Url | None = None
    events: Events | None = None
    state: Literal["active", "disabled"] | None = None


class Webhook(msgspec.Struct, kw_only=True):
    """why: why it is disabled. secret: shown once, when it is made."""

    id: str
    url: str
    events: list[str]
    format: str
    method: str
    state: Literal["active", "disabled"]
    why: str
    secret: str | None = None


class Webhooks(msgspec.Struct):
    """All of them."""

    webhooks: list[Webhook]


class RotateSecret(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """overlap_hours: how long the former secret signs beside the new one."""

    overlap_hours: Annotated[int, Meta(ge=0, le=720)] = 24


class ReplayDeliveries(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of events that happened in this span: dead ones, done ones, or all."""

    since: Time
    until: Time | None = None
    state: Literal["dead", "done", "all"] = "dead"


class Replayed(msgspec.Struct):
    """How many deliveries are made again."""

    replayed: int


class ListDeliveries(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries, newest first."""

    state: Literal["due", "done", "dead"] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Delivery(msgspec.Struct, kw_only=True):
    """webhook_id: as the header of that name. The last four: of its last try; answer: how the body began."""

    webhook_id: str
    event: str
    message_id: str | None
    happened_at: str
    state: Literal["due", "done", "dead"]
    tries: int
    next_try_at: str | None
    tried_at: str | None
    status: int | None
    fault: str | None
    answer: str | None


class Deliveries(msgspec.Struct):
    """A page. next_cursor null: the end."""

    deliveries: list[Delivery]
    next_cursor: str | None


class OwedTest(msgspec.Struct):
    """The test event is on its way under this id."""

    webhook_id: str


class ReadReports(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From where on, in the order in which things became known; without cursor from the first that is kept."""

    status: ReportStatus | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class ReadInbound(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From where on, in the order in which messages were stored; without cursor from the first that is kept."""

    cursor: Cursor | None = None
    limit: Limit = 100


class Told(msgspec.Struct):
    """An event, as a webhook tells it (docs/webhooks.md)."""

    type: str
    timestamp: str
    data: dict[str, Any]


class EventPage(msgspec.Struct):
    """A page. next_cursor: for the next question, also when there is no more yet; has_more: ask at once."""

    events: list[Told]
    next_cursor: str
    has_more: bool
