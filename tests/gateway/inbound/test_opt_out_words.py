"""The words of the defaults page, in any dress, and answers that are one part of GSM 7-bit.

What must not enter: who is answered, and how often (test_desk.py).
"""

from __future__ import annotations

import pytest

from gateway.inbound.opt_out_words import ANSWERS, Meaning, answer_to, meaning_of
from telecom.alphabets import encode_gsm7
from telecom.parts import count_parts

STOPS = "STOP STOPALL UNSUBSCRIBE END QUIT CANCEL REMOVE REVOKE ARRET ARRÊT DESABONNEMENT DÉSABONNEMENT"


@pytest.mark.parametrize("word", STOPS.split())
def test_a_word_stops_in_any_case_with_white_space_and_marks_around(word: str) -> None:
    for text in (word, word.lower(), f"  {word.title()}\r\n", f"{word}!", f"«{word}»"):
        assert meaning_of(text) == "stop"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("Start", "start"), ("UNSTOP", "start"), ("help", "help"), ("Aide", "help"), ("INFO", "help")],
)
def test_other_words_come_back_and_ask(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) == meaning


@pytest.mark.parametrize(
    "text", ["", "stop it", "STOP STOP", "nonstop", "stops", "S T O P", "x" * 161, "STOP" + " " * 160]
)
def test_anything_else_is_none_of_them(text: str) -> None:
    assert meaning_of(text) is None


@pytest.mark.parametrize(("language", "meaning"), ANSWERS)
def test_an_answer_is_one_part_whatever_the_name(language: str, meaning: Meaning) -> None:
    for name in ("acme", "x" * 100, "Société Générale de Bénin « ê » œ…", "公司"):
        septets = encode_gsm7(answer_to(meaning, language, name))
        assert isinstance(septets, bytes), name
        assert count_parts(septets, 0, False) == 1
