"""A settle batch with a row that PostgreSQL refuses: the culprit is set aside and shown, its neighbours are stored.

Real constraints: a check of the schema, a text that PostgreSQL cannot hold, a key that stands already.
What must not enter: batches that PostgreSQL is away for (test_streams.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.message import Message, ParkedReceipt
from gateway.receipts import fold
from gateway.receipts.fold import MoneyPolicy
from gateway.storage.group_commit import AcceptStream, SettleStream
from tests.gateway.storage.conftest import PRICE_MICROS, House

NOW_MS = 1_700_000_000_000


@contextlib.asynccontextmanager
async def streams(house: House) -> AsyncIterator[tuple[AcceptStream, SettleStream]]:
    accepting, settling = AcceptStream(house.line("accept")), SettleStream(house.line("settle"))
    tasks = [asyncio.create_task(accepting.run()), asyncio.create_task(settling.run())]
    try:
        yield accepting, settling
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def delivered(house: House, accepting: AcceptStream, count: int) -> list[Message]:
    """Accepted messages that became final in memory, ids and holds with them."""
    messages = [house.message() for _ in range(count)]
    await accepting.append(messages, [False] * count)
    for number, message in enumerate(messages):
        fold.part_taken(message, 0, f"id-{number}", NOW_MS, MoneyPolicy())
    return messages


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_one_row_does_not_hold_up_its_neighbours(
    house: House, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with streams(house) as (accepting, settling):
        messages = await delivered(house, accepting, 7)
        culprit = messages[place]
        culprit.state = "sent"  # no state of the schema
        for message in messages:
            settling.save(message)
        settling.batch.closed_journals.append(5)
        settling.batch.events.append((culprit.account_id, culprit.message_id, 1, "note", "kept"))
        await settling.durable()
        rows = await house.connection.fetch("SELECT message_id, state, hold FROM messages ORDER BY message_id")
        states = {row["message_id"]: (row["state"], row["hold"]) for row in rows}
        assert states.pop(culprit.message_id) == ("queued", "held")
        assert set(states.values()) == {("submitted", "captured")}
        assert (
            await house.value("SELECT sum(amount_micros)::bigint FROM ledger WHERE kind = 'capture'")
            == 6 * PRICE_MICROS
        )
        assert await house.value("SELECT count(*) FROM smsc_ids") == 6
        assert await house.value("SELECT count(*) FROM message_events") == 1
        (aside,) = await house.connection.fetch("SELECT * FROM set_aside")
        assert (aside["statement"], aside["message_id"], aside["sqlstate"]) == ("settle", culprit.message_id, "23514")
        assert "'sent'" in aside["row_text"]
        (told,) = [record for record in caplog.records if record.getMessage() == "row_set_aside"]
        assert told.message_id == culprit.message_id  # type: ignore[attr-defined]  # extra
        assert settling.set_aside == 1
        # what is put right is stored, with the money that belongs to it
        culprit.state = "submitted"
        settling.save(culprit)
        await settling.durable()
        assert await house.value("SELECT count(*) FROM messages WHERE hold = 'captured'") == 7
        assert (
            await house.value("SELECT sum(amount_micros)::bigint FROM ledger WHERE kind = 'capture'")
            == 7 * PRICE_MICROS
        )


async def test_the_journals_of_a_batch_with_a_culprit_stay(house: House) -> None:
    async with streams(house) as (accepting, settling):
        messages = [house.message() for _ in range(2)]
        outcome = await accepting.append(messages, [True, True])
        assert outcome.journal is not None
        messages[0].state = "sent"
        settling.save(messages[0])
        settling.batch.closed_journals.append(outcome.journal.journal_id)
        await settling.durable()
        assert await house.value("SELECT count(*) FROM open_attempts") == 1
        messages[0].state = "queued"
        settling.save(messages[0])
        settling.batch.closed_journals.append(outcome.journal.journal_id)
        await settling.durable()
        assert await house.value("SELECT count(*) FROM open_attempts") == 0


async def test_rows_of_every_kind_are_set_aside_alone(house: House) -> None:
    async with streams(house) as (accepting, settling):
        (message,) = await delivered(house, accepting, 1)
        settling.save(message)
        parked = [ParkedReceipt(n, 1, f"id-{n}", "229", "ACME", 2, "", 0, NOW_MS, b"") for n in (1, 2, 3)]
        settling.batch.parked += [*parked, ParkedReceipt(2, 1, "again", "229", "ACME", 2, "", 0, NOW_MS, b"")]
        key = (message.account_id, message.message_id)
        settling.batch.events += [(*key, 1, "good", ""), (*key, 2, "bad", "NUL \0"), (*key, 3, "good", "")]
        settling.batch.undelayed.append(key)
        settling.batch.delays.append((NOW_MS, *key, "again"))
        await settling.durable()
        assert await house.value("SELECT array_agg(smsc_message_id ORDER BY parked_id) FROM parked_receipts") == [
            "id-1",
            "id-2",
            "id-3",
        ]
        assert await house.value("SELECT array_agg(at_ms ORDER BY at_ms) FROM message_events") == [1, 3]
        assert await house.value("SELECT state FROM messages") == "submitted"
        assert await house.value("SELECT count(*) FROM delayed") == 1
        rows = await house.connection.fetch("SELECT statement, sqlstate FROM set_aside ORDER BY statement")
        assert [tuple(row) for row in rows] == [("note_events", "22021"), ("park_receipts", "23505")]


async def test_a_batch_that_was_never_refused_sets_nothing_aside(house: House) -> None:
    async with streams(house) as (accepting, settling):
        for message in await delivered(house, accepting, 3):
            settling.save(message)
        await settling.durable()
        assert settling.set_aside == 0
        assert await house.value("SELECT count(*) FROM set_aside") == 0
