"""A message's life, in the order in which it happens: accept, route, send, settle, notify. START READING HERE.

Source: architecture section 3. Five verbs; branches stand here, rules (accept, router, receipts) and IO (storage,
connectors, notify) are calls. The same rule is never written for two doors: doors translate, this decides.
What must not enter: sockets, SQL, protocol numbers.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.accept.opt_outs import OptOuts
from gateway.accept.refusals import Refusal
from gateway.accept.rules import ESM_UDHI, SAR_REFERENCE, AcceptPolicy, admit, no_longer_permitted
from gateway.active import ActiveMessages
from gateway.connector import (
    Connector,
    ConnectorEvent,
    Doubtful,
    Health,
    InboundArrived,
    ReceiptArrived,
    ReceiptSource,
    Rejected,
    Taken,
    TryLater,
)
from gateway.crash_points import crash_point
from gateway.inbound.desk import Answer, InboundDesk, InboundPolicy
from gateway.lanes import SPARE_OF_CLASS
from gateway.message import (
    HTTP_DOOR,
    PART_IN_DOUBT,
    PART_QUEUED,
    AttemptJournal,
    InboundMessage,
    Message,
    MessageIds,
    Submission,
)
from gateway.message_states import FINAL, STATE_WORDS
from gateway.outbox import Outbox
from gateway.receipts import fold
from gateway.receipts.carrier_errors import ErrorMeaning, explain
from gateway.receipts.parse import Receipt
from gateway.sender_refusals import SenderRefusals
from gateway.shares import Shares
from gateway.smpp.declared_tlvs import Declared, fault_of
from gateway.storage.group_commit import AcceptStream, NotCommitted, OutcomeUnknown, SettleStream
from gateway.storage.reader import Reader
from gateway.storage.terms import Terms
from gateway.tallies import Tallies
from gateway.unnamed import Awaited
from gateway.waiting_room import WaitingRoom
from router.choose import choose
from router.facts import Facts, NoRoute, RouteChoice

log = logging.getLogger("passerelle.lifecycle")

INTERMEDIATE_ASKED = 0x10  # SMPP v3.4 5.2.17: registered_delivery, bit 4
ON_THE_WAY_LIMIT = 1_000  # chosen: intermediate notifications that wait for a commit; they promise nothing
MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 24 * 60
MONDAY_OFFSET_MINUTES = 3 * 24 * 60  # 1970-01-01 was a Thursday
OPEN_AT_ONCE = 200  # chosen: messages of one journal of attempts
UNCERTAIN_PAUSES_MS = (1_000, 10_000, 60_000)  # chosen: when rows of an unknown COMMIT are searched
DATABASE_PAUSE_S = 0.5  # chosen: between tries while PostgreSQL is away
STORE_PATIENCE_S = 10.0  # chosen: how long a carrier waits for its deliver_sm_resp while PostgreSQL is away


class LifePolicy(msgspec.Struct, frozen=True):
    """What operators decide about messages in general."""

    accept: AcceptPolicy = AcceptPolicy()
    money: fold.MoneyPolicy = fold.MoneyPolicy()
    resend_classes: frozenset[str] = frozenset({"otp", "transactional"})
    doubt_graces_ms: Mapping[int, int] = msgspec.field(default_factory=dict)  # by connector id; without: a minute
    inbound: InboundPolicy = InboundPolicy()
    opt_out_spares: frozenset[str] = frozenset({"otp"})  # classes that an opt-out does not stop
    waiting_limit: int = 20_000  # submissions not yet durable, and outcomes not yet stored


class Notifier(Protocol):
    """Who tells customers what became of their messages."""

    def foresee(self, message: Message) -> None:
        """Make sure, in the batch that makes a message final, that its receipt is not forgotten by a crash."""
        ...

    def offer(self, message: Message) -> None:
        """Take over a stored, final message whose ESME asked for a receipt."""
        ...

    def offer_inbound(self, inbound: InboundMessage) -> None:
        """Take over a stored message from a handset."""
        ...

    def mention(self, message: Message, message_state: int) -> None:
        """Tell that a message is on its way (v3.4 5.2.28), to an ESME that asked for it and is there now."""
        ...

    def deliver_offered(self) -> None:
        """Send what was offered, as far as windows allow."""
        ...


class Lifecycle:
    """All messages of a node, from acceptance to their receipt. One instance a process; daemon builds it."""

    def __init__(
        self,
        book: FactBook,
        policy: LifePolicy,
        ids: MessageIds,
        accepting: AcceptStream,
        settling: SettleStream,
        reader: Reader,
        connectors: Iterable[Connector],
        health: Mapping[str, Health],
        notifier: Notifier,
        wall_ms: Callable[[], int],
        tallies: Tallies,
        queue_limit: int,
    ) -> None:
        self.book = book
        self.policy = policy
        self._waiting_limit = policy.waiting_limit  # in force: below 0 while the disk is full
        self._disk_full = False
        self.connectors = {c.connector_id: c for c in connectors}
        self.queue_limit = queue_limit
        self.outboxes = {c.connector_id: Outbox(queue_limit, c.room) for c in self.connectors.values()}
        self.health = health  # by connector name; the connectors keep it true
        self.elsewhere: dict[
            int, tuple[int, ...]
        ] = {}  # by connector without binds here: spans of nodes that have some
        self._handed = 0  # how many messages were handed over at acceptance
        self.active = ActiveMessages()
        names = {c.connector_id: c.name for c in self.connectors.values()}
        self.waiting_room = WaitingRoom(reader, settling, ids, wall_ms, self.active, names, tallies)
        self.opt_outs = OptOuts(policy.opt_out_spares)
        self.inbound = InboundDesk(settling, reader, ids, wall_ms, self.opt_outs, tallies, policy.inbound)
        self._ids = ids
        self._accepting = accepting
        self._settling = settling
        self._reader = reader
        self._notifier = notifier
        self._wall_ms = wall_ms
        self._tallies = tallies
        self._shares = Shares()  # of what waits to become durable
        self.declared_tlvs: Mapping[int, Declared] = {}  # by connector id
        self._sender_refusals = SenderRefusals()
        self._finished: list[Message] = []  # final, to be told once durable
        self.error_maps: Mapping[str, Mapping[str, ErrorMeaning]] = {}  # by connector name
        self._on_the_way: list[tuple[Message, int]] = []  # with the state that an intermediate notification told
        self._postponed: list[Message] = []  # to leave memory once durable
        self.uncertain: list[tuple[int, int, int]] = []  # when to search (Unix milliseconds), connector, from which id

    # ------------------------------------------------------------------ accept

    def admit(self, submission: Submission) -> Message | Refusal:
        """Apply every rule but credit, and choose the way out. Nothing is promised yet."""
        limit, waiting = self._waiting_limit, self._accepting.waiting
        if waiting > limit or self._settling.waiting > limit:
            return self._refuse(Refusal.DISK_FULL if self._disk_full else Refusal.QUEUE_FULL)
        if waiting * 2 >= limit and self._shares.is_over(submission.account_id, limit):
            return self._refuse(Refusal.QUEUE_FULL)  # promise P7: one flood must not fill what all share
        now_ms = self._wall_ms()
        message = admit(submission, self.book, self.policy.accept, self._ids.next(now_ms), now_ms, self.opt_outs)
        if isinstance(message, Refusal):
            return self._refuse(message)
        choice = self.route(message, now_ms)
        if type(choice) is NoRoute:  # isinstance asks an ABC where the type differs: 0.5 us
            sender = message.source_addr.casefold()
            left_out = (
                sender in self.book.refused_senders or (message.account_id, sender) in self.book.sender_connectors
            )
            refused = left_out and choice.reason == "none_left"
            return self._refuse(Refusal.SENDER_REFUSED if refused else Refusal.NO_ROUTE)
        if message.envelope.tlvs:
            declared = self.declared_tlvs.get(message.connector_id) or self.book.declared_tlvs.get(message.connector_id)
            fault = fault_of(message.envelope.tlvs, declared or {})
            if fault is not None:
                return self._refuse(Refusal.TLV_LENGTH if fault == "length" else Refusal.TLV_VALUE)
        return message

    @property
    def fullness(self) -> float:
        """How near the queues are to their limit, past which submissions are refused: 0 to 1, and a little more."""
        return max(self._accepting.waiting, self._settling.waiting) / max(self.policy.waiting_limit, 1)

    def _refuse(self, refusal: Refusal) -> Refusal:
        self._tallies.messages["mt", refusal.value] += 1
        return refusal

    async def accept(self, messages: list[Message], terms: Terms | None = None) -> frozenset[int]:
        """Make admitted messages durable with their hold; return the ids refused for want of credit, or by `terms`.

        What has room on its connector has its attempts journalled in the same transaction and leaves at once.
        Raises NotCommitted (nothing was stored) or OutcomeUnknown (do not answer).
        """
        opened = [self._reserve(message) for message in messages]
        account_id = messages[0].account_id  # a door hands over what one bind sent
        self._shares.enter(account_id, len(messages))
        self.active.land(messages)
        crash_point("accept.reserved")
        try:
            outcome = await self._accepting.append(messages, opened, terms)
        except (NotCommitted, OutcomeUnknown) as fault:
            for message, reserved in zip(messages, opened, strict=True):
                if reserved:
                    self.connectors[message.connector_id].give_back(message.part_count)
            if isinstance(fault, OutcomeUnknown):
                self._search_later(messages)
            raise
        finally:
            self._shares.leave(account_id, len(messages))
            self.active.landed(messages)
        leaving: dict[int, list[Message]] = {}
        for message, reserved in zip(messages, opened, strict=True):
            if message.message_id in outcome.refused:
                self._tallies.messages["mt", Refusal.NO_CREDIT.value] += 1
                if reserved:
                    self.connectors[message.connector_id].give_back(message.part_count)
            elif reserved and outcome.journal is not None:
                message.journal = outcome.journal
                self.active.enter(message)
                leaving.setdefault(message.connector_id, []).append(_begin_writing(message))
            elif message.not_before_ms == 0 and message.handed_to == 0:
                self._queue(message)
        self._tallies.messages["mt", "accepted"] += sum(m.message_id not in outcome.refused for m in messages)
        if self.book.inbound.has_shared:
            self._note_conversations(messages, outcome.refused)
        for connector_id, batch in leaving.items():
            self._submit(self.connectors[connector_id], batch)
        return outcome.refused

    def _note_conversations(self, messages: list[Message], refused: frozenset[int]) -> None:
        """Who wrote last from a number that several accounts share: a reply is for him."""
        now_ms = self._wall_ms()
        self._settling.batch.conversations += [
            (m.source_addr.lstrip("+"), m.destination_addr, m.account_id, now_ms)
            for m in messages
            if m.message_id not in refused and self.book.inbound.is_shared(m.source_addr.lstrip("+"))
        ]

    def _search_later(self, messages: list[Message]) -> None:
        """These may have been stored: their rows are looked for as soon as, and until, PostgreSQL surely knows."""
        for connector_id in {m.connector_id for m in messages}:
            from_id = min(m.message_id for m in messages if m.connector_id == connector_id)
            now = self._wall_ms()
            self.uncertain += [(now + pause_ms, connector_id, from_id) for pause_ms in UNCERTAIN_PAUSES_MS]

    def _reserve(self, message: Message) -> bool:
        if self.elsewhere and (spans := self.elsewhere.get(message.connector_id)) is not None:
            self._handed += 1
            message.handed_to = spans[self._handed % len(spans)]  # in turns, as their binds are many
            return False
        outbox = self.outboxes.get(message.connector_id)
        return (
            outbox is not None
            and message.not_before_ms == 0
            and outbox.idle
            and self.connectors[message.connector_id].reserve(message.part_count, SPARE_OF_CLASS[message.traffic_class])
        )

    def refuse_new(self, disk_full: bool) -> None:
        """Whether what is new is refused for want of room on PostgreSQL's disk; what is under way goes on."""
        self._disk_full = disk_full
        self._waiting_limit = -1 if disk_full else self.policy.waiting_limit

    def reaches(self, connector_id: int) -> bool:
        """Whether messages for a connector leave, or wait, here or on another node."""
        return connector_id in self.connectors or connector_id in self.elsewhere

    def now_ms(self) -> int:
        """Unix milliseconds by the clock that decides about messages."""
        return self._wall_ms()

    def horizon(self) -> int:
        """A message id that none accepted from now on is below."""
        return self._ids.horizon(self._wall_ms())

    # ------------------------------------------------------------------ route

    def route(self, message: Message, now_ms: int) -> RouteChoice | NoRoute:
        """Choose the connector of a message and write the choice, with its reason, into it."""
        book = self.book
        network = book.networks.lookup(message.destination_addr) if book.networks is not None else None
        excluded: frozenset[str] = frozenset()
        if message.refused_by:
            excluded = frozenset(book.connector_names[c] for c in message.refused_by)
        if message.envelope.no_reply:
            excluded |= book.numeric_only
        if book.refused_senders:
            excluded |= book.refused_senders.get(message.source_addr.casefold(), frozenset())
        if book.sender_connectors:
            excluded |= book.sender_connectors.get((message.account_id, message.source_addr.casefold()), frozenset())
        choice = choose(
            Facts(
                message.destination_addr,
                network.mcc if network else None,
                network.mnc if network else None,
                message.account_id,
                message.source_addr,
                message.traffic_class,
                (now_ms // MINUTE_MS + MONDAY_OFFSET_MINUTES) % WEEK_MINUTES,
                self._sticky_key(message),
                excluded,
            ),
            book.routes,
            self.health,
        )
        if type(choice) is RouteChoice:
            message.connector_id = book.connector_ids[choice.connector]
            message.route_id = choice.route_id
            message.route_why = choice.why
        return choice

    @staticmethod
    def _sticky_key(message: Message) -> int:
        """The same for all submissions that are parts of one long message: their UDH begins alike (23.040
        9.2.3.24.1), or their SAR reference is one.
        """
        if message.envelope.esm_class & ESM_UDHI:
            return zlib.crc32(message.user_data[:5], zlib.crc32(message.destination_addr.encode()))
        for tag, value in message.envelope.tlvs:
            if tag == SAR_REFERENCE:
                return zlib.crc32(value, zlib.crc32(message.destination_addr.encode()))
        return message.message_id

    # ------------------------------------------------------------------ send

    async def send(self, connector: Connector) -> None:
        """Send what waits for a connector, as its pace and window allow, until cancelled."""
        outbox = self.outboxes[connector.connector_id]
        while True:
            batch = self._take(connector, outbox)
            if batch:
                await self._open_and_submit(connector, batch)
            elif outbox.peek() is None:
                outbox.work.clear()
                await outbox.work.wait()
            else:
                connector.room.clear()
                await connector.room.wait()

    def _take(self, connector: Connector, outbox: Outbox) -> list[Message]:
        batch: list[Message] = []
        stuck: Message | None = None
        while (message := outbox.peek(stuck)) is not None and len(batch) < OPEN_AT_ONCE:
            now_ms = self._wall_ms()
            if message.state != "queued":
                outbox.take(message)  # it became final while it waited
            elif message.expires_at_ms <= now_ms:
                self.finish(outbox.take(message), "expired", "validity ended in our queue")
            elif (refusal := no_longer_permitted(message, self.book, self.opt_outs, now_ms)) is not None:
                self.finish(
                    outbox.take(message), "rejected", refusal.value
                )  # promise P9: asked again before it is sent
            elif connector.reserve(message.part_count, outbox.spare(message)):
                batch.append(_begin_writing(outbox.take(message)))
            else:
                stuck = message  # whoever is more urgent may still find room
        return batch

    async def _open_and_submit(self, connector: Connector, batch: list[Message]) -> None:
        crash_point("send.before_journal")
        journal = AttemptJournal(self._accepting.next_journal_id())
        try:
            await self._reader.run(lambda c: self._accepting.open_attempts(c, journal, batch))
        except NotCommitted:
            self._settling.batch.closed_journals.append(journal.journal_id)  # it may be there: nothing of it was sent
            for message in reversed(batch):
                connector.give_back(message.part_count)
                message.open_parts = 0  # this writing is over: surely not sent
                self._settling.save(message)
                self.outboxes[connector.connector_id].put_first(message)
            await asyncio.sleep(DATABASE_PAUSE_S)
            return
        crash_point("send.journalled")
        for message in batch:
            message.journal = journal
        self._submit(connector, batch)

    def _submit(self, connector: Connector, batch: list[Message]) -> None:
        for message in batch:
            message.attempt_count += 1
        for message in connector.submit(batch):
            message.open_parts = 0
            message.attempt_count -= 1
            self.store(message)  # surely not sent, and its journal may stay for its neighbours
            self.outboxes[connector.connector_id].put_first(message)

    def _queue(self, message: Message) -> None:
        outbox = self.outboxes.get(message.connector_id)
        if outbox is not None and outbox.put(message):
            self.active.enter(message)

    # ------------------------------------------------------------------ settle

    async def settle(self, connector: Connector) -> None:
        """Take what happens on a connector, fold it into messages, store it, then acknowledge it, until cancelled."""
        async for events in connector.events():
            tokens = [e.token for e in events if type(e) is ReceiptArrived or type(e) is InboundArrived]
            left = [e for e in (self._settle_one(connector, e) for e in events) if e is not None]
            if left:
                again = await self._look_up(connector, left)
                connector.acknowledge(again, stored=False)
                tokens = [token for token in tokens if token not in again]
            if tokens or self._finished or self._postponed:
                stored = await self.publish()
                if tokens:
                    connector.acknowledge(tokens, stored)
                    crash_point("settle.receipt_acknowledged")
                    if not stored and left:
                        came = [e for e in left if isinstance(e, InboundArrived) and e.token in tokens]
                        self.inbound.await_again(connector.connector_id, came)
                    if stored and self.inbound.has_more_to_do(connector.connector_id):
                        await self._follow_up(connector)

    async def _look_up(self, connector: Connector, left: list[ReceiptArrived | InboundArrived]) -> list[Any]:
        """What rows decide: receipts that memory does not know, handsets' messages. Returns the tokens of those that
        PostgreSQL was away for: the carrier is to send them again.
        """
        again: list[Any] = []
        unmatched = [each for each in left if isinstance(each, ReceiptArrived)]
        if unmatched and not await self._match(connector, unmatched):
            again += [receipt.token for receipt in unmatched]
        if inbound := [each for each in left if isinstance(each, InboundArrived)]:
            again += await self.inbound.take_in(connector.connector_id, inbound, self.book)
        return again

    async def _follow_up(self, connector: Connector) -> None:
        """Once handsets' messages are stored and acknowledged: complete long ones go on, STOP and HELP are answered."""
        await self.inbound.join_touched(connector.connector_id, self.book)
        await self.publish()
        answers = await self.inbound.claim_answers(connector.connector_id)
        if answers:
            await self._say(answers)

    async def _say(self, answers: list[Answer]) -> None:
        """Send people the gateway's own answers: free of charge, and also to those who opted out."""
        admitted = [self.admit(answer.submission()) for answer in answers]
        messages = [message for message in admitted if isinstance(message, Message)]
        for message in messages:
            message.price_micros = 0
        why: str = next((refusal.value for refusal in admitted if isinstance(refusal, Refusal)), "")
        lost = len(admitted) - len(messages)
        try:
            refused = await self.accept(messages) if messages else frozenset()
        except (NotCommitted, OutcomeUnknown) as fault:
            lost, why = len(admitted), str(fault)
        else:
            lost, why = lost + len(refused), Refusal.NO_CREDIT.value if refused else why
        if lost:
            log.warning("answer_lost", extra={"answers": lost, "why": why})

    async def _match(self, connector: Connector, unmatched: list[ReceiptArrived]) -> bool:
        """Look receipts up that memory does not know; False: PostgreSQL is away, the carrier is to send them again."""
        try:
            async with asyncio.timeout(STORE_PATIENCE_S):
                found = await self.waiting_room.search(connector.connector_id, unmatched)
        except (NotCommitted, TimeoutError):
            return False
        for receipt, awaited in found:
            self.receipted(connector, receipt, awaited)
        return True

    def _settle_one(self, connector: Connector, event: ConnectorEvent) -> ReceiptArrived | InboundArrived | None:
        """Fold one event into its message; return what rows must decide: a receipt whose message is not in memory, a
        handset's message.
        """
        kind = type(event)
        if kind is Taken:
            self._taken(connector, event)  # type: ignore[arg-type]  # kind says it
        elif kind is ReceiptArrived:
            awaited = self.waiting_room.find(connector.connector_id, event)  # type: ignore[arg-type]
            if awaited is None:
                return event  # type: ignore[return-value]
            self.receipted(connector, event.receipt, awaited)  # type: ignore[union-attr]
        elif kind is TryLater:
            self._try_later(connector, event)  # type: ignore[arg-type]
        elif kind is Rejected:
            self._rejected(connector, event)  # type: ignore[arg-type]
        elif kind is Doubtful:
            self._doubtful(event)  # type: ignore[arg-type]
        else:
            return event  # type: ignore[return-value]
        return None

    def _taken(self, connector: Connector, event: Taken) -> None:
        crash_point("settle.response_read")
        message = event.message
        doubted = message.state == "in_doubt"
        folded = fold.part_taken(message, event.part_no, event.smsc_message_id, self._wall_ms(), self.policy.money)
        if folded == "changed":
            if (self.book.told_events or message.envelope.callback) and message.state == "submitted":
                self._tell(message, "message.submitted")
            parked = self.waiting_room.expect(connector.connector_id, message, event.part_no, event.smsc_message_id)
            for receipt in parked:
                self._fold_receipt(connector, message, event.part_no, receipt.state, receipt.error)
        else:  # a second copy: the first one's late answer, or receipt, came before
            self.waiting_room.expect_again(connector.connector_id, message, event.part_no, event.smsc_message_id)
        if event.late:
            self.note(message, "late_response", f"part {event.part_no}: {folded}")
            if folded == "changed":  # else another object may stand for the row: it was told of, or left memory
                self.store(message)
                self._go_on(message, doubted)
        else:
            self._outcome_read(message)
            self._sender_refusals.taken(connector.connector_id, message.source_addr)
            if message.setback is not None:
                self._decide_setback(connector, message)

    def receipted(self, connector: ReceiptSource, receipt: Receipt | None, awaited: Awaited) -> None:
        """Fold a receipt into the part it speaks of."""
        message, part_no = awaited.message, awaited.part_no
        if receipt is None or not receipt.state:
            self._tallies.receipts[connector.name, "undecided"] += 1
            if receipt is not None:
                self._on_its_way(message, part_no, receipt)
            return
        doubted = message.state == "in_doubt"
        if message.part_states[part_no] == PART_IN_DOUBT:
            fold.part_taken(message, part_no, receipt.smsc_message_id, self._wall_ms(), self.policy.money)
            self.note(message, "doubt_resolved", "by a receipt that fits no other attempt")
        self._fold_receipt(connector, message, part_no, receipt.state, receipt.error)
        self._go_on(message, doubted)

    def _go_on(self, message: Message, doubted: bool) -> None:
        """The last doubt of a message was resolved: parts that were surely not sent are due."""
        if doubted and message.state == "queued" and not message.open_parts:
            self.waiting_room.certain(message)
            self.postpone(message, self._wall_ms(), "its doubt is over")

    def _on_its_way(self, message: Message, part_no: int, receipt: Receipt) -> None:
        """An intermediate notification decides nothing: it is noted, and passed on to whom it was promised."""
        word = STATE_WORDS.get(receipt.message_state, "UNKNOWN")
        self.note(message, "intermediate", f"part {part_no}: {word} {receipt.error}".rstrip())
        if message.envelope.registered_delivery & INTERMEDIATE_ASKED and message.state not in FINAL:
            self._on_the_way.append((message, receipt.message_state))

    def _fold_receipt(self, connector: ReceiptSource, message: Message, part_no: int, state: str, error: str) -> None:
        now_ms = self._wall_ms()
        if error:
            error, kind = explain(error, self.error_maps.get(connector.name, {}))
            self._tallies.receipt_errors[connector.name, kind] += 1
        folded = fold.part_receipted(message, part_no, state, error, now_ms, self.policy.money)
        if connector.receipt_covers:
            fold.rest_receipted(message, connector.receipt_covers, state, error, now_ms, self.policy.money)
        self._tallies.receipts[connector.name, folded] += 1
        if folded == "conflict":
            self.note(message, "receipt_conflict", f"part {part_no} was {message.state}, then {state} {error}")
        if folded != "changed":
            return
        if message.submitted_at_ms:
            self._tallies.receipt_latency[connector.name].observe((now_ms - message.submitted_at_ms) / 1000)
        self.store(message)
        if message.state in FINAL:
            self._leave(message)

    def _try_later(self, connector: Connector, event: TryLater) -> None:
        message = event.message
        if event.after_s:
            self.note(message, "try_later", f"{connector.name}: {event.why}; again in {event.after_s:g} s")
        if not isinstance(message.setback, Rejected) and (
            message.setback is None or event.after_s > message.setback.after_s
        ):
            message.setback = event
        self._outcome_read(message)
        self._decide_setback(connector, message)

    def _rejected(self, connector: Connector, event: Rejected) -> None:
        message = event.message
        self.note(message, "rejected", f"{connector.name}: {event.why}")
        if event.sender_refused:
            self._sender_refused(connector, message, event.why)
        message.setback = event
        self._outcome_read(message)
        self._decide_setback(connector, message)

    def _sender_refused(self, connector: Connector, message: Message, why: str) -> None:
        sender = message.source_addr.casefold()
        if connector.name in self.book.refused_senders.get(sender, ()):
            return  # it was under way when the pair was disabled
        if self._sender_refusals.refused(connector.connector_id, sender):
            self._settling.batch.disabled_senders.append((connector.connector_id, sender, why, self._wall_ms()))
            name = message.source_addr if not message.source_addr.lstrip("+").isdigit() else "a number"
            remedy = "have the carrier register it, then: passerelle route allow-sender"
            log.error(
                "sender_disabled", extra={"connector": connector.name, "sender": name, "status": why, "remedy": remedy}
            )

    def _decide_setback(self, connector: Connector, message: Message) -> None:
        """Once no part is open any more: again, later, elsewhere, or never."""
        setback = message.setback
        if setback is None or message.open_parts or message.state in FINAL:
            return
        message.setback = None
        crash_point("settle.setback")
        if isinstance(setback, Rejected):
            if setback.elsewhere and set(message.part_states) == {PART_QUEUED}:
                self._elsewhere(connector, message, setback)
            else:
                self.finish(message, "rejected", setback.why)
        elif message.state == "in_doubt":
            return  # the doubt decides; its resend takes these parts along
        elif setback.after_s == 0:
            message.attempt_count -= 1
            self.outboxes[connector.connector_id].put_first(message)
        else:
            self.postpone(message, self._wall_ms() + int(setback.after_s * 1000), setback.why)

    def _elsewhere(self, connector: Connector, message: Message, refusal: Rejected) -> None:
        """Try the next route; where there is none, here again later, or end."""
        message.refused_by = (*message.refused_by, connector.connector_id)
        message.dialect = 0  # the next one is written to in its own way
        now_ms = self._wall_ms()
        if not isinstance(self.route(message, now_ms), NoRoute):
            self.note(message, "rerouted", message.route_why)
            message.attempt_count = 0
            due_ms, why = now_ms, "another route"
        elif refusal.later_s:
            message.refused_by = ()
            due_ms, why = now_ms + int(refusal.later_s * 1000), refusal.why
        else:
            self.finish(message, "rejected", refusal.why)
            return
        refused_by = ",".join(map(str, message.refused_by))
        self._settling.batch.refusals.append((message.account_id, message.message_id, refused_by))
        self.store(message)
        self.postpone(message, due_ms, why)

    def _doubtful(self, event: Doubtful) -> None:
        message = event.message
        if fold.part_in_doubt(message, event.part_no) == "changed":
            self.note(message, "in_doubt", f"part {event.part_no}: {event.why}")
            self.waiting_room.doubt(message, event.part_no)
            crash_point("settle.doubted")
        self._outcome_read(message)
        if message.setback is not None:
            self._decide_setback(self.connectors[message.connector_id], message)

    def _outcome_read(self, message: Message) -> None:
        """One part fewer is on a wire."""
        message.open_parts = max(0, message.open_parts - 1)
        self._undelay(message)
        self.store(message)

    def store(self, message: Message) -> None:
        """Hand a changed message to the settle stream; its journal entry goes once no part is open or in doubt."""
        undecided = message.open_parts or (message.state not in FINAL and PART_IN_DOUBT in message.part_states)
        if message.journal is not None and not undecided:
            self._close_attempt(message)
        self._settling.save(message)

    def _undelay(self, message: Message) -> None:
        if message.delay_stored:
            message.delay_stored = False
            self._settling.batch.undelayed.append((message.account_id, message.message_id))

    def _close_attempt(self, message: Message) -> None:
        journal, message.journal = message.journal, None
        if journal is not None:
            journal.open_count -= 1
            if journal.open_count == 0:
                self._settling.batch.closed_journals.append(journal.journal_id)

    def finish(self, message: Message, state: str, error: str) -> None:
        """End a message, with its money; its customer is told by the next `publish`."""
        if message.state in FINAL:
            return
        self._undelay(message)
        fold.finish(message, state, error, self._wall_ms(), self.policy.money)
        self.store(message)
        self._leave(message)

    def _leave(self, message: Message) -> None:
        self.active.leave(message.message_id)
        if message.in_doubt_count or not message.smsc_message_ids:
            self.waiting_room.certain(message)
        if message.notify == "asked":
            self._notifier.foresee(message)
        if self.book.told_events or message.envelope.callback or message.esme_id == HTTP_DOOR:
            self._tell(message, f"message.{message.state}")
        self._tallies.messages["mt", message.state] += 1
        self._finished.append(message)
        crash_point("settle.final")

    def _tell(self, message: Message, event: str) -> None:
        """Owe an event over HTTP, in the batch that stores what it tells of: to account and message's URL."""
        is_told = event in self.book.told_events.get(message.account_id, ())
        if message.esme_id == HTTP_DOOR and event != "message.submitted":
            is_told = True  # whoever sends by HTTP reads there what became of it, also before this book knew of his key
        url, form, method, events = message.envelope.callback or ("", "", "", "")
        if event not in events.split():
            url = form = method = ""
        if is_told or url:
            self._settling.batch.happened.append(
                (message.account_id, message.message_id, event, self._wall_ms(), is_told, url, form, method)
            )

    def postpone(self, message: Message, due_ms: int, why: str) -> None:
        """Put a message off to a time, as a row that a crash does not forget; it leaves memory once that is stored."""
        self._settling.batch.delays.append((due_ms, message.account_id, message.message_id, why))
        message.delay_stored = False  # the row that is written now is not the one that was claimed
        message.unqueued = False  # that row brings it back
        self._postponed.append(message)

    def hand_on(self, message: Message, span_id: int) -> None:
        """Hand a message that waits to the holder of a span, in the batch that gathers now."""
        self._undelay(message)
        self._settling.batch.handed.append((message.account_id, message.message_id, span_id))

    def note(self, message: Message, event: str, detail: str) -> None:
        """Write an uncommon fact into a message's timeline."""
        self._settling.batch.events.append((message.account_id, message.message_id, self._wall_ms(), event, detail))

    # ------------------------------------------------------------------ notify

    async def publish(self) -> bool:
        """Wait until all that happened is durable, then tell customers. False: PostgreSQL is away, try again later."""
        finished, self._finished = self._finished, []
        postponed, self._postponed = self._postponed, []
        on_the_way, self._on_the_way = self._on_the_way, []
        inbound = self.inbound.take_fresh()
        try:
            async with asyncio.timeout(STORE_PATIENCE_S):
                await asyncio.shield(self._settling.durable())
        except TimeoutError:
            self._finished += finished
            self._postponed += postponed
            self._on_the_way = [*on_the_way, *self._on_the_way][-ON_THE_WAY_LIMIT:]
            self.inbound.put_back(inbound)
            return False
        if postponed:
            crash_point("settle.postponed")
        for message in postponed:
            if not (message.dirty or message.open_parts or message.delay_stored or _is_known_elsewhere(message)):
                self.active.leave(message.message_id)
        for message, message_state in on_the_way:
            self._notifier.mention(message, message_state)
        for message in finished:
            if message.notify != "asked":
                continue
            if message.open_parts:  # another part's outcome is still to be stored: nobody may read the row before
                self._finished.append(message)
            else:
                self._notifier.offer(message)
        if inbound:
            crash_point("inbound.committed")
        for arrived in inbound:
            self._notifier.offer_inbound(arrived)
        if finished:
            crash_point("notify.offered")
        self._notifier.deliver_offered()
        return True


def _begin_writing(message: Message) -> Message:
    """From here on the message has parts that are, or are about to be, on a wire: nobody else ends it."""
    message.sends += 1
    message.open_parts = message.part_states.count(PART_QUEUED)
    return message


def _is_known_elsewhere(message: Message) -> bool:
    """Whether a receipt or a late response may still be joined to this very object: then it stays in memory."""
    return message.in_doubt_count > 0 or set(message.part_states) != {PART_QUEUED}
