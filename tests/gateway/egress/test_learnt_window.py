"""The connector learns a carrier's window over sockets: everything is taken, once, and the binds go by it.

smpp-answers, 0x58 and 0x14; decision 0010. How it is learnt: test_adaptive_window.py. What must not enter: how fast.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import pytest

from gateway.connector import Taken, TryLater
from gateway.message import Message
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, Trunk, message

MESSAGES = 300


async def send_all(trunk: Trunk, waiting: list[Message]) -> None:
    """As many as there is room for; what is to come again comes at once."""
    connector, read = trunk.connector, 0
    while True:
        for event in trunk.told[read:]:
            read += 1
            if isinstance(event, TryLater):
                waiting.append(event.message)
        while waiting and connector.reserve(1):
            again = waiting.pop(0)
            again.part_states = "Q"
            assert connector.submit([again]) == []
        connector.room.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await connector.room.wait()


@pytest.mark.parametrize("status", ["0x58", "0x14"])
async def test_a_window_narrower_than_configured_is_learnt_and_nothing_is_lost(trunk_to: Open, status: str) -> None:
    answers = {"window": 5, "window_status": status, "latency_ms": "10..20"}
    trunk = await trunk_to(answers, bind_types=("transceiver",) * 2, window=30)
    connector = trunk.connector
    sending = asyncio.create_task(send_all(trunk, [message(number) for number in range(1, MESSAGES + 1)]))
    try:
        await eventually(lambda: sum(isinstance(event, Taken) for event in trunk.told) >= MESSAGES, 60, "all are taken")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert set(Counter(event.message.message_id for event in trunk.told if isinstance(event, Taken)).values()) == {1}
    assert connector.window.window <= 5
    assert {link.session.window for link in connector.links if link.session} == {connector.window.window}
    trunk.smsc.disconnect()
    await eventually(lambda: all(link.generation == 2 and link.bound for link in connector.links), WITHIN_S)
    assert all(link.session.window <= 5 for link in connector.links if link.session), "a new session, too"
