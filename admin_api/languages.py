"""The two languages of the API: which one an answer speaks, and sentences in both.

Source: RFC 9110 12.5.4 (Accept-Language). The order: what the request asks for, the account's language, English.
What must not enter: the sentences themselves; each stands beside what it is about.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Language = Literal["en", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
LONGEST_HEADER: Final = 200  # chosen: characters of Accept-Language that are read


class Words(NamedTuple):
    """A sentence in both languages; gaps {name} are the same in both."""

    en: str
    fr: str

    def say(self, language: Language, **facts: object) -> str:
        """The sentence, its gaps filled."""
        sentence = self.fr if language == "fr" else self.en
        return sentence.format(**facts) if facts else sentence


def choose_language(accept_language: str, otherwise: Language = "en") -> Language:
    """The language that a header prefers among ours."""
    best: tuple[float, Language] | None = None
    for range_ in accept_language[:LONGEST_HEADER].split(","):
        tag, _, parameter = range_.strip().partition(";")
        quality = _quality(parameter.strip())
        language = tag.strip().lower().split("-")[0]
        for ours in LANGUAGES:
            if language == ours and quality > 0 and (best is None or quality > best[0]):
                best = (quality, ours)
    return otherwise if best is None else best[1]


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
