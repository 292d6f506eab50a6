"""A batch that PostgreSQL refuses for what one row says: stored by pieces, the culprit set aside, and on.

What promises something is stored before the messages, what forgets something after them, so that a crash in between
leaves something remembered too long, never something forgotten too early. Journals of a batch with a culprit stay: its
attempts are in doubt after the next start, not forgotten. What must not enter: the common path (group_commit.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg

from gateway.message import Message
from gateway.storage.settle_batch import CLOSED_COLUMN, HOLD_COLUMN, POSITIONAL, SettleBatch, as_extra

log = logging.getLogger("passerelle.storage")

FORGETTING: Final = ("drop_delayed", "drop_waiting", "close_inbound", "close_receipts", "drop_parked")
ROW_CHARACTERS: Final = 4_000  # chosen: of a row that is set aside

Write = Callable[[Sequence[object], Sequence[tuple[str, tuple[Any, ...]]]], Awaitable[None]]
Table = list[tuple[Any, ...]]


class RowsRefused(Exception):
    """PostgreSQL refused a batch for what a row of it says: the same batch would be refused again. sqlstate, said:
    its words, without the row's.
    """

    def __init__(self, fault: asyncpg.PostgresError) -> None:
        super().__init__(str(fault))
        self.sqlstate: str = fault.sqlstate or ""
        self.said: str = getattr(fault, "message", None) or type(fault).__name__


class Pieces:
    """One refused batch. columns: what batch.columns() gave; held: ids whose hold is open, as stored."""

    def __init__(
        self, batch: SettleBatch, columns: list[Any], held: frozenset[int], write: Write, node_id: int
    ) -> None:
        self._batch = batch
        self._columns = columns
        self._held = held
        self._write = write
        self._node_id = node_id
        self._bare = batch.piece(columns, [], held)
        self._culprits = 0

    async def store(self) -> int:
        """Store all but the culprits; how many these are."""
        put_off_again = {(delay[1], delay[2]) for delay in self._batch.delays}
        tables = self._batch.tables()
        for name, table in tables:
            if name not in FORGETTING:
                await self._store_rows(name, table)
        await self._store_messages(list(range(len(self._batch.messages))))
        for name, table in tables:
            if name in FORGETTING:
                kept = [row for row in table if name != "drop_delayed" or row not in put_off_again]
                await self._store_rows(name, kept)
        if not self._culprits and self._batch.closed_journals:
            closing = list(self._bare)
            closing[CLOSED_COLUMN] = self._batch.closed_journals
            await self._write(closing, [])
        return self._culprits

    async def _store_rows(self, name: str, table: Table) -> None:
        if not table:
            return
        try:
            await self._write(self._bare, [as_extra(name, table)])
        except RowsRefused as refused:
            if len(table) == 1:
                await self._set_aside(name, None, table[0], refused)
                return
            middle = len(table) // 2
            await self._store_rows(name, table[:middle])
            await self._store_rows(name, table[middle:])

    async def _store_messages(self, places: list[int]) -> None:
        if not places:
            return
        try:
            await self._write(self._batch.piece(self._columns, places, self._held), [])
        except RowsRefused as refused:
            if len(places) == 1:
                (place,) = places
                message = self._batch.messages[place]
                row = tuple(column[place] for column in self._columns[:POSITIONAL])
                await self._set_aside("settle", message.message_id, row, refused)
                self._undo(message, self._columns[HOLD_COLUMN][place])
                return
            middle = len(places) // 2
            await self._store_messages(places[:middle])
            await self._store_messages(places[middle:])

    def _undo(self, message: Message, hold: str) -> None:
        """Its row stands where it stood: the next change of the message writes, and posts, what this one did not."""
        message.revision -= 1
        if hold != "held" and message.message_id in self._held:
            message.posting = hold.removesuffix("d")

    async def _set_aside(
        self, statement: str, message_id: int | None, row: tuple[Any, ...], refused: RowsRefused
    ) -> None:
        self._culprits += 1
        log.error(
            "row_set_aside",
            extra={
                "statement": statement,
                "message_id": message_id,
                "sqlstate": refused.sqlstate,
                "why": refused.said,
                "remedy": "a fault of ours: look at the table set_aside, and report it",
            },
        )
        shown = ascii(row)[:ROW_CHARACTERS]
        table = [(self._node_id, statement, message_id, refused.sqlstate, ascii(refused.said), shown)]
        await self._write(self._bare, [as_extra("set_aside", table)])
