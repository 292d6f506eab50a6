"""A message as the submit_sm PDUs of one carrier: its parts, its alphabet, its way to write addresses.

Source: SMPP v3.4 4.4.1, 5.2.12, 5.2.19, 5.2.22; 3GPP TS 23.040 9.2.3.24.1. Dialects are fields of the CarrierProfile.
What must not enter: links, windows, answers (smpp_connector.py).
"""

from __future__ import annotations

from gateway.egress.profile import CarrierProfile
from gateway.message import PART_QUEUED, Message
from gateway.smpp.pdus import SubmitSm
from telecom.data_coding import DefaultAlphabet, decode_user_data, encode_user_data
from telecom.parts import split_user_data

TON_ALPHANUMERIC, ESM_UDHI = 5, 0x40  # SMPP v3.4 5.2.5, 5.2.12
SHORT_MESSAGE_OCTETS, ADDRESS_OCTETS = 254, 20  # SMPP v3.4 5.2.22, 5.2.8

Part = tuple[Message, int]


def parts_of(message: Message, profile: CarrierProfile) -> list[tuple[SubmitSm, Part]]:
    """What submit() writes for a message: one PDU for each part that is queued, with the part's place."""
    user_data = message.user_data
    if profile.alphabet != "gsm7" and message.data_coding == 0:
        user_data = _in_alphabet(user_data, profile.alphabet, bool(message.envelope.esm_class & ESM_UDHI))
    if message.part_count == 1:
        return [(_submit_sm(message, profile, user_data, message.envelope.esm_class & ESM_UDHI), (message, 0))]
    reference = (message.message_id >> 20 ^ message.message_id) & 0xFF
    pieces = split_user_data(user_data, message.data_coding, reference)
    return [
        (_submit_sm(message, profile, piece, ESM_UDHI), (message, number))
        for number, piece in enumerate(pieces)
        if message.part_states[number] == PART_QUEUED
    ]


def _submit_sm(message: Message, profile: CarrierProfile, user_data: bytes, esm_class: int) -> SubmitSm:
    envelope = message.envelope
    source_ton = envelope.source_addr_ton
    return SubmitSm(
        service_type=envelope.service_type,
        source_addr_ton=source_ton
        if profile.source_ton is None or source_ton == TON_ALPHANUMERIC
        else profile.source_ton,
        source_addr_npi=envelope.source_addr_npi if profile.source_npi is None else profile.source_npi,
        source_addr=message.source_addr,
        dest_addr_ton=profile.destination_ton,
        dest_addr_npi=profile.destination_npi,
        destination_addr=message.destination_addr,
        esm_class=esm_class,
        protocol_id=envelope.protocol_id,
        priority_flag=envelope.priority_flag,
        registered_delivery=1,  # a final state is owed for every message (promise P5)
        data_coding=message.data_coding,
        short_message=user_data,
        tlvs=envelope.tlvs,
    )


def _in_alphabet(user_data: bytes, alphabet: DefaultAlphabet, has_udh: bool) -> bytes:
    """GSM septets, one an octet, in what a carrier calls its default alphabet; as they are where it lacks a
    character.
    """
    header = user_data[: user_data[0] + 1] if has_udh else b""
    text = decode_user_data(user_data[len(header) :], 0, "gsm7")
    encoded = encode_user_data(text, 0, alphabet) if isinstance(text, str) else None
    fits = isinstance(encoded, bytes) and len(header) + len(encoded) <= SHORT_MESSAGE_OCTETS
    return header + encoded if fits and isinstance(encoded, bytes) else user_data


def length_fault(parts: list[tuple[SubmitSm, Part]]) -> str:
    """Why parts cannot be written, before any is: a half sent message helps nobody. Lengths alone can be at fault."""
    for pdu, _ in parts:
        if len(pdu.short_message) > SHORT_MESSAGE_OCTETS:
            return f"a part has {len(pdu.short_message)} octets, more than short_message holds"
        if len(pdu.source_addr) > ADDRESS_OCTETS or len(pdu.destination_addr) > ADDRESS_OCTETS:
            return "an address is longer than SMPP allows"
    return ""
