"""Carriers whose binds are on another node: their health is known here, and messages for them are handed over.

Source: decision 0016; promises P1, P5. Lives over one PostgreSQL, a life's end is a crash.
What must not enter: processes and sockets (tests/faults/test_several_nodes.py).
"""

from __future__ import annotations

from typing import Any

from gateway.accept.refusals import Refusal
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.cluster.several_lives import Sharing, look_at_each_other
from tests.gateway.cluster.test_takeover import LONG_AGO, heir_of
from tests.gateway.conftest import Ground, Life

ELSEWHERE = "SELECT count(*) FROM messages m JOIN held_spans s ON s.span_id = m.handed_to WHERE s.holder_node = $1"


async def save_marks_beyond(life: Life) -> None:
    """As if the marks had been moved on between the commit of what is handed over and its being read."""
    life.ground.clock.pass_s(60)
    await life.save_marks()
    life.ground.clock.pass_s(-60)


async def test_a_message_for_a_carrier_of_another_node_leaves_there(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b", answer=take_all) as owner:
        here, there = Sharing(ground, door), Sharing(ground, owner)
        await look_at_each_other(here, there)
        messages = await door.accept(30)
        assert await ground.value(ELSEWHERE, owner.seat.node_id) == 30
        assert not len(door.lifecycle.active)
        await there.look()
        await owner.written(30)
        assert owner.carrier.copies == {m.message_id: 1 for m in messages}
        assert await ground.count("handed_over") == 0
        token = owner.carrier.receipt(f"{messages[0].message_id & 0xFFFFFFFF}0", "delivered", "2290197000001")
        await owner.until(lambda: (token, True) in owner.carrier.acknowledged)
        assert (await ground.row(messages[0]))["state"] == "delivered"


async def test_many_messages_of_a_batch_are_told_in_one_row(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b") as owner:
        await look_at_each_other(Sharing(ground, door), Sharing(ground, owner))
        await door.lifecycle.accept([door.admit() for _ in range(50)])
        assert await ground.count("handed_over") == 1


async def test_a_carrier_that_is_up_elsewhere_only_is_chosen_and_one_that_is_down_everywhere_is_left_out(
    ground: Ground,
) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live(only=["carrier-b"]) as door, ground.live(node="b", only=["carrier-a"]) as owner:
        here, there = Sharing(ground, door), Sharing(ground, owner)
        await look_at_each_other(here, there)
        a, b = ground.connector_ids["carrier-a"], ground.connector_ids["carrier-b"]
        assert door.admit().connector_id == a  # asked first, and up on node b
        owner.carrier.health = "down"
        await look_at_each_other(there, here)
        assert door.lifecycle.health["carrier-a"] == "down"
        assert door.admit().connector_id == b


async def test_binds_here_are_used_before_binds_elsewhere(ground: Ground) -> None:
    async with ground.live(answer=take_all) as first, ground.live(node="b", answer=take_all) as second:
        here, there = Sharing(ground, first), Sharing(ground, second)
        await look_at_each_other(here, there)
        await first.accept(5)
        await first.written(5)
        first.carrier.health = "down"
        await look_at_each_other(here)
        assert first.lifecycle.health["carrier-a"] == "up"
        more = await first.accept(5)
        await there.look()
        await second.written(5)
        assert set(second.carrier.copies) == {m.message_id for m in more}
        second.carrier.health = "down"
        await look_at_each_other(there, here)
        assert first.lifecycle.health["carrier-a"] == "down"
        await first.accept(2)
        assert len(first.lifecycle.outboxes[first.carrier.connector_id]) == 2


async def test_a_carrier_that_no_node_configures_takes_nothing(ground: Ground) -> None:
    async with ground.live(only=[]) as door:
        await Sharing(ground, door).look()
        assert door.lifecycle.admit(ground.submission()) is Refusal.NO_ROUTE


async def test_while_the_only_node_with_a_carrier_is_away_messages_wait_for_its_return(ground: Ground) -> None:
    async with ground.live(only=[]) as door:
        async with ground.live(node="b") as owner:
            await look_at_each_other(Sharing(ground, owner), Sharing(ground, door))
        await ground.connection.execute("UPDATE nodes SET seen_at = now() - interval '1 minute' WHERE name = 'b'")
        await Sharing(ground, door).look()
        assert door.lifecycle.health["carrier-a"] == "down"
        messages = await door.accept(3)
        async with ground.live(node="b", answer=take_all) as back:
            await Sharing(ground, back).look()
            await back.written(3)
            assert back.carrier.copies == {m.message_id: 1 for m in messages}


async def test_what_was_handed_to_a_node_that_dies_leaves_through_its_heir(ground: Ground) -> None:
    async with ground.live(only=[]) as door, heir_of(ground, "c", answer=take_all) as heir:
        async with ground.live(node="b") as owner:
            await look_at_each_other(Sharing(ground, owner), Sharing(ground, door))
            await save_marks_beyond(owner)
        messages = await door.accept(10)  # the owner is dead, and nobody knows yet
        assert await heir.inherit("b") == 0
        more = await door.accept(5)  # to a span that has an heir by now
        await Sharing(ground, heir.life).look()
        await heir.life.written(15)
        assert heir.life.carrier.copies == {m.message_id: 1 for m in messages + more}


async def test_a_node_that_ended_before_it_read_what_it_was_told_of_finds_it_at_its_return(ground: Ground) -> None:
    async with ground.live(only=[]) as door:
        async with ground.live(node="b", down=["carrier-a"]) as owner:
            there = Sharing(ground, owner)
            await look_at_each_other(Sharing(ground, door), there)
            messages = await door.accept(10)
            await save_marks_beyond(owner)
            owner.lifecycle.outboxes[owner.carrier.connector_id].hold = True  # nothing is read
            await there.look()
            assert await ground.count("handed_over") == 0
        async with ground.live(node="b", answer=take_all) as back:
            await back.written(10)
            assert back.carrier.copies == {m.message_id: 1 for m in messages}


async def test_marks_stay_below_what_was_handed_over(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b", down=["carrier-a"]) as owner:
        there = Sharing(ground, owner)
        await look_at_each_other(Sharing(ground, door), there)
        first = (await door.accept(3))[0]
        ground.clock.pass_s(60)
        await there.look()
        await owner.save_marks()
        mark = "SELECT queued_from_id FROM connector_marks WHERE node_id = $1 AND lane = 1"
        assert await ground.value(mark, owner.seat.node_id) <= first.message_id


async def test_a_stale_node_forgets_nothing_that_its_heir_is_to_find(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b", down=["carrier-a"]) as owner:
        there = Sharing(ground, owner)
        await look_at_each_other(Sharing(ground, door), there)
        async with heir_of(ground, "c", answer=take_all) as heir:
            messages = await door.accept(4)
            await save_marks_beyond(owner)
            owner.lifecycle.outboxes[owner.carrier.connector_id].hold = True  # else it would end as soon as it reads
            take = owner.reader.run
            waited: list[Any] = []

            async def stopped(query: Any) -> Any:
                answer = await take(query)
                if not waited:  # it has read what was handed to it, and is stopped
                    waited.append(await heir.inherit("b"))
                return answer

            owner.reader.run = stopped  # type: ignore[method-assign]
            await there.hand_over.take()
            await Sharing(ground, heir.life).look()
            await heir.life.written(4)
            assert heir.life.carrier.copies == {m.message_id: 1 for m in messages}


async def test_a_schedule_belongs_to_the_node_with_the_carrier(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b", answer=take_all) as owner:
        await look_at_each_other(Sharing(ground, door), Sharing(ground, owner))
        message = await door.accept_one(not_before_ms=ground.clock.ms + 60_000)
        ground.clock.pass_s(61)
        await door.by_the_clock.claim_delayed()
        await owner.by_the_clock.claim_delayed()
        await owner.written(1)
        assert owner.carrier.copies == {message.message_id: 1}


async def test_a_dead_nodes_binds_count_no_more(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b") as owner:
        here = Sharing(ground, door)
        await look_at_each_other(Sharing(ground, owner), here)
        assert door.lifecycle.health["carrier-a"] == "up"
        await ground.connection.execute(LONG_AGO, "b")
        await here.look()
        assert door.lifecycle.health["carrier-a"] == "suspended"


async def test_binds_of_several_nodes_are_handed_to_in_turns(ground: Ground) -> None:
    async with ground.live(only=[]) as door, ground.live(node="b") as one, ground.live(node="c") as other:
        await look_at_each_other(*(Sharing(ground, each) for each in (door, one, other)))
        await door.accept(10)
        for life in (one, other):
            assert await ground.value(ELSEWHERE, life.seat.node_id) == 5
