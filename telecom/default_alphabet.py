"""User data of the default alphabet between its two dresses: septets one an octet, and what one SMSC takes value 0 for.

Follows SMPP v3.4, 5.2.19 (value 0 is "the SMSC's default"), 3GPP TS 23.038, 6.1.2 (packing, fill bits), 6.2.1.2.4
(national tables). A header in front is octets and stays; only its national shift elements go where the other
alphabet has no septets. Which SMSC speaks which alphabet, and what to do with a text that does not fit, may not enter.
"""

from telecom.alphabets import (
    NotInAlphabet,
    decode_gsm7,
    encode_gsm7,
    pack_counted_by_octets,
    unpack_counted_by_octets,
)
from telecom.data_coding import DEFAULT, UCS2, DefaultAlphabet, decode_user_data, encode_user_data
from telecom.udh import (
    NATIONAL_LOCKING_SHIFT,
    NATIONAL_SINGLE_SHIFT,
    UserDataHeader,
    encode_udh,
    locking_shift,
    parse_udh,
    single_shift,
)

_SHIFTS = (NATIONAL_LOCKING_SHIFT, NATIONAL_SINGLE_SHIFT)


def split_header(user_data: bytes, has_udh: bool) -> tuple[bytes, UserDataHeader | None, bytes]:
    """The header's octets, its elements, and the text behind it; a malformed header counts as octets without elements.

    has_udh: esm_class 0x40 is set.
    """
    if not has_udh or not user_data:
        return b"", None, user_data
    parsed = parse_udh(user_data)
    length = user_data[0] + 1
    return user_data[:length], parsed if isinstance(parsed, UserDataHeader) else None, user_data[length:]


def text_of(user_data: bytes, has_udh: bool) -> str:
    """The text of septets, one an octet, behind a header that may name national tables."""
    _, header, septets = split_header(user_data, has_udh)
    if header is None:
        return decode_gsm7(septets)
    return decode_gsm7(septets, locking=locking_shift(header), single=single_shift(header))


def to_default_alphabet(
    user_data: bytes, has_udh: bool, alphabet: DefaultAlphabet
) -> tuple[bytes, bytes] | NotInAlphabet:
    """Septets, one an octet, as this alphabet writes them: the header (empty: none is left), and what stands behind it.

    Where the alphabet has no septets, national tables leave the header.
    """
    header_octets, header, septets = split_header(user_data, has_udh)
    if alphabet == "gsm7":
        return header_octets, septets
    if alphabet == "gsm7_packed":
        return header_octets, pack_counted_by_octets(septets, len(header_octets))
    encoded = encode_user_data(text_of(user_data, has_udh), DEFAULT, alphabet)
    if not isinstance(encoded, bytes):
        assert isinstance(encoded, NotInAlphabet)  # value 0 announces a text
        return encoded
    return without_shifts(header_octets, header), encoded


def without_shifts(header_octets: bytes, header: UserDataHeader | None) -> bytes:
    """The header without its national tables; no octets where nothing else stood in it."""
    if header is None or not any(element.identifier in _SHIFTS for element in header.elements):
        return header_octets
    return encode_udh(element for element in header.elements if element.identifier not in _SHIFTS)


def from_default_alphabet(user_data: bytes, has_udh: bool, alphabet: DefaultAlphabet) -> tuple[bytes, int]:
    """What came as data_coding 0 in this alphabet, as septets one an octet, and its data_coding: 0.

    A text with a character that GSM 7-bit lacks comes back as UCS-2, with data_coding 8. Octets that are no text of
    the alphabet come back as they are.
    """
    if alphabet == "gsm7":
        return user_data, DEFAULT
    header_octets, _, octets = split_header(user_data, has_udh)
    if alphabet == "gsm7_packed":
        return header_octets + unpack_counted_by_octets(octets, len(header_octets)), DEFAULT
    text = decode_user_data(octets, DEFAULT, alphabet)
    if not isinstance(text, str):
        return user_data, DEFAULT
    septets = encode_gsm7(text)
    if isinstance(septets, bytes):
        return header_octets + septets, DEFAULT
    return header_octets + text.encode("utf-16-be", "replace"), UCS2
