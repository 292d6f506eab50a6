"""Shares: a flood has half of an empty room, and those who come later still find a place.

Promise P7. What must not enter: what waits, and where.
"""

from __future__ import annotations

import asyncio

from gateway.accept.refusals import Refusal
from gateway.lifecycle import LifePolicy
from gateway.message import Message
from gateway.shares import Shares
from gateway.storage import facts
from tests.gateway.conftest import CREDIT, Ground

LIMIT = 120


def fill(shares: Shares, account_id: int) -> int:
    """Enter one by one until the share is full; how many."""
    entered = 0
    while not shares.is_over(account_id, LIMIT):
        shares.enter(account_id, 1)
        entered += 1
    return entered


def test_each_flood_leaves_room_for_one_more_account() -> None:
    shares = Shares()
    assert [fill(shares, account_id) for account_id in (1, 2, 3)] == [60, 40, 30]
    assert shares.is_over(1, LIMIT), "who came first has no more than before"


def test_what_left_is_room_again() -> None:
    shares = Shares()
    fill(shares, 1)
    shares.leave(1, 60)
    assert not shares._held
    assert fill(shares, 2) == 60


async def test_a_flood_of_one_account_leaves_room_for_another(ground: Ground) -> None:
    """Nothing is committed between two turns of the loop: what was handed over still waits."""
    other_id = await facts.add_account(ground.connection, "others", 0, None)
    assert other_id is not None
    await facts.top_up(ground.connection, other_id, 1000 * CREDIT, "test")
    await facts.add_sender_name(ground.connection, other_id, "ACME", "approved")
    async with ground.live(policy=LifePolicy(waiting_limit=8)) as life, asyncio.TaskGroup() as tasks:
        flood = [life.admit() for _ in range(4)]
        theirs = ground.submission()
        theirs.account_id = other_id
        handed = tasks.create_task(life.lifecycle.accept(flood))
        await asyncio.sleep(0)
        assert life.accepting.waiting == 4
        assert life.lifecycle.admit(ground.submission()) is Refusal.QUEUE_FULL
        assert isinstance(life.lifecycle.admit(theirs), Message)
        assert await handed == frozenset()
        assert isinstance(life.lifecycle.admit(ground.submission()), Message), "the room is empty again"
