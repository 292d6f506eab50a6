"""Kannel's dlr-url and get-url: a template whose escape codes are filled in, asked by GET, or posted as a form.

Source: Kannel user guide, "Parameters (Escape codes)" and dlr-mask. For MO %p is the handset; for a receipt %p is the
handset that got the message and %P its sender. Pure. What must not enter: signing, retries.
"""

from __future__ import annotations

import datetime
import re
from typing import Final, Literal
from urllib.parse import quote_plus

from gateway.message import SMSC_ID_SEPARATOR, InboundMessage, Message
from gateway.message_states import RECEIPT_WORD
from gateway.receipts.carrier_errors import read_error
from gateway.storage.messages import decode_envelope
from gateway.webhooks.events import SUBMITTED, Happened, content_of
from gateway.webhooks.outgoing import Outgoing

INTERNATIONAL: Final = 1  # SMPP v3.4 5.2.5
MASK_OF_EVENT: Final[dict[str, int]] = {  # the value of %d, and the bit of dlr-mask that asks for it
    "message.delivered": 1,
    "message.undeliverable": 2,
    "message.expired": 2,
    "message.deleted": 2,
    "message.unknown": 2,
    SUBMITTED: 8,
    "message.rejected": 16,
}
_ESCAPE: Final = re.compile(r"%(#[^#]*#[^#]*#|[A-Za-z%])")
FORM: Final = "application/x-www-form-urlencoded"


def events_of_mask(mask: int) -> tuple[str, ...]:
    """Which events a dlr-mask asks for; bits 4 and 32 (buffered, intermediate) ask for nothing that is told here."""
    return tuple(event for event, bit in MASK_OF_EVENT.items() if mask & bit)


def request_of(happened: Happened, template: str, method: Literal["GET", "POST"]) -> Outgoing:
    """The request that tells of it. POST: what stands behind the ? becomes the form."""
    url = expand(template, _values(happened))
    if method == "GET":
        return Outgoing("GET", url)
    place, _, form = url.partition("?")
    return Outgoing("POST", place, {"Content-Type": FORM}, form.encode("ascii"))


def expand(template: str, values: dict[str, str | bytes]) -> str:
    """Fill a template: values percent-encoded, %S as it is; meta-data empty; codes that are none of Kannel's stay."""

    def fill(code: re.Match[str]) -> str:
        name = code[1]
        if name == "%":
            return "%"
        if name.startswith("#"):
            return ""
        found = values.get(name)
        if found is None:
            return code[0]
        if name == "S" and isinstance(found, str):
            return re.sub(r"[^!-\[\]-~]", lambda odd: quote_plus(odd[0]), found)
        return quote_plus(found)

    return _ESCAPE.sub(fill, template)


def _values(happened: Happened) -> dict[str, str | bytes]:
    at = datetime.datetime.fromtimestamp(happened.at_ms / 1000, datetime.UTC)
    values: dict[str, str | bytes] = {
        "t": at.strftime("%Y-%m-%d %H:%M"),
        "T": str(happened.at_ms // 1000),
        "i": happened.connector,
        "n": happened.account,
        "f": "",
        "o": "",
        "x": "",
        "D": "",
        "R": "",
    }
    if happened.message is not None:
        return values | _of_receipt(happened.message, happened)
    if happened.inbound is not None:
        return values | _of_inbound(happened.inbound)
    return values | dict.fromkeys("abdkrsSpPqQIFAcmMCuBOvV", "")


def _numbers(p: str, capital_p: str) -> dict[str, str | bytes]:
    def plus(number: str) -> str:
        return "+" + number[2:] if number.startswith("00") else number

    return {"p": p, "P": capital_p, "q": plus(p), "Q": plus(capital_p)}


def _words(text: str) -> dict[str, str | bytes]:
    words = text.split()
    return {
        "a": " ".join(words),
        "k": words[0] if words else "",
        "s": words[1] if len(words) > 1 else "",
        "S": words[1] if len(words) > 1 else "",
        "r": " ".join(words[1:]),
    }


def _of_receipt(message: Message, happened: Happened) -> dict[str, str | bytes]:
    envelope = message.envelope
    error = read_error(message.error).code or "000"
    if happened.event == SUBMITTED:
        reply = "ACK/"
    elif happened.event == "message.rejected":
        reply = f"NACK/{message.error}"
    else:
        arrived = message.part_states.count("D")
        reply = (
            f"id:{message.message_id} sub:{message.part_count:03d} dlvrd:{arrived:03d}"
            f" stat:{RECEIPT_WORD[happened.state]} err:{error} text:"
        )
    return {
        **_numbers(
            envelope.submitted_destination or message.destination_addr, envelope.submitted_source or message.source_addr
        ),
        **_words(reply),
        "b": reply,
        "A": reply,
        "d": str(MASK_OF_EVENT[happened.event]),
        "I": str(message.message_id),
        "F": message.smsc_message_ids.split(SMSC_ID_SEPARATOR)[0],
        "B": error,
        "c": _coding(message.data_coding),
        "O": str(message.data_coding),
        **_unused(message.data_coding),
    }


def _of_inbound(inbound: InboundMessage) -> dict[str, str | bytes]:
    text, octets = content_of(inbound)
    envelope = decode_envelope(inbound.envelope)
    handset = inbound.source_addr
    if envelope.source_addr_ton == INTERNATIONAL and handset.isdigit():
        handset = "+" + handset
    return {
        **_numbers(handset, inbound.destination_addr),
        **_words(text),
        "b": text or octets,
        "A": "",
        "d": "",
        "I": str(inbound.message_id),
        "F": "",
        "B": "",
        "c": _coding(inbound.data_coding),
        "O": str(inbound.data_coding),
        **_unused(inbound.data_coding),
    }


def _unused(data_coding: int) -> dict[str, str | bytes]:
    """Codes of fields that we do not carry; texts are written in UTF-8 whatever they were sent in."""
    return {"m": "", "M": "", "u": "", "v": "", "V": "", "C": "UTF-8"}


def _coding(data_coding: int) -> str:
    """Kannel's coding: 0 7 bit, 1 8 bit, 2 UCS-2."""
    return {4: "1", 2: "1", 8: "2"}.get(data_coding, "0")
