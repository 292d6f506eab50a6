"""Receipts that another node received for a message of ours: folded here, then forgotten.

Source: promise P4 (stored before it is acknowledged: by the node that received it); decision 0015.
What must not enter: receipts of our own links (lifecycle.py), the finding of their messages (waiting_room.py).
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.connector import Connector, ReceiptArrived
from gateway.lifecycle import Lifecycle
from gateway.receipts.parse import STATE_OF_VALUE, Receipt
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader
from gateway.unnamed import Awaited

FOLD_AT_ONCE = 1000  # chosen: rows taken up in one go


class Elsewhere(NamedTuple):
    """A carrier that is bound on other nodes only, as far as receipts go."""

    name: str
    receipt_covers: str = ""


class Forwarding:
    """Takes up what was forwarded to this node. May be called at any time, and again."""

    def __init__(self, lifecycle: Lifecycle, reader: Reader, settling: SettleStream) -> None:
        self._life = lifecycle
        self._reader = reader
        self._settling = settling

    async def fold(self) -> None:
        """Fold all that waits."""
        while await self._fold_some() == FOLD_AT_ONCE:
            pass

    async def _fold_some(self) -> int:
        rows = await self._reader.forwarded(FOLD_AT_ONCE)
        if not rows:
            return 0
        unsure = []
        with self._life.active.reading() as left:
            await self._settling.durable()
            loaded = await self._reader.load_messages([(row["account_id"], row["message_id"]) for row in rows])
            for row in rows:
                message = loaded.get(row["message_id"])
                if message is not None and message.final_at_ms == 0:
                    message = self._life.active.adopt(message, left)
                    if message is None:
                        continue  # it came or went while it was read: next time
                if message is not None:
                    receipt, awaited = _receipt_of(row), Awaited(message, row["part_no"])
                    source = self._life.connectors.get(row["connector_id"])
                    surely = row["adopted"] or source is None or self._life.waiting_room.is_surely(receipt, awaited)
                    if source is not None and not surely:
                        unsure.append((source, receipt, row["forward_id"]))
                        continue
                    self._life.receipted(source or Elsewhere("elsewhere"), receipt, awaited)
                self._settling.batch.folded.append(row["forward_id"])
        for source, receipt, forward_id in unsure:
            await self._decide(source, receipt, forward_id)
        await self._life.publish()
        return len(rows)

    async def _decide(self, connector: Connector, receipt: Receipt, forward_id: int) -> None:
        """Its finder knew no id for the attempt: whoever holds that sees whether the receipt still fits it alone."""
        room, connector_id = self._life.waiting_room, connector.connector_id
        for fitting, awaited in await room.search(connector_id, [ReceiptArrived(receipt, b"", None)]):
            self._life.receipted(connector, fitting, awaited)
        self._settling.batch.folded.append(forward_id)


def _receipt_of(row: object) -> Receipt:
    fields = ("smsc_message_id", "message_state", "error", "source_addr", "destination_addr")
    smsc_message_id, value, error, source, destination = (row[name] for name in fields)  # type: ignore[index]
    return Receipt(smsc_message_id, value, STATE_OF_VALUE.get(value, ""), error, source, destination)
