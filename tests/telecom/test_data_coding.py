"""data_coding: the table of SMPP v3.4, 5.2.19, its groups, and what 0 means for each default alphabet.

What must not enter: parts, TP-DCS.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import NotInAlphabet
from telecom.data_coding import (
    DataCoding,
    DefaultAlphabet,
    Undecodable,
    decode_user_data,
    encode_user_data,
    meaning_of,
)

DEFAULTS: list[DefaultAlphabet] = ["gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8"]


@pytest.mark.parametrize(
    ("octet", "meaning"),
    [
        (0x00, DataCoding("default", "septets")),
        (0x03, DataCoding("latin1", "octets")),
        (0x04, DataCoding("octets", "octets")),
        (0x08, DataCoding("ucs2", "ucs2")),
        (0xC0, DataCoding("default", "septets", waiting="discard")),
        (0xD3, DataCoding("default", "septets", waiting="store")),
        (0xE0, DataCoding("ucs2", "ucs2", waiting="store")),
        (0xF0, DataCoding("default", "septets", message_class=0)),
        (0xF2, DataCoding("default", "septets", message_class=2)),
        (0xF5, DataCoding("octets", "octets", message_class=1)),
        (0x10, DataCoding("default", "septets", message_class=0, standard=False)),
        (0x18, DataCoding("ucs2", "ucs2", message_class=0, standard=False)),
        (0x15, DataCoding("octets", "octets", message_class=1, standard=False)),
    ],
)
def test_octet_has_its_meaning(octet: int, meaning: DataCoding) -> None:
    assert meaning_of(octet) == meaning


@pytest.mark.parametrize("octet", [0x0B, 0x0C, 0x0F, 0x1C, 0x20, 0x3F, 0x80, 0xBF])
def test_reserved_octet_means_nothing(octet: int) -> None:
    assert meaning_of(octet) is None
    assert decode_user_data(b"a", octet, "gsm7") == Undecodable("reserved")
    assert encode_user_data("a", octet, "gsm7") == Undecodable("reserved")


@pytest.mark.parametrize(
    ("default", "octets"),
    [
        ("gsm7", "0565"),
        ("gsm7_packed", "8532"),
        ("latin1", "e965"),
        ("cp1252", "e965"),
        ("utf8", "c3a965"),
    ],
)
def test_zero_means_the_connectors_default(default: DefaultAlphabet, octets: str) -> None:
    assert encode_user_data("ée", 0, default) == bytes.fromhex(octets)
    assert decode_user_data(bytes.fromhex(octets), 0, default) == "ée"


def test_character_beyond_the_alphabet_is_named() -> None:
    assert encode_user_data("é😀é", 0, "ascii") == NotInAlphabet(("é", "😀"))
    assert encode_user_data("ç", 0, "gsm7") == NotInAlphabet(("ç",))
    assert encode_user_data("€", 3, "gsm7") == NotInAlphabet(("€",))


def test_ucs2_carries_surrogate_pairs() -> None:
    assert encode_user_data("a😀", 8, "gsm7") == bytes.fromhex("0061d83dde00")
    assert decode_user_data(bytes.fromhex("0061d83dde00"), 8, "gsm7") == "a😀"


def test_octets_that_break_the_rules_are_malformed_and_data_is_binary() -> None:
    assert decode_user_data(b"\0", 8, "gsm7") == Undecodable("malformed")
    assert decode_user_data(b"\xe9", 0, "utf8") == Undecodable("malformed")
    assert decode_user_data(b"\xe9", 4, "gsm7") == Undecodable("binary")
    assert encode_user_data("e", 4, "gsm7") == Undecodable("binary")


@pytest.mark.parametrize("default", DEFAULTS)
@given(user_data=st.binary(max_size=50), octet=st.integers(0, 255))
@settings(max_examples=100)
def test_any_octets_give_a_text_or_a_reason(default: DefaultAlphabet, user_data: bytes, octet: int) -> None:
    assert isinstance(decode_user_data(user_data, octet, default), str | Undecodable)


@pytest.mark.parametrize("default", DEFAULTS)
@given(text=st.text(max_size=40), octet=st.sampled_from([0, 1, 3, 6, 7, 8, 0xF0]))
@settings(max_examples=100)
def test_text_survives_where_it_can_be_written(default: DefaultAlphabet, text: str, octet: int) -> None:
    user_data = encode_user_data(text, octet, default)
    if isinstance(user_data, bytes):
        back = decode_user_data(user_data, octet, default)
        assert back in (text, text + "\r")  # packed: 3GPP TS 23.038, 6.1.2.3.1 doubles a final carriage return
