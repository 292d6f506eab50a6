"""Reading our Markdown: fenced blocks, tables, links and headings, each with its line.

A block's info string says what a test does with it: `sh run` is executed, in the order of the page; `toml file=NAME`
is written to NAME before; `text like` is compared, shape by shape, with the output of the block that ran before it.
What must not enter: executing anything (shells.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string, its text, the line of its fence."""

    info: str
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return self.info.split()[1:2] == ["run"]

    @property
    def file(self) -> str | None:
        """The name it is written to; None when it is no file."""
        found = re.search(r"\bfile=(\S+)", self.info)
        return found[1] if found else None

    @property
    def is_output(self) -> bool:
        return self.info == "text like"


def pages() -> list[Path]:
    """Every Markdown page of the repository, but for what is installed or generated."""
    hidden = {".venv", ".git", ".passerelle", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
    return sorted(each for each in ROOT.rglob("*.md") if not hidden & set(each.relative_to(ROOT).parts))


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    info, began, lines = "", 0, [""]
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif began:
            found.append(Block(info, "\n".join(lines), began))
            began = 0
        else:
            info, began, lines = fence[1].strip(), number, []
    assert not began, f"line {began}: a fence without an end"
    return found


def prose(text: str) -> str:
    """A page without its fenced blocks; lines keep their numbers."""
    inside = False
    kept = []
    for line in text.splitlines():
        fence = FENCE.match(line) is not None
        kept.append("" if inside or fence else line)
        inside ^= fence
    return "\n".join(kept)


def tables(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Each table with the heading it stands under: rows of cells as text, without the header and its rule."""
    heading = ""
    rows: list[list[str]] = []
    for line in [*prose(text).splitlines(), ""]:
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()
        if line.startswith("|"):
            rows.append([cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            yield heading, rows[2:]
            rows = []


def table_under(text: str, heading: str) -> list[list[str]]:
    """The rows of all tables under one heading; there must be some."""
    rows = [row for where, table in tables(text) for row in table if where == heading]
    assert rows, f"no table under {heading!r}"
    return rows


def code(cell: str) -> list[str]:
    """What stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def links(text: str) -> list[tuple[int, str]]:
    """The targets of a page's links, with their lines."""
    found = []
    for number, line in enumerate(prose(text).splitlines(), 1):
        found += [(number, target) for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line))]
    return found


def anchors(text: str) -> set[str]:
    """The fragments that a page's headings answer to, as GitHub makes them."""
    made = set()
    for line in prose(text).splitlines():
        if line.startswith("#"):
            words = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            made.add(words.replace(" ", "-"))
    return made
