"""The word a text is found by: first or only, without case, accents and the marks around it.

What must not enter: what a word means.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecom.keywords import first_word, fold, is_keyword, only_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", "stop"),
        ("  arrêt  ", "arret"),
        ("ARRE\u0302T", "arret"),
        ("«Stop!»", "stop"),
        ("info, s'il vous plaît", "info"),
        ("... INFO please", "info"),
        ("l'été", "l'ete"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("", ""),
        ("!!! ???", ""),
        ("\n\tMeteo\u00a0Cotonou", "meteo"),
    ],
)
def test_the_first_word(text: str, word: str) -> None:
    assert first_word(text) == word


@pytest.mark.parametrize(("text", "word"), [(" Stop. ", "stop"), ("STOP ALL", ""), ("", ""), ("non stop", "")])
def test_the_only_word(text: str, word: str) -> None:
    assert only_word(text) == word


@pytest.mark.parametrize(
    ("text", "fits"), [("info", True), ("Info", False), ("été", False), ("a b", False), ("", False), ("x" * 31, False)]
)
def test_a_keyword_is_one_that_can_be_found(text: str, fits: bool) -> None:
    assert is_keyword(text) is fits


@given(st.text(max_size=60))
def test_folding_is_done_once_and_any_text_has_a_first_word_or_none(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert " " not in first_word(text)
