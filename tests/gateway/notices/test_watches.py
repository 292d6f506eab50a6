"""What holds long enough is told of once, and so is its end: balances, carriers, nodes.

What must not enter: sending (test_desk.py).
"""

from __future__ import annotations

import asyncpg
import msgspec
import pytest

from gateway.notices.watches import look
from gateway.storage import cluster, facts
from gateway.storage import notices as rows
from gateway.storage.database import connect, take_seat
from tests.gateway.conftest import CREDIT, Ground
from tests.gateway.notices.conftest import TIMES, Notices

MINUTE_MS = 60_000


@pytest.fixture
def watched(notices: Notices) -> Watched:
    return Watched(notices.ground, notices)


class Watched:
    """A ground that is looked at, its clock in the test's hand."""

    def __init__(self, ground: Ground, notices: Notices) -> None:
        self.ground = ground
        self.notices = notices
        self.connection = ground.connection

    async def look(self, pass_s: float = 0.0) -> list[str]:
        """Let time pass, look once; the events that are told since the test began."""
        self.ground.clock.pass_s(pass_s)
        await look(self.connection, TIMES, self.ground.clock.ms)
        return [row["event"] for row in await self.connection.fetch("SELECT event FROM notices ORDER BY notice_id")]

    async def spend(self, credits: int) -> None:
        """As an acceptance does."""
        await self.connection.execute(
            "WITH held AS (UPDATE accounts SET balance_micros = balance_micros - $2::bigint WHERE account_id = $1)"
            " INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)"
            " VALUES ($1, 'hold', 'available', 'held', $2)",
            self.ground.account_id,
            credits * CREDIT,
        )

    async def give_back(self, credits: int) -> None:
        """As a release does: no top-up."""
        await self.connection.execute(
            "WITH freed AS (UPDATE accounts SET balance_micros = balance_micros + $2::bigint WHERE account_id = $1)"
            " INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)"
            " VALUES ($1, 'release', 'held', 'available', $2)",
            self.ground.account_id,
            credits * CREDIT,
        )

    async def last(self) -> asyncpg.Record:
        row = await self.connection.fetchrow("SELECT * FROM notices ORDER BY notice_id DESC LIMIT 1")
        assert row is not None
        return row


async def test_a_low_balance_is_told_once_until_it_is_topped_up(watched: Watched) -> None:
    await watched.notices.prefer(low_balance_micros=100 * CREDIT)
    assert await watched.look() == []
    await watched.spend(901)
    assert await watched.look() == ["balance.low"]
    row = await watched.last()
    assert row["account_id"] == watched.ground.account_id
    assert msgspec.json.decode(row["facts"]) == {
        "account": "ours",
        "balance": 99 * CREDIT,
        "threshold": 100 * CREDIT,
    }
    await watched.give_back(50)
    assert await watched.look() == ["balance.low"]
    await watched.spend(60)
    assert await watched.look() == ["balance.low"], "what comes and goes with messages is no news"
    await facts.top_up(watched.connection, watched.ground.account_id, 5 * CREDIT, "too little")
    assert await watched.look() == ["balance.low"], "it is low still"
    await facts.top_up(watched.connection, watched.ground.account_id, 500 * CREDIT, "enough")
    assert await watched.look() == ["balance.low"]
    await watched.spend(500)
    assert await watched.look() == ["balance.low"] * 2


async def test_another_threshold_is_watched_from_its_beginning(watched: Watched) -> None:
    await watched.notices.prefer(low_balance_micros=2000 * CREDIT)
    assert await watched.look() == ["balance.low"]
    await watched.notices.prefer(low_balance_micros=2000 * CREDIT, language="en")
    assert await watched.look() == ["balance.low"]
    await watched.notices.prefer(low_balance_micros=1500 * CREDIT)
    assert await watched.look() == ["balance.low"] * 2
    await watched.notices.prefer(low_balance_micros=None)
    assert await watched.look() == ["balance.low"] * 2
    assert await watched.ground.count("notice_watches") == 0


async def tell_binds(connection: asyncpg.Connection, ground: Ground, bound: int) -> None:
    await connection.execute(
        "INSERT INTO connector_reach (node_id, connector_id, epoch, bound, binds)"
        " SELECT node_id, $1, epoch, $2, 2 FROM nodes WHERE kind = 'node'"
        " ON CONFLICT (node_id, connector_id) DO UPDATE SET bound = $2, epoch = excluded.epoch",
        ground.connector_ids["carrier-a"],
        bound,
    )


async def test_a_carrier_without_binds_is_told_of_after_its_time_and_when_it_is_back(watched: Watched) -> None:
    await take_seat(watched.connection, "a")
    await watched.connection.execute("UPDATE nodes SET seen_at = now() + interval '1 hour'")
    began_ms = watched.ground.clock.ms
    await tell_binds(watched.connection, watched.ground, 0)
    assert await watched.look() == []
    await tell_binds(watched.connection, watched.ground, 1)
    assert await watched.look(200) == [], "it was short"
    await tell_binds(watched.connection, watched.ground, 0)
    assert await watched.look() == []
    assert await watched.look(119) == []
    assert await watched.look(1) == ["bind.down"]
    assert msgspec.json.decode((await watched.last())["facts"]) == {
        "connector": "carrier-a",
        "binds": 2,
        "since": began_ms + 200_000,
    }
    await watched.connection.execute("UPDATE nodes SET seen_at = now() - interval '30 s', left_at = now()")
    assert await watched.look(10) == ["bind.down"], "a node that left has mended nothing"
    await watched.connection.execute("UPDATE nodes SET seen_at = now() + interval '1 hour'")
    await tell_binds(watched.connection, watched.ground, 2)
    assert await watched.look() == ["bind.down", "bind.up"]
    await watched.connection.execute("UPDATE connectors SET wish = 'stop'")
    await tell_binds(watched.connection, watched.ground, 0)
    assert await watched.look() == ["bind.down", "bind.up"]
    assert await watched.look(500) == ["bind.down", "bind.up"], "an operator stopped it"


async def test_a_node_that_dies_is_told_of_and_one_that_was_stopped_is_not(watched: Watched) -> None:
    seat = await take_seat(watched.connection, "a")
    assert await watched.look() == []
    await watched.connection.execute("UPDATE nodes SET seen_at = now() - interval '100 seconds'")
    watched.ground.clock.ms = await watched.ground.value("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    assert await watched.look() == ["node.dead"]
    assert await watched.look(500) == ["node.dead"]
    assert await cluster.renew_lease(watched.connection, seat.node_id, seat.epoch) is not None
    assert await watched.look() == ["node.dead", "node.back"]
    await cluster.leave(watched.connection, seat.node_id, seat.epoch)
    assert await watched.look(500) == ["node.dead", "node.back"]


async def test_two_processes_tell_once(watched: Watched) -> None:
    await watched.notices.prefer(low_balance_micros=2000 * CREDIT)
    other = await connect(watched.ground.dsn)
    try:
        async with other.transaction():
            assert await rows.may_watch(other)
            assert await watched.look() == [], "somebody looks already"
    finally:
        await other.close()
    assert await watched.look() == ["balance.low"]
