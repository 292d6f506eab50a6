"""What a settle transaction writes: messages, money, ids, journals and all the rest of a batch, or nothing of it.

Architecture, promises P2 to P4, section 4; the trigger and the constraints of migration 0001 stand behind it.
What must not enter: when something is settled (lifecycle), lost connections (test_streams.py).
"""

from __future__ import annotations

import time
from typing import Any

import asyncpg
import msgspec
import pytest

from gateway.message import InboundMessage, Message, ParkedReceipt, unnamed_key
from gateway.message_states import FINAL, MOVES
from gateway.receipts import fold
from gateway.receipts.fold import MoneyPolicy
from gateway.storage import messages as rows
from gateway.storage.database import connect, take_seat
from gateway.storage.group_commit import CommitLine, FencedOut
from gateway.storage.settle_batch import SettleBatch
from tests.gateway.storage.conftest import PRICE_MICROS, House
from tests.gateway.storage.stored_messages import store_message

NOW_MS = int(time.time() * 1000)
POLICY = MoneyPolicy()


async def accepted(house: House, *messages: Message, journal: int = 0) -> list[Message]:
    """Store these messages as accepted; all of them in a journal where one is given."""
    stored = list(messages) or [house.message()]
    line = house.line("accept")
    line.batch = await house.value("SELECT batch FROM node_streams WHERE stream = 'accept'")
    await line.commit(rows.ACCEPT, rows.accept_columns(stored, [journal > 0] * len(stored), journal))
    return stored


async def settle(house: House, *messages: Message, **extra: list[Any]) -> None:
    """Commit one settle batch of these messages and rows."""
    line = house.line("settle")
    line.batch = await house.value("SELECT batch FROM node_streams WHERE stream = 'settle'")
    await commit(line, batch_of(*messages, **extra))


def batch_of(*messages: Message, **extra: list[Any]) -> SettleBatch:
    batch = SettleBatch()
    batch.messages += messages
    for name, values in extra.items():
        getattr(batch, name).extend(values)
    return batch


async def commit(line: CommitLine, batch: SettleBatch) -> None:
    await line.commit(rows.SETTLE, batch.columns(), batch.extras())


async def loaded(house: House, message: Message) -> Message:
    found = await rows.load_messages(house.connection, [(message.account_id, message.message_id)])
    return found[message.message_id]


def taken(message: Message, *ids: str) -> Message:
    for part_no, smsc_message_id in enumerate(ids):
        fold.part_taken(message, part_no, smsc_message_id, NOW_MS, POLICY)
    return message


# ---------------------------------------------------------------- what is written


async def test_every_column_that_changes_is_written_and_the_revision_counts_on(house: House) -> None:
    (message,) = await accepted(house, house.message(part_count=2))
    taken(message, "1A", "1B")
    fold.part_receipted(message, 0, "delivered", "", NOW_MS + 1, POLICY)
    fold.part_receipted(message, 1, "delivered", "34", NOW_MS + 2, POLICY)
    message.notify, message.notified_at_ms, message.attempt_count, message.in_doubt_count = "done", NOW_MS + 3, 2, 1
    message.connector_id, message.route_id, message.route_why = 1, 9, "another route"
    await settle(house, message)
    stored = await loaded(house, message)
    assert stored == message
    assert (stored.revision, stored.state, stored.hold, stored.part_states) == (1, "delivered", "captured", "DD")
    await settle(house, message)
    assert (await loaded(house, message)).revision == 2


async def test_captures_and_releases_are_posted_once_a_batch_and_account(house: House) -> None:
    messages = await accepted(house, *[house.message(part_count=n) for n in (1, 2, 3)])
    taken(messages[0], "1")
    taken(messages[1], "2", "3")
    fold.finish(messages[2], "rejected", "no", NOW_MS, POLICY)
    await settle(house, *messages)
    posted = await house.connection.fetch(
        "SELECT kind, amount_micros, message_count FROM ledger WHERE kind IN ('capture', 'release') ORDER BY kind"
    )
    assert [tuple(p) for p in posted] == [("capture", 3 * PRICE_MICROS, 2), ("release", 3 * PRICE_MICROS, 1)]
    assert await house.balance() == 997 * PRICE_MICROS
    purses = await house.purses()
    assert purses == {
        "funding": -1000 * PRICE_MICROS,
        "available": 997 * PRICE_MICROS,
        "spent": 3 * PRICE_MICROS,
    }
    await settle(house, *messages)  # nothing is posted a second time
    assert await house.purses() == purses


async def test_a_message_that_costs_nothing_is_settled_without_posting(house: House) -> None:
    (free,) = await accepted(house, house.message(price_micros=0))
    await settle(house, taken(free, "1"))
    assert await house.value("SELECT count(*) FROM ledger WHERE kind <> 'top_up'") == 0
    free, dear = await accepted(house, house.message(price_micros=0), house.message())
    for message in (free, dear):
        fold.finish(message, "expired", "late", NOW_MS, POLICY)
    await settle(house, free, dear)
    assert await house.value("SELECT sum(amount_micros) FROM ledger WHERE kind = 'release'") == PRICE_MICROS
    assert (await loaded(house, free)).hold == "released"


async def test_ids_of_carriers_are_kept_by_key_while_a_receipt_is_awaited(house: House) -> None:
    (message,) = await accepted(house, house.message(part_count=3))
    taken(message, "00AB", "", "7")
    await settle(house, message)
    found = await rows.find_smsc_ids(house.connection, message.connector_id, ["ab", "7", "", "00ab"], 0)
    assert [(r["id_key"], r["smsc_message_id"], r["part_no"]) for r in found] == [("ab", "00AB", 0), ("7", "7", 2)]
    assert {r["message_id"] for r in found} == {message.message_id}
    assert await rows.find_smsc_ids(house.connection, message.connector_id + 1, ["ab"], 0) == []
    assert await rows.find_smsc_ids(house.connection, message.connector_id, ["ab"], message.message_id + 1) == []
    (unnamed,) = await rows.find_smsc_ids(
        house.connection, message.connector_id, [unnamed_key(message.destination_addr)], 0
    )
    assert (unnamed["smsc_message_id"], unnamed["part_no"]) == ("", 1)
    await settle(house, message)
    assert await house.value("SELECT count(*) FROM smsc_ids") == 3


async def test_an_id_that_a_carrier_used_again_means_the_newest_attempt_last(house: House) -> None:
    first, second, third = await accepted(house, *[house.message() for _ in range(3)])
    for message in (third, first, second):
        await settle(house, taken(message, "1A"))
    found = await rows.find_smsc_ids(house.connection, first.connector_id, ["1a"], 0)
    assert [r["message_id"] for r in found] == [first.message_id, second.message_id, third.message_id]


async def test_no_id_is_kept_of_a_message_that_is_final_already(house: House) -> None:
    (message,) = await accepted(house)
    taken(message, "7")
    fold.part_receipted(message, 0, "delivered", "", NOW_MS, POLICY)
    await settle(house, message)
    assert await house.value("SELECT count(*) FROM smsc_ids") == 0


async def test_a_journal_is_closed_with_the_last_outcome(house: House) -> None:
    (message,) = await accepted(house, journal=5)
    await accepted(house, journal=6)
    await settle(house, taken(message, "1"), closed_journals=[5])
    assert await house.value("SELECT array_agg(batch_id) FROM open_attempts") == [6]


async def test_a_journal_of_another_node_is_not_closed(house: House) -> None:
    other = await connect(house.dsn)
    seat = await take_seat(other, "b")
    await other.execute("INSERT INTO open_attempts VALUES ($1, 5, 0, '{}', '{}')", seat.node_id)
    await settle(house, closed_journals=[5])
    assert await house.value("SELECT count(*) FROM open_attempts") == 1
    await other.close()


# ---------------------------------------------------------------- all or nothing


async def test_a_message_changed_by_somebody_else_refuses_the_whole_batch(house: House) -> None:
    ours, theirs = await accepted(house, house.message(), house.message())
    await house.connection.execute("UPDATE messages SET revision = 4 WHERE message_id = $1", theirs.message_id)
    with pytest.raises(FencedOut, match="somebody else"):
        await settle(house, taken(ours, "1"), taken(theirs, "2"), closed_journals=[1], delays=[(1, 1, 1, "x")])
    assert (await loaded(house, ours)).state == "queued"
    assert await house.value("SELECT count(*) FROM ledger WHERE kind = 'capture'") == 0
    assert await house.value("SELECT count(*) FROM smsc_ids") == 0
    assert await house.value("SELECT count(*) FROM delayed") == 0
    assert await house.value("SELECT batch FROM node_streams WHERE stream = 'settle'") == 0


async def test_a_message_that_is_not_there_refuses_the_batch(house: House) -> None:
    (stored,) = await accepted(house)
    with pytest.raises(FencedOut):
        await settle(house, stored, house.message())


async def test_a_former_life_settles_nothing(house: House) -> None:
    (message,) = await accepted(house)
    line = house.line("settle")
    await house.connection.execute("SELECT pg_advisory_unlock_all()")
    newer = await connect(house.dsn)
    await take_seat(newer, "a")
    with pytest.raises(FencedOut, match="lost its place"):
        await commit(line, batch_of(taken(message, "1"), events=[(1, 1, 1, "a", "b")]))
    await newer.close()
    assert (await loaded(house, message)).state == "queued"
    assert await house.value("SELECT count(*) FROM message_events") == 0


async def test_the_same_batch_a_second_time_is_refused(house: House) -> None:
    (message,) = await accepted(house)
    line = house.line("settle")
    batch = batch_of(taken(message, "1"))
    columns = batch.columns()
    await line.commit(rows.SETTLE, columns)
    line.batch -= 1
    with pytest.raises(FencedOut):
        await line.commit(rows.SETTLE, columns)
    assert await house.value("SELECT count(*) FROM ledger WHERE kind = 'capture'") == 1


async def test_extras_are_written_with_the_batch_or_not_at_all(house: House) -> None:
    (message,) = await accepted(house)
    due = (1, message.account_id, message.message_id, "retry")
    broken = [(message.account_id, message.message_id, 1, "event", "a NUL \0 inside")]
    with pytest.raises(Exception, match="0x00"):
        await settle(house, taken(message, "1"), delays=[due], events=broken)
    assert (await loaded(house, message)).state == "queued"
    assert await house.value("SELECT count(*) FROM delayed") == 0
    assert await house.value("SELECT batch FROM node_streams WHERE stream = 'settle'") == 0


async def test_all_extras_of_a_batch_are_stored(house: House) -> None:
    (message,) = await accepted(house)
    key = (message.account_id, message.message_id)
    parked = ParkedReceipt(message.message_id, message.connector_id, "1a", "229", "ACME", 2, "", 0, NOW_MS, b"raw \x00")
    arrived = InboundMessage(88, message.connector_id, *key[:1], 1, "229", "8080", 0, b"hi", b"\x90", "due", NOW_MS)
    await settle(
        house,
        parked=[parked],
        delays=[(5, *key, "first"), (9, *key, "last word")],
        events=[(*key, 1, "try_later", "x"), (*key, 2, "rerouted", "y")],
        waiting=[(1, *key, "receipt", 0, 1, 2, 0), (1, *key, "receipt", 1, 3, 4, 0)],
        inbound=[arrived],
    )
    assert await rows.load_parked(house.connection, 0, 9, house.seat.node_id) == [parked]
    assert await house.value("SELECT due_at_ms FROM delayed") == 9
    assert await house.value("SELECT array_agg(event ORDER BY at_ms) FROM message_events") == ["try_later", "rerouted"]
    (owed,) = await rows.waiting_of_esme(house.connection, 1, 0, 9, house.seat.node_id)
    assert (owed["tries"], owed["due_at_ms"]) == (1, 3)
    assert await rows.load_inbound(house.connection, [88]) == {88: arrived}
    await settle(
        house,
        joined=[message.message_id],
        undelayed=[key],
        taken=[(1, message.message_id)],
        inbound_closed=[(88, "done", NOW_MS)],
    )
    for table in ("parked_receipts", "delayed", "waiting_notifications"):
        assert await house.value(f"SELECT count(*) FROM {table}") == 0
    assert await house.value("SELECT state FROM inbound_messages") == "done"


async def test_what_is_kept_and_taken_in_one_batch_is_taken(house: House) -> None:
    (message,) = await accepted(house)
    kept = (1, message.account_id, message.message_id, "receipt", 1, 3, 4, 0)
    await settle(house, waiting=[kept], taken=[(1, message.message_id)])
    assert await house.value("SELECT count(*) FROM waiting_notifications") == 0


async def test_what_is_parked_and_joined_in_one_batch_is_joined(house: House) -> None:
    parked = ParkedReceipt(77, 1, "1a", "229", "ACME", 2, "", 0, NOW_MS, b"")
    await settle(house, parked=[parked], joined=[77])
    assert await house.value("SELECT count(*) FROM parked_receipts") == 0


async def test_what_is_taken_up_and_put_off_in_one_batch_is_put_off(house: House) -> None:
    (message,) = await accepted(house, house.message(not_before_ms=NOW_MS))
    key = (message.account_id, message.message_id)
    await rows.claim_delayed(house.connection, NOW_MS, 3, 10, house.seat.node_id)
    await settle(house, undelayed=[key], delays=[(NOW_MS + 5, *key, "again")])
    assert await rows.claim_delayed(house.connection, NOW_MS + 5, 3, 10, house.seat.node_id) == [
        key
    ]  # the old claim does not stick


# ---------------------------------------------------------------- batches


def test_an_empty_batch_is_false_and_any_row_makes_it_true() -> None:
    assert not SettleBatch()
    for name in ("closed_journals", "joined", "undelayed", "delays", "events", "waiting", "taken", "inbound"):
        batch = SettleBatch()
        getattr(batch, name).append(1)
        assert batch, name


async def test_a_batch_that_somebody_waits_for_is_committed_even_when_empty(house: House) -> None:
    batch = SettleBatch()
    waiter = batch.waiter()
    assert batch
    assert batch.waiter() is waiter
    batch.resolve()
    assert waiter.done()


async def test_what_forgets_and_what_tells_stays_with_the_rest_of_a_split_batch(house: House) -> None:
    batch = batch_of(
        *[house.message() for _ in range(5)],
        closed_journals=[1],
        joined=[2],
        undelayed=[(1, 1), (1, 2)],
        delays=[(1, 1, 2, "x")],
        events=[(1, 1, 1, "a", "b")],
        waiting=[(1, 1, 1, "receipt", 0, 0, 0, 0)],
        taken=[(1, 1)],
        inbound_closed=[(1, "done", 1)],
    )
    waiter = batch.waiter()
    whole, rest = batch.split(3)
    assert whole is batch
    assert rest is not None
    assert (len(whole.messages), len(rest.messages)) == (3, 2)
    assert whole.delays
    assert whole.events
    assert whole.waiting
    for name in ("closed_journals", "joined", "undelayed", "taken", "inbound_closed"):
        assert getattr(whole, name) == [], name
    assert rest.closed_journals == [1]
    assert rest.joined == [2]
    assert rest.undelayed == [(1, 1)]  # what was put off again keeps its new row
    assert rest.taken
    assert rest.inbound_closed
    whole.resolve()
    assert not waiter.done()
    rest.resolve()
    assert waiter.done()
    assert rest.split(3) == (rest, None)


# ---------------------------------------------------------------- what the database refuses


@pytest.mark.parametrize("before", sorted(FINAL))
async def test_no_message_leaves_a_final_state(house: House, before: str) -> None:
    message_id = await store_message(house.connection, house.ground, before)
    for after in sorted(set(MOVES) - {before}):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await house.connection.execute("UPDATE messages SET state = $2 WHERE message_id = $1", message_id, after)
        assert refused.value.sqlstate in ("PT002", "23514")
    await house.connection.execute("UPDATE messages SET notify = 'done' WHERE message_id = $1", message_id)


@pytest.mark.parametrize(("state", "hold"), [("submitted", "captured"), ("rejected", "released")])
async def test_no_hold_is_closed_twice(house: House, state: str, hold: str) -> None:
    message_id = await store_message(house.connection, house.ground, state, hold=hold)
    for after in {"held", "captured", "released"} - {hold}:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await house.connection.execute("UPDATE messages SET hold = $2 WHERE message_id = $1", message_id, after)
        assert refused.value.sqlstate in ("PT002", "23514")


@pytest.mark.parametrize("state", sorted(FINAL))
async def test_a_final_message_cannot_keep_its_hold(house: House, state: str) -> None:
    message_id = await store_message(house.connection, house.ground, "queued")
    with pytest.raises(asyncpg.CheckViolationError):
        await house.connection.execute("UPDATE messages SET state = $2 WHERE message_id = $1", message_id, state)


@pytest.mark.parametrize(
    ("column", "value"),
    [("state", "'sent'"), ("hold", "'open'"), ("notify", "'maybe'"), ("part_count", "0"), ("part_count", "11")],
)
async def test_words_and_counts_outside_the_lists_are_refused(house: House, column: str, value: str) -> None:
    message_id = await store_message(house.connection, house.ground, "queued")
    with pytest.raises(asyncpg.CheckViolationError):
        await house.connection.execute(f"UPDATE messages SET {column} = {value} WHERE message_id = $1", message_id)


async def test_a_balance_never_falls_below_the_credit(house: House) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="balance_stays_within_credit"):
        await house.connection.execute("UPDATE accounts SET balance_micros = -1")


async def test_a_fault_of_ours_ends_the_process(house: House) -> None:
    (message,) = await accepted(house)
    fold.finish(message, "expired", "late", NOW_MS, POLICY)
    await settle(house, message)
    reopened = msgspec.structs.replace(message, state="queued", posting="")
    with pytest.raises(FencedOut, match="cannot become"):
        await settle(house, reopened)
