"""From rows to memory: what waits for a connector in PostgreSQL is read as its lanes have room, each lane by itself.

Source: architecture section 4 (rows are claimed only at start, after a crash and when memory was full); decision 0009.
Whom to read of, and how much, the outbox says; a row that memory knows already is left out (gateway.active).
What must not enter: sending (gateway/lifecycle.py), SQL.
"""

from __future__ import annotations

import asyncio

from gateway.crash_points import crash_point
from gateway.lifecycle import DATABASE_PAUSE_S, Lifecycle
from gateway.message import Message
from gateway.outbox import Lane, Outbox, Stretch
from gateway.storage.group_commit import NotCommitted, SettleStream
from gateway.storage.reader import Reader


class Refill:
    """Reads waiting rows into outboxes. `run` for each connector, beside lifecycle.send."""

    def __init__(self, lifecycle: Lifecycle, reader: Reader, settling: SettleStream) -> None:
        self._life = lifecycle
        self._reader = reader
        self._settling = settling

    async def run(self, connector_id: int) -> None:
        """Read what waits for a connector, until cancelled. A lane whose rows are slow to find keeps none waiting."""
        outbox = self._life.outboxes[connector_id]
        async with asyncio.TaskGroup() as tasks:
            for lane in outbox.lanes:
                tasks.create_task(self._follow(connector_id, outbox, lane))

    async def _follow(self, connector_id: int, outbox: Outbox, lane: Lane) -> None:
        while True:
            await lane.rows_wanted.wait()
            lane.rows_wanted.clear()
            try:
                if (from_id := outbox.begin_search(lane)) is not None:
                    await self._search(connector_id, outbox, lane, from_id)
                while stretches := outbox.begin_read(lane):
                    await self._read(connector_id, outbox, lane, stretches)
            except NotCommitted:
                await asyncio.sleep(DATABASE_PAUSE_S)

    async def _search(self, connector_id: int, outbox: Outbox, lane: Lane, from_id: int) -> None:
        try:
            await self._settling.durable()
            found = await self._reader.queued_accounts(connector_id, lane.number, from_id)
        except NotCommitted:
            outbox.end_search(lane, None)
            raise
        outbox.end_search(lane, found)

    async def _read(self, connector_id: int, outbox: Outbox, lane: Lane, stretches: tuple[Stretch, ...]) -> None:
        try:
            with self._life.active.reading() as left:
                await self._settling.durable()
                rows = await self._reader.queued_rows(
                    connector_id,
                    lane.number,
                    [each.account_id for each in stretches],
                    [each.from_id for each in stretches],
                    [each.most for each in stretches],
                )
                fresh = self._life.active.adopt_queued(rows, left)
        except NotCommitted:
            outbox.end_read(lane, [], {each.account_id: each.from_id for each in stretches})
            raise
        crash_point("send.refilled")
        outbox.end_read(lane, fresh, _where_more_wait(stretches, rows))


def _where_more_wait(stretches: tuple[Stretch, ...], rows: list[Message]) -> dict[int, int]:
    """By account whose read ended at its limit: from which id on to read again."""
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row.message_id)
    return {
        each.account_id: found[each.account_id][-1] + 1
        for each in stretches
        if len(found.get(each.account_id, ())) == each.most
    }
