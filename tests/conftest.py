"""What every room's tests may ask for: a PostgreSQL of this test run, and a fresh migrated database for one test.

The server is ours (gateway.storage.embedded) unless PASSERELLE_TEST_DSN names one whose user may create databases.
What must not enter: fixtures of one room (they live beside its tests), doubles of our own classes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.migrate import apply_migrations
from tests.databases import Databases, drop_database, make_database, with_database
from tests.valkey import Valkey, running_valkey

TEST_DSN_VARIABLE = "PASSERELLE_TEST_DSN"
LONGEST_FIRST = ("tests/docs/", "tests/faults/")  # whole processes: minutes, most of them waiting


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After the dice of pytest-randomly: what takes long begins first, so that no worker is left alone with it."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST_FIRST))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """DSN of the server of this test run; it dies with the run, however that ends."""
    given = os.environ.get(TEST_DSN_VARIABLE)
    if given:
        yield given
        return
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", die_with_owner=True)
    dsn = await postgres.start()
    try:
        yield dsn
    finally:
        await postgres.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_database(postgres_dsn: str) -> AsyncIterator[str]:
    """Name of a migrated database that others are copied from."""
    name = f"passerelle_template_{os.getpid()}"
    server = await asyncpg.connect(postgres_dsn)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        connection = await asyncpg.connect(with_database(postgres_dsn, name))
        try:
            await apply_migrations(connection)
        finally:
            await connection.close()
        yield name
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await server.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(postgres_dsn: str, template_database: str) -> AsyncIterator[Databases]:
    """Migrated databases for one test each."""
    made = Databases(postgres_dsn, template_database)
    await made.look_at_template()
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground_database(databases: Databases) -> AsyncIterator[str]:
    """DSN of one database of this run for tests that begin by emptying it (`databases.empty`), one after the other."""
    dsn = await databases.take()
    yield dsn
    await databases.give_back(dsn)


@pytest_asyncio.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A Valkey for this test alone: it starts in 0.04 s, and knows nothing."""
    async with running_valkey(tmp_path) as server:
        yield server


@pytest_asyncio.fixture
async def empty_database(postgres_dsn: str) -> AsyncIterator[str]:
    """DSN of a database without any table, for this test alone."""
    dsn = await make_database(postgres_dsn, "template0")
    yield dsn
    await drop_database(postgres_dsn, urlsplit(dsn).path[1:])


@pytest_asyncio.fixture
async def database(databases: Databases) -> AsyncIterator[str]:
    """DSN of a migrated database without rows, for this test alone."""
    dsn = await databases.take()
    yield dsn
    await databases.give_back(dsn)


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection to `database`."""
    opened = await asyncpg.connect(database)
    yield opened
    opened.terminate()  # a test may have cut it
