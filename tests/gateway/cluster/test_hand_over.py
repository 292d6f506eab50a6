"""Messages that wait here for a bind that is on another node go there: once, with all that is known of them.

Source: decision 0016; promises P1, P2, P5. Lives over one PostgreSQL, a life's end is a crash.
What must not enter: hand-over at acceptance (test_reach.py), processes (tests/faults/test_several_nodes.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gateway.message import Message
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.cluster.several_lives import Sharing, look_at_each_other
from tests.gateway.cluster.test_takeover import heir_of
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground, Life

LONG = b"x" * 200  # two parts


@contextlib.asynccontextmanager
async def pair(ground: Ground) -> AsyncIterator[tuple[Sharing, Sharing]]:
    """Two nodes with a bind each; what the second is handed leaves at once."""
    async with ground.live() as a, ground.live(node="b", answer=take_all) as b:
        yield Sharing(ground, a), Sharing(ground, b)


def lose_bind(*nodes: Sharing) -> None:
    for each in nodes:
        each.life.carrier.health = "down"


async def final_once(ground: Ground, life: Life, messages: list[Message]) -> None:
    await life.until(lambda: len(life.carrier.written) >= len(messages), "all are written")
    assert life.carrier.copies == {m.message_id: 1 for m in messages}
    rows = "SELECT count(*) FROM messages WHERE state = 'submitted' AND message_id = ANY ($1::bigint[])"
    stored = [m.message_id for m in messages]

    async def all_stored() -> bool:
        return bool(await ground.value(rows, stored) == len(stored))

    await eventually(all_stored, WITHIN_S, "all outcomes are stored")


async def test_what_waits_where_no_bind_is_left_leaves_by_the_other_node(ground: Ground) -> None:
    async with pair(ground) as (a, b):
        lose_bind(a, b)
        await look_at_each_other(a, b)
        messages = await a.life.accept(40)
        assert len(a.life.lifecycle.active) == 40
        b.life.carrier.health = "up"
        await look_at_each_other(b, a, b)
        await final_once(ground, b.life, messages)
        assert not len(a.life.lifecycle.active)
        assert await ground.count("handed_over") == 0


async def test_rows_that_memory_has_no_room_for_follow(ground: Ground) -> None:
    async with ground.live(queue_limit=4) as small, ground.live(node="b", answer=take_all) as other:
        a, b = Sharing(ground, small), Sharing(ground, other)
        lose_bind(a, b)
        await look_at_each_other(a, b)
        messages = await small.accept(30)
        other.carrier.health = "up"
        await look_at_each_other(b)

        async def all_there() -> bool:
            await look_at_each_other(a, b)
            return len(other.carrier.written) >= 30

        await eventually(all_there, WITHIN_S, "all went over")
        await final_once(ground, other, messages)


async def test_a_message_that_changed_in_the_same_batch_is_handed_with_its_change(ground: Ground) -> None:
    async with pair(ground) as (a, b):
        await look_at_each_other(a, b)
        message = await a.life.accept_one()
        await a.life.written(1)
        lose_bind(a)
        a.life.carrier.later(message, 0)
        await eventually(lambda: len(a.life.lifecycle.outboxes[a.life.carrier.connector_id]), WITHIN_S, "it is back")
        await look_at_each_other(a, b)
        await b.life.written(1)
        row = await ground.row(message)
        assert (row["sends"] >= 1, row["handed_to"] > 0) == (True, True)
        await final_once(ground, b.life, [message])


async def test_a_retry_that_comes_due_goes_to_the_node_with_the_bind(ground: Ground) -> None:
    async with pair(ground) as (a, b):
        await look_at_each_other(a, b)
        message = await a.life.accept_one()
        await a.life.written(1)
        a.life.carrier.later(message, 30)
        await a.life.until(lambda: not len(a.life.lifecycle.active))
        lose_bind(a)
        await look_at_each_other(a)
        ground.clock.pass_s(31)
        await a.life.by_the_clock.claim_delayed()
        await b.life.by_the_clock.claim_delayed()
        await look_at_each_other(a, b)
        await final_once(ground, b.life, [message])
        assert await ground.count("delayed") == 0


async def test_a_message_whose_other_route_is_on_another_node_goes_there(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live(only=["carrier-a"]) as one, ground.live(node="b", only=["carrier-b"]) as other:
        a, b = Sharing(ground, one), Sharing(ground, other)
        other.carriers["carrier-b"].answer = take_all
        await look_at_each_other(a, b)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(a.hand_over.run())
            message = await one.accept_one()
            await one.written(1)
            one.carrier.rejected(message, elsewhere=True)
            await one.until(lambda: not len(one.lifecycle.active))
            await one.by_the_clock.claim_delayed()
            await look_at_each_other(a, b)
            await other.until(lambda: other.carriers["carrier-b"].written)
            running.cancel()
        assert other.carriers["carrier-b"].copies == {message.message_id: 1}
        assert (await ground.row(message))["connector_id"] == ground.connector_ids["carrier-b"]


async def test_an_heir_without_the_carrier_hands_what_it_inherits_to_whoever_has_it(ground: Ground) -> None:
    async with heir_of(ground, only=[]) as heir, ground.live(node="c", answer=take_all) as other:
        a, c = Sharing(ground, heir.life), Sharing(ground, other)
        await look_at_each_other(a, c)
        a.hand_over.prepare()
        async with ground.live(down=["carrier-a"]) as dead:
            messages = await dead.accept(20)
            await dead.save_marks()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(a.hand_over.run())
            await heir.inherit("a")
            outbox = heir.life.lifecycle.outboxes[ground.connector_ids["carrier-a"]]
            await heir.life.until(lambda: len(outbox) == 20)
            await look_at_each_other(a, c)
            await final_once(ground, other, messages)
            running.cancel()


async def test_a_long_message_of_which_a_part_was_taken_keeps_its_receipt(ground: Ground) -> None:
    async with pair(ground) as (a, b):
        await look_at_each_other(a, b)
        message = await a.life.accept_one(text=LONG)
        await a.life.written(2)
        lose_bind(a)
        a.life.carrier.taken(message, "the-first", 0)
        a.life.carrier.later(message, 0, 1)
        await eventually(lambda: len(a.life.lifecycle.outboxes[a.life.carrier.connector_id]), WITHIN_S, "it is back")
        await look_at_each_other(a, b)
        await b.life.written(1)
        assert b.life.carrier.written == [(message.message_id, 1)]
        for each in (a, b):  # a receipt that comes to the node it left goes to the one that holds it
            each.life.carrier.receipt("the-first", "delivered", HANDSET)
        await a.life.until(lambda: a.life.carrier.acknowledged)
        await b.life.until(lambda: b.life.carrier.acknowledged)
        assert a.life.lifecycle.active.get(message.message_id) is None
        assert (await ground.row(message))["part_states"][0] in "SD"


async def test_a_doubtful_message_stays(ground: Ground) -> None:
    async with pair(ground) as (a, b):
        await look_at_each_other(a, b)
        message = await a.life.accept_one(text=LONG)
        await a.life.written(2)
        lose_bind(a)
        a.life.carrier.doubtful(message, 0)
        a.life.carrier.later(message, 0, 1)
        await a.life.until(lambda: message.state == "in_doubt")
        await look_at_each_other(a, b)
        assert (await ground.row(message))["handed_to"] == 0


async def test_a_node_that_dies_before_it_told_the_other_hands_it_to_its_heir(ground: Ground) -> None:
    async with heir_of(ground, "c", answer=take_all) as heir, ground.live(node="b") as other:
        b, c = Sharing(ground, other, 3), Sharing(ground, heir.life, 3)
        async with ground.live() as dead:
            a = Sharing(ground, dead, 3)
            lose_bind(a, c)
            await look_at_each_other(a, b, c)
            dead.lifecycle.elsewhere.clear()
            messages = await dead.accept(10)
            await a.hand_over.pass_on()
            assert await ground.count("handed_over") == 1
            more = await dead.accept(5)  # still here when it dies
        await heir.inherit("a")
        await b.look()
        await other.written(10)
        assert set(other.carrier.copies) == {m.message_id for m in messages}
        heir.life.carrier.health = "up"
        await look_at_each_other(c)
        await heir.life.written(5)
        assert heir.life.carrier.copies == {m.message_id: 1 for m in more}
