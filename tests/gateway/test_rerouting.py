"""What waits for a connector that operators took out goes by another route, once, or stays where it is.

Source: promises P1, P3. Lives over one PostgreSQL; carriers at hand.
What must not enter: how a wish reaches a node (daemon/test_carrier_orders.py).
"""

from __future__ import annotations

from gateway.rerouting import Rerouting
from tests.gateway.conftest import Ground, Life


async def take_out(ground: Ground, life: Life, wish: str) -> None:
    """As a node does when facts change."""
    connector_id = life.carrier.connector_id
    await ground.connection.execute("UPDATE connectors SET wish = $2 WHERE connector_id = $1", connector_id, wish)
    life.lifecycle.book = await ground.book()
    life.carrier.take_out(wish != "run")


async def test_what_waits_goes_by_the_next_route_and_each_message_once(ground: Ground) -> None:
    await ground.add_carrier("carrier-b")
    async with ground.live(window=1) as life:
        messages = await life.accept(20)
        await life.written(1)
        await take_out(ground, life, "drain")
        other = life.carriers["carrier-b"]
        other.window = 1000

        await Rerouting(life.lifecycle).look()
        await life.by_the_clock.claim_delayed()
        await life.until(lambda: len(other.written) == 19, "the rest is at the other carrier")

        assert len(life.carrier.written) == 1
        first = {message_id for message_id, _ in life.carrier.written}
        assert {message_id for message_id, _ in other.written} == {m.message_id for m in messages} - first
        (moved,) = [m for m in messages if m.message_id == other.written[0][0]]
        assert (await ground.row(moved))["connector_id"] == other.connector_id
        assert await ground.events(moved) == ["rerouted"]


async def test_what_has_no_other_route_stays_in_its_order_until_the_connector_runs_again(ground: Ground) -> None:
    async with ground.live(window=1) as life:
        messages = await life.accept(5)
        await life.written(1)
        await take_out(ground, life, "stop")

        await Rerouting(life.lifecycle).look()
        assert len(life.lifecycle.outboxes[life.carrier.connector_id]) == 4

        life.carrier.window = 1000
        await take_out(ground, life, "run")
        await life.written(5)
        assert [message_id for message_id, _ in life.carrier.written] == [m.message_id for m in messages]


async def test_a_connector_that_was_taken_out_is_chosen_by_nobody(ground: Ground, life: Life) -> None:
    await take_out(ground, life, "drain")
    refused = life.lifecycle.admit(ground.submission())
    assert refused == "no_route"
