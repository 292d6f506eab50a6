"""The word a person's text is found by: its first one, without case, accents and the marks around it.

Follows Unicode NFKD and casefold: a person writes ARRET for ARRÊT on a keypad, and a full stop after a word.
Who owns a word, and what it means, may not enter.
"""

from typing import Final
from unicodedata import combining, normalize

MARKS: Final = ".,;:!?¡¿\"'«»()[]<>*#-–—…`’‘“”"
"""Marks that people put around a word; chosen. Inside a word they stay."""

KEYWORD_CHARACTERS: Final = 30
"""Longest keyword; chosen: a word that a person is asked to write."""

TEXT_CHARACTERS: Final = 200
"""Of a text those in which a word is looked for; chosen."""


def fold(text: str) -> str:
    """The text without case and accents, and without white space at its ends."""
    decomposed = normalize("NFKD", normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not combining(character)).strip()


def first_word(text: str) -> str:
    """The first word, folded, without marks around it; "" where there is none."""
    for word in fold(text[:TEXT_CHARACTERS]).split():
        bare = word.strip(MARKS)
        if bare:
            return bare[: KEYWORD_CHARACTERS + 1]
    return ""


def only_word(text: str) -> str:
    """The word of a text that is one word, folded; "" where it is none or several."""
    words = fold(text[:TEXT_CHARACTERS]).split()
    return words[0].strip(MARKS) if len(words) == 1 else ""


def is_keyword(text: str) -> bool:
    """Whether `first_word` can ever find it: folded already, one word, not too long."""
    return 0 < len(text) <= KEYWORD_CHARACTERS and first_word(text) == text and only_word(text) == text
