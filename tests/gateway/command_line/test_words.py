"""Two languages: every sentence and every help text has its French, with the same gaps; the locale chooses.

What belongs here: reading our own source for what it says. What must not enter: the taste of a translation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from gateway.command_line import main as main_module
from gateway.command_line.carriers import WHY
from gateway.command_line.checking import PROOF_WORDS
from gateway.command_line.demo_api import API
from gateway.command_line.explain import NUMBER_FAULTS, VERDICTS
from gateway.command_line.french import FRENCH
from gateway.command_line.main import make_app
from gateway.command_line.route_remarks import REMARKS
from gateway.command_line.rule_versions import WHY_NOT
from gateway.command_line.run import CARRIER, CLIENT
from gateway.command_line.words import choose_language, say, speak
from gateway.webhooks.targets import REMEDIES
from tests.gateway.command_line.conftest import Passerelle

SOURCE = Path(main_module.__file__).parent
SAYING = {"say": 0, "answer": 1}  # which argument of each function is the sentence


def said_sentences() -> Iterator[str]:
    """Every literal sentence that the source says."""
    for file in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                place = SAYING[node.func.id]
                if len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    yield ast.literal_eval(node.args[place])


def help_texts(command: Any) -> Iterator[str]:
    """Every help text of a command and those below it that is ours."""
    if command.help:
        yield command.help
    for parameter in command.params:
        if getattr(parameter, "help", None) and parameter.name != "help":
            yield parameter.help
    for below in getattr(command, "commands", {}).values():
        yield from help_texts(below)


TABLES = {
    *VERDICTS.values(),
    *NUMBER_FAULTS.values(),
    *REMARKS.values(),
    *REMEDIES.values(),
    *WHY.values(),
    *WHY_NOT.values(),
    CARRIER,
    CLIENT,
    API,
}
EVERYTHING = sorted(
    {*said_sentences(), *help_texts(typer.main.get_command(make_app())), *PROOF_WORDS.values(), *TABLES} - {""}
)


@pytest.mark.parametrize("sentence", EVERYTHING)
def test_a_sentence_has_its_french_with_the_same_gaps(sentence: str) -> None:
    assert sentence in FRENCH, "no French for it"
    gaps = re.compile(r"\{\w+\}")
    assert sorted(gaps.findall(FRENCH[sentence])) == sorted(gaps.findall(sentence))


def test_every_translation_is_still_said() -> None:
    columns = {key for key in FRENCH if re.fullmatch(r"[a-z_]+|receipt back", key)}
    assert set(FRENCH) - columns - set(EVERYTHING) == set()


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "fr_FR.UTF-8"}, "fr"),
        ([], {"LANG": "fr_BJ.UTF-8", "LC_ALL": "C"}, "en"),
        ([], {"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_FR"}, "fr"),
        ([], {"LANG": "de_DE"}, "en"),
        (["--lang", "fr"], {"LANG": "en_US"}, "fr"),
        (["--lang=en"], {"LC_ALL": "fr_FR"}, "en"),
        (["--lang"], {}, "en"),
    ],
)
def test_the_option_then_the_locale_chooses_the_language(
    arguments: list[str], environment: dict[str, str], language: str
) -> None:
    assert choose_language(arguments, environment) == language


def test_a_sentence_is_said_in_the_language_in_use() -> None:
    speak("fr")
    try:
        assert say("account {name} is unknown", name="x") == "le compte x est inconnu"
    finally:
        speak("en")
    assert say("account {name} is unknown", name="x") == "account x is unknown"


def test_refusals_and_help_are_french_when_asked(passerelle: Passerelle) -> None:
    assert (
        "le compte personne est inconnu"
        in passerelle("account", "top-up", "personne", "1", "--reason", "x", "--lang", "fr").err
    )
    assert "Montrer les comptes" in passerelle("account", "--help", "--lang", "fr").out
    assert "Montrer les comptes" not in passerelle("account", "--help").out


def test_json_keys_are_the_same_in_both_languages(passerelle: Passerelle) -> None:
    passerelle("account", "add", "demo")
    english = passerelle("account", "list", "--json", "--lang", "en").json
    assert passerelle("account", "list", "--json", "--lang", "fr").json == english
