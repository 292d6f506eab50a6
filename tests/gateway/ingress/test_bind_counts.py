"""The binds of a login over two doors of two nodes: one limit, rows that count while a node lives, nothing asked alone.

Source: decision 0018; smpp-answers, bind rows. Over sockets and real PostgreSQL.
What must not enter: limits of one node (test_binding.py), leases (tests/gateway/cluster).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gateway.ingress.bind_counts import BindCounts
from gateway.ingress.binding import BindPolicy
from gateway.smpp.pdus import BindReceiver, BindTransmitter, EnquireLink, Unbind
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S, Ground
from tests.gateway.ingress.conftest import Door, open_door
from tests.gateway.raw_peer import submit

PATIENT = BindPolicy(takeover_silence_s=600.0)  # nobody is silent for too long on a slow machine
BINDS_TOLD = """
SELECT coalesce(sum(transmitters + receivers + transceivers), 0) FROM esme_binds b JOIN nodes n USING (node_id, epoch)
"""


@contextlib.asynccontextmanager
async def counting(ground: Ground, node: str, alone: bool = False, **given: object) -> AsyncIterator[Door]:
    """A door whose binds count on all nodes; its node's lease stands for a minute."""
    async with open_door(ground, node, **{"binding": PATIENT} | given) as door, asyncio.TaskGroup() as tasks:
        await ground.connection.execute("UPDATE nodes SET seen_at = now() + interval '60 s' WHERE name = $1", node)
        desk = door.server.binding
        desk.counts = BindCounts(door.life.reader, door.life.seat.epoch, lambda: alone, desk.own_binds)
        telling = tasks.create_task(desk.counts.run())
        try:
            yield door
        finally:
            telling.cancel()


@contextlib.asynccontextmanager
async def two_doors(ground: Ground, max_binds: int, **given: object) -> AsyncIterator[tuple[Door, Door]]:
    await ground.connection.execute("UPDATE esmes SET max_binds = $1", max_binds)
    async with counting(ground, "a", **given) as a, counting(ground, "b", **given) as b:
        yield a, b


async def told(ground: Ground, count: int) -> None:
    async def is_told() -> bool:
        return bool(await ground.value(BINDS_TOLD) == count)

    await eventually(is_told, WITHIN_S, f"rows tell {count} binds")


async def test_a_login_at_its_limit_on_one_node_is_refused_on_the_other_until_it_leaves(ground: Ground) -> None:
    async with two_doors(ground, 2) as (a, b):
        async with a.peer(bound=True), b.peer(bound=True):
            for door in (a, b):
                async with door.peer() as third:
                    assert await third.bind() == 0x0D
                    assert await third.is_closed()
            async with a.peer() as other:
                assert await other.bind(system_id="nobody") == 0x0D
        await told(ground, 0)
        async with b.peer(bound=True), b.peer(bound=True):
            await told(ground, 2)


async def test_who_unbinds_here_may_bind_there_at_once(ground: Ground) -> None:
    async with two_doors(ground, 1) as (a, b):
        for here, there in ((a, b), (b, a)):
            async with here.peer(bound=True) as leaving:
                await leaving.ask(Unbind())
            async with there.peer() as coming:
                assert await coming.bind() == 0
                assert (await coming.ask(submit())).command_status == 0


async def test_each_type_has_its_limit_over_both_nodes(ground: Ground) -> None:
    await ground.connection.execute("UPDATE esmes SET max_transmitters = 1")
    async with two_doors(ground, 10) as (a, b), a.peer(bound=True, kind=BindTransmitter), b.peer() as second:
        assert await second.bind(BindTransmitter) == 0x0D
        async with b.peer(bound=True, kind=BindReceiver):
            pass


async def test_of_many_binds_at_once_on_both_nodes_exactly_the_limit_comes_in(ground: Ground) -> None:
    async with two_doors(ground, 5) as (a, b), contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context((a, b)[n % 2].peer()) for n in range(12)]
        answers = await asyncio.gather(*(peer.bind() for peer in peers))
        assert sorted(answers) == [0] * 5 + [0x0D] * 7


async def test_a_dead_nodes_binds_count_while_its_lease_stands_and_no_longer(ground: Ground) -> None:
    async with two_doors(ground, 1) as (a, b), a.peer(bound=True):
        for ended in ("seen_at = now() - interval '5 s'", "epoch = epoch + 1"):  # its lease ended; it was taken over
            async with b.peer() as early:
                assert await early.bind() == 0x0D
            await ground.connection.execute(f"UPDATE nodes SET {ended} WHERE name = 'a'")
            async with b.peer(bound=True) as late:
                await told(ground, 1 if "epoch" in ended else 2)
                await late.ask(Unbind())
            await told(ground, 0 if "epoch" in ended else 1)
            await ground.connection.execute("UPDATE nodes SET seen_at = now() + interval '60 s' WHERE name = 'a'")


async def test_a_half_open_bind_here_makes_room_though_the_other_place_is_taken_there(ground: Ground) -> None:
    soon = BindPolicy(takeover_silence_s=0.0, takeover_answer_s=0.2)
    async with two_doors(ground, 2, binding=soon) as (a, b), a.peer(bound=True), b.peer(bound=True) as half_open:
        async with b.peer() as coming:
            assert await coming.bind() == 0
        assert type(await half_open.read()) is EnquireLink
        assert await half_open.is_closed()


async def test_a_database_that_is_away_is_a_temporary_refusal_where_nodes_share_a_limit(ground: Ground) -> None:
    async with two_doors(ground, 5) as (a, _), a.peer(bound=True):
        await told(ground, 1)
        await ground.cut()
        async with a.peer() as second:
            assert await second.bind() == 0x08
        ground.away = False
        async with a.peer() as third:
            assert await third.bind() == 0


async def test_a_node_alone_asks_nothing_and_tells_its_binds_afterwards(ground: Ground) -> None:
    async with counting(ground, "a", alone=True) as door:
        await ground.cut()
        async with door.peer(bound=True):
            ground.away = False
            await told(ground, 1)
        await told(ground, 0)
