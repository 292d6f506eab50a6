"""Named statements: every SQL the gateway runs stands in a file of statements/, under a name and a sentence.

What belongs here: the reader of statements/*.sql. A statement opens with `-- name: verb_noun`, then at least
one line `-- A sentence.`, then the SQL up to the next name. A file is read once in the life of a process.
What must not enter: SQL put together from text at run time, and a statement without a sentence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "statements"
_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$", re.MULTILINE)


class StatementFault(Exception):
    """A statement file breaks the form; the text names the file and the statement."""


@functools.cache
def load_statements(file_name: str) -> Mapping[str, str]:
    """Return name -> SQL of `file_name` ("facts.sql"), without the trailing semicolon.

    The comment lines stay in the SQL: they show in pg_stat_activity who asks what.
    Raises StatementFault for a name met twice, a missing sentence or an empty statement.
    """
    return MappingProxyType(parse_statements((FOLDER / file_name).read_text(encoding="utf-8"), file_name))


def parse_statements(text: str, file_name: str) -> dict[str, str]:
    """Cut `text` at its `-- name:` lines; `file_name` is for the complaints only. Raises StatementFault."""
    statements: dict[str, str] = {}
    pieces = _NAME.split(text)
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        body = piece.strip()
        lines = body.splitlines()
        if name in statements:
            raise StatementFault(f"{file_name}: statement {name} stands twice")
        if not lines or not lines[0].startswith("-- "):
            raise StatementFault(f"{file_name}: statement {name} needs a sentence under its name")
        if all(not line.strip() or line.startswith("--") for line in lines):
            raise StatementFault(f"{file_name}: statement {name} has no SQL")
        statements[name] = f"-- {name}\n{body}".rstrip().removesuffix(";")
    if not statements:
        raise StatementFault(f"{file_name}: no statement in it")
    return statements
