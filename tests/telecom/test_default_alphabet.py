"""The default alphabet's two dresses: what an SMSC takes value 0 for, and septets one an octet, there and back.

Follows 3GPP TS 23.038, 6.1.2.3.1, and 23.040, 9.2.3.24. What must not enter: PDUs, carriers.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import (
    DEFAULT_ALPHABET,
    NotInAlphabet,
    encode_gsm7,
    pack_counted_by_octets,
    pack_septets,
    unpack_counted_by_octets,
)
from telecom.data_coding import DefaultAlphabet
from telecom.default_alphabet import from_default_alphabet, text_of, to_default_alphabet

ALPHABETS: tuple[DefaultAlphabet, ...] = ("gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8")
CONCATENATION = bytes.fromhex("050003070201")
TURKISH_SINGLE = bytes.fromhex("03240101")
PLAIN = st.text(alphabet=sorted(set(DEFAULT_ALPHABET) - {"\x1b", "\r"}), max_size=153)


@given(st.binary(max_size=153), st.integers(0, 20))
@settings(max_examples=300)
def test_septets_survive_packing_behind_any_header(octets: bytes, header_octets: int) -> None:
    septets = bytes(octet & 0x7F for octet in octets)
    back = unpack_counted_by_octets(pack_counted_by_octets(septets, header_octets), header_octets)
    assert back in (septets, septets + b"\r"), "a text that ends in a carriage return on a boundary gains one"


def test_seven_spare_bits_behind_a_header_are_a_carriage_return() -> None:
    """Six octets of header, one fill bit: 0 + 1 + 7 * 8 = 57 bits leave seven, which an @ would fill."""
    octets = pack_counted_by_octets(b"abcdefgh", 6)
    assert octets == pack_septets(b"abcdefgh\r", 1)
    assert octets != pack_septets(b"abcdefgh", 1)
    assert unpack_counted_by_octets(octets, 6) == b"abcdefgh"


def test_no_octets_are_no_septets() -> None:
    assert unpack_counted_by_octets(b"", 6) == b""


@pytest.mark.parametrize("alphabet", ["gsm7", "gsm7_packed", "cp1252", "utf8"])
@pytest.mark.parametrize("header", [b"", CONCATENATION])
@given(text=st.text(alphabet="aZ09 é@£€[]{}~", max_size=70))
@settings(max_examples=60)
def test_there_and_back(alphabet: DefaultAlphabet, header: bytes, text: str) -> None:
    septets = encode_gsm7(text)
    assert isinstance(septets, bytes)
    written = to_default_alphabet(header + septets, bool(header), alphabet)
    assert not isinstance(written, NotInAlphabet)
    assert from_default_alphabet(b"".join(written), bool(header), alphabet) == (header + septets, 0)


def test_what_gsm_7_bit_lacks_comes_as_ucs2() -> None:
    assert from_default_alphabet("ê".encode("latin-1"), False, "latin1") == ("ê".encode("utf-16-be"), 8)
    user_data, data_coding = from_default_alphabet(CONCATENATION + "ê".encode(), True, "utf8")
    assert (user_data, data_coding) == (CONCATENATION + "ê".encode("utf-16-be"), 8)


def test_octets_that_are_no_text_stay() -> None:
    assert from_default_alphabet(b"\xff\xfe", False, "utf8") == (b"\xff\xfe", 0)


def test_a_lacking_character_is_named() -> None:
    septets = encode_gsm7("Δ and €")
    assert isinstance(septets, bytes)
    assert to_default_alphabet(septets, False, "latin1") == NotInAlphabet(("Δ", "€"))


def test_national_tables_are_read_and_go_with_their_septets() -> None:
    user_data = TURKISH_SINGLE + b"\x1bi"
    assert text_of(user_data, True) == "ı"
    assert to_default_alphabet(user_data, True, "utf8") == (b"", "ı".encode())
    both = bytes.fromhex("080003070201240101") + b"\x1bi"
    assert to_default_alphabet(both, True, "utf8") == (CONCATENATION, "ı".encode())
    assert to_default_alphabet(both, True, "gsm7_packed") == (both[:9], pack_counted_by_octets(b"\x1bi", 9))


@given(st.binary(max_size=60), st.booleans(), st.sampled_from(ALPHABETS))
@settings(max_examples=300)
def test_any_octets_give_octets(octets: bytes, has_udh: bool, alphabet: DefaultAlphabet) -> None:
    user_data, data_coding = from_default_alphabet(octets, has_udh, alphabet)
    assert isinstance(user_data, bytes)
    assert data_coding in (0, 8)


@given(PLAIN)
@settings(max_examples=100)
def test_plain_texts_survive_utf8(text: str) -> None:
    septets = encode_gsm7(text)
    assert isinstance(septets, bytes)
    written = to_default_alphabet(septets, False, "utf8")
    assert not isinstance(written, NotInAlphabet)
    assert b"".join(written).decode() == text
