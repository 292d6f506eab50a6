"""The "GSM mode" of an account: letters and marks that GSM 03.38 lacks, in the nearest ones it has.

One "ç" or one typographic apostrophe takes a text from 160 characters a part to 70; an account may ask to spend
the mark instead of the credits. Base letters come from Unicode's decompositions, the rest from the table below.
Nothing that another alphabet than the default one decides may enter (alphabets.py).
"""

import unicodedata
from functools import lru_cache
from typing import Final

from msgspec import Struct

from telecom.alphabets import offending_characters

_TYPOGRAPHY: Final = {
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{SINGLE LOW-9 QUOTATION MARK}": "'",
    "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}": "'",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
    "\N{PRIME}": "'",
    "\N{GRAVE ACCENT}": "'",
    "\N{ACUTE ACCENT}": "'",
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}": "'",
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
    "\N{DOUBLE PRIME}": '"',
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{HYPHEN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{FIGURE DASH}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{HORIZONTAL BAR}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{BULLET}": "-",
    "\N{MIDDLE DOT}": ".",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{FRACTION SLASH}": "/",
    "\N{DEGREE SIGN}": "o",
    "\N{COPYRIGHT SIGN}": "(c)",
    "\N{REGISTERED SIGN}": "(r)",
    "\N{CHARACTER TABULATION}": " ",
    "\N{LINE SEPARATOR}": "\n",
    "\N{PARAGRAPH SEPARATOR}": "\n",
    "\N{SOFT HYPHEN}": "",
    "\N{ZERO WIDTH SPACE}": "",
    "\N{WORD JOINER}": "",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "",
    "\N{LATIN SMALL LIGATURE OE}": "oe",
    "\N{LATIN CAPITAL LIGATURE OE}": "OE",
    "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
    "\N{LATIN CAPITAL LETTER L WITH STROKE}": "L",
    "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
    "\N{LATIN CAPITAL LETTER D WITH STROKE}": "D",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
}
"""Signs and letters that Unicode does not decompose to what a reader would write by hand. Chosen."""


class Transliterated(Struct, frozen=True):
    """text: written anew; changes: each (character, replacement) once, in order of appearance."""

    text: str
    changes: tuple[tuple[str, str], ...]


def to_gsm_mode(text: str) -> Transliterated:
    """`text` in the default alphabet, every character it lacks replaced by a near one.

    A text with a character that has no near one (another script, an emoji) comes back untouched: it goes as UCS-2
    anyway, and lost accents would buy nothing. Letters followed by combining marks are composed first: "e" with a
    combining acute becomes "é", which the alphabet has. Applying it twice changes nothing more.
    """
    composed = unicodedata.normalize("NFC", text)
    changes: dict[str, str | int | None] = {}
    for character in offending_characters(composed):
        replacement = _nearest(character)
        if replacement is None:
            return Transliterated(text, ())
        changes[character] = replacement
    changed = composed.translate(str.maketrans(changes))
    return Transliterated(changed, tuple((character, str(near)) for character, near in changes.items()))


@lru_cache(maxsize=4096)  # chosen: more than the characters that traffic of one country shows
def _nearest(character: str) -> str | None:
    if character in _TYPOGRAPHY:
        return _TYPOGRAPHY[character]
    if "\N{COMBINING GRAVE ACCENT}" <= character <= "\N{COMBINING LATIN SMALL LETTER X}":
        return ""
    decomposed = unicodedata.normalize("NFKD", character)
    kept = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    replacement = "".join(_TYPOGRAPHY.get(mark, mark) for mark in kept)
    return replacement if replacement and not offending_characters(replacement) else None
