"""STOP, START and HELP: which words they are, and what is answered.

Source: defaults.md, "Opt-out words": an exact single word, trimmed, case- and accent-folded. Answers are GSM 7-bit and
one part. Pure. What must not enter: who may be answered, and how often (desk.py).
"""

from __future__ import annotations

from typing import Final, Literal

from telecom.alphabets import offending_characters
from telecom.keywords import only_word
from telecom.transliteration import to_gsm_mode

Meaning = Literal["stop", "start", "help"]

STOP_WORDS: Final = frozenset(  # folded: ARRÊT is arret
    ["stop", "stopall", "unsubscribe", "end", "quit", "cancel", "remove", "revoke", "arret", "desabonnement"]
)
START_WORDS: Final = frozenset({"start", "unstop"})
HELP_WORDS: Final = frozenset({"help", "aide", "info"})
MEANINGS: Final[dict[str, Meaning]] = {
    **dict.fromkeys(STOP_WORDS, "stop"),
    **dict.fromkeys(START_WORDS, "start"),
    **dict.fromkeys(HELP_WORDS, "help"),
}
NAME_CHARACTERS: Final = 30  # chosen: of an account's name, so that the answer is one part

ANSWERS: Final[dict[tuple[str, Meaning], str]] = {
    ("fr", "stop"): "{name} : vous ne recevrez plus nos messages. Pour les recevoir à nouveau, répondez START.",
    ("fr", "start"): "{name} : vous recevrez à nouveau nos messages. Pour ne plus les recevoir, répondez STOP.",
    ("fr", "help"): "{name} : pour ne plus recevoir nos messages, répondez STOP ; pour les recevoir à nouveau, START.",
    ("en", "stop"): "{name}: you will receive no more messages from us. Reply START to receive them again.",
    ("en", "start"): "{name}: you will receive our messages again. Reply STOP to receive no more.",
    ("en", "help"): "{name}: reply STOP to receive no more messages from us, START to receive them again.",
}


def meaning_of(text: str) -> Meaning | None:
    """What a text asks, if it is one of the words and nothing else."""
    return MEANINGS.get(only_word(text)) if len(text) <= 160 else None


def answer_to(meaning: Meaning, language: str, account: str) -> str:
    """The text of the answer. language: fr, en. account: its name."""
    plain = to_gsm_mode(account[:NAME_CHARACTERS]).text
    lacking = offending_characters(plain)
    name = "".join(character for character in plain if character not in lacking)[:NAME_CHARACTERS]
    return ANSWERS[language, meaning].format(name=name)
