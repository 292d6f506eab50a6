"""GSM 7-bit alphabets: text to septets and back, one septet an octet ("unpacked"), and the packing of septets.

Follows 3GPP TS 23.038, 6.2.1 (default alphabet), 6.2.1.1 (extension), 6.2.1.2 and annex A (national tables) and
6.1.2 (packing). What a data_coding or a DCS says is in data_coding.py and tpdu.py: no such octet may enter here.
"""

from functools import cache
from typing import Final

from msgspec import Struct

from telecom.national_tables import LOCKING_SHIFT, SINGLE_SHIFT

ESCAPE: Final = 0x1B
"""The septet that announces a character of the extension or single shift table (3GPP TS 23.038, 6.2.1)."""

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""What decoding gives for an octet above 0x7F or a septet to which the table assigns nothing."""

DEFAULT_ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""Position is the septet; position 0x1B is the escape (3GPP TS 23.038, 6.2.1)."""

EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""Septet after the escape to its character (3GPP TS 23.038, 6.2.1.1)."""


class NotInAlphabet(Struct, frozen=True):
    """The text cannot be written in the alphabet. offending: each such character once, in order of appearance."""

    offending: tuple[str, ...]


class _Offending(Exception):
    """Stops str.translate at the first character without a septet; never leaves this file."""


class _Septets(dict[int, str]):
    """Code point to its septets, each as the character of that value, in the shape str.translate wants."""

    def __missing__(self, code_point: int) -> str:
        raise _Offending


class _Tables(Struct, frozen=True):
    """One pair of tables: to_septets for encoding, locking and shifted for decoding."""

    to_septets: _Septets
    locking: tuple[str, ...]
    shifted: dict[int, str]


def _locking_cells(locking: int) -> tuple[str, ...]:
    if locking == 0:
        return tuple(DEFAULT_ALPHABET)
    cells = LOCKING_SHIFT[locking].split()
    return tuple(REPLACEMENT if cell[0] in "-." else chr(int(cell, 16)) for cell in cells)


def _shifted_cells(single: int) -> dict[int, str]:
    if single == 0:
        return EXTENSION
    pairs = (cell.split(":") for cell in SINGLE_SHIFT[single].split())
    return {int(septet, 16): chr(int(code_point, 16)) for septet, code_point in pairs}


@cache  # 13 locking by 14 single tables at most
def _tables(locking: int, single: int) -> _Tables:
    locking_cells, shifted = _locking_cells(locking), _shifted_cells(single)
    to_septets = _Septets()
    for septet, character in enumerate(locking_cells):
        if septet != ESCAPE and character != REPLACEMENT:
            to_septets[ord(character)] = chr(septet)
    for septet, character in shifted.items():
        to_septets.setdefault(ord(character), chr(ESCAPE) + chr(septet))
    return _Tables(to_septets, locking_cells, shifted)


def has_locking_table(language: int) -> bool:
    """Whether the National Language Identifier has a locking table; 0, the default alphabet, has."""
    return language == 0 or language in LOCKING_SHIFT


def has_single_table(language: int) -> bool:
    """Whether the National Language Identifier has a single shift table; 0, the default extension, has."""
    return language == 0 or language in SINGLE_SHIFT


def encode_gsm7(text: str, *, locking: int = 0, single: int = 0) -> bytes | NotInAlphabet:
    """Septets of `text`, one an octet, extension characters as two with the escape first.

    locking, single: National Language Identifiers, 0 for the default tables (3GPP TS 23.038, 6.2.1.2.4); KeyError
    where the annex has no such table.
    """
    try:
        return text.translate(_tables(locking, single).to_septets).encode("latin-1")
    except _Offending:
        return NotInAlphabet(offending_characters(text, locking=locking, single=single))


def septet_length(text: str, *, locking: int = 0, single: int = 0) -> int | NotInAlphabet:
    """Septets that `text` takes; tables as for `encode_gsm7`."""
    septets = encode_gsm7(text, locking=locking, single=single)
    return len(septets) if isinstance(septets, bytes) else septets


def offending_characters(text: str, *, locking: int = 0, single: int = 0) -> tuple[str, ...]:
    """Characters of `text` without a septet in these tables, each once, in order of appearance."""
    known = _tables(locking, single).to_septets
    return tuple(dict.fromkeys(character for character in text if ord(character) not in known))


def decode_gsm7(septets: bytes, *, locking: int = 0, single: int = 0) -> str:
    """Text of unpacked septets; total: any octets give a text.

    After an escape, a septet without a character in the single shift table shows the locking table's, a second
    escape and a last lone one show as a space (6.2.1.1, notes). Octets above 0x7F and unassigned septets give
    `REPLACEMENT`. An identifier without a table means the default one: 6.2.1.2.4 lets a receiver ignore it.
    """
    tables = _tables(locking if has_locking_table(locking) else 0, single if has_single_table(single) else 0)
    if ESCAPE not in septets and septets.isascii():
        return "".join([tables.locking[septet] for septet in septets])
    text: list[str] = []
    escaped = False
    for septet in septets:
        if septet > 0x7F:
            text.append(REPLACEMENT)
            escaped = False
        elif escaped:
            text.append(" " if septet == ESCAPE else tables.shifted.get(septet, tables.locking[septet]))
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text.append(tables.locking[septet])
    if escaped:
        text.append(" ")
    return "".join(text)


_BITS: Final = tuple(f"{septet & 0x7F:07b}" for septet in range(256))


def pack_septets(septets: bytes, fill_bits: int = 0) -> bytes:
    """Packed octets, least significant bit first (6.1.2.1); fill_bits: 0..6 zero bits before the first septet.

    A header of n octets is followed by `fill_bits_after(n)` of them (3GPP TS 23.040, 9.2.3.24). The eighth bit of
    each octet given is ignored. Spare bits at the end are zero.
    """
    bits = "".join([_BITS[septet] for septet in reversed(septets)]) or "0"
    return (int(bits, 2) << fill_bits).to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def unpack_septets(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets, one an octet. ValueError when the octets hold fewer: callers know the lengths first."""
    if 7 * count + fill_bits > 8 * len(octets):
        raise ValueError(f"{len(octets)} octets hold less than {count} septets after {fill_bits} bits")
    value = int.from_bytes(octets, "little") >> fill_bits
    return bytes([(value >> shift) & 0x7F for shift in range(0, 7 * count, 7)])


def fill_bits_after(header_octets: int) -> int:
    """Bits between a header of so many octets and the next septet boundary (3GPP TS 23.040, 9.2.3.24)."""
    return -8 * header_octets % 7


def header_septets(header_octets: int) -> int:
    """Septets that a header of so many octets takes, fill bits included (3GPP TS 23.040, 9.2.3.24)."""
    return (8 * header_octets + 6) // 7


def pack_counted_by_octets(septets: bytes, header_octets: int = 0) -> bytes:
    """Packed where only octets are counted (USSD, SMPP "packed"): a carriage return fills seven spare bits.

    A text that ends in a carriage return on an octet boundary gets a second one (6.1.2.3.1). header_octets: of the
    header in front, which is not packed; fill bits lead to the next septet boundary (3GPP TS 23.040, 9.2.3.24).
    """
    fill_bits = fill_bits_after(header_octets)
    spare_bits = -(fill_bits + 7 * len(septets)) % 8
    filled = spare_bits == 7 or (spare_bits == 0 and septets.endswith(b"\r"))
    return pack_septets(septets + b"\r" if filled else septets, fill_bits)


def unpack_counted_by_octets(octets: bytes, header_octets: int = 0) -> bytes:
    """Septets of such a packing: a carriage return in the last seven bits before an octet boundary is filling.

    The second carriage return of a text that ended in one on a boundary stays: 6.1.2.3.1 takes it for harmless.
    """
    fill_bits = fill_bits_after(header_octets) if octets else 0
    septets = unpack_septets(octets, (8 * len(octets) - fill_bits) // 7, fill_bits)
    on_boundary = (fill_bits + 7 * len(septets)) % 8 == 0
    return septets[:-1] if septets and on_boundary and septets.endswith(b"\r") else septets
