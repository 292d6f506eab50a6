"""A claimed delivery with all that its request needs: where it goes, what it says, how the answer is read.

What belongs here: gathering rows once a batch of claims, and the table of formats.
What must not enter: when it is sent (courier.py), the wire (outgoing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.storage import facts
from gateway.storage import webhooks as rows
from gateway.storage.messages import load_inbound, load_messages
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
        """Scheme, host and port: all of a URL that a log may show."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"

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


async def wrap(connection: asyncpg.Connection, claimed: Sequence[Delivery], now_ms: int) -> list[Parcel | None]:
    """The parcels of claimed deliveries; None: its endpoint is not active, or its message is not there any more."""
    ids = {each.endpoint_id for each in claimed if each.endpoint_id is not None}
    endpoints = await rows.load_endpoints(connection, ids, now_ms) if ids else {}
    keys = [(each.account_id, each.message_id) for each in claimed if each.event not in (INBOUND, TEST)]
    messages = await load_messages(connection, keys) if keys else {}
    arrived = [each.message_id for each in claimed if each.event == INBOUND]
    inbound = await load_inbound(connection, arrived) if arrived else {}
    connectors: dict[int, str] = {}
    accounts: dict[int, str] = {}
    if {*(each.format for each in claimed), *(each.format for each in endpoints.values())} & _WRITERS.keys():
        connectors = {row.connector_id: row.name for row in await facts.load_connectors(connection)}
        accounts = await rows.account_names(connection, {each.account_id for each in claimed})

    def parcel(delivery: Delivery) -> Parcel | None:
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
    return Parcel(delivery, happened, endpoint.url, endpoint.format, endpoint.method, endpoint.secrets)
