"""Reading rows back: queues, postponements, overdue messages, what is owed; each as its statement's sentence says.

statements/messages.sql; architecture section 4. What must not enter: who reads when (lifecycle, notify).
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from gateway.lanes import MARKETING, OTP, TRANSACTIONAL
from gateway.message import ID_NODE_SHIFT, Envelope, InboundMessage, Message, ParkedReceipt
from gateway.message_states import FINAL
from gateway.storage import facts
from gateway.storage import messages as rows
from gateway.storage.database import connect, ledger_imbalance_micros, take_seat, tell
from gateway.storage.settle_batch import SettleBatch
from tests.gateway.storage.conftest import House
from tests.gateway.storage.stored_messages import store_message

NOW_MS = int(time.time() * 1000)
FAR_MS = NOW_MS + 86_400_000


async def accepted(house: House, *messages: Message) -> None:
    line = house.line("accept")
    line.batch = await house.value("SELECT batch FROM node_streams WHERE stream = 'accept'")
    await line.commit(rows.ACCEPT, rows.accept_columns(list(messages), [False] * len(messages), 0))


async def settle(house: House, **extra: list[Any]) -> None:
    line = house.line("settle")
    line.batch = await house.value("SELECT batch FROM node_streams WHERE stream = 'settle'")
    batch = SettleBatch()
    for name, values in extra.items():
        getattr(batch, name).extend(values)
    await line.commit(rows.SETTLE, batch.columns(), batch.extras())


def key(message: Message) -> tuple[int, int]:
    return (message.account_id, message.message_id)


# ---------------------------------------------------------------- queues


async def test_a_queue_is_read_in_order_of_acceptance_from_an_id_on(house: House) -> None:
    messages = [house.message() for _ in range(5)]
    await accepted(house, *reversed(messages))
    connector_id = messages[0].connector_id
    ours = [house.ground.account_id]
    read = await rows.queued_rows(
        house.connection, connector_id, TRANSACTIONAL, ours, [messages[1].message_id], [3], house.seat.node_id
    )
    assert [m.message_id for m in read] == [m.message_id for m in messages[1:4]]
    assert (
        await rows.queued_rows(house.connection, connector_id + 1, TRANSACTIONAL, ours, [0], [9], house.seat.node_id)
        == []
    )
    assert await rows.queued_rows(house.connection, connector_id, OTP, ours, [0], [9], house.seat.node_id) == []


async def test_a_queue_is_read_of_each_account_as_much_as_it_is_asked_for(house: House) -> None:
    other_id = await facts.add_account(house.connection, "other", 1_000_000_000, None)
    assert other_id is not None
    campaign = [house.message(traffic_class="marketing") for _ in range(4)]
    others = [house.message(traffic_class="marketing", account_id=other_id) for _ in range(2)]
    service, code = house.message(traffic_class="service"), house.message(traffic_class="otp")
    await accepted(house, *campaign, *others, service, code)
    connector_id, ours = code.connector_id, house.ground.account_id
    read = await rows.queued_rows(
        house.connection, connector_id, MARKETING, [ours, other_id], [0, 0], [3, 9], house.seat.node_id
    )
    assert [m.message_id for m in read] == [m.message_id for m in campaign[:3] + others]
    found = await rows.queued_accounts(
        house.connection, connector_id, MARKETING, campaign[1].message_id, house.seat.node_id
    )
    assert sorted(found) == sorted([(ours, campaign[1].message_id), (other_id, others[0].message_id)])
    for lane, message in ((TRANSACTIONAL, service), (OTP, code)):
        assert await rows.queued_accounts(house.connection, connector_id, lane, 0, house.seat.node_id) == [
            (ours, message.message_id)
        ]


async def test_a_queue_leaves_out_what_is_postponed_or_was_sent(house: House) -> None:
    waiting, scheduled = house.message(), house.message(not_before_ms=FAR_MS)
    await accepted(house, waiting, scheduled)
    for state in ("submitted", "in_doubt", *sorted(FINAL)):
        await store_message(house.connection, house.ground, state)
    ours = house.ground.account_id
    read = await rows.queued_rows(
        house.connection, waiting.connector_id, TRANSACTIONAL, [ours], [0], [99], house.seat.node_id
    )
    assert [m.message_id for m in read] == [waiting.message_id]
    found = await rows.queued_accounts(
        house.connection, waiting.connector_id, TRANSACTIONAL, waiting.message_id + 1, house.seat.node_id
    )
    assert found == []


async def test_messages_are_loaded_by_account_and_id(house: House) -> None:
    message = house.message(envelope=Envelope(tlvs=((0x204, b"\x00\x01"),), submitted_source="+1"))
    await accepted(house, message)
    found = await rows.load_messages(house.connection, [key(message), (message.account_id, 5)])
    assert found == {message.message_id: message}
    assert await rows.load_messages(house.connection, [(message.account_id + 1, message.message_id)]) == {}
    assert await rows.load_messages(house.connection, []) == {}


async def test_marks_are_kept_by_node_connector_and_lane(house: House) -> None:
    connector_id = house.ground.connector_id
    await rows.move_marks(house.connection, house.seat.node_id, {(connector_id, OTP): 5, (connector_id, MARKETING): 3})
    await rows.move_marks(house.connection, house.seat.node_id, {(connector_id, OTP): 7})
    marks = {(connector_id, OTP): 7, (connector_id, MARKETING): 3}
    assert await rows.load_marks(house.connection, house.seat.node_id) == marks
    assert await rows.load_marks(house.connection, house.seat.node_id + 1) == {}


# ---------------------------------------------------------------- delayed


async def test_a_postponed_message_is_claimed_once_a_life_when_its_time_has_come(house: House) -> None:
    early, late = house.message(not_before_ms=NOW_MS), house.message(not_before_ms=FAR_MS)
    await accepted(house, early, late)
    assert await rows.claim_delayed(house.connection, NOW_MS - 1, 1, 9, house.seat.node_id) == []
    assert await rows.claim_delayed(house.connection, NOW_MS, 1, 9, house.seat.node_id) == [key(early)]
    assert await rows.claim_delayed(house.connection, NOW_MS, 1, 9, house.seat.node_id) == []
    assert await rows.claim_delayed(house.connection, NOW_MS, 2, 9, house.seat.node_id) == [key(early)]  # the next life
    assert await house.value("SELECT count(*) FROM delayed") == 2  # rows stay until an outcome is stored


async def test_claims_take_the_longest_due_first_and_no_more_than_asked(house: House) -> None:
    messages = [house.message(not_before_ms=NOW_MS - n) for n in range(5)]
    await accepted(house, *messages)
    taken = await rows.claim_delayed(house.connection, NOW_MS, 1, 2, house.seat.node_id)
    assert sorted(taken) == sorted([key(messages[4]), key(messages[3])])


# ---------------------------------------------------------------- overdue


async def test_overdue_messages_are_found_in_their_span_by_state_first_ended_first(house: House) -> None:
    ends = {}
    for offset in (3, 1, 2):
        ends[offset] = await store_message(house.connection, house.ground, "queued", expires_at_ms=NOW_MS + offset)
    await store_message(house.connection, house.ground, "submitted", expires_at_ms=NOW_MS + 1)
    await store_message(house.connection, house.ground, "delivered", expires_at_ms=NOW_MS + 1)

    async def found(after: int, until: int, limit: int = 9) -> list[int]:
        read = await rows.overdue(
            house.connection, NOW_MS + after, NOW_MS + until, ("queued",), limit, house.seat.node_id
        )
        return [m.message_id for m in read]

    assert await found(0, 3) == [ends[1], ends[2], ends[3]]
    assert await found(1, 2) == [ends[2]]  # after is out, until is in
    assert await found(0, 3, limit=1) == [ends[1]]
    both = await rows.overdue(house.connection, NOW_MS, NOW_MS + 1, ("queued", "submitted"), 9, house.seat.node_id)
    assert {m.state for m in both} == {"queued", "submitted"}


# ---------------------------------------------------------------- owed


async def test_receipts_owed_are_final_asked_for_and_kept_nowhere(house: House) -> None:
    connection, ground = house.connection, house.ground
    owed = [await store_message(connection, ground, state, notify="asked") for state in sorted(FINAL)]
    kept = await store_message(connection, ground, "delivered", notify="asked")
    for notify in ("no", "done", "dead"):
        await store_message(connection, ground, "delivered", notify=notify)
    for state in ("queued", "submitted", "in_doubt"):
        await store_message(connection, ground, state, notify="asked")
    await settle(house, waiting=[(ground.esme_id, ground.account_id, kept, "receipt", 0, 1, 2, 0)])

    async def found(from_id: int = 0, limit: int = 99, accounts: list[int] | None = None) -> list[int]:
        read = await rows.owed_receipts(connection, accounts or [ground.account_id], from_id, limit, house.seat.node_id)
        return [m.message_id for m in read]

    assert await found() == owed
    assert await found(from_id=owed[2]) == owed[2:]
    assert await found(limit=2) == owed[:2]
    assert await found(accounts=[ground.account_id + 1]) == []


async def test_what_waits_for_an_esme_is_read_after_an_id_and_ends_when_it_is_too_old(house: House) -> None:
    esme_id, account_id = house.ground.esme_id, house.ground.account_id
    ids = [house.seat.node_id << ID_NODE_SHIFT | n for n in range(4)]
    waiting = [(esme_id, account_id, ids[n], "receipt", n, 10 + n, 100 + n, 0) for n in (3, 1, 2)]
    await settle(house, waiting=[*waiting, (esme_id + 1, account_id, ids[1], "inbound", 0, 0, 50, 0)])
    read = await rows.waiting_of_esme(house.connection, esme_id, ids[1], 9, house.seat.node_id)
    assert [(r["message_id"], r["tries"], r["due_at_ms"], r["give_up_at_ms"]) for r in read] == [
        (ids[2], 2, 12, 102),
        (ids[3], 3, 13, 103),
    ]
    assert len(await rows.waiting_of_esme(house.connection, esme_id, 0, 2, house.seat.node_id)) == 2
    over = await rows.waiting_overdue(house.connection, 101, 9, house.seat.node_id)
    assert {(r["esme_id"], r["message_id"], r["kind"]) for r in over} == {
        (esme_id, ids[1], "receipt"),
        (esme_id + 1, ids[1], "inbound"),
    }


async def test_a_second_try_moves_its_time_and_keeps_its_end(house: House) -> None:
    row = (1, 1, house.seat.node_id << ID_NODE_SHIFT, "receipt")
    await settle(house, waiting=[(*row, 0, 10, 100, 0)])
    await settle(house, waiting=[(*row, 1, 20, 999, 0)])
    (read,) = await rows.waiting_of_esme(house.connection, 1, 0, 9, house.seat.node_id)
    assert (read["tries"], read["due_at_ms"], read["give_up_at_ms"]) == (1, 20, 100)


# ---------------------------------------------------------------- inbound, parked


async def test_inbound_messages_that_are_due_and_kept_nowhere_are_found_again(house: House) -> None:
    def arrived(message_id: int, state: str, esme_id: int | None) -> InboundMessage:
        return InboundMessage(message_id, 1, 1, esme_id, "229", "8080", 0, b"hi", b"\x90", state, NOW_MS)

    ids = [house.seat.node_id << ID_NODE_SHIFT | n for n in range(4)]
    owners = [("due", 1), ("unrouted", None), ("due", 1), ("due", 1)]
    inbound = [arrived(message_id, *owner) for message_id, owner in zip(ids, owners, strict=True)]
    await settle(house, inbound=inbound, waiting=[(1, 1, ids[2], "inbound", 0, 1, 2, 0)])
    assert await rows.due_inbound(house.connection, 0, 9, house.seat.node_id) == [inbound[0], inbound[3]]
    assert await rows.due_inbound(house.connection, ids[0], 9, house.seat.node_id) == [inbound[3]]
    await settle(house, inbound_closed=[(ids[0], "done", 7), (ids[3], "dead", 8)])
    assert await rows.due_inbound(house.connection, 0, 9, house.seat.node_id) == []
    assert await house.value("SELECT array_agg(notified_at_ms ORDER BY message_id) FROM inbound_messages") == [
        7,
        0,
        0,
        8,
    ]


async def test_parked_receipts_are_read_oldest_first_and_buried_when_old(house: House) -> None:
    def parked(parked_id: int, at_ms: int) -> ParkedReceipt:
        return ParkedReceipt(parked_id, 1, str(parked_id), "229", "ACME", 2, "", 0, at_ms, b"")

    ids = [house.seat.node_id << ID_NODE_SHIFT | n for n in range(4)]
    await settle(house, parked=[parked(ids[n], NOW_MS + n) for n in (3, 1, 2)])
    read = await rows.load_parked(house.connection, NOW_MS + 2, 9, house.seat.node_id)
    assert [r.parked_id for r in read] == ids[2:]
    assert [r.parked_id for r in await rows.load_parked(house.connection, 0, 1, house.seat.node_id)] == [ids[1]]
    assert await rows.bury_parked(house.connection, NOW_MS + 3, 0) == 2
    assert [r.parked_id for r in await rows.load_parked(house.connection, 0, 9, house.seat.node_id)] == [ids[3]]
    orphans = "SELECT array_agg(parked_id ORDER BY parked_id) FROM orphan_receipts"
    assert await house.connection.fetchval(orphans) == ids[1:3]
    assert await rows.bury_parked(house.connection, NOW_MS + 9, NOW_MS + 2) == 1
    assert await house.connection.fetchval(orphans) == ids[2:], "those that are old enough are forgotten"
    assert await rows.bury_parked(house.connection, NOW_MS + 9, NOW_MS + 9) == 0
    assert await house.connection.fetchval(orphans) is None


# ---------------------------------------------------------------- seats


async def test_a_new_life_counts_its_epoch_on_and_keeps_the_numbers_of_its_streams(house: House) -> None:
    message = house.message()
    await accepted(house, message)
    await house.connection.execute("SELECT pg_advisory_unlock_all()")
    newer = await connect(house.dsn)
    seat = await take_seat(newer, "a")
    assert (seat.node_id, seat.epoch) == (house.seat.node_id, house.seat.epoch + 1)
    assert (seat.accept_batch, seat.settle_batch, seat.last_id) == (1, 0, message.message_id)
    await newer.close()


async def test_only_the_present_life_tells_of_itself(house: House) -> None:
    await tell(house.connection, house.seat, "{}", 5, 6)
    stale = msgspec.structs.replace(house.seat, epoch=house.seat.epoch - 1)
    await tell(house.connection, stale, "{}", 7, 8)
    assert await house.value("SELECT (swept_until_ms, owed_from_id) FROM nodes") == (5, 6)


async def test_a_ledger_that_differs_from_the_balances_is_seen(house: House) -> None:
    assert await ledger_imbalance_micros(house.connection) == 0
    await accepted(house, house.message())
    assert await ledger_imbalance_micros(house.connection) == 0
    await house.connection.execute("UPDATE accounts SET balance_micros = balance_micros - 3")
    assert await ledger_imbalance_micros(house.connection) == 3
