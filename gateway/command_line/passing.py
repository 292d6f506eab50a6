"""The live view of `passerelle run`: one line a fact, as messages pass: accepted, submitted, delivered, receipt back.

What belongs here: finding what is new since the last look, and a line for it; colours where there is a terminal.
What must not enter: anything the messages wait for.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

import asyncpg
from rich.text import Text

from gateway.command_line.output import console
from gateway.command_line.words import say
from gateway.message import accepted_at_ms
from gateway.message_states import FINAL
from gateway.storage import inspection

LOOK_LIMIT: Final = 2000  # messages followed at once; chosen: more than pass in a look at demonstration rates

STYLES: Final = {"accepted": "cyan", "submitted": "blue", "delivered": "green", "receipt back": "bold green"}
FAILED_STYLE: Final = "red"


class PassingMessages:
    """Follows the messages accepted from `first_id` on; each fact of each is shown once."""

    def __init__(self, connection: asyncpg.Connection, first_id: int, quiet: bool) -> None:
        self.connection = connection
        self.receipts = 0
        self.idle = True  # nothing is under way
        self._first_id = first_id
        self._oldest_open = first_id
        self._quiet = quiet
        self._told: dict[int, int] = {}  # by message id: how many of its facts were shown
        self._console = console()

    async def show_news(self) -> None:
        """Look once, and show what is new."""
        rows = await inspection.follow_messages(self.connection, self._oldest_open, LOOK_LIMIT)
        lines: list[tuple[int, str, str]] = []
        open_ids = []
        for row in rows:
            facts = _facts(row)
            told = self._told.get(row["message_id"], 0)
            lines += [(at_ms, fact, _about(row)) for at_ms, fact in facts[told:]]
            self._told[row["message_id"]] = len(facts)
            done = row["state"] in FINAL and row["notify"] != "asked"
            self.receipts += done and row["notify"] == "done" and told < len(facts)
            if not done:
                open_ids.append(row["message_id"])
        self.idle = not open_ids
        self._forget(rows, open_ids)
        for at_ms, fact, about in sorted(lines):
            self._show(at_ms, fact, about)

    async def tally(self) -> dict[str, int]:
        """accepted, submitted, delivered, failed, receipts: of all messages followed."""
        return dict(await inspection.tally_progress(self.connection, self._first_id))

    def _forget(self, rows: list[asyncpg.Record], open_ids: list[int]) -> None:
        """Look only from the oldest open message on, next time."""
        if open_ids:
            self._oldest_open = open_ids[0]
        elif rows:
            self._oldest_open = rows[-1]["message_id"] + 1
        self._told = {each: told for each, told in self._told.items() if each >= self._oldest_open}

    def _show(self, at_ms: int, fact: str, about: str) -> None:
        if self._quiet:
            return
        time = datetime.datetime.fromtimestamp(at_ms / 1000).strftime("%H:%M:%S.%f")[:-3]
        style = STYLES.get(fact, FAILED_STYLE)
        self._console.print(Text.assemble(f"{time}  ", (f"{say(fact):<14}", style), about))


def _facts(row: asyncpg.Record) -> list[tuple[int, str]]:
    """The facts of a message so far, in order: (Unix milliseconds, word)."""
    known: list[tuple[int, str]] = [(accepted_at_ms(row["message_id"]), "accepted")]
    if row["submitted_at_ms"]:
        known.append((row["submitted_at_ms"], "submitted"))
    if row["final_at_ms"]:
        known.append((row["final_at_ms"], row["state"]))
        if row["notify"] == "done":
            known.append((row["final_at_ms"], "receipt back"))
    return known


def _about(row: asyncpg.Record) -> str:
    parts = say("parts: {count}", count=row["part_count"]) if row["part_count"] > 1 else ""
    words: list[Any] = [row["message_id"], f"{row['source_addr']} > {row['destination_addr']}", parts, row["error"]]
    return "  ".join(str(word) for word in words if word)
