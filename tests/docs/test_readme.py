"""The README, in both languages, does what it says: its blocks run in order, and what it shows is what is written.

What must not enter: the running itself (shells.py), any other page.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.docs.shells import checkout, missing_shapes, run_page

SECONDS = 400.0  # chosen: a page takes some 15 s on two cores shared by others
LANGUAGES = {"README.md": "C.UTF-8", "README.fr.md": "fr_FR.UTF-8"}


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_the_readme_runs_from_its_first_line_to_its_last(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("\nmake run\n") == 1, "the demonstration stands once, without an end of its own"
    page = blocks(text.replace("\nmake run\n", '\nmake run ARGS="--messages 6"\n'))
    outputs = run_page(page, checkout(tmp_path), {"LANG": LANGUAGES[name]}, SECONDS)
    everything = "\n".join(outputs.values())
    shown = [block for block in page if block.is_output]
    assert len(shown) == 6
    for block in shown:
        unknown = missing_shapes(block.text, everything)
        assert not unknown, f"{name}:{block.line} shows what was not written:\n" + "\n".join(unknown) + everything


def test_both_languages_have_the_same_blocks() -> None:
    """What is typed is the same; only what is read differs."""
    typed = {
        name: [block.text for block in blocks((ROOT / name).read_text(encoding="utf-8")) if block.runs or block.file]
        for name in LANGUAGES
    }
    english, french = typed["README.md"], typed["README.fr.md"]
    assert len(english) == len(french)
    for one, other in zip(english, french, strict=True):
        assert _without_comments(one) == _without_comments(other)


def _without_comments(text: str) -> list[str]:
    return [line.partition("  #")[0].rstrip() for line in text.splitlines()]
