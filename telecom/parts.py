"""Parts: how many a message takes, where it is cut, and what a text would cost.

Follows 3GPP TS 23.040, 9.2.3.24.1 (concatenation), and the habit of SMPP that user data of the default alphabet
carries one septet an octet. An escape pair and a surrogate pair stay together. Prices and accounts may not
enter: a part is what is priced elsewhere.
"""

from typing import Final, Literal

from msgspec import Struct

from telecom.alphabets import (
    ESCAPE,
    NotInAlphabet,
    encode_gsm7,
    has_locking_table,
    has_single_table,
    header_septets,
    offending_characters,
)
from telecom.data_coding import DEFAULT, UCS2, Unit, meaning_of
from telecom.transliteration import Transliterated, to_gsm_mode
from telecom.udh import Concatenation, InformationElement, concatenation_element, encode_udh, shift_elements

MAX_PARTS: Final = 10
"""Parts a message may take; chosen: handsets put ten together, beyond that it is a campaign's mistake."""

OVER_LIMIT: Final = MAX_PARTS + 1
"""What `count_parts` says of user data that cannot be sent whatever its parts."""

SEPTETS: Final = 160  # TP-User-Data, 3GPP TS 23.040, 9.2.3.16
OCTETS: Final = 140

CONCATENATION_OCTETS: Final = 6  # length octet and element 00
WIDE_CONCATENATION_OCTETS: Final = 7  # length octet and element 08

_UNITS: Final[tuple[Unit, ...]] = tuple(
    meaning.unit if (meaning := meaning_of(octet)) is not None else "octets" for octet in range(256)
)
_ROOM: Final = tuple(SEPTETS if unit == "septets" else OCTETS for unit in _UNITS)
"""data_coding to the octets of SMPP user data that go into one part without a header."""


def _room_beside(header_octets: int, unit: Unit) -> int:
    """Octets of user data beside a header; for septets one an octet, for UCS-2 an even number."""
    if unit == "septets":
        return SEPTETS - header_septets(header_octets)
    room = OCTETS - header_octets
    return room - room % 2 if unit == "ucs2" else room


_NARROW_ROOM: Final = tuple(_room_beside(CONCATENATION_OCTETS, unit) for unit in _UNITS)
_WIDE_ROOM: Final = tuple(_room_beside(WIDE_CONCATENATION_OCTETS, unit) for unit in _UNITS)


def count_parts(user_data: bytes, data_coding: int, has_udh: bool, *, wide_reference: bool = False) -> int:
    """Parts that SMPP user data takes: at least 1; more than MAX_PARTS must be refused by the caller.

    user_data: short_message or message_payload as it came; for the default alphabet one septet an octet (160 in
    one part, 153 in several; extension characters are two octets). data_coding: 0..255. has_udh: the user data
    begins with a header of the customer's: it is one part, or OVER_LIMIT where it does not fit into one. Where an
    account's default alphabet is another than gsm7, its octets are written anew before they are counted.
    """
    if len(user_data) <= _ROOM[data_coding] and not has_udh:
        return 1
    if has_udh:
        return _parts_with_own_header(user_data, _UNITS[data_coding])
    room = (_WIDE_ROOM if wide_reference else _NARROW_ROOM)[data_coding]
    return len(_cuts(user_data, _UNITS[data_coding], room)) - 1


def _parts_with_own_header(user_data: bytes, unit: Unit) -> int:
    header_octets = min(user_data[0] + 1, len(user_data)) if user_data else 0
    if unit == "septets":
        return 1 if header_septets(header_octets) + len(user_data) - header_octets <= SEPTETS else OVER_LIMIT
    return 1 if len(user_data) <= OCTETS else OVER_LIMIT


def _cuts(user_data: bytes, unit: Unit, room: int) -> list[int]:
    """Positions where parts begin, and the end; no pair is cut."""
    cuts = [0]
    position = room
    end = len(user_data)
    while position < end:
        if unit == "septets":
            position -= _ends_in_escape(user_data, cuts[-1], position)
        elif unit == "ucs2" and 0xD8 <= user_data[position - 2] <= 0xDB:  # a high surrogate would be the last
            position -= 2
        cuts.append(position)
        position += room
    cuts.append(end)
    return cuts


def _ends_in_escape(septets: bytes, start: int, end: int) -> bool:
    """Whether septets[start:end] ends in an escape whose second septet comes after it (two escapes are a pair)."""
    escapes = 0
    while end - escapes > start and septets[end - escapes - 1] == ESCAPE:
        escapes += 1
    return escapes % 2 == 1


def split_user_data(user_data: bytes, data_coding: int, reference: int, *, wide_reference: bool = False) -> list[bytes]:
    """Parts of user data without a header of its own, each WITH a concatenation header in front.

    One part comes back as it is, without a header: the caller sets esm_class 0x40 only when there are several.
    reference: any integer, its lower 8 (wide: 16) bits count. ValueError above MAX_PARTS: ask `count_parts` first.
    """
    if len(user_data) <= _ROOM[data_coding]:
        return [user_data]
    return _split(user_data, data_coding, reference, wide_reference, locking=0, single=0)


def _split(user_data: bytes, data_coding: int, reference: int, wide: bool, *, locking: int, single: int) -> list[bytes]:
    unit = _UNITS[data_coding]
    shifts = shift_elements(locking, single)
    alone = encode_udh(shifts)
    if len(user_data) <= _room_beside(len(alone), unit):
        return [alone + user_data]
    header_octets = (WIDE_CONCATENATION_OCTETS if wide else CONCATENATION_OCTETS) + max(len(alone) - 1, 0)
    cuts = _cuts(user_data, unit, _room_beside(header_octets, unit))
    total = len(cuts) - 1
    if total > MAX_PARTS:
        raise ValueError(f"{total} parts; the limit is {MAX_PARTS}")
    reference &= 0xFFFF if wide else 0xFF
    places = [Concatenation(reference, total, number, wide) for number in range(1, total + 1)]
    return [
        encode_udh((concatenation_element(place), *shifts)) + user_data[start:end]
        for place, start, end in zip(places, cuts, cuts[1:], strict=False)
    ]


def split_beside(
    elements: tuple[InformationElement, ...], user_data: bytes, data_coding: int, reference: int
) -> list[bytes]:
    """Parts of user data, each with an 8-bit concatenation and these other elements in front; however many they are.

    More than 255 have no header that could name them: then the list is longer than that, and without headers.
    """
    header_octets = CONCATENATION_OCTETS + max(len(encode_udh(elements)) - 1, 0)
    unit = _UNITS[data_coding]
    cuts = _cuts(user_data, unit, _room_beside(header_octets, unit))
    pieces = [user_data[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    if len(pieces) > 255:
        return pieces
    places = [Concatenation(reference & 0xFF, len(pieces), number) for number in range(1, len(pieces) + 1)]
    return [
        encode_udh((concatenation_element(place), *elements)) + piece
        for place, piece in zip(places, pieces, strict=True)
    ]


class Encoding(Struct, frozen=True):
    """How a text goes on air: gsm7 with the National Language Identifiers of its tables (0: default), or ucs2."""

    alphabet: Literal["gsm7", "ucs2"]
    locking: int = 0
    single: int = 0

    @property
    def data_coding(self) -> int:
        """The SMPP value; for gsm7 it presumes a connector whose default alphabet is gsm7."""
        return DEFAULT if self.alphabet == "gsm7" else UCS2


PLAIN_GSM7: Final = Encoding("gsm7")
_UCS2: Final = Encoding("ucs2")


def choose_encoding(text: str, languages: tuple[int, ...] = ()) -> Encoding:
    """The encoding of fewest parts; at equal parts the plainest.

    languages: National Language Identifiers that may be used; none unless the way to the handset is known to
    carry them (many carriers drop the elements).
    """
    if not offending_characters(text):
        return PLAIN_GSM7
    best, best_parts = _UCS2, _cost(text, _UCS2)[1]
    for language in languages:
        for locking, single in ((0, language), (language, 0), (language, language)):
            if not (has_locking_table(locking) and has_single_table(single)):
                continue
            candidate = Encoding("gsm7", locking, single)
            if offending_characters(text, locking=locking, single=single):
                continue
            parts = _cost(text, candidate)[1]
            if parts < best_parts:
                best, best_parts = candidate, parts
    return best


def encode_text(text: str, encoding: Encoding) -> bytes | NotInAlphabet:
    """User data of `text`: unpacked septets, or UTF-16 big endian. A lone surrogate is not in the alphabet."""
    if encoding.alphabet == "gsm7":
        return encode_gsm7(text, locking=encoding.locking, single=encoding.single)
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        return NotInAlphabet(tuple(dict.fromkeys(c for c in text if "\ud800" <= c <= "\udfff")))


def split_text(
    text: str, encoding: Encoding, reference: int, *, wide_reference: bool = False
) -> list[bytes] | NotInAlphabet:
    """User data of each part of `text`, headers (concatenation, national tables) in front where there are any.

    esm_class 0x40 is due when there are several parts or a national table. ValueError above MAX_PARTS.
    """
    user_data = encode_text(text, encoding)
    if isinstance(user_data, NotInAlphabet):
        return user_data
    locking, single = encoding.locking, encoding.single
    return _split(user_data, encoding.data_coding, reference, wide_reference, locking=locking, single=single)


def _cost(text: str, encoding: Encoding) -> tuple[int, int, int]:
    """Units (septets or UTF-16 units), parts, units still free in the last part."""
    user_data = encode_text(text, encoding)
    if isinstance(user_data, NotInAlphabet):
        user_data = text.encode("utf-16-be", "replace")  # lone surrogates: counted as one unit, refused when sent
    unit: Unit = "septets" if encoding.alphabet == "gsm7" else "ucs2"
    shift_octets = len(encode_udh(shift_elements(encoding.locking, encoding.single)))
    room = _room_beside(shift_octets, unit)
    cuts = [0, len(user_data)]
    if len(user_data) > room:
        room = _room_beside(CONCATENATION_OCTETS + max(shift_octets - 1, 0), unit)
        cuts = _cuts(user_data, unit, room)
    octets_per_unit = 1 if unit == "septets" else 2
    free = room - (cuts[-1] - cuts[-2])
    return len(user_data) // octets_per_unit, len(cuts) - 1, free // octets_per_unit


class Estimate(Struct, frozen=True):
    """What a text takes, before anybody pays.

    text: as it would be sent. offending: characters of the given text that GSM 7-bit lacks, each once. units:
    septets or UTF-16 units; units_free: what the last part still takes. sendable: within MAX_PARTS and without
    lone surrogates. parts_as_written, parts_in_gsm_mode: both prices, whichever was asked. changes: what GSM mode
    replaces.
    """

    text: str
    encoding: Encoding
    offending: tuple[str, ...]
    units: int
    units_free: int
    parts: int
    sendable: bool
    parts_as_written: int
    parts_in_gsm_mode: int
    changes: tuple[tuple[str, str], ...]

    @property
    def alphabet(self) -> Literal["gsm7", "ucs2"]:
        """The alphabet it would be sent in."""
        return self.encoding.alphabet


def estimate(text: str, gsm_mode: bool = False, languages: tuple[int, ...] = ()) -> Estimate:
    """Parts of `text` as it would be sent, beside what it would take with and without GSM mode."""
    offending = offending_characters(text)
    other = to_gsm_mode(text) if offending else Transliterated(text, ())
    written_encoding, other_encoding = choose_encoding(text, languages), choose_encoding(other.text, languages)
    written, replaced = _cost(text, written_encoding), _cost(other.text, other_encoding)
    units, parts, units_free = replaced if gsm_mode else written
    sent = other.text if gsm_mode else text
    return Estimate(
        text=sent,
        encoding=other_encoding if gsm_mode else written_encoding,
        offending=offending,
        units=units,
        units_free=units_free,
        parts=parts,
        sendable=parts <= MAX_PARTS and not any("\ud800" <= character <= "\udfff" for character in sent),
        parts_as_written=written[1],
        parts_in_gsm_mode=replaced[1],
        changes=other.changes,
    )
