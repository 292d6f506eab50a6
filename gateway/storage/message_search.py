"""Typed functions over statements/message_search.sql: messages by what operators know of them, newest first.

A search walks back in time, window by window: each is as wide as it takes little time, and after PATIENCE_S the page
ends where it stands. So no filter, however rare what it fits, makes a statement that reads without end.
What must not enter: how it is shown (admin_api), any write.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

import asyncpg
import msgspec

from gateway.message import ID_TIME_SHIFT
from gateway.storage.named_statements import load_statements

PATIENCE_S: Final = 1.0  # chosen: what a person waits for a page
FIRST_WINDOW_MS: Final = 60_000  # chosen: at 1,000 messages a second a tenth of the patience
SHORTEST_WINDOW_MS: Final = 1_000
QUICK_S: Final = 0.05  # chosen: a window that took less is doubled
SLOW_S: Final = 0.25  # chosen: one that took more is halved

_SQL = load_statements("message_search.sql")


class Wanted(msgspec.Struct, frozen=True):
    """Which messages; None: whatever it is. below_account: of accounts in its tree alone."""

    first_id: int
    account_id: int | None = None
    below_account: int | None = None
    destination: str | None = None
    source: str | None = None
    connector_id: int | None = None
    states: tuple[str, ...] | None = None
    traffic_class: str | None = None
    error: str | None = None
    told: tuple[str, ...] | None = None


async def search_messages(
    connection: asyncpg.Connection,
    wanted: Wanted,
    before_id: int,
    limit: int,
    patience_s: float = PATIENCE_S,
    clock: Callable[[], float] = monotonic,
) -> tuple[list[asyncpg.Record], int | None]:
    """Rows below an id, newest first, and below which id the search goes on; None: it came to its end. A page may be
    short, and empty, before that.
    """
    found: list[asyncpg.Record] = []
    began, width_ms, upper = clock(), FIRST_WINDOW_MS, before_id
    while upper > wanted.first_id:
        lower = max(wanted.first_id, upper - (width_ms << ID_TIME_SHIFT))
        window_began = clock()
        found += await _window(connection, wanted, lower, upper, limit - len(found))
        if len(found) == limit:
            return found, found[-1]["message_id"]
        upper, took_s = lower, clock() - window_began
        if took_s < QUICK_S:
            width_ms *= 2
        elif took_s > SLOW_S:
            width_ms = max(SHORTEST_WINDOW_MS, width_ms // 2)
        if clock() - began > patience_s:
            break
    return found, upper if upper > wanted.first_id else None


async def _window(
    connection: asyncpg.Connection, wanted: Wanted, lower: int, upper: int, limit: int
) -> list[asyncpg.Record]:
    return list(
        await connection.fetch(
            _SQL["search_window"],
            wanted.account_id,
            wanted.below_account,
            lower,
            upper,
            limit,
            wanted.destination,
            wanted.source,
            wanted.connector_id,
            None if wanted.states is None else list(wanted.states),
            wanted.traffic_class,
            wanted.error,
            None if wanted.told is None else list(wanted.told),
        )
    )


async def find_connector_id(connection: asyncpg.Connection, name: str) -> int | None:
    """The connector of a name."""
    found: int | None = await connection.fetchval(_SQL["connector_named"], name)
    return found
