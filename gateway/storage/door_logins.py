"""Typed functions over statements/door_logins.sql: names and passwords of the doors of other products.

Their clients send both with every request, so a password proven once is remembered by its keyed hash, as of binds.
What must not enter: proving a password, what a login may send.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

LONGEST_USERNAME: Final = 64  # chosen: Kannel knows no limit, Jasmin takes 16
LONGEST_PASSWORD: Final = 64  # chosen, as the name

_SQL = load_statements("door_logins.sql")


class DoorLoginRow(msgspec.Struct, frozen=True):
    """One login. allow_cidrs empty: from anywhere. hex_may_be_utf8: of Jasmin's hex-content in coding 8."""

    login_id: int
    account_id: int
    username: str
    password_hash: str
    traffic_class: str
    default_sender: str
    hex_may_be_utf8: bool
    allow_cidrs: tuple[str, ...]
    valid: bool
    former_password_hash: str = ""  # as logins by SMPP have it: no rotation here
    former_until_ms: int = 0


class NewDoorLogin(msgspec.Struct, frozen=True):
    """A login to make. password_hash: argon2id."""

    account_id: int
    username: str
    password_hash: str
    traffic_class: str
    default_sender: str
    hex_may_be_utf8: bool
    allow_cidrs: Sequence[str]


async def find_door_login(connection: asyncpg.Connection, username: str) -> DoorLoginRow | None:
    """The login of a name; None when there is none."""
    row = await connection.fetchrow(_SQL["find_door_login"], username)
    return None if row is None else DoorLoginRow(**dict(row) | {"allow_cidrs": tuple(row["allow_cidrs"])})


async def add_door_login(connection: asyncpg.Connection, new: NewDoorLogin) -> bool:
    """Make a login; False when its name is taken."""
    return await connection.fetchval(_SQL["add_door_login"], *msgspec.structs.astuple(new)) is not None


async def list_door_logins(connection: asyncpg.Connection, account_id: int | None) -> list[asyncpg.Record]:
    """The logins of an account, or of all (None)."""
    return await connection.fetch(_SQL["list_door_logins"], account_id)


async def revoke_door_login(connection: asyncpg.Connection, username: str) -> bool:
    """End a login; False when there is none in force."""
    return await connection.fetchval(_SQL["revoke_door_login"], username) is not None
