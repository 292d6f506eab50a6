"""What an SMPP data_coding octet means, and text to and from the user data it announces.

Follows SMPP v3.4, 5.2.19 (v5.0, 4.7.7) and, for the groups 0xC0 to 0xFF, 3GPP TS 23.038, 4. Value 0 is "the
SMSC's default" and has a meaning only with the `DefaultAlphabet` of a connector or account. The TP-DCS octet of
a TPDU is another octet: it may not enter (tpdu.py).
"""

from typing import Final, Literal

from msgspec import Struct

from telecom.alphabets import (
    NotInAlphabet,
    decode_gsm7,
    encode_gsm7,
    pack_counted_by_octets,
    unpack_counted_by_octets,
)

DefaultAlphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8"]
"""What a connector's SMSC takes data_coding 0 for. gsm7: one septet an octet; gsm7_packed: eight in seven octets."""

Alphabet = Literal[
    "default",
    "ascii",
    "octets",
    "latin1",
    "jis",
    "cyrillic",
    "hebrew",
    "ucs2",
    "pictogram",
    "iso2022_jp",
    "kanji",
    "ksc5601",
]
"""default: the SMSC's default alphabet; octets: data without a text; others: the character set of that name."""

Unit = Literal["septets", "octets", "ucs2"]
"""How a part is measured: 160 septets, 140 octets, or 140 octets that are cut between UCS-2 units."""

WaitingAction = Literal["discard", "store"]

DEFAULT: Final = 0x00
LATIN1: Final = 0x03
OCTETS: Final = 0x04
UCS2: Final = 0x08


class DataCoding(Struct, frozen=True):
    """Meaning of one octet.

    message_class: 0..3 (3GPP TS 23.038, 4) or None. waiting: what a message waiting group asks the handset to do
    with the message, else None. standard: False where SMPP reserves the value and this is what peers mean by it.
    """

    alphabet: Alphabet
    unit: Unit
    message_class: int | None = None
    waiting: WaitingAction | None = None
    standard: bool = True


class Undecodable(Struct, frozen=True):
    """The octets are no text of the announced alphabet.

    binary: it announces no text. reserved: the value means nothing here. malformed: the octets break its rules.
    """

    reason: Literal["binary", "reserved", "malformed"]


_SIMPLE: Final[dict[int, DataCoding]] = {
    0x00: DataCoding("default", "septets"),
    0x01: DataCoding("ascii", "septets"),  # IA5, seven bits: an SMSC sends it as GSM 7-bit
    0x02: DataCoding("octets", "octets"),
    0x03: DataCoding("latin1", "octets"),
    0x04: DataCoding("octets", "octets"),
    0x05: DataCoding("jis", "octets"),
    0x06: DataCoding("cyrillic", "octets"),
    0x07: DataCoding("hebrew", "octets"),
    0x08: DataCoding("ucs2", "ucs2"),
    0x09: DataCoding("pictogram", "octets"),
    0x0A: DataCoding("iso2022_jp", "octets"),
    0x0D: DataCoding("kanji", "octets"),
    0x0E: DataCoding("ksc5601", "octets"),
}
"""The values without groups (SMPP v3.4, table 5-21)."""


def meaning_of(data_coding: int) -> DataCoding | None:
    """Meaning of an octet 0..255, or None where it is reserved.

    0x10 to 0x1B are reserved in SMPP, but ESMEs send the TP-DCS of a message class through them (flash messages).
    """
    if data_coding in _SIMPLE:
        return _SIMPLE[data_coding]
    group, low = data_coding & 0xF0, data_coding & 0x0F
    if group == 0x10 and low < 0x0C:
        alphabet, unit = _GENERAL_GROUP[low >> 2]
        return DataCoding(alphabet, unit, message_class=low & 3, standard=False)
    if group == 0xC0:
        return DataCoding("default", "septets", waiting="discard")
    if group == 0xD0:
        return DataCoding("default", "septets", waiting="store")
    if group == 0xE0:
        return DataCoding("ucs2", "ucs2", waiting="store")
    if group == 0xF0:
        alphabet, unit = _GENERAL_GROUP[(low >> 2) & 1]
        return DataCoding(alphabet, unit, message_class=low & 3)
    return None


_GENERAL_GROUP: Final[tuple[tuple[Alphabet, Unit], ...]] = (
    ("default", "septets"),
    ("octets", "octets"),
    ("ucs2", "ucs2"),
)
"""Bits 3 and 2 of a coding group with an alphabet (3GPP TS 23.038, 4)."""


_CODECS: Final[dict[Alphabet, str]] = {
    "ascii": "ascii",
    "latin1": "latin-1",
    "jis": "shift_jis",  # v3.4 says JIS X 0208-1990 without an encoding; Shift JIS is what peers send
    "cyrillic": "iso8859-5",
    "hebrew": "iso8859-8",
    "ucs2": "utf-16-be",  # surrogate pairs are tolerated: handsets show them
    "iso2022_jp": "iso2022_jp",
    "kanji": "euc_jis_2004",  # JIS X 0212 in its usual dress
    "ksc5601": "euc_kr",
}
"""Character set to the name Python has for it."""

_DEFAULT_CODECS: Final[dict[DefaultAlphabet, str]] = {
    "latin1": "latin-1",
    "ascii": "ascii",
    "cp1252": "cp1252",
    "utf8": "utf-8",
}


def decode_user_data(
    user_data: bytes, data_coding: int, default: DefaultAlphabet, *, locking: int = 0, single: int = 0
) -> str | Undecodable:
    """Text of user data without its header; total: any octets give a text or an `Undecodable`.

    default: what value 0 means on this connector. locking, single: National Language Identifiers of the header.
    """
    meaning = meaning_of(data_coding)
    if meaning is None:
        return Undecodable("reserved")
    if meaning.alphabet in ("octets", "pictogram"):
        return Undecodable("binary")
    if meaning.alphabet == "default" and default in ("gsm7", "gsm7_packed"):
        septets = unpack_counted_by_octets(user_data) if default == "gsm7_packed" else user_data
        return decode_gsm7(septets, locking=locking, single=single)
    codec = _DEFAULT_CODECS[default] if meaning.alphabet == "default" else _CODECS[meaning.alphabet]
    try:
        return user_data.decode(codec)
    except UnicodeDecodeError:
        return Undecodable("malformed")


def encode_user_data(
    text: str, data_coding: int, default: DefaultAlphabet, *, locking: int = 0, single: int = 0
) -> bytes | NotInAlphabet | Undecodable:
    """User data of `text`, without a header; `Undecodable` where the value announces no text."""
    meaning = meaning_of(data_coding)
    if meaning is None:
        return Undecodable("reserved")
    if meaning.alphabet in ("octets", "pictogram"):
        return Undecodable("binary")
    if meaning.alphabet == "default" and default in ("gsm7", "gsm7_packed"):
        septets = encode_gsm7(text, locking=locking, single=single)
        return pack_counted_by_octets(septets) if isinstance(septets, bytes) and default != "gsm7" else septets
    codec = _DEFAULT_CODECS[default] if meaning.alphabet == "default" else _CODECS[meaning.alphabet]
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return NotInAlphabet(tuple(dict.fromkeys(c for c in text if not _encodable(c, codec))))


def _encodable(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
