"""GSM mode: what the defaults ask for, what is left alone, and that it ends.

What must not enter: prices (test_parts.py).
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import offending_characters
from telecom.transliteration import Transliterated, to_gsm_mode


@pytest.mark.parametrize(
    ("text", "gsm"),
    [
        ("ça, garçon", "ca, garcon"),
        ("être à l’hôtel…", "etre à l'hotel..."),
        ("«\N{NO-BREAK SPACE}Œuvre\N{NO-BREAK SPACE}»", '" OEuvre "'),
        ("“À demain” – ‘ok’", "\"A demain\" - 'ok'"),
        ("âêëîïôœûÀÈ", "aeeiiooeuAE"),
        ("Łódź", "Lodz"),
        ("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}", "été"),
        ("½ ﬁn ™", "1/2 fin TM"),
        ("déjà Ñ € Ç", "déjà Ñ € Ç"),
    ],
)
def test_marks_are_spent_for_septets(text: str, gsm: str) -> None:
    assert to_gsm_mode(text).text == gsm


def test_changes_are_told_once_each() -> None:
    assert to_gsm_mode("ça ça … ô").changes == (("ç", "c"), ("…", "..."), ("ô", "o"))


@pytest.mark.parametrize("text", ["ça 😀", "Привет, ça va", "हिन्दी", "العربيةُ"])
def test_text_that_stays_ucs2_keeps_its_marks(text: str) -> None:
    assert to_gsm_mode(text) == Transliterated(text, ())


@given(st.text(max_size=80))
@settings(max_examples=300)
def test_result_is_gsm_or_untouched_and_final(text: str) -> None:
    once = to_gsm_mode(text)
    assert once.text == text or not offending_characters(once.text)
    assert to_gsm_mode(once.text).text == once.text
    assert bool(once.changes) <= bool(offending_characters(text))
