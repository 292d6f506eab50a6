"""Queues over memory and rows: nothing is sent twice, nothing stays behind, and order is kept, also over a crash.

Source: architecture section 4 (messages go to their connector in memory; rows are claimed at start and when delayed).
What must not enter: doubts (test_waiting_room.py).
"""

from __future__ import annotations

import asyncio
import random

import pytest

from gateway.connector import ConnectorEvent, TryLater
from gateway.lanes import LANES, OTP, TRANSACTIONAL
from gateway.message import Message
from gateway.storage.group_commit import NotCommitted
from gateway.storage.reader import Reader
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, Ground, Life
from tests.gateway.test_lanes_in_life import accept_for, another_account


class LateReader(Reader):
    """A PostgreSQL whose answers to reads of queues are old when they arrive."""

    async def queued_rows(
        self, connector_id: int, lane: int, account_ids: list[int], from_ids: list[int], most: list[int]
    ) -> list[Message]:
        rows = await super().queued_rows(connector_id, lane, account_ids, from_ids, most)
        await self.run(lambda c: c.execute("SELECT pg_sleep(0.01)"))
        return rows

    async def claim_delayed(self, now_ms: int, limit: int) -> list[tuple[int, int]]:
        keys = await super().claim_delayed(now_ms, limit)
        await self.run(lambda c: c.execute("SELECT pg_sleep(0.005)"))
        return keys


class OrderlyReader(Reader):
    """Accounts are found in the order of their ids, which is PostgreSQL's to choose else."""

    async def queued_accounts(self, connector_id: int, lane: int, from_id: int) -> list[tuple[int, int]]:
        return sorted(await super().queued_accounts(connector_id, lane, from_id))


async def test_messages_leave_in_the_order_of_their_acceptance(ground: Ground) -> None:
    async with ground.live(window=3, answer=take_all) as life:
        messages = await life.accept(60)
        await life.until(lambda: all(m.state == "submitted" for m in messages))
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages]


async def test_a_dead_carriers_queue_is_bounded_in_memory_and_leaves_in_order_when_it_comes_back(
    ground: Ground,
) -> None:
    async with ground.live(queue_limit=10, down=["carrier-a"]) as life:
        messages = await life.accept(60)
        assert len(life.lifecycle.active) == 5  # half of what a lane holds: an account that comes finds a place
        life.carrier.answer = take_all
        life.carrier.health = "up"
        await life.until(lambda: len(life.carrier.written) >= 60)
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages]
        await life.until(lambda: life.lifecycle.waiting_room.awaited(life.carrier.connector_id) == 60)
        assert await ground.value("SELECT count(*) FROM messages WHERE state = 'submitted'") == 60
        assert await ground.credits() == (940, 0, 60)


async def test_a_message_wider_than_the_window_passes_alone(ground: Ground) -> None:
    async with ground.live(window=2, answer=take_all) as life:
        message = await life.accept_one(text=b"a" * 400)
        await life.until(lambda: message.state == "submitted")
        assert len(life.carrier.written) == 3


async def test_what_a_connector_hands_back_unsent_is_sent_when_it_is_up_and_costs_no_attempt(ground: Ground) -> None:
    async with ground.live() as life:
        message = life.admit()
        accepting = asyncio.ensure_future(life.lifecycle.accept([message]))
        await asyncio.sleep(0)  # it has reserved room; the commit is under way
        life.carrier.health = "down"
        await accepting
        await life.until(lambda: message.journal is None)
        assert (life.carrier.written, life.carrier.reserved, message.attempt_count) == ([], 0, 0)
        await life.until(lambda: not life.settling.batch)
        assert await ground.count("open_attempts") == 0
        life.carrier.health = "up"
        await life.written(1)
        assert (message.attempt_count, await ground.count("open_attempts")) == (1, 1)


async def test_nothing_is_sent_before_its_attempt_is_journalled(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as life:
        (message,) = await life.accept(1)
        await ground.cut()
        life.carrier.health = "up"
        with pytest.raises(NotCommitted):
            await life.reader.open_journals(life.seat.node_id)
        assert life.carrier.written == []
        ground.away = False
        await life.written(1)
        assert life.carrier.written == [(message.message_id, 0)]
        assert await ground.count("open_attempts") == 1


@pytest.mark.parametrize("seed", range(6))
async def test_rows_read_while_messages_come_and_go_are_never_sent_twice(ground: Ground, seed: int) -> None:
    chance = random.Random(seed)
    async with ground.live(
        queue_limit=4, window=chance.choice((1, 3, 1000)), answer=take_all, reader_kind=LateReader, batch_rows=5
    ) as life:
        messages: list[Message] = []

        async def customer(count: int) -> None:
            for _ in range(count):
                batch = [life.admit() for _ in range(chance.randrange(1, 4))]
                messages.extend(batch)
                await life.lifecycle.accept(batch)
                if chance.random() < 0.1:
                    life.carrier.health = "down" if life.carrier.health == "up" else "up"
                life.lifecycle.outboxes[life.carrier.connector_id].search_from(chance.choice(messages).message_id)

        await asyncio.gather(*(customer(6) for _ in range(12)))
        life.carrier.health = "up"
        await life.until(lambda: len(life.carrier.copies) == len(messages), "all are written")
        assert set(life.carrier.copies.values()) == {1}
        await life.until(lambda: not life.carrier.open)
        assert await ground.value("SELECT count(*) FROM messages WHERE state = 'submitted'") == len(messages)
        assert await ground.count("open_attempts") == 0


@pytest.mark.parametrize("seed", range(4))
async def test_retries_claimed_while_outcomes_come_in_are_never_sent_twice_at_once(ground: Ground, seed: int) -> None:
    """Each part is refused temporarily some times, then taken: copies are exactly refusals + 1."""
    chance = random.Random(seed)
    async with ground.live(queue_limit=5, window=7, reader_kind=LateReader, batch_rows=5) as life:
        refusals: dict[int, int] = {}

        def answer(message: Message, part_no: int) -> ConnectorEvent:
            if refusals.get(message.message_id, 0) < 2 and chance.random() < 0.4:
                refusals[message.message_id] = refusals.get(message.message_id, 0) + 1
                return TryLater(message, part_no, chance.choice((0, 0.001)), "ESME_RSYSERR")
            return take_all(message, part_no)

        life.carrier.answer = answer
        jobs = asyncio.ensure_future(claims(life))
        messages = [life.admit() for _ in range(80)]
        await asyncio.gather(*(life.lifecycle.accept([m]) for m in messages))
        count = "SELECT count(*) FROM messages WHERE state = 'submitted'"

        async def all_submitted() -> bool:
            return bool(await ground.value(count) == len(messages))

        try:
            await life.until(all_submitted, "all are submitted")
        finally:
            jobs.cancel()
        wanted = {m.message_id: refusals.get(m.message_id, 0) + 1 for m in messages}
        assert life.carrier.copies == wanted
        await life.until(lambda: not life.settling.batch)
        assert (await ground.count("delayed"), await ground.count("open_attempts")) == (0, 0)


async def claims(life: Life) -> None:
    """The clock's jobs, as fast as PostgreSQL answers; a second passes each time."""
    while True:
        life.ground.clock.pass_s(1)
        await life.by_the_clock.claim_delayed()
        await life.lifecycle.publish()


# ---------------------------------------------------------------- after a start


async def test_a_queue_of_a_former_life_leaves_whole_in_order_and_once(ground: Ground) -> None:
    async with ground.live(queue_limit=10, down=["carrier-a"]) as life:
        messages = await life.accept(45)
        await life.save_marks()
    async with ground.live(queue_limit=10, answer=take_all) as life:
        assert life.doubtful == 0
        await life.until(lambda: len(life.carrier.written) >= 45)
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages]


async def test_new_messages_do_not_overtake_a_former_lifes_queue(ground: Ground) -> None:
    async with ground.live(queue_limit=10, down=["carrier-a"]) as life:
        messages = await life.accept(25)
    async with ground.live(queue_limit=10, down=["carrier-a"]) as life:
        messages += await life.accept(5)
        life.carrier.answer = take_all
        life.carrier.health = "up"
        await life.until(lambda: len(life.carrier.written) >= 30)
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages]


async def test_marks_never_pass_what_waits(ground: Ground) -> None:
    async with ground.live(queue_limit=4, window=2) as life:
        far_id = ground.clock.ms + 3_600_000 << 20
        connector_id = life.carrier.connector_id
        ours = connector_id, TRANSACTIONAL
        assert life.recovery.marks(far_id) == {(connector_id, lane): far_id for lane in LANES}
        messages = await life.accept(10)
        assert life.recovery.marks(far_id)[ours] <= messages[0].message_id
        life.carrier.taken(messages[0], "id-0")
        await life.until(lambda: messages[0].state == "submitted")
        assert life.recovery.marks(far_id)[ours] <= messages[1].message_id
        assert life.recovery.marks(far_id)[connector_id, OTP] == far_id  # no lane keeps another's mark back


async def test_schedules_and_retries_of_a_former_life_are_claimed_again(ground: Ground) -> None:
    async with ground.live() as life:
        scheduled = await life.accept_one(not_before_ms=ground.clock.ms + 60_000)
        retried = await life.accept_one()
        await life.written(1)
        life.carrier.later(retried, 30)
        await life.until(lambda: len(life.lifecycle.active) == 0)
        ground.clock.pass_s(60)
        life.carrier.health = "down"
        await life.by_the_clock.claim_delayed()  # held in memory by this life, which ends now
        assert len(life.lifecycle.active) == 2
    async with ground.live(answer=take_all) as life:
        assert life.carrier.written == []  # postponed: not found as queued rows
        await life.by_the_clock.claim_delayed()
        await life.until(lambda: len(life.carrier.written) >= 2)
        assert life.carrier.copies == {scheduled.message_id: 1, retried.message_id: 1}


async def test_a_rerouted_message_of_a_former_life_is_not_sent_by_the_connector_that_refused_it(
    ground: Ground,
) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live(down=["carrier-b"]) as life:
        message = await life.accept_one()
        await life.written(1)
        life.carriers["carrier-b"].health = "up"
        life.carrier.rejected(message, elsewhere=True)
        await life.until(lambda: len(life.lifecycle.active) == 0)
    async with ground.live(answer=take_all) as life:
        await life.by_the_clock.claim_delayed()
        other = life.carriers["carrier-b"]
        await life.until(lambda: other.written == [(message.message_id, 0)])
        assert life.carrier.written == []
        (held,) = life.lifecycle.active
        other.receipt(held.smsc_message_ids, "delivered", HANDSET)
        assert await life.told_of(message) == ["delivered"]


async def test_a_part_that_waits_as_a_row_is_sent_also_when_its_siblings_receipts_come_first(ground: Ground) -> None:
    """A receipt takes up the whole message; whoever then reads the queue finds it held, and must not pass it by."""
    other_id = await another_account(ground)
    async with ground.live() as life:
        (message,) = await accept_for(life, other_id, 1, "transactional", b"a" * 400)
        await life.written(3)
        life.carrier.health = "down"
        life.carrier.taken(message, "id-1", 1)
        life.carrier.taken(message, "id-2", 2)
        life.carrier.later(message, 0, 0)  # throttled: at once again
        outbox = life.lifecycle.outboxes[life.carrier.connector_id]
        await life.until(lambda: message.part_states == "QSS" and len(outbox) == 1)
        await life.accept()  # of the account that is read first
    async with ground.live(queue_limit=1, down=["carrier-a"], reader_kind=OrderlyReader) as life:
        assert message.message_id not in life.lifecycle.active  # there is room for the other one only
        life.carrier.receipt("id-1", "delivered", HANDSET)
        life.carrier.receipt("id-2", "delivered", HANDSET)
        await life.until(lambda: len(life.carrier.acknowledged) == 2)
        life.carrier.answer = take_all
        life.carrier.health = "up"
        await life.by_the_clock.claim_delayed()
        await life.until(lambda: len(life.carrier.written) >= 2)
        assert life.carrier.copies[message.message_id] == 1
        held = life.lifecycle.active.get(message.message_id)
        assert held is not None
        await life.until(lambda: held.part_states == "SDD")
        await life.by_the_clock.claim_delayed()
        await life.lifecycle.publish()
        assert life.carrier.copies[message.message_id] == 1


async def test_a_receipt_does_not_hasten_a_part_that_was_put_off(ground: Ground) -> None:
    async with ground.live() as life:
        message = await life.accept_one(text=b"a" * 400)
        await life.written(3)
        life.carrier.later(message, 300, 0)
        for part_no in (1, 2):
            life.carrier.taken(message, f"id-{part_no}", part_no)
        await life.until(lambda: message.open_parts == 0)
    async with ground.live() as life:
        life.carrier.receipt("id-1", "delivered", HANDSET)
        await life.until(lambda: life.carrier.acknowledged)
        assert await ground.value("SELECT due_at_ms FROM delayed") == ground.clock.ms + 300_000
        ground.clock.pass_s(300)
        await life.by_the_clock.claim_delayed()
        await life.until(lambda: life.carrier.written == [(message.message_id, 0)])
