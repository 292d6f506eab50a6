"""What ESMEs are owed (receipts and inbound messages) and how it reaches them: a window each, kept while they are away.

Source: smpp-answers ("deliver_sm not answered in 30 s: again on another bind: 5 s, 30 s, 2 m, 10 m, 1 h ... 24 h,
then dead letter"). Memory holds a bounded queue for each ESME, and beside it what its windows and retries hold; the
rest are rows. What must not enter: what a message's state means.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from gateway.crash_points import crash_point
from gateway.message import InboundMessage, Message, node_of
from gateway.message_states import FINAL
from gateway.notify.receipt_text import is_wanted, receipt_for
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdus import DeliverSm
from gateway.storage.group_commit import NotCommitted, SettleStream
from gateway.storage.messages import decode_envelope
from gateway.storage.reader import Reader
from gateway.tallies import Tallies

log = logging.getLogger("passerelle.notify")

QUEUE_LIMIT: Final = 5_000  # chosen: owed to one ESME in memory; more wait as rows
PAGE: Final = 2_500  # chosen: rows read back at once, half of the queue
RETRY_S: Final = (5, 30, 120, 600, 3600)  # smpp-answers; the last one is repeated
GIVE_UP_MS: Final = 24 * 3600 * 1000  # smpp-answers: 24 h, then dead letter
TEMPORARY_STATUSES: Final = frozenset({0x08, 0x14, 0x58, 0x64})  # smpp-answers: anything else refused is permanent


class Bind(Protocol):
    """A bound session that can take deliver_sm."""

    def deliverable(self) -> int:
        """How many it takes now."""
        ...

    def wind_clock(self) -> bool:
        """Tell the session what time it is, before anything is sent."""
        ...

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        """Send one."""
        ...

    def flush(self) -> None:
        """Write what was sent."""
        ...


class Owed(msgspec.Struct):
    """One thing an ESME is owed. stored: a row of waiting_notifications names it."""

    esme_id: int
    account_id: int
    message_id: int
    message: Message | None
    inbound: InboundMessage | None
    tries: int = 0
    give_up_at_ms: int = 0
    stored: bool = False
    closed: bool = False

    def pdu(self) -> DeliverSm:
        """The deliver_sm that carries it."""
        if self.message is not None:
            return receipt_for(self.message)
        assert self.inbound is not None
        return _inbound_pdu(self.inbound)


class _Mailbox:
    """One ESME's binds and what it is owed, in memory."""

    __slots__ = ("binds", "later", "left", "queue", "read_from_id", "here", "turn")

    def __init__(self) -> None:
        self.binds: list[Bind] = []
        self.queue: deque[Owed] = deque()
        self.later: list[tuple[int, Owed]] = []  # due at (Unix milliseconds), to be tried again
        self.read_from_id: int | None = 0  # rows after this id wait; None: all rows are in memory
        self.here: set[int] = set()  # message ids in memory: queued, sent and unanswered, or to be tried again
        self.left: set[int] | None = None  # while rows are read: ids that left memory meanwhile
        self.turn = 0


class EsmeDeliveries:
    """Delivers what ESMEs are owed. `run_due` is called by the clock; everything else by what happens."""

    def __init__(
        self, reader: Reader, settling: SettleStream, wall_ms: Callable[[], int], tallies: Tallies, born_id: int = 0
    ) -> None:
        self._reader = reader
        self._settling = settling
        self._wall_ms = wall_ms
        self._tallies = tallies
        self._mailboxes: dict[int, _Mailbox] = {}
        self._outstanding: dict[int, None] = {}  # message ids owed from memory only, in order of offering
        self._born_id = born_id  # this node's inbound messages from here on are this life's own
        self._offered: set[int] = set()  # ESMEs with something new in their queue
        self._told_meanwhile: set[int] | None = None  # while a former life's debts are read
        self._lives_to_recover = 1  # whose debts are not all known yet: until then the mark stays
        self._recovering = asyncio.Lock()
        self.owed_from_id = 0  # durable: below it everything owed has a row

    @property
    def recovered(self) -> bool:
        """Whether the debts of former lives, and of nodes that were taken over, are all known."""
        return self._lives_to_recover == 0

    def owe_from(self, owed_from_id: int) -> None:
        """Another node's debts became ours, from this message id on; `recover` finds them."""
        self.owed_from_id = min(self.owed_from_id, owed_from_id)
        self._lives_to_recover += 1

    def _mailbox(self, esme_id: int) -> _Mailbox:
        mailbox = self._mailboxes.get(esme_id)
        if mailbox is None:
            mailbox = self._mailboxes[esme_id] = _Mailbox()
        return mailbox

    # ------------------------------------------------------------------ what is owed

    def foresee(self, message: Message) -> None:
        """A message becomes final in the batch that gathers now. An old one gets its row in the same transaction:
        after a crash only young messages are searched for receipts that are owed."""
        if not is_wanted(message):
            return
        if message.message_id >= self.owed_from_id:
            self._outstanding[message.message_id] = None
        else:
            now_ms = self._wall_ms()
            self._settling.batch.waiting.append(
                (message.esme_id, message.account_id, message.message_id, "receipt", 0, now_ms, now_ms + GIVE_UP_MS)
            )

    def oldest_owed_id(self) -> int | None:
        """The smallest message id owed from memory without a row; None when there is none."""
        return min(self._outstanding, default=None)

    def offer(self, message: Message) -> None:
        """Take over a stored, final message whose ESME asked for a receipt."""
        if not is_wanted(message):
            message.notify = "no"
            self._settling.save(message)
            return
        owed = Owed(message.esme_id, message.account_id, message.message_id, message, None)
        owed.stored = message.message_id < self.owed_from_id
        self._owe(owed)

    def offer_inbound(self, inbound: InboundMessage) -> None:
        """Take over a stored message from a handset that has an owner."""
        if inbound.esme_id is not None and inbound.account_id is not None:
            self._owe(Owed(inbound.esme_id, inbound.account_id, inbound.message_id, None, inbound))

    def _owe(self, owed: Owed) -> None:
        owed.give_up_at_ms = self._wall_ms() + GIVE_UP_MS
        mailbox = self._mailbox(owed.esme_id)
        if not owed.stored:
            self._outstanding[owed.message_id] = None
        if not mailbox.binds or mailbox.read_from_id is not None or len(mailbox.queue) >= QUEUE_LIMIT:
            self._leave_to_rows(mailbox, owed)
        else:
            mailbox.here.add(owed.message_id)
            mailbox.queue.append(owed)
            self._offered.add(owed.esme_id)

    def deliver_offered(self) -> None:
        """Send what was offered, as far as windows allow: one write a bind, however many were offered."""
        for esme_id in self._offered:
            self._deliver(self._mailbox(esme_id))
        self._offered.clear()

    def _leave_to_rows(self, mailbox: _Mailbox, owed: Owed) -> None:
        """Keep it as a row; rows are read back when the ESME has a bind and room."""
        self._store(owed, self._wall_ms())
        self._forget(mailbox, owed)
        crash_point("notify.left_to_rows")
        if mailbox.read_from_id is None:
            mailbox.read_from_id = owed.message_id - 1
        else:
            mailbox.read_from_id = min(mailbox.read_from_id, owed.message_id - 1)

    @staticmethod
    def _forget(mailbox: _Mailbox, owed: Owed) -> None:
        mailbox.here.discard(owed.message_id)
        if mailbox.left is not None:
            mailbox.left.add(owed.message_id)

    def _store(self, owed: Owed, due_at_ms: int) -> None:
        kind = "receipt" if owed.inbound is None else "inbound"
        self._settling.batch.waiting.append(
            (owed.esme_id, owed.account_id, owed.message_id, kind, owed.tries, due_at_ms, owed.give_up_at_ms)
        )
        self._settling.durable()
        owed.stored = True
        self._outstanding.pop(owed.message_id, None)

    # ------------------------------------------------------------------ delivering

    def attach(self, esme_id: int, bind: Bind) -> None:
        """A receiving bind came up: what waited goes out."""
        mailbox = self._mailbox(esme_id)
        mailbox.binds.append(bind)
        self._deliver(mailbox)

    def detach(self, esme_id: int, bind: Bind, contexts: list[object]) -> None:
        """A bind is gone: what it had not answered goes back, in front and in order."""
        mailbox = self._mailbox(esme_id)
        if bind in mailbox.binds:
            mailbox.binds.remove(bind)
        mailbox.queue.extendleft(owed for owed in reversed(contexts) if isinstance(owed, Owed))
        if mailbox.binds:
            self._deliver(mailbox)
        else:
            while mailbox.queue:
                self._leave_to_rows(mailbox, mailbox.queue.popleft())

    def room(self, esme_id: int) -> None:
        """A bind of this ESME takes more again."""
        self._deliver(self._mailbox(esme_id))

    def look_again(self, esme_id: int) -> None:
        """Rows were written for this ESME by somebody else: they are read when it has a bind and room."""
        mailbox = self._mailboxes.get(esme_id)  # one that is made later reads from the beginning
        if mailbox is not None:
            mailbox.read_from_id = 0

    def _deliver(self, mailbox: _Mailbox) -> None:
        queue = mailbox.queue
        touched: list[Bind] = []
        if queue:
            for each in list(mailbox.binds):
                each.wind_clock()
        while queue:
            bind = self._next_bind(mailbox)
            if bind is None:
                break
            owed = queue.popleft()
            if owed.closed:
                continue  # a late answer came while it waited to be tried again
            owed.tries += 1
            try:
                bind.deliver(owed.pdu(), owed)
            except LocalProtocolError as fault:  # boundary: what this bind cannot be told must not end the node
                log.error("delivery_impossible", extra={"message_id": owed.message_id, "why": str(fault)})
                self._close(owed, "dead")
                continue
            if bind not in touched:
                touched.append(bind)
        for bind in touched:
            bind.flush()
        if touched:
            crash_point("notify.written")

    @staticmethod
    def _next_bind(mailbox: _Mailbox) -> Bind | None:
        """The next bind in turn that has room."""
        binds = mailbox.binds
        for _ in range(len(binds)):
            mailbox.turn = (mailbox.turn + 1) % len(binds)
            if binds[mailbox.turn].deliverable() > 0:
                return binds[mailbox.turn]
        return None

    def answered(self, esme_id: int, bind: Bind, context: object, command_status: int) -> None:
        """The ESME answered a deliver_sm."""
        if not isinstance(context, Owed):
            return
        mailbox = self._mailbox(esme_id)
        if command_status == 0:
            self._close(context, "done")
            crash_point("notify.acknowledged")
        elif command_status in TEMPORARY_STATUSES:
            self._again(mailbox, context)
        else:
            log.warning("delivery_refused", extra={"esme": esme_id, "status": f"0x{command_status:02X}"})
            self._close(context, "dead")
        if mailbox.queue:
            self._deliver(mailbox)

    def unanswered(self, esme_id: int, bind: Bind, context: object) -> None:
        """No deliver_sm_resp in time: once more, later, on whatever bind has room."""
        if isinstance(context, Owed):
            self._again(self._mailbox(esme_id), context)

    def _again(self, mailbox: _Mailbox, owed: Owed) -> None:
        if owed.closed:
            return
        now_ms = self._wall_ms()
        if now_ms >= owed.give_up_at_ms:
            self._close(owed, "dead")
            return
        due_ms = now_ms + RETRY_S[min(owed.tries, len(RETRY_S)) - 1] * 1000
        self._store(owed, due_ms)
        mailbox.later.append((due_ms, owed))

    def _close(self, owed: Owed, how: str) -> None:
        if owed.closed:
            return
        owed.closed = True
        now_ms = self._wall_ms()
        mailbox = self._mailbox(owed.esme_id)
        self._forget(mailbox, owed)
        if mailbox.later:  # a late answer to what was to be tried again
            mailbox.later = [(at_ms, each) for at_ms, each in mailbox.later if each is not owed]
        if self._told_meanwhile is not None:
            self._told_meanwhile.add(owed.message_id)
        self._tallies.notifications[how] += 1
        if owed.message is not None:
            owed.message.notify = how
            owed.message.notified_at_ms = now_ms
            self._settling.save(owed.message)
        else:
            self._settling.batch.inbound_closed.append((owed.message_id, how, now_ms))
            self._settling.durable()
        if owed.stored:
            self._settling.batch.taken.append((owed.esme_id, owed.message_id))
        else:
            self._outstanding.pop(owed.message_id, None)

    # ------------------------------------------------------------------ what time brings

    async def run_due(self) -> None:
        """Once in a while: retries that are due, and rows to be read back for ESMEs that have room."""
        now_ms = self._wall_ms()
        for esme_id, mailbox in list(self._mailboxes.items()):
            due = [owed for at_ms, owed in mailbox.later if at_ms <= now_ms]
            if due:
                mailbox.later = [(at_ms, owed) for at_ms, owed in mailbox.later if at_ms > now_ms]
                mailbox.queue.extend(due)
            if mailbox.binds:
                self._deliver(mailbox)
                while self._wants_rows(mailbox) and await self._read_back(esme_id, mailbox):
                    self._deliver(mailbox)
                self._deliver(mailbox)

    @staticmethod
    def _wants_rows(mailbox: _Mailbox) -> bool:
        return bool(mailbox.binds) and mailbox.read_from_id is not None and len(mailbox.queue) < QUEUE_LIMIT // 2

    async def _read_back(self, esme_id: int, mailbox: _Mailbox) -> bool:
        """Read the next page of rows; what is in memory already is left out. False: PostgreSQL is away."""
        from_id = mailbox.read_from_id or 0
        mailbox.read_from_id = (
            None  # what is left to rows from here on moves it again, even while we wait for the commit
        )
        await self._settling.durable()
        left: set[int] = set()
        mailbox.left = left
        try:
            rows = await self._reader.waiting_of_esme(esme_id, from_id, PAGE)
            receipts = await self._reader.load_messages(
                [(r["account_id"], r["message_id"]) for r in rows if r["kind"] == "receipt"]
            )
            inbound = await self._reader.load_inbound([r["message_id"] for r in rows if r["kind"] == "inbound"])
        except NotCommitted:
            mailbox.read_from_id = from_id if mailbox.read_from_id is None else min(from_id, mailbox.read_from_id)
            return False
        finally:
            mailbox.left = None
        if len(rows) == PAGE:
            last = rows[-1]["message_id"]
            mailbox.read_from_id = last if mailbox.read_from_id is None else min(last, mailbox.read_from_id)
        if rows:
            crash_point("notify.read_back")
        for row in rows:
            message_id = row["message_id"]
            if message_id in mailbox.here or message_id in left:
                continue  # the row is a memory of the past
            message = receipts.get(message_id)
            if message is not None and message.notify != "asked":
                continue
            if message is not None and message.state not in FINAL:
                continue  # its row was stored a moment before it becomes final
            if message is None and (message_id not in inbound or inbound[message_id].state != "due"):
                continue
            mailbox.here.add(message_id)
            mailbox.queue.append(
                Owed(
                    esme_id,
                    row["account_id"],
                    message_id,
                    message,
                    inbound.get(message_id),
                    row["tries"],
                    row["give_up_at_ms"],
                    stored=True,
                )
            )
        return True

    async def recover(self, account_ids: list[int]) -> int:
        """After a start or a takeover: what a former life owed from memory; how many. What memory holds is left out."""
        async with self._recovering:
            return await self._recover(account_ids)

    async def _recover(self, account_ids: list[int]) -> int:
        count, from_id, after_id = 0, self.owed_from_id, 0
        lives = self._lives_to_recover
        self._told_meanwhile = told = set[int]()
        try:
            while messages := await self._reader.owed_receipts(account_ids, from_id, PAGE):
                fresh = [m for m in messages if self._is_news(m.esme_id, m.message_id, told)]
                for message in fresh:
                    self.offer(message)
                count += len(fresh)
                self.deliver_offered()
                from_id = messages[-1].message_id + 1
                await self._settling.durable()
            while inbound := await self._reader.due_inbound(after_id, PAGE):
                arrived = [
                    i
                    for i in inbound
                    if not self._is_of_this_life(i) and self._is_news(i.esme_id or 0, i.message_id, told)
                ]
                for each in arrived:
                    self.offer_inbound(each)
                count += len(arrived)
                self.deliver_offered()
                after_id = inbound[-1].message_id
                await self._settling.durable()
        finally:
            self._told_meanwhile = None
        self._lives_to_recover -= lives
        return count

    def _is_of_this_life(self, inbound: InboundMessage) -> bool:
        return inbound.message_id >= self._born_id and node_of(inbound.message_id) == node_of(self._born_id)

    def _is_news(self, esme_id: int, message_id: int, told: set[int]) -> bool:
        return not (message_id in self._outstanding or message_id in told or message_id in self._mailbox(esme_id).here)

    async def bury(self) -> int:
        """What was owed for a day becomes a dead letter, seen in the message's row; how many."""
        await self._settling.durable()  # a `done` that waits there must not become a dead letter
        rows = await self._reader.waiting_overdue(self._wall_ms(), PAGE)
        rows = [row for row in rows if row["message_id"] not in self._mailbox(row["esme_id"]).here]
        receipts = await self._reader.load_messages(
            [(r["account_id"], r["message_id"]) for r in rows if r["kind"] == "receipt"]
        )
        inbound = await self._reader.load_inbound([r["message_id"] for r in rows if r["kind"] == "inbound"])
        for row in rows:
            message_id = row["message_id"]
            if message_id in self._mailbox(row["esme_id"]).here:
                continue
            message = receipts.get(message_id)
            owed = Owed(row["esme_id"], row["account_id"], message_id, message, inbound.get(message_id), stored=True)
            if owed.inbound is not None or (message is not None and message.notify == "asked"):
                self._close(owed, "dead")
            else:
                self._settling.batch.taken.append((owed.esme_id, message_id))  # its message is gone, or was told
        await self._settling.durable()
        return len(rows)


def _inbound_pdu(inbound: InboundMessage) -> DeliverSm:
    envelope = decode_envelope(inbound.envelope)
    short = len(inbound.user_data) <= 254  # SMPP v3.4 5.2.22: sm_length is one octet, 255 is reserved
    return DeliverSm(
        service_type=envelope.service_type,
        source_addr_ton=envelope.source_addr_ton,
        source_addr_npi=envelope.source_addr_npi,
        source_addr=inbound.source_addr,
        dest_addr_ton=envelope.dest_addr_ton,
        dest_addr_npi=envelope.dest_addr_npi,
        destination_addr=inbound.destination_addr,
        esm_class=envelope.esm_class,
        protocol_id=envelope.protocol_id,
        priority_flag=envelope.priority_flag,
        data_coding=inbound.data_coding,
        short_message=inbound.user_data if short else b"",
        tlvs=envelope.tlvs if short else (*envelope.tlvs, (0x0424, inbound.user_data)),
    )
