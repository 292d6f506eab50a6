"""Typed functions over statements/api_keys.sql: API keys, found by their hash.

The form of a key and its hash stand here, since the command line makes keys and the HTTP API proves them.
A key has 256 bits of chance, so a fast keyed hash is right: there is nothing to guess slowly.
What must not enter: what a key may do (admin_api), HTTP.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

KEY_MARK: Final = "pas"  # chosen: what secret scanners may look for
# What a key may be allowed: the one list. Routes name one of these each.
SCOPES: Final = (
    "messages:send",
    "messages:read",
    "money:read",
    "senders",
    "webhooks",
    "inbound:read",
    "lookups",
    "notices",
    "otp",
    "opt-outs",
    "credit-orders",
)
PREFIX_OCTETS: Final = 5  # chosen: eight characters, which people see
KEY_OCTETS: Final = 32

_SQL = load_statements("api_keys.sql")


class ApiKeyRow(msgspec.Struct, frozen=True):
    """One login by HTTP. requests_per_s 0: no limit. allow_cidrs empty: from anywhere. language: of its account."""

    key_id: int
    account_id: int
    name: str
    prefix: str
    scopes: frozenset[str]
    allow_cidrs: tuple[str, ...]
    requests_per_s: int
    traffic_class: str
    language: str
    valid: bool


class NewApiKey(msgspec.Struct, frozen=True):
    """A key to give out. expires_at None: never."""

    account_id: int
    name: str
    scopes: Sequence[str]
    allow_cidrs: Sequence[str]
    requests_per_s: int
    traffic_class: str
    expires_at: datetime.datetime | None


def make_key() -> tuple[str, str]:
    """A new key and its prefix: pas_PREFIX_SECRET."""
    prefix = secrets.token_hex(PREFIX_OCTETS)
    return f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(KEY_OCTETS)}", prefix


def hash_key(secret: bytes, key: str) -> bytes:
    """What is stored of a key."""
    keyed = hashlib.blake2b(b"api key", key=secret, digest_size=32).digest()
    return hashlib.blake2b(key.encode("utf-8", "replace"), key=keyed, digest_size=32).digest()


async def load_secret(connection: asyncpg.Connection) -> bytes:
    """The secret of all API processes of this database."""
    secret: bytes = await connection.fetchval(_SQL["api_secret"])
    return secret


async def find_api_key(connection: asyncpg.Connection, key_hash: bytes) -> ApiKeyRow | None:
    """The key of a hash; None when there is none."""
    row = await connection.fetchrow(_SQL["find_api_key"], key_hash)
    if row is None:
        return None
    return ApiKeyRow(**dict(row) | {"scopes": frozenset(row["scopes"]), "allow_cidrs": tuple(row["allow_cidrs"])})


async def add_api_key(connection: asyncpg.Connection, new: NewApiKey) -> str:
    """Store a new key; the word to be shown once."""
    key, prefix = make_key()
    key_hash = hash_key(await load_secret(connection), key)
    account_id, name, *more = msgspec.structs.astuple(new)
    await connection.fetchval(_SQL["add_api_key"], account_id, name, prefix, key_hash, *more)
    return key


async def list_api_keys(connection: asyncpg.Connection, account_id: int | None) -> list[asyncpg.Record]:
    """The keys of an account, or of all (None)."""
    return await connection.fetch(_SQL["list_api_keys"], account_id)


async def rotate_api_key(connection: asyncpg.Connection, prefix: str, overlap_s: float) -> str | None:
    """A new key in place of another, which lives on for a while; the word to be shown once. None: no such key."""
    key, new_prefix = make_key()
    key_hash = hash_key(await load_secret(connection), key)
    async with connection.transaction():
        if await connection.fetchval(_SQL["copy_api_key"], prefix, new_prefix, key_hash) is None:
            return None
        await connection.fetchval(_SQL["end_api_key"], prefix, overlap_s)
    return key


async def revoke_api_key(connection: asyncpg.Connection, prefix: str) -> bool:
    """End a key; False when there is none, or it had ended so before."""
    return await connection.fetchval(_SQL["revoke_api_key"], prefix) is not None
