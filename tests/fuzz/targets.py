"""What is fuzzed: every decoder of octets or words from outside, each as a function that any octets must survive.

House style rule 12: any bytes give a value or the blamed error, nothing else. A target raises when it finds something.
It also judges what can be judged of any input: what is written again reads the same, sizes, limits.
What must not enter: who chooses the octets (mutator.py, __main__.py), examples of good input (seeds.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final, get_args

from gateway.receipts.dress import keys_by_dress
from gateway.receipts.parse import STATE_OF_VALUE, read_receipt
from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import PduUnacceptable, StreamCorrupt
from gateway.smpp.times import format_time, parse_time
from gateway.smpp.walk import HEADER
from telecom.addresses import Address, kind_of, validate_destination, validate_source
from telecom.alphabets import (
    decode_gsm7,
    pack_counted_by_octets,
    pack_septets,
    unpack_counted_by_octets,
    unpack_septets,
)
from telecom.data_coding import DefaultAlphabet, decode_user_data, encode_user_data, meaning_of
from telecom.numbers import NumberRefused, parse_number
from telecom.parts import MAX_PARTS, count_parts, split_user_data
from telecom.tpdu import (
    Deliver,
    StatusReport,
    Submit,
    TpduMalformed,
    decode_from_centre,
    decode_from_handset,
    decode_time,
    encode_deliver,
    encode_status_report,
    encode_submit,
    encode_time,
    split_service_centre,
    text_of,
)
from telecom.udh import UdhMalformed, concatenation, encode_udh, locking_shift, parse_udh, ports, single_shift
from tests.gateway.smpp.fuzz_target import fuzz_once

NOW_MS: Final = 1_795_262_400_000  # 2026-11-21, chosen
DEFAULTS: Final[tuple[DefaultAlphabet, ...]] = get_args(DefaultAlphabet)
REGIONS: Final = (None, "BJ", "FR", "CI", "XX")
BINARY_HEADER: Final = 140  # octets: a header beyond it fits into no part and encode_udh refuses it

Target = Callable[[bytes], None]


def pdu(data: bytes) -> None:
    """One frame, strict and tolerant. A request that was read is written and read again the same."""
    for tolerant in (False, True):
        try:
            told = decode_pdu(data, tolerant=tolerant)
        except StreamCorrupt:
            return
        assert isinstance(told, p.Pdu | PduUnacceptable)
    strict = decode_pdu(data)
    if isinstance(strict, p.Pdu) and not strict.command_id & p.RESPONSE_BIT:
        assert decode_pdu(encode_pdu(strict)) == strict


def body(data: bytes) -> None:
    """The same behind a header that fits: the first octet chooses the type, all others are its fields and TLVs."""
    kinds = list(p.PDU_TYPES)
    if data:
        pdu(HEADER.pack(15 + len(data), kinds[data[0] % len(kinds)], 0, 1) + data[1:])


def session(data: bytes) -> None:
    """A session of either role in any state; whole and chunked alike (tests/gateway/smpp/fuzz_target.py)."""
    fuzz_once(data)


def receipt(data: bytes) -> None:
    """A deliver_sm with this text, and TLVs in front of it where the first octet says so."""
    if not data:
        return
    flags, text = data[0], data[1:]
    tlvs: list[tuple[int, bytes]] = []
    for bit, tag in enumerate((0x001E, 0x0427, 0x0423, 0x0424)):
        if flags >> bit & 1:
            length = text[0] % 32 if text else 0
            tlvs.append((tag, text[1 : 1 + length]))
            text = text[1 + length :]
    told = read_receipt(p.DeliverSm(esm_class=flags & 0x24, short_message=text, tlvs=tuple(tlvs)))
    if told is not None:
        assert told.smsc_message_id
        assert told.state in ("", *STATE_OF_VALUE.values())
        for word in (told.smsc_message_id, told.error):
            assert "\0" not in word, "PostgreSQL would refuse it"
        keys = list(keys_by_dress(told.smsc_message_id))
        assert keys
        assert len(keys) < 20


def udh(data: bytes) -> None:
    """A user data header; what it means; written again it reads the same."""
    header = parse_udh(data)
    if isinstance(header, UdhMalformed):
        return
    concatenation(header), ports(header), locking_shift(header), single_shift(header)
    if 1 < header.length <= BINARY_HEADER:
        again = parse_udh(encode_udh(header.elements))
        assert again == header


def tpdu(data: bytes) -> None:
    """A TPDU of either way, with and without a service centre; its text; written again it reads the same."""
    split_service_centre(data)
    submit = decode_from_handset(data)
    if isinstance(submit, Submit):
        text_of(submit.user_data, submit.data_coding_scheme)
        assert decode_from_handset(encode_submit(submit)) == submit
    told = decode_from_centre(data)
    if isinstance(told, Deliver):
        text_of(told.user_data, told.data_coding_scheme)
        assert decode_from_centre(encode_deliver(told)) == told
    elif isinstance(told, StatusReport):
        assert decode_from_centre(encode_status_report(told)) == told
    else:
        assert isinstance(told, TpduMalformed)


def data_coding(data: bytes) -> None:
    """User data under any data_coding, default alphabet and national tables; UCS-2 and Latin text come back."""
    if len(data) < 3:
        return
    value, default, shifts, octets = data[0], DEFAULTS[data[1] % len(DEFAULTS)], data[2], data[3:]
    meaning_of(value)
    text = decode_user_data(octets, value, default, locking=shifts & 15, single=shifts >> 4)
    if isinstance(text, str):
        encode_user_data(text, value, default)
        if value == 3:
            assert encode_user_data(text, value, default) == octets


def septets(data: bytes) -> None:
    """Packing is undone by unpacking, behind any header; any septets are a text."""
    if not data:
        return
    header, octets = data[0] % 141, data[1:]
    decode_gsm7(octets, locking=header & 15, single=header >> 4)
    clean = bytes(octet & 0x7F for octet in octets)
    assert unpack_septets(pack_septets(clean, header % 7), len(clean), header % 7) == clean
    unpack_counted_by_octets(octets, header)
    assert unpack_counted_by_octets(pack_counted_by_octets(clean, header), header).rstrip(b"\r") == clean.rstrip(b"\r")


def parts(data: bytes) -> None:
    """However user data is cut, the pieces are what was cut, as many as were counted."""
    if len(data) < 2:
        return
    value, flags, octets = data[0], data[1], data[2:]
    count_parts(octets, value, True)
    wide = bool(flags & 1)
    count = count_parts(octets, value, False, wide_reference=wide)
    if count <= MAX_PARTS:
        cut = split_user_data(octets, value, flags, wide_reference=wide)
        assert len(cut) == count
        headers = [parse_udh(piece) if count > 1 else None for piece in cut]
        bare = (piece[header.length :] if header else piece for piece, header in zip(cut, headers, strict=True))  # type: ignore[union-attr]  # our own header
        assert b"".join(bare) == octets


def times(data: bytes) -> None:
    """SMPP's sixteen characters and the seven octets of a TPDU."""
    text = data.decode("latin-1")
    moment = parse_time(text, NOW_MS)
    if moment is not None and text[15] != "R":
        tenth = format_time(moment)
        if tenth[:2] == text[:2]:  # offsets may lead out of the century that two digits can say
            assert parse_time(tenth, NOW_MS) == moment
    if len(data) >= 7:
        told = decode_time(data[:7])
        if told is not None:
            assert decode_time(encode_time(told)) == told


def numbers(data: bytes) -> None:
    """Addresses and numbers as peers write them: any text is one of theirs, or refused with a name."""
    if len(data) < 2:
        return
    ton, npi, text = data[0] & 7, data[1] & 15, data[2:].decode("latin-1")
    address = Address(ton, npi, text)
    kind_of(address), validate_source(address), validate_destination(address)
    for strict in (False, True):
        told = parse_number(text, ton=ton, default_region=REGIONS[npi % len(REGIONS)], strict=strict)
        if not isinstance(told, NumberRefused):
            assert told.e164.isascii()
            assert told.e164.isdecimal()
            assert len(told.e164) <= 15
            again = parse_number(told.e164, ton=1, strict=strict)
            assert not isinstance(again, NumberRefused)
            assert again.e164 == told.e164


TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (pdu, body, session, receipt, udh, tpdu, data_coding, septets, parts, times, numbers)
}


def judge(target: Target, data: bytes) -> str:
    """ "" or what was found, with the input that repeats it."""
    with contextlib.suppress(KeyboardInterrupt):
        try:
            target(data)
        except Exception as find:  # boundary: whatever a target raises is a find
            return f"{target.__name__}(bytes.fromhex({data.hex()!r})): {type(find).__name__}: {find}"
    return ""
