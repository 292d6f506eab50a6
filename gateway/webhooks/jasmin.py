"""Jasmin's callbacks for receipts (dlr-url) and handsets' messages: a form, or a query, that is answered by ACK/Jasmin.

Source: Jasmin's documentation, "HTTP API: receiving DLR, receiving SMS-MO"; its level names the receipt that is told (1
the SMSC's, 2 the handset's), not the one that was asked for. Pure. What must not enter: retries.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlencode

from gateway.message import SMSC_ID_SEPARATOR, InboundMessage, Message, accepted_at_ms
from gateway.message_states import RECEIPT_WORD
from gateway.receipts.carrier_errors import read_error
from gateway.smpp.times import format_receipt_date
from gateway.storage.messages import decode_envelope
from gateway.webhooks.events import FINAL_EVENTS, SUBMITTED, Happened, content_of
from gateway.webhooks.outgoing import Outgoing

ACKNOWLEDGED: Final = b"ACK/Jasmin"
FORM: Final = "application/x-www-form-urlencoded"
Fields = list[tuple[str, str | bytes]]


def events_of_level(level: int) -> tuple[str, ...]:
    """Which events a dlr-level (1, 2, 3) asks for: an SMSC's refusal is told at every level."""
    if level == 1:
        return (SUBMITTED, "message.rejected")
    return FINAL_EVENTS if level == 2 else (SUBMITTED, *FINAL_EVENTS)


def request_of(happened: Happened, url: str, method: Literal["GET", "POST"]) -> Outgoing:
    """The request that tells of it."""
    fields: Fields = [("event", "test")]
    if happened.message is not None:
        fields = _of_receipt(happened.message, happened)
    elif happened.inbound is not None:
        fields = _of_inbound(happened.inbound, happened.connector)
    encoded = urlencode(fields)
    if method == "GET":
        return Outgoing("GET", f"{url}{'&' if '?' in url else '?'}{encoded}", {"Accept": "text/plain"})
    return Outgoing("POST", url, {"Content-Type": FORM, "Accept": "text/plain"}, encoded.encode("ascii"))


def _of_receipt(message: Message, happened: Happened) -> Fields:
    if happened.event == SUBMITTED:
        return [
            ("id", str(message.message_id)),
            ("message_status", "ESME_ROK"),
            ("level", "1"),
            ("connector", happened.connector),
        ]
    code = read_error(message.error).code
    return [
        ("id", str(message.message_id)),
        ("message_status", RECEIPT_WORD[happened.state]),
        ("level", "2"),
        ("connector", happened.connector),
        ("id_smsc", message.smsc_message_ids.split(SMSC_ID_SEPARATOR)[0]),
        ("sub", f"{message.part_count:03d}"),
        ("dlvrd", f"{message.part_states.count('D'):03d}"),
        ("subdate", format_receipt_date(accepted_at_ms(message.message_id))),
        ("donedate", format_receipt_date(message.final_at_ms)),
        ("err", code if 0 < len(code) <= 3 else "000" if happened.state == "delivered" else "999"),
        ("text", ""),
    ]


def _of_inbound(inbound: InboundMessage, connector: str) -> Fields:
    octets = content_of(inbound)[1]
    envelope = decode_envelope(inbound.envelope)
    return [
        ("id", str(inbound.message_id)),
        ("from", inbound.source_addr),
        ("to", inbound.destination_addr),
        ("origin-connector", connector),
        ("priority", str(envelope.priority_flag)),
        ("coding", str(inbound.data_coding)),
        ("validity", ""),
        ("content", octets),
        ("binary", octets.hex()),
    ]
