"""What ESMEs are owed (receipts and inbound messages) and how it reaches them: a window each, kept while they are away.

Source: smpp-answers ("deliver_sm not answered in 30 s: again on another bind: 5 s, 30 s, 2 m, 10 m, 1 h ... 24 h,
then dead letter"). Memory holds a bounded queue for each ESME, and beside it what its windows and retries hold; the
rest are rows. What must not enter: what a message's state means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from gateway.crash_points import crash_point
from gateway.message import InboundMessage, Message, node_of
from gateway.message_states import FINAL
from gateway.notify import inbound_pdus
from gateway.notify.mailbox import Bind, Mailbox, Owed
from gateway.notify.receipt_text import is_wanted, mention_of, receipt_for
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdus import DeliverSm
from gateway.storage.facts import EsmeRow
from gateway.storage.group_commit import NotCommitted, SettleStream
from gateway.storage.reader import Reader
from gateway.tallies import Tallies
from telecom.data_coding import DefaultAlphabet

log = logging.getLogger("passerelle.notify")

PAGE: Final = 2_500  # chosen: rows read back at once, half of the queue
RETRY_S: Final = (5, 30, 120, 600, 3600)  # smpp-answers; the last one is repeated
LONGEST_RETRY_MS: Final = RETRY_S[-1] * 1000  # what is due later than that met a clock that stepped back
GIVE_UP_MS: Final = 24 * 3600 * 1000  # smpp-answers: 24 h, then dead letter
TEMPORARY_STATUSES: Final = frozenset({0x08, 0x14, 0x58, 0x64})  # smpp-answers: anything else refused is permanent


class EsmeDeliveries:
    """Delivers what ESMEs are owed. `run_due` is called by the clock; everything else by what happens."""

    def __init__(
        self, reader: Reader, settling: SettleStream, wall_ms: Callable[[], int], tallies: Tallies, born_id: int = 0
    ) -> None:
        self._reader = reader
        self._settling = settling
        self._wall_ms = wall_ms
        self._tallies = tallies
        self._mailboxes: dict[int, Mailbox] = {}
        self._alphabets: dict[int, DefaultAlphabet] = {}  # by ESME, where it is not gsm7
        self._wishes: dict[int, tuple[bool, bool]] = {}  # by ESME: the newest first, a receipt for each part
        self._outstanding: dict[int, None] = {}  # message ids owed from memory only, in order of offering
        self._born_id = born_id  # this node's inbound messages from here on are this life's own
        self._offered: set[int] = set()  # ESMEs with something new in their queue
        self._told_meanwhile: set[int] | None = None  # while a former life's debts are read
        self._lives_to_recover = 1  # whose debts are not all known yet: until then the mark stays
        self._recovering = asyncio.Lock()
        self._rows_lock = asyncio.Lock()  # rows are read to be told here, or handed to another node, never both
        self.owed_from_id = 0  # durable: below it everything owed has a row

    @property
    def recovered(self) -> bool:
        """Whether the debts of former lives, and of nodes that were taken over, are all known."""
        return self._lives_to_recover == 0

    def owe_from(self, owed_from_id: int) -> None:
        """Another node's debts became ours, from this message id on; `recover` finds them. Its rows are read again."""
        self.owed_from_id = min(self.owed_from_id, owed_from_id)
        self._lives_to_recover += 1
        for esme_id in self._mailboxes:
            self.look_again(esme_id)

    def _mailbox(self, esme_id: int) -> Mailbox:
        mailbox = self._mailboxes.get(esme_id)
        if mailbox is None:
            mailbox = self._mailboxes[esme_id] = Mailbox(*self._wishes.get(esme_id, (False, False)))
        return mailbox

    def apply_facts(self, esmes: Collection[EsmeRow]) -> None:
        """How logins wish to be told; what is in memory already keeps its place."""
        self._alphabets = {e.esme_id: e.default_alphabet for e in esmes if e.default_alphabet != "gsm7"}
        self._wishes = {e.esme_id: (e.receipts_first == "newest", e.receipt_for_each_part) for e in esmes}
        for esme_id, mailbox in self._mailboxes.items():
            mailbox.wish(*self._wishes.get(esme_id, (False, False)))

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
                (message.esme_id, message.account_id, message.message_id, "receipt", 0, now_ms, now_ms + GIVE_UP_MS, 0)
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
        owed.parts = self._parts_of(message)
        owed.stored = message.message_id < self.owed_from_id
        self._owe(owed)

    def _parts_of(self, message: Message) -> int:
        """How many receipts a message takes: one, or one for each part that we made of it."""
        each_part = message.part_count > 1 and self._wishes.get(message.esme_id, (False, False))[1]
        return message.part_count if each_part else 1

    def offer_inbound(self, inbound: InboundMessage) -> None:
        """Take over a stored message from a handset that has an owner."""
        if inbound.esme_id is not None and inbound.account_id is not None:
            self._owe(Owed(inbound.esme_id, inbound.account_id, inbound.message_id, None, inbound))

    def _owe(self, owed: Owed) -> None:
        owed.give_up_at_ms = self._wall_ms() + GIVE_UP_MS
        mailbox = self._mailbox(owed.esme_id)
        if not owed.stored:
            self._outstanding[owed.message_id] = None
        if mailbox.newest_first and mailbox.binds and not mailbox.takes_more:
            self._leave_to_rows(mailbox, mailbox.queue.pop())  # the oldest makes room
        if mailbox.takes_more:
            mailbox.put(owed)
            self._offered.add(owed.esme_id)
        else:
            self._leave_to_rows(mailbox, owed)

    def mention(self, message: Message, message_state: int) -> None:
        """An intermediate notification, to whatever bind has room now. It promises nothing, and is not kept."""
        bind = self._mailbox(message.esme_id).next_bind()
        told = bind is not None and bind.wind_clock() and bind.deliverable() > 0
        if bind is not None and told:
            try:
                bind.deliver(mention_of(message, message_state, self._wall_ms()), None)
                bind.flush()
            except LocalProtocolError:  # boundary: this bind cannot carry it
                told = False
        self._tallies.notifications["mentioned" if told else "not_mentioned"] += 1

    def deliver_offered(self) -> None:
        """Send what was offered, as far as windows allow: one write a bind, however many were offered."""
        for esme_id in self._offered:
            self._deliver(self._mailbox(esme_id))
        self._offered.clear()

    def _leave_to_rows(self, mailbox: Mailbox, owed: Owed) -> None:
        """Keep it as a row; rows are read back when the ESME has a bind and room."""
        self._store(owed, self._wall_ms())
        mailbox.forget(owed)
        crash_point("notify.left_to_rows")
        mailbox.row_waits(owed.message_id)

    def _store(self, owed: Owed, due_at_ms: int) -> None:
        kind = "receipt" if owed.inbound is None else "inbound"
        self._settling.batch.waiting.append(
            (
                owed.esme_id,
                owed.account_id,
                owed.message_id,
                kind,
                owed.tries,
                due_at_ms,
                owed.give_up_at_ms,
                owed.parts_told,
            )
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
            return
        mailbox.queue.extend(owed for _, owed in mailbox.later)  # it may come back on another node
        mailbox.later.clear()
        while mailbox.queue:
            owed = mailbox.queue.popleft()
            if not owed.closed:
                self._leave_to_rows(mailbox, owed)

    def room(self, esme_id: int) -> None:
        """A bind of this ESME takes more again."""
        self._deliver(self._mailbox(esme_id))

    def _deliver(self, mailbox: Mailbox) -> None:
        queue = mailbox.queue
        touched: list[Bind] = []
        if queue:
            for each in list(mailbox.binds):
                each.wind_clock()
        while queue:
            bind = mailbox.next_bind(queue[0].impossible_on)
            if bind is None and not queue[0].impossible_on:
                break
            owed = queue.popleft()
            if owed.closed:
                continue  # a late answer came while it waited to be tried again
            if bind is None:  # those that could carry it are busy, or not there: it holds up nobody
                mailbox.later.append((self._wall_ms(), owed))
                continue
            owed.tries += 1
            try:
                bind.deliver(self._pdu(owed), owed)
            except LocalProtocolError as fault:  # boundary: what this bind cannot be told must not end the node
                self._not_on(mailbox, owed, bind, fault)
                continue
            if bind not in touched:
                touched.append(bind)
        for bind in touched:
            bind.flush()
        if touched:
            crash_point("notify.written")

    def _not_on(self, mailbox: Mailbox, owed: Owed, bind: Bind, fault: LocalProtocolError) -> None:
        """This bind cannot carry it (a v3.3 one takes no TLV): another one of the login may."""
        owed.tries -= 1
        owed.impossible_on = (*(each for each in owed.impossible_on if each in mailbox.binds), bind)
        if any(each not in owed.impossible_on for each in mailbox.binds):
            mailbox.queue.appendleft(owed)
            return
        if owed.inbound is not None and owed.parts == 1 and (parts := inbound_pdus.parts_of(owed.inbound)):
            owed.parts, owed.impossible_on = len(parts), ()  # without TLVs it goes in parts
            mailbox.queue.appendleft(owed)
            return
        log.error("delivery_impossible", extra={"message_id": owed.message_id, "why": str(fault)})
        self._close(owed, "dead")

    def _pdu(self, owed: Owed) -> DeliverSm:
        """The deliver_sm that carries it, or its next part."""
        if owed.message is not None:
            return receipt_for(owed.message, owed.parts_told if owed.parts > 1 else None)
        assert owed.inbound is not None
        alphabet = self._alphabets.get(owed.esme_id, "gsm7")
        if owed.parts > 1:
            return inbound_pdus.deliver_sm_of_part(owed.inbound, owed.parts_told, alphabet)
        return inbound_pdus.deliver_sm_of(owed.inbound, alphabet)

    def answered(self, esme_id: int, bind: Bind, context: object, command_status: int) -> None:
        """The ESME answered a deliver_sm."""
        if not isinstance(context, Owed):
            return
        mailbox = self._mailbox(esme_id)
        if command_status == 0:
            context.parts_told += 1
            if context.parts_told < context.parts and not context.closed:
                context.tries = 0
                mailbox.queue.appendleft(context)  # the receipt of its next part
            else:
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

    def _again(self, mailbox: Mailbox, owed: Owed) -> None:
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
        mailbox.forget(owed)
        if mailbox.later:  # a late answer to what was to be tried again
            mailbox.later = [(at_ms, each) for at_ms, each in mailbox.later if each is not owed]
        if self._told_meanwhile is not None:
            self._told_meanwhile.add(owed.message_id)
        self._tallies.notifications[how] += 1
        if owed.message is not None and owed.read_back:  # another object of this message may be settled here
            self._settling.batch.receipts_closed.append((owed.account_id, owed.message_id, how, now_ms))
            self._settling.durable()
        elif owed.message is not None:
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
            due = [owed for at_ms, owed in mailbox.later if at_ms <= now_ms or at_ms > now_ms + LONGEST_RETRY_MS]
            if due:
                mailbox.later = [
                    (at_ms, owed) for at_ms, owed in mailbox.later if now_ms < at_ms <= now_ms + LONGEST_RETRY_MS
                ]
                mailbox.queue.extend(due)
            if mailbox.binds:
                self._deliver(mailbox)
                while mailbox.wants_rows and await self._read_back(esme_id, mailbox):
                    self._deliver(mailbox)
                self._deliver(mailbox)

    def look_again(self, esme_id: int) -> None:
        """Rows were added beside us (a replay, another node): they are read at the clock's next turn."""
        mailbox = self._mailboxes.get(esme_id)  # one that is made later reads from the first row
        if mailbox is not None:
            mailbox.rows_wait(mailbox.first_edge)

    async def look_for_rows(self) -> None:
        """The same for every ESME that is bound here and has rows, in case nobody was heard who added them."""
        settled = [e for e, mailbox in self._mailboxes.items() if mailbox.binds and mailbox.read_from_id is None]
        for esme_id in await self._reader.esmes_with_rows(settled):
            self.look_again(esme_id)

    async def _read_back(self, esme_id: int, mailbox: Mailbox) -> bool:
        """Read the next page of rows; what is in memory already is left out. False: PostgreSQL is away."""
        async with self._rows_lock:
            return await self._read_page(esme_id, mailbox)

    async def _read_page(self, esme_id: int, mailbox: Mailbox) -> bool:
        from_id = mailbox.first_edge if mailbox.read_from_id is None else mailbox.read_from_id
        mailbox.read_from_id = (
            None  # what is left to rows from here on moves it again, even while we wait for the commit
        )
        await self._settling.durable()
        left: set[int] = set()
        mailbox.left = left
        try:
            rows = await self._reader.waiting_of_esme(esme_id, from_id, PAGE, mailbox.newest_first)
            receipts = await self._reader.load_messages(
                [(r["account_id"], r["message_id"]) for r in rows if r["kind"] == "receipt"]
            )
            inbound = await self._reader.load_inbound([r["message_id"] for r in rows if r["kind"] == "inbound"])
        except NotCommitted:
            mailbox.rows_wait(from_id)
            return False
        finally:
            mailbox.left = None
        if len(rows) == PAGE:
            mailbox.rows_wait(rows[-1]["message_id"])
        if rows:
            crash_point("notify.read_back")
        for row in rows:
            message_id = row["message_id"]
            if message_id in mailbox.here or message_id in left:
                continue  # the row is a memory of the past
            message = receipts.get(message_id)
            if message is not None and message.notify != "asked" and not row["replayed"]:
                continue
            if message is not None and message.state not in FINAL:
                continue  # its row was stored a moment before it becomes final
            arrived = inbound.get(message_id)
            if message is None and (arrived is None or (arrived.state != "due" and not row["replayed"])):
                continue
            owed = Owed(esme_id, row["account_id"], message_id, message, arrived, row["tries"], row["give_up_at_ms"])
            owed.stored = owed.read_back = True
            owed.parts = self._parts_of(message) if message is not None else 1
            owed.parts_told = min(row["parts_told"], owed.parts - 1)
            mailbox.put_read_back(owed)
        return True

    async def hand_over(self, hand: Callable[[list[int], list[int]], Awaitable[int]]) -> int:
        """Let rows go to nodes where their ESMEs are bound; how many. hand takes the ESMEs that are bound here and the
        messages that memory keeps for a later try.
        """
        async with self._rows_lock:
            were_bound = self._bound()  # what these answered before they left is forgotten first, not told over there
            await self._settling.durable()
            kept = [each for mailbox in self._mailboxes.values() if not mailbox.binds for each in mailbox.here]
            return await hand(list(were_bound | self._bound()), kept)

    def _bound(self) -> set[int]:
        return {esme_id for esme_id, mailbox in self._mailboxes.items() if mailbox.binds}

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
            owed = Owed(row["esme_id"], row["account_id"], message_id, message, inbound.get(message_id))
            owed.stored = owed.read_back = True
            if owed.inbound is not None or (message is not None and message.notify == "asked"):
                self._close(owed, "dead")
            else:
                self._settling.batch.taken.append((owed.esme_id, message_id))  # its message is gone, or was told
        await self._settling.durable()
        return len(rows)
