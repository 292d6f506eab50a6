"""Decision 0011: what it costs to find an OTP's row behind a campaign's, and to put a message into a lane.

Run: .venv/bin/python docs/decisions/measure/lanes.py. It uses an embedded PostgreSQL of its own and the statements of
the product. What must not enter: rows that a gateway could not have stored.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import asyncpg

from gateway.lanes import MARKETING, OTP
from gateway.message import Envelope, Message
from gateway.outbox import Outbox
from gateway.storage import messages
from gateway.storage.database import connect
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.migrate import apply_migrations

TIMES = 7
STORE = r"""
INSERT INTO messages (account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count, data_coding,
                      price_micros, expires_at_ms, source_addr, destination_addr, route_why, user_data, envelope, state,
                      hold, notify, part_states)
SELECT $1::integer, (($2::bigint + g) << 20) | (1 << 14), 1, 1, 1, $3, 1, 0, 1, $2 + 86400000, 'ACME', '2290197123456',
       'why', repeat('x', 160)::bytea, '\x90', $4, 'held', 'no', 'Q' FROM generate_series(1, $5::integer) g
"""


async def store(connection: asyncpg.Connection) -> None:
    """A campaign's rows and others behind them."""
    for name in "abc":
        await connection.execute("INSERT INTO accounts (name) VALUES ($1)", name)
    now_ms = time.time_ns() // 1_000_000
    await connection.execute(STORE, 1, now_ms, "marketing", "queued", 400_000)
    await connection.execute(STORE, 1, now_ms - 500_000, "otp", "submitted", 100_000)
    await connection.execute(STORE, 2, now_ms + 400_000, "marketing", "queued", 10)
    await connection.execute(STORE, 3, now_ms + 400_000, "otp", "queued", 1)
    await connection.execute("INSERT INTO delayed SELECT 1, 9, g, 'x' FROM generate_series(1, 100000) g")
    await connection.execute("ANALYZE")


async def measure_rows(connection: asyncpg.Connection) -> None:
    """The best of some reads."""
    asked = (
        ("rows of a campaign and of another account", messages.queued_rows, (MARKETING, [1, 2], [0, 0], [5000, 5000])),
        ("the one code", messages.queued_rows, (OTP, [3], [0], [5000])),
        ("accounts with marketing", messages.queued_accounts, (MARKETING, 0)),
        ("accounts with codes, 100,000 sent", messages.queued_accounts, (OTP, 0)),
    )
    for what, read, given in asked:
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            found = await read(connection, 1, *given)  # type: ignore[operator]  # two kinds of reads
            took.append(time.perf_counter() - began)
        print(f"{what}: {len(found)} in {min(took) * 1000:.1f} ms")


def measure_memory(count: int = 9000) -> None:
    """Through a lane, and the question of the fast path."""
    waiting = [
        Message(n, 1, 1, 1, 1, "marketing", 1, 0, 1, 1, 0, "ACME", "2290197123456", "", b"x" * 160, Envelope())
        for n in range(count)
    ]
    took = []
    for _ in range(TIMES):
        outbox = Outbox(20_000)
        began = time.perf_counter()
        for each in waiting:
            outbox.put(each)
        while (first := outbox.peek()) is not None:
            outbox.take(first)
        took.append(time.perf_counter() - began)
    print(f"put, peek and take: {min(took) / count * 1e6:.2f} us a message")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "data", die_with_owner=True)
        dsn = await postgres.start()
        try:
            connection = await connect(dsn)
            await apply_migrations(connection)
            await store(connection)
            await measure_rows(connection)
            measure_memory()
            await connection.close()
        finally:
            await postgres.stop()


if __name__ == "__main__":
    asyncio.run(main())
