"""What handsets send us (MO): stored before the carrier is answered, then owed to the ESME that owns the number.

Source: architecture section 3, "MO"; smpp-answers. A message to a number that nobody owns is stored and shown,
never dropped.
What must not enter: keywords, opt-out words and conversations (they follow), delivery (notify).
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.accept.fact_book import FactBook
from gateway.connector import InboundArrived
from gateway.crash_points import crash_point
from gateway.message import InboundMessage, MessageIds
from gateway.storage.group_commit import SettleStream


class InboundDesk:
    """Takes handsets' messages in, and hands them on once they are stored."""

    def __init__(self, settling: SettleStream, ids: MessageIds, wall_ms: Callable[[], int]) -> None:
        self._settling = settling
        self._ids = ids
        self._wall_ms = wall_ms
        self._fresh: list[InboundMessage] = []

    def receive(self, connector_id: int, event: InboundArrived, book: FactBook) -> InboundMessage:
        """Put one into the next batch, addressed to the owner of the number it was sent to."""
        now_ms = self._wall_ms()
        owner = book.inbound_numbers.get(event.destination_addr.lstrip("+"))
        inbound = InboundMessage(
            self._ids.next(now_ms),
            connector_id,
            owner.account_id if owner else None,
            owner.esme_id if owner else None,
            event.source_addr,
            event.destination_addr,
            event.data_coding,
            event.user_data,
            event.envelope,
            "due" if owner else "unrouted",
            now_ms,
        )
        self._settling.batch.inbound.append(inbound)
        crash_point("inbound.received")
        if owner:
            self._fresh.append(inbound)
        return inbound

    def take_fresh(self) -> list[InboundMessage]:
        """Those that have an owner and were received since the last call; the caller saw their commit."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def put_back(self, inbound: list[InboundMessage]) -> None:
        """Those whose commit was not seen after all."""
        self._fresh = inbound + self._fresh
