"""Reading a carrier's receipt out of a deliver_sm.

Source: SMPP v3.4 5.2.12 (esm_class), 5.3.2.12 receipted_message_id, 5.3.2.35 message_state, appendix B (text).
TLVs are believed first, then the text: any case, any order, fields missing. What must not enter: which message it
belongs to.
"""

from __future__ import annotations

import re

import msgspec

from gateway.receipts.carrier_errors import compose_error
from gateway.smpp.pdus import DeliverSm

TAG_RECEIPTED_MESSAGE_ID = 0x001E
TAG_MESSAGE_STATE = 0x0427
TAG_NETWORK_ERROR_CODE = 0x0423
TAG_MESSAGE_PAYLOAD = 0x0424

ESM_MESSAGE_TYPE = 0x3C
ESM_RECEIPT = 0x04
ESM_INTERMEDIATE = 0x20

# SMPP v3.4 5.2.28, towards our states; the others (ENROUTE 1, ACCEPTED 6, SCHEDULED 0, SKIPPED 9) decide nothing.
STATE_OF_VALUE = {2: "delivered", 3: "expired", 4: "deleted", 5: "undeliverable", 7: "unknown", 8: "rejected"}
# Appendix B table B-2, by the first five letters, because carriers write DELIVRD, DELIVERED, UNDELIV, UNDELIVERABLE.
VALUE_OF_WORD = {
    "deliv": 2,
    "expir": 3,
    "delet": 4,
    "undel": 5,
    "accep": 6,
    "accpt": 6,
    "unkno": 7,
    "rejec": 8,
    "enrou": 1,
    "sched": 0,
    "buffe": 1,
    "faile": 5,
}
SAYS_NOTHING = -1  # no state in TLV or text, or a word nobody knows: validity decides, not a guess
_ID = re.compile(
    # an empty id field must not swallow the name of the field after it
    rb"\bid\s*:\s*(?!(?:sub|dlvrd|submit date|done date|stat|err|text)\s*:)([^\s\0]+)",
    re.IGNORECASE,
)
_STAT = re.compile(rb"\bstat\s*:\s*([A-Za-z]+)", re.IGNORECASE)
_ERR = re.compile(rb"\berr\s*:\s*([0-9A-Za-z]+)", re.IGNORECASE)


class Receipt(msgspec.Struct, gc=False):
    """What a receipt says. state: a final message state, or "" when it decides nothing yet. message_state: its number
    (v3.4 5.2.28), or SAYS_NOTHING. raw: its text as it came.
    """

    smsc_message_id: str
    message_state: int
    state: str
    error: str
    source_addr: str
    destination_addr: str
    raw: bytes = b""


def is_receipt(esm_class: int) -> bool:
    """Whether a deliver_sm of this esm_class speaks about a message sent, not for a handset's text."""
    return esm_class & ESM_MESSAGE_TYPE in (ESM_RECEIPT, ESM_INTERMEDIATE)


def read_receipt(pdu: DeliverSm) -> Receipt | None:
    """The receipt in a deliver_sm; None when it names no message (then it can only be stored and shown)."""
    smsc_message_id = ""
    message_state = SAYS_NOTHING
    network_error = b""
    text = pdu.short_message
    for tag, value in pdu.tlvs:
        if tag == TAG_RECEIPTED_MESSAGE_ID:
            smsc_message_id = value.partition(b"\0")[0].decode("latin-1")  # a NUL inside: PostgreSQL would refuse it
        elif tag == TAG_MESSAGE_STATE and value:
            message_state = value[0]
        elif tag == TAG_NETWORK_ERROR_CODE:
            network_error = value
        elif tag == TAG_MESSAGE_PAYLOAD and not text:
            text = value
    if not smsc_message_id:
        found = _ID.search(text)
        if found is None:
            return None
        smsc_message_id = found[1].decode("latin-1")
    if message_state == SAYS_NOTHING:
        found = _STAT.search(text)
        if found is not None:
            message_state = VALUE_OF_WORD.get(found[1][:5].decode("ascii").lower(), SAYS_NOTHING)
    intermediate = pdu.esm_class & ESM_MESSAGE_TYPE == ESM_INTERMEDIATE
    return Receipt(
        smsc_message_id,
        message_state,
        "" if intermediate else STATE_OF_VALUE.get(message_state, ""),
        _error(text, network_error),
        pdu.source_addr,
        pdu.destination_addr,
        text,
    )


def _error(text: bytes, network_error: bytes) -> str:
    """The carrier's error, of its text and of network_error_code (receipts.carrier_errors); "" for none."""
    start = text.find(b"err:")
    found = _ERR.match(text, start) if start >= 0 else _ERR.search(text)
    return compose_error(found[1].decode("ascii") if found is not None else "", network_error)
