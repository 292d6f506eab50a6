"""Receipts whose id nobody knows: adopted by exactly one attempt that lacks an id, and never by a wrong one.

Promise P2; docs/decisions/0006-in-doubt.md, Evidence. In the running rooms over PostgreSQL; each message has a state of
its own to come to, so that crossing shows. What must not enter: ids that are known (test_receipt_dresses.py).
"""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from gateway.message import Message
from gateway.parking import PARKED_MS
from gateway.storage import commands
from gateway.storage.inspection import MESSAGE_ID_LIMIT
from tests.gateway.conftest import HANDSET, Ground, Life
from tests.gateway.test_receipt_dresses import FINALS, FORMATS, handset

MESSAGES = 24
HANDSETS = 8


def text(number: int) -> bytes:
    return f"{number:03d} is your code".encode()


async def doubt(life: Life, message: Message) -> None:
    life.carrier.doubtful(message)
    await life.until(lambda: message.part_states == "I")


async def two_doubts(life: Life) -> tuple[Message, Message]:
    first = await life.accept_one(text=text(1))
    second = await life.accept_one(text=text(2))
    await life.written(2)
    await doubt(life, first)
    await doubt(life, second)
    return first, second


async def kept(life: Life, token: int) -> None:
    await life.until(lambda: (token, True) in life.carrier.acknowledged, "the receipt is stored")


@pytest.mark.parametrize("said", [b"002 is your code", b"002 IS your ", b" 002 is"])
async def test_of_two_doubts_to_one_handset_the_text_of_the_receipt_tells_which(
    ground: Ground, life: Life, said: bytes
) -> None:
    first, second = await two_doubts(life)
    life.carrier.receipt("unknown-1", "delivered", HANDSET, raw=b"id:unknown-1 stat:DELIVRD err:000 text:" + said)
    assert await life.told_of(second) == ["delivered"]
    assert first.state == "in_doubt"
    assert await ground.count("parked_receipts") == 0


async def test_the_sender_that_a_receipt_names_tells_which(ground: Ground, life: Life) -> None:
    first, second = await two_doubts(life)
    first.source_addr = "OTHER"
    life.carrier.receipt("unknown-1", "delivered", HANDSET, to="OTHER")
    assert await life.told_of(first) == ["delivered"]
    assert second.state == "in_doubt"


@pytest.mark.parametrize("raw", [b"text:", b"text:000", b"text:something of the carrier", b"no text"])
async def test_a_receipt_that_tells_nothing_of_two_is_kept_for_both(ground: Ground, life: Life, raw: bytes) -> None:
    first, second = await two_doubts(life)
    await kept(life, life.carrier.receipt("unknown-1", "delivered", HANDSET, raw=raw))
    await life.by_the_clock.match_parked()
    assert (first.state, second.state) == ("in_doubt", "in_doubt")
    assert await ground.count("parked_receipts") == 1


async def test_a_receipt_is_never_adopted_by_a_message_that_is_younger(ground: Ground, life: Life) -> None:
    await kept(life, life.carrier.receipt("of-another-gateway", "undeliverable", HANDSET))
    ground.clock.pass_s(5)
    message = await life.accept_one()
    await life.written(1)
    await doubt(life, message)
    await life.by_the_clock.match_parked()
    await life.settling.durable()
    assert message.state == "in_doubt"
    assert await ground.count("parked_receipts") == 1
    life.carrier.receipt("its-own", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]


async def test_a_receipt_of_a_submission_days_ago_is_not_adopted(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    await doubt(life, message)
    raw = b"id:old sub:001 dlvrd:001 submit date:0001010000 done date:0001010000 stat:UNDELIV"
    await kept(life, life.carrier.receipt("old", "undeliverable", HANDSET, raw=raw))
    assert message.state == "in_doubt"
    assert await ground.count("parked_receipts") == 1


async def test_a_receipt_that_fitted_nobody_is_given_up_and_seen(ground: Ground, life: Life) -> None:
    await kept(life, life.carrier.receipt("of-another-gateway", "undeliverable", HANDSET))
    await kept(life, life.carrier.receipt("of-a-third", "delivered", HANDSET))
    seen = await commands.list_orphans(ground.connection, "carrier-a", MESSAGE_ID_LIMIT, 9)
    assert [(row["smsc_message_id"], row["waiting"]) for row in seen] == [
        ("of-a-third", True),
        ("of-another-gateway", True),
    ]
    ground.clock.pass_s(PARKED_MS // 1000 + 1)
    assert await life.lifecycle.waiting_room.bury_parked() == 2
    (newest,) = await commands.list_orphans(ground.connection, None, MESSAGE_ID_LIMIT, 1)
    assert (newest["smsc_message_id"], newest["waiting"], newest["connector"]) == ("of-a-third", False, "carrier-a")
    (older,) = await commands.list_orphans(ground.connection, None, newest["parked_id"], 9)
    assert older["smsc_message_id"] == "of-another-gateway"
    assert await commands.list_orphans(ground.connection, "carrier-z", MESSAGE_ID_LIMIT, 9) == []


@pytest.mark.parametrize("name", FORMATS)
async def test_with_lost_responses_nothing_is_crossed(ground: Ground, name: str) -> None:
    answered, receipted, _ = FORMATS[name]
    chance = random.Random(f"orphans {name}")
    async with ground.live() as life:
        messages = [await life.accept_one(to=handset(n % HANDSETS), text=text(n)) for n in range(MESSAGES)]
        await life.written(MESSAGES)
        states = [chance.choice(FINALS) for _ in messages]
        numbers = [1_000_000_000 + chance.randrange(10**9) for _ in messages]
        tells_text = [chance.random() < 0.5 for _ in messages]
        lost = {n for n in range(MESSAGES) if chance.random() < 0.4}
        happenings = []
        for place in range(MESSAGES):
            at = chance.random()
            happenings.append((at, "lost" if place in lost else "taken", place))
            happenings.append((at + chance.random() - 0.3, "told", place))
        for _, what, place in sorted(happenings):
            if what == "lost":
                life.carrier.doubtful(messages[place])
            elif what == "taken":
                life.carrier.taken(messages[place], answered(numbers[place]))
            else:
                raw = b"err:000 text:" + (text(place)[:20] if tells_text[place] else b"")
                life.carrier.receipt(receipted(numbers[place]), states[place], handset(place % HANDSETS), raw=raw)
        await life.until(lambda: len(life.carrier.acknowledged) == MESSAGES, "every receipt is stored")
        for _ in range(3):  # what one adoption leaves behind may be the only one that another receipt fits
            await life.by_the_clock.match_parked()
            await life.settling.durable()
        told = dict(life.told.receipts)
        ends = {message.message_id: state for message, state in zip(messages, states, strict=True)}
        assert told == {message_id: ends[message_id] for message_id in told}, "crossed"
        named = {messages[n].message_id for n in range(MESSAGES) if n not in lost}
        assert named <= told.keys(), "lost"
        doubts = defaultdict(list)
        for place in sorted(lost):
            doubts[place % HANDSETS].append(place)
        sure = {places[0] for places in doubts.values() if len(places) == 1}
        sure |= {place for place in lost if tells_text[place]}
        assert {messages[place].message_id for place in sure} <= told.keys(), "an orphan that could be adopted"
