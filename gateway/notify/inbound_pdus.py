"""A handset's message as the deliver_sm of one login: whole, or in parts for binds that carry no TLV; in its alphabet.

Source: SMPP v3.4 4.6.1, 5.2.19, 5.2.22, 5.3.2.32; 3GPP TS 23.040 9.2.3.24.1.
What must not enter: when and on which bind it is delivered (esme_deliveries.py).
"""

from __future__ import annotations

from typing import Final

from gateway.message import InboundMessage
from gateway.smpp.pdus import DeliverSm
from gateway.storage.messages import decode_envelope
from telecom.alphabets import NotInAlphabet
from telecom.data_coding import UCS2, DefaultAlphabet
from telecom.default_alphabet import split_header, text_of, to_default_alphabet, without_shifts
from telecom.parts import split_beside

SHORT_MESSAGE_OCTETS: Final = 254  # SMPP v3.4 5.2.22: sm_length is one octet, 255 is reserved
TAG_MESSAGE_PAYLOAD: Final = 0x0424  # SMPP v3.4 5.3.2.32
ESM_UDHI: Final = 0x40  # SMPP v3.4 5.2.12
PARTS_LIMIT: Final = 255  # 3GPP TS 23.040 9.2.3.24.1: the total is one octet


def deliver_sm_of(inbound: InboundMessage, alphabet: DefaultAlphabet = "gsm7") -> DeliverSm:
    """The whole, in short_message or message_payload."""
    envelope = decode_envelope(inbound.envelope)
    has_udh = bool(envelope.esm_class & ESM_UDHI)
    return _deliver_sm(inbound, *_in_alphabet(inbound.user_data, inbound.data_coding, has_udh, alphabet))


def parts_of(inbound: InboundMessage) -> list[bytes]:
    """User data of the parts of a message that is too long for short_message, each with a header; none where it is not,
    or would take too many.
    """
    if len(inbound.user_data) <= SHORT_MESSAGE_OCTETS:
        return []
    has_udh = bool(decode_envelope(inbound.envelope).esm_class & ESM_UDHI)
    _, header, octets = split_header(inbound.user_data, has_udh)
    elements = header.elements if header is not None else ()
    parts = split_beside(elements, octets, inbound.data_coding, inbound.message_id)
    return parts if len(parts) <= PARTS_LIMIT else []


def deliver_sm_of_part(inbound: InboundMessage, place: int, alphabet: DefaultAlphabet = "gsm7") -> DeliverSm:
    """One of these parts, from 0 on."""
    return _deliver_sm(inbound, *_in_alphabet(parts_of(inbound)[place], inbound.data_coding, True, alphabet))


def _in_alphabet(
    user_data: bytes, data_coding: int, has_udh: bool, alphabet: DefaultAlphabet
) -> tuple[bytes, int, bool]:
    """User data as the login reads data_coding 0, as UCS-2 where its alphabet lacks a character; whether a header is
    left.
    """
    if data_coding != 0 or alphabet == "gsm7":
        return user_data, data_coding, has_udh
    written = to_default_alphabet(user_data, has_udh, alphabet)
    if isinstance(written, NotInAlphabet):
        header_octets, header, _ = split_header(user_data, has_udh)
        kept = without_shifts(header_octets, header)
        return kept + text_of(user_data, has_udh).encode("utf-16-be"), UCS2, bool(kept)
    header_octets, octets = written
    return header_octets + octets, 0, bool(header_octets)


def _deliver_sm(inbound: InboundMessage, user_data: bytes, data_coding: int, has_udh: bool) -> DeliverSm:
    envelope = decode_envelope(inbound.envelope)
    short = len(user_data) <= SHORT_MESSAGE_OCTETS
    return DeliverSm(
        service_type=envelope.service_type,
        source_addr_ton=envelope.source_addr_ton,
        source_addr_npi=envelope.source_addr_npi,
        source_addr=inbound.source_addr,
        dest_addr_ton=envelope.dest_addr_ton,
        dest_addr_npi=envelope.dest_addr_npi,
        destination_addr=inbound.destination_addr,
        esm_class=envelope.esm_class & ~ESM_UDHI | (ESM_UDHI if has_udh else 0),
        protocol_id=envelope.protocol_id,
        priority_flag=envelope.priority_flag,
        data_coding=data_coding,
        short_message=user_data if short else b"",
        tlvs=envelope.tlvs if short else (*envelope.tlvs, (TAG_MESSAGE_PAYLOAD, user_data)),
    )
