"""Decisions 0003, 0006 and 0009: what a message costs in transactions of 1, 10, 100 and 400; which updates are HOT.

Run: .venv/bin/python docs/decisions/measure/batches.py. It uses an embedded PostgreSQL of its own, fsync on, and the
statements of the product. What must not enter: a batch that the streams could not make.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from gateway.message import Envelope, Message, MessageIds
from gateway.storage import facts, messages
from gateway.storage.database import NodeSeat, connect, take_seat
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.group_commit import CommitLine
from gateway.storage.migrate import apply_migrations
from gateway.storage.settle_batch import SettleBatch

SIZES = (1, 10, 100, 400)
SECONDS = 2.0  # of each measurement
HOT = "SELECT sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables WHERE relname LIKE 'messages_2%'"


class Ground:
    """A migrated database with one account that has credit, one login, one connector, and two lines to commit on."""

    def __init__(self, seat: NodeSeat, accept: CommitLine, settle: CommitLine, connection: asyncpg.Connection) -> None:
        self.ids = MessageIds(seat.node_id)
        self.accept, self.settle, self.connection = accept, settle, connection
        self.journal_id = 0

    def fresh(self, count: int) -> list[Message]:
        """Messages as the lifecycle hands them over."""
        now = time.time_ns() // 1_000_000
        return [
            Message(
                self.ids.next(now), 1, 1, 1, 1, "transactional", 1, 0, 1, now + 10**8, 0, "ACME", "2290197123456",
                "route 1: order 100, any destination", b"x" * 160, Envelope(5, 0, 1, 1), notify="asked",
            )
            for _ in range(count)
        ]  # fmt: skip

    async def accept_batch(self, size: int, journal: bool = True) -> list[Message]:
        """One accepting transaction, with the journal of its attempts."""
        self.journal_id += 1
        batch = self.fresh(size)
        await self.accept.commit(messages.ACCEPT, messages.accept_columns(batch, [journal] * size, self.journal_id))
        return batch

    async def settle_batch(self, batch: list[Message]) -> None:
        """One settling transaction: every message submitted, its hold captured, its journal closed."""
        settling = SettleBatch()
        for message in batch:
            message.state, message.hold, message.part_states = "submitted", "captured", "S"
            message.posting, message.smsc_message_ids = "capture", str(message.message_id)
            message.fresh_parts = (0,)
        settling.messages = batch
        settling.closed_journals.append(self.journal_id)
        await self.settle.commit(messages.SETTLE, settling.columns(), settling.extras())


async def prepare(dsn: str) -> Ground:
    """Tables, money, a seat."""
    connection = await connect(dsn)
    await apply_migrations(connection)
    account_id = await facts.add_account(connection, "measure", 0, None)
    assert account_id == 1
    await facts.top_up(connection, account_id, 10**15, "measurement")
    seat = await take_seat(connection, "a")

    def line(stream: str, batch: int) -> CommitLine:
        return CommitLine(lambda: connect(dsn), seat.node_id, seat.epoch, stream, batch)

    return Ground(seat, line("accept", seat.accept_batch), line("settle", seat.settle_batch), connection)


async def rate(step: Callable[[], Awaitable[int]]) -> float:
    """Messages a second of a step that does some, one after the other."""
    await step()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        done += await step()
    return done / (time.perf_counter() - began)


async def measure(ground: Ground) -> None:
    print(f"{'messages a transaction':24}{'accept':>12}{'accept+settle':>16}")
    for size in SIZES:

        async def accept_only(size: int = size) -> int:
            return len(await ground.accept_batch(size))

        async def both(size: int = size) -> int:
            await ground.settle_batch(await ground.accept_batch(size))
            return size

        print(f"{size:<24}{await rate(accept_only):>10,.0f}/s{await rate(both):>14,.0f}/s")

    async def without() -> int:
        return len(await ground.accept_batch(400, journal=False))

    async def with_journal() -> int:
        return len(await ground.accept_batch(400))

    bare, journalled = await rate(without), await rate(with_journal)
    print(
        f"\naccept in batches of 400: without journal {bare:,.0f}/s, with its row of open_attempts {journalled:,.0f}/s"
    )


async def measure_hot(ground: Ground, fillfactor: int) -> None:
    """The share of updates that stayed in their page, at a fillfactor of fresh pages."""
    day = time.strftime("%Y%m%d", time.gmtime())
    await ground.connection.execute(f"TRUNCATE messages_{day}")
    await ground.connection.execute(f"ALTER TABLE messages_{day} SET (fillfactor = {fillfactor})")
    before = await counts(ground)
    for _ in range(25):
        await ground.settle_batch(await ground.accept_batch(400))
    after = await counts(ground)
    octets = await ground.connection.fetchval(f"SELECT pg_table_size('messages_{day}')")
    share = (after[1] - before[1]) / (after[0] - before[0])
    print(f"fillfactor {fillfactor:3}: {share:.0%} of updates HOT, {octets / 10_000:,.0f} octets a message on disk")


async def counts(ground: Ground) -> tuple[int, int]:
    """Updates and HOT updates so far, once PostgreSQL has told its statistics."""
    for line in (ground.accept, ground.settle):
        await line.read(lambda connection: connection.execute("SELECT pg_stat_force_next_flush()"))
    await ground.connection.execute("SELECT pg_stat_clear_snapshot()")
    row = await ground.connection.fetchrow(HOT)
    assert row is not None
    return row[0], row[1]


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", die_with_owner=True)
        dsn = await postgres.start()
        try:
            ground = await prepare(dsn)
            version = ground.connection.get_server_version()
            print(f"Python {sys.version.split()[0]}, PostgreSQL {version.major}.{version.minor}, fsync on")
            await measure(ground)
            print()
            for fillfactor in (100, 60):
                await measure_hot(ground, fillfactor)
            await ground.accept.close()
            await ground.settle.close()
            await ground.connection.close()
        finally:
            await postgres.stop()


if __name__ == "__main__":
    asyncio.run(main())
