"""Binds have one owner each: shared fairly, given back before they are taken, taken from the dead once they are fenced.

Source: decision 0016. Lives over one PostgreSQL, a life's end is a crash.
What must not enter: processes and sockets (tests/faults/test_several_nodes.py), what is fair (test_fair_shares.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from gateway.storage.cluster import give_binds_back, take_binds
from tests.gateway.cluster.several_lives import Sharing, look_at_each_other
from tests.gateway.cluster.test_takeover import heir_of
from tests.gateway.conftest import Ground

BINDS = 4


@contextlib.asynccontextmanager
async def node(ground: Ground, name: str, binds: int = BINDS) -> AsyncIterator[Sharing]:
    async with ground.live(node=name) as life:
        yield Sharing(ground, life, binds)


def held(*nodes: Sharing) -> list[int]:
    return [len(each.life.carrier.held) for each in nodes]


async def test_a_node_alone_holds_all_and_opens_none_before_its_row_says_so(ground: Ground) -> None:
    async with node(ground, "a") as alone:
        assert alone.life.carrier.held == frozenset()
        await alone.look()
        assert alone.life.carrier.held == frozenset(range(BINDS))
        assert alone.life.carrier.share == 1.0
        assert await ground.count("bind_owners") == BINDS


async def test_two_nodes_share_binds_and_pace(ground: Ground) -> None:
    async with node(ground, "a") as a, node(ground, "b") as b:
        await a.look()
        await look_at_each_other(b, a)
        assert held(a, b) == [2, 2]
        assert not a.life.carrier.held & b.life.carrier.held
        assert (a.life.carrier.share, b.life.carrier.share) == (0.5, 0.5)


async def test_shares_never_exceed_the_whole_on_the_way(ground: Ground) -> None:
    async with node(ground, "a") as a, node(ground, "b") as b, node(ground, "c") as c:
        nodes = (a, b, c)
        for turn in range(12):
            await nodes[turn % 3].look()
            told = [each.life.carrier for each in nodes if each.life.carrier.held]
            assert sum(carrier.share for carrier in told) <= 1.0 + 1e-9
            numbers = [number for each in nodes for number in each.life.carrier.open_binds]
            assert len(numbers) == len(set(numbers)), "a bind with two owners"
        assert sorted(held(*nodes)) == [1, 1, 2]


async def test_a_bind_is_not_given_back_before_its_link_has_ended(ground: Ground) -> None:
    async with node(ground, "a", 1) as a, node(ground, "b", 2) as b:
        await look_at_each_other(b)
        message = await b.life.accept_one()
        await b.life.written(1)
        await look_at_each_other(a, b, a, b)
        assert held(a, b) == [0, 1]  # something is still owed on the link that is to end
        assert await ground.count("bind_owners") == 2
        b.life.carrier.taken(message, "id")
        await b.life.until(lambda: message.smsc_message_ids)
        assert b.bind_shares.changed
        await look_at_each_other(b, a)
        assert held(a, b) == [1, 1]


async def test_one_bind_is_held_by_one_node_and_its_messages_go_there(ground: Ground) -> None:
    async with node(ground, "a", 1) as a, node(ground, "b", 1) as b:
        await look_at_each_other(a, b)
        assert held(a, b) == [1, 0]
        assert b.life.lifecycle.health["carrier-a"] == "up"
        await b.life.accept(3)
        await a.look()
        await a.life.written(3)


async def test_a_node_that_leaves_gives_its_binds_back_at_once(ground: Ground) -> None:
    async with node(ground, "a") as a, node(ground, "b") as b:
        await look_at_each_other(a, b)
        a.reach.leaving = True
        await a.bind_shares.leave()
        await look_at_each_other(a, b)
        assert held(a, b) == [0, BINDS]
        assert b.life.carrier.share == 1.0


async def test_binds_of_a_dead_node_are_taken_once_it_is_fenced(ground: Ground) -> None:
    async with heir_of(ground) as heir:
        b = Sharing(ground, heir.life, BINDS)
        async with node(ground, "a") as a:
            await look_at_each_other(a, b)
        await ground.connection.execute("UPDATE nodes SET seen_at = now() - interval '1 hour' WHERE name = 'a'")
        await b.look()
        assert held(b) == [2]  # it may be stopped, and write yet
        assert await heir.inherit("a") == 0
        await b.look()
        assert held(b) == [BINDS]


async def test_a_node_that_starts_again_takes_what_its_former_life_held(ground: Ground) -> None:
    async with node(ground, "a") as a:
        await a.look()
    async with node(ground, "a") as again:
        await again.look()
        assert held(again) == [BINDS]


async def test_a_stale_node_takes_nothing(ground: Ground) -> None:
    async with node(ground, "a") as stale, node(ground, "b", 1) as other:
        await ground.connection.execute("UPDATE nodes SET epoch = epoch + 1 WHERE name = 'a'")
        await look_at_each_other(stale, other)
        assert held(stale, other) == [0, 1]


async def test_of_two_that_take_the_same_bind_one_wins(ground: Ground) -> None:
    async with ground.live() as first, ground.live(node="b") as second:
        wanted = [(first.carrier.connector_id, 0)]
        seats = (first.seat, second.seat)
        taken = [await take_binds(ground.connection, s.node_id, s.epoch, wanted) for s in seats]
        assert taken == [wanted, []]
        await give_binds_back(ground.connection, second.seat.node_id, second.seat.epoch, wanted)  # not its own
        assert await take_binds(ground.connection, second.seat.node_id, second.seat.epoch, wanted) == []
        await give_binds_back(ground.connection, first.seat.node_id, first.seat.epoch, wanted)
        assert await take_binds(ground.connection, second.seat.node_id, second.seat.epoch, wanted) == wanted
