"""Links resolve, words of `make` exist, and figures name the command that measured them.

What must not enter: the network; a link to another site is left unchecked.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, blocks, code, links, pages, prose, tables

FIGURE = re.compile(r"\d[\d,. ]*\s?(us|ms|MiB|KiB|/s|bytes|rows)\b|\d\s?%")
MEASURED = ROOT / "docs" / "decisions"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for line, target in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{page.name}:{line}: {target} is not there"
        if fragment:
            assert fragment in anchors(file.read_text(encoding="utf-8")), f"{page.name}:{line}: no heading {target}"


def test_words_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in pages():
        text = page.read_text(encoding="utf-8")
        typed = [line for block in blocks(text) for line in block.text.splitlines()]
        typed += [each for line in prose(text).splitlines() for each in code(line)]
        for line in typed:
            found = re.match(r"make ([a-z]+)", line)
            assert found is None or found[1] in targets, f"{page.name}: make {found[1] if found else ''}"


@pytest.mark.parametrize("page", sorted(MEASURED.glob("*.md")), ids=lambda page: page.name)
def test_a_decision_names_what_was_given_up_and_how_it_was_measured(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Context", "## Decision", "## Given up", "## Measurement"]
    number = re.fullmatch(r"(\d{4})-[a-z-]+", page.stem)
    assert number
    assert text.startswith(f"# {number[1]} ")
    measured = text[text.index("## Measurement") :]
    assert "```sh" in measured, "the command stands where the figures stand"
    for heading, rows in tables(text):
        if any(FIGURE.search(cell) for row in rows for cell in row):
            assert heading in ("Measurement", "Decision"), f"figures under {heading}, without a command"


@pytest.mark.parametrize("page", sorted(MEASURED.glob("*.md")), ids=lambda page: page.name)
def test_the_commands_of_a_decision_are_there(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        for path in re.findall(r"\b(?:docs|tests)/[\w/.-]+", block.text):
            assert (ROOT / path).exists(), f"{page.name}:{block.line}: {path} is not there"
