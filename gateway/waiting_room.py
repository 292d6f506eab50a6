"""Who waits for which receipt: attempts by their carrier's id, receipts without an attempt, attempts in doubt.

Source: smpp-answers, "Receipts"; architecture, promises P2 and P4. Memory first, PostgreSQL for what left memory.
What must not enter: what a receipt does to a message (receipts.fold), and any decision about doubts (lifecycle).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Final

import msgspec

from gateway.active import ActiveMessages
from gateway.connector import ReceiptArrived
from gateway.message import PART_IN_DOUBT, PART_SUBMITTED, SMSC_ID_SEPARATOR, Message, MessageIds, ParkedReceipt, id_key
from gateway.message_states import FINAL
from gateway.receipts.dress import keys_of_receipted_id
from gateway.receipts.parse import SAYS_NOTHING, STATE_OF_VALUE, Receipt
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader

AWAITED_LIMIT: Final = (
    50_000  # chosen: attempts kept in memory for their receipt, some 40 MiB; older ones are looked up
)
SEARCH_AT_ONCE: Final = 500  # chosen: parked receipts looked up again in one go
DECIDED_LIMIT: Final = 20_000  # chosen: parts receipted lately; a second receipt of an older one is looked up
PARKED_LIMIT: Final = 100_000  # chosen: parked receipts kept in memory; older ones stay in PostgreSQL
PARKED_MS: Final = 72 * 3600 * 1000  # smpp-answers: a receipt without an attempt is kept for 72 h
RECEIPT_DAYS_MS: Final = 4 * 24 * 3600 * 1000  # smpp-answers: receipts are joined for 72 h, and a day for clocks


_NOTHING: Final[dict[str, Any]] = {}


class Awaited(msgspec.Struct):
    """The part that a receipt speaks about."""

    message: Message
    part_no: int


class WaitingRoom:
    """Joins receipts with attempts, whichever comes first and however their ids are dressed."""

    def __init__(
        self,
        reader: Reader,
        settling: SettleStream,
        ids: MessageIds,
        wall_ms: Callable[[], int],
        active: ActiveMessages,
    ) -> None:
        self._reader = reader
        self._settling = settling
        self._ids = ids
        self._wall_ms = wall_ms
        self._active = active
        self._expected: dict[int, dict[str, Message | Awaited]] = {}  # by connector, by id key; oldest first
        self._decided: dict[tuple[int, str], Awaited] = {}  # lately receipted, to know a second receipt again
        self._parked: dict[tuple[int, str], ParkedReceipt] = {}
        self._doubts: dict[int, tuple[Message, int]] = {}  # by message id: since when, Unix milliseconds; oldest first
        self._unnamed: dict[
            tuple[int, str], list[Awaited]
        ] = {}  # (connector, destination): parts without a carrier's id

    def awaited(self, connector_id: int) -> int:
        """How many parts of a connector wait in memory for their receipt."""
        return len(self._expected.get(connector_id, ()))

    # -- attempts that were taken

    def expect(self, connector_id: int, message: Message, part_no: int, smsc_message_id: str) -> list[Receipt]:
        """Wait for the receipt of a part; return receipts that came before."""
        if not smsc_message_id:  # smpp-answers: accepted; its receipt is matched by its addresses
            self._unnamed.setdefault((connector_id, message.destination_addr), []).append(Awaited(message, part_no))
            return []
        if message.final_at_ms == 0:
            expected = self._expected.get(connector_id)
            if expected is None:
                expected = self._expected[connector_id] = {}
            expected[id_key(smsc_message_id)] = message if message.part_count == 1 else Awaited(message, part_no)
            if len(expected) > AWAITED_LIMIT:
                self._leave_to_rows(expected)
        if not self._parked:
            return []
        return self._unpark(connector_id, smsc_message_id, message)

    def expect_again(self, connector_id: int, message: Message, part_no: int, smsc_message_id: str) -> None:
        """A second copy of a part was taken: its receipt is to be known as that of the same part."""
        awaited = Awaited(message, part_no)
        if smsc_message_id and message.final_at_ms:
            self._remember_decided((connector_id, id_key(smsc_message_id)), awaited)
        elif smsc_message_id:
            self._expected.setdefault(connector_id, {})[id_key(smsc_message_id)] = awaited

    def _remember_decided(self, key: tuple[int, str], awaited: Awaited) -> None:
        """Know a second receipt again."""
        self._decided[key] = awaited
        if len(self._decided) > DECIDED_LIMIT:
            _drop_oldest(self._decided, DECIDED_LIMIT // 10)

    def _leave_to_rows(self, expected: dict[str, Message | Awaited]) -> None:
        """Let the oldest go: their ids stand in smsc_ids since they were stored."""
        for key in list(itertools.islice(expected, AWAITED_LIMIT // 10)):
            held = expected.pop(key, None)
            message = held.message if isinstance(held, Awaited) else held
            if held is None or message is None or message.state in FINAL:
                continue  # it ended without a receipt
            if message.dirty or message.fresh_parts or message.in_doubt_count or message.state != "submitted":
                expected[key] = held  # not to be found by its row yet: to the end of the line
                continue
            for smsc_message_id in message.smsc_message_ids.split(SMSC_ID_SEPARATOR):
                expected.pop(id_key(smsc_message_id), None)
            self._active.leave(message.message_id)

    def _unpark(self, connector_id: int, smsc_message_id: str, message: Message) -> list[Receipt]:
        found = []
        for key in keys_of_receipted_id(smsc_message_id):
            parked = self._parked.get((connector_id, key))
            if parked is not None and _same_handset(parked.source_addr, message.destination_addr):
                del self._parked[connector_id, key]
                self._settling.batch.joined.append(parked.parked_id)
                found.append(_receipt_of(parked))
        return found

    # -- receipts

    def find(self, connector_id: int, event: ReceiptArrived) -> Awaited | None:
        """The part in memory that a receipt speaks about, also when it was decided a while ago."""
        receipt = event.receipt
        if receipt is None:
            return None
        found = self._expected_at(self._expected.get(connector_id, _NOTHING), receipt)
        if found is None:
            return self._decided.get((connector_id, id_key(receipt.smsc_message_id)))
        key, awaited = found
        if receipt.state:
            del self._expected[connector_id][key]
            self._remember_decided((connector_id, id_key(receipt.smsc_message_id)), awaited)
        return awaited

    @staticmethod
    def _expected_at(expected: dict[str, Message | Awaited], receipt: Receipt) -> tuple[str, Awaited] | None:
        """The id in any dress and the handset must fit: a decimal id may be somebody else's hexadecimal one. The very
        id alone is believed only where no other dress fits: some carriers rewrite addresses.
        """
        exact: tuple[str, Awaited] | None = None
        for place, key in enumerate(keys_of_receipted_id(receipt.smsc_message_id)):
            held = expected.get(key)
            if held is not None:
                awaited = held if type(held) is Awaited else Awaited(held, 0)  # type: ignore[arg-type]  # a Message
                if _same_handset(receipt.source_addr, awaited.message.destination_addr):
                    return key, awaited
                if place == 0:
                    exact = key, awaited
        return exact

    async def search(self, connector_id: int, events: list[ReceiptArrived]) -> list[tuple[Receipt, Awaited]]:
        """Look receipts up that memory does not know: among doubts, then in the rows; park what is still unknown."""
        found: list[tuple[Receipt, Awaited]] = []
        unknown = [event.receipt for event in events if event.receipt is not None]
        rows = await self._rows_of(connector_id, unknown)
        for event in events:
            receipt = event.receipt
            awaited = self._match(connector_id, receipt, rows) if receipt is not None else None
            if receipt is not None and awaited is not None:
                found.append((receipt, awaited))
            else:
                self._park(connector_id, event, receipt)
        return found

    async def search_parked(self, connector_id: int) -> list[tuple[Receipt, Awaited]]:
        """The same once more for parked receipts; those found are parked no longer."""
        parked = [p for (connector, _), p in self._parked.items() if connector == connector_id][:SEARCH_AT_ONCE]
        rows = await self._rows_of(connector_id, [_receipt_of(p) for p in parked])
        found: list[tuple[Receipt, Awaited]] = []
        for each in parked:
            receipt = _receipt_of(each)
            awaited = self._match(connector_id, receipt, rows)
            key = (connector_id, id_key(each.smsc_message_id))
            if self._parked.get(key) is each:
                del self._parked[key]  # to the end of the line, or gone
                if awaited is None:
                    self._parked[key] = each
                else:
                    self._settling.batch.joined.append(each.parked_id)
                    found.append((receipt, awaited))
        return found

    def _match(self, connector_id: int, receipt: Receipt, rows: dict[str, list[Awaited]]) -> Awaited | None:
        return self._among_rows(receipt, rows) or self._among_unnamed(connector_id, receipt)

    async def _rows_of(self, connector_id: int, receipts: list[Receipt]) -> dict[str, list[Awaited]]:
        """Parts by id key; a message in memory is never loaded a second time, one that came or went is read anew."""
        keys = [key for receipt in receipts for key in keys_of_receipted_id(receipt.smsc_message_id)]
        parts: dict[str, list[Awaited]] = {}
        while keys:
            with self._active.reading() as left:
                await asyncio.shield(self._settling.durable())  # others wait for the same; we may be cancelled
                rows = await self._reader.find_smsc_ids(connector_id, keys, (self._wall_ms() - RECEIPT_DAYS_MS) << 20)
                wanted = [(r["account_id"], r["message_id"]) for r in rows]
                loaded = await self._reader.load_messages(wanted) if wanted else {}
                keys = []
                for row in rows:
                    message = loaded.get(row["message_id"])
                    if message is not None and message.final_at_ms == 0:
                        message = self._active.adopt(message, left)
                        if message is None:
                            keys.append(row["id_key"])
                    if message is not None:
                        parts.setdefault(row["id_key"], []).append(Awaited(message, row["part_no"]))
        return parts

    @staticmethod
    def _among_rows(receipt: Receipt, rows: dict[str, list[Awaited]]) -> Awaited | None:
        keys = keys_of_receipted_id(receipt.smsc_message_id)
        for key in keys:
            fitting = [a for a in rows.get(key, ()) if _same_handset(receipt.source_addr, a.message.destination_addr)]
            if fitting:
                return fitting[-1]  # ids that a carrier used again: the newest attempt
        exact = rows.get(keys[0], ())
        return exact[0] if len(exact) == 1 else None  # the very id: some carriers rewrite addresses

    def _park(self, connector_id: int, event: ReceiptArrived, receipt: Receipt | None) -> None:
        now_ms = self._wall_ms()
        parked = ParkedReceipt(
            self._ids.next(now_ms),
            connector_id,
            receipt.smsc_message_id if receipt else "",
            receipt.source_addr if receipt else "",
            receipt.destination_addr if receipt else "",
            receipt.message_state if receipt and receipt.state else SAYS_NOTHING,
            receipt.error if receipt else "",
            0,
            now_ms,
            event.raw,
        )
        self._settling.batch.parked.append(parked)
        if receipt is not None and receipt.state:
            self._remember(parked)

    async def bury_parked(self) -> int:
        """Forget receipts that nobody claimed in the time receipts are joined for; how many."""
        return await self._reader.bury_parked(self._wall_ms() - PARKED_MS)

    def _remember(self, parked: ParkedReceipt) -> None:
        if len(self._parked) >= PARKED_LIMIT:
            _drop_oldest(self._parked, PARKED_LIMIT // 100)
        self._parked[parked.connector_id, id_key(parked.smsc_message_id)] = parked

    async def load_parked(self) -> None:
        """After a start: receipts that a former life parked."""
        for row in await self._reader.load_parked(self._wall_ms() - RECEIPT_DAYS_MS, PARKED_LIMIT):
            if row["message_state"] != SAYS_NOTHING:
                self._remember(ParkedReceipt(**{name: row[name] for name in ParkedReceipt.__struct_fields__}))

    # -- doubts

    def doubt(self, message: Message, part_no: int) -> None:
        """Remember a part whose outcome nobody knows, and since when."""
        self._doubts.setdefault(message.message_id, (message, self._wall_ms()))
        self._unnamed.setdefault((message.connector_id, message.destination_addr), []).append(Awaited(message, part_no))

    def certain(self, message: Message) -> None:
        """Forget the doubts of a message: they were resolved or ended."""
        self._doubts.pop(message.message_id, None)
        place = (message.connector_id, message.destination_addr)
        left = [a for a in self._unnamed.get(place, ()) if a.message is not message]
        if left:
            self._unnamed[place] = left
        else:
            self._unnamed.pop(place, None)

    def doubts(self) -> list[tuple[Message, int]]:
        """Messages in doubt with the time (Unix milliseconds) since when, oldest first."""
        return list(self._doubts.values())

    def _among_unnamed(self, connector_id: int, receipt: Receipt) -> Awaited | None:
        """The attempt without a carrier's id that a receipt fits, if it fits exactly one and no attempt still waits
        for its response.
        """
        handset = receipt.source_addr.lstrip("+")
        candidates = [a for a in self._unnamed.get((connector_id, handset), ()) if _is_unnamed(a)]
        if len(candidates) != 1:
            return None
        for message in self._active:
            if message.open_parts and message.connector_id == connector_id and message.destination_addr == handset:
                return None
        return candidates[0]


def _drop_oldest(held: dict[Any, Any], count: int) -> None:
    """Many at once: a dict walks over all the holes that deleted keys leave before its first (measured: 3 us each)."""
    for key in list(itertools.islice(held, count)):
        del held[key]


def _is_unnamed(awaited: Awaited) -> bool:
    """Whether a part still lacks a carrier's id: in doubt, or taken without one."""
    message = awaited.message
    letter = message.part_states[awaited.part_no]
    if letter == PART_IN_DOUBT:
        return True
    ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
    return letter == PART_SUBMITTED and not (awaited.part_no < len(ids) and ids[awaited.part_no])


def _same_handset(receipt_source: str, destination: str) -> bool:
    """Whether a receipt's source is the handset we wrote to; carriers add a plus or drop the country code."""
    digits = receipt_source.lstrip("+")
    return not digits or destination.endswith(digits[-7:])


def _receipt_of(parked: ParkedReceipt) -> Receipt:
    return Receipt(
        parked.smsc_message_id,
        parked.message_state,
        STATE_OF_VALUE.get(parked.message_state, ""),
        parked.error,
        parked.source_addr,
        parked.destination_addr,
    )
