"""Lanes on real rows: a campaign of one account holds up no code and no other account, living, full or after a crash.

gateway/lanes.py, outbox.py, refill.py over PostgreSQL. What must not enter: shares in numbers (test_lanes.py).
"""

from __future__ import annotations

import asyncio

import msgspec

from gateway.message import Message
from gateway.storage import facts
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import CREDIT, Ground, Life


async def another_account(ground: Ground) -> int:
    account_id = await facts.add_account(ground.connection, "other", 1000 * CREDIT, None)
    assert account_id is not None
    await facts.add_sender_name(ground.connection, account_id, "ACME", "approved")
    return account_id


async def accept_for(life: Life, account_id: int, count: int, kind: str, text: bytes = b"hello") -> list[Message]:
    found = []
    for _ in range(count):
        asked = msgspec.structs.replace(life.ground.submission(text, kind=kind), account_id=account_id)
        admitted = life.lifecycle.admit(asked)
        assert isinstance(admitted, Message)
        found.append(admitted)
    await asyncio.gather(*(life.lifecycle.accept([m]) for m in found))
    return found


def places(life: Life, messages: list[Message]) -> list[int]:
    """Where these stand in the order of writing."""
    order = {message_id: place for place, (message_id, _) in enumerate(life.carrier.written)}
    return [order[m.message_id] for m in messages]


async def test_codes_and_other_accounts_leave_before_a_campaign_that_fills_memory(ground: Ground) -> None:
    other_id = await another_account(ground)
    async with ground.live(queue_limit=20, window=2, down=["carrier-a"]) as life:
        campaign = await life.accept(200, kind="marketing")
        others = await accept_for(life, other_id, 5, "marketing")
        codes = await life.accept(3, kind="otp")
        life.carrier.answer = take_all
        life.carrier.health = "up"
        await life.until(lambda: len(life.carrier.written) >= 208)
        assert max(places(life, codes)) <= 3
        assert max(places(life, others)) <= 3 + 10 + 5 + 3  # one turn of the campaign, and room for codes
        assert places(life, campaign) == sorted(places(life, campaign))
        assert set(life.carrier.copies.values()) == {1}


async def test_a_slow_carriers_window_is_never_full_of_marketing(ground: Ground) -> None:
    async with ground.live(window=8) as life:  # it answers nothing
        await life.accept(30, kind="marketing")
        await life.written(6)
        (code,) = await life.accept(1, kind="otp")
        await life.until(lambda: (code.message_id, 0) in life.carrier.written)
        assert life.carrier.written[6:] == [(code.message_id, 0)]


async def test_an_otp_passes_a_campaigns_message_that_finds_no_room(ground: Ground) -> None:
    async with ground.live(window=4) as life:
        taken = await life.accept(2, kind="transactional")
        wide = await life.accept_one(kind="marketing", text=b"a" * 600)  # 4 parts: they need the whole window
        code = await life.accept_one(kind="otp")
        await life.until(lambda: (code.message_id, 0) in life.carrier.written)
        assert not any(message_id == wide.message_id for message_id, _ in life.carrier.written)
        for message in [*taken, code]:
            life.carrier.taken(message, f"id-{message.message_id}")
        await life.until(lambda: len(life.carrier.written) == 7)


async def test_after_a_crash_each_lane_is_read_from_its_own_mark_and_in_order(ground: Ground) -> None:
    other_id = await another_account(ground)
    async with ground.live(queue_limit=10, down=["carrier-a"]) as life:
        campaign = await life.accept(40, kind="marketing")
        service = await life.accept(12, kind="service")
        others = await accept_for(life, other_id, 12, "marketing")
        await life.save_marks()
    async with ground.live(queue_limit=10, window=1, down=["carrier-a"]) as life:
        codes = await life.accept(2, kind="otp")
        life.carrier.answer = take_all
        life.carrier.health = "up"
        await life.until(lambda: len(life.carrier.written) >= 66)
        for messages in (campaign, service, others, codes):
            assert places(life, messages) == sorted(places(life, messages))
        assert max(places(life, codes)) <= 3
        assert max(places(life, others)) < max(places(life, campaign))
        assert set(life.carrier.copies.values()) == {1}


async def test_marks_of_lanes_that_flow_are_not_kept_back_by_one_that_stands(ground: Ground) -> None:
    async with ground.live(window=4) as life:
        campaign = await life.accept(20, kind="marketing")
        await life.written(3)
        code = await life.accept_one(kind="otp")
        await life.until(lambda: (code.message_id, 0) in life.carrier.written)
        life.carrier.taken(code, "id")
        await life.until(lambda: code.state == "submitted")
        ground.clock.pass_s(1)
        await life.save_marks()
        marks = await ground.connection.fetch("SELECT lane, queued_from_id FROM connector_marks ORDER BY lane")
        assert [lane for lane, _ in marks] == [0, 1, 2]
        assert marks[0][1] > code.message_id
        assert marks[2][1] <= campaign[0].message_id
