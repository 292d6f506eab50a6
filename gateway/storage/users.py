"""Typed functions over statements/users.sql: operators, what proves them, their sessions.

Session tokens and recovery codes have chance enough for a fast keyed hash; passwords are argon2id (gateway.ingress).
What must not enter: what a role may do (admin_api/roles.py), HTTP.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

SESSION_MARK: Final = "pss"  # chosen: what secret scanners may look for, as KEY_MARK
TOKEN_OCTETS: Final = 32
ROLES: Final = ("superadmin", "operator", "finance", "reseller", "support", "read_only")  # schema: users.role
SESSIONS_OF_USER: Final = 20  # chosen: at once; the oldest ends
HIGHEST_USER_ID: Final = (1 << 31) - 1  # PostgreSQL, integer
KEPT_DAYS: Final = 90  # chosen: how long an ended session is remembered

_SQL = load_statements("users.sql")


class LoginRow(msgspec.Struct, frozen=True):
    """What a login is compared with; the two `former` make it a gateway.ingress.credentials.StoredWords."""

    user_id: int
    name: str
    role: str
    account_id: int | None
    language: str
    state: str
    password_hash: str
    former_password_hash: str
    former_until_ms: int
    must_change_password: bool
    totp_secret: str
    totp_last_step: int


class SessionRow(msgspec.Struct, frozen=True):
    """A living session and its user."""

    session_id: int
    user_id: int
    name: str
    role: str
    account_id: int | None
    language: str
    must_change_password: bool
    has_totp: bool
    expires_at: datetime.datetime
    is_stale: bool


class UserRow(msgspec.Struct, frozen=True):
    """A user as he is shown."""

    user_id: int
    name: str
    role: str
    account_id: int | None
    email: str
    phone: str
    language: str
    state: str
    must_change_password: bool
    has_totp: bool
    created_at: datetime.datetime


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to be made; he changes the password at his first login."""

    name: str
    role: str
    account_id: int | None = None
    email: str = ""
    phone: str = ""
    language: str = "fr"
    password_hash: str


def make_token() -> str:
    """A new session token: pss_SECRET."""
    return f"{SESSION_MARK}_{secrets.token_urlsafe(TOKEN_OCTETS)}"


def keyed_hash(secret: bytes, use: bytes, word: str) -> bytes:
    """What is stored of a token or a code, or shown in its place (a CSRF token). use: what keeps the kinds apart."""
    keyed = hashlib.blake2b(use, key=secret, digest_size=32).digest()
    return hashlib.blake2b(word.encode("utf-8", "replace"), key=keyed, digest_size=32).digest()


def hash_token(secret: bytes, token: str) -> bytes:
    """What is stored of a session's token."""
    return keyed_hash(secret, b"session", token)


async def user_of_login(connection: asyncpg.Connection, name: str) -> LoginRow | None:
    """The user of a name; None: nobody."""
    row = await connection.fetchrow(_SQL["user_of_login"], name)
    return None if row is None else LoginRow(**dict(row))


# ---------------------------------------------------------------- sessions


async def find_session(connection: asyncpg.Connection, token_hash: bytes, stale_s: float) -> SessionRow | None:
    """The living session of a token; is_stale: not touched for so long."""
    row = await connection.fetchrow(_SQL["find_session"], token_hash, stale_s)
    return None if row is None else SessionRow(**dict(row))


async def touch_session(connection: asyncpg.Connection, session_id: int) -> None:
    """Somebody was there just now."""
    await connection.execute(_SQL["touch_session"], session_id)


async def begin_session(
    connection: asyncpg.Connection,
    user_id: int,
    token_hash: bytes,
    where_from: tuple[str, str],
    longest_s: int,
    idle_s: int,
) -> tuple[int, datetime.datetime]:
    """A session from (address, user agent); its id and its end."""
    row = await connection.fetchrow(_SQL["begin_session"], user_id, token_hash, *where_from, longest_s, idle_s)
    assert row is not None
    await connection.execute(_SQL["end_oldest_sessions"], user_id, SESSIONS_OF_USER)
    return row["session_id"], row["expires_at"]


async def living_sessions(connection: asyncpg.Connection, user_id: int) -> list[asyncpg.Record]:
    """session_id, address, agent, began_at, seen_at, expires_at, newest first."""
    return list(await connection.fetch(_SQL["living_sessions"], user_id))


async def end_session(connection: asyncpg.Connection, user_id: int, session_id: int) -> bool:
    """End one session of a user; False when he has none of this id."""
    return await connection.fetchval(_SQL["end_session"], user_id, session_id) is not None


async def end_sessions(connection: asyncpg.Connection, user_id: int, but: int = 0) -> int:
    """End every session of a user but one; how many ended."""
    return len(await connection.fetch(_SQL["end_sessions"], user_id, but))


async def bury_sessions(connection: asyncpg.Connection) -> None:
    """Forget what ended long ago."""
    await connection.execute(_SQL["bury_sessions"], KEPT_DAYS)


# ---------------------------------------------------------------- what proves a user


async def set_password(connection: asyncpg.Connection, user_id: int, password_hash: str, must_change: bool) -> None:
    """Put a new password in force."""
    await connection.execute(_SQL["set_password"], user_id, password_hash, must_change)


async def use_totp_step(connection: asyncpg.Connection, user_id: int, step: int) -> bool:
    """Take the time step of a code; False when it, or a later one, served before."""
    return await connection.fetchval(_SQL["use_totp_step"], user_id, step) is not None


async def use_recovery_code(connection: asyncpg.Connection, user_id: int, code_hash: bytes) -> bool:
    """Take a recovery code; False when it is none."""
    return await connection.fetchval(_SQL["use_recovery_code"], user_id, code_hash) is not None


async def propose_totp(connection: asyncpg.Connection, user_id: int, totp_secret: str) -> None:
    """Remember a secret that was shown."""
    await connection.execute(_SQL["propose_totp"], user_id, totp_secret)


async def pending_totp(connection: asyncpg.Connection, user_id: int) -> str:
    """What waits for its first code; "" for nothing."""
    found: str | None = await connection.fetchval(_SQL["pending_totp"], user_id)
    return found or ""


async def confirm_totp(
    connection: asyncpg.Connection, user_id: int, totp_secret: str, step: int, code_hashes: Sequence[bytes]
) -> bool:
    """Put a shown secret in force with new recovery codes; False when another was shown since."""
    if await connection.fetchval(_SQL["confirm_totp"], user_id, totp_secret, step) is None:
        return False
    await connection.execute(_SQL["forget_recovery_codes"], user_id)
    await connection.execute(_SQL["add_recovery_codes"], user_id, list(code_hashes))
    return True


async def remove_totp(connection: asyncpg.Connection, user_id: int) -> bool:
    """Take the second factor away, recovery codes too; False when there was none."""
    await connection.execute(_SQL["forget_recovery_codes"], user_id)
    return await connection.fetchval(_SQL["remove_totp"], user_id) is not None


async def count_recovery_codes(connection: asyncpg.Connection, user_id: int) -> int:
    """How many codes are left."""
    return int(await connection.fetchval(_SQL["count_recovery_codes"], user_id))


# ---------------------------------------------------------------- users


async def add_user(connection: asyncpg.Connection, new: NewUser) -> int | None:
    """Make a user; None when the name is taken."""
    fields = msgspec.structs.astuple(new)
    found: int | None = await connection.fetchval(_SQL["add_user"], *fields)
    return found


async def list_users(connection: asyncpg.Connection, after_name: str, limit: int) -> list[UserRow]:
    """Users by name."""
    return [UserRow(**dict(row)) for row in await connection.fetch(_SQL["list_users"], after_name, limit)]


async def load_user(connection: asyncpg.Connection, user_id: int) -> UserRow | None:
    """One user, locked until the transaction ends."""
    row = await connection.fetchrow(_SQL["load_user"], user_id)
    return None if row is None else UserRow(**dict(row))


async def user_id_of_name(connection: asyncpg.Connection, name: str) -> int | None:
    """The id of a user's name; None: nobody."""
    found: int | None = await connection.fetchval(_SQL["user_id_of_name"], name)
    return found


async def change_user(connection: asyncpg.Connection, user: UserRow) -> None:
    """Put a user's role, account, contacts, language and state as they are here."""
    fields = (user.role, user.account_id, user.email, user.phone, user.language, user.state)
    await connection.execute(_SQL["change_user"], user.user_id, *fields)


async def active_superadmins(connection: asyncpg.Connection) -> list[int]:
    """The ids of those who may do everything, locked: two changes at once cannot take the last two away."""
    return [row["user_id"] for row in await connection.fetch(_SQL["lock_superadmins"])]


def changed_user(user: UserRow, given: Mapping[str, Any]) -> UserRow:
    """The user as he is to be; what is not given stays, and only a reseller keeps his account."""
    changed = msgspec.structs.replace(user, **given)
    if changed.role != "reseller" and "account_id" not in given:
        changed = msgspec.structs.replace(changed, account_id=None)
    return changed


def keeps_a_superadmin(superadmins: Sequence[int], changed: UserRow) -> bool:
    """Whether a change leaves somebody who may do everything. superadmins: of active_superadmins, before it."""
    stays = changed.role == "superadmin" and changed.state == "active"
    return stays or changed.user_id not in superadmins or len(superadmins) > 1


def audited_user(user: UserRow) -> dict[str, Any]:
    """A user as the audit log tells him."""
    names = ("name", "role", "account_id", "email", "phone", "language", "state")
    return {name: getattr(user, name) for name in names}
