"""SMPP addresses: kinds by shape, and every refusal by field and reason (SMPP v3.4, 5.2.5, 5.2.6).

What must not enter: number plans (test_numbers.py), sender names of accounts.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.addresses import (
    Address,
    AddressRefused,
    kind_of,
    validate_destination,
    validate_source,
)


@pytest.mark.parametrize(
    ("ton", "text", "kind"),
    [
        (5, "PASSERELLE", "alphanumeric"),
        (0, "Info", "alphanumeric"),
        (5, "12345", "alphanumeric"),
        (1, "2290197123456", "international"),
        (0, "+2290197123456", "international"),
        (0, "2290197123456", "national"),
        (2, "0197123456", "national"),
        (0, "36999", "short_code"),
        (3, "7700", "short_code"),
        (6, "77001234", "short_code"),
        (3, "770012345", "national"),
        (0, "", "empty"),
    ],
)
def test_kind_follows_shape(ton: int, text: str, kind: str) -> None:
    assert kind_of(Address(ton, 1, text)) == kind


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (Address(7, 0, "123"), AddressRefused("ton", "reserved")),
        (Address(1, 2, "123"), AddressRefused("npi", "reserved")),
        (Address(0, 0, "1" * 21), AddressRefused("address", "too_long")),
        (Address(5, 0, "TWELVE CHARS"), AddressRefused("address", "too_long")),
        (Address(5, 0, "SIX€€€€€"), AddressRefused("address", "too_long")),  # each euro sign is two septets
        (Address(5, 0, "ça"), AddressRefused("address", "not_gsm")),
        (Address(5, 0, "   "), AddressRefused("address", "blank")),
        (Address(1, 1, "22901x"), AddressRefused("address", "not_digits")),
    ],
)
def test_bad_source_is_refused_by_field_and_reason(address: Address, refused: AddressRefused) -> None:
    assert validate_source(address) == refused


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (Address(5, 0, "ELEVEN CHAR"), "alphanumeric"),
        (Address(0, 0, "Info"), "alphanumeric"),
        (Address(0, 0, ""), "empty"),
        (Address(1, 1, "2290197123456"), "international"),
        (Address(3, 0, "7700"), "short_code"),
    ],
)
def test_good_source_has_a_kind(address: Address, kind: str) -> None:
    assert validate_source(address) == kind


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        (Address(1, 1, "2290197123456"), "international"),
        (Address(0, 0, "0612345678"), "national"),
        (Address(0, 0, "36999"), "short_code"),
        (Address(5, 0, "Info"), AddressRefused("ton", "alphanumeric_destination")),
        (Address(0, 0, "Info"), AddressRefused("address", "not_digits")),
        (Address(1, 1, ""), AddressRefused("address", "empty")),
        (Address(1, 1, "+"), AddressRefused("address", "empty")),
        (Address(9, 1, "1"), AddressRefused("ton", "reserved")),
        (Address(1, 5, "1"), AddressRefused("npi", "reserved")),
    ],
)
def test_destination_has_a_kind_or_a_named_fault(address: Address, outcome: object) -> None:
    assert validate_destination(address) == outcome


@given(st.integers(0, 255), st.integers(0, 255), st.text(max_size=25))
@settings(max_examples=200)
def test_any_address_is_judged(ton: int, npi: int, text: str) -> None:
    address = Address(ton, npi, text)
    assert isinstance(validate_source(address), str | AddressRefused)
    assert isinstance(validate_destination(address), str | AddressRefused)
