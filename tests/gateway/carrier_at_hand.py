"""A carrier in this process, steered part by part: it keeps the numbered sentences of gateway.connector.

What belongs here: its window, what was written to it, and the outcomes a test wishes.
test_connector_contract.py runs the same sentences against it as against the real kinds.
What must not enter: a wire, a clock, an answer that nobody asked for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from math import ceil
from typing import Any

from gateway.connector import (
    ConnectorEvent,
    Doubtful,
    Health,
    InboundArrived,
    ReceiptArrived,
    Rejected,
    Taken,
    TryLater,
)
from gateway.message import Message
from gateway.receipts.parse import STATE_OF_VALUE, Receipt

Answer = Callable[[Message, int], ConnectorEvent]
VALUE_OF_STATE = {state: value for value, state in STATE_OF_VALUE.items()}


class CarrierAtHand:
    """One way out. written: (message id, part) in the order of writing; open: what has no outcome yet.

    answer: what every part gets as soon as it is written; None: the test calls taken(), later(), rejected() ...
    """

    def __init__(self, name: str, connector_id: int, health: dict[str, Health], window: int = 1000) -> None:
        self.name = name
        self.connector_id = connector_id
        self.window = window
        self.receipt_covers = ""
        self.room = asyncio.Event()
        self.answer: Answer | None = None
        self.written: list[tuple[int, int]] = []
        self.open: dict[tuple[int, int], Message] = {}
        self.acknowledged: list[tuple[Any, bool]] = []
        self.reserved = 0
        self._health = health
        self._here: Health = "up"
        self.bind_count = 1
        self.held = frozenset({0})
        self._leaving: frozenset[int] = frozenset()
        self.share = 1.0
        self._elsewhere = False
        self._out = False
        self._events: list[ConnectorEvent] = []
        self._happened = asyncio.Event()
        self._tokens = 0
        health[name] = "up"

    @property
    def health(self) -> Health:
        return self._health[self.name]

    @health.setter
    def health(self, now: Health) -> None:
        self._here = now
        down = now == "down" or (now == "up" and not self.held)
        usable: Health = ("up" if self._elsewhere else "down") if down else now
        self._health[self.name] = "suspended" if self._out else usable
        self.room.set()

    @property
    def bind_groups(self) -> tuple[tuple[int, ...], ...]:
        return (tuple(range(self.bind_count)),)

    def hold(self, numbers: frozenset[int], of: int) -> None:
        self._leaving |= self.held - numbers
        self.held, self.share = numbers, len(numbers) / of
        self.health = self._here

    @property
    def open_binds(self) -> frozenset[int]:
        if not self.open:  # a bind ends once nothing is owed on it
            self._leaving = frozenset()
        return self.held | self._leaving

    @property
    def bound(self) -> int:
        return len(self.held) if self._here == "up" else 0

    def take_out(self, is_out: bool) -> None:
        self._out = is_out
        self.health = self._here

    def note_elsewhere(self, is_bound: bool) -> None:
        self._elsewhere = is_bound
        self.health = self._here

    # ------------------------------------------------------------------ the contract

    def reserve(self, parts: int, spare: float = 0.0) -> bool:
        taken = self.reserved + len(self.open)
        kept = min(ceil(self.window * spare), self.window - 1)
        if self._out or not self.bound or (taken and taken + parts + kept > self.window):
            return False
        self.reserved += parts
        return True

    def give_back(self, parts: int) -> None:
        self.reserved -= parts
        self.room.set()

    def submit(self, messages: list[Message]) -> list[Message]:
        unsent = []
        for message in messages:
            self.reserved -= message.part_count
            if not self.bound:
                unsent.append(message)
                continue
            for part_no, letter in enumerate(message.part_states):
                if letter == "Q":
                    self.written.append((message.message_id, part_no))
                    self.open[message.message_id, part_no] = message
                    if self.answer is not None:
                        self.tell(self.answer(message, part_no))
        return unsent

    async def events(self) -> AsyncIterator[list[ConnectorEvent]]:
        while True:
            await self._happened.wait()
            self._happened.clear()
            events, self._events = self._events, []
            if events:
                yield events

    def acknowledge(self, tokens: list[Any], stored: bool) -> None:
        self.acknowledged += [(token, stored) for token in tokens]

    # ------------------------------------------------------------------ what a test says

    @property
    def copies(self) -> Counter[int]:
        """How often each message's first part was written."""
        return Counter(message_id for message_id, part_no in self.written if part_no == 0)

    def tell(self, event: ConnectorEvent) -> None:
        """Let something happen; an outcome frees its place in the window."""
        if not isinstance(event, ReceiptArrived | InboundArrived):
            self.open.pop((event.message.message_id, event.part_no), None)
        self._events.append(event)
        self._happened.set()
        self.room.set()

    def taken(self, message: Message, smsc_message_id: str, part_no: int = 0, late: bool = False) -> None:
        self.tell(Taken(message, part_no, smsc_message_id, late=late))

    def later(self, message: Message, after_s: float, part_no: int = 0) -> None:
        self.tell(TryLater(message, part_no, after_s, "ESME_RSYSERR"))

    def rejected(self, message: Message, elsewhere: bool = False, part_no: int = 0) -> None:
        self.tell(Rejected(message, part_no, "ESME_RINVDSTADR", elsewhere))

    def doubtful(self, message: Message, part_no: int = 0) -> None:
        self.tell(Doubtful(message, part_no, "no answer in time"))

    def receipt(
        self, smsc_message_id: str, state: str, source: str, error: str = "", to: str = "ACME", raw: bytes = b"raw"
    ) -> int:
        """A receipt arrives; its token."""
        self._tokens += 1
        receipt = Receipt(smsc_message_id, VALUE_OF_STATE.get(state, 1), state, error, source, to, raw)
        self.tell(ReceiptArrived(receipt, raw, self._tokens))
        return self._tokens

    def inbound(self, source: str, destination: str, text: bytes) -> int:
        """A handset's message arrives; its token."""
        self._tokens += 1
        self.tell(InboundArrived(source, destination, 0, text, b"\x90", self._tokens))
        return self._tokens


def take_all(message: Message, part_no: int) -> Taken:
    """The answer of a carrier that takes everything, and names parts after our ids."""
    return Taken(message, part_no, f"{message.message_id & 0xFFFFFFFF}{part_no}")
