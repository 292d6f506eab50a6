"""A claimed delivery with all that its request needs: where it goes, what it says, how the answer is read.

What belongs here: gathering rows once a batch of claims, and the table of formats.
What must not enter: when it is sent (courier.py), the wire (outgoing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.notice_events import NOTICE_EVENTS
from gateway.storage import facts
from gateway.storage import webhooks as rows
from gateway.storage.messages import load_inbound, load_messages
from gateway.storage.notices import load_notices
from gateway.storage.webhooks import Delivery, Endpoint
from gateway.webhooks import jasmin, kannel
from gateway.webhooks.events import INBOUND, TEST, Happened, native_body
from gateway.webhooks.outgoing import Outgoing
from gateway.webhooks.signature import signature_of

NOT_FOUND: Final = 404  # Jasmin's own rule: its receiver knows no such message
_WRITERS: Final[dict[str, Callable[[Happened, str, Literal["GET", "POST"]], Outgoing]]] = {
    "kannel": kannel.request_of,
    "jasmin": jasmin.request_of,
}


class Parcel(msgspec.Struct, frozen=True):
    """One delivery, ready to be sealed at the moment it is sent."""

    delivery: Delivery
    happened: Happened
    url: str
    format: str
    method: Literal["GET", "POST"]
    secrets: Sequence[str] = ()

    @property
    def origin(self) -> str:
        """All of its URL that a log may show."""
        return origin_of(self.url)

    def seal(self, now_s: int) -> Outgoing:
        """The request, signed now. The native format alone is signed; the id goes with every format."""
        writer = _WRITERS.get(self.format)
        if writer is not None:
            written = writer(self.happened, self.url, self.method)
            headers = {**written.headers, "webhook-id": self.happened.webhook_id}
            return msgspec.structs.replace(written, headers=headers)
        body = native_body(self.happened)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": self.happened.webhook_id,
            "webhook-timestamp": str(now_s),
            "webhook-signature": signature_of(self.secrets, self.happened.webhook_id, now_s, body),
        }
        return Outgoing("POST", self.url, headers, body)

    def complaint(self, status: int, body: bytes) -> str:
        """What is wrong with an answer; "": it says that the event was taken."""
        if self.format == "jasmin":
            taken = status == 200 and body.strip() == jasmin.ACKNOWLEDGED
            return "" if taken else "no_ack" if status == 200 else f"status_{status}"
        return "" if 200 <= status < 300 else f"status_{status}"

    def is_final(self, status: int | None) -> bool:
        """Whether an answer forbids another try."""
        return self.format == "jasmin" and status == NOT_FOUND


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"


async def wrap(connection: asyncpg.Connection, claimed: Sequence[Delivery], now_ms: int) -> list[Parcel | None]:
    """The parcels of claimed deliveries; None: its endpoint is not active, or its message is not there any more."""
    ids = {each.endpoint_id for each in claimed if each.endpoint_id is not None}
    endpoints = await rows.load_endpoints(connection, ids, now_ms) if ids else {}
    others = (INBOUND, TEST, *NOTICE_EVENTS)
    keys = [(each.account_id, each.message_id) for each in claimed if each.event not in others]
    messages = await load_messages(connection, keys) if keys else {}
    arrived = [each.message_id for each in claimed if each.event == INBOUND]
    inbound = await load_inbound(connection, arrived) if arrived else {}
    told = [each.message_id for each in claimed if each.event in NOTICE_EVENTS]
    notices = await load_notices(connection, told) if told else {}
    connectors: dict[int, str] = {}
    accounts: dict[int, str] = {}
    if {*(each.format for each in claimed), *(each.format for each in endpoints.values())} & _WRITERS.keys():
        connectors = {row.connector_id: row.name for row in await facts.load_connectors(connection)}
        accounts = await rows.account_names(connection, {each.account_id for each in claimed})

    def parcel(delivery: Delivery) -> Parcel | None:
        if delivery.event in NOTICE_EVENTS:  # its message_id is the notice's
            notice = notices.get(delivery.message_id)
            known = Happened(f"evt_{delivery.delivery_id}", delivery.event, delivery.at_ms, notice=notice)
            return None if notice is None else _to_endpoint(delivery, known, endpoints.get(delivery.endpoint_id or 0))
        message, came = messages.get(delivery.message_id), inbound.get(delivery.message_id)
        subject = message or came
        if subject is None and delivery.event != TEST:
            return None
        happened = Happened(
            f"evt_{delivery.delivery_id}",
            delivery.event,
            delivery.at_ms,
            message,
            came,
            connectors.get(subject.connector_id, "") if subject is not None else "",
            accounts.get(delivery.account_id, ""),
        )
        if delivery.endpoint_id is None:
            method: Literal["GET", "POST"] = "GET" if delivery.method == "GET" else "POST"
            return Parcel(delivery, happened, delivery.url, delivery.format, method)
        return _to_endpoint(delivery, happened, endpoints.get(delivery.endpoint_id))

    return [parcel(delivery) for delivery in claimed]


def _to_endpoint(delivery: Delivery, happened: Happened, endpoint: Endpoint | None) -> Parcel | None:
    if endpoint is None or endpoint.state != "active":
        return None
    if happened.notice is not None and endpoint.format in _WRITERS:  # they have no words for it
        return None
    return Parcel(delivery, happened, endpoint.url, endpoint.format, endpoint.method, endpoint.secrets)
