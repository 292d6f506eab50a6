"""Senders that a carrier refuses: counted, disabled at the fifth, durably, for one carrier; allowed again by a person.

smpp-answers, "As a client", 0x0A, 0x48, 0x49. What must not enter: how a status becomes a Rejected (egress).
"""

from __future__ import annotations

import asyncio

from gateway import sender_refusals
from gateway.accept.refusals import Refusal
from gateway.connector import Rejected
from gateway.message import Message
from gateway.sender_refusals import REFUSALS, SenderRefusals
from gateway.storage import refused_senders
from tests.gateway.conftest import Ground, Life


def test_the_fifth_refusal_in_a_row_is_the_last() -> None:
    counted = SenderRefusals()
    assert [counted.refused(1, "ACME") for _ in range(REFUSALS)] == [False] * 4 + [True]
    assert REFUSALS == 5


def test_a_part_that_was_taken_begins_the_count_anew_and_other_pairs_count_by_themselves() -> None:
    counted = SenderRefusals()
    for _ in range(4):
        counted.refused(1, "ACME")
    counted.taken(1, "acme")
    assert not counted.refused(1, "Acme")
    for _ in range(3):
        counted.refused(1, "ACME")
    assert not counted.refused(2, "ACME")
    assert not counted.refused(1, "OTHER")
    assert counted.refused(1, "acme")


def test_no_more_pairs_are_counted_than_the_limit(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sender_refusals, "PAIRS_LIMIT", 3)
    counted = SenderRefusals()
    for number in range(10):
        counted.refused(1, f"S{number}")
    assert len(counted._counts) == 3


async def refuse(life: Life, messages: list[Message]) -> None:
    """carrier-a refuses the sender of these."""
    for message in messages:
        life.carrier.tell(Rejected(message, 0, "ESME_RINVSRCADR", elsewhere=True, sender_refused=True))
    await life.until(lambda: not any(m.open_parts for m in messages), "refused")


async def with_new_facts(life: Life) -> None:
    """What the node does when rows of facts change."""
    life.lifecycle.book = await life.ground.book()


async def test_the_pair_is_disabled_for_good_and_other_routes_carry_the_sender(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live() as life:
        messages = await life.accept(4)
        await life.written(4)
        await refuse(life, messages)
        assert await ground.count("refused_senders") == 0
        (fifth,) = await life.accept(1)
        await life.written(5)
        await refuse(life, [fifth])
        row = await ground.connection.fetchrow("SELECT * FROM refused_senders")
        assert row is not None
        assert (row["connector_id"], row["sender"], row["status"]) == (
            ground.connector_ids["carrier-a"],
            "acme",
            "ESME_RINVSRCADR",
        )
        await with_new_facts(life)
        assert life.admit().connector_id == ground.connector_ids["carrier-b"]
    async with ground.live() as next_life:
        message = next_life.admit()
        assert message.connector_id == ground.connector_ids["carrier-b"]
        assert "carrier-a (tried)" in message.route_why


async def test_a_sender_without_any_carrier_left_is_refused_by_its_name_until_an_operator_allows_it(
    ground: Ground,
) -> None:
    async with ground.live() as life:
        messages = await life.accept(5)
        await life.written(5)
        await refuse(life, messages)
        assert await life.told_of(*messages) == ["rejected"] * 5
        await with_new_facts(life)
        assert life.lifecycle.admit(ground.submission()) is Refusal.SENDER_REFUSED
        connector_id = ground.connector_ids["carrier-a"]
        assert await refused_senders.allow_sender(ground.connection, connector_id, "ACME") == "ESME_RINVSRCADR"
        assert await refused_senders.allow_sender(ground.connection, connector_id, "ACME") is None
        await with_new_facts(life)
        assert life.admit().connector_id == connector_id


async def test_refusals_that_were_under_way_when_the_pair_was_disabled_say_nothing_new(ground: Ground) -> None:
    async with ground.live() as life:
        messages = await life.accept(12)
        await life.written(12)
        await refuse(life, messages[:5])
        await with_new_facts(life)
        await refuse(life, messages[5:])
        await asyncio.shield(life.settling.durable())
        assert await ground.count("refused_senders") == 1


async def test_a_sender_leaves_by_the_connectors_it_is_approved_over(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    carrier_b = ground.connector_ids["carrier-b"]
    async with ground.live() as life:
        assert life.admit().connector_id == ground.connector_ids["carrier-a"]
        await ground.connection.execute("UPDATE sender_names SET by_connectors = $1", [carrier_b])
        await with_new_facts(life)
        assert life.admit().connector_id == carrier_b
        await ground.connection.execute("UPDATE routes SET enabled = false WHERE connector_id = $1", carrier_b)
        await with_new_facts(life)
        assert life.lifecycle.admit(ground.submission()) is Refusal.SENDER_REFUSED
