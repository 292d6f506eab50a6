"""Typed functions over statements/alarms.sql: what is seen to be wrong, alarms raised and cleared, who knows of them.

What belongs here: one function a statement.
What must not enter: for how long something must be wrong (admin_api.alarm_rules).
"""

from __future__ import annotations

import asyncpg

from gateway.lease import LEASE_S
from gateway.storage.named_statements import load_statements

HIGHEST_ID = (1 << 63) - 1
Subject = tuple[str, str]  # kind, subject

_SQL = load_statements("alarms.sql")


async def may_watch(connection: asyncpg.Connection) -> bool:
    """Whether this transaction is the one that watches."""
    return bool(await connection.fetchval(_SQL["lock_alarms"]))


async def observe(
    connection: asyncpg.Connection, oldest_ms: int, hours_ms: tuple[int, int], messages: int
) -> dict[Subject, str]:
    """What is wrong now, with a detail. oldest_ms: how long a message may wait; the others: see the statement."""
    found = await connection.fetch(_SQL["observe"], LEASE_S, oldest_ms, *hours_ms, messages)
    return {(row["kind"], row["subject"]): row["detail"] for row in found}


async def standing_alarms(connection: asyncpg.Connection) -> set[Subject]:
    """Those that were raised and not cleared."""
    return {(row["kind"], row["subject"]) for row in await connection.fetch(_SQL["standing_alarms"])}


async def raise_alarm(
    connection: asyncpg.Connection, kind: str, subject: str, severity: str, detail: str, now_ms: int
) -> int | None:
    """A new alarm's number; None: it stands already."""
    found: int | None = await connection.fetchval(_SQL["raise_alarm"], kind, subject, severity, detail, now_ms)
    return found


async def clear_alarm(connection: asyncpg.Connection, kind: str, subject: str, now_ms: int) -> None:
    """It is over."""
    await connection.execute(_SQL["clear_alarm"], kind, subject, now_ms)


async def list_alarms(
    connection: asyncpg.Connection, before_id: int, stands: bool | None, kind: str | None, limit: int
) -> list[asyncpg.Record]:
    """Alarms below a number, newest first."""
    return list(await connection.fetch(_SQL["list_alarms"], before_id, stands, kind, limit))


async def acknowledge_alarm(
    connection: asyncpg.Connection, alarm_id: int, by: str, now_ms: int, note: str
) -> asyncpg.Record | None:
    """Say who knows of it; its row with former_by and former_note. None: there is none."""
    return await connection.fetchrow(_SQL["acknowledge_alarm"], alarm_id, by, now_ms, note)
