"""Forward migrations: the files of migrations/, applied once each, in the order of their numbers.

What belongs here: reading the files, refusing a database from the future, applying under one lock.
What must not enter: knowledge of any table but `schema_migrations`.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import asyncpg

from gateway.crash_points import crash_point

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_KEY = 70610  # chosen: one migration at a time over all nodes
NOT_PERMITTED = "PT003"  # a migration's own words: what this user of PostgreSQL may not do, with the remedy
DAYS_AHEAD = 3  # chosen: partitions made ahead, so that a node that never restarts is never without one


class SchemaFault(Exception):
    """The database's schema and this program do not fit; the text names the remedy."""


async def apply_migrations(connection: asyncpg.Connection) -> list[str]:
    """Bring the database to this program's schema; return the names applied now, in order.

    Raises SchemaFault when the database holds a migration that this program does not know.
    """
    files = sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    applied_now: list[str] = []
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
        strange = sorted(known - {file.stem for file in files})
        if strange:
            raise SchemaFault(
                f"the database was migrated by a newer passerelle ({strange[0]} is unknown here): upgrade this program"
            )
        for file in files:
            if file.stem in known:
                continue
            try:
                await connection.execute(file.read_text(encoding="utf-8"))
            except asyncpg.PostgresError as fault:
                if fault.sqlstate != NOT_PERMITTED:
                    raise
                raise SchemaFault(f"{file.stem}: {fault}") from fault
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", file.stem)
            applied_now.append(file.stem)
        today = datetime.datetime.now(datetime.UTC).date()
        await ensure_days(connection, today)
        crash_point("migrate.before_commit")
    return applied_now


async def ensure_days(connection: asyncpg.Connection, today: datetime.date) -> None:
    """Make the partitions of yesterday (late writers), today and DAYS_AHEAD days more (UTC)."""
    for offset in range(-1, DAYS_AHEAD + 1):
        await connection.execute("SELECT ensure_day($1)", today + datetime.timedelta(days=offset))
