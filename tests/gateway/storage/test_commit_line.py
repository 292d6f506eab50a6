"""A COMMIT whose answer was lost is resolved to the truth, whenever the connection broke, and nothing commits late.

smpp-answers ("outcome of COMMIT unknown"), architecture section 4. Connections are cut by a proxy, servers by pid.
What must not enter: what the statements write (test_accept.py, test_settle.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.message import Message
from gateway.storage import group_commit
from gateway.storage.database import connect, take_seat
from gateway.storage.group_commit import (
    BatchUnfit,
    CommitLine,
    CommittedUnheard,
    FencedOut,
    NotCommitted,
    OutcomeUnknown,
)
from gateway.storage.messages import ACCEPT, accept_columns
from tests.gateway.storage.conftest import House
from tests.gateway.storage.cutting_proxy import CuttingProxy

COMMITTED = "SELECT committed FROM node_streams WHERE stream = 'accept'"


async def accept(line: CommitLine, *messages: Message) -> None:
    await line.commit(ACCEPT, accept_columns(list(messages), [False] * len(messages), 0))


async def warm_line(house: House, proxy: CuttingProxy) -> CommitLine:
    """A line whose statement is prepared: from here on a batch is one request and one answer."""
    line = house.line("accept", proxy.dsn)
    await accept(line, house.message())
    return line


@asynccontextmanager
async def account_locked(house: House) -> AsyncIterator[None]:
    """As long as the block runs, whatever holds credit must wait."""
    other = await connect(house.dsn)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT FROM accounts FOR UPDATE")
    try:
        yield
    finally:
        await transaction.rollback()
        await other.close()


async def blocked_backends(house: House) -> list[int]:
    rows = await house.connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return [row["pid"] for row in rows]


async def wait_for_blocked(house: House, count: int = 1) -> list[int]:
    async with asyncio.timeout(60):
        while len(blocked := await blocked_backends(house)) < count:
            await asyncio.sleep(0.01)
    return blocked


async def test_a_lost_answer_of_a_committed_batch_is_told_from_a_refusal(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)
    proxy.cut("lose answer")
    with pytest.raises(CommittedUnheard):
        await accept(line, house.message())
    assert proxy.cuts == 1
    assert await house.rows() == 2
    await accept(line, house.message())
    assert await house.rows() == 3


async def test_a_request_that_never_arrived_is_surely_not_committed(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)
    proxy.cut("drop request")
    with pytest.raises(NotCommitted):
        await accept(line, house.message())
    assert await house.rows() == 1
    await accept(line, house.message())
    assert await house.rows() == 2
    assert await house.value(COMMITTED) == line.batch


async def test_the_look_up_waits_for_a_statement_that_goes_on_without_us(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)
    async with asyncio.TaskGroup() as tasks:
        async with account_locked(house):
            proxy.cut("strand")
            answer = tasks.create_task(_outcome(line, house.message()))
            await wait_for_blocked(house, 2)  # the batch for the account, the look-up for the batch
        assert await answer is CommittedUnheard
    assert await house.rows() == 2


async def test_a_statement_that_dies_after_our_connection_did_is_not_committed(
    house: House, proxy: CuttingProxy
) -> None:
    line = await warm_line(house, proxy)
    async with asyncio.TaskGroup() as tasks, account_locked(house):
        proxy.cut("strand")
        answer = tasks.create_task(_outcome(line, house.message()))
        first, _ = await _batch_and_look_up(house)
        await house.value("SELECT pg_terminate_backend($1)", first)
        assert await answer is NotCommitted
    await accept(line, house.message())
    assert await house.rows() == 2


async def test_a_look_up_that_ran_out_of_patience_is_no_commit_when_it_runs_after_all(
    house: House, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TRUTH_TIMEOUT_S", 0.3)
    line = await warm_line(house, proxy)
    number = line.batch + 1
    async with account_locked(house):
        proxy.cut("strand")
        assert await _outcome(line, house.message()) is OutcomeUnknown
        batch, look_up = await _batch_and_look_up(house)
        await house.value("SELECT pg_terminate_backend($1)", batch)
        async with asyncio.timeout(60):
            while look_up in await blocked_backends(house):
                await asyncio.sleep(0.01)
    assert not await line.resolve(number)
    await accept(line, house.message())
    assert await house.rows() == 2
    assert await house.value(COMMITTED) == line.batch


async def test_a_look_up_whose_answer_was_lost_is_asked_again_and_tells_the_same(
    house: House, proxy: CuttingProxy
) -> None:
    line = await warm_line(house, proxy)
    number = line.batch + 1
    stranger = house.line("accept")
    assert not await stranger.resolve(number)  # this look-up was executed; say that nobody heard it
    assert not await line.resolve(number)
    await accept(line, house.message())
    assert await house.rows() == 2


async def test_away_for_longer_than_our_patience_is_unknown(
    house: House, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "TRUTH_TIMEOUT_S", 0.2)
    line = await warm_line(house, proxy)
    number = line.batch + 1
    proxy.cut("lose answer")
    proxy.away = True
    assert await _outcome(line, house.message()) is OutcomeUnknown
    proxy.away = False
    assert await line.resolve(number)
    await accept(line, house.message())
    assert await house.rows() == 3


async def test_away_before_the_batch_is_surely_not_committed(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)
    proxy.go_away()
    with pytest.raises(NotCommitted):
        await line.read(lambda connection: connection.fetchval("SELECT 1"))
    assert await _outcome(line, house.message()) is NotCommitted
    proxy.away = False
    await accept(line, house.message())
    assert await house.value(COMMITTED) == line.batch


async def test_a_terminated_backend_ends_its_batch_uncommitted(house: House) -> None:
    line = house.line("accept")
    await accept(line, house.message())
    async with asyncio.TaskGroup() as tasks, account_locked(house):
        answer = tasks.create_task(_outcome(line, house.message()))
        (backend,) = await wait_for_blocked(house)
        await house.value("SELECT pg_terminate_backend($1)", backend)
        assert await answer is NotCommitted
    await accept(line, house.message())
    assert await house.rows() == 2


async def test_an_idle_connection_that_died_costs_no_batch(house: House) -> None:
    line = house.line("accept")
    await accept(line, house.message())
    idle = await house.value(
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%node_streams%'"
    )
    assert await house.value("SELECT pg_terminate_backend($1, 5000)", idle)
    outcome = await _outcome(line, house.message())  # the death may be noticed before or while we write
    assert outcome in (None, NotCommitted)
    await accept(line, house.message())
    assert await house.rows() == (3 if outcome is None else 2)


async def test_a_refused_row_is_not_committed_and_the_line_goes_on(house: House) -> None:
    line = house.line("accept")
    assert await _outcome(line, house.message(message_id=1)) is NotCommitted  # 23514: that day has no partition yet
    assert await _outcome(line, house.message(source_addr="a\0b")) is BatchUnfit  # 22021
    await accept(line, house.message())
    assert await house.rows() == 1


async def test_a_look_up_of_a_former_life_ends_the_process(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)
    await house.connection.execute("SELECT pg_advisory_unlock_all()")
    newer = await connect(house.dsn)
    await take_seat(newer, "a")
    proxy.cut("drop request")
    with pytest.raises(FencedOut):
        await accept(line, house.message())
    await newer.close()
    assert await house.rows() == 1


async def test_reading_while_away_is_not_committed(house: House, proxy: CuttingProxy) -> None:
    line = await warm_line(house, proxy)

    async def one(connection: asyncpg.Connection) -> object:
        return await connection.fetchval("SELECT 1")

    assert await line.read(one) == 1
    proxy.cut("lose answer")
    with pytest.raises(NotCommitted):
        await line.read(one)
    assert await line.read(one) == 1


async def _outcome(line: CommitLine, message: Message) -> type[Exception] | None:
    try:
        await accept(line, message)
    except (CommittedUnheard, NotCommitted, OutcomeUnknown, FencedOut) as fault:
        return type(fault)
    return None


async def _batch_and_look_up(house: House) -> tuple[int, int]:
    """The pids of a batch that waits for the account, and of the look-up that waits for the batch."""
    await wait_for_blocked(house, 2)
    rows = await house.connection.fetch(
        "SELECT pid, query LIKE '%RETURNING batch, committed%' AS looks FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    found = {row["looks"]: row["pid"] for row in rows}
    return found[False], found[True]
