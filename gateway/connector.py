"""What every way out promises to the lifecycle, whatever it is made of (SMPP binds, SIM cards, a voice trunk).

What belongs here: the contract in numbered sentences (at Connector), the outcomes and arrivals it speaks in.
A test runs the sentences against each kind. What must not enter: routing, money, storage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from gateway.message import Message
from gateway.receipts.parse import Receipt

Health = Literal["up", "down", "suspended"]


class Taken(msgspec.Struct):
    """The carrier took a part. late: it was Doubtful before."""

    message: Message
    part_no: int
    smsc_message_id: str
    late: bool = False


class TryLater(msgspec.Struct):
    """Not now. after_s 0: as soon as there is room, before all others, and it does not count as an attempt."""

    message: Message
    part_no: int
    after_s: float
    why: str


class Rejected(msgspec.Struct):
    """Not by this connector. elsewhere: another route may carry it; where none does, later_s: again here after so
    long (0: never).
    """

    message: Message
    part_no: int
    why: str
    elsewhere: bool
    later_s: float = 0.0
    sender_refused: bool = False  # for the sender's sake: others may pass


class Doubtful(msgspec.Struct):
    """Written, and nobody can tell yet."""

    message: Message
    part_no: int
    why: str


class ReceiptArrived(msgspec.Struct):
    """A receipt, to be acknowledged by its token once stored. receipt None: it names no message."""

    receipt: Receipt | None
    raw: bytes
    token: Any


class InboundArrived(msgspec.Struct):
    """A handset's message, to be acknowledged by its token once stored."""

    source_addr: str
    destination_addr: str
    data_coding: int
    user_data: bytes
    envelope: bytes
    token: Any


ConnectorEvent: TypeAlias = Taken | TryLater | Rejected | Doubtful | ReceiptArrived | InboundArrived


class ReceiptSource(Protocol):
    """Where a receipt came from, as far as its folding goes."""

    @property
    def name(self) -> str: ...
    @property
    def receipt_covers(self) -> str: ...


class Connector(Protocol):
    """One configured way out.

    1. submit() writes nothing it was not handed, and hands back at once what it has no room for: surely not sent.
    2. Every part it wrote gets exactly one outcome: Taken, TryLater, Rejected or Doubtful; a Doubtful one may get a
       late Taken.
    3. Doubtful means: written, perhaps partly, and not answered; it never means "refused".
    4. reserve(parts) grants room for parts that are about to be made durable; submit() or give_back() uses it up.
    5. events() yields lists in the order things happened; receipts are acknowledged only by acknowledge(), after
       their commit.
    6. Pace (TPS, counted in parts) and window are the connector's own: reserve() is False when either is spent.
       A message that would never leave so much to spare passes alone, when all room is free.
    7. Nothing it does blocks another connector.
    """

    name: str
    connector_id: int
    receipt_covers: str  # letters of the parts that a receipt decides along with its own: "" where each has its own
    room: asyncio.Event  # set when reserve() may succeed again

    @property
    def bind_groups(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of its binds, those that are alike together: nodes share each group fairly."""
        ...

    @property
    def bind_count(self) -> int:
        """How many binds are configured."""
        ...

    @property
    def open_binds(self) -> frozenset[int]:
        """Binds that are open, or that nobody else may open yet."""
        ...

    def hold(self, numbers: frozenset[int], of: int) -> None:
        """Keep these binds open, of so many in all, and end the others once nothing is owed on them. The pace (TPS) is
        shared like the binds.
        """
        ...

    @property
    def bound(self) -> int:
        """How many of its binds may be sent on here; 0: it waits for its links, or lives on other nodes."""
        ...

    def take_out(self, is_out: bool) -> None:
        """Whether operators took it out: nothing new is sent by it, what it is owed still comes."""
        ...

    def note_elsewhere(self, is_bound: bool) -> None:
        """Whether another node has a bind that may be sent on: its health is up then, too."""
        ...

    @property
    def health(self) -> Health:
        """up: it takes messages now; down: it waits for its links; suspended: nobody may choose it."""
        ...

    def reserve(self, parts: int, spare: float = 0.0) -> bool:
        """Take room for parts of one message, if there is any now and `spare` of all room stays free beside it."""
        ...

    def give_back(self, parts: int) -> None:
        """Return room that will not be used."""
        ...

    def submit(self, messages: list[Message]) -> list[Message]:
        """Write all queued parts of messages that have room reserved; return those it could not write at all."""
        ...

    def events(self) -> AsyncIterator[list[ConnectorEvent]]:
        """What happened, in order, as lists."""
        ...

    def acknowledge(self, tokens: list[Any], stored: bool) -> None:
        """Answer receipts and inbound messages: taken, or (stored False) to be sent again later."""
        ...
