"""Addresses as SMPP carries them: type of number, numbering plan, text; and which of them may stand where.

Follows SMPP v3.4, 5.2.5 (TON), 5.2.6 (NPI) and the field sizes of 4.4.1; alphanumeric senders follow 3GPP TS
23.040, 9.1.2.5. Whether a number exists is asked in numbers.py, whose sender name it is in gateway.accept:
neither may enter.
"""

from typing import Final, Literal

from msgspec import Struct

from telecom.alphabets import NotInAlphabet, septet_length

TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NATIONAL: Final = 2
TON_NETWORK_SPECIFIC: Final = 3
TON_SUBSCRIBER: Final = 4
TON_ALPHANUMERIC: Final = 5
TON_ABBREVIATED: Final = 6

NPI_UNKNOWN: Final = 0
NPI_ISDN: Final = 1

TONS: Final = frozenset(range(7))  # SMPP v3.4, 5.2.5
NPIS: Final = frozenset((0, 1, 3, 4, 6, 8, 9, 10, 14, 18))  # SMPP v3.4, 5.2.6

ADDRESS_LIMIT: Final = 20
"""Octets of source_addr and destination_addr without their NUL (SMPP v3.4, 4.4.1)."""

ALPHANUMERIC_SEPTETS: Final = 11
"""Septets in the ten octets of an address value (3GPP TS 23.040, 9.1.2.5)."""

SHORT_CODE_DIGITS: Final = 8
"""Digits of the longest short code; chosen: national plans use 3 to 8."""

_UNTYPED_SHORT_CODE_DIGITS: Final = 6  # chosen: with TON 0, seven digits and more are read as a number

_DIGITS: Final = frozenset("0123456789")

AddressKind = Literal["alphanumeric", "short_code", "international", "national", "empty"]
"""national: digits that need a numbering plan to be read, so also TON 0 (numbers.py decides)."""


class Address(Struct, frozen=True):
    """ton and npi as in SMPP, 0..255; text: the octets of the field as Latin-1, without NUL."""

    ton: int
    npi: int
    text: str


class AddressRefused(Struct, frozen=True):
    """field: which of the three SMPP fields is at fault; reason: what is wrong with it."""

    field: Literal["ton", "npi", "address"]
    reason: Literal["reserved", "empty", "too_long", "not_digits", "not_gsm", "blank", "alphanumeric_destination"]


def kind_of(address: Address) -> AddressKind:
    """What an address is by its shape; no fault is looked for. Letters make it alphanumeric whatever its TON."""
    digits = address.text.removeprefix("+")
    if not address.text:
        return "empty"
    if address.ton == TON_ALPHANUMERIC or not _DIGITS.issuperset(digits):
        return "alphanumeric"
    if address.text[0] == "+" or address.ton == TON_INTERNATIONAL:
        return "international"
    if address.ton in (TON_NETWORK_SPECIFIC, TON_ABBREVIATED) and len(digits) <= SHORT_CODE_DIGITS:
        return "short_code"
    if address.ton == TON_UNKNOWN and len(digits) <= _UNTYPED_SHORT_CODE_DIGITS:
        return "short_code"
    return "national"


def validate_source(address: Address) -> AddressKind | AddressRefused:
    """Kind of a sender that may go on air, or the first fault. Empty is a kind: the carrier's default sender.

    TON 0 with letters is taken for alphanumeric: many ESMEs leave TON out.
    """
    refused = _refused_type(address)
    if refused is not None:
        return refused
    kind = kind_of(address)
    if kind != "alphanumeric":
        return kind
    if address.ton not in (TON_ALPHANUMERIC, TON_UNKNOWN):
        return AddressRefused("address", "not_digits")
    fault = alphanumeric_fault(address.text)
    return kind if fault is None else fault


def alphanumeric_fault(text: str) -> AddressRefused | None:
    """Why `text` is no sender name for the air, or None: 1 to 11 septets of the default alphabet, not blank."""
    septets = septet_length(text)
    if isinstance(septets, NotInAlphabet):
        return AddressRefused("address", "not_gsm")
    if septets > ALPHANUMERIC_SEPTETS:
        return AddressRefused("address", "too_long")
    if not text.strip():
        return AddressRefused("address", "blank" if text else "empty")
    return None


def validate_destination(address: Address) -> AddressKind | AddressRefused:
    """Kind of a destination (international, national or short_code), or the first fault."""
    refused = _refused_type(address)
    if refused is not None:
        return refused
    if address.ton == TON_ALPHANUMERIC:
        return AddressRefused("ton", "alphanumeric_destination")
    kind = kind_of(address)
    if kind == "empty" or address.text == "+":
        return AddressRefused("address", "empty")
    return AddressRefused("address", "not_digits") if kind == "alphanumeric" else kind


def _refused_type(address: Address) -> AddressRefused | None:
    if address.ton not in TONS:
        return AddressRefused("ton", "reserved")
    if address.npi not in NPIS:
        return AddressRefused("npi", "reserved")
    if len(address.text) > ADDRESS_LIMIT:
        return AddressRefused("address", "too_long")
    return None
