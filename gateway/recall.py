"""What a customer may still do with a message he gave us: ask how it stands, take it back, put another in its place.

Source: SMPP v3.4 4.8 to 4.10, 5.2.18; docs/decisions (recall). A message may be taken back while nothing of it was
ever written to a carrier. Cancelling goes the way of every end (gateway.lifecycle); replacing changes a row that no
node holds, so a message in memory is first put down as a row of `delayed`.
What must not enter: PDUs, statuses, SQL.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from enum import Enum

import msgspec

from gateway.accept.refusals import Refusal
from gateway.accept.rules import ESM_UDHI, admit, destination_number
from gateway.active import Left
from gateway.lifecycle import Lifecycle
from gateway.message import PART_QUEUED, Envelope, Message, Submission
from gateway.message_states import FINAL
from gateway.storage import recalls
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown, SettleStream
from gateway.storage.reader import Reader
from telecom.data_coding import DefaultAlphabet
from telecom.default_alphabet import from_default_alphabet

TRIES = 5  # chosen: a message that is each time somewhere else is being sent
PARK_MS = 10_000  # chosen: longer than a replacing takes; then the message goes on as it was
FIND_AT_ONCE = 500  # chosen: rows of one look for a number's messages
CANCELLED = "cancelled by its sender"
WISH_PATIENCE_S = 5.0  # smpp-answers: how long an outcome is looked up
WISH_LOOK_S = 0.05  # chosen: between two looks at what another node answered
WISHES_AT_ONCE = 100  # chosen


class Recalled(Enum):
    """What became of a wish."""

    DONE = "done"
    UNKNOWN = "unknown"  # no such message, or not this customer's, or not from this source
    TOO_LATE = "too late"  # something of it was written to a carrier, or it is final
    BUSY = "busy"  # PostgreSQL is away, or the message did not stand still: ask again


class Naming(msgspec.Struct, frozen=True):
    """Which message is meant: its id, and what the customer must know of it. destination_addr "": not asked."""

    account_id: int
    message_id: int
    source_addr: str
    destination_addr: str = ""

    def fits(self, message: Message) -> bool:
        """Whether it is this customer's message and was sent as he says."""
        envelope = message.envelope
        return (
            message.account_id == self.account_id
            and envelope.submitted_source == self.source_addr
            and self.destination_addr in ("", envelope.submitted_destination)
        )


class Changes(msgspec.Struct, frozen=True):
    """What takes the place of a message's content; None: as it was. Times in Unix milliseconds."""

    user_data: bytes
    registered_delivery: int
    not_before_ms: int | None = None  # 0: at once
    expires_at_ms: int | None = None
    data_coding: int | None = None
    envelope: Envelope | None = None
    alphabet: DefaultAlphabet = "gsm7"  # of the text, where what it replaces came as data_coding 0


encode_changes = msgspec.msgpack.Encoder().encode
decode_changes = msgspec.msgpack.Decoder(Changes).decode
_OUTCOMES: dict[str, Recalled | Refusal] = {each.value: each for each in (*Recalled, *Refusal)}


class Recall:
    """The verbs. All raise NotCommitted where PostgreSQL is away before anything was done."""

    def __init__(
        self, lifecycle: Lifecycle, reader: Reader, settling: SettleStream, wall_ms: Callable[[], int]
    ) -> None:
        self._life = lifecycle
        self._reader = reader
        self._settling = settling
        self._wall_ms = wall_ms
        self._under_way: dict[int, asyncio.Event] = {}  # message ids somebody changes now
        self._searching = asyncio.Lock()  # one search by number at a time: it may read many rows

    # ------------------------------------------------------------------ query

    async def query(self, naming: Naming) -> list[Message]:
        """The message as it stands, or all those of the submit_multi whose answer had this id; empty: unknown."""
        held = self._life.active.get(naming.message_id)
        if held is None or held.envelope.multi:
            row = await self._reader.run(lambda c: recalls.find_message(c, naming.account_id, naming.message_id))
            held = held or (row.message if row else None)
        if held is None or not naming.fits(held):
            return []
        multi = held.envelope.multi
        if not multi or multi[0] != held.message_id:
            return [held]
        rows = await self._reader.run(lambda c: recalls.find_between(c, naming.account_id, *multi))
        return [self._life.active.get(row.message_id) or row for row in rows if row.envelope.multi == multi]

    # ------------------------------------------------------------------ cancel

    async def cancel(self, naming: Naming) -> Recalled:
        """Take a message back, for good, before it is answered; of a submit_multi all that can be."""
        found = await self.query(naming)
        if not found:
            return Recalled.UNKNOWN
        return await self._cancel(found)

    async def cancel_matching(
        self, account_id: int, source_addr: str, destination_addr: str, dest_ton: int, service_type: str
    ) -> Recalled:
        """Take back all that waits from a source to a destination (and of a service_type, unless that is empty)."""
        number = self._number(account_id, destination_addr, dest_ton)
        if number is None:
            return Recalled.UNKNOWN
        cancelled = False
        after_id = 0
        while True:
            rows = await self._waiting(account_id, number, after_id)
            chosen = [
                row
                for row in rows
                if row.envelope.submitted_source == source_addr and service_type in ("", row.envelope.service_type)
            ]
            outcome = await self._cancel(chosen) if chosen else Recalled.TOO_LATE
            if outcome is Recalled.BUSY:
                return outcome
            cancelled = cancelled or outcome is Recalled.DONE
            if len(rows) < FIND_AT_ONCE:
                return Recalled.DONE if cancelled else Recalled.TOO_LATE
            after_id = rows[-1].message_id

    def _number(self, account_id: int, address: str, ton: int) -> str | None:
        return destination_number(self._life.book.accounts[account_id], self._life.policy.accept, address, ton)

    async def _waiting(self, account_id: int, number: str, after_id: int) -> list[Message]:
        async with self._searching:
            await self._settling.durable()
            return await self._reader.run(lambda c: recalls.find_waiting(c, account_id, number, after_id, FIND_AT_ONCE))

    async def _cancel(self, found: list[Message]) -> Recalled:
        """Cancel what can be; DONE when anything was, and all that was is durable."""
        outcomes = [await self._cancel_one(message) for message in found]
        if Recalled.DONE in outcomes:
            return Recalled.DONE if await self._life.publish() else Recalled.BUSY
        return Recalled.BUSY if Recalled.BUSY in outcomes else Recalled.TOO_LATE

    async def _cancel_one(self, found: Message) -> Recalled | Refusal:
        async with self._turn(found.message_id):
            for _ in range(TRIES):
                message = self._life.active.get(found.message_id) or await self._adopt(found)
                if message is None:
                    continue  # it was about to enter memory, or to leave it
                if isinstance(message, int):
                    return await ask_holder(self._reader, found, message, None)
                if not is_recallable(message):
                    return Recalled.DONE if was_cancelled(message) else Recalled.TOO_LATE
                message.delay_stored = True  # whether or not there is such a row
                self._life.note(message, "cancelled", "")
                self._life.finish(message, "deleted", CANCELLED)
                return Recalled.DONE
            return Recalled.BUSY

    async def _adopt(self, found: Message) -> Message | int | None:
        """The message as this process holds it from here on; or its row where that can no longer be taken back; or the
        node that alone may.
        """
        with self._life.active.reading() as left:
            row = await self._read(found)
            if row is None or not is_recallable(row.message):
                return row.message if row else found
            if row.holder_node != self._reader.node_id:
                return row.holder_node
            return self._life.active.adopt(row.message, left)

    async def _read(self, found: Message) -> recalls.FoundRow | None:
        """The row of a message that was found before, with all that memory knew of it."""
        await self._settling.durable()
        return await self._reader.run(lambda c: recalls.find_message(c, found.account_id, found.message_id))

    # ------------------------------------------------------------------ replace

    async def replace(self, naming: Naming, changes: Changes) -> Recalled | Refusal:
        """Put another content in a waiting message's place; its id stays. Raises OutcomeUnknown, too."""
        found = await self.query(naming)
        if not found:
            return Recalled.UNKNOWN
        if len(found) > 1:
            return Recalled.TOO_LATE  # what went to many is cancelled, and sent again
        return await self._replace_one(found[0], changes)

    async def replace_present(self, message: Message) -> int | Refusal:
        """Put an admitted message in the place of the newest that waits from its source to its destination with its
        service_type; that one's id. 0: none can be replaced, it is a message of its own (v3.4 5.2.18).
        """
        envelope = message.envelope
        changes = Changes(
            message.user_data,
            envelope.registered_delivery,
            message.not_before_ms,
            message.expires_at_ms,
            message.data_coding,
            envelope,
        )
        for row in reversed(await self._waiting(message.account_id, message.destination_addr, 0)):
            same = row.envelope.submitted_source == envelope.submitted_source
            if same and row.envelope.service_type == envelope.service_type and not row.envelope.multi:
                outcome = await self._replace_one(row, changes)
                if isinstance(outcome, Refusal):
                    return outcome
                if outcome is Recalled.DONE:
                    return row.message_id
                if outcome is Recalled.BUSY:
                    return Refusal.DATABASE_AWAY
        return 0

    async def _replace_one(self, found: Message, changes: Changes) -> Recalled | Refusal:
        async with self._turn(found.message_id):
            for _ in range(TRIES):
                held = self._life.active.get(found.message_id)
                if held is not None:
                    if not is_recallable(held):
                        return Recalled.TOO_LATE
                    refusal = self._replaced(held, changes)
                    if isinstance(refusal, Refusal):
                        return refusal
                    if not await self._put_down(held):
                        return Recalled.BUSY
                    continue
                with self._life.active.reading() as left:
                    row = await self._read(found)
                    if row is None or not is_recallable(row.message):
                        return Recalled.TOO_LATE
                    if row.holder_node != self._reader.node_id:
                        return await ask_holder(self._reader, found, row.holder_node, changes)
                    if not row.postponed:  # it waits behind a full memory
                        await self._put_down_row(row.message, left)
                        continue
                    if row.unclaimed and found.message_id not in left:
                        outcome = await self._store(row.message, changes)
                        if outcome is not None:
                            return outcome
            return Recalled.BUSY

    async def _put_down(self, message: Message) -> bool:
        """Let a message that waits in memory go on as a row only; False: PostgreSQL is away."""
        outbox = self._life.outboxes.get(message.connector_id)
        if outbox is not None and outbox.withdraw(message):
            self._life.postpone(message, self._wall_ms() + PARK_MS, recalls.PARKED_WHY)
        return await self._life.publish()  # what was in no queue is being put down by somebody else

    async def _put_down_row(self, row: Message, left: Left) -> None:
        """The same for a row that no node holds and nothing names but its connector's queue."""
        if self._life.active.adopt(row, left) is row:
            self._life.postpone(row, self._wall_ms() + PARK_MS, recalls.PARKED_WHY)
        await self._life.publish()

    async def _store(self, row: Message, changes: Changes) -> Recalled | Refusal | None:
        """Replace a message that is only a row; None: it does not stand still."""
        after = self._replaced(row, changes)
        if isinstance(after, Refusal):
            return after
        if self._life.active.get(row.message_id) is not None:
            return None
        due_at_ms = 0
        if changes.not_before_ms is not None:
            due_at_ms = changes.not_before_ms or self._wall_ms()
        self._life.active.land([row])  # until it is replaced nobody takes it up as it was
        try:
            replaced = await self._reader.run(
                lambda c: recalls.replace_message(c, row, after, due_at_ms, self._wall_ms())
            )
        except OutcomeUnknown:
            replaced = await self._look_up(row, after)
        finally:
            self._life.active.landed([row])
        if replaced == "no_credit":
            return Refusal.NO_CREDIT
        if replaced == "held":
            return None
        extra_micros = after.price_micros - row.price_micros
        self._life.note(row, "replaced", f"{row.part_count} to {after.part_count} parts, {extra_micros:+d} micros")
        self._settling.durable()
        return Recalled.DONE

    async def _look_up(self, before: Message, after: Message) -> recalls.Replaced:
        """What became of a replacement whose answer was lost: "held" where it is not seen, then it is tried again, and
        if the lost one comes after all it finds another revision. Raises OutcomeUnknown where nobody answers in time.
        """
        key = before.account_id, before.message_id
        try:
            async with asyncio.timeout(WISH_PATIENCE_S):
                while True:
                    try:
                        row = await self._reader.run(lambda c: recalls.find_message(c, *key))
                    except NotCommitted:
                        await asyncio.sleep(WISH_LOOK_S)
                        continue
                    seen = row is not None and row.message.revision > before.revision
                    return "replaced" if seen and row and _content(row.message) == _content(after) else "held"
        except TimeoutError as late:
            raise OutcomeUnknown("PostgreSQL stayed away after a replacement") from late

    def _replaced(self, message: Message, changes: Changes) -> Message | Refusal:
        """The message as it would be, by the rules of acceptance; the rate is the one it was accepted at."""
        envelope = changes.envelope or msgspec.structs.replace(
            message.envelope, registered_delivery=changes.registered_delivery
        )
        text, data_coding = changes.user_data, message.data_coding
        if changes.data_coding is not None:
            data_coding = changes.data_coding
        elif message.envelope.translated or data_coding == 0:
            text, data_coding = from_default_alphabet(text, bool(envelope.esm_class & ESM_UDHI), changes.alphabet)
        if envelope.esm_class & ESM_UDHI and (not text or text[0] + 1 > len(text)):
            return Refusal.MESSAGE_LENGTH
        not_before_ms = message.not_before_ms if changes.not_before_ms is None else changes.not_before_ms
        expires_at_ms = message.expires_at_ms if changes.expires_at_ms is None else changes.expires_at_ms
        if changes.expires_at_ms is None and not_before_ms >= expires_at_ms:
            return Refusal.SCHEDULE_INVALID
        now_ms = self._wall_ms()
        after = admit(
            Submission(
                message.account_id,
                message.esme_id,
                message.traffic_class,
                message.source_addr,
                envelope.submitted_destination,
                data_coding,
                text,
                envelope,
                not_before_ms,
                expires_at_ms,
            ),
            self._life.book,
            self._life.policy.accept,
            message.message_id,
            now_ms,
            self._life.opt_outs,
        )
        if not isinstance(after, Refusal):
            after.price_micros = after.part_count * (message.price_micros // message.part_count)
        return after

    # ------------------------------------------------------------------ messages of other nodes

    async def grant_wishes(self) -> None:
        """Do what other nodes wish of messages that this one holds. Called by the clock."""
        for wish in await self._reader.run(lambda c: recalls.open_wishes(c, self._reader.node_id, WISHES_AT_ONCE)):
            outcome = await self._grant(wish)
            await self._reader.run(lambda c, w=wish, o=outcome: recalls.answer_wish(c, w.wish_id, o.value))  # type: ignore[misc]  # bound now

    async def _grant(self, wish: recalls.Wish) -> Recalled | Refusal:
        row = await self._reader.run(lambda c: recalls.find_message(c, wish.account_id, wish.message_id))
        if row is None or row.holder_node != self._reader.node_id:
            return Recalled.BUSY  # it changed hands meanwhile
        if wish.changes is None:
            return await self._cancel([row.message])
        try:
            return await self._replace_one(row.message, decode_changes(wish.changes))
        except OutcomeUnknown:
            return Recalled.BUSY

    # ------------------------------------------------------------------ one at a time

    @contextlib.asynccontextmanager
    async def _turn(self, message_id: int) -> AsyncIterator[None]:
        """Only one wish at a time changes a message."""
        while (before := self._under_way.get(message_id)) is not None:
            await before.wait()
        mine = self._under_way[message_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[message_id]
            mine.set()


async def ask_holder(reader: Reader, found: Message, holder_node: int, changes: Changes | None) -> Recalled | Refusal:
    """Have the node that holds a message do what is wished: only it may. BUSY where it does not answer in time."""
    wished = None if changes is None else encode_changes(changes)
    wish_id = await reader.run(lambda c: recalls.make_wish(c, holder_node, found, wished))
    outcome: str | None = None
    try:
        async with asyncio.timeout(WISH_PATIENCE_S):
            while outcome is None:
                await asyncio.sleep(WISH_LOOK_S)
                outcome = await reader.run(lambda c: recalls.wish_outcome(c, wish_id))
    except TimeoutError:
        return Recalled.BUSY
    finally:
        await reader.run(lambda c: recalls.drop_wish(c, wish_id))
    return _OUTCOMES[outcome]


def _content(message: Message) -> tuple[object, ...]:
    """What a replacement changes and nothing else does."""
    times = (message.not_before_ms, message.expires_at_ms)
    return (message.user_data, message.data_coding, message.price_micros, *times)


def is_recallable(message: Message) -> bool:
    """Whether surely nothing of it was written to a carrier, as far as this object or row tells."""
    return (
        message.state == "queued"
        and not message.open_parts
        and not message.in_doubt_count
        and message.part_states == PART_QUEUED * message.part_count
    )


def was_cancelled(message: Message) -> bool:
    """Whether its end is the one that was asked for: to ask twice is no fault."""
    return message.state in FINAL and message.error == CANCELLED
