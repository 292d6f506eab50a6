"""Queries, cancels and replacements of accepted messages, wherever they stand: in memory, as a row, at a carrier.

Source: SMPP v3.4 4.8 to 4.10, 5.2.18; promises P3 and P4. Over a real PostgreSQL.
What must not enter: PDUs and their statuses (ingress/test_operations.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from gateway.accept.refusals import Refusal
from gateway.message import Envelope, Message
from gateway.recall import Changes, Naming, Recall, Recalled
from gateway.storage import facts, recalls
from gateway.storage.cluster import spans_held
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import CREDIT, HANDSET, WITHIN_S, Ground, Life

HOUR_MS = 3_600_000
Outcome = TypeVar("Outcome")
TWO_PARTS = b"b" * 200


def recall_of(life: Life) -> Recall:
    return Recall(life.lifecycle, life.reader, life.settling, life.ground.clock)


def naming(message: Message, **given: object) -> Naming:
    words = {"account_id": message.account_id, "message_id": message.message_id, "source_addr": "ACME"}
    return Naming(**{**words, **given})  # type: ignore[arg-type]  # as Naming has


def envelope(**given: object) -> Envelope:
    words: dict[str, object] = {"source_addr_ton": 5, "dest_addr_ton": 1, "registered_delivery": 1}
    words |= {"submitted_source": "ACME", "submitted_destination": HANDSET}
    return Envelope(**{**words, **given})  # type: ignore[arg-type]  # as Envelope has


async def in_an_outbox(life: Life) -> Message:
    """A message that waits in memory, for a carrier that is away."""
    life.carrier.health = "down"
    message = await life.accept_one(envelope=envelope())
    assert len(life.lifecycle.outboxes[message.connector_id]) == 1
    return message


async def scheduled(life: Life, **given: object) -> Message:
    """A message that is a row of `delayed` only."""
    return await life.accept_one(envelope=envelope(**given), not_before_ms=life.ground.clock.ms + HOUR_MS)


async def behind_a_full_memory(life: Life) -> Message:
    """The third of three messages, where the queue has room for two."""
    life.carrier.health = "down"
    await life.accept(2, envelope=envelope())
    message = await life.accept_one(envelope=envelope())
    assert message.message_id not in life.lifecycle.active
    return message


WAITING = [in_an_outbox, scheduled, behind_a_full_memory]


# ---------------------------------------------------------------- query


async def test_a_message_is_told_as_it_stands_in_memory_and_as_a_row(ground: Ground, life: Life) -> None:
    recall = recall_of(life)
    message = await scheduled(life)
    assert [each.state for each in await recall.query(naming(message))] == ["queued"]
    sent = await life.accept_one(envelope=envelope())
    await life.written(1)
    life.carrier.taken(sent, "id-1")
    life.carrier.receipt("id-1", "delivered", HANDSET)
    assert await life.told_of(sent) == ["delivered"]
    (told,) = await recall.query(naming(sent))
    assert (told.state, told.final_at_ms) == ("delivered", sent.final_at_ms)


@pytest.mark.parametrize("given", [{"account_id": 99}, {"message_id": 7}, {"source_addr": "OTHER"}])
async def test_foreign_unknown_and_wrongly_named_messages_are_unknown_alike(
    ground: Ground, life: Life, given: dict[str, object]
) -> None:
    message = await scheduled(life)
    recall = recall_of(life)
    assert await recall.query(naming(message, **given)) == []
    assert await recall.cancel(naming(message, **given)) is Recalled.UNKNOWN
    assert await recall.replace(naming(message, **given), Changes(b"new", 0)) is Recalled.UNKNOWN
    assert (await ground.row(message))["user_data"] == b"hello"


async def test_without_postgresql_nothing_is_told(ground: Ground, life: Life) -> None:
    message = await scheduled(life)
    await ground.cut()
    with pytest.raises(NotCommitted):
        await recall_of(life).query(naming(message))
    ground.away = False


# ---------------------------------------------------------------- cancel


@pytest.mark.parametrize("waiting", WAITING)
async def test_a_waiting_message_is_deleted_its_hold_released_and_its_sender_told(
    ground: Ground, waiting: object
) -> None:
    async with ground.live(queue_limit=2) as life:
        message = await waiting(life)  # type: ignore[operator]  # one of WAITING
        before = await ground.credits()
        assert await recall_of(life).cancel(naming(message)) is Recalled.DONE
        row = await ground.row(message)
        assert (row["state"], row["hold"], row["error"]) == ("deleted", "released", "cancelled by its sender")
        assert await ground.credits() == (before[0] + 1, before[1] - 1, 0)
        assert (message.message_id, "deleted") in life.told.receipts
        assert "cancelled" in await ground.events(message)
        assert await ground.value("SELECT count(*) FROM delayed WHERE message_id = $1", message.message_id) == 0
        assert await recall_of(life).cancel(naming(message)) is Recalled.DONE  # asked twice, released once
        assert await ground.credits() == (before[0] + 1, before[1] - 1, 0)
        life.carrier.health = "up"
        others = before[1] - 1
        await life.until(lambda: len(life.carrier.written) == others, "the others are sent")
        assert message.message_id not in life.carrier.copies


@pytest.mark.parametrize("asked", ["written", "taken", "in doubt", "delivered"])
async def test_what_was_written_to_a_carrier_is_not_taken_back(ground: Ground, life: Life, asked: str) -> None:
    message = await life.accept_one(envelope=envelope())
    await life.written(1)
    if asked == "in doubt":
        life.carrier.doubtful(message)
        await life.until(lambda: message.state == "in_doubt")
    elif asked != "written":
        life.carrier.taken(message, "id-1")
        await life.until(lambda: message.state == "submitted")
    if asked == "delivered":
        life.carrier.receipt("id-1", "delivered", HANDSET)
        await life.told_of(message)
    recall = recall_of(life)
    assert await recall.cancel(naming(message)) is Recalled.TOO_LATE
    assert await recall.replace(naming(message), Changes(b"new", 0)) is Recalled.TOO_LATE
    assert (await ground.row(message))["state"] != "deleted"


async def test_a_resent_message_may_be_on_a_wire_already(ground: Ground, life: Life) -> None:
    message = await life.accept_one(envelope=envelope())
    await life.written(1)
    life.carrier.health = "down"
    life.carrier.doubtful(message)
    await life.until(lambda: message.state == "in_doubt")
    ground.clock.pass_s(61)
    await life.by_the_clock.decide_doubts()
    await life.until(lambda: message.state == "queued")
    assert await recall_of(life).cancel(naming(message)) is Recalled.TOO_LATE


async def test_cancels_while_messages_leave_either_cancel_or_come_too_late(ground: Ground) -> None:
    async with ground.live(answer=take_all, window=3) as life:
        messages = await life.accept(60, envelope=envelope())
        recall = recall_of(life)
        outcomes = await asyncio.gather(*(recall.cancel(naming(message)) for message in messages))
        await life.until(lambda: all(m.state in ("submitted", "deleted") for m in messages), "nothing waits")
        cancelled = {m.message_id for m, outcome in zip(messages, outcomes, strict=True) if outcome is Recalled.DONE}
        assert cancelled.isdisjoint(life.carrier.copies)
        assert len(cancelled) + len(life.carrier.copies) == 60
        assert await ground.credits() == (1000 - len(life.carrier.copies), 0, len(life.carrier.copies))


async def test_all_that_wait_for_a_number_are_cancelled_and_no_others(ground: Ground) -> None:
    async with ground.live(queue_limit=2) as life:
        life.carrier.health = "down"
        meant = [await life.accept_one(envelope=envelope()) for _ in range(3)] + [await scheduled(life)]
        spared = [
            await life.accept_one(envelope=envelope(submitted_source="acme2")),
            await life.accept_one(to="2290197000002", envelope=envelope(submitted_destination="2290197000002")),
        ]
        await life.save_marks()
        recall = recall_of(life)
        words = (ground.account_id, "ACME", HANDSET, 1)
        assert await recall.cancel_matching(*words, "WAP") is Recalled.TOO_LATE
        assert await recall.cancel_matching(*words, "") is Recalled.DONE
        assert {(await ground.row(m))["state"] for m in meant} == {"deleted"}
        assert {(await ground.row(m))["state"] for m in spared} == {"queued"}
        assert await ground.credits() == (998, 2, 0)
        assert await recall.cancel_matching(*words, "") is Recalled.TOO_LATE


async def test_a_cancel_that_cannot_be_stored_is_not_answered_as_done(
    ground: Ground, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.lifecycle.STORE_PATIENCE_S", 0.05)
    message = await in_an_outbox(life)
    await ground.cut()
    assert await recall_of(life).cancel(naming(message)) is Recalled.BUSY
    ground.away = False
    monkeypatch.undo()
    assert await life.lifecycle.publish()
    assert await life.told_of(message) == ["deleted"]
    assert (await ground.row(message))["state"] == "deleted"


# ---------------------------------------------------------------- replace


@pytest.mark.parametrize("waiting", WAITING)
async def test_a_waiting_message_gets_another_text_and_keeps_its_id(ground: Ground, waiting: object) -> None:
    async with ground.live(queue_limit=2) as life:
        message = await waiting(life)  # type: ignore[operator]  # one of WAITING
        before = await ground.credits()
        assert await recall_of(life).replace(naming(message), Changes(TWO_PARTS, 0)) is Recalled.DONE
        row = await ground.row(message)
        assert (row["user_data"], row["part_count"], row["notify"]) == (TWO_PARTS, 2, "no")
        assert await ground.credits() == (before[0] - 1, before[1] + 1, 0)
        await life.settling.durable()
        assert await ground.events(message) == ["replaced"]
        life.carrier.health = "up"
        ground.clock.pass_s(3601)
        await life.by_the_clock.claim_delayed()
        parts = before[1] + 1
        await life.until(lambda: len(life.carrier.written) == parts, "the new text leaves")
        assert [part for each, part in life.carrier.written if each == message.message_id] == [0, 1]


async def test_a_cheaper_text_releases_the_difference(ground: Ground, life: Life) -> None:
    message = await life.accept_one(text=b"c" * 400, envelope=envelope(), not_before_ms=ground.clock.ms + HOUR_MS)
    assert await ground.credits() == (997, 3, 0)
    assert await recall_of(life).replace(naming(message), Changes(b"short", 1)) is Recalled.DONE
    assert await ground.credits() == (999, 1, 0)
    assert await ground.value("SELECT sum(amount_micros) FROM ledger WHERE kind = 'release'") == 2 * CREDIT


async def test_a_dearer_text_needs_its_credit_and_leaves_all_as_it_was_without(ground: Ground, life: Life) -> None:
    message = await in_an_outbox(life)
    await ground.connection.execute("DELETE FROM ledger WHERE kind = 'top_up'")
    await ground.connection.execute("UPDATE accounts SET balance_micros = 0, credit_limit_micros = $1", CREDIT)
    await ground.connection.execute("UPDATE accounts SET balance_micros = -$1::bigint", CREDIT)
    await facts.top_up(ground.connection, ground.account_id, CREDIT, "all that is held")
    await ground.connection.execute("UPDATE accounts SET credit_limit_micros = 0")
    assert await recall_of(life).replace(naming(message), Changes(TWO_PARTS, 1)) is Refusal.NO_CREDIT
    assert await ground.credits() == (0, 1, 0)
    row = await ground.row(message)
    assert (row["user_data"], row["part_count"], row["state"]) == (b"hello", 1, "queued")
    life.carrier.health = "up"
    await life.by_the_clock.claim_delayed()
    await life.written(1)


async def test_a_replacement_obeys_the_rules_of_acceptance(ground: Ground, life: Life) -> None:
    message = await scheduled(life, esm_class=0x40)
    recall = recall_of(life)
    good_udh = b"\x05\x00\x03\x01\x01\x01hi"
    assert await recall.replace(naming(message), Changes(b"\x08\x00\x03", 1)) is Refusal.MESSAGE_LENGTH
    assert await recall.replace(naming(message), Changes(b"", 1)) is Refusal.MESSAGE_LENGTH
    assert await recall.replace(naming(message), Changes(good_udh * 400, 1)) is Refusal.TOO_MANY_PARTS
    late = ground.clock.ms + 72 * HOUR_MS
    assert await recall.replace(naming(message), Changes(good_udh, 1, not_before_ms=late)) is Refusal.SCHEDULE_INVALID
    both = Changes(good_udh, 1, not_before_ms=late, expires_at_ms=late - 1)
    assert await recall.replace(naming(message), both) is Refusal.VALIDITY_INVALID
    assert (await ground.row(message))["user_data"] == b"hello"
    assert await recall.replace(naming(message), Changes(good_udh, 1)) is Recalled.DONE


@pytest.mark.parametrize(
    ("text", "translated", "alphabet", "becomes"),
    [
        (b"@ \xe9", False, "latin1", (b"\x00 \x05", 0)),
        (b"\xe7a va \xf4", True, "latin1", ("ça va ô".encode("utf-16-be"), 8)),
        (b"\x00\x40", False, "gsm7", (b"\x00\x40", 0)),
    ],
)
async def test_a_replaced_text_is_read_in_the_alphabet_of_its_login(
    ground: Ground, life: Life, text: bytes, translated: bool, alphabet: Any, becomes: tuple[bytes, int]
) -> None:
    message = await scheduled(life, translated=translated)
    assert await recall_of(life).replace(naming(message), Changes(text, 0, alphabet=alphabet)) is Recalled.DONE
    row = await ground.row(message)
    assert (row["user_data"], row["data_coding"]) == becomes
    again = Changes(b"@", 0, alphabet=alphabet)  # also where the text before it became UCS-2
    assert await recall_of(life).replace(naming(message), again) is Recalled.DONE
    row = await ground.row(message)
    assert (row["user_data"], row["data_coding"]) == (b"@" if alphabet == "gsm7" else b"\x00", 0)


async def test_a_text_that_came_as_ucs_2_is_replaced_by_ucs_2(ground: Ground, life: Life) -> None:
    message = await life.accept_one(envelope=envelope(), not_before_ms=ground.clock.ms + HOUR_MS)
    await ground.connection.execute("UPDATE messages SET data_coding = 8")
    changes = Changes("ô".encode("utf-16-be"), 0, alphabet="latin1")
    assert await recall_of(life).replace(naming(message), changes) is Recalled.DONE
    row = await ground.row(message)
    assert (row["user_data"], row["data_coding"]) == ("ô".encode("utf-16-be"), 8)


async def test_a_new_schedule_and_validity_are_kept(ground: Ground, life: Life) -> None:
    message = await in_an_outbox(life)
    life.carrier.health = "up"
    tomorrow = ground.clock.ms + 24 * HOUR_MS
    changes = Changes(b"tomorrow", 1, not_before_ms=tomorrow, expires_at_ms=tomorrow + HOUR_MS)
    message = await scheduled(life)
    assert await recall_of(life).replace(naming(message), changes) is Recalled.DONE
    row = await ground.row(message)
    assert (row["not_before_ms"], row["expires_at_ms"]) == (tomorrow, tomorrow + HOUR_MS)
    ground.clock.pass_s(2 * 3600)
    await life.by_the_clock.claim_delayed()
    assert message.message_id not in life.lifecycle.active
    assert await recall_of(life).replace(naming(message), Changes(b"now", 1, not_before_ms=0)) is Recalled.DONE
    await life.by_the_clock.claim_delayed()
    await life.until(lambda: message.message_id in life.carrier.copies, "it is sent at once")


async def test_a_claim_with_an_old_schedule_does_not_send_a_replaced_message_early(ground: Ground, life: Life) -> None:
    message = await scheduled(life)
    tomorrow = ground.clock.ms + 24 * HOUR_MS
    changes = Changes(b"tomorrow", 1, not_before_ms=tomorrow, expires_at_ms=tomorrow + HOUR_MS)
    assert await recall_of(life).replace(naming(message), changes) is Recalled.DONE
    await ground.connection.execute("UPDATE delayed SET due_at_ms = 0")  # as "was busy when its time came" writes it
    await life.by_the_clock.claim_delayed()
    await life.lifecycle.publish()
    assert await ground.value("SELECT due_at_ms FROM delayed") == tomorrow
    assert life.carrier.written == []


async def test_replacing_and_sending_at_once_sends_one_text_whole(ground: Ground) -> None:
    async with ground.live(answer=take_all, window=2) as life:
        messages = await life.accept(30, envelope=envelope())
        recall = recall_of(life)
        outcomes = await asyncio.gather(*(recall.replace(naming(m), Changes(TWO_PARTS, 1)) for m in messages))
        assert set(outcomes) <= {Recalled.DONE, Recalled.TOO_LATE}
        replaced = [m.message_id for m, o in zip(messages, outcomes, strict=True) if o is Recalled.DONE]
        ground.clock.pass_s(11)
        await life.by_the_clock.claim_delayed()
        await life.until(lambda: len(life.carrier.written) == 30 + len(replaced), "everything is sent")
        assert set(life.carrier.copies.values()) == {1}
        assert await ground.credits() == (1000 - 30 - len(replaced), 0, 30 + len(replaced))
        assert await ground.value("SELECT count(*) FROM messages WHERE part_count = 2") == len(replaced)


async def test_cancel_and_replace_of_one_message_take_turns(ground: Ground, life: Life) -> None:
    message = await in_an_outbox(life)
    recall = recall_of(life)
    outcomes = await asyncio.gather(
        recall.replace(naming(message), Changes(TWO_PARTS, 1)),
        recall.cancel(naming(message)),
        recall.replace(naming(message), Changes(b"third", 1)),
    )
    assert outcomes == [Recalled.DONE, Recalled.DONE, Recalled.TOO_LATE]
    assert (await ground.row(message))["state"] == "deleted"
    assert await ground.credits() == (1000, 0, 0)


@pytest.mark.parametrize("stored", [True, False])
async def test_a_replacement_whose_answer_was_lost_is_looked_up(
    ground: Ground, life: Life, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    message = await scheduled(life)
    replace_message = recalls.replace_message
    lost = 0

    async def answer_lost(*arguments: Any) -> recalls.Replaced:
        nonlocal lost
        lost += 1
        if stored or lost > 1:
            await replace_message(*arguments)
        if lost == 1:
            raise OutcomeUnknown("the test says so")
        return "replaced"

    monkeypatch.setattr(recalls, "replace_message", answer_lost)
    assert await recall_of(life).replace(naming(message), Changes(TWO_PARTS, 1)) is Recalled.DONE
    assert lost == (1 if stored else 2)
    assert (await ground.row(message))["user_data"] == TWO_PARTS
    assert await ground.credits() == (998, 2, 0)


async def test_a_message_that_a_node_holds_is_not_replaced_behind_its_back(ground: Ground, life: Life) -> None:
    message = await scheduled(life)
    row = await life.reader.run(lambda c: recalls.find_message(c, message.account_id, message.message_id))
    assert row is not None
    await ground.connection.execute("UPDATE delayed SET claimed_epoch = 1")
    replaced = await life.reader.run(lambda c: recalls.replace_message(c, row.message, row.message, 0, 0))
    assert replaced == "held"
    assert await recall_of(life).replace(naming(message), Changes(b"new", 1)) is Recalled.BUSY


@pytest.mark.parametrize(("first", "then"), [("messages", ["accounts", "delayed"]), ("accounts", ["delayed"])])
async def test_a_replacement_locks_rows_in_the_order_of_the_batch_that_ends_the_message(
    ground: Ground, life: Life, first: str, then: list[str]
) -> None:
    """The batch has one row and goes on to the next: a replacement that held that one would end in a deadlock."""
    message = await scheduled(life)
    batch = await ground.connect()
    async with batch.transaction():
        await batch.execute(f"SELECT FROM {first} WHERE account_id = $1 FOR NO KEY UPDATE", ground.account_id)
        replacing = asyncio.create_task(recall_of(life).replace(naming(message), Changes(b"new", 1)))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        await eventually(lambda: ground.value(waits), WITHIN_S, "the replacement waits")
        for each in then:
            await batch.execute(f"SELECT FROM {each} WHERE account_id = $1 FOR NO KEY UPDATE NOWAIT", ground.account_id)
    assert await replacing is Recalled.DONE
    assert (await ground.row(message))["user_data"] == b"new"
    await batch.close()


# ---------------------------------------------------------------- replace_if_present


async def test_the_newest_that_waits_is_replaced_or_nothing_is(ground: Ground, life: Life) -> None:
    recall = recall_of(life)
    again = life.admit(text=b"newer", envelope=envelope(service_type="CMT"))
    assert await recall.replace_present(again) == 0
    older, newer = await scheduled(life, service_type="CMT"), await scheduled(life, service_type="CMT")
    other = await scheduled(life, service_type="WAP")
    assert await recall.replace_present(again) == newer.message_id
    assert [(await ground.row(m))["user_data"] for m in (older, newer, other)] == [b"hello", b"newer", b"hello"]
    await ground.connection.execute("UPDATE accounts SET state = 'suspended'")
    life.lifecycle.book = await ground.book()
    assert await recall.replace_present(again) is Refusal.ACCOUNT_SUSPENDED


# ---------------------------------------------------------------- messages of another node


async def granted(asked: Coroutine[Any, Any, Outcome], holder: Recall) -> Outcome:
    """What one node is answered, while the other one's clock goes."""
    asking = asyncio.create_task(asked)
    while not asking.done():
        await holder.grant_wishes()
    return asking.result()


@pytest.mark.parametrize("waiting", WAITING)
async def test_the_node_that_holds_a_message_changes_it_for_another(ground: Ground, waiting: object) -> None:
    async with ground.live(queue_limit=2) as one, ground.live(node="b") as other:
        message = await waiting(one)  # type: ignore[operator]  # one of WAITING
        before = await ground.credits()
        asks, holds = recall_of(other), recall_of(one)
        assert [each.state for each in await asks.query(naming(message))] == ["queued"]
        assert await granted(asks.replace(naming(message), Changes(TWO_PARTS, 1)), holds) is Recalled.DONE
        assert (await ground.row(message))["user_data"] == TWO_PARTS
        assert await ground.credits() == (before[0] - 1, before[1] + 1, 0)
        udh = Changes(b"x" * 4000, 1)
        assert await granted(asks.replace(naming(message), udh), holds) is Refusal.TOO_MANY_PARTS
        assert await granted(asks.cancel(naming(message)), holds) is Recalled.DONE
        assert (await ground.row(message))["state"] == "deleted"
        assert (message.message_id, "deleted") in one.told.receipts
        assert await granted(asks.cancel(naming(message)), holds) is Recalled.DONE
        assert await ground.count("recall_wishes") == 0


async def test_a_holder_that_does_not_answer_is_waited_for_in_vain(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.recall.WISH_PATIENCE_S", 0.2)
    async with ground.live() as one, ground.live(node="b") as other:
        message = await scheduled(one)
        assert await recall_of(other).cancel(naming(message)) is Recalled.BUSY
        assert await ground.count("recall_wishes") == 0
        assert (await ground.row(message))["state"] == "queued"


async def test_what_a_dead_node_held_is_changed_by_its_heir(ground: Ground) -> None:
    async with ground.live() as one:
        message = await scheduled(one)
    async with ground.live(node="b") as heir:
        await ground.connection.execute("UPDATE held_spans SET holder_node = $1", heir.seat.node_id)
        heir.lifecycle.active.holding.widen(await spans_held(ground.connection, heir.seat.node_id))
        assert await recall_of(heir).cancel(naming(message)) is Recalled.DONE
        assert await ground.credits() == (1000, 0, 0)


async def test_a_crash_between_putting_down_and_replacing_sends_the_message_as_it_was(ground: Ground) -> None:
    async with ground.live() as life:
        message = await in_an_outbox(life)
        assert await recall_of(life)._put_down(message)
        assert message.message_id not in life.lifecycle.active
    async with ground.live(answer=take_all) as life:
        await life.by_the_clock.claim_delayed()
        assert life.carrier.written == []
        ground.clock.pass_s(11)
        await life.by_the_clock.claim_delayed()
        await life.written(1)
        assert life.carrier.written == [(message.message_id, 0)]


async def test_a_cancelled_message_stays_so_in_the_next_life(ground: Ground) -> None:
    async with ground.live() as life:
        message = await in_an_outbox(life)
        assert await recall_of(life).cancel(naming(message)) is Recalled.DONE
    async with ground.live(answer=take_all) as life:
        other = await life.accept_one(envelope=envelope())
        await life.written(1)
        assert list(life.carrier.copies) == [other.message_id]
