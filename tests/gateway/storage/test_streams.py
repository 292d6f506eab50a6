"""The two writing streams: who came meanwhile goes in the next batch, each caller hears its own, nothing is given up.

Architecture section 4, group commit. What must not enter: single statements (test_accept.py, test_settle.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.message import AttemptJournal, Message, MessageIds
from gateway.receipts import fold
from gateway.receipts.fold import MoneyPolicy
from gateway.storage import facts, group_commit
from gateway.storage import messages as rows
from gateway.storage.database import connect, take_seat
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.group_commit import AcceptStream, FencedOut, NotCommitted, OutcomeUnknown, SettleStream
from gateway.storage.migrate import apply_migrations
from tests.gateway.storage.conftest import PRICE_MICROS, House
from tests.gateway.storage.cutting_proxy import CuttingProxy
from tests.gateway.storage.stored_messages import prepare_ground

POLICY = MoneyPolicy()
COMMITTED = "SELECT batch FROM node_streams WHERE stream = $1"


@asynccontextmanager
async def running(*streams: AcceptStream | SettleStream) -> AsyncIterator[None]:
    """These streams commit as long as the block runs, and no longer than a test may last."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(stream.run()) for stream in streams]
        try:
            yield
        finally:
            for each in running:
                each.cancel()


def taken(message: Message, smsc_message_id: str) -> Message:
    fold.part_taken(message, 0, smsc_message_id, 1, POLICY)
    return message


# ---------------------------------------------------------------- accept


async def test_callers_of_one_moment_share_a_commit_and_later_ones_the_next(house: House) -> None:
    stream = AcceptStream(house.line("accept"))
    async with running(stream):
        first = stream.append([house.message()], [False])
        await asyncio.sleep(0)  # the writer takes the first batch; what comes now gathers
        await asyncio.sleep(0)
        later = [stream.append([house.message(), house.message()], [False, False]) for _ in range(50)]
        assert len({id(answer) for answer in later}) == 1
        await asyncio.gather(first, *later)
        assert stream.waiting == 0
    assert await house.rows() == 101
    assert await house.value(COMMITTED, "accept") <= 2


async def test_a_batch_takes_no_more_than_its_limit_of_rows(house: House) -> None:
    stream = AcceptStream(house.line("accept"), most_rows=10)
    answers = [stream.append([house.message()], [False]) for _ in range(25)]
    assert stream.waiting == 25
    async with running(stream):
        await asyncio.gather(*answers)
    assert await house.value(COMMITTED, "accept") == 3


async def test_every_caller_hears_of_its_own_refusals(house: House) -> None:
    poor = await facts.add_account(house.connection, "poor", 0, None)
    assert poor is not None
    await facts.top_up(house.connection, poor, PRICE_MICROS, "test")
    stream = AcceptStream(house.line("accept"))
    calls = [[house.message(account_id=account)] for account in (poor, house.ground.account_id, poor)]
    async with running(stream):
        outcomes = await asyncio.gather(*[stream.append(call, [True]) for call in calls])
    assert [call[0].message_id in outcome.refused for call, outcome in zip(calls, outcomes, strict=True)] == [
        False,
        False,
        True,
    ]


async def test_the_journal_counts_what_was_opened_and_not_refused(house: House) -> None:
    poor = await facts.add_account(house.connection, "poor", 0, None)
    stream = AcceptStream(house.line("accept"))
    async with running(stream):
        messages = [house.message(), house.message(account_id=poor), house.message()]
        outcome = await stream.append(messages, [True, True, False])
        assert outcome.journal is not None
        assert outcome.journal.open_count == 1
        without = await stream.append([house.message()], [False])
        assert without.journal is None
    (journal,) = await rows.open_journals(house.connection, house.seat.node_id, 1 << 62)
    named = (journal.journal_id, journal.account_ids, journal.message_ids, journal.sends)
    assert named == (outcome.journal.journal_id, [house.ground.account_id], [messages[0].message_id], [1])


async def test_journals_of_a_life_are_larger_than_those_of_the_life_before(house: House) -> None:
    stream = AcceptStream(house.line("accept"))
    first = stream.next_journal_id()
    assert stream.next_journal_id() == first + 1
    assert first > house.seat.epoch << 32
    assert await rows.open_journals(house.connection, house.seat.node_id, house.seat.epoch << 32) == []
    async with running(stream):
        await stream.append([house.message()], [True])
    assert await rows.open_journals(house.connection, house.seat.node_id, house.seat.epoch << 32) == []
    assert len(await rows.open_journals(house.connection, house.seat.node_id, (house.seat.epoch + 1) << 32)) == 1


async def test_a_lost_answer_is_resolved_row_by_row(house: House, proxy: CuttingProxy) -> None:
    poor = await facts.add_account(house.connection, "poor", 0, None)
    stream = AcceptStream(house.line("accept", proxy.dsn))
    async with running(stream):
        await stream.append([house.message()], [False])
        proxy.cut("lose answer")
        messages = [house.message(), house.message(account_id=poor), house.message()]
        outcome = await stream.append(messages, [True, True, True])
        assert outcome.refused == {messages[1].message_id}
        assert outcome.journal is not None
        assert outcome.journal.open_count == 2
    assert proxy.cuts == 1
    assert await house.rows() == 3


async def test_a_request_that_was_lost_is_not_committed_for_every_caller(house: House, proxy: CuttingProxy) -> None:
    stream = AcceptStream(house.line("accept", proxy.dsn))
    async with running(stream):
        await stream.append([house.message()], [False])
        proxy.cut("drop request")
        answers = [stream.append([house.message()], [False]) for _ in range(3)]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [NotCommitted] * 3
        assert stream.waiting == 0
        await stream.append([house.message()], [False])
    assert await house.rows() == 2


async def test_away_too_long_is_unknown_and_the_stream_goes_on_afterwards(
    house: House, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TRUTH_TIMEOUT_S", 0.2)
    stream = AcceptStream(house.line("accept", proxy.dsn))
    async with running(stream):
        await stream.append([house.message()], [False])
        proxy.cut("lose answer")
        proxy.away = True
        with pytest.raises(OutcomeUnknown):
            await stream.append([house.message()], [False])
        with pytest.raises(NotCommitted):
            await stream.append([house.message()], [False])
        proxy.away = False
        await stream.append([house.message()], [False])  # its number is counted on from what was committed after all
    assert await house.rows() == 3


async def test_committed_and_away_before_the_rows_could_be_asked_is_unknown(house: House, proxy: CuttingProxy) -> None:
    stream = AcceptStream(house.line("accept", proxy.dsn))
    async with running(stream):
        await stream.append([house.message()], [False])
        proxy.cut("lose answer")
        answer = stream.append([house.message()], [False])
        async with asyncio.timeout(60):
            while not proxy.cuts:
                await asyncio.sleep(0)
        proxy.cut("lose answer", b"SELECT message_id FROM messages")
        with pytest.raises(OutcomeUnknown):
            await answer
        await stream.append([house.message()], [False])
    assert await house.rows() == 3


async def test_a_stream_of_a_former_life_ends_its_process(house: House) -> None:
    accepting, settling = AcceptStream(house.line("accept")), SettleStream(house.line("settle"))
    await house.connection.execute("SELECT pg_advisory_unlock_all()")
    newer = await connect(house.dsn)
    await take_seat(newer, "a")
    accepting.append([house.message()], [True])
    settling.durable()
    for run in (accepting.run, settling.run):
        with pytest.raises(FencedOut):
            await asyncio.wait_for(run(), 10)
    with pytest.raises(FencedOut):
        await accepting.open_attempts(newer, AttemptJournal(1), [house.message()])
    await newer.close()
    assert await house.rows() == 0


async def test_attempts_of_what_waited_are_journalled_before_they_leave(house: House) -> None:
    stream = AcceptStream(house.line("accept"))
    messages = [house.message(sends=1), house.message(sends=3)]
    journal = AttemptJournal(stream.next_journal_id())
    await stream.open_attempts(house.connection, journal, messages)
    assert journal.open_count == 2
    (stored,) = await rows.open_journals(house.connection, house.seat.node_id, 1 << 62)
    assert (stored.journal_id, stored.message_ids) == (journal.journal_id, [m.message_id for m in messages])
    assert stored.sends == [1, 3]  # which writing of each message it speaks of


# ---------------------------------------------------------------- settle


async def stored(house: House, count: int) -> list[Message]:
    stream = AcceptStream(house.line("accept"))
    messages = [house.message() for _ in range(count)]
    async with running(stream):
        await stream.append(messages, [False] * count)
    return messages


async def test_a_message_saved_twice_before_its_commit_is_written_once_with_its_last_state(house: House) -> None:
    (message,) = await stored(house, 1)
    stream = SettleStream(house.line("settle"))
    stream.save(taken(message, "7"))
    fold.part_receipted(message, 0, "delivered", "", 2, POLICY)
    stream.save(message)
    assert stream.waiting == 1
    async with running(stream):
        await stream.durable()
        assert stream.waiting == 0
    loaded = await rows.load_messages(house.connection, [(message.account_id, message.message_id)])
    assert loaded[message.message_id] == message
    assert not message.dirty
    assert await house.value(COMMITTED, "settle") == 1


async def test_durable_is_done_only_after_all_that_was_put_in_before_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "SETTLE_ROWS", 4)
    messages = await stored(house, 10)
    stream = SettleStream(house.line("settle"))
    for number, message in enumerate(messages):
        stream.save(taken(message, str(number)))
    async with running(stream):
        await stream.durable()
        assert await house.value("SELECT count(*) FROM messages WHERE state = 'submitted'") == 10
    assert await house.value(COMMITTED, "settle") == 3


@pytest.mark.parametrize("how", ["drop request", "lose answer"])
@pytest.mark.parametrize("needle", [b"", b"COMMIT"], ids=["at the statement", "at the commit"])
async def test_a_batch_whose_connection_broke_is_written_exactly_once(
    house: House, proxy: CuttingProxy, how: str, needle: bytes
) -> None:
    first, second = await stored(house, 2)
    stream = SettleStream(house.line("settle", proxy.dsn))
    async with running(stream):
        stream.save(taken(first, "1"))
        stream.batch.events.append((1, first.message_id, 1, "first", ""))
        await stream.durable()
        proxy.cut(how, needle)  # type: ignore[arg-type]
        stream.save(taken(second, "2"))
        stream.batch.events.append((1, second.message_id, 2, "second", ""))
        await stream.durable()
        assert proxy.cuts == 1
        assert not stream.away
    assert await house.value("SELECT count(*) FROM messages WHERE state = 'submitted' AND revision = 1") == 2
    assert await house.value("SELECT sum(amount_micros) FROM ledger WHERE kind = 'capture'") == 2 * PRICE_MICROS
    assert await house.value("SELECT array_agg(event ORDER BY at_ms) FROM message_events") == ["first", "second"]
    assert await house.value("SELECT count(*) FROM smsc_ids") == 2


async def test_what_comes_while_postgresql_is_away_waits_and_is_delivered_once(
    house: House, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TRUTH_TIMEOUT_S", 0.2)
    messages = await stored(house, 6)
    stream = SettleStream(house.line("settle", proxy.dsn))
    async with running(stream):
        stream.save(taken(messages[0], "0"))
        await stream.durable()
        proxy.go_away()
        for number, message in enumerate(messages[1:], 1):
            stream.save(taken(message, str(number)))
            await asyncio.sleep(0.02)
        waited = stream.durable()
        async with asyncio.timeout(60):
            while not stream.away:
                await asyncio.sleep(0.01)
        assert not waited.done()
        proxy.away = False
        await waited
        assert not stream.away
        assert stream.waiting == 0
    assert await house.value("SELECT count(*) FROM messages WHERE state = 'submitted' AND revision = 1") == 6
    assert await house.value("SELECT sum(message_count) FROM ledger WHERE kind = 'capture'") == 6


async def test_a_message_changed_again_while_its_batch_waits_is_written_twice_in_order(
    house: House, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TRUTH_TIMEOUT_S", 0.2)
    (message,) = await stored(house, 1)
    stream = SettleStream(house.line("settle", proxy.dsn))
    async with running(stream):
        stream.durable()
        await stream.durable()
        proxy.away = True
        proxy.go_away()
        stream.save(taken(message, "1"))
        async with asyncio.timeout(60):
            while message.dirty or not stream.away:
                await asyncio.sleep(0.01)
        fold.part_receipted(message, 0, "delivered", "", 2, POLICY)
        stream.save(message)
        proxy.away = False
        await stream.durable()
    loaded = await rows.load_messages(house.connection, [(message.account_id, message.message_id)])
    assert (loaded[message.message_id].state, loaded[message.message_id].revision) == ("delivered", 2)
    assert await house.value("SELECT sum(amount_micros) FROM ledger WHERE kind = 'capture'") == PRICE_MICROS


async def test_a_server_killed_under_both_streams_loses_nothing_that_was_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("killed") / "data", die_with_owner=True)
    dsn = await postgres.start()
    connection = await connect(dsn)
    await apply_migrations(connection)
    seat = await take_seat(connection, "a")
    ground = await prepare_ground(connection)
    house = House(dsn, connection, seat, ground, MessageIds(seat.node_id))
    accepting, settling = AcceptStream(house.line("accept")), SettleStream(house.line("settle"))
    told: list[Message] = []
    async with running(accepting, settling):
        for turn in range(40):
            message = house.message()
            try:
                await accepting.append([message], [False])
            except (NotCommitted, OutcomeUnknown):
                continue
            told.append(message)
            settling.save(taken(message, str(turn)))
            if turn in (10, 25):
                pid = postgres.server_pid()
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                await postgres.start()
        await settling.durable()
    fresh = await asyncpg.connect(dsn)
    submitted = await fresh.fetch("SELECT message_id, revision FROM messages WHERE state = 'submitted'")
    assert {row["message_id"] for row in submitted} >= {m.message_id for m in told}
    assert {row["revision"] for row in submitted} == {1}
    assert len(told) >= 30
    captured = await fresh.fetchval("SELECT sum(message_count) FROM ledger WHERE kind = 'capture'")
    assert captured == len(submitted)
    await fresh.close()
    for line in house.lines:
        await line.close()
    connection.terminate()
    await postgres.stop()
