"""One-time codes as rows: limits that hold between processes, tries that are counted, what is forgotten.

What must not enter: HTTP (tests/admin_api/test_otp.py).
"""

from __future__ import annotations

import asyncio

import asyncpg

from gateway.storage import facts
from gateway.storage import one_time_codes as rows
from gateway.storage.one_time_codes import OneTimeCode, Sending
from tests.eventually import eventually

NUMBER = "2290197000001"
NOW_MS = 1_790_000_000_000
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def sending(account_id: int, message_id: int, at_ms: int = NOW_MS) -> Sending:
    code = OneTimeCode(
        message_id, account_id, NUMBER, "ACME", "{code}", 6, b"hash", message_id, 3, 300, at_ms + 300_000
    )
    return Sending(code, at_ms)


async def new_account(connection: asyncpg.Connection) -> int:
    account_id = await facts.add_account(connection, "shop", 0, None)
    assert account_id is not None
    return account_id


async def sent(connection: asyncpg.Connection, each: Sending) -> Sending:
    """A code that goes, as the accepting transaction sees to it."""
    async with connection.transaction():
        await rows.within_limits(connection, [each])
        await rows.keep(connection, [each], ())
    return each


async def test_two_processes_at_once_send_no_more_than_one_may(connection: asyncpg.Connection, database: str) -> None:
    account_id = await new_account(connection)
    for message_id in range(1, rows.NUMBER_SENDS):
        assert (await sent(connection, sending(account_id, message_id))).over is None
    other = await asyncpg.connect(database)
    try:
        async with asyncio.TaskGroup() as tasks:
            transaction = connection.transaction()
            await transaction.start()
            last = sending(account_id, 100)
            await rows.within_limits(connection, [last])
            task = tasks.create_task(sent(other, sending(account_id, 101)))

            async def is_kept_waiting() -> bool:
                return task.done() or bool(await connection.fetchval(WAITING))

            await eventually(is_kept_waiting, 30, "the other one counts only after this one")
            await transaction.commit()
        late = task.result()
        assert (last.over, late.over) == (None, "number")
        assert late.retry_at_ms == NOW_MS + rows.NUMBER_SPAN_MS
    finally:
        await other.close()


async def test_what_no_limit_looks_at_is_forgotten_and_a_code_kept_for_questions(
    connection: asyncpg.Connection,
) -> None:
    account_id = await new_account(connection)
    await sent(connection, sending(account_id, 1))
    await rows.bury_codes(connection, NOW_MS + rows.SPAN_MS)
    assert await connection.fetchval("SELECT count(*) FROM one_time_sends") == 1
    await rows.bury_codes(connection, NOW_MS + rows.SPAN_MS + 1)
    assert await connection.fetchval("SELECT count(*) FROM one_time_sends") == 0
    assert await rows.find_code(connection, account_id, 1) is not None
    await rows.bury_codes(connection, NOW_MS + rows.CODES_KEPT_MS + 300_001)
    assert await rows.find_code(connection, account_id, 1) is None


async def test_a_try_is_counted_whether_it_fits_or_not(connection: asyncpg.Connection) -> None:
    account_id = await new_account(connection)
    await sent(connection, sending(account_id, 1))
    for tried in (1, 2, 3):
        assert not await rows.try_code(connection, account_id, 1, NOW_MS, lambda stored: False)
        found = await rows.find_code(connection, account_id, 1)
        assert found is not None
        assert found.attempts == tried
    assert not await rows.try_code(connection, account_id, 1, NOW_MS, lambda stored: stored == b"hash")
    assert not await rows.try_code(connection, account_id + 1, 1, NOW_MS, lambda stored: True)
