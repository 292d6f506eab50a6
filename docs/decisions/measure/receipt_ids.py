"""Decision 0014: what it costs to wait for a receipt and to find the attempt it speaks of, in memory.

Run: .venv/bin/python docs/decisions/measure/receipt_ids.py. All dresses are locked; handsets and ids all differ.
What must not enter: PostgreSQL (rows are asked only for what memory does not know).
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gateway.active import ActiveMessages
from gateway.connector import ReceiptArrived
from gateway.message import Envelope, Message, MessageIds
from gateway.receipts.parse import Receipt
from gateway.waiting_room import WaitingRoom

COUNT, ROUNDS = 15_000, 25
WAYS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "same": (str, str),
    "decimal": (lambda number: f"{number:x}", str),
    "hexadecimal": (str, lambda number: f"{number:x}"),
}


class NoStream:
    """Where a settle stream would be told of a dress that repeats only the end of ids."""

    last_characters: dict[int, int] = {}


def one_round(dress: str) -> tuple[float, float]:
    """Microseconds of the thread for expect and find."""
    answered, receipted = WAYS[dress]
    nothing: Any = NoStream()
    room = WaitingRoom(nothing, nothing, MessageIds(1), lambda: 0, ActiveMessages())
    room.fix_dress(1, dress)
    numbers = [1_000_000_007 + 7 * n for n in range(COUNT)]
    handsets = [f"2290197{n:06d}" for n in range(COUNT)]
    messages = [
        Message(n, 1, 1, 1, 1, "otp", 1, 0, 1, 0, 0, "ACME", handsets[n], "", b"x", Envelope()) for n in range(COUNT)
    ]
    events = [
        ReceiptArrived(Receipt(receipted(number), 2, "delivered", "", handset, "ACME"), b"", None)
        for number, handset in zip(numbers, handsets, strict=True)
    ]
    ids = [answered(number) for number in numbers]
    begun = time.thread_time()
    for message, smsc_message_id in zip(messages, ids, strict=True):
        room.expect(1, message, 0, smsc_message_id)
    expected = time.thread_time()
    found = sum(room.find(1, event) is not None for event in events)
    ended = time.thread_time()
    assert found == COUNT
    return (expected - begun) / COUNT * 1e6, (ended - expected) / COUNT * 1e6


def main() -> None:
    for dress in WAYS:
        expect_us, find_us = min((one_round(dress) for _ in range(ROUNDS)), key=sum)
        print(f"{dress:12} expect {expect_us:.2f} us, find {find_us:.2f} us")


main()
