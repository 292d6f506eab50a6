"""Receipts whose attempt is not known yet: kept in PostgreSQL, the youngest in memory, until somebody fits them.

Source: smpp-answers, "Receipts" ("parked 72 h, tried again at each response"); architecture, promise P4.
Bounded: beyond PARKED_LIMIT they are rows only, and a slow walk over the rows tries them again.
What must not enter: which attempt fits (waiting_room.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Final

from gateway.connector import ReceiptArrived
from gateway.crash_points import crash_point
from gateway.message import MessageIds, ParkedReceipt, id_key
from gateway.receipts.parse import SAYS_NOTHING, STATE_OF_VALUE, Receipt
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader

SEARCH_AT_ONCE: Final = 500  # chosen: parked receipts looked up again in one go
PARKED_LIMIT: Final = 100_000  # chosen: parked receipts of one carrier kept in memory; older ones stay in PostgreSQL
PARKED_MS: Final = 72 * 3600 * 1000  # smpp-answers: a receipt without an attempt is kept for 72 h
ORPHANS_MS: Final = 30 * 24 * 3600 * 1000  # chosen: people see receipts that fitted nobody for so long
RECEIPT_DAYS_MS: Final = 4 * 24 * 3600 * 1000  # smpp-answers: receipts are joined for 72 h, and a day for clocks


class ParkedReceipts:
    """Parked receipts by connector, in the order in which they are tried."""

    def __init__(self, reader: Reader, settling: SettleStream, ids: MessageIds, wall_ms: Callable[[], int]) -> None:
        self._reader = reader
        self._settling = settling
        self._ids = ids
        self._wall_ms = wall_ms
        self._lines: dict[int, dict[int, ParkedReceipt]] = {}  # by connector, by parked id
        self._by_key: dict[tuple[int, str], list[ParkedReceipt]] = {}
        self._walk_from: dict[int, int] = {}  # by connector: after which parked id rows beyond memory are looked at
        self._walk_all = False  # a former life left more than memory holds

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def park(self, connector_id: int, event: ReceiptArrived, receipt: Receipt | None) -> None:
        """Keep one, from the next commit on."""
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
        crash_point("receipt.parked")
        if receipt is not None and receipt.state:
            self._remember(parked)

    def _remember(self, parked: ParkedReceipt) -> None:
        connector_id = parked.connector_id
        line = self._lines.setdefault(connector_id, {})
        if len(line) >= PARKED_LIMIT:
            for oldest in list(itertools.islice(line.values(), max(1, PARKED_LIMIT // 100))):
                self._forget(oldest)
            self._walk_from.setdefault(connector_id, 0)
        line[parked.parked_id] = parked
        self._by_key.setdefault((connector_id, id_key(parked.smsc_message_id)), []).append(parked)

    def _forget(self, parked: ParkedReceipt) -> bool:
        if self._lines.get(parked.connector_id, {}).pop(parked.parked_id, None) is None:
            return False
        key = (parked.connector_id, id_key(parked.smsc_message_id))
        left = [each for each in self._by_key[key] if each is not parked]
        if left:
            self._by_key[key] = left
        else:
            del self._by_key[key]
        return True

    def join(self, parked: ParkedReceipt) -> None:
        """Its attempt was found: it is parked no longer."""
        self._forget(parked)
        self._settling.batch.joined.append(parked.parked_id)
        crash_point("receipt.joined")

    def under(self, connector_id: int, keys: Iterable[str]) -> list[ParkedReceipt]:
        """Those in memory whose id stands under one of these keys."""
        return [parked for key in keys for parked in self._by_key.get((connector_id, key), ())]

    async def next_of(self, connector_id: int) -> list[ParkedReceipt]:
        """Those whose turn it is to be tried again; they go to the end of the line. Rows beyond memory take turns."""
        line = self._lines.get(connector_id, {})
        turn = list(itertools.islice(line.values(), SEARCH_AT_ONCE))
        for parked in turn:
            line[parked.parked_id] = line.pop(parked.parked_id)
        after_id = self._walk_from.get(connector_id, 0 if self._walk_all else None)
        if after_id is not None:
            rows = await self._reader.parked_after(connector_id, after_id, SEARCH_AT_ONCE)
            if len(rows) == SEARCH_AT_ONCE:
                self._walk_from[connector_id] = rows[-1].parked_id
            elif after_id == 0 and all(row.parked_id in line for row in rows):
                self._walk_from.pop(connector_id, None)  # memory holds them all
            else:
                self._walk_from[connector_id] = 0  # from the first again
            turn += [row for row in rows if row.parked_id not in line and row.message_state != SAYS_NOTHING]
        return turn

    async def load(self) -> None:
        """After a start or a takeover: receipts that a former life parked, the first of each carrier; the others are
        walked over.
        """
        found = await self._reader.load_parked(self._wall_ms() - RECEIPT_DAYS_MS, PARKED_LIMIT)
        self._walk_all = len(found) == PARKED_LIMIT
        for parked in found:
            known = parked.parked_id in self._lines.get(parked.connector_id, ())
            if parked.message_state != SAYS_NOTHING and not known:
                self._remember(parked)

    async def bury(self) -> int:
        """Give up receipts that nobody claimed in the time they are joined for; how many. Their rows are orphans."""
        before_ms = self._wall_ms() - PARKED_MS
        for line in list(self._lines.values()):
            for parked in [each for each in line.values() if each.received_at_ms < before_ms]:
                self._forget(parked)
        return await self._reader.bury_parked(before_ms, self._wall_ms() - ORPHANS_MS)


def receipt_of(parked: ParkedReceipt) -> Receipt:
    """What a parked receipt says."""
    return Receipt(
        parked.smsc_message_id,
        parked.message_state,
        STATE_OF_VALUE.get(parked.message_state, ""),
        parked.error,
        parked.source_addr,
        parked.destination_addr,
        parked.raw,
    )
