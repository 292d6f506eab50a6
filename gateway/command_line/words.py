"""What the command line says, in English and in French: the English sentence is the key, FRENCH its translation.

What belongs here: the choice of the language (--lang, else LC_ALL, LC_MESSAGES, LANG) and the one table of sentences.
A test reads the source and sees to it that every sentence said, and every help text, stands in the table.
What must not enter: facts; they are the gaps {name} of a sentence, the same in both languages.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

from gateway.command_line.french import FRENCH

Language = Literal["en", "fr"]
LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX, Environment Variables 8.2: in this order

_language: Language = "en"


def choose_language(arguments: list[str], environment: Mapping[str, str]) -> Language:
    """The language that `--lang` names, else the locale; English where neither is French."""
    for place, word in enumerate(arguments):
        if word == "--lang" and arguments[place + 1 :]:
            return "fr" if arguments[place + 1].lower().startswith("fr") else "en"
        if word.startswith("--lang="):
            return "fr" if word.removeprefix("--lang=").lower().startswith("fr") else "en"
    locale = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    return "fr" if locale.lower().startswith("fr") else "en"


def speak(language: Language) -> None:
    """Say everything in this language from here on."""
    global _language
    _language = language


def language() -> Language:
    """The language in use."""
    return _language


def say(sentence: str, **facts: object) -> str:
    """The sentence in the language in use, its gaps filled; an untranslated one stays English."""
    spoken = FRENCH.get(sentence, sentence) if _language == "fr" else sentence
    return spoken.format(**facts) if facts else spoken


def begin(arguments: list[str]) -> list[str]:
    """Choose the language of this process by its arguments and its environment; the arguments without --lang."""
    speak(choose_language(arguments, os.environ))
    places = [place for place, word in enumerate(arguments) if word == "--lang"]
    taken = {*places, *(place + 1 for place in places)}
    return [word for place, word in enumerate(arguments) if place not in taken and not word.startswith("--lang=")]
