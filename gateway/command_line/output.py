"""How an answer is shown: a table or fields for people, JSON for programs (--json), sentences for both.

What belongs here: rich and JSON. Money shows as credits, times as ISO 8601 in UTC.
What must not enter: questions to the database.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.command_line.words import say

WIDE = 1000  # columns of output that goes into a file: nothing is cut there; chosen


def console() -> Console:
    """Where tables go: as wide as the terminal, or as wide as they are."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False)


def show_json(value: object) -> None:
    """One JSON document on one line."""
    typer.echo(msgspec.json.encode(value).decode())


def show_rows(rows: Sequence[Mapping[str, Any] | asyncpg.Record], columns: Iterable[str], as_json: bool) -> None:
    """A table of the named columns (their titles are said), or the rows whole as a JSON list."""
    if as_json:
        show_json([dict(row) for row in rows])
        return
    keys = list(columns)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in keys:
        table.add_column(say(key), overflow="fold")
    for row in rows:
        table.add_row(*(as_text(row.get(key)) for key in keys))
    console().print(table)


def show_fields(fields: Mapping[str, Any], as_json: bool) -> None:
    """One thing, a field a line; empty fields are left out for people."""
    if as_json:
        show_json(dict(fields))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key, value in fields.items():
        if value not in (None, "", [], {}):
            table.add_row(say(key), as_text(value))
    console().print(table)


def answer(as_json: bool, sentence: str, **facts: Any) -> None:
    """What a command did: the sentence for people, its facts for programs."""
    if as_json:
        show_json(facts)
    else:
        typer.echo(say(sentence, **{name: as_text(fact) for name, fact in facts.items()}))


def as_text(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(as_text(each) for each in value) or "-"
    return str(value)


def format_ms(unix_ms: int) -> str | None:
    """A time of milliseconds as ISO 8601 in UTC; None for 0, which means never."""
    if unix_ms <= 0:
        return None
    time = datetime.datetime.fromtimestamp(unix_ms / 1000, datetime.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
