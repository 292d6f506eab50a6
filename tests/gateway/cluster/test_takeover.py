"""One node dies, another inherits: nothing is lost, nothing is worked on twice, whatever state it was in.

Source: decision 0015; promises P1, P2, P5. Two lives over one PostgreSQL; a life's end is a crash.
What must not enter: processes, signals and sockets (tests/faults/test_several_nodes.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.cluster.takeover import Takeover
from gateway.lease import LEASE_S, Lease
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.storage.cluster import Neighbour, renew_lease
from gateway.storage.database import connect_as_node
from gateway.storage.group_commit import FencedOut, NotCommitted
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, Ground, Life

LONG_AGO = "UPDATE nodes SET seen_at = now() - interval '1 hour' WHERE name = $1"


class Heir:
    """A life with what it needs to inherit."""

    def __init__(self, ground: Ground, life: Life, deliveries: EsmeDeliveries) -> None:
        self.ground = ground
        self.life = life
        keeper = LeaseKeeper(life.seat, Lease(lambda: 0.0), lambda: connect_as_node(ground.dsn))
        parts = (life.reader, life.accepting, life.lifecycle, life.recovery, deliveries)
        self.takeover = Takeover(life.seat, keeper, *parts, ground.clock)

    async def inherit(self, name: str = "a") -> int | None:
        """Take a node over that was not seen for an hour."""
        await self.ground.connection.execute(LONG_AGO, name)
        return await self.takeover.inherit(await self.sees(name))

    async def sees(self, name: str) -> Neighbour:
        seat = self.life.seat
        found = await renew_lease(self.ground.connection, seat.node_id, seat.epoch)
        assert found is not None
        return next(each for each in found if each.name == name)


@contextlib.asynccontextmanager
async def heir_of(ground: Ground, node: str = "b", **given: Any) -> AsyncIterator[Heir]:
    built: list[EsmeDeliveries] = []

    def notifier(*rooms: Any) -> EsmeDeliveries:
        reader, settling, tallies = rooms
        built.append(EsmeDeliveries(reader, settling, ground.clock, tallies, 1))
        return built[0]

    async with ground.live(node=node, notifier=notifier, **given) as life:
        yield Heir(ground, life, built[0])


async def test_what_waited_in_a_dead_nodes_queue_leaves_through_its_heir(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as dead:
        messages = await dead.accept(30)
        await dead.save_marks()
    async with heir_of(ground, answer=take_all) as heir:
        assert await heir.inherit() == 0
        await heir.life.until(lambda: len(heir.life.carrier.written) >= 30)
        assert heir.life.carrier.copies == {m.message_id: 1 for m in messages}


async def test_a_nodes_queue_is_its_own_while_it_lives(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as other, heir_of(ground, answer=take_all) as node:
        messages = await other.accept(5)
        node.life.lifecycle.outboxes[node.life.carrier.connector_id].search_from(0)
        ours = await node.life.accept(3)
        await node.life.until(lambda: len(node.life.carrier.written) >= 3)
        await node.life.by_the_clock.claim_delayed()
        assert set(node.life.carrier.copies) == {m.message_id for m in ours}
        other.carrier.answer, other.carrier.health = take_all, "up"
        await other.until(lambda: len(other.carrier.written) >= 5)
        assert set(other.carrier.copies) == {m.message_id for m in messages}


async def test_what_a_dead_node_had_on_a_wire_is_in_doubt_with_its_heir(ground: Ground) -> None:
    async with ground.live() as dead:
        message = await dead.accept_one()
        await dead.written(1)
    async with heir_of(ground) as heir:
        assert await heir.inherit() == 1
        assert (await ground.row(message))["state"] == "in_doubt"
        heir.life.carrier.receipt("from the other life", "delivered", HANDSET)
        await heir.life.until(lambda: heir.life.carrier.acknowledged)
        row = await ground.row(message)
        assert (row["state"], row["in_doubt_count"]) == ("delivered", 1)
        assert await ground.count("open_attempts") == 0


async def test_doubts_that_were_inherited_are_found_again_when_the_heir_dies_too(ground: Ground) -> None:
    async with ground.live() as dead:
        message = await dead.accept_one(kind="marketing")
        await dead.written(1)
    async with heir_of(ground) as heir:
        assert await heir.inherit() == 1
    async with heir_of(ground) as heir:
        assert heir.life.doubtful == 1
        assert heir.life.lifecycle.active.get(message.message_id) is not None


async def test_postponed_messages_and_ends_of_validity_go_over(ground: Ground) -> None:
    async with ground.live() as dead:
        retried, late = await dead.accept(2)
        await dead.written(2)
        dead.carrier.later(retried, 30)
        dead.carrier.later(late, 3600 * 80)
        await dead.until(lambda: not len(dead.lifecycle.active))
        assert await ground.count("delayed") == 2
    async with heir_of(ground, answer=take_all) as heir:
        assert await heir.inherit() == 0
        ground.clock.pass_s(31)
        await heir.life.by_the_clock.claim_delayed()
        await heir.life.until(lambda: heir.life.carrier.written)
        assert set(heir.life.carrier.copies) == {retried.message_id}
        assert heir.takeover.sweep_from_ms == 0  # the dead node never swept
        ground.clock.pass_s(3600 * 72)
        await heir.life.by_the_clock.expire(late.expires_at_ms - 1, ground.clock.ms)
        assert (await ground.row(late))["state"] == "expired"


async def test_receipts_that_a_dead_node_owed_are_owed_by_its_heir(ground: Ground) -> None:
    async with ground.live(answer=take_all) as dead:
        message = await dead.accept_one()
        await dead.until(lambda: message.smsc_message_ids)
        dead.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        assert await dead.told_of(message) == ["delivered"]
    async with heir_of(ground) as heir:
        await heir.inherit()
        await heir.life.settling.durable()
        assert await ground.value("SELECT message_id FROM waiting_notifications") == message.message_id


async def test_a_stale_node_is_fenced_in_all_it_stores(ground: Ground) -> None:
    async def go_on() -> None:
        async with ground.live() as stale, heir_of(ground) as heir:
            before = stale.admit()
            assert await heir.inherit() == 0
            await stale.lifecycle.accept([before])

    with pytest.raises(ExceptionGroup) as fault:
        await go_on()
    assert fault.group_contains(FencedOut)
    assert await ground.count("messages") == 0


async def test_a_node_that_comes_back_begins_above_what_was_taken_over(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as dead:
        old = await dead.accept(3)
    async with heir_of(ground, down=["carrier-a"]) as heir:
        await heir.inherit()
        await heir.life.until(lambda: len(heir.life.lifecycle.active) == 3)
        async with ground.live(answer=take_all) as back:
            (new,) = await back.accept(1)
            await back.written(1)
            assert new.message_id > max(m.message_id for m in old)
            assert set(back.carrier.copies) == {new.message_id}
            heir.life.carrier.answer, heir.life.carrier.health = take_all, "up"
            await heir.life.until(lambda: len(heir.life.carrier.written) >= 3)
            assert set(heir.life.carrier.copies) == {m.message_id for m in old}


async def test_only_one_inherits_and_nobody_a_node_that_was_seen(ground: Ground) -> None:
    async with ground.live(down=["carrier-a"]) as dead:
        await dead.accept(3)
    async with heir_of(ground) as first, heir_of(ground, "c") as second:
        seen = await first.sees("a")
        await ground.connection.execute("UPDATE nodes SET seen_at = now() WHERE name = 'a'")
        assert await first.takeover.inherit(seen) is None
        await ground.connection.execute(LONG_AGO, "a")
        found = await asyncio.gather(first.takeover.inherit(seen), second.takeover.inherit(seen))
        assert sorted(found, key=str) == [0, None]
        assert (
            await ground.value("SELECT count(DISTINCT holder_node) FROM held_spans WHERE of_node = $1", seen.node_id)
            == 1
        )


async def test_an_outage_in_the_middle_of_a_takeover_ends_the_heir(ground: Ground) -> None:
    async with ground.live():
        pass
    async with heir_of(ground) as heir:
        await ground.connection.execute(LONG_AGO, "a")
        seen = await heir.sees("a")
        run = heir.life.reader.run

        async def torn(query: Any) -> Any:
            await run(query)
            raise NotCommitted("the answer was lost")

        heir.life.reader.run = torn  # type: ignore[method-assign]
        with pytest.raises(FencedOut, match="taken over"):
            await heir.takeover.inherit(seen)


# ---------------------------------------------------------------- leases


def test_a_lease_ends_by_its_clock_and_is_worth_as_long_as_its_renewal_is_young() -> None:
    now = 100.0
    lease = Lease(lambda: now)
    began = lease.begin()
    now += LEASE_S - 0.1
    assert lease.is_valid()
    lease.renewed(began, alone=False)
    now += 0.1
    assert not lease.is_valid()  # the answer came late: what counts is when it was asked for


def test_a_node_alone_stays_at_work_while_nobody_can_ask_the_database() -> None:
    now = 100.0
    lease = Lease(lambda: now)
    now += LEASE_S
    assert not lease.is_valid()  # it was stopped: the next answer decides
    lease.unheard()
    assert lease.is_valid()
    lease.renewed(now, alone=False)
    now += LEASE_S
    lease.unheard()
    assert not lease.is_valid()  # its neighbours may hear the database while it does not
