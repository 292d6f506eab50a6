"""Receipts in every order and dress, doubts and what ends them, in the running rooms.

Source: promises P2 and P4; smpp-answers, "Receipts" and "no answer in 60 s".
What must not enter: reading a receipt out of a PDU (receipts), links (egress).
"""

from __future__ import annotations

import pytest

from gateway import lifecycle, waiting_room
from gateway.lifecycle import LifePolicy
from gateway.message import SMSC_ID_SEPARATOR, Message
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground, Life

OTHER_HANDSET = "2290197000002"
TWO_PARTS, THREE_PARTS = b"a" * 200, b"a" * 320
GRACE_S, ENDS_S = 61, 601


async def doubted(life: Life, **given: object) -> Message:
    """An accepted message whose every part is in doubt."""
    before = len(life.carrier.written)
    message = await life.accept_one(**given)
    await life.written(before + message.part_count)
    for part_no in range(message.part_count):
        life.carrier.doubtful(message, part_no)
    await life.until(lambda: message.part_states == "I" * message.part_count)
    return message


async def resent(life: Life, message: Message) -> Message:
    """The message after the grace time, on the wire again."""
    before = len(life.carrier.written)
    life.ground.clock.pass_s(GRACE_S)
    await life.by_the_clock.decide_doubts()
    await life.by_the_clock.claim_delayed()
    await life.written(before + 1)
    held = life.lifecycle.active.get(message.message_id)
    assert held is not None
    return held


async def acknowledged(life: Life, token: int, stored: bool = True) -> None:
    await life.until(lambda: (token, stored) in life.carrier.acknowledged, f"receipt {token} acknowledged")


# ---------------------------------------------------------------- doubts


async def test_a_doubt_is_a_state_that_keeps_the_journal_and_the_money(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    row = await ground.row(message)
    assert (row["state"], row["in_doubt_count"], row["hold"]) == ("in_doubt", 1, "held")
    assert await ground.count("open_attempts") == 1
    assert await ground.events(message) == ["in_doubt"]


@pytest.mark.parametrize("kind", ["transactional", "otp"])
async def test_a_doubt_is_resent_once_after_its_grace_time_and_never_again(
    ground: Ground, life: Life, kind: str
) -> None:
    message = await doubted(life, kind=kind)
    ground.clock.pass_s(59)
    await life.by_the_clock.decide_doubts()
    assert message.state == "in_doubt"
    again = await resent(life, message)
    assert life.carrier.copies == {message.message_id: 2}
    life.carrier.doubtful(again)
    await life.until(lambda: again.state == "in_doubt")
    ground.clock.pass_s(GRACE_S)
    await life.by_the_clock.decide_doubts()
    await life.by_the_clock.claim_delayed()
    assert again.state == "in_doubt"
    ground.clock.pass_s(ENDS_S)
    await life.by_the_clock.decide_doubts()
    assert await life.told_of(message) == ["unknown"]
    assert life.carrier.copies == {message.message_id: 2}
    assert await ground.credits() == (999, 0, 1)
    assert (await ground.count("open_attempts"), await ground.count("delayed")) == (0, 0)


async def test_the_grace_of_a_doubt_is_that_of_its_connector(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    ids = ground.connector_ids
    policy = LifePolicy(doubt_graces_ms={ids["carrier-a"]: 5_000, ids["carrier-b"]: 500_000})
    async with ground.live(policy) as life:
        quick = await doubted(life)
        life.carrier.health = "down"
        slow = await life.accept_one()
        other = life.carriers["carrier-b"]
        await life.until(lambda: len(other.written) == 1)
        other.doubtful(slow)
        await life.until(lambda: slow.state == "in_doubt")
        ground.clock.pass_s(6)
        await life.by_the_clock.decide_doubts()
        assert (quick.state, slow.state) == ("queued", "in_doubt")
        ground.clock.pass_s(500)
        await life.by_the_clock.decide_doubts()
        assert slow.state == "queued"


@pytest.mark.parametrize("kind", ["marketing", "service"])
async def test_other_classes_are_never_resent_and_end_as_unknown(ground: Ground, life: Life, kind: str) -> None:
    message = await doubted(life, kind=kind)
    ground.clock.pass_s(ENDS_S - 2)
    await life.by_the_clock.decide_doubts()
    assert message.state == "in_doubt"
    ground.clock.pass_s(2)
    await life.by_the_clock.decide_doubts()
    assert await life.told_of(message) == ["unknown"]
    assert life.carrier.copies == {message.message_id: 1}
    assert await ground.count("open_attempts") == 0


async def test_of_two_parts_only_the_one_in_doubt_is_resent_and_only_once(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=TWO_PARTS)
    await life.written(2)
    life.carrier.taken(message, "id-0", 0)
    life.carrier.doubtful(message, 1)
    await life.until(lambda: message.part_states == "SI")
    again = await resent(life, message)
    assert life.carrier.written[2:] == [(message.message_id, 1)]
    life.carrier.doubtful(again, 1)
    await life.until(lambda: again.part_states == "SI")
    ground.clock.pass_s(GRACE_S)
    await life.by_the_clock.decide_doubts()
    await life.by_the_clock.claim_delayed()
    assert again.state == "in_doubt"
    assert len(life.carrier.written) == 3


async def test_a_part_put_off_beside_a_doubt_travels_with_the_resend(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=TWO_PARTS)
    await life.written(2)
    life.carrier.later(message, 30, 0)
    life.carrier.doubtful(message, 1)
    await life.until(lambda: message.part_states == "QI" and not message.open_parts)
    assert await ground.count("delayed") == 0
    await resent(life, message)
    assert life.carrier.written[2:] == [(message.message_id, 0), (message.message_id, 1)]


async def test_a_part_refused_beside_a_doubt_ends_the_message(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=TWO_PARTS)
    await life.written(2)
    life.carrier.doubtful(message, 1)
    life.carrier.rejected(message, False, 0)
    assert await life.told_of(message) == ["rejected"]
    assert await ground.count("open_attempts") == 0
    ground.clock.pass_s(ENDS_S)
    await life.by_the_clock.decide_doubts()
    assert (await ground.row(message))["state"] == "rejected"


async def test_a_late_response_ends_a_doubt_without_a_second_copy(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    life.carrier.taken(message, "id-1", late=True)
    await life.until(lambda: message.state == "submitted")
    assert await ground.credits() == (999, 0, 1)
    assert await ground.count("open_attempts") == 0
    ground.clock.pass_s(ENDS_S)
    await life.by_the_clock.decide_doubts()
    await life.by_the_clock.claim_delayed()
    life.carrier.receipt("id-1", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    assert life.carrier.copies == {message.message_id: 1}


@pytest.mark.parametrize("copy", ["first", "second"])
async def test_after_a_resend_the_receipt_of_either_copy_is_known(ground: Ground, life: Life, copy: str) -> None:
    message = await doubted(life)
    again = await resent(life, message)
    life.carrier.taken(again, "second")
    await life.until(lambda: again.state == "submitted")
    life.carrier.taken(message, "first", late=True)
    await life.until(lambda: not life.carrier.open)
    life.carrier.receipt(copy, "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    other = life.carrier.receipt("second" if copy == "first" else "first", "delivered", HANDSET)
    await acknowledged(life, other)
    assert life.tallies.receipts["carrier-a", "repeated"] == 1
    assert await ground.count("parked_receipts") == 0


@pytest.mark.parametrize("copy", ["first", "second"])
async def test_a_late_response_that_overtakes_the_resend_is_believed(ground: Ground, life: Life, copy: str) -> None:
    message = await doubted(life)
    again = await resent(life, message)
    life.carrier.taken(message, "first", late=True)
    await life.until(lambda: again.state == "submitted")
    life.carrier.taken(again, "second")
    await life.until(lambda: not again.open_parts)
    life.carrier.receipt(copy, "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    assert await ground.credits() == (999, 0, 1)
    assert await ground.count("open_attempts") == 0


async def test_a_late_response_before_the_resend_leaves_keeps_it_from_leaving(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    ground.clock.pass_s(GRACE_S)
    await life.by_the_clock.decide_doubts()
    life.carrier.taken(message, "first", late=True)
    await life.until(lambda: message.state == "submitted")
    await life.by_the_clock.claim_delayed()
    life.carrier.receipt("first", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    assert life.carrier.copies == {message.message_id: 1}


async def test_a_late_response_to_an_ended_message_changes_nothing(ground: Ground, life: Life) -> None:
    message = await doubted(life, kind="marketing")
    ground.clock.pass_s(ENDS_S)
    await life.by_the_clock.decide_doubts()
    assert await life.told_of(message) == ["unknown"]
    life.carrier.taken(message, "first", late=True)
    token = life.carrier.receipt("first", "delivered", HANDSET)
    await acknowledged(life, token)
    assert (await ground.row(message))["state"] == "unknown"
    assert await ground.credits() == (999, 0, 1)


async def test_a_refused_resend_ends_the_message(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    again = await resent(life, message)
    life.carrier.rejected(again)
    assert await life.told_of(message) == ["rejected"]
    assert await ground.count("open_attempts") == 0


async def test_a_receipt_that_fits_exactly_one_doubt_resolves_it(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    other = await doubted(life, to=OTHER_HANDSET)
    token = life.carrier.receipt("never-told", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    await acknowledged(life, token)
    assert other.state == "in_doubt"
    assert await ground.credits() == (998, 1, 1)
    assert "doubt_resolved" in await ground.events(message)


async def test_a_receipt_that_fits_two_doubts_resolves_none_and_is_kept(ground: Ground, life: Life) -> None:
    first, second = await doubted(life), await doubted(life)
    token = life.carrier.receipt("never-told", "delivered", HANDSET)
    await acknowledged(life, token)
    assert (first.state, second.state) == ("in_doubt", "in_doubt")
    assert await ground.count("parked_receipts") == 1


async def test_a_kept_receipt_resolves_the_doubt_that_is_left(ground: Ground, life: Life) -> None:
    first, second = await doubted(life), await doubted(life)
    await acknowledged(life, life.carrier.receipt("never-told", "delivered", HANDSET))
    life.carrier.taken(first, "id-first", late=True)
    await life.until(lambda: first.state == "submitted")
    await life.by_the_clock.match_parked()
    assert await life.told_of(second) == ["delivered"]
    assert await ground.count("parked_receipts") == 0


async def test_a_receipt_does_not_resolve_a_doubt_while_a_response_is_awaited(ground: Ground, life: Life) -> None:
    message = await doubted(life)
    open_one = await life.accept_one()
    await life.written(2)
    token = life.carrier.receipt("id-open", "delivered", HANDSET)
    await acknowledged(life, token)
    assert message.state == "in_doubt"
    life.carrier.taken(open_one, "id-open")
    assert await life.told_of(open_one) == ["delivered"]
    assert message.state == "in_doubt"
    assert await ground.count("parked_receipts") == 0


async def test_a_doubt_ends_with_the_validity_of_its_message(ground: Ground, life: Life) -> None:
    message = await doubted(life, expires_at_ms=ground.clock.ms + 60_000)
    before_ms = ground.clock.ms
    ground.clock.pass_s(60 + ENDS_S)
    await life.by_the_clock.expire(before_ms, ground.clock.ms)
    assert await life.told_of(message) == ["unknown"]
    assert life.lifecycle.waiting_room.doubts() == []
    assert await ground.count("open_attempts") == 0


# ---------------------------------------------------------------- receipts


async def test_a_receipt_before_its_response_is_kept_until_matched(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    token = life.carrier.receipt("id-1", "delivered", HANDSET)
    await acknowledged(life, token)
    assert await ground.count("parked_receipts") == 1
    life.carrier.taken(message, "id-1")
    assert await life.told_of(message) == ["delivered"]
    assert await ground.count("parked_receipts") == 0
    assert await ground.credits() == (999, 0, 1)


@pytest.mark.parametrize(
    ("answered", "receipted"),
    [("7b", "123"), ("123", "7B"), ("00000123", "123"), ("123", "0000000123"), ("ABCDEF", "abcdef")],
)
@pytest.mark.parametrize("early", [True, False])
async def test_an_id_is_known_in_any_dress(
    ground: Ground, life: Life, answered: str, receipted: str, early: bool
) -> None:
    message = await life.accept_one()
    await life.written(1)
    if early:
        await acknowledged(life, life.carrier.receipt(receipted, "delivered", HANDSET))
        life.carrier.taken(message, answered)
    else:
        life.carrier.taken(message, answered)
        life.carrier.receipt(receipted, "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    assert await ground.count("parked_receipts") == 0


async def test_a_decimal_id_is_not_taken_for_somebody_elses_hexadecimal_one(ground: Ground, life: Life) -> None:
    ours = await life.accept_one()
    theirs = await life.accept_one(to=OTHER_HANDSET)
    await life.written(2)
    life.carrier.taken(ours, "10")  # hexadecimal 0x10, receipted as decimal 16
    life.carrier.taken(theirs, "16")
    life.carrier.receipt("16", "delivered", HANDSET)
    assert await life.told_of(ours) == ["delivered"]
    assert theirs.state == "submitted"


async def test_an_opposite_receipt_later_is_a_conflict_that_moves_nothing(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.taken(message, "id-1")
    life.carrier.receipt("id-1", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    token = life.carrier.receipt("id-1", "undeliverable", HANDSET)
    await acknowledged(life, token)
    assert (await ground.row(message))["state"] == "delivered"
    assert await ground.events(message) == ["receipt_conflict"]
    assert await ground.credits() == (999, 0, 1)
    assert len(life.told.receipts) == 1


async def test_a_repeated_receipt_is_acknowledged_and_told_once(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.taken(message, "id-1")
    tokens = [life.carrier.receipt("id-1", "delivered", HANDSET) for _ in range(3)]
    for token in tokens:
        await acknowledged(life, token)
    assert life.told.receipts == [(message.message_id, "delivered")]
    assert await ground.count("parked_receipts") == 0


async def test_an_intermediate_receipt_decides_nothing(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.taken(message, "id-1")
    token = life.carrier.receipt("id-1", "", HANDSET)
    await acknowledged(life, token)
    assert message.state == "submitted"
    life.carrier.receipt("id-1", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]


async def test_a_receipt_without_an_id_in_the_response_is_matched_by_its_addresses(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.taken(message, "")
    await life.until(lambda: message.state == "submitted")
    life.carrier.receipt("whatever", "delivered", "+" + HANDSET)
    assert await life.told_of(message) == ["delivered"]


async def test_a_receipt_nobody_waits_for_is_acknowledged_and_kept_72_hours(ground: Ground, life: Life) -> None:
    await acknowledged(life, life.carrier.receipt("strange", "delivered", OTHER_HANDSET))
    ground.clock.pass_s(71 * 3600)
    assert await life.lifecycle.waiting_room.bury_parked() == 0
    ground.clock.pass_s(2 * 3600)
    assert await life.lifecycle.waiting_room.bury_parked() == 1


async def test_messages_beyond_memory_are_found_by_their_rows(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "AWAITED_LIMIT", 20)
    async with ground.live(answer=take_all) as life:
        messages = []
        for _ in range(30):
            message = await life.accept_one()
            await life.until(lambda m=message: m.state == "submitted")  # type: ignore[misc]  # bound at once
            messages.append(message)
        assert len(life.lifecycle.active) < 30
        for message in messages:
            life.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        assert await life.told_of(*messages) == ["delivered"] * 30
        assert len(life.lifecycle.active) == 0
        assert await ground.count("parked_receipts") == 0


async def test_a_second_receipt_of_what_left_memory_goes_to_the_message_that_stands_for_its_row(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "AWAITED_LIMIT", 20)
    async with ground.live(answer=take_all) as life:
        message = await life.accept_one(text=THREE_PARTS)
        await life.until(lambda: message.state == "submitted")
        first, second, third = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
        life.carrier.receipt(first, "unknown", HANDSET)
        await life.until(lambda: message.part_states == "USS")
        for _ in range(30):
            await life.accept_one()
        await life.until(lambda: message.message_id not in life.lifecycle.active)
        life.carrier.receipt(second, "delivered", HANDSET)
        await life.until(lambda: message.message_id in life.lifecycle.active)
        await life.settling.durable()
        life.carrier.receipt(first, "delivered", HANDSET)
        life.carrier.receipt(third, "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]
        assert (await ground.row(message))["part_states"] == "DDD"


async def test_a_receipt_that_cannot_be_looked_up_is_to_be_sent_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "STORE_PATIENCE_S", 0.1)
    async with ground.live(answer=take_all) as life:
        message = await life.accept_one()
        await life.until(lambda: message.state == "submitted")
    async with ground.live() as life:
        await ground.cut()
        token = life.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        await eventually(lambda: life.carrier.acknowledged == [(token, False)], WITHIN_S)
        ground.away = False
        monkeypatch.undo()  # the usual patience from here on
        await life.settling.durable()
        life.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]


# ---------------------------------------------------------------- after a start


async def test_what_was_on_the_wire_at_the_end_of_a_life_is_in_doubt_in_the_next(ground: Ground) -> None:
    async with ground.live() as life:
        message = await life.accept_one(text=TWO_PARTS)
        await life.written(2)
        life.carrier.taken(message, "id-0", 0)
        await life.until(lambda: message.part_states == "SQ")
    async with ground.live() as life:
        assert life.doubtful == 1
        (held,) = life.lifecycle.active
        assert (held.state, held.part_states) == ("in_doubt", "SI")
        assert await ground.count("open_attempts") == 1
        await resent(life, held)
        assert life.carrier.written == [(message.message_id, 1)]
        life.carrier.taken(held, "id-1", 1)
        await life.until(lambda: held.state == "submitted")
        for part_no in (0, 1):
            life.carrier.receipt(f"id-{part_no}", "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]
        assert await ground.credits() == (998, 0, 2)
        assert await ground.count("open_attempts") == 0


async def test_a_doubt_of_a_former_life_is_not_resent_twice(ground: Ground) -> None:
    async with ground.live() as life:
        message = await doubted(life)
        again = await resent(life, message)
        life.carrier.doubtful(again)
        await life.until(lambda: again.state == "in_doubt")
    async with ground.live() as life:
        ground.clock.pass_s(GRACE_S)
        await life.by_the_clock.decide_doubts()
        await life.by_the_clock.claim_delayed()
        assert life.carrier.written == []
        ground.clock.pass_s(ENDS_S)
        await life.by_the_clock.decide_doubts()
        assert await life.told_of(message) == ["unknown"]


async def test_receipts_of_a_former_life_find_their_messages_and_its_parked_ones_too(ground: Ground) -> None:
    async with ground.live() as life:
        message, open_one = await life.accept_one(), await life.accept_one(to=OTHER_HANDSET)
        await life.written(2)
        life.carrier.taken(message, "id-1")
        await acknowledged(life, life.carrier.receipt("id-2", "delivered", OTHER_HANDSET))
        await life.until(lambda: message.state == "submitted")
    async with ground.live(LifePolicy(resend_classes=frozenset())) as life:
        life.carrier.receipt("id-1", "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]
        await life.by_the_clock.match_parked()  # its attempt is in doubt now, and the receipt fits no other
        assert await life.told_of(message, open_one) == ["delivered", "delivered"]
        assert await ground.count("parked_receipts") == 0
