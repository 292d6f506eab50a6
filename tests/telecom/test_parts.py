"""Parts: every limit of the defaults, pairs that stay together, and cuts that put together give the message.

What must not enter: prices, TPDUs.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import DEFAULT_ALPHABET, EXTENSION, NotInAlphabet, decode_gsm7, encode_gsm7
from telecom.data_coding import Unit, meaning_of
from telecom.parts import (
    MAX_PARTS,
    OVER_LIMIT,
    Encoding,
    choose_encoding,
    count_parts,
    encode_text,
    estimate,
    split_text,
    split_user_data,
)
from telecom.udh import Concatenation, UserDataHeader, concatenation, parse_udh

GSM7, UCS2 = Encoding("gsm7"), Encoding("ucs2")
TURKISH_SHIFT, TURKISH_BOTH = Encoding("gsm7", 0, 1), Encoding("gsm7", 1, 1)
GSM_TEXT = st.text(alphabet=sorted(set(DEFAULT_ALPHABET) - {"\x1b"} | set(EXTENSION.values())), max_size=1400)


@pytest.mark.parametrize(
    ("data_coding", "octets", "parts"),
    [
        (0x00, 0, 1),
        (0x00, 160, 1),
        (0x00, 161, 2),
        (0x00, 306, 2),
        (0x00, 307, 3),
        (0x00, 1530, 10),
        (0x00, 1531, 11),
        (0x01, 160, 1),
        (0xF0, 160, 1),
        (0x10, 160, 1),
        (0xC0, 161, 2),
        (0x03, 140, 1),
        (0x03, 141, 2),
        (0x04, 268, 2),
        (0x04, 269, 3),
        (0xF4, 141, 2),
        (0x08, 140, 1),
        (0x08, 142, 2),
        (0x08, 268, 2),
        (0x08, 270, 3),
        (0x18, 142, 2),
        (0xE0, 142, 2),
        (0x0B, 141, 2),  # reserved: counted as octets
    ],
)
def test_user_data_takes_parts(data_coding: int, octets: int, parts: int) -> None:
    assert count_parts(b"x" * octets, data_coding, False) == parts


@pytest.mark.parametrize(("data_coding", "octets"), [(0x00, 2 * 152), (0x04, 2 * 133), (0x08, 2 * 132)])
def test_wide_reference_leaves_less_room(data_coding: int, octets: int) -> None:
    assert count_parts(b"x" * octets, data_coding, False, wide_reference=True) == 2
    assert count_parts(b"x" * (octets + 1), data_coding, False, wide_reference=True) == 3
    assert len(split_user_data(b"x" * octets, data_coding, 1, wide_reference=True)) == 2


@pytest.mark.parametrize(
    ("data_coding", "header", "room"),
    [
        (0x00, "050003010201", 153),
        (0x00, "06080400010201", 152),
        (0x00, "03240101", 155),
        (0x00, "080003010201240101", 149),
        (0x00, "06240101250101", 152),
        (0x00, "0b0003010201240101250101", 146),
        (0x04, "050003010201", 134),
        (0x08, "050003010201", 134),
    ],
)
def test_message_with_its_own_header_is_one_part_or_none(data_coding: int, header: str, room: int) -> None:
    octets = bytes.fromhex(header)
    assert count_parts(octets + b"x" * room, data_coding, True) == 1
    assert count_parts(octets + b"x" * (room + 1), data_coding, True) == OVER_LIMIT > MAX_PARTS


def test_header_longer_than_the_message_is_counted_without_fault() -> None:
    assert count_parts(b"", 0, True) == 1
    assert count_parts(b"\xff", 0, True) == 1


def test_escape_pair_is_not_cut() -> None:
    parts = split_user_data(b"x" * 152 + b"\x1be" + b"x" * 10, 0, 7)
    assert [part[6:] for part in parts] == [b"x" * 152, b"\x1be" + b"x" * 10]


def test_escape_that_is_the_second_of_a_pair_does_not_move_the_cut() -> None:
    parts = split_user_data(b"x" * 151 + b"\x1b\x1b" + b"y" * 10, 0, 7)
    assert [part[6:] for part in parts] == [b"x" * 151 + b"\x1b\x1b", b"y" * 10]


def test_surrogate_pair_is_not_cut() -> None:
    text = "a" * 66 + "😀" + "b" * 10
    parts = split_user_data(text.encode("utf-16-be"), 8, 7)
    assert [part[6:].decode("utf-16-be") for part in parts] == ["a" * 66, "😀" + "b" * 10]


def test_extension_characters_cost_two_septets() -> None:
    assert estimate("€" * 80).parts == 1
    assert estimate("€" * 81).parts == 2
    assert estimate("€" * 152).parts == 2
    assert estimate("€" * 153).parts == 3  # 76 a part: a pair does not fit into the 153rd septet


def test_headers_number_the_parts_under_one_reference() -> None:
    parts = split_user_data(b"x" * 400, 0, 0x1CC)
    assert [part[:6].hex() for part in parts] == ["050003cc0301", "050003cc0302", "050003cc0303"]
    wide = split_user_data(b"x" * 400, 0, 0x1CC, wide_reference=True)
    assert [part[:7].hex() for part in wide] == ["06080401cc0301", "06080401cc0302", "06080401cc0303"]


def test_one_part_comes_back_without_a_header() -> None:
    assert split_user_data(b"x" * 160, 0, 7) == [b"x" * 160]


def test_parts_above_the_limit_are_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="the limit is 10"):
        split_user_data(b"x" * (153 * MAX_PARTS + 1), 0, 7)
    assert len(split_user_data(b"x" * 153 * MAX_PARTS, 0, 7)) == MAX_PARTS


def payload_of(part: bytes, number: int, total: int, reference: int, wide: bool) -> bytes:
    header = parse_udh(part)
    assert isinstance(header, UserDataHeader)
    mask = 0xFFFF if wide else 0xFF
    assert concatenation(header) == Concatenation(reference & mask, total, number, wide)
    return part[header.length :]


@given(
    user_data=st.binary(max_size=1300) | st.binary(max_size=80).map(lambda octets: octets * 15),
    data_coding=st.integers(0, 255),
    reference=st.integers(0, 0xFFFFF),
    wide=st.booleans(),
)
@settings(max_examples=300)
def test_parts_put_together_give_the_user_data(user_data: bytes, data_coding: int, reference: int, wide: bool) -> None:
    total = count_parts(user_data, data_coding, False, wide_reference=wide)
    if total > MAX_PARTS:
        return
    parts = split_user_data(user_data, data_coding, reference, wide_reference=wide)
    assert len(parts) == total
    if total == 1:
        assert parts == [user_data]
        return
    payloads = [payload_of(part, number, total, reference, wide) for number, part in enumerate(parts, 1)]
    assert b"".join(payloads) == user_data
    assert all(count_parts(part, data_coding, True) == 1 for part in parts)
    meaning = meaning_of(data_coding)
    unit: Unit = meaning.unit if meaning else "octets"
    if unit == "ucs2":
        assert all(not 0xD8 <= payload[-2] <= 0xDB for payload in payloads[:-1])


@given(GSM_TEXT, st.booleans())
@settings(max_examples=200)
def test_each_part_of_a_gsm_text_reads_alone(text: str, wide: bool) -> None:
    septets = encode_gsm7(text)
    assert isinstance(septets, bytes)
    total = count_parts(septets, 0, False, wide_reference=wide)
    assert estimate(text).parts == total or wide
    if 1 < total <= MAX_PARTS:
        parts = split_text(text, GSM7, 9, wide_reference=wide)
        assert isinstance(parts, list)
        header_octets = 7 if wide else 6
        texts = [read_alone(part[header_octets:]) for part in parts]
        assert "".join(texts) == text


def read_alone(septets: bytes) -> str:
    assert not septets.endswith(b"\x1b")
    return decode_gsm7(septets)


@given(st.text(max_size=400))
@settings(max_examples=200)
def test_estimate_agrees_with_what_is_sent(text: str) -> None:
    found = estimate(text)
    assert found.parts == found.parts_as_written
    assert found.parts_in_gsm_mode == estimate(text, gsm_mode=True).parts
    if not found.sendable:
        assert found.parts > MAX_PARTS or isinstance(encode_text(found.text, found.encoding), NotInAlphabet)
        return
    parts = split_text(found.text, found.encoding, 1)
    assert isinstance(parts, list)
    assert len(parts) == found.parts
    user_data = encode_text(found.text, found.encoding)
    assert isinstance(user_data, bytes)
    assert count_parts(user_data, found.encoding.data_coding, False) == found.parts


def test_estimate_shows_both_prices() -> None:
    text = "Ça va ? " + "a" * 100 + " – ça"
    written = estimate(text)
    assert (written.alphabet, written.parts, written.offending) == ("ucs2", 2, ("–", "ç"))
    assert (written.parts_as_written, written.parts_in_gsm_mode) == (2, 1)
    assert written.changes == (("–", "-"), ("ç", "c"))
    replaced = estimate(text, gsm_mode=True)
    assert (replaced.alphabet, replaced.parts, replaced.text) == ("gsm7", 1, "Ça va ? " + "a" * 100 + " - ca")


@pytest.mark.parametrize(
    ("text", "units", "units_free"),
    [("", 0, 160), ("a" * 160, 160, 0), ("a" * 161, 161, 145), ("ç" * 70, 70, 0), ("ç" * 71, 71, 63), ("😀", 2, 68)],
)
def test_estimate_counts_units_and_room(text: str, units: int, units_free: int) -> None:
    found = estimate(text)
    assert (found.units, found.units_free) == (units, units_free)


def test_lone_surrogate_cannot_be_sent() -> None:
    assert not estimate("a\ud83d").sendable
    assert split_text("a\ud83d", UCS2, 1) == NotInAlphabet(("\ud83d",))


def test_more_than_ten_parts_cannot_be_sent() -> None:
    assert estimate("a" * 153 * MAX_PARTS).sendable
    assert not estimate("a" * (153 * MAX_PARTS + 1)).sendable


@pytest.mark.parametrize(
    ("encoding", "alone", "beside"),
    [(TURKISH_SHIFT, 155, 149), (TURKISH_BOTH, 152, 146), (Encoding("gsm7", 1, 0), 155, 149), (GSM7, 160, 153)],
)
def test_national_tables_take_room(encoding: Encoding, alone: int, beside: int) -> None:
    """The limits of the defaults; each table named is an element of three octets."""
    for length, parts in ((alone, 1), (alone + 1, 2), (2 * beside, 2), (2 * beside + 1, 3)):
        found = split_text("a" * length, encoding, 1)
        assert isinstance(found, list)
        assert len(found) == parts


def test_national_tables_are_chosen_only_where_allowed_and_cheaper() -> None:
    text = "Yağmur yağıyor, şemsiyeni al. " * 4
    assert choose_encoding(text) == UCS2
    assert choose_encoding(text, (1,)) == TURKISH_SHIFT
    assert choose_encoding("ğ" * 140, (1,)) == Encoding("gsm7", 1, 0)
    assert choose_encoding("ğ", (1,)) == UCS2  # one part either way: the plainest
    assert choose_encoding("plain", (1,)) == GSM7
    assert choose_encoding("Привет " * 20, (1, 2)) == UCS2


def test_national_header_stands_in_every_part() -> None:
    parts = split_text("ğ" * 200, TURKISH_SHIFT, 7)
    assert isinstance(parts, list)
    assert [part[:9].hex() for part in parts] == [f"080003070{len(parts)}0{n + 1}240101" for n in range(len(parts))]
    assert split_text("ğ", TURKISH_SHIFT, 7) == [bytes.fromhex("03240101 1b67")]
