"""What an ESME is owed, where it is bound on several nodes or moves between them: each row has one teller.

Source: decision 0015 ("A customer on another node"); promises P4 and P5. Two lives over one PostgreSQL.
What must not enter: windows, order and retries of one node (notify/test_esme_deliveries.py).
"""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.storage.cluster import hand_notifications_over
from gateway.storage.inbound import reroute_inbound
from tests.eventually import eventually
from tests.gateway.cluster.test_takeover import Heir
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground
from tests.gateway.notify.test_esme_deliveries import BindAtHand, Post, post_of
from tests.gateway.notify.test_wishes import replay


async def bound_on(ground: Ground, *posts: Post) -> None:
    """What the nodes tell of themselves: the ESME is bound on these, and on no other."""
    live = json.dumps({"binds": [{"side": "esme", "name": "ours1", "bind_type": "transceiver"}]})
    nodes = [post.life.seat.node_id for post in posts]
    query = (
        "UPDATE nodes SET seen_at = clock_timestamp(), live = CASE WHEN node_id = ANY ($2) THEN $1::jsonb ELSE '{}' END"
    )
    await ground.connection.execute(query, live, nodes)


async def hand_over(post: Post) -> int:
    """What the clock's job does where there is a neighbour."""
    life = post.life
    return await post.deliveries.hand_over(
        lambda bound, kept: life.reader.run(
            lambda c: hand_notifications_over(c, life.seat.node_id, bound, kept, 1000),
        )
    )


async def look_again(*posts: Post) -> None:
    """All nodes hear the notification, and look."""
    for post in posts:
        post.deliveries.look_again(post.esme_id)
    for post in posts:
        await post.deliveries.run_due()


async def rows(ground: Ground, count: int) -> None:
    """Wait until so many things wait as rows."""

    async def counted() -> bool:
        return await ground.count("waiting_notifications") == count

    await eventually(counted, WITHIN_S, f"{count} rows")


async def test_a_login_bound_on_two_nodes_is_told_of_each_thing_by_one(ground: Ground) -> None:
    async with post_of(ground) as one, post_of(ground, node="b") as other:
        here, there = await one.attach(BindAtHand()), await other.attach(BindAtHand())
        await bound_on(ground, one, other)
        (message,) = await one.final(1)
        one.answer(here)
        await one.notified("done", 1)
        await replay(ground, one, "done")
        one.life.carrier.inbound(HANDSET, "36999", b"whose?")
        await one.life.until(lambda: len(one.life.carrier.acknowledged) == 1)
        inbound_id = await ground.value("SELECT message_id FROM inbound_messages")
        until_ms = ground.clock.ms + 1000
        whose = (ground.account_id, ground.esme_id)
        assert await reroute_inbound(ground.connection, inbound_id, *whose, "by hand", ground.clock.ms, until_ms)
        assert await hand_over(one) == await hand_over(other) == 0
        await look_again(one, other)
        await look_again(other, one)
        assert here.ids() == [message.message_id] * 2 + [0]  # a receipt, its replay, a handset's message
        assert there.delivered == []


async def test_what_went_to_the_node_of_the_bind_is_told_there_alone(ground: Ground) -> None:
    async with post_of(ground) as one, post_of(ground, node="b") as other:
        messages = await one.final(3)
        await rows(ground, 3)
        there = await other.attach(BindAtHand())
        await bound_on(ground, other)
        assert await hand_over(one) == 3
        here = await one.attach(BindAtHand())  # it binds on both, meanwhile
        await bound_on(ground, one, other)
        await look_again(one, other)
        assert there.ids() == [m.message_id for m in messages]
        assert here.delivered == []
        while there.open:
            other.answer(there)
        await other.notified("done", 3)
        await rows(ground, 0)


async def test_what_was_answered_before_the_login_moved_is_not_told_again(ground: Ground) -> None:
    async with post_of(ground) as one, post_of(ground, node="b") as other:
        await one.final(1)
        await rows(ground, 1)
        here = await one.attach(BindAtHand())
        blocker = await ground.connect()
        async with blocker.transaction():
            await blocker.execute(  # what is answered cannot be stored
                "SELECT FROM node_streams WHERE stream = 'settle' AND node_id = $1 FOR UPDATE", one.life.seat.node_id
            )
            one.answer(here)
            one.leave(here)
            there = await other.attach(BindAtHand())
            await bound_on(ground, other)
            handing = asyncio.create_task(hand_over(one))
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            await eventually(lambda: ground.value(waits), WITHIN_S, "the answer waits to be stored")
            assert not handing.done()
        await blocker.close()
        assert await handing == 0
        await look_again(other)
        assert there.delivered == []
        await other.notified("done", 1)


@pytest.mark.parametrize("status", [0x58, None])
async def test_what_was_to_be_tried_again_moves_with_the_login(ground: Ground, status: int | None) -> None:
    async with post_of(ground) as one, post_of(ground, node="b") as other:
        here = await one.attach(BindAtHand())
        (message,) = await one.final(1)
        if status is None:
            one.deliveries.unanswered(one.esme_id, here, here.open.pop())
        else:
            one.answer(here, status)
        one.leave(here)
        await rows(ground, 1)
        there = await other.attach(BindAtHand())
        await bound_on(ground, other)
        assert await hand_over(one) == 1
        await look_again(one, other)
        assert there.ids() == [message.message_id]


async def test_rows_of_a_node_that_died_are_told_by_its_heir_where_the_login_is_bound(ground: Ground) -> None:
    async with post_of(ground, node="b") as heir:
        there = await heir.attach(BindAtHand())
        async with post_of(ground) as dead:
            (message,) = await dead.final(1)
            await rows(ground, 1)
        await heir.deliveries.run_due()
        assert there.delivered == []
        assert await Heir(ground, heir.life, heir.deliveries).inherit() == 0
        await heir.deliveries.run_due()
        assert there.ids() == [message.message_id]


async def test_what_was_handed_to_a_node_that_then_died_is_told_by_its_heir(ground: Ground) -> None:
    async with post_of(ground) as one:
        async with post_of(ground, node="b") as dead:
            (message,) = await one.final(1)
            await rows(ground, 1)
            await dead.attach(BindAtHand())
            await bound_on(ground, dead)
            assert await hand_over(one) == 1
        here = await one.attach(BindAtHand())
        assert here.delivered == []
        await Heir(ground, one.life, one.deliveries).inherit("b")
        await one.deliveries.run_due()
        assert here.ids() == [message.message_id]


async def test_rows_that_nobody_was_heard_to_add_are_found_by_the_poll(ground: Ground) -> None:
    async with post_of(ground) as post:
        (message,) = await post.final(1)
        await rows(ground, 1)
        bind = await post.attach(BindAtHand())
        post.answer(bind)
        await post.notified("done", 1)
        await rows(ground, 0)
        await ground.connection.execute(
            "INSERT INTO waiting_notifications"
            " (esme_id, account_id, message_id, kind, due_at_ms, give_up_at_ms, replayed)"
            " VALUES ($1, $2, $3, 'receipt', $4, 1::bigint << 62, true)",
            *(ground.esme_id, ground.account_id, message.message_id, ground.clock.ms),
        )
        await post.deliveries.run_due()
        assert len(bind.delivered) == 1
        await post.deliveries.look_for_rows()
        await post.deliveries.run_due()
        assert bind.ids() == [message.message_id] * 2
