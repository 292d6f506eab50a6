"""Sessions as rows: how many a user has at once, how long one that ended is remembered.

What must not enter: what proves a user (tests/admin_api/test_signing_in.py).
"""

from __future__ import annotations

import asyncpg

from gateway.storage import users

WHERE_FROM = ("192.0.2.1", "a browser")


async def test_a_user_has_so_many_sessions_and_the_oldest_ends(connection: asyncpg.Connection) -> None:
    new = users.NewUser(name="ann", role="operator", password_hash="none")
    user_id = await users.add_user(connection, new)
    assert user_id is not None
    assert await users.add_user(connection, new) is None
    begun = [
        (await users.begin_session(connection, user_id, b"%d" % number, WHERE_FROM, 600, 600))[0]
        for number in range(users.SESSIONS_OF_USER + 2)
    ]
    living = [row["session_id"] for row in await users.living_sessions(connection, user_id)]
    assert living == begun[:1:-1]
    assert await users.end_sessions(connection, user_id, but=begun[-1]) == users.SESSIONS_OF_USER - 1


async def test_what_ended_long_ago_is_forgotten(connection: asyncpg.Connection) -> None:
    user_id = await users.add_user(connection, users.NewUser(name="ann", role="operator", password_hash="none"))
    assert user_id is not None
    for number in range(4):
        await users.begin_session(connection, user_id, b"%d" % number, WHERE_FROM, 600, 600)
    long_ago = f"now() - interval '{users.KEPT_DAYS + 1} days'"
    await connection.execute(f"UPDATE user_sessions SET ended_at = {long_ago} WHERE token_hash = '0'")
    await connection.execute(f"UPDATE user_sessions SET expires_at = {long_ago} WHERE token_hash = '1'")
    await connection.execute("UPDATE user_sessions SET ended_at = now() WHERE token_hash = '2'")
    await users.bury_sessions(connection)
    kept = await connection.fetch("SELECT token_hash FROM user_sessions ORDER BY session_id")
    assert [row["token_hash"] for row in kept] == [b"2", b"3"]
