"""Each test that asks for `database` has one of its own, migrated and empty.

What must not enter: tests of the tables themselves.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.databases import Databases

CHANGES = [
    "CREATE TABLE left_behind (n int)",
    "ALTER TABLE accounts ADD COLUMN left_behind int",
    "ALTER TABLE accounts DROP CONSTRAINT balance_stays_within_credit",
    "CREATE OR REPLACE VIEW ledger_legs AS"
    " SELECT posting_id, account_id, kind, to_purse AS purse, amount_micros FROM ledger",
    "CREATE OR REPLACE FUNCTION refuse_to_reopen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP INDEX smsc_ids_by_key",
    "CREATE INDEX left_behind ON accounts (balance_micros)",
    "CREATE RULE left_behind AS ON DELETE TO accounts DO INSTEAD NOTHING",
    "DELETE FROM schema_migrations",
    "GRANT SELECT ON accounts TO PUBLIC",
]


async def test_database_is_migrated_and_writable(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") > 0
    await connection.execute("CREATE TABLE left_behind (n int)")


async def test_database_knows_nothing_of_other_tests(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT to_regclass('left_behind')") is None
    await connection.execute("CREATE TABLE left_behind (n int)")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_database_whose_schema_a_test_changed_is_not_used_again(
    databases: Databases, connection: asyncpg.Connection, change: str
) -> None:
    dsn = await databases.take()
    opened = await asyncpg.connect(dsn)
    await opened.execute(change)
    await opened.close()
    await databases.give_back(dsn)
    name = urlsplit(dsn).path[1:]
    assert not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)


async def test_empty_database_has_no_tables(empty_database: str) -> None:
    opened = await asyncpg.connect(empty_database)
    assert await opened.fetchval("SELECT to_regclass('schema_migrations')") is None
    await opened.close()
