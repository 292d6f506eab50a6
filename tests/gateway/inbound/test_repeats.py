"""A handset's message that was answered 0x64 while PostgreSQL was away, and that the carrier sends again.

Source: promise P4's care for MO: stored before it is acknowledged, and once. What must not enter: routing.
"""

from __future__ import annotations

import pytest

from gateway import lifecycle
from gateway.connector import InboundArrived
from gateway.inbound import repeats
from gateway.inbound.repeats import REPEAT_MS, AwaitedRepeats
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground


def arrived(text: bytes = b"yes", source: str = HANDSET) -> InboundArrived:
    return InboundArrived(source, "36000", 0, text, b"\x90", 0)


def test_each_message_that_was_sent_back_is_known_once() -> None:
    awaited = AwaitedRepeats()
    awaited.await_again(1, [arrived(), arrived(), arrived(b"no")], 1000)
    assert not awaited.is_repeat(2, arrived(), 1000)
    assert not awaited.is_repeat(1, arrived(source="2290197000009"), 1000)
    assert [awaited.is_repeat(1, arrived(), 1000) for _ in range(3)] == [True, True, False]
    assert awaited.is_repeat(1, arrived(b"no"), 1000)
    assert not awaited


def test_after_a_day_it_is_a_message_of_its_own() -> None:
    awaited = AwaitedRepeats()
    awaited.await_again(1, [arrived(), arrived(b"no")], 1000)
    assert awaited.is_repeat(1, arrived(), 1000 + REPEAT_MS)
    assert not awaited.is_repeat(1, arrived(b"no"), 1001 + REPEAT_MS)


def test_memory_holds_the_youngest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "REPEATS_LIMIT", 3)
    awaited = AwaitedRepeats()
    awaited.await_again(1, [arrived(b"%d" % n) for n in range(5)], 1000)
    assert [awaited.is_repeat(1, arrived(b"%d" % n), 1000) for n in range(5)] == [False, False, True, True, True]


async def test_a_message_stored_after_all_is_not_stored_again_and_the_next_like_it_is(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ground.live() as life:
        monkeypatch.setattr(lifecycle, "STORE_PATIENCE_S", 0.1)
        await ground.cut()
        token = life.carrier.inbound(HANDSET, "36001", b"yes")
        await eventually(lambda: life.carrier.acknowledged == [(token, False)], WITHIN_S)
        ground.away = False
        monkeypatch.undo()  # the usual patience from here on
        await life.settling.durable()
        for text, rows in ((b"yes", 1), (b"yes", 2), (b"no", 3)):
            again = life.carrier.inbound(HANDSET, "36001", text)
            await eventually(lambda token=again: (token, True) in life.carrier.acknowledged, WITHIN_S)  # type: ignore[misc]
            assert await ground.count("inbound_messages") == rows
