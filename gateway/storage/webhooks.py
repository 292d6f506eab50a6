"""Typed functions over statements/webhooks.sql: endpoints, events of an account, deliveries and their tries.

What belongs here: one function a statement, rows in, values out.
What must not enter: when something is tried again, how it is written (gateway.webhooks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

WEBHOOK_SQL = load_statements("webhooks.sql")
WEBHOOKS_CHANNEL: Final = "passerelle_webhooks"  # schema: trigger deliveries_owed
FIRST_PLACE: Final = ("0", 0)  # before every event of an account
HIGHEST_ID: Final = (1 << 63) - 1
REPLAY_PAGE: Final = 2_000  # chosen: deliveries that one transaction owes again

Format = Literal["native", "kannel", "jasmin"]
Method = Literal["GET", "POST"]
# account_id, message_id, event, at_ms, whether account or endpoints want it, and the message's own URL, format, method
HappenedRow = tuple[int, int, str, int, bool, str, str, str]


class EventAccountRow(msgspec.Struct, frozen=True):
    """Which events of an account are told, or kept for its readers."""

    account_id: int
    events: list[str]


class Endpoint(msgspec.Struct, frozen=True):
    """Where an account is told. state: active, disabled, removed; secrets: those that sign now, newest first."""

    endpoint_id: int
    account_id: int
    url: str
    events: list[str]
    format: Format
    method: Method
    state: str
    why: str
    secrets: list[str]


class Delivery(msgspec.Struct, frozen=True):
    """A claimed delivery. endpoint_id None: to the URL that the message itself named. tries: before this claim."""

    delivery_id: int
    account_id: int
    endpoint_id: int | None
    lane: str
    message_id: int
    event: str
    at_ms: int
    url: str
    format: str
    method: str
    tries: int
    give_up_at_ms: int
    claim: int


class Outcome(msgspec.Struct, frozen=True):
    """What becomes of a claimed delivery. is_try false: no request was made, and none is logged."""

    delivery_id: int
    claim: int
    state: Literal["due", "done", "dead"]
    tries: int
    due_at_ms: int
    ended_at_ms: int
    is_try: bool
    at_ms: int
    took_ms: int
    status: int | None
    fault: str
    answer: str


class EventRow(msgspec.Struct, frozen=True):
    """An event at its place (xact, event_id) in the order of an account's events."""

    xact: str
    event_id: int
    message_id: int
    event: str
    at_ms: int


async def load_told_events(connection: asyncpg.Connection) -> list[EventAccountRow]:
    """Which accounts are told of which events."""
    return [EventAccountRow(*row) for row in await connection.fetch(WEBHOOK_SQL["load_told_events"])]


async def owe_events(connection: asyncpg.Connection, rows: Iterable[HappenedRow]) -> None:
    """Owe what happened, in the caller's transaction."""
    columns = list(map(list, zip(*rows, strict=True)))
    if columns:
        await connection.execute(WEBHOOK_SQL["owe_events"], *columns)


async def read_events(
    connection: asyncpg.Connection, account_id: int, after: tuple[str, int], events: Sequence[str], limit: int
) -> list[EventRow]:
    """The next events of an account after a place; complete: nothing can come before the last of them any more."""
    found = await connection.fetch(WEBHOOK_SQL["read_events"], account_id, *after, list(events), limit)
    return [EventRow(*row) for row in found]


# ---------------------------------------------------------------- what couriers do


async def claim_deliveries(
    connection: asyncpg.Connection, now_ms: int, rooms: Mapping[str, int], room: int, limit: int, until_ms: int
) -> list[Delivery]:
    """Take what is due until a time. rooms: by lane, how many at most; room: of any other lane."""
    found = await connection.fetch(
        WEBHOOK_SQL["claim_deliveries"], now_ms, list(rooms), list(rooms.values()), room, limit, until_ms
    )
    return [Delivery(*row) for row in found]


async def next_due_ms(connection: asyncpg.Connection) -> int | None:
    """When the next delivery is due; None: nothing is owed."""
    found: int | None = await connection.fetchval(WEBHOOK_SQL["next_due"])
    return found


async def close_deliveries(connection: asyncpg.Connection, outcomes: Iterable[Outcome]) -> None:
    """Write what became of claimed deliveries."""
    columns = list(map(list, zip(*map(msgspec.structs.astuple, outcomes), strict=True)))
    if columns:
        await connection.execute(WEBHOOK_SQL["close_deliveries"], *columns)


async def load_endpoints(connection: asyncpg.Connection, ids: Iterable[int], now_ms: int) -> dict[int, Endpoint]:
    """Endpoints by id, whatever their state."""
    found = await connection.fetch(WEBHOOK_SQL["load_endpoints"], list(ids), now_ms)
    return {row["endpoint_id"]: Endpoint(*row) for row in found}


async def endpoints_of(connection: asyncpg.Connection, account_id: int, now_ms: int) -> list[Endpoint]:
    """An account's endpoints, removed ones left out."""
    ids = [row["endpoint_id"] for row in await connection.fetch(WEBHOOK_SQL["endpoints_of_account"], account_id)]
    found = await load_endpoints(connection, ids, now_ms)
    return [found[endpoint_id] for endpoint_id in ids if endpoint_id in found]


async def account_names(connection: asyncpg.Connection, ids: Iterable[int]) -> dict[int, str]:
    """Names of accounts by id."""
    found = await connection.fetch(WEBHOOK_SQL["account_names"], list(ids))
    return {row["account_id"]: row["name"] for row in found}


async def disable_endpoint(connection: asyncpg.Connection, endpoint_id: int, why: str) -> bool:
    """Tell an endpoint nothing more; False when it was not active."""
    return await connection.fetchval(WEBHOOK_SQL["disable_endpoint"], endpoint_id, why) is not None


async def disable_silent_endpoint(connection: asyncpg.Connection, endpoint_id: int, why: str, since_ms: int) -> bool:
    """The same, where it took nothing since a time; False when it did, or was not active."""
    found = await connection.fetchval(WEBHOOK_SQL["disable_silent_endpoint"], endpoint_id, why, since_ms)
    return found is not None


async def forget_old(connection: asyncpg.Connection, before_ms: int, limit: int) -> int:
    """Forget events and ended deliveries of before a time, so many of each at most; of which more, how many."""
    events = int(await connection.fetchval(WEBHOOK_SQL["forget_events"], before_ms, limit))
    return max(events, int(await connection.fetchval(WEBHOOK_SQL["forget_deliveries"], before_ms, limit)))


# ---------------------------------------------------------------- what people do


async def add_endpoint(
    connection: asyncpg.Connection,
    account_id: int,
    url: str,
    events: Sequence[str],
    form: tuple[Format, Method],
    secret: str,
    now_ms: int,
) -> int:
    """Open an endpoint with its first secret; its id."""
    async with connection.transaction():
        found: int = await connection.fetchval(WEBHOOK_SQL["add_endpoint"], account_id, url, list(events), *form)
        await connection.execute(WEBHOOK_SQL["add_secret"], found, secret, now_ms)
    return found


async def change_endpoint(
    connection: asyncpg.Connection, endpoint_id: int, url: str | None, events: Sequence[str] | None
) -> bool:
    """Give an endpoint another URL or other events; False when it was removed."""
    given = None if events is None else list(events)
    return await connection.fetchval(WEBHOOK_SQL["change_endpoint"], endpoint_id, url, given) is not None


async def remove_endpoint(connection: asyncpg.Connection, endpoint_id: int) -> bool:
    """End an endpoint; False when it was ended before."""
    return await connection.fetchval(WEBHOOK_SQL["remove_endpoint"], endpoint_id) is not None


async def enable_endpoint(connection: asyncpg.Connection, endpoint_id: int) -> bool:
    """Tell a disabled endpoint again; False when it is not disabled."""
    return await connection.fetchval(WEBHOOK_SQL["enable_endpoint"], endpoint_id) is not None


async def rotate_secret(
    connection: asyncpg.Connection, endpoint_id: int, secret: str, now_ms: int, until_ms: int
) -> None:
    """Sign with a new secret from now on; the former ones sign beside it until a time."""
    async with connection.transaction():
        await connection.execute(WEBHOOK_SQL["expire_secrets"], endpoint_id, until_ms)
        await connection.execute(WEBHOOK_SQL["add_secret"], endpoint_id, secret, now_ms)


async def list_endpoints(connection: asyncpg.Connection, account_id: int | None) -> list[asyncpg.Record]:
    """Endpoints that were not removed, with the name of their account and what is due and dead."""
    return await connection.fetch(WEBHOOK_SQL["list_endpoints"], account_id)


async def owe_test(connection: asyncpg.Connection, endpoint_id: int, now_ms: int) -> int | None:
    """Owe an endpoint a test event; the delivery's id, None when the endpoint is not active."""
    found: int | None = await connection.fetchval(WEBHOOK_SQL["owe_test"], endpoint_id, now_ms)
    return found


async def list_deliveries(
    connection: asyncpg.Connection,
    account_id: int | None,
    endpoint_id: int | None,
    state: str | None,
    before_id: int = HIGHEST_ID,
    limit: int = 100,
) -> list[asyncpg.Record]:
    """The newest deliveries, with the last try of each."""
    return await connection.fetch(WEBHOOK_SQL["list_deliveries"], account_id, endpoint_id, state, before_id, limit)


async def list_tries(connection: asyncpg.Connection, delivery_id: int) -> list[asyncpg.Record]:
    """at_ms, took_ms, status, fault, answer of each try."""
    return await connection.fetch(WEBHOOK_SQL["list_tries"], delivery_id)


async def replay_deliveries(
    connection: asyncpg.Connection, endpoint_id: int, span_ms: tuple[int, int], states: Sequence[str], now_ms: int
) -> int:
    """Owe again what an endpoint was told, or did not take, of events in a span; how many. A page a transaction."""
    count, after_id = 0, 0
    while True:
        row: Any = await connection.fetchrow(
            WEBHOOK_SQL["replay_deliveries"], endpoint_id, *span_ms, list(states), after_id, REPLAY_PAGE, now_ms
        )
        found: int = row["replayed"]
        count += found
        if found < REPLAY_PAGE:
            return count
        after_id = row["last_id"]
