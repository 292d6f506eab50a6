"""Who waits for which receipt: attempts by their carrier's id, in whatever dress it comes back.

Source: smpp-answers, "Receipts"; architecture, promises P2 and P4. Memory first, PostgreSQL for what left memory.
Beside it: attempts without an id (unnamed.py), receipts without an attempt (parking.py), dresses (receipts/dress.py).
What must not enter: what a receipt does to a message (receipts.fold), and any decision about doubts (by_the_clock).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.active import ActiveMessages
from gateway.connector import ReceiptArrived
from gateway.message import PART_QUEUED, SMSC_ID_SEPARATOR, Message, MessageIds, ParkedReceipt, id_key, unnamed_key
from gateway.message_states import FINAL
from gateway.parking import RECEIPT_DAYS_MS, ParkedReceipts, receipt_of
from gateway.receipts.dress import (
    PLAIN_DRESSES,
    SAME,
    LearnedDress,
    dresses_between,
    key_in_receipts,
    keys_by_dress,
    receipted_key,
)
from gateway.receipts.evidence import possible, the_one
from gateway.receipts.parse import Receipt
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader
from gateway.tallies import Tallies
from gateway.unnamed import NO_RIVALS, Awaited, Rivals, UnnamedAttempts, is_unnamed, rivals_elsewhere

log = logging.getLogger("passerelle.receipts")

AWAITED_LIMIT: Final = (
    50_000  # chosen: attempts kept in memory for their receipt, some 40 MiB; older ones are looked up
)
DECIDED_LIMIT: Final = 20_000  # chosen: parts receipted lately; a second receipt of an older one is looked up
NAMESAKES_LIMIT: Final = 8  # chosen: attempts in memory that one key names, as ids used again do; older ones are rows
PIECES_LIMIT: Final = 2_000  # chosen: attempts compared with a receipt whose id is only a piece of theirs
AMBIGUITY_MS: Final = 60_000  # chosen: a receipt that fits several attempts waits so long for others to teach its dress

_NOTHING: Final[dict[str, Any]] = {}
Held = Message | Awaited | list[Awaited]  # what one key names: nearly always one message of one part


class WaitingRoom:
    """Joins receipts with attempts, whichever comes first and however their ids are dressed."""

    def __init__(
        self,
        reader: Reader,
        settling: SettleStream,
        ids: MessageIds,
        wall_ms: Callable[[], int],
        active: ActiveMessages,
        names: Mapping[int, str] | None = None,
        tallies: Tallies | None = None,
    ) -> None:
        self._reader = reader
        self._settling = settling
        self._wall_ms = wall_ms
        self._active = active
        self._names = names or {}
        self._tallies = tallies or Tallies()
        self._expected: dict[int, dict[str, Held]] = {}  # by connector, by id key; oldest first
        self._decided: dict[tuple[int, str], Awaited] = {}  # lately receipted, to know a second receipt again
        self._doubts: dict[int, tuple[Message, int]] = {}  # by message id: since when, Unix milliseconds; oldest first
        self._dresses: dict[int, LearnedDress] = {}  # by connector
        self._unnamed = UnnamedAttempts()
        self.is_alone: Callable[[], bool] = lambda: True  # else other nodes' attempts are asked for
        self._parked = ParkedReceipts(reader, settling, ids, wall_ms)

    def awaited(self, connector_id: int) -> int:
        """How many parts of a connector wait in memory for their receipt."""
        return len(self._expected.get(connector_id, ()))

    # -- attempts that were taken

    def expect(self, connector_id: int, message: Message, part_no: int, smsc_message_id: str) -> list[Receipt]:
        """Wait for the receipt of a part; return receipts that came before."""
        if not smsc_message_id:  # smpp-answers: accepted; its receipt is matched by its addresses
            for gone in self._unnamed.add(connector_id, message, part_no):
                self._active.leave(gone.message_id)
            return []
        if message.final_at_ms == 0:
            self._enter(connector_id, message, part_no, smsc_message_id)
        if not self._parked:
            return []
        return self._unpark(connector_id, smsc_message_id, Awaited(message, part_no))

    def expect_again(self, connector_id: int, message: Message, part_no: int, smsc_message_id: str) -> None:
        """A second copy of a part was taken: its receipt is to be known as that of the same part."""
        if smsc_message_id and message.final_at_ms:
            self._remember_decided((connector_id, id_key(smsc_message_id)), Awaited(message, part_no))
        elif smsc_message_id:
            self._enter(connector_id, message, part_no, smsc_message_id)

    def _enter(self, connector_id: int, message: Message, part_no: int, smsc_message_id: str) -> None:
        expected = self._expected.get(connector_id)
        if expected is None:
            expected = self._expected[connector_id] = {}
        dress = self._dresses.get(connector_id) or self.dress(connector_id)
        key = dress.answered_key(smsc_message_id) if dress.last else id_key(smsc_message_id)
        held: Held = message if message.part_count == 1 else Awaited(message, part_no)
        if key in expected:
            held = _with_namesakes(expected.pop(key), held)
        expected[key] = held
        if len(expected) > AWAITED_LIMIT:
            self._leave_to_rows(connector_id, expected)

    def _remember_decided(self, key: tuple[int, str], awaited: Awaited) -> None:
        """Know a second receipt again; that of another node's message is looked up every time."""
        if not self._active.holding.has(awaited.message):
            return
        self._decided[key] = awaited
        if len(self._decided) > DECIDED_LIMIT:
            _drop_oldest(self._decided, DECIDED_LIMIT // 10)

    def _leave_to_rows(self, connector_id: int, expected: dict[str, Held]) -> None:
        """Let the oldest go: their ids stand in smsc_ids since they were stored."""
        dress = self.dress(connector_id)
        for key in list(itertools.islice(expected, AWAITED_LIMIT // 10)):
            for awaited in _each(expected.pop(key, [])):
                message = awaited.message
                if message.state in FINAL:
                    continue  # it ended without a receipt
                if message.dirty or message.fresh_parts or message.in_doubt_count or message.state != "submitted":
                    held = expected.pop(key, [])
                    expected[key] = _with_namesakes(held, awaited)  # not to be found by its row yet: end of the line
                    continue
                for smsc_message_id in message.smsc_message_ids.split(SMSC_ID_SEPARATOR):
                    _take_out(expected, dress.answered_key(smsc_message_id), message)
                self._active.leave(message.message_id)

    def let_go(self, message: Message) -> bool:
        """Forget a message that another node is to work on: receipts find its row. False: this very object is known by
        a doubt, or by a part that was taken without an id.
        """
        if message.in_doubt_count:
            return False
        if set(message.part_states) == {PART_QUEUED}:
            return True
        ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
        if any(not each and letter != PART_QUEUED for each, letter in zip(ids, message.part_states, strict=False)):
            return False
        dress = self.dress(message.connector_id)
        for smsc_message_id in filter(None, ids):
            _take_out(self._expected.get(message.connector_id, {}), dress.answered_key(smsc_message_id), message)
        return True

    def _unpark(self, connector_id: int, smsc_message_id: str, awaited: Awaited) -> list[Receipt]:
        believed = self.dress(connector_id).believed
        keys = [key_in_receipts(believed, smsc_message_id)] if believed else list(keys_by_dress(smsc_message_id))
        found = []
        for parked in self._parked.under(connector_id, keys):
            if _same_handset(parked.source_addr, awaited.message.destination_addr):
                receipt = receipt_of(parked)
                self._parked.join(parked)
                self._remember_decided((connector_id, id_key(receipt.smsc_message_id)), awaited)
                self._observe(connector_id, smsc_message_id, receipt)
                found.append(receipt)
        return found

    # -- receipts

    def find(self, connector_id: int, event: ReceiptArrived) -> Awaited | None:
        """The part in memory that a receipt surely speaks about, also when it was decided a while ago. None: it must
        be searched for.
        """
        receipt = event.receipt
        if receipt is None:
            return None
        dress = self._dresses.get(connector_id)
        if dress is None:
            return None  # nothing was ever sent there in this life
        smsc_message_id = receipt.smsc_message_id
        own_key = id_key(smsc_message_id)
        key = own_key if dress.same else receipted_key(dress.believed or SAME, smsc_message_id)
        expected = self._expected.get(connector_id, _NOTHING)
        held = expected.get(key)
        if held is None or key is None:
            return self._find_decided(connector_id, own_key, receipt)
        kind = type(held)
        awaited = held if kind is Awaited else Awaited(held, 0) if kind is Message else _one_of(held, receipt)
        if not self._stands_for_its_row(awaited.message):
            _take_out(expected, key, awaited.message)
            return None
        if not _same_handset(receipt.source_addr, awaited.message.destination_addr) and self._fits_otherwise(
            expected, receipt
        ):
            return None
        if not dress.locked and not dress.seen and self._rivals(connector_id, expected, receipt, awaited):
            return None
        if receipt.state:
            if kind is list:
                _take_out(expected, key, awaited.message, awaited.part_no)
            else:
                del expected[key]
            self._remember_decided((connector_id, own_key), awaited)
        if dress.seen or not dress.locked:
            self._observe(connector_id, _answered_id(awaited), receipt)
        return awaited

    def _find_decided(self, connector_id: int, own_key: str, receipt: Receipt) -> Awaited | None:
        decided = self._decided.get((connector_id, own_key))
        if decided is None or not _same_handset(receipt.source_addr, decided.message.destination_addr):
            return None
        if not self._stands_for_its_row(decided.message):
            del self._decided[connector_id, own_key]
            return None
        return decided

    def _stands_for_its_row(self, message: Message) -> bool:
        """Whether what is folded into it may be stored: since it left memory another object may have been read."""
        return self._active.get(message.message_id) is message or message.state in FINAL

    @staticmethod
    def _fits_otherwise(expected: dict[str, Held], receipt: Receipt) -> bool:
        """Whether the id in another dress names an attempt to this very handset: then addresses are not rewritten."""
        return any(
            _same_handset(receipt.source_addr, awaited.message.destination_addr)
            for key in keys_by_dress(receipt.smsc_message_id)
            for awaited in _each(expected.get(key, []))
        )

    def _rivals(self, connector_id: int, expected: dict[str, Held], receipt: Receipt, awaited: Awaited) -> bool:
        """Before anything was learnt: whether the id fits somebody else as well."""
        decided = self._decided.get((connector_id, id_key(receipt.smsc_message_id)))
        others = [each for key in keys_by_dress(receipt.smsc_message_id) for each in _each(expected.get(key, []))]
        return any(
            each.message is not awaited.message and _same_handset(receipt.source_addr, each.message.destination_addr)
            for each in (others if decided is None else [*others, decided])
        )

    async def search(self, connector_id: int, events: list[ReceiptArrived]) -> list[tuple[Receipt, Awaited]]:
        """Look receipts up that memory does not know: among doubts, then in the rows; park what is still unknown."""
        found: list[tuple[Receipt, Awaited]] = []
        matched = await self._match_all(connector_id, [event.receipt for event in events])
        for event, awaited in zip(events, matched, strict=True):
            if event.receipt is not None and awaited is not None:
                found.append((event.receipt, awaited))
            else:
                self._parked.park(connector_id, event, event.receipt)
        return self._forward(connector_id, found)

    def _forward(self, connector_id: int, found: list[tuple[Receipt, Awaited]]) -> list[tuple[Receipt, Awaited]]:
        """Those of our own messages; the others are kept for the nodes that hold theirs."""
        ours = []
        for receipt, awaited in found:
            message = awaited.message
            if self._active.holding.has(message):
                ours.append((receipt, awaited))
            else:
                key = (message.account_id, message.message_id, message.handed_to)
                said = (receipt.smsc_message_id, receipt.source_addr, receipt.destination_addr)
                row = (*key, awaited.part_no, connector_id, *said, receipt.message_state, receipt.error)
                self._settling.batch.forwarded.append(row)
        return ours

    async def search_parked(self, connector_id: int) -> list[tuple[Receipt, Awaited]]:
        """The same once more for parked receipts; those found are parked no longer."""
        parked: list[ParkedReceipt] = await self._parked.next_of(connector_id)
        now_ms = self._wall_ms()
        receipts = [receipt_of(each) for each in parked]
        waited_ms = [now_ms - each.received_at_ms for each in parked]
        found: list[tuple[Receipt, Awaited]] = []
        matched = await self._match_all(connector_id, receipts, waited_ms)
        for each, receipt, awaited in zip(parked, receipts, matched, strict=True):
            if awaited is not None:
                self._parked.join(each)
                found.append((receipt, awaited))
        return self._forward(connector_id, found)

    async def _rows_of(self, connector_id: int, receipts: list[Receipt]) -> dict[str, list[Awaited]]:
        """Parts by id key; a message in memory is never loaded a second time, one that came or went is read anew."""
        believed = self.dress(connector_id).believed or SAME
        wanted_keys = {key for receipt in receipts for key in keys_by_dress(receipt.smsc_message_id)}
        wanted_keys |= {receipted_key(believed, receipt.smsc_message_id) or "" for receipt in receipts}
        wanted_keys |= {unnamed_key(receipt.source_addr) for receipt in receipts}
        keys = list(wanted_keys)
        parts: dict[str, list[Awaited]] = {}
        while keys and receipts:
            with self._active.reading() as left:
                await asyncio.shield(self._settling.durable())  # others wait for the same; we may be cancelled
                rows = await self._reader.find_smsc_ids(connector_id, keys, (self._wall_ms() - RECEIPT_DAYS_MS) << 20)
                wanted = [(r["account_id"], r["message_id"]) for r in rows]
                loaded = await self._reader.load_messages(wanted) if wanted else {}
                keys = []
                for row in rows:
                    message = loaded.get(row["message_id"])
                    if message is not None and message.final_at_ms == 0 and self._active.holding.has(message):
                        message = self._active.adopt(message, left)
                        if message is None:
                            keys.append(row["id_key"])
                    if message is not None:
                        parts.setdefault(row["id_key"], []).append(Awaited(message, row["part_no"]))
        return parts

    # -- which of several

    async def _match_all(
        self, connector_id: int, receipts: Sequence[Receipt | None], waited_ms: Sequence[int] = ()
    ) -> list[Awaited | None]:
        """The part that each of these speaks about: by its id; else, of all attempts without an id, the only one that
        fits, and that only once. waited_ms: how long they have been parked.
        """
        rows = await self._rows_of(connector_id, [receipt for receipt in receipts if receipt is not None])
        waited = waited_ms or [0] * len(receipts)
        rivals = NO_RIVALS if self.is_alone() else await self._elsewhere(connector_id, receipts, rows, waited_ms)
        matched: list[Awaited | None] = []
        told: dict[tuple[int, int], str] = {}
        for receipt, waited_for_ms in zip(receipts, waited, strict=True):
            awaited = None if receipt is None else self._match(connector_id, receipt, rows, waited_for_ms)
            if awaited is None and receipt is not None:
                awaited = self._among_unnamed(connector_id, receipt, rows, rivals, waited_for_ms)
                if awaited is not None:
                    place = (awaited.message.message_id, awaited.part_no)
                    if told.setdefault(place, receipt.smsc_message_id) != receipt.smsc_message_id:
                        awaited = None
            matched.append(awaited)
        return matched

    async def _elsewhere(
        self,
        connector_id: int,
        receipts: Sequence[Receipt | None],
        rows: dict[str, list[Awaited]],
        waited_ms: Sequence[int],
    ) -> Rivals:
        """What other nodes wrote to the handsets of receipts that no id leads anywhere: where they would fit here, and
        of what is parked always. Asked before anything is matched, for PostgreSQL may be away.
        """
        asked = [
            receipt.source_addr
            for receipt in receipts
            if receipt is not None
            and self._by_id(connector_id, receipt, rows, 0) is None
            and (waited_ms or self._among_unnamed(connector_id, receipt, rows))
        ]
        return await rivals_elsewhere(self._reader, connector_id, asked)

    def _match(
        self, connector_id: int, receipt: Receipt, rows: dict[str, list[Awaited]], waited_ms: int
    ) -> Awaited | None:
        """The part a receipt speaks about: by its believed dress and handset; in any other dress the handset must fit,
        and nobody else may; by the very id alone, since some carriers rewrite addresses; by a piece of the id.
        """
        awaited = self._by_id(connector_id, receipt, rows, waited_ms)
        if awaited is None:
            return self._find_decided(connector_id, id_key(receipt.smsc_message_id), receipt)
        if receipt.state:
            key = self.dress(connector_id).answered_key(_answered_id(awaited))
            _take_out(self._expected.get(connector_id, _NOTHING), key, awaited.message, awaited.part_no)
            self._remember_decided((connector_id, id_key(receipt.smsc_message_id)), awaited)
        self._observe(connector_id, _answered_id(awaited), receipt)
        return awaited

    def _by_id(
        self, connector_id: int, receipt: Receipt, rows: dict[str, list[Awaited]], waited_ms: int
    ) -> Awaited | None:
        dress = self.dress(connector_id)
        believed = receipted_key(dress.believed or SAME, receipt.smsc_message_id) or ""
        if dress.believed:
            fitting = _fitting(rows.get(believed, ()), receipt)
            if fitting:
                return fitting[-1]  # ids that a carrier used again: the newest attempt
        others = {
            (awaited.message.message_id, awaited.part_no): awaited
            for key in reversed(keys_by_dress(receipt.smsc_message_id))
            for awaited in _fitting(rows.get(key, ()), receipt)
        }
        if others and not dress.locked and not dress.believed:
            same = _fitting(rows.get(believed, ()), receipt)
            if same and (len({key for key, _ in others}) == len({a.message.message_id for a in same})):
                return same[-1]  # nobody else
        if others:
            may_come = waited_ms < AMBIGUITY_MS and self._answer_awaited(connector_id, receipt)
            if len(others) == 1 and not may_come:
                return next(iter(others.values()))
            if waited_ms < AMBIGUITY_MS:
                return None
            return next(reversed(others.values()))  # the id as it is comes last
        exact = rows.get(believed, ())
        if len(exact) == 1:
            return exact[0]
        return None if dress.locked in PLAIN_DRESSES else self._by_piece(connector_id, receipt)

    def _by_piece(self, connector_id: int, receipt: Receipt) -> Awaited | None:
        """Before the dress is known: the one attempt to this handset whose id shares its end with the receipt's."""
        expected = self._expected.get(connector_id, _NOTHING)
        fitting = [
            awaited
            for held in itertools.islice(reversed(expected.values()), PIECES_LIMIT)
            for awaited in _each(held)
            if receipt.source_addr
            and _same_handset(receipt.source_addr, awaited.message.destination_addr)
            and dresses_between(_answered_id(awaited), receipt.smsc_message_id)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _answer_awaited(self, connector_id: int, receipt: Receipt) -> bool:
        """Whether an attempt to this handset still waits for its response: the receipt may be its."""
        return any(
            message.open_parts
            and message.connector_id == connector_id
            and _same_handset(receipt.source_addr, message.destination_addr)
            for message in self._active
        )

    def _among_unnamed(
        self,
        connector_id: int,
        receipt: Receipt,
        rows: dict[str, list[Awaited]],
        rivals: Rivals = NO_RIVALS,
        waited_ms: int = 0,
    ) -> Awaited | None:
        """The attempt without a carrier's id that a receipt fits, if it fits exactly one that is not younger than it,
        and no attempt still waits for its response, on this node or another.
        """
        handset = receipt.source_addr.lstrip("+")
        candidates = self._unnamed.fitting(connector_id, handset) + rivals.doubtful.get(handset, [])
        known = {(each.message.message_id, each.part_no) for each in candidates}
        for each in rows.get(unnamed_key(receipt.source_addr), ()):
            if (each.message.message_id, each.part_no) not in known and is_unnamed(each):
                candidates.append(each)
        if not candidates or rivals.may_answer(handset) or self._answer_awaited(connector_id, receipt):
            return None
        return the_one(possible(candidates, receipt, self._wall_ms() - waited_ms), receipt)

    def is_surely(self, receipt: Receipt, awaited: Awaited) -> bool:
        """Whether the carrier named this very part, as far as is known now, by the receipt's id."""
        answered = _answered_id(awaited)
        return bool(answered) and bool(dresses_between(answered, receipt.smsc_message_id))

    # -- dresses

    def dress(self, connector_id: int) -> LearnedDress:
        """What is known of the dress of a connector's ids."""
        dress = self._dresses.get(connector_id)
        if dress is None:
            dress = self._dresses[connector_id] = LearnedDress()
        return dress

    def fix_dress(self, connector_id: int, dress: str) -> None:
        """The configuration says it: nothing is learnt, a change is still told."""
        self._wear(connector_id, LearnedDress(dress, given=True))

    def _wear(self, connector_id: int, dress: LearnedDress) -> None:
        self._dresses[connector_id] = dress
        if dress.last:
            self._settling.last_characters[connector_id] = dress.last
        else:
            self._settling.last_characters.pop(connector_id, None)

    def _observe(self, connector_id: int, answered: str, receipt: Receipt) -> None:
        """Learn from a match; what is learnt is stored, so that a restart remembers."""
        dress = self.dress(connector_id)
        before = dress.locked
        learnt = dress.learn(dresses_between(answered, receipt.smsc_message_id)) if answered else None
        if learnt is None:
            return
        name = self._names.get(connector_id, str(connector_id))
        if before:
            self._tallies.dress_changes[name] += 1
            log.error("receipt_dress_changed", extra={"connector": name, "before": before, "dress": learnt})
        else:
            log.info("receipt_dress_learnt", extra={"connector": name, "dress": learnt})
        if dress.given:
            return
        self._wear(connector_id, dress)
        if dress.last or before.startswith("last:"):
            former, self._expected[connector_id] = self._expected.get(connector_id, {}), {}
            for awaited in itertools.chain.from_iterable(map(_each, former.values())):
                self._enter(connector_id, awaited.message, awaited.part_no, _answered_id(awaited))
        row = (connector_id, learnt, answered, receipt.smsc_message_id, self._wall_ms())
        self._settling.batch.dresses.append(row)

    # -- after a start, and by the clock

    async def load(self) -> None:
        """What a former life left: dresses it learnt, receipts it parked."""
        for connector_id, dress in (await self._reader.load_dresses()).items():
            if connector_id not in self._dresses:
                self._wear(connector_id, LearnedDress(dress))
        await self._parked.load()

    async def bury_parked(self) -> int:
        """Forget receipts that nobody claimed in the time receipts are joined for; how many."""
        return await self._parked.bury()

    # -- doubts

    def doubt(self, message: Message, part_no: int) -> None:
        """Remember a part whose outcome nobody knows, and since when."""
        self._doubts.setdefault(message.message_id, (message, self._wall_ms()))
        for gone in self._unnamed.add(message.connector_id, message, part_no):
            self._active.leave(gone.message_id)

    def doubt_since(self, message: Message, since_ms: int) -> None:
        """Count the age of a doubt from another time."""
        self._doubts[message.message_id] = (message, since_ms)

    def certain(self, message: Message) -> None:
        """Forget the doubts of a message: they were resolved or ended."""
        self._doubts.pop(message.message_id, None)
        self._unnamed.forget(message)

    def doubts(self) -> list[tuple[Message, int]]:
        """Messages in doubt with the time (Unix milliseconds) since when, oldest first."""
        return list(self._doubts.values())


def _drop_oldest(held: dict[Any, Any], count: int) -> None:
    """Many at once: a dict walks over all the holes that deleted keys leave before its first (measured: 3 us each)."""
    for key in list(itertools.islice(held, count)):
        del held[key]


def _each(held: Held) -> list[Awaited]:
    """All that one key names, oldest first."""
    if type(held) is list:
        return held
    return [held if type(held) is Awaited else Awaited(held, 0)]  # type: ignore[arg-type]  # a Message


def _one_of(held: list[Awaited], receipt: Receipt) -> Awaited:
    """The one that a receipt means: by its handset, then by the very letters of its id, then the newest."""
    fitting = _fitting(held, receipt) or held
    exact = [each for each in fitting if _answered_id(each) == receipt.smsc_message_id]
    return (exact or fitting)[-1]


def _fitting(held: list[Awaited] | tuple[()], receipt: Receipt) -> list[Awaited]:
    """Those sent to the handset that a receipt speaks of, and of these those of the very letters of its id."""
    fitting = [each for each in held if _same_handset(receipt.source_addr, each.message.destination_addr)]
    exact = [each for each in fitting if _answered_id(each) == receipt.smsc_message_id]
    return exact if len(fitting) > 1 and exact else fitting


def _with_namesakes(former: Held, held: Held) -> Held:
    """Two attempts of one name: both are kept, the newest last."""
    (newest,) = _each(held)
    both = [e for e in _each(former) if e.message is not newest.message or e.part_no != newest.part_no] + [newest]
    return both[-NAMESAKES_LIMIT:] if len(both) > 1 else held


def _take_out(expected: dict[str, Held], key: str, message: Message, part_no: int | None = None) -> None:
    """Wait no longer for a message (or one part of it) under this key; namesakes stay."""
    held = expected.get(key)
    if held is None:
        return
    if type(held) is not list:
        if held is message or (type(held) is Awaited and held.message is message):
            del expected[key]
        return
    left = [each for each in held if each.message is not message or part_no not in (None, each.part_no)]
    if left:
        expected[key] = left
    else:
        del expected[key]


def _answered_id(awaited: Awaited) -> str:
    """The id that the carrier gave a part; "" for none."""
    message = awaited.message
    if message.part_count == 1:
        return message.smsc_message_ids
    ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
    return ids[awaited.part_no] if awaited.part_no < len(ids) else ""


def _same_handset(receipt_source: str, destination: str) -> bool:
    """Whether a receipt's source is the handset we wrote to; carriers add a plus or drop the country code."""
    digits = receipt_source.lstrip("+")
    return not digits or destination.endswith(digits[-7:])
