"""A message for later: not before its time, not after its validity, and at its edges the status of the field at fault.

Source: SMPP v3.4 5.2.12 (schedule_delivery_time), 5.2.16 (validity_period), 7.1.1; smpp-answers (0x61, 0x62).
What must not enter: how a time is written (smpp/test_times.py), replaced schedules (test_recall.py), lives that end
(test_queues.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.accept.refusals import Refusal
from gateway.message import Message
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import Ground, Life

SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000


async def test_it_leaves_at_its_time_and_not_a_second_before(ground: Ground) -> None:
    async with ground.live(answer=take_all) as life:
        message = await life.accept_one(not_before_ms=ground.clock.ms + HOUR_MS)
        ground.clock.pass_s(3599)
        await life.by_the_clock.claim_delayed()
        assert message.message_id not in life.lifecycle.active
        ground.clock.pass_s(1)
        await life.by_the_clock.claim_delayed()
        await life.written(1)
        assert list(life.carrier.copies) == [message.message_id]
        assert await ground.credits() == (999, 0, 1)


async def test_a_claim_after_its_validity_sends_nothing(ground: Ground, life: Life) -> None:
    due = ground.clock.ms + HOUR_MS
    message = await life.accept_one(not_before_ms=due, expires_at_ms=due + SECOND_MS)
    ground.clock.pass_s(3602)
    await life.by_the_clock.claim_delayed()
    await life.until(lambda: message.message_id not in life.lifecycle.active, "it expired in the queue")
    await life.lifecycle.publish()
    assert await life.told_of(message) == ["expired"]
    assert life.carrier.written == []


@pytest.mark.parametrize(
    ("schedule_ms", "validity_ms", "refusal"),
    [
        (14 * DAY_MS - 1, 0, None),
        (14 * DAY_MS, 0, Refusal.SCHEDULE_INVALID),
        (HOUR_MS, HOUR_MS, Refusal.VALIDITY_INVALID),
        (HOUR_MS, HOUR_MS + 1, None),
        (HOUR_MS, HOUR_MS - 1, Refusal.VALIDITY_INVALID),
        (0, 30 * DAY_MS, None),  # longer than we keep: cut, as SMSCs do
    ],
)
async def test_the_edges(
    ground: Ground, life: Life, schedule_ms: int, validity_ms: int, refusal: Refusal | None
) -> None:
    now_ms = ground.clock.ms
    given: dict[str, Any] = {"not_before_ms": now_ms + schedule_ms if schedule_ms else 0}
    given["expires_at_ms"] = now_ms + validity_ms if validity_ms else 0
    outcome = life.lifecycle.admit(ground.submission(**given))
    assert (outcome if isinstance(outcome, Refusal) else None) is refusal
    if isinstance(outcome, Message):
        assert outcome.not_before_ms < outcome.expires_at_ms <= now_ms + 14 * DAY_MS
