"""A message's life in the running rooms, over a real PostgreSQL: accepted, sent, settled, told; and each way to fail.

Source: architecture section 3, promises P1 to P5 and P9; smpp-answers "As a client".
What must not enter: wires (egress, ingress), doubts and receipts out of order (test_doubts.py), queues.
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.accept.refusals import Refusal
from gateway.connector import Rejected
from gateway.lifecycle import LifePolicy
from gateway.receipts.fold import MoneyPolicy
from gateway.storage import facts
from gateway.storage.group_commit import NotCommitted
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import CREDIT, HANDSET, Ground, Life

THREE_PARTS = b"a" * 400
OTHER_HANDSET = "2290197000002"


async def test_one_part_is_stored_sent_paid_and_told(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    assert dict(await ground.row(message))["state"] == "queued"
    assert await ground.credits() == (999, 1, 0)
    await life.written(1)
    assert await ground.count("open_attempts") == 1
    life.carrier.taken(message, "id-1")
    await life.until(lambda: message.state == "submitted")
    assert (await ground.row(message))["smsc_message_ids"] == "id-1"
    assert await ground.credits() == (999, 0, 1)
    assert await ground.count("open_attempts") == 0
    token = life.carrier.receipt("id-1", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    await life.until(lambda: life.carrier.acknowledged == [(token, True)])
    row = await ground.row(message)
    assert (row["state"], row["hold"], row["part_states"]) == ("delivered", "captured", "D")
    assert len(life.lifecycle.active) == 0
    assert life.told.foreseen == [message.message_id]


async def test_parts_are_submitted_once_all_are_taken_and_delivered_once_all_are(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=THREE_PARTS)
    await life.written(3)
    assert await ground.credits() == (997, 3, 0)
    for part_no in (2, 0):
        life.carrier.taken(message, f"id-{part_no}", part_no)
    await life.until(lambda: message.part_states == "SQS")
    assert (message.state, message.hold) == ("queued", "held")
    assert await ground.count("open_attempts") == 1
    life.carrier.taken(message, "id-1", 1)
    await life.until(lambda: message.state == "submitted")
    assert await ground.credits() == (997, 0, 3)
    for part_no in (1, 2):
        life.carrier.receipt(f"id-{part_no}", "delivered", HANDSET)
    await life.until(lambda: message.part_states == "SDD")
    assert not life.told.receipts
    life.carrier.receipt("id-0", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]
    assert await ground.count("open_attempts") == 0


async def test_one_failed_part_fails_the_message_and_the_carrier_is_still_paid(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=THREE_PARTS)
    await life.written(3)
    for part_no in range(3):
        life.carrier.taken(message, f"id-{part_no}", part_no)
    life.carrier.receipt("id-1", "undeliverable", HANDSET, "011")
    assert await life.told_of(message) == ["undeliverable"]
    assert (await ground.row(message))["error"] == "011"
    assert await ground.credits() == (997, 0, 3)
    tokens = [life.carrier.receipt(f"id-{part_no}", "delivered", HANDSET) for part_no in (0, 2)]
    await life.until(lambda: {token for token, _ in life.carrier.acknowledged} >= set(tokens))
    assert (await ground.row(message))["state"] == "undeliverable"


async def test_what_failed_while_a_part_is_open_is_told_once_that_parts_outcome_is_stored(
    ground: Ground, life: Life
) -> None:
    message = await life.accept_one(text=THREE_PARTS)
    await life.written(3)
    for part_no in (0, 1):
        life.carrier.taken(message, f"id-{part_no}", part_no)
    token = life.carrier.receipt("id-1", "undeliverable", HANDSET, "011")
    await life.until(lambda: life.carrier.acknowledged == [(token, True)])
    assert message.state == "undeliverable"
    assert not life.told.receipts, "its row would be read back by whoever is owed it, and then be changed here"
    life.carrier.taken(message, "id-2", 2)
    assert await life.told_of(message) == ["undeliverable"]
    assert not message.dirty


async def test_capture_at_delivery_pays_for_what_was_delivered_only(ground: Ground) -> None:
    policy = LifePolicy(money=MoneyPolicy(capture_at="delivery"))
    async with ground.live(policy, answer=take_all) as life:
        good, bad = await life.accept_one(), await life.accept_one(to=OTHER_HANDSET)
        await life.until(lambda: good.state == bad.state == "submitted")
        assert await ground.credits() == (998, 2, 0)
        life.carrier.receipt(good.smsc_message_ids, "delivered", HANDSET)
        life.carrier.receipt(bad.smsc_message_ids, "undeliverable", OTHER_HANDSET)
        assert await life.told_of(good, bad) == ["delivered", "undeliverable"]
        assert await ground.credits() == (999, 0, 1)


async def test_credit_ends_inside_a_batch_and_the_room_of_the_refused_is_free_again(ground: Ground) -> None:
    await ground.connection.execute("UPDATE accounts SET balance_micros = 0")
    await ground.connection.execute("DELETE FROM ledger")
    await facts.top_up(ground.connection, ground.account_id, 3 * CREDIT, "test")
    async with ground.live() as life:
        messages = [life.admit() for _ in range(5)]
        refused = await life.lifecycle.accept(messages)
        assert refused == {m.message_id for m in messages[3:]}
        await life.written(3)
        assert life.carrier.reserved == 0
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages[:3]]
        assert await ground.count("messages") == 3
        assert await ground.credits() == (0, 3, 0)
        assert life.tallies.messages["mt", "no_credit"] == 2
        for message in messages[:3]:
            life.carrier.taken(message, str(message.message_id))
        await life.until(lambda: all(m.state == "submitted" for m in messages[:3]))
        assert await ground.count("open_attempts") == 0  # the refused were never counted in the journal


async def test_a_lost_commit_gives_the_room_back_and_stores_nothing(ground: Ground, life: Life) -> None:
    ground.away = True
    with pytest.raises(NotCommitted):
        await life.lifecycle.accept([life.admit()])
    assert life.carrier.reserved == 0
    ground.away = False
    message = await life.accept_one()
    await life.written(1)
    assert life.carrier.written == [(message.message_id, 0)]
    assert await ground.count("messages") == 1


async def test_overload_is_refused_before_acceptance(ground: Ground) -> None:
    async with ground.live(LifePolicy(waiting_limit=-1)) as life:
        assert life.lifecycle.admit(ground.submission()) is Refusal.QUEUE_FULL
        assert life.tallies.messages["mt", "queue_full"] == 1


async def test_without_a_route_nothing_is_accepted(ground: Ground) -> None:
    await ground.connection.execute("DELETE FROM routes")
    async with ground.live() as life:
        assert life.lifecycle.admit(ground.submission()) is Refusal.NO_ROUTE


async def test_without_a_wish_for_a_receipt_nobody_is_told(ground: Ground, life: Life) -> None:
    message = await life.accept_one(registered_delivery=0)
    await life.written(1)
    life.carrier.taken(message, "id-1")
    token = life.carrier.receipt("id-1", "delivered", HANDSET)
    await life.until(lambda: life.carrier.acknowledged == [(token, True)])
    assert life.told.receipts == []
    assert (await ground.row(message))["state"] == "delivered"


# ---------------------------------------------------------------- postponed, retried, rerouted, rejected


async def test_a_scheduled_message_waits_as_a_row_until_its_time(ground: Ground, life: Life) -> None:
    message = await life.accept_one(not_before_ms=ground.clock.ms + 60_000)
    assert message.message_id not in life.lifecycle.active
    ground.clock.pass_s(59)
    await life.by_the_clock.claim_delayed()
    assert life.carrier.written == []
    ground.clock.pass_s(1)
    await life.by_the_clock.claim_delayed()
    await life.written(1)
    assert life.carrier.written == [(message.message_id, 0)]
    assert await ground.count("delayed") == 1  # until an outcome is stored a crash must not forget it
    (held,) = life.lifecycle.active
    life.carrier.taken(held, "id-1")
    await life.until(lambda: held.state == "submitted")
    assert await ground.count("delayed") == 0


async def test_a_temporary_refusal_is_tried_again_after_its_pause(ground: Ground, life: Life) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.later(message, 30)
    await life.until(lambda: message.message_id not in life.lifecycle.active, "it waits as a row")
    assert await ground.value("SELECT due_at_ms FROM delayed") == ground.clock.ms + 30_000
    assert await ground.count("open_attempts") == 0
    assert await ground.credits() == (999, 1, 0)
    ground.clock.pass_s(30)
    await life.by_the_clock.claim_delayed()
    await life.written(2)
    (again,) = life.lifecycle.active
    life.carrier.taken(again, "id-1")
    await life.until(lambda: again.state == "submitted")
    assert (await ground.row(message))["attempt_count"] == 2
    assert await ground.count("delayed") == 0
    assert await ground.events(message) == ["try_later"]


async def test_a_throttled_part_goes_first_and_costs_no_attempt(ground: Ground) -> None:
    async with ground.live(window=1) as life:
        first, second = await life.accept_one(), await life.accept_one()
        await life.written(1)
        life.carrier.later(first, 0)
        await life.written(2)
        assert life.carrier.written == [(first.message_id, 0)] * 2
        assert first.attempt_count == 1
        life.carrier.taken(first, "id-1")
        await life.written(3)
        assert life.carrier.written[2] == (second.message_id, 0)


async def test_a_temporary_refusal_without_another_route_is_tried_here_again_while_the_message_is_valid(
    ground: Ground,
) -> None:
    async with ground.live() as life:
        await life.accept_one()
        for tried in range(1, 6):
            await life.written(tried)
            (held,) = life.lifecycle.active
            life.carrier.tell(Rejected(held, 0, "ESME_RSYSERR", elsewhere=True, later_s=600))
            await life.until(lambda: not life.carrier.open and len(life.lifecycle.active) == 0)
            ground.clock.pass_s(599)
            await life.by_the_clock.claim_delayed()
            assert len(life.carrier.written) == tried
            ground.clock.pass_s(2)
            await life.by_the_clock.claim_delayed()


async def test_what_one_carrier_refuses_another_takes(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live() as life:
        message = await life.accept_one()
        await life.written(1)
        life.carrier.rejected(message, elsewhere=True)
        await life.until(lambda: len(life.lifecycle.active) == 0)
        await life.by_the_clock.claim_delayed()
        other = life.carriers["carrier-b"]
        await life.until(lambda: other.written == [(message.message_id, 0)])
        (held,) = life.lifecycle.active
        other.taken(held, "b-1")
        await life.until(lambda: held.state == "submitted")
        row = await ground.row(message)
        assert row["connector_id"] == ground.connector_ids["carrier-b"]
        assert await ground.credits() == (999, 0, 1)
        assert await ground.events(message) == ["rejected", "rerouted"]
        other.receipt("b-1", "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]


async def test_a_message_is_not_sent_back_to_a_carrier_that_refused_it(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live() as life:
        message = await life.accept_one()
        await life.written(1)
        life.carrier.rejected(message, elsewhere=True)
        await life.until(lambda: len(life.lifecycle.active) == 0)
        await life.by_the_clock.claim_delayed()
        other = life.carriers["carrier-b"]
        await life.until(lambda: len(other.written) == 1)
        (held,) = life.lifecycle.active
        other.rejected(held, elsewhere=True)
        await life.until(lambda: len(life.lifecycle.active) == 0)
        await life.by_the_clock.claim_delayed()
        assert await life.told_of(message) == ["rejected"]
        assert (len(life.carrier.written), len(other.written)) == (1, 1)


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_refusal_with_no_way_left_is_final_and_free(ground: Ground, life: Life, elsewhere: bool) -> None:
    message = await life.accept_one()
    await life.written(1)
    life.carrier.rejected(message, elsewhere)
    assert await life.told_of(message) == ["rejected"]
    row = await ground.row(message)
    assert (row["hold"], row["error"]) == ("released", "ESME_RINVDSTADR")
    assert await ground.credits() == (1000, 0, 0)
    assert (await ground.count("open_attempts"), await ground.count("delayed")) == (0, 0)


async def test_setbacks_of_parts_are_decided_once_none_is_open(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live() as life:
        message = await life.accept_one(text=THREE_PARTS)
        await life.written(3)
        life.carrier.rejected(message, True, 0)
        life.carrier.later(message, 30, 1)
        await life.until(lambda: message.open_parts == 1)
        assert await ground.count("delayed") == 0
        life.carrier.rejected(message, True, 2)
        await life.until(lambda: message.message_id not in life.lifecycle.active)
        await life.by_the_clock.claim_delayed()
        other = life.carriers["carrier-b"]
        await life.until(lambda: len(other.written) == 3)
        assert other.written == [(message.message_id, part_no) for part_no in range(3)]
        assert len(life.carrier.written) == 3


async def test_only_the_parts_put_off_are_sent_again_after_the_longest_pause(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=THREE_PARTS)
    await life.written(3)
    life.carrier.later(message, 30, 0)
    life.carrier.later(message, 120, 1)
    life.carrier.taken(message, "id-2", 2)
    await life.until(lambda: message.open_parts == 0)
    assert await ground.value("SELECT due_at_ms FROM delayed") == ground.clock.ms + 120_000
    ground.clock.pass_s(120)
    await life.by_the_clock.claim_delayed()
    await life.written(5)
    assert life.carrier.written[3:] == [(message.message_id, 0), (message.message_id, 1)]
    (held,) = life.lifecycle.active
    for part_no in (0, 1):
        life.carrier.taken(held, f"id-{part_no}", part_no)
    await life.until(lambda: held.state == "submitted")
    assert await ground.credits() == (997, 0, 3)
    for part_no in range(3):
        life.carrier.receipt(f"id-{part_no}", "delivered", HANDSET)
    assert await life.told_of(message) == ["delivered"]


async def test_a_part_refused_beside_a_part_taken_ends_the_message(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live() as life:
        message = await life.accept_one(text=THREE_PARTS)
        await life.written(3)
        life.carrier.taken(message, "id-0", 0)
        life.carrier.rejected(message, True, 1)
        life.carrier.later(message, 0, 2)
        assert await life.told_of(message) == ["rejected"]  # parts of one message never go over two carriers
        assert life.carriers["carrier-b"].written == []
        assert await ground.credits() == (1000, 0, 0)


# ---------------------------------------------------------------- the end of validity, and what changed meanwhile


async def test_what_waits_in_a_queue_expires_and_costs_nothing(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as life:
        short = await life.accept_one(expires_at_ms=ground.clock.ms + 60_000)
        long = await life.accept_one(expires_at_ms=ground.clock.ms + 3_600_000)
        before_ms = ground.clock.ms
        ground.clock.pass_s(61)
        assert await life.by_the_clock.expire(before_ms, ground.clock.ms) == ground.clock.ms
        assert await life.told_of(short) == ["expired"]
        assert (await ground.row(long))["state"] == "queued"
        assert await ground.credits() == (999, 1, 0)
        life.carrier.health = "up"
        await life.written(1)
        assert life.carrier.written == [(long.message_id, 0)]


async def test_what_is_taken_to_be_sent_too_late_expires_instead(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as life:
        message = await life.accept_one(expires_at_ms=ground.clock.ms + 60_000)
        ground.clock.pass_s(61)
        life.carrier.health = "up"
        await life.until(lambda: message.state == "expired")
        assert life.carrier.written == []
        assert await ground.credits() == (1000, 0, 0)


async def test_what_a_queue_ends_is_told_without_waiting_for_other_news(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as life:
        message = await life.accept_one(expires_at_ms=ground.clock.ms + 60_000)
        ground.clock.pass_s(61)
        life.carrier.health = "up"
        await life.until(lambda: message.state == "expired")
        await life.by_the_clock.decide_doubts()  # a job of the clock: every second
        assert await life.told_of(message) == ["expired"]


async def test_a_schedule_beyond_its_validity_expires_as_a_row(ground: Ground, life: Life) -> None:
    message = await life.accept_one(not_before_ms=ground.clock.ms + 60_000, expires_at_ms=ground.clock.ms + 120_000)
    before_ms = ground.clock.ms
    ground.clock.pass_s(121)
    await life.by_the_clock.expire(before_ms, ground.clock.ms)
    assert await life.told_of(message) == ["expired"]
    assert await ground.count("delayed") == 0
    await life.by_the_clock.claim_delayed()
    assert life.carrier.written == []


@pytest.mark.parametrize(("outcome", "credits"), [("capture", (999, 0, 1)), ("release", (999, 0, 1))])
async def test_a_taken_message_without_receipt_becomes_unknown_after_some_patience(
    ground: Ground, outcome: str, credits: tuple[int, int, int]
) -> None:
    policy = LifePolicy(money=MoneyPolicy(unknown_outcome=outcome))  # type: ignore[arg-type]
    async with ground.live(policy, answer=take_all) as life:
        message = await life.accept_one(expires_at_ms=ground.clock.ms + 60_000)
        await life.until(lambda: message.state == "submitted")
        before_ms = ground.clock.ms
        ground.clock.pass_s(120)
        swept_ms = await life.by_the_clock.expire(before_ms, ground.clock.ms)
        assert (await ground.row(message))["state"] == "submitted"
        ground.clock.pass_s(600)
        await life.by_the_clock.expire(swept_ms, ground.clock.ms)
        assert await life.told_of(message) == ["unknown"]
        assert await ground.credits() == credits  # the carrier took it: captured at acceptance


async def test_a_sweep_does_not_end_what_is_open_and_comes_back_for_it(ground: Ground, life: Life) -> None:
    message = await life.accept_one(expires_at_ms=ground.clock.ms + 60_000)
    await life.written(1)
    before_ms = ground.clock.ms
    ground.clock.pass_s(61)
    swept_ms = await life.by_the_clock.expire(before_ms, ground.clock.ms)
    assert (await ground.row(message))["state"] == "queued"
    assert swept_ms < message.expires_at_ms
    life.carrier.later(message, 30)
    await life.until(lambda: message.message_id not in life.lifecycle.active)
    assert await life.by_the_clock.expire(swept_ms, ground.clock.ms) == ground.clock.ms
    assert await life.told_of(message) == ["expired"]
    assert await ground.credits() == (1000, 0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("INSERT INTO blocks (prefix, kind, reason) VALUES ('2290197', 'opt_out', 'asked')", "destination_blocked"),
        ("UPDATE sender_names SET state = 'suspended'", "sender_not_owned"),
        ("UPDATE accounts SET state = 'suspended'", "account_suspended"),
    ],
)
async def test_what_the_law_forbids_meanwhile_is_not_sent(ground: Ground, change: str, reason: str) -> None:
    async with ground.live(down=["carrier-a"]) as life:
        message = await life.accept_one()
        await ground.connection.execute(change)
        life.lifecycle.book = await ground.book()
        life.carrier.health = "up"
        await life.until(lambda: message.state == "rejected")
        assert life.carrier.written == []
        assert message.error == reason
        assert await ground.credits() == (1000, 0, 0)


async def test_a_handsets_message_is_stored_before_it_is_acknowledged_and_then_offered(
    ground: Ground, life: Life
) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    life.lifecycle.book = await ground.book()
    token = life.carrier.inbound(HANDSET, "+36000", b"yes")
    await life.until(lambda: life.carrier.acknowledged == [(token, True)])
    (inbound,) = life.told.inbound
    assert (inbound.account_id, inbound.esme_id, inbound.user_data) == (ground.account_id, ground.esme_id, b"yes")
    assert await ground.value("SELECT state FROM inbound_messages") == "due"


async def test_a_message_to_a_number_nobody_owns_is_stored_and_acknowledged(ground: Ground, life: Life) -> None:
    token = life.carrier.inbound(HANDSET, "36001", b"yes")
    await life.until(lambda: life.carrier.acknowledged == [(token, True)])
    assert life.told.inbound == []
    assert await ground.value("SELECT state FROM inbound_messages") == "unrouted"


async def test_two_hundred_at_once_on_credit_for_one_hundred(ground: Ground) -> None:
    await ground.connection.execute("UPDATE accounts SET balance_micros = 0")
    await ground.connection.execute("DELETE FROM ledger")
    await facts.top_up(ground.connection, ground.account_id, 100 * CREDIT, "test")
    async with ground.live(answer=take_all, batch_rows=7) as life:
        messages = [life.admit() for _ in range(200)]
        refused = frozenset().union(*await asyncio.gather(*(life.lifecycle.accept([m]) for m in messages)))
        assert refused == {m.message_id for m in messages[100:]}
        assert (life.tallies.messages["mt", "accepted"], life.tallies.messages["mt", "no_credit"]) == (100, 100)
        await life.until(lambda: sum(m.state == "submitted" for m in messages) == 100)
        assert await ground.credits() == (0, 0, 100)
