"""What is owed to a URL reaches it, once or again, whatever the receiver does; the clock is in the test's hand.

Source: defaults page, "Webhooks". What must not enter: what is owed, and when (test_owing.py), formats.
"""

from __future__ import annotations

import pytest

from gateway.storage import webhooks as rows
from gateway.webhooks.events import FINAL_EVENTS
from gateway.webhooks.lane import (
    AHEAD,
    FAILURES_TO_PAUSE,
    FORGIVEN_MS,
    LANES_KEPT,
    PAUSES_MS,
    RETRY_S,
    WIDEST,
    Lane,
    retry_ms,
)
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S
from tests.gateway.webhooks.conftest import Hooks
from tests.webhook_receiver import Receiver, webhook_receiver

DEFAULTS_S = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]


async def test_each_try_of_the_table_has_the_same_id_and_is_logged(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    receiver.answer, receiver.text = 500, "no\0t " + "x" * 600
    await hooks.owe(1, endpoint_id)
    async with hooks.courier() as courier:
        for tries, pause_s in enumerate([*DEFAULTS_S, None], start=1):
            await receiver.got(tries)

            async def stored(tries: int = tries) -> bool:
                return await hooks.connection.fetchval("SELECT tries FROM webhook_deliveries") == tries

            await eventually(stored, WITHIN_S, f"try {tries}")
            if pause_s is not None:
                assert len(receiver.received) == tries
                await hooks.pass_s(max(pause_s, PAUSES_MS[-1] / 1000), courier)
        await hooks.until({"dead": 1})
    assert set(receiver.ids()) == {receiver.ids()[0]}
    assert len(receiver.ids()) == len(DEFAULTS_S) + 1
    (delivery,) = await rows.list_deliveries(hooks.connection, None, endpoint_id, "dead")
    tries_found = await rows.list_tries(hooks.connection, delivery["delivery_id"])
    assert [each["status"] for each in tries_found] == [500] * 10
    assert {each["fault"] for each in tries_found} == {"status_500"}
    assert {len(each["answer"]) for each in tries_found} == {500}
    (endpoint,) = await rows.list_endpoints(hooks.connection, None)
    assert endpoint["state"] == "disabled", "it took nothing for three days"


def test_the_table_of_pauses_has_jitter() -> None:
    assert list(RETRY_S) == DEFAULTS_S
    assert [retry_ms(n, 0.0) for n in range(1, 10)] == [pause * 1000 for pause in DEFAULTS_S]
    assert retry_ms(1, 1.0) == 5_500
    assert retry_ms(len(RETRY_S) + 1, 0.5) is None


async def test_410_ends_an_endpoint_at_once_and_enabling_and_replaying_mends_it(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint_id = await hooks.add()
    receiver.answer = 410
    await hooks.owe(3, endpoint_id)
    async with hooks.courier() as courier:
        await hooks.until({"dead": 3})
        assert len(receiver.received) == 1
        (endpoint,) = await rows.list_endpoints(hooks.connection, hooks.ground.account_id)
        assert (endpoint["state"], endpoint["dead"]) == ("disabled", 3)
        assert await rows.owe_test(hooks.connection, endpoint_id, hooks.ground.clock.ms) is None
        receiver.answer = 200
        assert await rows.enable_endpoint(hooks.connection, endpoint_id)
        assert not await rows.enable_endpoint(hooks.connection, endpoint_id)
        hooks.ground.clock.pass_s(60)
        now_ms = hooks.ground.clock.ms
        given = (hooks.connection, endpoint_id, (0, now_ms))
        assert await rows.replay_deliveries(*given, ["done"], now_ms) == 0
        assert await rows.replay_deliveries(*given, ["dead", "done"], now_ms) == 3
        courier.look_again()
        await hooks.until({"done": 3})
    assert len(set(receiver.ids())) == 3, "a replay repeats the ids"
    history = await hooks.connection.fetch("SELECT state FROM webhook_endpoint_history ORDER BY changed_at")
    assert [row["state"] for row in history] == ["active", "disabled", "active"]


async def test_a_receiver_that_hangs_delays_nobody_else(hooks: Hooks, receiver: Receiver) -> None:
    async with webhook_receiver() as hanging:
        hanging.answer = "hang"
        dead = await hooks.add(hanging.url)
        await hooks.owe(300, dead)
        alive = await hooks.add()
        await hooks.owe(100, alive)
        async with hooks.courier() as courier:  # nothing times out while this test runs
            await hooks.until({"done": 100}, alive)
            assert len(hanging.received) == 1, "of one that never answered, one at a time"
            assert courier.held == 1


async def test_a_receiver_that_fails_is_left_alone_and_asked_by_one_delivery(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    receiver.answer = 503
    await hooks.owe(50, endpoint_id)
    async with hooks.courier() as courier:
        tried = "SELECT count(*) FROM webhook_tries"
        for count in range(FAILURES_TO_PAUSE, FAILURES_TO_PAUSE + 4):

            async def stored(count: int = count) -> bool:
                return await hooks.connection.fetchval(tried) == count

            await eventually(stored, WITHIN_S, f"{count} tries")
            await eventually(lambda: courier.held == 0, WITHIN_S, "nothing is held")
            await hooks.pass_s(PAUSES_MS[-1] / 1000, courier)
        receiver.answer = 200
        for _ in range(3):
            await hooks.pass_s(RETRY_S[1] + 60, courier)
            await eventually(lambda: courier.held == 0, WITHIN_S, "nothing is held")
        await hooks.until({"done": 50})
    assert len(set(receiver.ids())) == 50


async def test_a_courier_that_ends_in_the_middle_repeats_the_same_id(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    await hooks.owe(1, endpoint_id)
    receiver.answer = "hang"
    async with hooks.courier():
        await receiver.got(1)
    assert await hooks.states() == {"due": 1}
    receiver.answer = 200
    hooks.ground.clock.pass_s(121)
    async with hooks.courier():
        await hooks.until({"done": 1})
    assert len(receiver.received) == 2
    assert len(set(receiver.ids())) == 1


async def test_a_courier_that_is_stopped_leaves_nothing_behind_but_what_is_under_way(hooks: Hooks) -> None:
    async with webhook_receiver() as receiver:
        endpoint_id = await hooks.add(receiver.url)
        await hooks.owe(200, endpoint_id)
        async with hooks.courier() as courier:
            await eventually(lambda: len(receiver.received) > 2 * WIDEST, WITHIN_S, "the lane is wide")
            receiver.answer = "hang"
            await eventually(
                lambda: receiver.hanging == WIDEST and courier.held == AHEAD, WITHIN_S, "all hang, and it claimed ahead"
            )
        claimed = "SELECT count(*) FROM webhook_deliveries WHERE state = 'due' AND due_at_ms > $1"
        assert await hooks.ground.value(claimed, hooks.ground.clock.ms) == WIDEST
        done = await hooks.ground.value("SELECT count(*) FROM webhook_deliveries WHERE state = 'done'")
        assert done == len(receiver.received) - WIDEST


async def test_an_outcome_of_a_lost_claim_closes_nothing(hooks: Hooks) -> None:
    endpoint_id = await hooks.add()
    await hooks.owe(1, endpoint_id)
    now_ms = hooks.ground.clock.ms

    async def claim(at_ms: int) -> list[rows.Delivery]:
        return await rows.claim_deliveries(hooks.connection, at_ms, {}, 10, 100, at_ms + 1000)

    (first,) = await claim(now_ms)
    assert await claim(now_ms) == []
    (second,) = await claim(now_ms + 1000)
    assert second.claim == first.claim + 1
    late = rows.Outcome(first.delivery_id, first.claim, "dead", 1, 0, 1, True, 1, 1, 500, "status_500", "")
    await rows.close_deliveries(hooks.connection, [late])
    assert await hooks.states() == {"due": 1}


async def test_two_couriers_share_the_work_and_send_nothing_twice(hooks: Hooks, receiver: Receiver) -> None:
    for _ in range(4):
        await hooks.owe(50, await hooks.add())
    async with hooks.courier(), hooks.courier():
        await hooks.until({"done": 200})
    assert len(receiver.ids()) == len(set(receiver.ids())) == 200


async def test_while_postgresql_is_away_what_was_found_waits(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    await hooks.owe(1, endpoint_id)
    receiver.answer = "hang"
    async with hooks.courier():
        await receiver.got(1)
        await hooks.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        receiver.released.set()
        await hooks.until({"done": 1})
    assert len(receiver.received) == 1


async def test_a_row_that_cannot_be_read_holds_up_nobody(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add(events=FINAL_EVENTS)
    async with hooks.ground.live() as life:
        messages = [await hooks.end_one(life) for _ in range(5)]
    broken = messages[2].message_id
    await hooks.connection.execute("UPDATE messages SET envelope = 'x' WHERE message_id = $1", broken)
    async with hooks.courier():
        await hooks.until({"done": 4, "dead": 1})
    dead = await hooks.ground.value("SELECT message_id FROM webhook_deliveries WHERE state = 'dead'")
    assert dead == broken


async def test_old_deliveries_and_events_are_forgotten(hooks: Hooks, receiver: Receiver) -> None:
    endpoint_id = await hooks.add()
    await hooks.owe(1, endpoint_id)
    happened = (hooks.ground.account_id, 1, "message.expired", hooks.ground.clock.ms, True, "", "", "")
    await rows.owe_events(hooks.connection, [happened])
    async with hooks.courier():
        await hooks.until({"done": 1, "dead": 1})  # of a message that is not there nothing can be told
    hooks.ground.clock.pass_s(31 * 86_400)
    async with hooks.courier():
        await hooks.until({})
    assert await hooks.ground.count("webhook_tries") == await hooks.ground.count("account_events") == 0


@pytest.mark.parametrize("failures", range(FAILURES_TO_PAUSE))
def test_a_lane_narrows_with_failures_and_widens_with_successes(failures: int) -> None:
    lane = Lane()
    for _ in range(20):
        lane.taken()
    assert (lane.width, lane.room(0)) == (WIDEST, AHEAD)
    for _ in range(failures):
        lane.failed(1000)
    assert lane.room(1000) == (AHEAD if failures == 0 else 1)
    assert not lane.is_paused(1000)


def test_a_lane_that_failed_is_remembered_for_a_while_and_one_that_is_well_while_there_is_room() -> None:
    lane = Lane()
    assert lane.is_forgettable(1000, 1)
    lane.failed(1000)
    assert not lane.is_forgettable(1000 + FORGIVEN_MS - 1, LANES_KEPT + 1)
    assert lane.is_forgettable(1000 + FORGIVEN_MS, 1)
    lane.taken()
    assert not lane.is_forgettable(1000, LANES_KEPT)
    assert lane.is_forgettable(1000, LANES_KEPT + 1)
    lane.busy = 1
    assert not lane.is_forgettable(1000, LANES_KEPT + 1)


def test_a_paused_lane_asks_once_and_longer_and_longer_apart() -> None:
    lane, now_ms = Lane(), 0
    for _ in range(FAILURES_TO_PAUSE - 1):
        lane.failed(now_ms)
    for pause_ms in (*PAUSES_MS, PAUSES_MS[-1]):
        lane.failed(now_ms)
        assert (lane.room(now_ms), lane.room(now_ms + pause_ms - 1), lane.room(now_ms + pause_ms)) == (0, 0, 1)
        now_ms += pause_ms
        lane.busy = 1
        assert lane.room(now_ms) == 0
        lane.busy = 0
    lane.taken()
    assert lane.room(now_ms) == 2
