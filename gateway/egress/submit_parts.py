"""A message as the submit_sm PDUs of one carrier: its parts, its alphabet, its way to write addresses.

Source: SMPP v3.4 4.4.1, 5.2.12, 5.2.19, 5.3.2.22 to 5.3.2.25 (SAR), 5.3.2.32 (message_payload); 3GPP TS 23.040
9.2.3.24. Dialects are fields of the CarrierProfile. A customer's own header, class, ports and octets go as they came.
What must not enter: links, windows, answers (smpp_connector.py).
"""

from __future__ import annotations

from time import time
from typing import NamedTuple

from gateway.egress.profile import OTHER_ADDRESS, WITHOUT_VALIDITY, CarrierProfile
from gateway.message import PART_QUEUED, Message
from gateway.smpp.declared_tlvs import passed_on
from gateway.smpp.pdus import SubmitSm
from telecom.alphabets import NotInAlphabet
from telecom.data_coding import UCS2, meaning_of
from telecom.default_alphabet import split_header, text_of, to_default_alphabet, without_shifts
from telecom.parts import OCTETS, count_parts, split_user_data
from telecom.udh import Concatenation, concatenation_element, encode_udh

TON_ALPHANUMERIC, ESM_UDHI = 5, 0x40  # SMPP v3.4 5.2.5, 5.2.12
REGISTERED_KEPT = 0x1C  # SMPP v3.4 5.2.17: acknowledgements of the handset and its user, intermediate notification
ESM_KEPT = 0xFC  # SMPP v3.4 5.2.12: type, header and reply path are the customer's; the messaging mode is ours
SHORT_MESSAGE_OCTETS, ADDRESS_OCTETS = 254, 20  # SMPP v3.4 5.2.22, 5.2.8
NARROW_HEADER_OCTETS = 6  # 3GPP TS 23.040 9.2.3.24.1: length octet and element 00
TAG_SAR_REFERENCE, TAG_SAR_TOTAL, TAG_SAR_NUMBER = 0x020C, 0x020E, 0x020F  # SMPP v3.4 5.3.2.22 to 5.3.2.24
TAG_MESSAGE_PAYLOAD = 0x0424  # SMPP v3.4 5.3.2.32
WHOLE = -1  # the part number of a PDU that carries every part of its message
SAR_TAGS = (TAG_SAR_REFERENCE, TAG_SAR_TOTAL, TAG_SAR_NUMBER)

Part = tuple[Message, int]
Tlvs = tuple[tuple[int, bytes], ...]


class Piece(NamedTuple):
    """User data of one PDU. has_udh: it begins with a header."""

    user_data: bytes
    has_udh: bool
    tlvs: Tlvs
    part_no: int = 0


def parts_of(message: Message, profile: CarrierProfile) -> list[tuple[SubmitSm, Part]] | str:
    """What submit() writes for a message: one PDU for each part that is queued, with the part's place; or why nothing
    can be written, before anything is: a half sent message helps nobody.
    """
    if len(message.source_addr) > ADDRESS_OCTETS or len(message.destination_addr) > ADDRESS_OCTETS:
        return "an address is longer than SMPP allows"
    data_coding = message.data_coding
    envelope = message.envelope
    if message.part_count == 1:
        pieces = [Piece(message.user_data, bool(envelope.esm_class & ESM_UDHI), envelope.tlvs)]
        if envelope.tlvs:
            pieces = [_with_header_for_sar(pieces[0], data_coding, profile)]
    else:
        pieces = _cut(message, profile, message.user_data, data_coding)
    if profile.alphabet != "gsm7" and _is_default(data_coding, profile):
        translated = _in_alphabet(pieces, profile)
        if isinstance(translated, NotInAlphabet):
            in_ucs2 = _in_ucs2(message, profile)
            if in_ucs2 is None:
                return f"the carrier's default alphabet {profile.alphabet} lacks {' '.join(translated.offending)}"
            translated, data_coding = in_ucs2, UCS2
        pieces = translated
    return _pdus(message, profile, pieces, data_coding)


# ---------------------------------------------------------------- cutting


def _cut(message: Message, profile: CarrierProfile, user_data: bytes, data_coding: int) -> list[Piece]:
    """The parts of a message of several, in the carrier's way. The reference follows from the id: a resend has it too.

    One way is narrower than what the price was counted with (16-bit references): a message that would take a part
    more goes with 8-bit references.
    """
    tlvs = message.envelope.tlvs
    way = profile.long_messages
    if way == "payload":
        return [Piece(user_data, False, tlvs, WHOLE)]
    reference = message.message_id >> 20 ^ message.message_id
    if way == "udh16" and count_parts(user_data, data_coding, False, wide_reference=True) == message.part_count:
        pieces = split_user_data(user_data, data_coding, reference, wide_reference=True)
        return [Piece(piece, True, tlvs, number) for number, piece in enumerate(pieces)]
    pieces = split_user_data(user_data, data_coding, reference)
    if way != "sar":
        return [Piece(piece, True, tlvs, number) for number, piece in enumerate(pieces)]
    return [
        Piece(piece[NARROW_HEADER_OCTETS:], False, (*tlvs, *_sar(reference, len(pieces), number + 1)), number)
        for number, piece in enumerate(pieces)
    ]


def _sar(reference: int, total: int, number: int) -> Tlvs:
    return (
        (TAG_SAR_REFERENCE, (reference & 0xFFFF).to_bytes(2, "big")),
        (TAG_SAR_TOTAL, bytes((total,))),
        (TAG_SAR_NUMBER, bytes((number,))),
    )


def _with_header_for_sar(piece: Piece, data_coding: int, profile: CarrierProfile) -> Piece:
    """A customer's part by SAR, for a carrier that is told of parts by headers; as it came where it does not fit."""
    if profile.long_messages not in ("udh", "udh16") or piece.has_udh:
        return piece
    sar = {tag: int.from_bytes(value, "big") for tag, value in piece.tlvs if tag in SAR_TAGS}
    if len(sar) < len(SAR_TAGS) or not 1 <= sar[TAG_SAR_NUMBER] <= sar[TAG_SAR_TOTAL] <= 255:
        return piece
    wide = profile.long_messages == "udh16"
    reference = sar[TAG_SAR_REFERENCE] & (0xFFFF if wide else 0xFF)
    place = Concatenation(reference, sar[TAG_SAR_TOTAL], sar[TAG_SAR_NUMBER], wide)
    user_data = encode_udh((concatenation_element(place),)) + piece.user_data
    if count_parts(user_data, data_coding, True) > 1:
        return piece
    return Piece(user_data, True, tuple((tag, value) for tag, value in piece.tlvs if tag not in SAR_TAGS))


# ---------------------------------------------------------------- alphabets


def _is_default(data_coding: int, profile: CarrierProfile) -> bool:
    """Whether user data is in the alphabet that value 0 means; a class (flash) is always GSM 7-bit, packed or not."""
    if data_coding == 0:
        return True
    meaning = meaning_of(data_coding)
    return profile.alphabet == "gsm7_packed" and meaning is not None and meaning.alphabet == "default"


def _in_alphabet(pieces: list[Piece], profile: CarrierProfile) -> list[Piece] | NotInAlphabet:
    """Each part by itself, so that its octets may be more or fewer than its septets and its place stays."""
    translated = []
    for piece in pieces:
        written = to_default_alphabet(piece.user_data, piece.has_udh, profile.alphabet)
        if isinstance(written, NotInAlphabet):
            return written
        header, text = written
        translated.append(Piece(header + text, bool(header), piece.tlvs, piece.part_no))
    return translated


def _in_ucs2(message: Message, profile: CarrierProfile) -> list[Piece] | None:
    """The message in UCS-2, for a carrier whose alphabet lacks a character; None where it would take other parts than
    were paid for.
    """
    has_udh = bool(message.envelope.esm_class & ESM_UDHI)
    text = text_of(message.user_data, has_udh).encode("utf-16-be")
    if message.part_count > 1:
        same = count_parts(text, UCS2, False) == message.part_count
        return _cut(message, profile, text, UCS2) if same else None
    header_octets, header, _ = split_header(message.user_data, has_udh)
    kept = without_shifts(header_octets, header)
    return [Piece(kept + text, bool(kept), message.envelope.tlvs)] if len(kept) + len(text) <= OCTETS else None


# ---------------------------------------------------------------- PDUs


def _pdus(
    message: Message, profile: CarrierProfile, pieces: list[Piece], data_coding: int
) -> list[tuple[SubmitSm, Part]]:
    """Of the parts those that are queued; the last one asks for a receipt, the others where the carrier gives each."""
    states = message.part_states
    queued = [p for p in pieces if states[p.part_no] == PART_QUEUED] if len(pieces) > 1 else pieces
    last = len(queued) - 1
    return [
        (
            _submit_sm(message, profile, piece, data_coding, place == last or profile.part_receipts == "each"),
            (message, piece.part_no),
        )
        for place, piece in enumerate(queued)
    ]


def _submit_sm(message: Message, profile: CarrierProfile, piece: Piece, data_coding: int, receipt: bool) -> SubmitSm:
    envelope = message.envelope
    source_ton = envelope.source_addr_ton
    destination_ton, destination_npi = profile.destination_ton, profile.destination_npi
    if message.dialect & OTHER_ADDRESS:
        destination_ton, destination_npi = profile.other_destination
    user_data, tlvs = piece.user_data, piece.tlvs
    if tlvs:
        tlvs = passed_on(tlvs, profile.tlvs)
    if piece.part_no == WHOLE or len(user_data) > SHORT_MESSAGE_OCTETS:
        user_data, tlvs = b"", (*tlvs, (TAG_MESSAGE_PAYLOAD, user_data))
    return SubmitSm(
        service_type=envelope.service_type,
        source_addr_ton=source_ton
        if profile.source_ton is None or source_ton == TON_ALPHANUMERIC
        else profile.source_ton,
        source_addr_npi=envelope.source_addr_npi if profile.source_npi is None else profile.source_npi,
        source_addr=message.source_addr,
        dest_addr_ton=destination_ton,
        dest_addr_npi=destination_npi,
        destination_addr=message.destination_addr,
        esm_class=envelope.esm_class & ESM_KEPT & ~ESM_UDHI | (ESM_UDHI if piece.has_udh else 0),
        protocol_id=envelope.protocol_id,
        priority_flag=envelope.priority_flag,
        validity_period=_validity_left(message) if profile.send_validity else "",
        # a final state is owed for every message (promise P5); what else the customer asked for is passed on
        registered_delivery=int(receipt) | envelope.registered_delivery & REGISTERED_KEPT,
        data_coding=data_coding,
        short_message=user_data,
        tlvs=tlvs,
    )


def _validity_left(message: Message) -> str:
    """How long the message is still valid, as a relative time (v3.4 7.1.1.2); "" once the carrier refused that."""
    if message.dialect & WITHOUT_VALIDITY:
        return ""
    minutes, seconds = divmod(max(1, message.expires_at_ms // 1000 - int(time())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{min(days, 28):02}{hours:02}{minutes:02}{seconds:02}000R"
