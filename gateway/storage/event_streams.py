"""Typed functions over statements/event_streams.sql: the feeds of many accounts at once, for those who listen.

Source: decision 0017: an event's place is (transaction, number), and a reader stays below the oldest open transaction.
What must not enter: listeners (admin_api.live_feeds), how an event is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

KEPT_S: Final = 72 * 3600.0  # chosen: so long after its last listener an account's accepted and submitted are kept

_SQL = load_statements("event_streams.sql")


class Place(NamedTuple):
    """Where a reader stands: behind the event with this number of this transaction."""

    xact: int
    event_id: int


class FedEvent(msgspec.Struct, frozen=True):
    """An event at its place in its account's feed."""

    account_id: int
    place: Place
    message_id: int
    event: str
    at_ms: int


class KeyInForce(msgspec.Struct, frozen=True):
    """A key that is neither revoked nor expired. state: of its account."""

    key_id: int
    allow_cidrs: list[str]
    scopes: list[str]
    state: str


async def feed_edge(connection: asyncpg.Connection) -> Place:
    """Where a feed goes on from now."""
    return Place(int(await connection.fetchval(_SQL["feed_edge"])), 0)


async def follow_feeds(connection: asyncpg.Connection, places: Mapping[int, Place], limit: int) -> list[FedEvent]:
    """The next events of each account after its place, at most so many of each, in order; complete up to the last."""
    columns = list(places), [str(place.xact) for place in places.values()], [p.event_id for p in places.values()]
    found = await connection.fetch(_SQL["follow_feeds"], *columns, limit)
    return [FedEvent(row[0], Place(int(row[1]), row[2]), *row[3:]) for row in found]


async def keep_streamed(connection: asyncpg.Connection, account_ids: Iterable[int]) -> None:
    """Keep more of these accounts' events from now on, for KEPT_S."""
    await connection.execute(_SQL["keep_streamed"], list(account_ids), KEPT_S)


async def keys_in_force(connection: asyncpg.Connection, key_ids: Iterable[int]) -> dict[int, KeyInForce]:
    """Those of these keys that are, by id."""
    return {row["key_id"]: KeyInForce(*row) for row in await connection.fetch(_SQL["keys_in_force"], list(key_ids))}
