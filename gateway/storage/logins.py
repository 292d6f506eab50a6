"""Limits and secrets of SMPP logins, rates of accounts: what operators change, one typed function a statement.

What belongs here: the writes behind `passerelle esme set` and its neighbours, and the day's count behind a rate.
What must not enter: whether a limit is sensible (the command line and constraints), hashing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

HIGHEST_ID: Final = 2**31 - 1

_SQL = load_statements("logins.sql")


class EsmeChange(msgspec.Struct, frozen=True, kw_only=True):
    """New limits of a login; None leaves one as it is."""

    max_binds: int | None = None
    max_transmitters: int | None = None
    max_receivers: int | None = None
    max_transceivers: int | None = None
    window_size: int | None = None
    tps: int | None = None
    allow_cidrs: Sequence[str] | None = None
    traffic_class: str | None = None
    v34_bind_errors: bool | None = None
    receipts_first: str | None = None
    receipt_for_each_part: bool | None = None


async def set_esme(connection: asyncpg.Connection, system_id: str, change: EsmeChange) -> bool:
    """Change limits of a login; False when there is none of this name."""
    return await connection.fetchval(_SQL["set_esme"], system_id, *msgspec.structs.astuple(change)) is not None


async def find_logins(
    connection: asyncpg.Connection,
    *,
    account_id: int | None = None,
    state: str | None = None,
    esme_id: int | None = None,
    before_id: int = HIGHEST_ID,
    limit: int = 1,
    below_account: int | None = None,
) -> list[asyncpg.Record]:
    """Logins without their secrets, newest first. below_account: of accounts in its tree alone."""
    found = await connection.fetch(_SQL["find_logins"], account_id, state, esme_id, before_id, limit, below_account)
    return list(found)


async def lock_login(connection: asyncpg.Connection, esme_id: int) -> None:
    """Keep others from changing a login before this transaction ends."""
    await connection.execute(_SQL["lock_login"], esme_id)


async def may_pay(connection: asyncpg.Connection, account_id: int, below_account: int | None) -> bool:
    """Whether a login may be opened for an account: it is not closed, and in the tree."""
    return await connection.fetchval(_SQL["find_payer"], account_id, below_account) is not None


async def login_history(connection: asyncpg.Connection, system_id: str, limit: int) -> list[asyncpg.Record]:
    """changed_at, field, former, became of what was changed of a login, newest first."""
    return list(await connection.fetch(_SQL["login_history"], system_id, limit))


async def set_esme_state(connection: asyncpg.Connection, system_id: str, state: str) -> bool:
    """Put a login into state active or suspended; False when there is none of this name."""
    return await connection.fetchval(_SQL["set_esme_state"], system_id, state) is not None


async def rotate_password(
    connection: asyncpg.Connection, system_id: str, password_hash: str, former_until_ms: int
) -> bool:
    """Put a new password in force; the present one binds until former_until_ms (0: no longer). False: no such login."""
    found = await connection.fetchval(_SQL["rotate_password"], system_id, password_hash, former_until_ms)
    return found is not None


async def confirm_password(connection: asyncpg.Connection, system_id: str) -> bool:
    """End the former password now; False when there is none."""
    return await connection.fetchval(_SQL["confirm_password"], system_id) is not None


async def set_account_rates(
    connection: asyncpg.Connection, account_id: int, tps: int | None, per_minute: int | None, per_day: int | None
) -> tuple[int, int, int]:
    """Change the rates of an account, in parts; None leaves one, 0 lifts it. Returns all three."""
    row = await connection.fetchrow(_SQL["set_account_rates"], account_id, tps, per_minute, per_day)
    assert row is not None
    return row["tps"], row["per_minute"], row["per_day"]


async def parts_since(connection: asyncpg.Connection, account_ids: Sequence[int], message_id: int) -> dict[int, int]:
    """Parts accepted for each account since the first id of a day; who had none is left out."""
    rows = await connection.fetch(_SQL["parts_since"], account_ids, message_id)
    return {row["account_id"]: row["parts"] for row in rows}
