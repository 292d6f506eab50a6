"""TLVs that only one carrier knows: which declarations are one, which values fit, and which TLVs travel.

Source: SMPP v3.4 3.1, 3.2.4, 5.3.2.
"""

from __future__ import annotations

import pytest

from gateway.smpp.declared_tlvs import BadDeclaration, DeclaredTlv, fault_of, parse_declared, passed_on

DECLARED = parse_declared({"0x1401": "octets 0-4", "0x1402": "integer 1-4", "0x3FFF": "cstring 2-5"})


def test_a_declaration_names_its_kind_and_lengths() -> None:
    declared = dict(DECLARED)
    assert declared == {
        0x1401: DeclaredTlv("octets", 0, 4),
        0x1402: DeclaredTlv("integer", 1, 4),
        0x3FFF: DeclaredTlv("cstring", 2, 5),
    }
    assert parse_declared({"0x1400": "octets 7"}) == {0x1400: DeclaredTlv("octets", 7, 7)}


@pytest.mark.parametrize(
    ("tag", "form", "word"),
    [
        ("0x1401", "octets 4-1", "tlv_span"),
        ("0x1401", "integer 0", "tlv_span"),
        ("0x0424", "octets 1-255", "tlv_standard"),
    ],
)
def test_a_declaration_of_nothing_is_refused(tag: str, form: str, word: str) -> None:
    with pytest.raises(BadDeclaration) as told:
        parse_declared({tag: form})
    assert told.value.word == word


@pytest.mark.parametrize(
    ("tag", "value", "fault"),
    [
        (0x1401, b"", None),
        (0x1401, b"12345", "length"),
        (0x1402, b"", "length"),
        (0x1402, b"12", None),
        (0x1402, b"123", "length"),  # no integer of SMPP has three octets
        (0x3FFF, b"ab\0", None),
        (0x3FFF, b"abcde\0", "length"),
        (0x3FFF, b"abc", "value"),
        (0x3FFF, b"a\0b\0", "value"),
        (0x2000, b"not declared", None),
    ],
)
def test_a_value_fits_its_declaration_or_is_told_why_not(tag: int, value: bytes, fault: str | None) -> None:
    assert fault_of(((0x0204, b"\0\1"), (tag, value)), DECLARED) == fault


def test_standard_tlvs_of_submit_sm_travel_and_others_only_where_declared_and_fitting() -> None:
    standard, declared, unknown = (0x0204, b"\0\1"), (0x1402, b"\1"), (0x2000, b"x")
    receipted, unfit = (0x001E, b"id\0"), (0x1401, b"too long")
    assert passed_on((standard, declared, unknown, receipted, unfit), DECLARED) == (standard, declared)
    assert passed_on((standard, declared), {}) == (standard,)
