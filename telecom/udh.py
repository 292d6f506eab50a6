"""User data headers: information elements in front of user data, and what the known ones mean.

Follows 3GPP TS 23.040, 9.2.3.24: concatenation 00 and 08, ports 04 and 05, national shift tables 24 and 25. An
element not known here is kept as it came. Fill bits and septets belong to alphabets.py and tpdu.py and may not
enter: a header is octets.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

CONCATENATION_8_BIT: Final = 0x00  # 9.2.3.24.1
PORTS_8_BIT: Final = 0x04  # 9.2.3.24.3
PORTS_16_BIT: Final = 0x05  # 9.2.3.24.4
CONCATENATION_16_BIT: Final = 0x08  # 9.2.3.24.8
NATIONAL_SINGLE_SHIFT: Final = 0x24  # 9.2.3.24.15
NATIONAL_LOCKING_SHIFT: Final = 0x25  # 9.2.3.24.16

HEADER_OCTETS_LIMIT: Final = 140
"""Octets of a header with its length octet: it must fit into TP-User-Data (3GPP TS 23.040, 9.2.3.24)."""

UdhFault = Literal["empty", "longer_than_user_data", "element_overruns_header"]


class UdhMalformed(Struct, frozen=True):
    """The octets are no user data header; reason: the first fault found."""

    reason: UdhFault


class InformationElement(Struct, frozen=True):
    """One element: its identifier (0..255) and its data (0..255 octets), undecoded."""

    identifier: int
    data: bytes


class UserDataHeader(Struct, frozen=True):
    """Elements in their order; length: octets in front of the text, the length octet included."""

    elements: tuple[InformationElement, ...]
    length: int


class Concatenation(Struct, frozen=True):
    """Place of a part: reference 0..255 (0..65535 when wide), number 1..total, total 1..255."""

    reference: int
    total: int
    number: int
    wide: bool = False


class Ports(Struct, frozen=True):
    """Application ports, 0..255, or 0..65535 when wide."""

    destination: int
    source: int
    wide: bool = False


def parse_udh(user_data: bytes) -> UserDataHeader | UdhMalformed:
    """The header at the front of user data whose header indicator is set; never raises."""
    if not user_data:
        return UdhMalformed("empty")
    length = user_data[0] + 1
    if length > len(user_data):
        return UdhMalformed("longer_than_user_data")
    elements: list[InformationElement] = []
    position = 1
    while position < length:
        if position + 2 > length or position + 2 + user_data[position + 1] > length:
            return UdhMalformed("element_overruns_header")
        end = position + 2 + user_data[position + 1]
        elements.append(InformationElement(user_data[position], user_data[position + 2 : end]))
        position = end
    return UserDataHeader(tuple(elements), length)


def encode_udh(elements: Iterable[InformationElement]) -> bytes:
    """The header with its length octet; no elements give no octets. ValueError above HEADER_OCTETS_LIMIT."""
    body = b"".join(bytes((element.identifier, len(element.data))) + element.data for element in elements)
    if len(body) + 1 > HEADER_OCTETS_LIMIT:
        raise ValueError(f"a header of {len(body) + 1} octets; the limit is {HEADER_OCTETS_LIMIT}")
    return bytes((len(body),)) + body if body else b""


def _last(header: UserDataHeader, *identifiers: int) -> InformationElement | None:
    """Of repeated or mutually exclusive elements the last one counts (9.2.3.24)."""
    return next((element for element in reversed(header.elements) if element.identifier in identifiers), None)


def concatenation(header: UserDataHeader) -> Concatenation | None:
    """The part's place, or None: no element, a wrong length, or numbers that 9.2.3.24.1 says to ignore."""
    element = _last(header, CONCATENATION_8_BIT, CONCATENATION_16_BIT)
    if element is None:
        return None
    wide = element.identifier == CONCATENATION_16_BIT
    if len(element.data) != (4 if wide else 3):
        return None
    reference, total, number = int.from_bytes(element.data[:-2], "big"), element.data[-2], element.data[-1]
    return Concatenation(reference, total, number, wide) if 1 <= number <= total else None


def ports(header: UserDataHeader) -> Ports | None:
    """Application ports, or None: no element or a wrong length."""
    element = _last(header, PORTS_8_BIT, PORTS_16_BIT)
    if element is None:
        return None
    half = 2 if element.identifier == PORTS_16_BIT else 1
    if len(element.data) != 2 * half:
        return None
    destination, source = element.data[:half], element.data[half:]
    return Ports(int.from_bytes(destination, "big"), int.from_bytes(source, "big"), half == 2)


def _language(header: UserDataHeader, identifier: int) -> int:
    element = _last(header, identifier)
    return element.data[0] if element is not None and len(element.data) == 1 else 0


def locking_shift(header: UserDataHeader) -> int:
    """National Language Identifier of the locking table; 0: the default alphabet."""
    return _language(header, NATIONAL_LOCKING_SHIFT)


def single_shift(header: UserDataHeader) -> int:
    """National Language Identifier of the single shift table; 0: the default extension."""
    return _language(header, NATIONAL_SINGLE_SHIFT)


def concatenation_element(place: Concatenation) -> InformationElement:
    """The element of a part's place; ValueError or OverflowError when a number does not fit."""
    if not 1 <= place.number <= place.total <= 255:
        raise ValueError(f"part {place.number} of {place.total}")
    identifier, width = (CONCATENATION_16_BIT, 2) if place.wide else (CONCATENATION_8_BIT, 1)
    return InformationElement(identifier, place.reference.to_bytes(width, "big") + bytes((place.total, place.number)))


def ports_element(pair: Ports) -> InformationElement:
    """The element of two ports; OverflowError when one does not fit."""
    identifier, width = (PORTS_16_BIT, 2) if pair.wide else (PORTS_8_BIT, 1)
    return InformationElement(identifier, pair.destination.to_bytes(width, "big") + pair.source.to_bytes(width, "big"))


def shift_elements(locking: int, single: int) -> tuple[InformationElement, ...]:
    """Elements that name national tables; identifier 0 needs none."""
    single_element = (InformationElement(NATIONAL_SINGLE_SHIFT, bytes((single,))),) if single else ()
    locking_element = (InformationElement(NATIONAL_LOCKING_SHIFT, bytes((locking,))),) if locking else ()
    return single_element + locking_element
