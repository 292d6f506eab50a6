"""Fixtures of the storage room: a node with its seat and streams' lines, messages to accept, a way that can be cut.

What must not enter: what a test is about.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio

from gateway.message import ID_NODE_SHIFT, Envelope, Message, MessageIds
from gateway.storage.database import NodeSeat, connect, take_seat
from gateway.storage.group_commit import CommitLine
from tests.databases import Databases
from tests.gateway.storage.cutting_proxy import CuttingProxy
from tests.gateway.storage.stored_messages import Ground, prepare_ground

PRICE_MICROS = 1_000_000


@dataclasses.dataclass
class House:
    """A migrated database with one account (1000 credits), one node that has its seat, and what a test asks of it."""

    dsn: str
    connection: asyncpg.Connection
    seat: NodeSeat
    ground: Ground
    ids: MessageIds
    lines: list[CommitLine] = dataclasses.field(default_factory=list)

    def line(self, stream: str, dsn: str = "", seat: NodeSeat | None = None) -> CommitLine:
        """A line of this node, or of another seat; by another way where a DSN is given."""
        seat = seat or self.seat
        batch = seat.accept_batch if stream == "accept" else seat.settle_batch
        line = CommitLine(lambda: connect(dsn or self.dsn), seat.node_id, seat.epoch, stream, batch)
        self.lines.append(line)
        return line

    def message(self, **given: Any) -> Message:
        """A message as the lifecycle would hand it over for acceptance: routed, one part, one credit."""
        now_ms = int(time.time() * 1000)
        parts = given.pop("part_count", 1)
        fields: dict[str, Any] = {
            "message_id": self.ids.next(now_ms),
            "account_id": self.ground.account_id,
            "esme_id": self.ground.esme_id,
            "connector_id": self.ground.connector_id,
            "route_id": 1,
            "traffic_class": "transactional",
            "part_count": parts,
            "data_coding": 0,
            "price_micros": PRICE_MICROS * parts,
            "expires_at_ms": now_ms + 3_600_000,
            "not_before_ms": 0,
            "source_addr": "ACME",
            "destination_addr": "22901970000",
            "route_why": "the only route",
            "user_data": b"hello",
            "envelope": Envelope(registered_delivery=1),
            "notify": "asked",
            "part_states": "Q" * parts,
        }
        return Message(**{**fields, **given})

    async def value(self, query: str, *arguments: object) -> Any:
        """The one value of a query."""
        return await self.connection.fetchval(query, *arguments)

    async def balance(self) -> int:
        """What the account may still hold, in micros."""
        return int(
            await self.value("SELECT balance_micros FROM accounts WHERE account_id = $1", self.ground.account_id)
        )

    async def purses(self) -> dict[str, int]:
        """The sum of each purse over the whole ledger."""
        legs = await self.connection.fetch(
            "SELECT purse, sum(amount_micros)::bigint AS sum FROM ledger_legs GROUP BY 1"
        )
        return {leg["purse"]: leg["sum"] for leg in legs if leg["sum"]}

    async def rows(self) -> int:
        """How many messages are stored."""
        return int(await self.value("SELECT count(*) FROM messages"))


@pytest_asyncio.fixture
async def house(ground_database: str, databases: Databases) -> AsyncIterator[House]:
    """A node's seat in a database that this test finds empty."""
    connection = await connect(ground_database)
    await databases.empty(connection)
    seat = await take_seat(connection, "a")
    built = House(ground_database, connection, seat, await prepare_ground(connection), MessageIds(seat.node_id))
    built.ground.first_id |= seat.node_id << ID_NODE_SHIFT
    try:
        yield built
    finally:
        for line in built.lines:
            await line.close()
        await connection.close()


@pytest_asyncio.fixture
async def proxy(house: House, tmp_path_factory: Any) -> AsyncIterator[CuttingProxy]:
    """A way to the house's database that can be cut."""
    folder: Path = tmp_path_factory.mktemp("p")
    async with CuttingProxy(folder, house.dsn).open() as opened:
        yield opened
