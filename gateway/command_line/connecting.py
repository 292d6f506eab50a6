"""The way of a command to the database: the configured server, or the embedded one of this data folder.

What belongs here: finding, starting for the time of a command, and the refusal of tables that are missing or too old.
The embedded server is shared with a living node: the last to leave stops it (gateway.storage.embedded).
What must not enter: statements of the product.
"""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import AsyncIterator

import asyncpg

from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage.database import connect
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.inspection import applied_migrations
from gateway.storage.migrate import MIGRATIONS, apply_migrations
from gateway.storage.versions import AUTHOR_SETTING

POSTGRES_FOLDER = "postgres"  # below data_dir; the daemon keeps its cluster there too


@contextlib.asynccontextmanager
async def running_server(configuration: Configuration) -> AsyncIterator[str]:
    """The DSN of the configured server, or of the embedded one, which runs at least as long as this block."""
    if configuration.storage.dsn is not None:
        yield configuration.storage.dsn.reveal()
        return
    postgres = EmbeddedPostgres(configuration.node.data_dir / POSTGRES_FOLDER)
    dsn = await postgres.start()
    try:
        yield dsn
    finally:
        await postgres.stop()


@contextlib.asynccontextmanager
async def open_database(configuration: Configuration) -> AsyncIterator[asyncpg.Connection]:
    """A connection to tables of this program's schema; the embedded database is brought to it, another refused."""
    async with running_server(configuration) as dsn:
        connection = await connect(dsn, {AUTHOR_SETTING: getpass.getuser()})
        try:
            await _see_to_schema(connection, embedded=configuration.storage.dsn is None)
            yield connection
        finally:
            await connection.close()


def missing_migrations(applied: list[str]) -> list[str]:
    """The names of this program's migrations that are not among those applied."""
    return sorted({file.stem for file in MIGRATIONS.glob("[0-9]*.sql")} - set(applied))


async def _see_to_schema(connection: asyncpg.Connection, embedded: bool) -> None:
    missing = missing_migrations(await applied_migrations(connection))
    if not missing:
        return
    if not embedded:
        raise Refusal(
            say("the database lacks {names}", names=", ".join(missing)),
            say("run: passerelle migrate"),
        )
    await apply_migrations(connection)
