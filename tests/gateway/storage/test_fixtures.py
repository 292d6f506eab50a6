"""Each test that asks for `database` has one of its own, migrated and empty.

What must not enter: tests of the tables themselves.
"""

from __future__ import annotations

import asyncpg


async def test_database_is_migrated_and_writable(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") > 0
    await connection.execute("CREATE TABLE left_behind (n int)")


async def test_database_knows_nothing_of_other_tests(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT to_regclass('left_behind')") is None
    await connection.execute("CREATE TABLE left_behind (n int)")


async def test_empty_database_has_no_tables(empty_database: str) -> None:
    opened = await asyncpg.connect(empty_database)
    assert await opened.fetchval("SELECT to_regclass('schema_migrations')") is None
    await opened.close()
