"""The roles of the HTTP API: exactly what docs/api-inside.md says, table by table; and what they are kept from.

What must not enter: what the API does with it.
"""

from __future__ import annotations

import asyncpg
import pytest

from admin_api.writer import connect_as_operators
from gateway.storage.database import connect, take_seat
from tests.admin_api.conftest import as_role
from tests.docs.pages import ROOT, code, table_under
from tests.gateway.conftest import Ground

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
OTHERS = ("TRUNCATE", "REFERENCES", "TRIGGER")
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition ORDER BY 1
"""
COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum)
           FILTER (WHERE has_column_privilege($3, attrelid, attnum, $2)), count(*)
  FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
"""


async def granted(connection: asyncpg.Connection, role: str) -> dict[str, list[str]]:
    """As the page writes it: by table, `yes`, columns in brackets, or `-`, a privilege each."""
    found = {}
    for row in await connection.fetch(TABLES):
        cells = []
        for privilege in PRIVILEGES:
            if await connection.fetchval("SELECT has_table_privilege($1, $2, $3)", role, row[0], privilege):
                cells.append("yes")
            elif privilege == "DELETE":
                cells.append("-")
            else:
                columns, _ = await connection.fetchrow(COLUMNS, row[0], privilege, role)
                cells.append(f"({', '.join(columns)})" if columns else "-")
        if cells != ["-"] * 4:
            found[row[0]] = cells
    return found


@pytest.mark.parametrize(
    ("role", "heading"),
    [("passerelle_api", "What the role may do"), ("passerelle_operators", "What the operators' role may do")],
)
async def test_the_page_tells_every_privilege(connection: asyncpg.Connection, role: str, heading: str) -> None:
    page = (ROOT / "docs" / "api-inside.md").read_text(encoding="utf-8")
    told = {code(name)[0]: [*cells] for name, *cells in table_under(page, heading)}

    assert told == await granted(connection, role)


async def test_no_table_may_be_emptied_or_given_triggers(connection: asyncpg.Connection) -> None:
    for row in await connection.fetch(TABLES):
        for privilege in OTHERS:
            assert not await connection.fetchval(
                "SELECT has_table_privilege('passerelle_api', $1, $2)"
                " OR has_table_privilege('passerelle_operators', $1, $2)",
                row[0],
                privilege,
            ), f"{privilege} on {row[0]}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts SET balance_micros = balance_micros + 1",
        "UPDATE accounts SET state = 'active'",
        "INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, message_count)"
        " SELECT account_id, 'top_up', 'funding', 'available', 1, 0 FROM accounts",
        "UPDATE messages SET state = 'delivered'",
        "DELETE FROM messages",
        "SELECT password_hash FROM esmes",
        "INSERT INTO api_keys (account_id, name, prefix, key_hash, scopes)"
        " SELECT account_id, 'x', 'x', 'x', '{}' FROM accounts",
        "CREATE TABLE mine (x integer)",
        "INSERT INTO node_commands (command, asked_by) VALUES ('drain', 'me')",
        "SELECT password_hash FROM users",
        "SELECT token_hash FROM user_sessions",
        "SELECT mac FROM audit",
    ],
)
async def test_what_it_must_not_do_is_refused(ground: Ground, statement: str) -> None:
    connection = await connect(as_role(ground.dsn))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET action = 'nothing'",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "DELETE FROM users",
        "UPDATE api_secret SET secret = secret",
        "SELECT password_hash FROM esmes",
        "SELECT key_hash FROM api_keys",
        "CREATE TABLE mine (x integer)",
    ],
)
async def test_what_operators_must_not_do_is_refused(ground: Ground, statement: str) -> None:
    connection = await connect_as_operators(as_role(ground.dsn))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_it_can_fence_no_node(ground: Ground) -> None:
    owner = await connect(ground.dsn)
    connection = await connect(as_role(ground.dsn))
    try:
        seat = await take_seat(owner, "a")
        assert await connection.execute("UPDATE nodes SET epoch = epoch + 1") == "UPDATE 0"
        assert await connection.execute("UPDATE node_streams SET epoch = epoch + 1") == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("INSERT INTO nodes (name) VALUES ('b')")
        own = await take_seat(connection, "api", "api")
        assert own.node_id != seat.node_id
        assert await ground.value("SELECT kind FROM nodes WHERE node_id = $1", own.node_id) == "api"
    finally:
        await connection.close()
        await owner.close()
