"""The user data of a text: encoded, cut into parts, and found again in a PDU.

SMPP v3.4 5.2.19 (data_coding: 0 the default alphabet, unpacked; 8 UCS-2) and 5.3.2.32 (message_payload);
3GPP TS 23.038 and 23.040 9.2.3.24 through telecom. What must not enter: which text is sent to whom.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.smpp.pdus import Pdu
from telecom.alphabets import encode_gsm7

DATA_CODING_DEFAULT = 0
DATA_CODING_UCS2 = 8
ESM_CLASS_UDHI = 0x40  # v3.4 5.2.12: the user data starts with a header
MESSAGE_PAYLOAD = 0x0424  # TLV, v3.4 5.3.2.32


@dataclass(frozen=True, slots=True)
class EncodedText:
    """User data of one whole text. data_coding: 0 (GSM 7-bit, unpacked) or 8 (UCS-2, big endian)."""

    data_coding: int
    octets: bytes


def encode_text(text: str, ucs2: bool = False) -> EncodedText:
    """A text as user data: GSM 7-bit where it has all characters, UCS-2 otherwise or when asked for."""
    septets = None if ucs2 else encode_gsm7(text)
    if isinstance(septets, bytes):
        return EncodedText(DATA_CODING_DEFAULT, septets)
    return EncodedText(DATA_CODING_UCS2, text.encode("utf-16-be"))


def user_data(pdu: Pdu) -> bytes:
    """The user data of a submit_sm, deliver_sm or data_sm, UDH included: message_payload where present."""
    payload = pdu.tlv(MESSAGE_PAYLOAD) if pdu.tlvs else None
    if payload is not None:
        return payload
    short_message: bytes = getattr(pdu, "short_message", b"")  # data_sm has none
    return short_message
