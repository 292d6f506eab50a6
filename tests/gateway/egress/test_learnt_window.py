"""The connector learns a carrier's window over sockets: everything is taken, once, and the binds go by it.

smpp-answers, 0x58 and 0x14; decision 0010. How it is learnt: test_adaptive_window.py. What must not enter: how fast.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from time import monotonic

import pytest

from gateway.connector import Taken, TryLater
from gateway.egress.smpp_connector import QUEUE_FULL_MANY, QUEUE_FULL_PAUSE_S, QUEUE_FULL_SHARE
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
    await all_taken(trunk, MESSAGES)
    assert set(Counter(event.message.message_id for event in trunk.told if isinstance(event, Taken)).values()) == {1}
    assert connector.window.window <= 5
    assert {link.session.window for link in connector.links if link.session} == {connector.window.window}
    trunk.smsc.disconnect()
    await eventually(lambda: all(link.generation == 2 and link.bound for link in connector.links), WITHIN_S)
    assert all(link.session.window <= 5 for link in connector.links if link.session), "a new session, too"


async def all_taken(trunk: Trunk, messages: int) -> None:
    sending = asyncio.create_task(send_all(trunk, [message(number) for number in range(1, messages + 1)]))
    try:
        await eventually(lambda: sum(isinstance(event, Taken) for event in trunk.told) >= messages, 60, "all are taken")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_a_few_queues_full_among_thousands_taken_pause_nothing(trunk_to: Open) -> None:
    connector = (await trunk_to()).connector
    answers = connector._tallies.carrier_answers
    for _ in range(2 * QUEUE_FULL_MANY):
        answers[connector.name, "taken"] += 2 * int(1 / QUEUE_FULL_SHARE)
        connector._note_queue_full()
    assert connector._paused_until == 0
    for _ in range(2 * QUEUE_FULL_MANY):
        connector._note_queue_full()
    assert connector._paused_until > monotonic() + QUEUE_FULL_PAUSE_S / 2


async def test_a_queue_that_is_full_pauses_the_connector_for_a_minute(trunk_to: Open) -> None:
    trunk = await trunk_to({"error_mix": "0x14=1.0"}, window=30)
    trunk.send(*[message(number) for number in range(1, QUEUE_FULL_MANY + 1)])
    await trunk.outcomes(QUEUE_FULL_MANY)
    await eventually(lambda: trunk.connector._paused_until > monotonic() + QUEUE_FULL_PAUSE_S / 2, WITHIN_S)
    assert not trunk.connector.reserve(1)
