"""Ids in twelve dresses, receipts shuffled, early and twice, in the running rooms: nothing lost, nothing crossed.

Source: promise P4; smpp-answers, "Receipts" (the dress is learnt on the first 20 matches, locked, and told of when it
changes). What must not enter: reading ids (receipts/test_dress.py), doubts (test_waiting_room.py).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

import pytest

from gateway import parking, unnamed, waiting_room
from gateway.message import Message
from gateway.receipts.dress import LEARN_MATCHES
from tests.gateway.conftest import HANDSET, Ground, Life

OTHER_HANDSET = "2290197000002"
FINALS = ("delivered", "undeliverable", "expired", "rejected")
MESSAGES = 40


def as_uuid(number: int) -> str:
    return str(uuid.UUID(int=number << 64 | number))


# How a carrier's number is answered, how its receipt repeats it, what is learnt of it.
FORMATS: dict[str, tuple[Callable[[int], str], Callable[[int], str], str]] = {
    "decimal": (str, str, "same"),
    "hexadecimal": (lambda n: f"{n:x}", lambda n: f"{n:x}", "same"),
    "upper to lower": (lambda n: f"{n:X}", lambda n: f"{n:x}", "same"),
    "decimal to hexadecimal": (str, lambda n: f"{n:x}", "hexadecimal"),
    "decimal to HEXADECIMAL": (str, lambda n: f"{n:08X}", "hexadecimal"),
    "hexadecimal to decimal": (lambda n: f"{n:x}", str, "decimal"),
    "zeros stripped": (lambda n: f"{n:020d}", str, "same"),
    "zeros added": (str, lambda n: f"{n:016d}", "same"),
    "dashes dropped": (as_uuid, lambda n: as_uuid(n).replace("-", "").upper(), "dashes"),
    "prefix added": (str, lambda n: f"smsc7-{n}", "added:smsc7-"),
    "prefix dropped": (lambda n: f"Node3/{n}", str, "dropped:node3/"),
    "last ten only": (lambda n: f"20261121{n:010d}", lambda n: f"{n:010d}", "last:10"),
}


def handset(number: int) -> str:
    return f"2290197{number:06d}"


async def taken_as(life: Life, message: Message, smsc_message_id: str) -> None:
    life.carrier.taken(message, smsc_message_id)
    await life.until(lambda: message.smsc_message_ids)


def told(life: Life) -> dict[int, str]:
    return dict(life.told.receipts)


@pytest.mark.parametrize("name", FORMATS)
async def test_nothing_is_lost_and_nothing_crossed(ground: Ground, name: str) -> None:
    answered, receipted, dress = FORMATS[name]
    chance = random.Random(name)
    async with ground.live() as life:
        numbers = [1_000_000_000 + chance.randrange(10**9) for _ in range(MESSAGES)]
        messages = [await life.accept_one(to=handset(n)) for n in range(MESSAGES)]
        await life.written(MESSAGES)
        states = [chance.choice(FINALS) for _ in messages]
        happenings = []
        for place, number in enumerate(numbers):
            early = chance.random() < 0.3
            at = chance.random()
            happenings.append((at, "taken", place))
            for copy in range(2 if chance.random() < 0.3 else 1):
                happenings.append(
                    (at - chance.random() if early and copy == 0 else at + chance.random(), "told", place)
                )
            del number
        receipts = 0
        for _, what, place in sorted(happenings):
            if what == "taken":
                life.carrier.taken(messages[place], answered(numbers[place]))
            else:
                life.carrier.receipt(receipted(numbers[place]), states[place], handset(place))
                receipts += 1
        await life.until(lambda: len(life.carrier.acknowledged) == receipts, "every receipt is acknowledged")
        await life.by_the_clock.match_parked()
        assert await life.told_of(*messages) == states
        assert len(life.told.receipts) == MESSAGES
        assert life.lifecycle.waiting_room.dress(life.carrier.connector_id).locked == dress
        assert await ground.value("SELECT dress FROM receipt_dresses") == dress
    async with ground.live() as life:  # what is left of duplicates that came early finds its message by its row
        await life.by_the_clock.match_parked()
        await life.settling.durable()
        assert life.lifecycle.waiting_room.dress(life.carrier.connector_id).locked == dress
        assert await ground.count("parked_receipts") == 0
        assert life.told.receipts == []


@pytest.mark.parametrize(
    ("ours", "theirs", "dress"), [("10", "16", "decimal"), ("16", "10", "hexadecimal"), ("10", "16", "same")]
)
async def test_ids_that_are_each_others_hexadecimal_are_not_crossed_even_to_one_handset(
    ground: Ground, life: Life, ours: str, theirs: str, dress: str
) -> None:
    in_receipts = {"decimal": lambda i: str(int(i, 16)), "hexadecimal": lambda i: f"{int(i):x}", "same": str}[dress]
    await learn(life, dress)
    first, second = await life.accept_one(), await life.accept_one()
    await life.until(lambda: len(life.carrier.open) == 2)
    await taken_as(life, first, ours)
    await taken_as(life, second, theirs)
    life.carrier.receipt(in_receipts(ours), "delivered", HANDSET)
    life.carrier.receipt(in_receipts(ours), "delivered", HANDSET)
    life.carrier.receipt(in_receipts(theirs), "undeliverable", HANDSET)
    await life.until(lambda: len(told(life)) == LEARN_MATCHES + 2)
    assert (told(life)[first.message_id], told(life)[second.message_id]) == ("delivered", "undeliverable")
    assert await ground.count("parked_receipts") == 0


async def test_an_early_receipt_in_the_locked_dress_waits_for_its_own_answer(ground: Ground, life: Life) -> None:
    """Its id, read in another dress, names somebody else's attempt to the same handset."""
    await learn(life, "same")
    other, early = await life.accept_one(), await life.accept_one()
    await life.until(lambda: len(life.carrier.open) == 2)
    await taken_as(life, other, "10")
    token = life.carrier.receipt("16", "undeliverable", HANDSET)  # 0x10 is 16
    await life.until(lambda: (token, True) in life.carrier.acknowledged)
    assert other.state == "submitted"
    life.carrier.taken(early, "16")
    await life.until(lambda: early.message_id in told(life))
    assert (early.state, other.state) == ("undeliverable", "submitted")


async def test_before_anything_is_learnt_an_id_that_fits_two_waits_until_others_taught_the_dress(
    ground: Ground, life: Life
) -> None:
    first, second = await life.accept_one(), await life.accept_one()
    plain = await life.accept_one(to=OTHER_HANDSET)
    await life.written(3)
    await taken_as(life, first, "10")
    await taken_as(life, second, "16")
    await taken_as(life, plain, "abcdef")
    token = life.carrier.receipt("16", "delivered", HANDSET)
    await life.until(lambda: (token, True) in life.carrier.acknowledged)
    assert (first.state, second.state) == ("submitted", "submitted")
    life.carrier.receipt(str(0xABCDEF), "delivered", OTHER_HANDSET)
    await life.until(lambda: plain.state == "delivered")
    await life.by_the_clock.match_parked()
    assert (first.state, second.state) == ("delivered", "submitted")


async def test_an_id_that_fits_two_is_taken_as_it_is_when_nothing_teaches_the_dress(ground: Ground, life: Life) -> None:
    first, second = await life.accept_one(), await life.accept_one()
    await life.written(2)
    await taken_as(life, first, "10")
    await taken_as(life, second, "16")
    token = life.carrier.receipt("16", "delivered", HANDSET)
    await life.until(lambda: (token, True) in life.carrier.acknowledged)
    ground.clock.pass_s(waiting_room.AMBIGUITY_MS / 1000)
    await life.by_the_clock.match_parked()
    assert (first.state, second.state) == ("submitted", "delivered")


async def learn(life: Life, dress: str, count: int = LEARN_MATCHES, first: int = 1_000_000_000) -> None:
    """So many messages are taken and receipted in one dress, each to a handset of its own."""
    answered, receipted = {
        "same": (str, str),
        "decimal": (lambda n: f"{n:x}", str),
        "hexadecimal": (str, lambda n: f"{n:x}"),
    }[dress]
    before = len(life.told.receipts)
    for number in range(first, first + count):
        message = await life.accept_one(to=handset(number % 10**6))
        await life.until(lambda: life.carrier.open)
        await taken_as(life, message, answered(number))
        life.carrier.receipt(receipted(number), "delivered", handset(number % 10**6))
        await life.until(lambda n=number - first: len(life.told.receipts) == before + n + 1)  # type: ignore[misc]


async def test_a_carrier_that_changes_its_dress_is_followed_and_told_of(
    ground: Ground, life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    room, connector_id = life.lifecycle.waiting_room, life.carrier.connector_id
    await learn(life, "same")
    assert room.dress(connector_id).locked == "same"
    await learn(life, "hexadecimal", LEARN_MATCHES - 1, 2_000_000_000)
    assert room.dress(connector_id).locked == "same"
    await learn(life, "hexadecimal", 1, 3_000_000_000)
    assert room.dress(connector_id).locked == "hexadecimal"
    assert life.tallies.dress_changes == {"carrier-a": 1}
    assert [r.getMessage() for r in caplog.records if r.name == "passerelle.receipts"] == ["receipt_dress_changed"]
    row = await ground.connection.fetchrow("SELECT * FROM receipt_dresses")
    assert row is not None
    assert (row["dress"], row["answered"], row["receipted"]) == ("hexadecimal", "3000000000", "b2d05e00")


async def test_a_dress_that_the_configuration_fixes_stays(ground: Ground, life: Life) -> None:
    room, connector_id = life.lifecycle.waiting_room, life.carrier.connector_id
    room.fix_dress(connector_id, "decimal")
    await learn(life, "same")
    assert room.dress(connector_id).locked == "decimal"
    assert life.tallies.dress_changes == {"carrier-a": 1}
    assert await ground.count("receipt_dresses") == 0


async def test_a_receipt_of_the_end_of_an_id_is_found_by_its_row(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, receipted, _ = FORMATS["last ten only"]
    async with ground.live() as life:
        life.lifecycle.waiting_room.dress(life.carrier.connector_id)
        for number in range(LEARN_MATCHES + 1):
            message = await life.accept_one(to=handset(number))
            await life.until(lambda: life.carrier.open)
            await taken_as(life, message, answered(5_000_000_000 + number))
            if number < LEARN_MATCHES:
                life.carrier.receipt(receipted(5_000_000_000 + number), "delivered", handset(number))
                await life.until(lambda n=number: len(life.told.receipts) == n + 1)  # type: ignore[misc]
    async with ground.live() as life:
        life.carrier.receipt(receipted(5_000_000_000 + LEARN_MATCHES), "delivered", handset(LEARN_MATCHES))
        assert await life.told_of(message) == ["delivered"]


async def test_ids_used_again_while_the_first_still_waits_are_told_apart_by_their_handsets(
    ground: Ground, life: Life
) -> None:
    first, second = await life.accept_one(), await life.accept_one(to=OTHER_HANDSET)
    await life.written(2)
    await taken_as(life, first, "7")
    await taken_as(life, second, "7")
    life.carrier.receipt("7", "undeliverable", HANDSET)
    life.carrier.receipt("7", "delivered", OTHER_HANDSET)
    assert await life.told_of(first, second) == ["undeliverable", "delivered"]


async def test_ids_that_differ_by_case_alone_are_told_apart(ground: Ground, life: Life) -> None:
    first, second = await life.accept_one(), await life.accept_one()
    await life.written(2)
    await taken_as(life, first, "qZ9")
    await taken_as(life, second, "Qz9")
    life.carrier.receipt("qZ9", "undeliverable", HANDSET)
    life.carrier.receipt("Qz9", "delivered", HANDSET)
    assert await life.told_of(first, second) == ["undeliverable", "delivered"]


# ---------------------------------------------------------------- limits: what memory has no room for is found by rows


async def test_attempts_without_an_id_beyond_memory_are_found_by_their_rows(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unnamed, "UNNAMED_LIMIT", 10)
    async with ground.live() as life:
        messages = []
        for number in range(15):
            message = await life.accept_one(to=handset(number))
            await life.until(lambda: life.carrier.open)
            life.carrier.taken(message, "")
            await life.until(lambda m=message: m.state == "submitted")  # type: ignore[misc]
            messages.append(message)
        assert len(life.lifecycle.active) <= 10
        for number in range(15):
            life.carrier.receipt(f"never-told-{number}", "delivered", handset(number))
        assert await life.told_of(*messages) == ["delivered"] * 15
        assert await ground.count("parked_receipts") == 0
        assert len(life.lifecycle.active) == 0


async def test_an_attempt_without_an_id_is_found_after_a_restart(ground: Ground) -> None:
    async with ground.live() as life:
        message = await life.accept_one()
        await life.written(1)
        life.carrier.taken(message, "")
        await life.until(lambda: message.state == "submitted")
    async with ground.live() as life:
        life.carrier.receipt("never-told", "delivered", "+" + HANDSET)
        assert await life.told_of(message) == ["delivered"]


async def test_parked_receipts_beyond_memory_are_tried_again_from_their_rows(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "PARKED_LIMIT", 10)
    monkeypatch.setattr(parking, "SEARCH_AT_ONCE", 4)
    async with ground.live() as life:
        messages = [await life.accept_one(to=handset(number)) for number in range(25)]
        await life.written(25)
        for number in range(25):
            life.carrier.receipt(f"id-{number}", "delivered", handset(number))
        await life.until(lambda: len(life.carrier.acknowledged) == 25)
        assert await ground.count("parked_receipts") == 25
        for number, message in enumerate(messages):
            life.carrier.taken(message, f"id-{number}")
        await life.until(lambda: not life.carrier.open)
        for _ in range(20):
            await life.by_the_clock.match_parked()
        assert await life.told_of(*messages) == ["delivered"] * 25
        assert await ground.count("parked_receipts") == 0


async def test_early_receipts_that_say_the_same_twice_leave_nothing_parked(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    tokens = [life.carrier.receipt("id-1", "delivered", HANDSET) for _ in range(3)]
    await life.until(lambda: len(life.carrier.acknowledged) == len(tokens))
    life.carrier.taken(message, "id-1")
    assert await life.told_of(message) == ["delivered"]
    await life.settling.durable()
    assert await ground.count("parked_receipts") == 0
