"""Group commit: callers append and await; one writer a stream takes what has gathered, in one transaction.

What belongs here: the numbered, fenced commit of a batch (CommitLine), the accept stream, the settle stream.
No timer: the previous commit is the clock. A refusal is a row of the answer, never an exception that sinks its
neighbours.
What must not enter: rules; a stream writes what it is handed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from gateway.crash_points import crash_point
from gateway.message import AttemptJournal, Message
from gateway.storage import messages as rows
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway
from gateway.storage.set_aside import Pieces, RowsRefused
from gateway.storage.settle_batch import SettleBatch
from gateway.storage.terms import Terms, conclude, prepare, recall_outcome

ACCEPT_ROWS = 400  # measured by the prototype: past it a row gets no cheaper, only later
SETTLE_ROWS = 800  # chosen: twice the above, since a message settles in up to two writes
TRUTH_TIMEOUT_S = 5.0  # smpp-answers: how long the outcome of a COMMIT is looked up before the door closes unanswered
RETRY_FIRST_S, RETRY_LAST_S = 0.05, 1.0  # chosen: pauses between tries while PostgreSQL is away

# Our own refusals (migration 0001), check and unique violations: the same batch would be refused again.
NEVER_AGAIN = frozenset({"PT001", "PT002", "23514", "23505"})
NO_PARTITION = "23514"  # postgres, appendix A: check_violation, then without the name of a constraint

LOST_PLACE = "PT001"  # migration 0001: the epoch is another's, or a message was changed by somebody else
UNFIT_CLASSES = ("22", "23")  # PostgreSQL appendix A: data exception, integrity constraint violation

log = logging.getLogger("passerelle.storage")

Connect = Callable[[], Awaitable[asyncpg.Connection]]
Extra = tuple[str, tuple[Any, ...]]
Run = Callable[..., Awaitable["asyncpg.Record | None"]]


class NotCommitted(Exception):
    """Surely nothing of the batch was stored."""


class OutcomeUnknown(Exception):
    """PostgreSQL went away between our COMMIT and its answer, and did not come back in time to be asked."""


class CommittedUnheard(Exception):
    """The batch was committed, but the answer of its statement was lost."""


class FencedOut(Exception):
    """Another process took this node's place, or changed a message that this one holds: this process must end."""


class BatchRefused(RowsRefused, FencedOut):
    """By a rule of ours (NEVER_AGAIN): a fault of this process."""


class BatchUnfit(RowsRefused, NotCommitted):
    """By a type or another constraint."""


def _lacks_day(fault: asyncpg.PostgresError) -> bool:
    """Whether a row's partition is not made yet, which PostgreSQL calls a violated check: the clock stepped by days."""
    return fault.sqlstate == NO_PARTITION and getattr(fault, "constraint_name", None) is None


class CommitLine:
    """One writing connection. Every batch repeats the node's epoch and the next number of its stream.

    So a stale process is refused, and after a lost answer the number tells whether the batch was committed.
    """

    def __init__(self, connect: Connect, node_id: int, epoch: int, stream: str, batch: int) -> None:
        self._connect = connect
        self._stream = stream
        self._connection: asyncpg.Connection | None = None
        self.node_id = node_id
        self.epoch = epoch
        self.batch = batch  # the number the stream has reached
        self._lost = False  # whether the database may have counted further than we know

    async def commit(self, sql: str, columns: Sequence[object], extras: Sequence[Extra] = ()) -> asyncpg.Record:
        """Run one batch; return the statement's row.

        Raises NotCommitted, CommittedUnheard, OutcomeUnknown, FencedOut.
        """

        async def run(connection: asyncpg.Connection, *place: int) -> asyncpg.Record | None:
            if not extras:
                return await connection.fetchrow(sql, *place, *columns)
            async with connection.transaction():
                row = await connection.fetchrow(sql, *place, *columns)
                for statement, arguments in extras:
                    await connection.execute(statement, *arguments)
            return row

        return await self.commit_by(run)

    async def commit_by(self, run: Run) -> asyncpg.Record:
        """The same where a batch is more than one statement: `run` is given the connection and the batch's place
        (number, node, epoch), and commits.
        """
        connection = await self._connected()
        if self._lost:
            connection = await self._find_place()
        number = self.batch + 1
        try:
            row = await run(connection, number, self.node_id, self.epoch)
        except CONNECTION_FAULTS as fault:
            return await self._after_fault(fault, number, connection)
        self.batch = number
        assert row is not None
        return row

    async def _after_fault(self, fault: Exception, number: int, connection: asyncpg.Connection) -> asyncpg.Record:
        if isinstance(fault, asyncpg.PostgresError) and fault.sqlstate in NEVER_AGAIN and not _lacks_day(fault):
            raise FencedOut(str(fault)) if fault.sqlstate == LOST_PLACE else BatchRefused(fault) from fault
        if isinstance(fault, asyncpg.PostgresError) and not connection.is_closed() and fault.sqlstate[:2] != "57":
            unfit = fault.sqlstate[:2] in UNFIT_CLASSES and not _lacks_day(fault)
            raise BatchUnfit(fault) if unfit else NotCommitted(str(fault)) from fault
        connection.terminate()
        self._connection = None
        if await self._was_committed(number, TRUTH_TIMEOUT_S):
            raise CommittedUnheard(str(fault)) from fault
        raise NotCommitted(str(fault)) from fault

    async def _was_committed(self, number: int, patience_s: float | None) -> bool:
        """Ask the database whether it saw batch `number`; from the answer on it can no longer be committed.

        Raises OutcomeUnknown when it cannot be asked in time (patience_s None: asks for as long as it takes).
        """
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    try:
                        connection = await self._connected()
                        position = await rows.claim_position(connection, self.node_id, self._stream, self.epoch)
                        break
                    except (
                        NotCommitted,
                        asyncpg.PostgresError,
                        asyncpg.InterfaceError,
                        asyncpg.InternalClientError,
                        OSError,
                    ):
                        self._drop()
                        await asyncio.sleep(RETRY_FIRST_S)
        except TimeoutError:
            self._drop()
            self._lost = True
            raise OutcomeUnknown("PostgreSQL is away and the last batch may be committed") from None
        if position is None:
            raise FencedOut("another process took this node's place")
        self.batch, committed = position
        self._lost = False
        return committed >= number

    async def _find_place(self) -> asyncpg.Connection:
        """After a batch of unknown outcome: count on from where the database stands. Nothing was sent yet."""
        try:
            await self._was_committed(self.batch + 1, TRUTH_TIMEOUT_S)
        except OutcomeUnknown as fault:
            raise NotCommitted(str(fault)) from fault
        return await self._connected()

    async def resolve(self, number: int) -> bool:
        """Whether batch `number` was committed, asking for as long as it takes."""
        return await self._was_committed(number, None)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._connect()
            except (DatabaseAway, *CONNECTION_FAULTS) as fault:  # whatever a failing server says, it may come back
                raise NotCommitted(str(fault)) from fault
        return self._connection

    async def read(self, query: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
        """Run a reading query on this stream's connection, between batches. Raises NotCommitted when away."""
        try:
            return await query(await self._connected())
        except CONNECTION_FAULTS as fault:
            self._drop()
            raise NotCommitted(str(fault)) from fault

    async def close(self) -> None:
        """Close the connection; what was committed stays."""
        if self._connection is not None:
            self._connection.terminate()


class _AcceptBatch:
    __slots__ = ("answer", "messages", "opened", "taken", "terms")

    def __init__(self) -> None:
        self.taken = False
        self.terms: list[Terms] = []
        self.messages: list[Message] = []
        self.opened: list[bool] = []
        self.answer: asyncio.Future[AcceptOutcome] = asyncio.get_running_loop().create_future()


class AcceptOutcome:
    """What became of a batch: the ids refused for want of credit, and the journal of the attempts it opened."""

    __slots__ = ("refused", "journal")

    def __init__(self, refused: frozenset[int], journal: AttemptJournal | None) -> None:
        self.refused = refused
        self.journal = journal


class AcceptStream:
    """Makes admissible messages durable, together with their hold on credit (promise P1)."""

    def __init__(self, line: CommitLine, most_rows: int = ACCEPT_ROWS) -> None:
        self._line = line
        self._most_rows = most_rows
        self._batches: list[_AcceptBatch] = []
        self._gathered = asyncio.Event()
        self._journals = 0
        self.waiting = 0  # rows appended and not decided yet

    def append(
        self, messages: list[Message], opened: list[bool], terms: Terms | None = None
    ) -> asyncio.Future[AcceptOutcome]:
        """Hand over messages; the future tells what became of the batch they went in.

        opened: which of them have a place in their connector's window, so that their attempt is journalled at once.
        terms: what must hold for them beside credit; it says afterwards what did not.
        The future raises NotCommitted (refuse them) or OutcomeUnknown (answer nothing).
        """
        if not self._batches or self._batches[-1].taken or len(self._batches[-1].messages) >= self._most_rows:
            self._batches.append(_AcceptBatch())
        batch = self._batches[-1]
        batch.messages += messages
        batch.opened += opened
        if terms is not None:
            batch.terms.append(terms)
        self.waiting += len(messages)
        self._gathered.set()
        return batch.answer

    def next_journal_id(self) -> int:
        """A number for a journal of attempts that no other life of this node uses."""
        self._journals += 1
        return self._line.epoch << 32 | self._journals

    async def close(self) -> None:
        """Give the connection up: nothing is written any more."""
        await self._line.close()

    async def run(self) -> None:
        """Commit batch after batch until cancelled."""
        while True:
            await self._gathered.wait()
            self._gathered.clear()
            while self._batches:
                batch = self._batches[0]
                batch.taken = True
                try:
                    outcome = await self._commit(batch)
                except (NotCommitted, OutcomeUnknown) as fault:
                    log.warning("accept_failed", extra={"messages": len(batch.messages), "why": str(fault)})
                    batch.answer.set_exception(fault)
                    batch.answer.exception()  # whoever awaits it sees it; a closed door must not warn
                else:
                    batch.answer.set_result(outcome)
                finally:
                    self.waiting -= len(batch.messages)
                    self._batches.remove(batch)

    async def _commit(self, batch: _AcceptBatch) -> AcceptOutcome:
        journal = AttemptJournal(self.next_journal_id()) if any(batch.opened) else None
        journal_id = journal.journal_id if journal else 0
        crash_point("accept.before_commit")
        try:
            if batch.terms:
                refused = await self._commit_on_terms(batch, journal_id)
            else:
                columns = rows.accept_columns(batch.messages, batch.opened, journal_id)
                row = await self._line.commit(rows.ACCEPT, columns)
                refused = frozenset(row["refused"])
        except CommittedUnheard:
            refused = await self._refused_after_all(batch)
        if journal is not None:
            journal.open_count = sum(
                opened and m.message_id not in refused for m, opened in zip(batch.messages, batch.opened, strict=True)
            )
        crash_point("accept.committed")
        return AcceptOutcome(refused, journal)

    async def _commit_on_terms(self, batch: _AcceptBatch, journal_id: int) -> frozenset[int]:
        """The same with what the HTTP API asks beside credit, in one transaction; the ids refused for any of it."""
        refused: frozenset[int] = frozenset()

        async def run(connection: asyncpg.Connection, *place: int) -> asyncpg.Record | None:
            nonlocal refused
            async with connection.transaction():
                out = await prepare(connection, batch.terms, batch.messages)
                kept = [(m, o) for m, o in zip(batch.messages, batch.opened, strict=True) if m.message_id not in out]
                messages, opened = [m for m, _ in kept], [o for _, o in kept]
                columns = rows.accept_columns(messages, opened, journal_id)
                row = await connection.fetchrow(rows.ACCEPT, *place, *columns)
                refused = out | frozenset(row["refused"] if row else ())
                await conclude(connection, batch.terms, refused)
            return row

        await self._line.commit_by(run)
        return refused

    async def _refused_after_all(self, batch: _AcceptBatch) -> frozenset[int]:
        try:
            stored = await self._line.read(lambda connection: rows.stored_ids(connection, batch.messages))
            refused = frozenset(m.message_id for m in batch.messages if m.message_id not in stored)
            await self._line.read(lambda connection: recall_outcome(connection, batch.terms, refused))
        except NotCommitted as fault:
            raise OutcomeUnknown("committed, but PostgreSQL went away before it could tell what") from fault
        return refused

    async def open_attempts(
        self, connection: asyncpg.Connection, journal: AttemptJournal, messages: list[Message]
    ) -> None:
        """Journal attempts of messages that waited in a queue. The caller sees to a journal whose commit was lost."""
        if not await rows.open_attempts(connection, self._line.node_id, self._line.epoch, journal.journal_id, messages):
            raise FencedOut("another process took this node's place")
        journal.open_count = len(messages)


class SettleStream:
    """Writes what became of messages, with the money, journals, parked receipts and timelines that belong to it.

    `batch` is what the next commit takes; rooms put rows into it and, when someone waits for them, await `durable()`.
    Nothing that was put in is given up: while PostgreSQL is away the batch waits.
    """

    def __init__(self, line: CommitLine) -> None:
        self._line = line
        self.last_characters: dict[int, int] = {}  # by connector id: of ids that its receipts repeat only the end of
        self.batch = SettleBatch(self.last_characters)
        self._gathered = asyncio.Event()
        self.waiting = 0  # messages handed over and not committed yet
        self.away = False  # whether the last try failed
        self.set_aside = 0  # rows that PostgreSQL refused for what they say

    def save(self, message: Message) -> None:
        """Put a changed message into the next batch."""
        if not message.dirty:
            message.dirty = True
            self.batch.messages.append(message)
            self.waiting += 1
        self._gathered.set()

    def durable(self) -> asyncio.Future[None]:
        """Done once everything put in so far is committed."""
        self._gathered.set()
        return self.batch.waiter()

    async def close(self) -> None:
        """Give the connection up: nothing is written any more."""
        await self._line.close()

    async def run(self) -> None:
        """Commit batch after batch until cancelled. Raises FencedOut."""
        while True:
            await self._gathered.wait()
            self._gathered.clear()
            while self.batch:
                batch, self.batch = self.batch, SettleBatch(self.last_characters)
                batch, rest = batch.split(SETTLE_ROWS)
                if rest is not None:
                    self.batch = rest
                size = len(batch.messages)
                await self._commit(batch)
                self.waiting -= size

    async def _commit(self, batch: SettleBatch) -> None:
        columns, extras = batch.columns(), batch.extras()
        crash_point("settle.before_commit")
        try:
            await self._write(columns, extras)
        except RowsRefused:
            held = await self._read_held(batch.messages)
            self.set_aside += await Pieces(batch, columns, held, self._write, self._line.node_id).store()
        self.away = False
        crash_point("settle.committed")
        batch.resolve()

    async def _write(self, columns: Sequence[object], extras: Sequence[Extra]) -> None:
        """One transaction, tried for as long as PostgreSQL is away. Raises RowsRefused."""
        pause_s = RETRY_FIRST_S
        while True:
            number = self._line.batch + 1
            try:
                await self._line.commit(rows.SETTLE, columns, extras)
                return
            except CommittedUnheard:
                return
            except RowsRefused:
                raise
            except OutcomeUnknown:
                self.away = True
                if await self._line.resolve(number):
                    return
            except NotCommitted as fault:
                self.away = True
                log.warning("settle_waits", extra={"messages": len(columns[0]), "why": str(fault)})  # type: ignore[arg-type]
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)

    async def _read_held(self, messages: list[Message]) -> frozenset[int]:
        """Which of these still have their hold open, as stored."""
        while True:
            try:
                found: frozenset[int] = await self._line.read(lambda c: rows.held_ids(c, messages))
                return found
            except NotCommitted:
                self.away = True
                await asyncio.sleep(RETRY_LAST_S)
