"""Typed functions over statements/console_events.sql: what consoles are told as it happens.

What belongs here: one function a statement.
What must not enter: listeners (admin_api.live_feeds), words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from gateway.lease import LEASE_S
from gateway.storage.event_streams import Place
from gateway.storage.named_statements import load_statements

_SQL = load_statements("console_events.sql")


class ConsoleEvent(msgspec.Struct, frozen=True):
    """An event at its place. data: JSON."""

    place: Place
    event: str
    at_ms: int
    data: str


async def note_changes(connection: asyncpg.Connection, now_ms: int, with_queues: bool) -> None:
    """Note what changed since it was noted last; nothing where another process does it just now."""
    async with connection.transaction():
        if await connection.fetchval(_SQL["lock_console"]):
            await connection.execute(_SQL["lock_console_state"])
            await connection.execute(_SQL["note_changes"], LEASE_S, now_ms, with_queues)


async def note_event(connection: asyncpg.Connection, event: str, now_ms: int, data: dict[str, Any]) -> None:
    """One event, in the caller's transaction."""
    await connection.execute(_SQL["note_event"], event, now_ms, msgspec.json.encode(data).decode())


async def follow_console(connection: asyncpg.Connection, place: Place, limit: int) -> list[ConsoleEvent]:
    """The next events after a place, in order; complete up to the last."""
    found = await connection.fetch(_SQL["follow_console"], str(place.xact), place.event_id, limit)
    return [ConsoleEvent(Place(int(row[0]), row[1]), *row[2:]) for row in found]


async def console_state(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """How all stood: events and their data (JSON)."""
    return [(row["event"], row["data"]) for row in await connection.fetch(_SQL["console_state"])]


async def forget_console(connection: asyncpg.Connection, before_ms: int) -> None:
    """Forget events of before a time."""
    await connection.execute(_SQL["forget_console"], before_ms)


async def sessions_in_force(connection: asyncpg.Connection, ids: Iterable[int]) -> dict[int, str]:
    """Those of these sessions that are, with the role of each."""
    found = await connection.fetch(_SQL["sessions_in_force"], list(ids))
    return {row["session_id"]: row["role"] for row in found}
