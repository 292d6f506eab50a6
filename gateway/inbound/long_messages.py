"""Long messages from handsets: which part a message is, which parts make a whole, and the whole.

Source: 3GPP TS 23.040 9.2.3.24.1 and .8, SMPP v3.4 5.3.2.22 to 5.3.2.24. Pure: parts and times in, values out.
A whole without some of its parts is marked where they lack. What must not enter: rows, owners, keywords.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from gateway.message import Envelope, InboundPart
from gateway.storage.messages import decode_envelope
from telecom.alphabets import encode_gsm7
from telecom.data_coding import DEFAULT, UCS2, decode_user_data, encode_user_data
from telecom.default_alphabet import split_header
from telecom.udh import (
    CONCATENATION_8_BIT,
    CONCATENATION_16_BIT,
    InformationElement,
    UserDataHeader,
    concatenation,
    encode_udh,
    locking_shift,
    parse_udh,
    single_shift,
)

ESM_UDHI: Final = 0x40  # SMPP v3.4 5.2.12
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F  # SMPP v3.4 5.3.2.22 to 5.3.2.24
OF_PARTS_ONLY: Final = frozenset({SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER, 0x0426})  # and more_messages_to_send
GAP: Final = "[...]"  # chosen: what stands where parts lack; in every alphabet


class Place(NamedTuple):
    """Which part of which message. kind: what says so; a reference of one kind is not that of another."""

    kind: Literal["udh8", "udh16", "sar"]
    reference: int
    total: int
    number: int


def place_of(envelope: Envelope, user_data: bytes) -> Place | None:
    """The place of a part; None for a message that is whole."""
    if envelope.esm_class & ESM_UDHI:
        header = parse_udh(user_data)
        found = concatenation(header) if isinstance(header, UserDataHeader) else None
        if found is not None and found.total > 1:
            return Place("udh16" if found.wide else "udh8", found.reference, found.total, found.number)
    sar = {tag: int.from_bytes(value[:2], "big") for tag, value in envelope.tlvs if tag in OF_PARTS_ONLY}
    total, number = sar.get(SAR_TOTAL, 0), sar.get(SAR_NUMBER, 0)
    if SAR_REFERENCE in sar and 1 < total <= 255 and 1 <= number <= total:
        return Place("sar", sar[SAR_REFERENCE], total, number)
    return None


# ---------------------------------------------------------------- which parts belong together


class Gathered(msgspec.Struct):
    """Parts of one message, by number, of which no other is waited for. why: what ended the waiting."""

    parts: dict[int, InboundPart]
    total: int
    why: Literal["complete", "deadline", "reference used again", "too many open"]

    @property
    def missing(self) -> int:
        return self.total - len(self.parts)


def gather(parts: list[InboundPart], deadline_before_ms: int, open_limit: int) -> list[Gathered]:
    """Of one handset's parts, in the order they came, those that go on now; the others go on waiting.

    deadline_before_ms: what began to wait before it waits no more. open_limit: messages that may wait for parts.
    """
    waiting: dict[tuple[object, ...], dict[int, InboundPart]] = {}
    gathered: list[Gathered] = []
    for part in parts:
        held = waiting.setdefault(part.key, {})
        if part.number in held:
            gathered.append(Gathered(held, part.total, "reference used again"))
            held = waiting[part.key] = {}
        held[part.number] = part
        if len(held) == part.total:
            gathered.append(Gathered(waiting.pop(part.key), part.total, "complete"))
    rest = sorted(waiting.values(), key=_began)
    excess = len(rest) - open_limit
    for held in rest:
        first = next(iter(held.values()))
        if min(part.received_at_ms for part in held.values()) <= deadline_before_ms:
            gathered.append(Gathered(held, first.total, "deadline"))
        elif excess > 0:
            gathered.append(Gathered(held, first.total, "too many open"))
        excess -= 1
    return gathered


def _began(held: dict[int, InboundPart]) -> int:
    return min(part.part_id for part in held.values())


# ---------------------------------------------------------------- the whole


class Whole(msgspec.Struct, frozen=True):
    """A joined message; the envelope is its first part's, without what spoke of parts."""

    data_coding: int
    user_data: bytes
    envelope: Envelope


class _Piece(NamedTuple):
    number: int
    data_coding: int
    elements: tuple[InformationElement, ...]  # without concatenation
    header: UserDataHeader | None
    octets: bytes


def join(gathered: Gathered) -> Whole | None:
    """The whole of parts; None where they cannot be one: octets of different kinds, or headers of different ports.

    Parts alike (alphabet, other header elements) are put together as they are; texts in different alphabets as text.
    """
    pieces = [_piece(gathered.parts[number]) for number in sorted(gathered.parts)]
    first = gathered.parts[pieces[0].number]
    alike = all((p.data_coding, p.elements) == (pieces[0].data_coding, pieces[0].elements) for p in pieces)
    if alike:
        data_coding, header = pieces[0].data_coding, encode_udh(pieces[0].elements)
        gap = encode_user_data(GAP, data_coding, "gsm7")
        octets = _with_gaps(pieces, gathered.total, gap if isinstance(gap, bytes) else b"")
    else:
        text = _text(pieces, gathered.total)
        if text is None:
            return None
        septets, header = encode_gsm7(text), b""
        data_coding = DEFAULT if isinstance(septets, bytes) else UCS2
        octets = septets if isinstance(septets, bytes) else text.encode("utf-16-be", "replace")
    return Whole(data_coding, header + octets, _envelope(first, bool(header)))


def _piece(part: InboundPart) -> _Piece:
    envelope = decode_envelope(part.envelope)
    _, header, octets = split_header(part.user_data, bool(envelope.esm_class & ESM_UDHI))
    elements = header.elements if header is not None else ()
    kept = tuple(e for e in elements if e.identifier not in (CONCATENATION_8_BIT, CONCATENATION_16_BIT))
    return _Piece(part.number, part.data_coding, kept, header, octets)


def _with_gaps(pieces: list[_Piece], total: int, gap: bytes) -> bytes:
    octets, expected = b"", 1
    for piece in pieces:
        octets += (gap if piece.number != expected else b"") + piece.octets
        expected = piece.number + 1
    return octets + (gap if expected <= total else b"")


def _text(pieces: list[_Piece], total: int) -> str | None:
    """The text of parts that are not alike; None where one is no text, or has ports."""
    shifts_only = all(e.identifier in (0x24, 0x25) for piece in pieces for e in piece.elements)  # national tables
    texts = [text_of_piece(piece.octets, piece.data_coding, piece.header) for piece in pieces]
    if not shifts_only or any(text is None for text in texts):
        return None
    joined, expected = "", 1
    for piece, text in zip(pieces, texts, strict=True):
        joined += (GAP if piece.number != expected else "") + (text or "")
        expected = piece.number + 1
    return joined + (GAP if expected <= total else "")


def text_of_piece(octets: bytes, data_coding: int, header: UserDataHeader | None) -> str | None:
    """The text behind a header; None where the octets are none."""
    locking, single = (locking_shift(header), single_shift(header)) if header is not None else (0, 0)
    text = decode_user_data(octets, data_coding, "gsm7", locking=locking, single=single)
    return text if isinstance(text, str) else None


def text_of(envelope: Envelope, data_coding: int, user_data: bytes) -> str:
    """The text of a message in our dress (data_coding 0: septets, one an octet); "" where it has none."""
    _, header, octets = split_header(user_data, bool(envelope.esm_class & ESM_UDHI))
    return text_of_piece(octets, data_coding, header) or ""


def _envelope(part: InboundPart, has_udh: bool) -> Envelope:
    envelope = decode_envelope(part.envelope)
    envelope.esm_class = envelope.esm_class & ~ESM_UDHI | (ESM_UDHI if has_udh else 0)
    envelope.tlvs = tuple((tag, value) for tag, value in envelope.tlvs if tag not in OF_PARTS_ONLY)
    return envelope
