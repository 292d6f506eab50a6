"""What can happen that a customer is told of, and how the native format writes it.

Source: architecture section 3 (settle, notify); Standard Webhooks, "Payload structure" (type, timestamp, data). Pure.
What must not enter: other products' formats (kannel.py, jasmin.py), signing, sending.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

import msgspec

from gateway.inbound.long_messages import text_of
from gateway.message import InboundMessage, Message, accepted_at_ms
from gateway.notice_events import ACCOUNT_EVENTS, NOTICE_EVENTS
from gateway.storage.messages import decode_envelope
from gateway.storage.notices import StoredNotice
from telecom.default_alphabet import split_header
from telecom.money import format_credits

ESM_UDHI: Final = 0x40  # SMPP v3.4 5.2.12
ACCEPTED: Final = "message.accepted"  # of event streams only
SUBMITTED: Final = "message.submitted"
INBOUND: Final = "inbound.received"
TEST: Final = "webhook.test"
FINAL_EVENTS: Final = (
    "message.delivered",
    "message.undeliverable",
    "message.rejected",
    "message.expired",
    "message.deleted",
    "message.unknown",
)
EVENTS: Final = (SUBMITTED, *FINAL_EVENTS, INBOUND)  # of messages: what an endpoint of any format may ask for
ASKABLE: Final = (*EVENTS, *ACCOUNT_EVENTS)  # what one of the native format may


class Happened(msgspec.Struct, frozen=True):
    """An event with what it is about, and the names that formats write. webhook_id: the same at every try."""

    webhook_id: str
    event: str
    at_ms: int
    message: Message | None = None
    inbound: InboundMessage | None = None
    connector: str = ""
    account: str = ""
    notice: StoredNotice | None = None

    @property
    def state(self) -> str:
        """The state that a message.* event tells of."""
        return self.event.partition(".")[2]


def format_time(unix_ms: int) -> str | None:
    """RFC 3339 in UTC with milliseconds; None for 0, which stands for never."""
    if not unix_ms:
        return None
    moment = datetime.datetime.fromtimestamp(unix_ms / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def native_body(happened: Happened) -> bytes:
    """The JSON of the native format."""
    if happened.message is not None:
        data = message_data(happened.message, happened.state)
    elif happened.inbound is not None:
        data = inbound_data(happened.inbound)
    elif happened.notice is not None:
        data = notice_data(happened.notice)
    else:
        data = {}
    return msgspec.json.encode({"type": happened.event, "timestamp": format_time(happened.at_ms), "data": data})


def notice_data(notice: StoredNotice) -> dict[str, Any]:
    """What is told of an account's affairs: ids and exact amounts as text."""
    kinds = NOTICE_EVENTS[notice.event].facts
    return {name: _fact(kinds[name], given) for name, given in notice.facts.items()}


def _fact(kind: str, given: str | int) -> str | None:
    if kind == "credits":
        return format_credits(int(given))
    return format_time(int(given)) if kind == "time" else str(given)


def message_data(message: Message, state: str) -> dict[str, Any]:
    """What is told of a message that reached a state; the same at every try, whatever became of it since."""
    final = state not in ("accepted", "submitted")
    return {
        "id": str(message.message_id),
        "status": state,
        "from": message.source_addr,
        "to": message.destination_addr,
        "parts": message.part_count,
        "error": message.error if final else "",
        "accepted_at": format_time(accepted_at_ms(message.message_id)),
        "submitted_at": None if state == "accepted" else format_time(message.submitted_at_ms),
        "final_at": format_time(message.final_at_ms) if final else None,
    }


def inbound_data(inbound: InboundMessage) -> dict[str, Any]:
    """What is told of a message from a handset. text: null where its octets are none."""
    text, octets = content_of(inbound)
    return {
        "id": str(inbound.message_id),
        "from": inbound.source_addr,
        "to": inbound.destination_addr,
        "text": text or None,
        "data_coding": inbound.data_coding,
        "content_hex": octets.hex(),
        "parts": inbound.part_count,
        "parts_missing": inbound.parts_missing,
        "received_at": format_time(inbound.received_at_ms),
    }


def content_of(inbound: InboundMessage) -> tuple[str, bytes]:
    """The text of a handset's message ("": none) and its octets without header."""
    envelope = decode_envelope(inbound.envelope)
    octets = split_header(inbound.user_data, bool(envelope.esm_class & ESM_UDHI))[2]
    return text_of(envelope, inbound.data_coding, inbound.user_data), octets
