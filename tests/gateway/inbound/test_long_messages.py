"""Parts of handsets' messages: their place, who belongs together, the whole, and the mark where parts lack.

Source: 3GPP TS 23.040 9.2.3.24.1, SMPP v3.4 5.3.2.22. What must not enter: rows (test_desk.py).
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.inbound.long_messages import Gathered, gather, join, place_of, text_of
from gateway.message import Envelope, InboundPart
from gateway.storage.messages import encode_envelope
from telecom.parts import MAX_PARTS, choose_encoding, split_text

BEGAN_MS = 1_000_000
DEADLINE_MS = 600_000


def part(
    number: int, total: int = 3, text: bytes = b"", reference: int = 7, at_ms: int = 0, **given: Any
) -> InboundPart:
    body = text or b"<%d>" % number
    header = given.pop("header", bytes((5, 0, 3, reference, total, number)))
    user_data = header + body
    envelope = Envelope(esm_class=0x40, **given.pop("envelope", {}))
    digest = hashlib.blake2b(user_data, digest_size=8).digest()
    return InboundPart(
        given.pop("part_id", number + at_ms), 1, "229", "36000", "udh8", reference, total, number,
        given.pop("data_coding", 0), user_data, encode_envelope(envelope), digest, BEGAN_MS + at_ms,
    )  # fmt: skip


def go_on(*parts: InboundPart, now_ms: int = BEGAN_MS, open_limit: int = 20) -> list[tuple[list[int], str]]:
    return [(sorted(g.parts), g.why) for g in gather(list(parts), now_ms - DEADLINE_MS, open_limit)]


# ---------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("esm_class", "octets", "tlvs", "place"),
    [
        (0x40, "050003070302", (), ("udh8", 7, 3, 2)),
        (0x40, "06080412340302", (), ("udh16", 0x1234, 3, 2)),
        (0x40, "0b05040b8423f00003070302", (), ("udh8", 7, 3, 2)),
        (0, "050003070302", (), None),
        (0x40, "050003070101", (), None),  # a whole
        (0x40, "050003070304", (), None),  # the fourth of three
        (0x40, "ff", (), None),
        (0x40, "", (), None),
        (0, "", ((0x020C, b"\x12\x34"), (0x020E, b"\x03"), (0x020F, b"\x02")), ("sar", 0x1234, 3, 2)),
        (0, "", ((0x020C, b"\x12\x34"), (0x020E, b"\x01"), (0x020F, b"\x01")), None),
        (0, "", ((0x020E, b"\x03"), (0x020F, b"\x02")), None),
        (0, "", ((0x020C, b"\x12\x34"), (0x020E, b""), (0x020F, b"\x02")), None),
    ],
)
def test_a_place_is_in_a_header_or_in_tlvs(esm_class: int, octets: str, tlvs: Any, place: Any) -> None:
    assert place_of(Envelope(esm_class=esm_class, tlvs=tlvs), bytes.fromhex(octets)) == place


# ---------------------------------------------------------------- who goes on


def test_parts_in_any_order_make_a_whole_and_others_go_on_waiting() -> None:
    other = part(1, reference=8, part_id=90)
    assert go_on(part(3), part(1), other, part(2)) == [([1, 2, 3], "complete")]


def test_a_reference_is_another_for_each_number_of_parts() -> None:
    assert go_on(part(1, 2), part(2, 3), part(2, 2)) == [([1, 2], "complete")]


def test_what_waited_past_its_deadline_goes_on_as_it_is() -> None:
    parts = (part(1), part(3))
    assert go_on(*parts, now_ms=BEGAN_MS + DEADLINE_MS - 1) == []
    assert go_on(*parts, now_ms=BEGAN_MS + DEADLINE_MS) == [([1, 3], "deadline")]


def test_the_deadline_is_that_of_the_first_part() -> None:
    assert go_on(part(1), part(2, at_ms=500_000), now_ms=BEGAN_MS + DEADLINE_MS) == [([1, 2], "deadline")]


def test_a_place_that_is_taken_says_the_reference_is_used_again() -> None:
    old, new = (part(1), part(2)), [part(n, text=b"new", at_ms=5) for n in (1, 2, 3)]
    assert go_on(*old, *new) == [([1, 2], "reference used again"), ([1, 2, 3], "complete")]


def test_of_too_many_open_messages_the_oldest_goes_on() -> None:
    parts = [part(1, reference=n, part_id=n) for n in range(1, 6)]
    assert go_on(*parts, open_limit=3) == [([1], "too many open"), ([1], "too many open")]
    assert go_on(*parts, open_limit=5) == []


# ---------------------------------------------------------------- the whole


def whole_text(*parts: InboundPart) -> str:
    whole = join(Gathered({each.number: each for each in parts}, parts[0].total, "complete"))
    assert whole is not None
    return text_of(whole.envelope, whole.data_coding, whole.user_data)


def test_a_whole_has_no_header_and_no_tlvs_of_parts() -> None:
    tlvs = ((0x020C, b"\0\7"), (0x020E, b"\3"), (0x020F, b"\1"), (0x0426, b"\1"), (0x1400, b"x"))
    parts = {n: part(n, envelope={"tlvs": tlvs, "protocol_id": 5}) for n in (1, 2, 3)}
    whole = join(Gathered(parts, 3, "complete"))
    assert whole is not None
    assert (whole.user_data, whole.data_coding) == (b"<1><2><3>", 0)
    assert (whole.envelope.esm_class, whole.envelope.tlvs, whole.envelope.protocol_id) == (0, ((0x1400, b"x"),), 5)


@pytest.mark.parametrize(
    ("there", "text"),
    [((1, 2), "<1><2>[...]"), ((2,), "[...]<2>[...]"), ((1, 3), "<1>[...]<3>"), ((3,), "[...]<3>")],
)
def test_what_lacks_is_marked_in_its_place(there: tuple[int, ...], text: str) -> None:
    assert whole_text(*(part(n) for n in there)) == text
    ucs2 = [part(n, text=f"<{n}>".encode("utf-16-be"), data_coding=8) for n in there]
    assert whole_text(*ucs2) == text


def test_octets_have_no_mark_and_ports_stay() -> None:
    header = bytes.fromhex("0b05040b8423f00003070301")
    parts = {n: part(n, header=header[:-1] + bytes((n,)), data_coding=4) for n in (1, 3)}
    whole = join(Gathered(parts, 3, "deadline"))
    assert whole is not None
    assert (whole.user_data, whole.envelope.esm_class) == (bytes.fromhex("0605040b8423f0") + b"<1><3>", 0x40)


def test_parts_in_different_alphabets_are_joined_as_text() -> None:
    ucs2 = part(2, text="é😀".encode("utf-16-be"), data_coding=8)
    assert whole_text(part(1), ucs2, part(3)) == "<1>é😀<3>"


def test_parts_with_different_national_tables_are_joined_as_text() -> None:
    turkish = part(2, 2, header=bytes.fromhex("080003070202240101"), text=b"\x1bi")
    assert whole_text(part(1, 2), turkish) == "<1>ı"


def test_octets_and_text_cannot_be_one() -> None:
    assert join(Gathered({1: part(1, 2), 2: part(2, 2, data_coding=4)}, 2, "complete")) is None


@given(st.text(alphabet="abc é€[]ê😀\n", min_size=1, max_size=600), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=150)
def test_whatever_was_cut_and_shuffled_is_whole_again(text: str, chance: random.Random, wide: bool) -> None:
    encoding = choose_encoding(text)
    pieces = split_text(text, encoding, 7, wide_reference=wide)
    assert isinstance(pieces, list)
    if len(pieces) < 2:
        return
    assert len(pieces) <= MAX_PARTS
    parts = []
    for user_data in pieces:
        place = place_of(Envelope(esm_class=0x40), user_data)
        assert place is not None
        data_coding = 0 if encoding.alphabet == "gsm7" else 8
        parts.append(
            InboundPart(
                place.number,
                1,
                "229",
                "36000",
                *place,
                data_coding,
                user_data,
                encode_envelope(Envelope(esm_class=0x40)),
                user_data[:9],
                BEGAN_MS,
            )  # fmt: skip
        )
    chance.shuffle(parts)
    (gathered,) = gather(parts, 0, 20)
    whole = join(gathered)
    assert whole is not None
    assert text_of(whole.envelope, whole.data_coding, whole.user_data) == text
