"""A receipt as evidence for an attempt in doubt, where it comes to another node than the one that wrote the attempt.

Source: promise P2 (a receipt that fits exactly one attempt, whichever node wrote it); decision 0015. Two living nodes.
What must not enter: receipts whose id is known (test_forwarding.py), doubts of one node (test_waiting_room.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.message import Message
from tests.gateway.cluster.test_forwarding import forwarding_of
from tests.gateway.conftest import HANDSET, Ground, Life


@contextlib.asynccontextmanager
async def two_nodes(ground: Ground) -> AsyncIterator[tuple[Life, Life]]:
    """Two lives that know of each other."""
    async with ground.live() as one, ground.live(node="b") as other:
        for life in (one, other):
            life.lifecycle.waiting_room.is_alone = lambda: False
        yield one, other


async def in_doubt(life: Life) -> Message:
    """A message in doubt, as stored."""
    message = await life.accept_one()
    await life.until(lambda: message.message_id in life.carrier.copies)
    life.carrier.doubtful(message)
    await life.until(lambda: message.state == "in_doubt")
    return message


async def receipt_at(life: Life, *ids: str) -> None:
    """Receipts of ids that nobody knows; stored."""
    before = len(life.carrier.acknowledged)
    for smsc_message_id in ids:
        life.carrier.receipt(smsc_message_id, "delivered", HANDSET)
    await life.until(lambda: len(life.carrier.acknowledged) == before + len(ids))


async def look_again(*lives: Life) -> None:
    """The clocks' jobs of these nodes, twice: what one forwards the other folds."""
    for _ in range(2):
        for life in lives:
            await life.by_the_clock.match_parked()
            await life.settling.durable()
        for life in lives:
            await forwarding_of(life).fold()
            await life.settling.durable()


async def test_a_receipt_on_another_node_ends_the_doubt_of_the_only_attempt_that_it_fits(ground: Ground) -> None:
    async with two_nodes(ground) as (holder, other):
        message = await in_doubt(holder)
        await receipt_at(other, "unheard-of")
        await look_again(other, holder)
        assert await holder.told_of(message) == ["delivered"]
        assert (await ground.row(message))["smsc_message_ids"] == "unheard-of"
        assert "doubt_resolved" in await ground.events(message)
        assert (await ground.count("parked_receipts"), await ground.count("forwarded_receipts")) == (0, 0)
        ground.clock.pass_s(3600)
        await holder.by_the_clock.decide_doubts()
        assert holder.carrier.copies == {message.message_id: 1}  # not sent again


@pytest.mark.parametrize("at_its_own_node", [True, False])
async def test_a_receipt_that_fits_attempts_of_two_nodes_fits_none(ground: Ground, at_its_own_node: bool) -> None:
    async with two_nodes(ground) as (one, other):
        first, second = await in_doubt(one), await in_doubt(other)
        await receipt_at(one if at_its_own_node else other, "unheard-of")
        await look_again(one, other)
        assert (first.state, second.state) == ("in_doubt", "in_doubt")
        assert await ground.count("parked_receipts") == 1
        other.carrier.taken(second, "the second's", late=True)  # so it was not its receipt
        await other.until(lambda: second.state == "submitted")
        await look_again(one, other)
        assert await one.told_of(first) == ["delivered"]
        assert second.state == "submitted"


async def test_a_receipt_waits_for_the_answer_that_another_node_awaits(ground: Ground) -> None:
    async with two_nodes(ground) as (one, other):
        doubted = await in_doubt(one)
        sent = await other.accept_one()
        await other.written(1)
        await receipt_at(one, "the second's")
        await look_again(one, other)
        assert doubted.state == "in_doubt"
        other.carrier.taken(sent, "the second's")
        await other.until(lambda: sent.state == "submitted")
        await look_again(one, other)
        assert await other.told_of(sent) == ["delivered"]
        assert doubted.state == "in_doubt"


async def test_of_two_receipts_for_one_doubt_one_is_believed(ground: Ground) -> None:
    async with two_nodes(ground) as (holder, other):
        message = await in_doubt(holder)
        await receipt_at(other, "first", "second")
        await look_again(other, holder)
        assert await holder.told_of(message) == ["delivered"]
        assert message.smsc_message_ids == "first"
        assert await ground.count("parked_receipts") == 1


async def test_a_doubt_that_ended_while_its_receipt_was_on_the_way_is_not_told_of_by_it(ground: Ground) -> None:
    async with two_nodes(ground) as (holder, other):
        message = await in_doubt(holder)
        await receipt_at(other, "unheard-of")
        await other.by_the_clock.match_parked()
        await other.settling.durable()
        assert await ground.count("forwarded_receipts") == 1
        holder.carrier.taken(message, "its own", late=True)
        await holder.until(lambda: message.state == "submitted")
        await look_again(holder, other)
        assert message.state == "submitted"
        assert (await ground.count("parked_receipts"), await ground.count("forwarded_receipts")) == (1, 0)
