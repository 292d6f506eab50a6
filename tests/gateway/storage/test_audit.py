"""The audit log's writers: one after the other, without gap, nothing of what was undone, no secret.

What must not enter: who reads it (tests/admin_api), the command that checks it (tests/gateway/command_line).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from gateway.storage.audit import LONGEST_FACTS, PAGE_ROWS, CommandLineActor, CommandLineAsked, check_chain, record
from gateway.storage.database import connect

ASKED = CommandLineAsked(CommandLineActor("ann"), "192.0.2.1", "request")


async def tell(connection: asyncpg.Connection, number: int = 0, **facts: Any) -> None:
    async with connection.transaction():
        await record(connection, ASKED, action="thing.changed", subject=f"thing:{number}", **facts)


async def test_writers_at_once_make_one_chain_and_what_is_undone_leaves_no_gap(database: str) -> None:
    connections = [await connect(database) for _ in range(6)]

    async def write(connection: asyncpg.Connection, base: int) -> None:
        for number in range(10):
            transaction = connection.transaction()
            await transaction.start()
            await record(connection, ASKED, action="thing.changed", subject=f"thing:{base + number}")
            await (transaction.rollback() if number % 3 == 0 else transaction.commit())

    try:
        async with asyncio.TaskGroup() as tasks:
            for place, connection in enumerate(connections):
                tasks.create_task(write(connection, place * 100))
        found = await check_chain(connections[0])
        rows = await connections[0].fetch("SELECT seq, subject FROM audit ORDER BY seq")
    finally:
        for connection in connections:
            await connection.close()
    assert (found.rows, found.seq, found.faults) == (36, 36, [])
    assert [row["seq"] for row in rows] == list(range(1, 37))
    assert len({row["subject"] for row in rows}) == 36


async def test_facts_are_kept_as_signed_and_long_ones_by_their_digest(connection: asyncpg.Connection) -> None:
    await tell(connection, before={"b": 1, "a": "é"}, after=["x", None])
    await tell(connection, before={"long": "x" * LONGEST_FACTS}, account_id=7)
    rows = await connection.fetch("SELECT before, after, account_id, address, request_id FROM audit ORDER BY seq")
    assert (rows[0]["before"], rows[0]["after"]) == ('{"a":"é","b":1}', '["x",null]')
    assert set(json.loads(rows[1]["before"])) == {"octets", "sha256"}
    assert (rows[1]["account_id"], rows[1]["address"], rows[1]["request_id"]) == (7, "192.0.2.1", "request")
    assert (await check_chain(connection)).faults == []


@pytest.mark.parametrize("name", ["password", "new_password_hash", "totp_secret", "token", "recovery_codes"])
async def test_a_secret_is_refused(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises(AssertionError, match="must not be in the audit log"):
        await tell(connection, after={name: "x"})
    await tell(connection, after={"must_change_password": True})  # whether, not what


async def test_a_row_outside_a_transaction_is_our_own_fault(connection: asyncpg.Connection) -> None:
    with pytest.raises(AssertionError, match="transaction"):
        await record(connection, ASKED, action="thing.changed", subject="thing:1")


async def test_a_chain_longer_than_a_page_is_read_whole(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        for number in range(PAGE_ROWS + 2):
            await record(connection, ASKED, action="thing.changed", subject=f"thing:{number}")
    await connection.execute("UPDATE audit SET subject = 'thing:0' WHERE seq = $1", PAGE_ROWS + 1)
    found = await check_chain(connection)
    assert (found.rows, [(fault.kind, fault.seq) for fault in found.faults]) == (
        PAGE_ROWS + 2,
        [("changed", PAGE_ROWS + 1)],
    )
