"""A receipt that reaches another node than the one that holds its message: stored, acknowledged, folded by the holder.

Source: promise P4; decision 0015. Two living nodes over one PostgreSQL.
What must not enter: processes and sockets (tests/faults/test_several_nodes.py).
"""

from __future__ import annotations

from gateway.cluster.forwarding import Forwarding
from gateway.storage import commands
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, Ground, Life


def forwarding_of(life: Life) -> Forwarding:
    return Forwarding(life.lifecycle, life.reader, life.settling)


async def test_a_receipt_on_another_node_ends_the_message_at_its_holder(ground: Ground) -> None:
    async with ground.live(answer=take_all) as holder, ground.live(node="b") as other:
        message = await holder.accept_one()
        await holder.until(lambda: message.smsc_message_ids)
        token = other.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        await other.until(lambda: other.carrier.acknowledged == [(token, True)])
        assert await ground.count("forwarded_receipts") == 1
        assert message.state == "submitted"
        await forwarding_of(holder).fold()
        assert await holder.told_of(message) == ["delivered"]
        assert await ground.count("forwarded_receipts") == 0
        assert not other.told.receipts


async def test_a_second_receipt_on_another_node_changes_nothing(ground: Ground) -> None:
    async with ground.live(answer=take_all) as holder, ground.live(node="b") as other:
        message = await holder.accept_one()
        await holder.until(lambda: message.smsc_message_ids)
        for count in (1, 2):
            other.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
            await other.until(lambda count=count: len(other.carrier.acknowledged) == count)
            await forwarding_of(holder).fold()
        assert await holder.told_of(message) == ["delivered"]
        assert len(holder.told.receipts) == 1
        assert (await ground.row(message))["state"] == "delivered"


async def test_a_receipt_before_the_response_is_joined_over_two_nodes(ground: Ground) -> None:
    async with ground.live() as holder, ground.live(node="b") as other:
        message = await holder.accept_one()
        await holder.written(1)
        other.carrier.receipt("early", "delivered", HANDSET)
        await other.until(lambda: other.carrier.acknowledged)
        assert await ground.count("parked_receipts") == 1
        holder.carrier.taken(message, "early")
        await holder.until(lambda: message.state == "submitted")
        await other.by_the_clock.match_parked()
        await other.settling.durable()
        assert await ground.count("parked_receipts") == 0
        await forwarding_of(holder).fold()
        assert await holder.told_of(message) == ["delivered"]


async def test_what_was_forwarded_to_a_node_that_died_is_folded_by_its_heir(ground: Ground) -> None:
    async with ground.live(node="b") as other:
        async with ground.live(answer=take_all) as holder:
            message = await holder.accept_one()
            await holder.until(lambda: message.smsc_message_ids)
            other.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
            await other.until(lambda: other.carrier.acknowledged)
        await forwarding_of(other).fold()
        assert (await ground.row(message))["state"] == "submitted"  # nobody holds it but the dead node
        async with ground.live() as back:
            await forwarding_of(back).fold()
            assert (await ground.row(message))["state"] == "delivered"


async def test_a_receipt_that_a_person_gave_to_a_message_ends_it_whatever_its_id(ground: Ground) -> None:
    async with ground.live(answer=take_all) as holder:
        message = await holder.accept_one()
        await holder.until(lambda: message.smsc_message_ids)
        await ground.connection.execute(
            "INSERT INTO orphan_receipts (parked_id, connector_id, smsc_message_id, source_addr, destination_addr,"
            " message_state, error, received_at_ms, raw) VALUES (7, $1, 'unlike', '33612345678', 'ACME', 2, '', 1, '')",
            holder.carrier.connector_id,
        )
        found = await commands.find_orphan(ground.connection, 7, message.message_id)
        assert found is not None
        assert (found["same_connector"], found["state"]) == (True, "submitted")
        adopted = await commands.adopt_orphan(ground.connection, 7, message.account_id, message.message_id, 0)
        assert adopted
        assert not await commands.adopt_orphan(ground.connection, 7, message.account_id, message.message_id, 0)
        await forwarding_of(holder).fold()
        assert await holder.told_of(message) == ["delivered"]
        assert await ground.count("forwarded_receipts") == 0
