"""User data headers of 3GPP TS 23.040, 9.2.3.24: known elements, unknown ones kept, malformed ones named.

What must not enter: the text behind a header (test_tpdu.py, test_parts.py).
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.udh import (
    HEADER_OCTETS_LIMIT,
    Concatenation,
    InformationElement,
    Ports,
    UdhMalformed,
    UserDataHeader,
    concatenation,
    concatenation_element,
    encode_udh,
    locking_shift,
    parse_udh,
    ports,
    ports_element,
    shift_elements,
    single_shift,
)

ELEMENTS = st.lists(
    st.builds(InformationElement, st.integers(0, 255), st.binary(max_size=20)), min_size=1, max_size=6
).filter(lambda elements: sum(2 + len(element.data) for element in elements) < HEADER_OCTETS_LIMIT)


def header_of(octets: str) -> UserDataHeader:
    header = parse_udh(bytes.fromhex(octets))
    assert isinstance(header, UserDataHeader)
    return header


def test_concatenation_with_8_bit_reference() -> None:
    """9.2.3.24.1."""
    assert concatenation(header_of("050003cc0301")) == Concatenation(0xCC, 3, 1)


def test_concatenation_with_16_bit_reference() -> None:
    """9.2.3.24.8."""
    assert concatenation(header_of("060804beef0202")) == Concatenation(0xBEEF, 2, 2, wide=True)


@pytest.mark.parametrize("octets", ["050003cc0000", "050003cc0203", "050003cc0200", "040002cc02", "04080201ff"])
def test_impossible_place_is_ignored(octets: str) -> None:
    """9.2.3.24.1: total zero, number zero or above the total, or a wrong length: the element is ignored."""
    assert concatenation(header_of(octets)) is None


def test_ports_of_both_widths() -> None:
    """9.2.3.24.3 and 9.2.3.24.4; WAP push goes to port 2948."""
    assert ports(header_of("0404020af0")) == Ports(0x0A, 0xF0)
    assert ports(header_of("0605040b8423f0")) == Ports(2948, 9200, wide=True)
    assert ports(header_of("0405020a0b")) is None


def test_national_tables_are_read_from_their_elements() -> None:
    """9.2.3.24.15 (single shift, 24) and 9.2.3.24.16 (locking shift, 25)."""
    header = header_of("06240101250103")
    assert (single_shift(header), locking_shift(header)) == (1, 3)
    assert (single_shift(header_of("03700101")), locking_shift(header_of("03700101"))) == (0, 0)
    assert encode_udh(shift_elements(3, 1)).hex() == "06240101250103"
    assert shift_elements(0, 0) == ()


def test_last_of_repeated_elements_counts() -> None:
    """9.2.3.24: of elements that exclude or repeat each other the last one is used."""
    assert concatenation(header_of("0b0003010201" + "0804beef0202")) == Concatenation(0xBEEF, 2, 2, wide=True)


def test_unknown_element_is_kept() -> None:
    assert header_of("0470020102").elements == (InformationElement(0x70, b"\x01\x02"),)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("", "empty"),
        ("05", "longer_than_user_data"),
        ("050003cc03", "longer_than_user_data"),
        ("0100", "element_overruns_header"),
        ("050004cc0301ff", "element_overruns_header"),
        ("040003cc0301", "element_overruns_header"),
    ],
)
def test_malformed_header_is_named(octets: str, reason: str) -> None:
    found = parse_udh(bytes.fromhex(octets))
    assert isinstance(found, UdhMalformed)
    assert found.reason == reason


@given(ELEMENTS, st.binary(max_size=20))
@settings(max_examples=150)
def test_elements_survive_with_any_text_behind(elements: list[InformationElement], text: bytes) -> None:
    octets = encode_udh(elements)
    header = parse_udh(octets + text)
    assert header == UserDataHeader(tuple(elements), len(octets))


@given(st.binary(max_size=150))
@settings(max_examples=200)
def test_any_octets_give_a_header_or_a_named_fault(octets: bytes) -> None:
    header = parse_udh(octets)
    if isinstance(header, UserDataHeader):
        assert header.length <= len(octets)
        place, pair = concatenation(header), ports(header)
        assert place is None or 1 <= place.number <= place.total
        assert pair is None or max(pair.destination, pair.source) <= (0xFFFF if pair.wide else 0xFF)


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.data())
@settings(max_examples=100)
def test_place_survives(reference: int, total: int, data: st.DataObject) -> None:
    place = Concatenation(reference, total, data.draw(st.integers(1, total)), wide=True)
    header = parse_udh(encode_udh([concatenation_element(place)]))
    assert isinstance(header, UserDataHeader)
    assert concatenation(header) == place


@given(st.booleans(), st.data())
@settings(max_examples=50)
def test_ports_survive(wide: bool, data: st.DataObject) -> None:
    number = st.integers(0, 0xFFFF if wide else 0xFF)
    pair = Ports(data.draw(number), data.draw(number), wide)
    header = parse_udh(encode_udh([ports_element(pair)]))
    assert isinstance(header, UserDataHeader)
    assert ports(header) == pair


def test_header_beyond_the_limit_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="limit"):
        encode_udh([InformationElement(0x70, bytes(HEADER_OCTETS_LIMIT - 2))])
    assert len(encode_udh([InformationElement(0x70, bytes(HEADER_OCTETS_LIMIT - 3))])) == HEADER_OCTETS_LIMIT


def test_impossible_place_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="part 3 of 2"):
        concatenation_element(Concatenation(1, 2, 3))
    with pytest.raises(OverflowError):
        concatenation_element(Concatenation(256, 2, 1))


def test_no_elements_need_no_header() -> None:
    assert encode_udh(()) == b""
