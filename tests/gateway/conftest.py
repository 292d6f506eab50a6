"""Fixtures of the gateway's shells: a ground (database with facts) on which nodes without doors live and end.

What belongs here: building a life's rooms as daemon.node does, with a clock in the test's hand and carriers at hand.
What must not enter: what a test is about.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import pytest_asyncio

from gateway.accept.fact_book import FactBook
from gateway.by_the_clock import ByTheClock
from gateway.connector import Health
from gateway.lifecycle import Lifecycle, LifePolicy, Notifier
from gateway.message import Envelope, InboundMessage, Message, MessageIds, Submission
from gateway.recovery import Recovery
from gateway.refill import Refill
from gateway.storage import facts
from gateway.storage.cluster import spans_held
from gateway.storage.database import DatabaseAway, NodeSeat, connect, take_seat
from gateway.storage.group_commit import AcceptStream, CommitLine, SettleStream
from gateway.storage.messages import load_marks, move_marks
from gateway.storage.reader import Reader
from gateway.tallies import Tallies
from tests.databases import Databases
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import CarrierAtHand

CREDIT = 1_000_000
HANDSET = "2290197000001"
WITHIN_S = 10.0  # chosen: far beyond what a busy machine needs


class Clock:
    """The wall clock of one test: Unix milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.ms = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


class Told:
    """A customer's side that notes what it is told."""

    def __init__(self) -> None:
        self.foreseen: list[int] = []
        self.receipts: list[tuple[int, str]] = []
        self.mentions: list[tuple[int, int]] = []
        self.inbound: list[InboundMessage] = []

    def foresee(self, message: Message) -> None:
        self.foreseen.append(message.message_id)

    def offer(self, message: Message) -> None:
        self.receipts.append((message.message_id, message.state))

    def offer_inbound(self, inbound: InboundMessage) -> None:
        self.inbound.append(inbound)

    def mention(self, message: Message, message_state: int) -> None:
        self.mentions.append((message.message_id, message_state))

    def deliver_offered(self) -> None:
        return


@dataclasses.dataclass
class Life:
    """One life of a node: its rooms, and short words for what tests do with them."""

    ground: Ground
    seat: NodeSeat
    reader: Reader
    accepting: AcceptStream
    settling: SettleStream
    lifecycle: Lifecycle
    by_the_clock: ByTheClock
    recovery: Recovery
    carriers: dict[str, CarrierAtHand]
    told: Told
    tallies: Tallies
    doubtful: int = 0

    @property
    def carrier(self) -> CarrierAtHand:
        """carrier-a."""
        return self.carriers["carrier-a"]

    def admit(self, **given: Any) -> Message:
        """An admissible submission, some fields replaced."""
        admitted = self.lifecycle.admit(self.ground.submission(**given))
        assert isinstance(admitted, Message), admitted
        return admitted

    async def accept(self, count: int = 1, **given: Any) -> list[Message]:
        """Accept so many messages alike, each by itself and in order; those that were not refused."""
        messages = [self.admit(**given) for _ in range(count)]
        refused = await asyncio.gather(*(self.lifecycle.accept([message]) for message in messages))
        return [m for m, ids in zip(messages, refused, strict=True) if m.message_id not in ids]

    async def accept_one(self, **given: Any) -> Message:
        (message,) = await self.accept(**given)
        return message

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for something in memory, then until all that is known is stored."""
        await eventually(condition, WITHIN_S, what)
        await self.settling.durable()

    async def written(self, count: int) -> None:
        """Wait until carrier-a was handed so many parts."""
        await self.until(lambda: len(self.carrier.written) >= count, f"{count} parts at the carrier")

    async def told_of(self, *messages: Message) -> list[str]:
        """Wait until the customer was told of these; the states told."""
        await self.until(lambda: len(self.told.receipts) >= len(messages), "the customer is told")
        told = dict(self.told.receipts)
        return [told[m.message_id] for m in messages]

    async def save_marks(self) -> None:
        """What the clock's job tell_once stores of the queues."""
        marks = self.recovery.marks(self.ground.clock.ms << 20)
        await move_marks(self.ground.connection, self.seat.node_id, marks)


@dataclasses.dataclass
class Ground:
    """A migrated database with one account (1000 credits), its login, sender name and carrier-a; and the clock."""

    dsn: str
    connection: asyncpg.Connection
    clock: Clock
    account_id: int = 0
    esme_id: int = 0
    connector_ids: dict[str, int] = dataclasses.field(default_factory=dict)
    away: bool = False  # whether PostgreSQL refuses new connections of nodes

    async def prepare(self) -> None:
        async with self.connection.transaction():  # whoever is told of these facts sees them all
            account_id = await facts.add_account(self.connection, "ours", 0, None)
            assert account_id is not None
            self.account_id = account_id
            await facts.top_up(self.connection, account_id, 1000 * CREDIT, "test")
            self.esme_id = await self.add_esme("ours1")
            await facts.add_sender_name(self.connection, account_id, "ACME", "approved")
            await self.add_carrier("carrier-a")

    async def add_esme(self, system_id: str, password_hash: str = "no hash", **given: Any) -> int:
        fields: dict[str, Any] = {"max_binds": 10, "window_size": 100, "tps": 0, "allow_cidrs": []}
        fields |= {"traffic_class": "transactional", **given}
        esme = facts.NewEsme(system_id=system_id, account_id=self.account_id, password_hash=password_hash, **fields)
        esme_id = await facts.add_esme(self.connection, esme)
        assert esme_id is not None
        return esme_id

    async def add_carrier(self, name: str) -> None:
        """A connector and a route to it, asked after those that are there."""
        connector_id = await facts.ensure_connector(self.connection, name, "smpp")
        order = 100 + len(self.connector_ids)
        self.connector_ids[name] = connector_id
        route = facts.NewRoute(order, "*", None, None, None, None, None, [], connector_id, 1)
        await facts.add_route(self.connection, route)

    async def book(self) -> FactBook:
        return FactBook(await facts.load_facts(self.connection))

    async def connect(self) -> asyncpg.Connection:
        """A node's way to PostgreSQL."""
        if self.away:
            raise DatabaseAway("the test says so")
        return await connect(self.dsn)

    async def cut(self) -> None:
        """End every connection of nodes, as a restart of PostgreSQL does; new ones are refused."""
        self.away = True
        await self.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )

    def submission(
        self, text: bytes = b"hello", to: str = HANDSET, kind: str = "transactional", **given: Any
    ) -> Submission:
        envelope = given.pop("envelope", None) or Envelope(
            source_addr_ton=5, dest_addr_ton=1, registered_delivery=given.pop("registered_delivery", 1)
        )
        return Submission(self.account_id, self.esme_id, kind, "ACME", to, 0, text, envelope, **given)

    async def row(self, message: Message) -> asyncpg.Record:
        row = await self.connection.fetchrow(
            "SELECT * FROM messages WHERE account_id = $1 AND message_id = $2", message.account_id, message.message_id
        )
        assert row is not None
        return row

    async def value(self, query: str, *arguments: object) -> Any:
        return await self.connection.fetchval(query, *arguments)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(await self.value(f"SELECT count(*) FROM {table}"))

    async def credits(self) -> tuple[int, int, int]:
        """Credits of the account: available, held, spent; the balance must be what is available."""
        legs = await self.connection.fetch(
            "SELECT purse, sum(amount_micros)::bigint AS sum FROM ledger_legs WHERE account_id = $1 GROUP BY 1",
            self.account_id,
        )
        purses = {leg["purse"]: leg["sum"] for leg in legs}
        balance = await self.value("SELECT balance_micros FROM accounts WHERE account_id = $1", self.account_id)
        assert balance == purses["available"]
        return purses["available"] // CREDIT, purses.get("held", 0) // CREDIT, purses.get("spent", 0) // CREDIT

    async def events(self, message: Message) -> list[str]:
        """The timeline's uncommon facts."""
        rows = await self.connection.fetch(
            "SELECT event FROM message_events WHERE message_id = $1 ORDER BY at_ms, ctid", message.message_id
        )
        return [row["event"] for row in rows]

    @contextlib.asynccontextmanager
    async def live(
        self,
        policy: LifePolicy | None = None,
        queue_limit: int = 1000,
        window: int = 1000,
        answer: Any = None,
        down: Sequence[str] = (),
        notifier: Callable[[Reader, SettleStream, Tallies], Notifier] | None = None,
        reader_kind: type[Reader] = Reader,
        batch_rows: int = 400,
        node: str = "a",
        only: Sequence[str] | None = None,
    ) -> AsyncIterator[Life]:
        """A node's rooms between the doors, recovered and running; its end is a crash: nothing is drained.

        only: the connectors that this node configures, where not all.
        """
        seat_connection = await connect(self.dsn)
        seat = await take_seat(seat_connection, node)
        lines = [
            CommitLine(self.connect, seat.node_id, seat.epoch, "accept", seat.accept_batch),
            CommitLine(self.connect, seat.node_id, seat.epoch, "settle", seat.settle_batch),
        ]
        reader = reader_kind(self.connect, seat.epoch, seat.node_id)
        accepting, settling, tallies = AcceptStream(lines[0], batch_rows), SettleStream(lines[1]), Tallies()
        health: dict[str, Health] = {}
        configured = self.connector_ids if only is None else only
        carriers = {name: CarrierAtHand(name, self.connector_ids[name], health, window) for name in configured}
        for carrier in carriers.values():
            carrier.answer = answer
        for name in down:
            carriers[name].health = "down"
        told = Told()
        lifecycle = Lifecycle(
            await self.book(),
            policy or LifePolicy(),
            MessageIds(seat.node_id, seat.last_id),
            accepting,
            settling,
            reader,
            carriers.values(),
            health,
            notifier(reader, settling, tallies) if notifier else told,
            self.clock,
            tallies,
            queue_limit,
        )
        by_the_clock = ByTheClock(lifecycle, reader, settling, self.clock)
        recovery = Recovery(lifecycle, reader, settling)
        lifecycle.active.holding.widen(await spans_held(seat_connection, seat.node_id))
        refill = Refill(lifecycle, reader, settling)
        life = Life(self, seat, reader, accepting, settling, lifecycle, by_the_clock, recovery, carriers, told, tallies)
        marks = await load_marks(seat_connection, seat.node_id)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(accepting.run()), tasks.create_task(settling.run())]
                life.doubtful = await recovery.recover(seat.node_id, marks)
                for carrier in carriers.values():
                    running.append(tasks.create_task(lifecycle.send(carrier)))
                    running.append(tasks.create_task(refill.run(carrier.connector_id)))
                    running.append(tasks.create_task(lifecycle.settle(carrier)))
                try:
                    outboxes = lifecycle.outboxes.values()
                    await eventually(lambda: not any(o.wants_rows for o in outboxes), WITHIN_S, "queues are read")
                    yield life
                finally:
                    for task in running:
                        task.cancel()
        finally:
            for line in lines:
                await line.close()
            await reader.close()
            await end_seat(seat_connection)


async def end_seat(connection: asyncpg.Connection) -> None:
    """Give a seat up, and return once another life may take it; a test may have cut this connection before."""
    try:
        await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()  # the server ended it, and with it the seat


@pytest_asyncio.fixture
async def ground(ground_database: str, databases: Databases) -> AsyncIterator[Ground]:
    """A ground that this test finds empty but for its facts."""
    connection = await asyncpg.connect(ground_database)
    try:
        await databases.empty(connection)
        prepared = Ground(ground_database, connection, Clock())
        await prepared.prepare()
        yield prepared
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def life(ground: Ground) -> AsyncIterator[Life]:
    """A node's rooms with carrier-a, which answers nothing by itself."""
    async with ground.live() as lived:
        yield lived
