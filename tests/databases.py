"""Databases for one test each, used again: emptying one takes 10 ms, making one 300 ms and a checkpoint at its end.

What belongs here: making, emptying and dropping them. One whose schema a test has changed is not used again.
What must not enter: fixtures (conftest.py), rows that a test wants to find.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection
from urllib.parse import urlsplit

import asyncpg

_numbers = itertools.count(1)
TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

# Everything a test could have changed but for rows and sequences. The view and function bodies are told by their text.
SCHEMA = """
SELECT md5(concat_ws('/',
    (SELECT string_agg(concat_ws(' ', c.relname, c.relkind, c.relpersistence, c.relhastriggers, c.reloptions, c.relacl,
                                 c.relrowsecurity,
                                 pg_get_expr(c.relpartbound, c.oid)), ',' ORDER BY c.relname)
       FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', a.attrelid::regclass, a.attname, a.atttypid, a.attnotnull,
                                 pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attrelid::regclass::text, a.attnum)
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0),
    (SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)), ','
                       ORDER BY conrelid::regclass::text, conname)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', pg_get_triggerdef(oid), tgenabled), ','
                       ORDER BY pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(pg_get_ruledef(r.oid), ',' ORDER BY pg_get_ruledef(r.oid))
       FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = 'public'::regnamespace),
    (SELECT string_agg(pg_get_indexdef(indexrelid), ',' ORDER BY pg_get_indexdef(indexrelid))
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace),
    (SELECT string_agg(md5(prosrc), ',' ORDER BY md5(prosrc)) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase
      WHERE b.datname = current_database())
))"""

LEAVE_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY '{tables}'::text[] LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    FOREACH name IN ARRAY '{written}'::text[] LOOP
        EXECUTE format('DELETE FROM %I', name);
        EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM as_migrated.%I', name, name);
    END LOOP;
    {restart}
END $$;
RESET session_replication_role;
"""
RESTART = """
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
       FROM pg_sequences WHERE last_value IS NOT NULL;
"""


def with_database(dsn: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(dsn)
    return f"{parts.scheme}://{parts.netloc}/{name}?{parts.query}"


class Databases:
    """Copies of a migrated template on the server of this process's tests; a copy is one test's at a time."""

    def __init__(self, server_dsn: str, template: str) -> None:
        self._server_dsn = server_dsn
        self._template = template
        self._idle: list[str] = []
        self._empty_tables: list[str] = []  # in the template
        self._written_tables: list[str] = []  # by migrations: emptying makes them so again
        self._likeness = ""

    async def look_at_template(self) -> None:
        """Learn what a copy must look like."""
        template = await asyncpg.connect(with_database(self._server_dsn, self._template))
        try:
            for (table,) in await template.fetch(TABLES):
                if not await template.fetchval(f'SELECT EXISTS (SELECT FROM "{table}")'):
                    self._empty_tables.append(table)
                elif table != "schema_migrations":
                    self._written_tables.append(table)
            await template.execute("CREATE SCHEMA as_migrated")
            for table in self._written_tables:
                await template.execute(f'CREATE TABLE as_migrated."{table}" AS TABLE "{table}"')
            self._likeness = await self._look_at(template)
        finally:
            await template.close()

    def emptying(self, but: Collection[str] = (), restart: bool = True) -> str:
        """A script that leaves in a copy what migrations wrote, and tables that are named as they are.

        restart: ids begin anew, as in a fresh copy; not where a living process may remember former ones.
        """
        tables = ",".join(table for table in self._empty_tables if table not in but)
        written = ",".join(self._written_tables)
        script = EMPTY.replace("{tables}", f"{{{tables}}}").replace("{written}", f"{{{written}}}")
        return script.replace("{restart}", RESTART if restart else "")

    async def empty(self, connection: asyncpg.Connection) -> None:
        """Make a copy as it was, and this connection its only one."""
        await connection.execute(LEAVE_ALONE)
        await connection.execute(self.emptying())

    async def take(self) -> str:
        """The DSN of an empty one; server-wide things are not its own."""
        if not self._idle:
            return await make_database(self._server_dsn, self._template)
        dsn = with_database(self._server_dsn, self._idle.pop())
        connection = await asyncpg.connect(dsn)
        try:  # now, not when it was given back: what outlived its test by a moment has written its last row
            await self.empty(connection)
        finally:
            await connection.close()
        return dsn

    async def give_back(self, dsn: str) -> None:
        """Keep it for the next test, or drop it when its schema is not what it was."""
        name = urlsplit(dsn).path[1:]
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(LEAVE_ALONE)
            unchanged = await self._look_at(connection) == self._likeness
        finally:
            await connection.close()
        if unchanged:
            self._idle.insert(0, name)  # the one that rested longest is used first
        else:
            await drop_database(self._server_dsn, name)

    async def close(self) -> None:
        """Drop all that are idle."""
        for name in self._idle:
            await drop_database(self._server_dsn, name)

    async def _look_at(self, connection: asyncpg.Connection) -> str:
        """What two databases that are the same to a test have in common: their schema, and rows of migrations."""
        seen = [await connection.fetchval(SCHEMA)]
        for (table,) in await connection.fetch(TABLES):
            if table not in self._empty_tables:
                rows = f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM \"{table}\" t"
                seen.append(await connection.fetchval(rows))
        return "/".join(seen)


async def make_database(server_dsn: str, template: str) -> str:
    """Copy a database under a name of its own; the copy's DSN."""
    name = f"passerelle_test_{os.getpid()}_{next(_numbers)}"
    server = await asyncpg.connect(server_dsn)
    try:
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await server.close()
    return with_database(server_dsn, name)


async def drop_database(server_dsn: str, name: str) -> None:
    """Drop it, whoever is connected."""
    server = await asyncpg.connect(server_dsn)
    try:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await server.close()
