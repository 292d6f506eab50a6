"""Statistics by the hour: counted from the rows of messages, and counted anew as long as any of an hour is open.

An hour is counted whole and replaces what was counted before, so that counting twice changes nothing, and a late
receipt corrects the past. Once it has ended and none of its messages is open it is settled: finals never change.
What must not enter: which country a number is of (gateway.lookups.destinations), how it is shown.
"""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

HOUR_MS: Final = 3_600_000
GRACE_MS: Final = (
    600_000  # chosen: clocks differ, and a batch may wait: so long after its end an hour may still gain messages
)
HOURS_A_TURN: Final = 24  # chosen: what one turn counts
MOST_ROWS: Final = 10_000  # chosen: of one answer
# chosen: bounds of durations in milliseconds; a count is of those at or above its lower bound and below the next
BOUNDS_MS: Final = (
    *(100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000),
    *(900_000, 3_600_000, 14_400_000, 86_400_000),
)
OPEN: Final = frozenset(("queued", "submitted", "in_doubt"))
STATES: Final = ("delivered", "undeliverable", "rejected", "expired", "deleted", "unknown")

Destination = Callable[[str, int], tuple[str, str]]  # the first digits of a number, its length: country, operator
Key = tuple[int, int, str, str, str]  # account_id, connector_id, class, country, operator

_SQL = load_statements("statistics.sql")


class Tally(msgspec.Struct):
    """Counts of one key."""

    accepted: int = 0
    submitted: int = 0
    delivered: int = 0
    undeliverable: int = 0
    rejected: int = 0
    expired: int = 0
    deleted: int = 0
    unknown: int = 0
    parts: int = 0
    charged_micros: int = 0
    held_micros: int = 0
    submit_counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    deliver_counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, row: Any) -> None:
        """A group of messages alike."""
        count: int = row["messages"]
        self.accepted += count
        self.submitted += count if row["is_submitted"] else 0
        self.parts += row["parts"]
        if row["state"] in STATES:
            setattr(self, row["state"], getattr(self, row["state"]) + count)
        if row["hold"] == "captured":
            self.charged_micros += row["price_micros"]
        elif row["hold"] == "held":
            self.held_micros += row["price_micros"]
        if row["submit_width"] is not None:
            self.submit_counts[row["submit_width"]] += count
        if row["deliver_width"] is not None:
            self.deliver_counts[row["deliver_width"]] += count


async def count_due(connection: asyncpg.Connection, destination: Destination, now_ms: int) -> int:
    """Count what is due, HOURS_A_TURN at most; how many hours. 0 also where another process counts."""
    day = await connection.fetchval(_SQL["first_day"])
    if day is None:
        return 0
    moment = datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=datetime.UTC)
    span = int(moment.timestamp() * 1000), now_ms - now_ms % HOUR_MS
    due = await connection.fetch(_SQL["due_hours"], *span, now_ms, HOURS_A_TURN, GRACE_MS)
    counted = 0
    for row in due:
        if not await count_hour(connection, row["hour_ms"], destination, now_ms):
            break
        counted += 1
    return counted


async def count_hour(connection: asyncpg.Connection, hour_ms: int, destination: Destination, now_ms: int) -> bool:
    """Count one hour anew, in one transaction; False: another process counts."""
    tallies: dict[Key, Tally] = {}
    still_open = 0
    async with connection.transaction():
        if not await connection.fetchval(_SQL["lock_statistics"]):
            return False
        async for row in connection.cursor(_SQL["count_hour"], hour_ms, hour_ms + HOUR_MS, list(BOUNDS_MS)):
            country, operator = destination(row["opening"], row["digits"])
            key = row["account_id"], row["connector_id"], row["traffic_class"], country, operator
            tallies.setdefault(key, Tally()).add(row)
            still_open += row["messages"] if row["state"] in OPEN else 0
        await connection.execute(_SQL["lock_hours"])
        await connection.execute(_SQL["forget_hour"], hour_ms)
        rows = [(hour_ms, *key, *msgspec.structs.astuple(tally)) for key, tally in tallies.items()]
        await connection.executemany(_SQL["store_hour"], rows)
        await connection.execute(_SQL["mark_hour"], hour_ms, now_ms, still_open)
    return True


async def counted_until_ms(connection: asyncpg.Connection) -> int | None:
    """When hours were counted last."""
    found: int | None = await connection.fetchval(_SQL["counted_until"])
    return found


class Asked(msgspec.Struct, frozen=True):
    """What is asked of statistics; None: all."""

    since_ms: int
    until_ms: int
    by: tuple[str, ...]
    account_id: int | None = None
    below_account: int | None = None
    country: str | None = None
    operator: str | None = None
    connector: str | None = None
    traffic_class: str | None = None


async def read_statistics(connection: asyncpg.Connection, asked: Asked) -> list[asyncpg.Record]:
    """Sums, one row for each of what they are told apart by; MOST_ROWS at most."""
    since_ms = asked.since_ms - asked.since_ms % HOUR_MS
    return list(
        await connection.fetch(
            _SQL["read_statistics"],
            since_ms,
            asked.until_ms,
            list(asked.by),
            asked.account_id,
            asked.below_account,
            asked.country,
            asked.operator,
            asked.connector,
            asked.traffic_class,
            MOST_ROWS,
        )
    )


def quantile_ms(counts: Sequence[int], share: float) -> int | None:
    """The bound that a share of these durations stayed below; None: nothing was counted, or it is above all bounds."""
    total, reached = sum(counts), 0
    for place, count in enumerate(counts):
        reached += count
        if total and reached >= share * total:
            return BOUNDS_MS[place] if place < len(BOUNDS_MS) else None
    return None


def width_of(duration_ms: int) -> int:
    """In which count a duration stands, as PostgreSQL's width_bucket has it."""
    return bisect.bisect_right(BOUNDS_MS, duration_ms)
