"""Each proof of `passerelle check` holds on a sound database, and fails on the one damage it is there for.

What belongs here: rows and logs, damaged on purpose. What must not enter: how a verdict is shown.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from gateway.storage.check import PROOFS, Needs, Verdict, copy_log, make_log_tables, run_proofs
from gateway.storage.named_statements import load_statements
from tests.gateway.storage.stored_messages import Ground, prepare_ground, store_message

ALL: frozenset[Needs] = frozenset({"rows", "esme_log", "smsc_log"})
HOUR_MS = 3_600_000


def now_ms() -> int:
    return int(time.time() * 1000)


async def store_sound_messages(connection: asyncpg.Connection, ground: Ground) -> dict[str, int]:
    """One message in each way a life can stand, with the logs both simulators would have written."""
    await make_log_tables(connection)
    ids = {
        "queued": await store_message(connection, ground, "queued"),
        "in_doubt": await store_message(connection, ground, "in_doubt", in_doubt_count=1),
        "submitted": await store_message(connection, ground, "submitted", smsc_message_ids="a1"),
        "delivered": await store_message(
            connection,
            ground,
            "delivered",
            part_count=2,
            smsc_message_ids="a2\x1fa3",
            notify="done",
            notified_at_ms=now_ms(),
        ),
        "rejected": await store_message(connection, ground, "rejected"),
    }
    wire = [("a1", 3, b"hello"), ("a2", 4, b"part 1"), ("a3", 4, b"part 2"), ("a4", 2, b"hello"), ("a5", 2, b"hello")]
    copies = [(smsc_id, "ACME", f"22901970000{place:02d}", text, "taken") for smsc_id, place, text in wire]
    await copy_log(connection, "wire_copies", copies)
    await copy_log(connection, "wire_receipts", [("a2", "a2", True), ("a3", "A3", True), ("a1", "a1", False)])
    await copy_log(connection, "acknowledged", [(str(each), each) for each in ids.values()])
    await copy_log(connection, "heard_receipts", [(str(ids["delivered"]), ids["delivered"])] * 2)
    for part_no, (smsc_id, owner) in enumerate([("a2", "delivered"), ("a3", "delivered")]):
        await add_smsc_id(connection, ground, smsc_id, ids[owner], part_no)
    await add_smsc_id(connection, ground, "a1", ids["submitted"], 0)
    return ids


async def add_smsc_id(
    connection: asyncpg.Connection, ground: Ground, smsc_id: str, message_id: int, part_no: int
) -> None:
    await connection.execute(
        "INSERT INTO smsc_ids VALUES ($1, $2, $2, $3, $4, $5)",
        ground.connector_id,
        smsc_id,
        ground.account_id,
        message_id,
        part_no,
    )


async def failures(connection: asyncpg.Connection) -> dict[str, Verdict]:
    verdicts = await run_proofs(connection, ALL, now_ms(), now_ms())
    assert [verdict.proof for verdict in verdicts] == [proof.statement for proof in PROOFS]
    return {verdict.proof: verdict for verdict in verdicts if verdict.failed}


async def test_every_proof_holds_on_a_sound_database(connection: asyncpg.Connection) -> None:
    await store_sound_messages(connection, await prepare_ground(connection))
    assert await failures(connection) == {}


async def test_proofs_of_logs_are_left_out_when_no_log_was_read(connection: asyncpg.Connection) -> None:
    verdicts = await run_proofs(connection, frozenset({"rows"}), now_ms(), now_ms())
    assert {verdict.proof for verdict in verdicts} == {proof.statement for proof in PROOFS if proof.needs == "rows"}


Damage = Callable[[asyncpg.Connection, Ground, dict[str, int]], Awaitable[object]]


def sql(statement: str, *which: str) -> Damage:
    """A damage by one statement, whose $1... are the ids of the named messages."""

    async def damage(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> object:
        return await connection.execute(statement, *(ids[name] for name in which))

    return damage


def log(table: str, *row: str | bytes | int | None) -> Damage:
    """A damage by one more line of a log."""

    async def damage(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> object:
        return await copy_log(connection, table, [row])  # type: ignore[arg-type]  # a table's name from the list below

    return damage


async def lose_message(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await copy_log(connection, "acknowledged", [("12345", 12345)])


async def forge_carrier_id(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await add_smsc_id(connection, ground, "zz", ids["submitted"], 0)


async def open_attempt_of_nobody(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute("INSERT INTO nodes (name) VALUES ('a')")
    await connection.execute(
        "INSERT INTO open_attempts (node_id, batch_id, opened_at_ms, account_ids, message_ids)"
        " SELECT node_id, 1, 0, ARRAY[$1::integer], ARRAY[77::bigint] FROM nodes",
        ground.account_id,
    )


async def drop_trigger(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    day = await connection.fetchval(
        "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'messages'::regclass"
    )
    await connection.execute(f"DROP TRIGGER never_reopened ON {day}")


async def keep_customer_waiting(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await store_message(connection, ground, "rejected", notify="asked", final_at_ms=now_ms() - 26 * HOUR_MS)


async def forget_deadline(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await store_message(connection, ground, "queued", expires_at_ms=now_ms() - 2 * HOUR_MS)


async def park_for_ever(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute(
        "INSERT INTO parked_receipts (parked_id, connector_id, smsc_message_id, source_addr, destination_addr,"
        " message_state, error, done_at_ms, received_at_ms, raw) VALUES (1, 1, 'q', '', '', 2, '', 0, $1, '')",
        now_ms() - 73 * HOUR_MS,
    )


async def end_without_parts(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await store_message(connection, ground, "delivered", part_states="S", smsc_message_ids="")


async def release_open_message(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await store_message(connection, ground, "queued", hold="released")


async def claim_unsent(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await store_message(connection, ground, "submitted", smsc_message_ids="never-sent", submitted_at_ms=now_ms() - 1000)


async def claim_told(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    told = await store_message(connection, ground, "rejected", notify="done", notified_at_ms=now_ms() - 1000)
    await copy_log(connection, "acknowledged", [(str(told), told)])


async def lose_posting(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute(
        "DELETE FROM ledger WHERE posting_id = (SELECT max(posting_id) FROM ledger WHERE kind = 'hold')"
    )


async def capture_twice(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute(
        "INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)"
        " VALUES ($1, 'capture', 'held', 'spent', 1000000)",
        ground.account_id,
    )


async def let_balance_fall(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute("ALTER TABLE accounts DROP CONSTRAINT balance_stays_within_credit")
    await connection.execute("UPDATE accounts SET balance_micros = -1")


async def break_the_ledger(connection: asyncpg.Connection, ground: Ground, ids: dict[str, int]) -> None:
    await connection.execute(
        "CREATE OR REPLACE VIEW ledger_legs AS"
        " SELECT posting_id, account_id, kind, to_purse AS purse, amount_micros FROM ledger"
    )


MOVED = """
INSERT INTO credit_moves (account_id, kind, amount_micros, reason, weight_micros, alone, state, proposed_by, expires_at,
                          posting_id, idempotency_key, body_hash)
SELECT account_id, 'top_up', amount_micros + 1, 'x', 0, true, 'applied', 'x', now(), posting_id, '', ''
  FROM ledger WHERE kind = 'top_up' LIMIT 1
"""
CREDITED = """
INSERT INTO credit_orders (account_id, state, amount_micros, contact_name, email, phone, note, reference, language,
                           idempotency_key, body_hash, expires_at, payment_method, paid_on)
SELECT account_id, 'credited', 1, '', '', '', '', '', 'fr', '', '', now(), 'cash', now() FROM accounts
"""

DAMAGES: list[tuple[str, Damage]] = [
    ("acknowledged_is_stored", lose_message),
    ("acknowledged_is_stored", log("acknowledged", "not-even-a-number", None)),
    ("acknowledged_once", sql("INSERT INTO acknowledged SELECT * FROM acknowledged LIMIT 1")),
    ("attempts_have_messages", open_attempt_of_nobody),
    ("copies_within_doubt", log("wire_copies", "b1", "ACME", "2290197000003", b"hello", "taken")),
    ("parts_within_doubt", log("wire_copies", "b1", "ACME", "2290197000099", b"hello", "silent")),
    ("parts_within_doubt", log("wire_copies", "b1", "ACME", "2290197000004", b"part 1", "taken")),
    ("submitted_is_on_the_wire", claim_unsent),
    ("ledger_sums_to_zero", break_the_ledger),
    ("balance_is_the_purse", lose_posting),
    ("balance_within_credit", let_balance_fall),
    ("held_is_the_purse", capture_twice),
    ("spent_is_the_purse", capture_twice),
    ("hold_fits_state", release_open_message),
    ("moves_are_posted", sql(MOVED)),
    ("moves_are_posted", sql(CREDITED)),
    ("smsc_ids_have_messages", forge_carrier_id),
    ("receipts_are_joined", park_for_ever),
    ("acknowledged_receipts_are_kept", sql("INSERT INTO wire_receipts VALUES ('a1', 'a1', true)")),
    ("never_reopened_stands", drop_trigger),
    ("final_is_whole", end_without_parts),
    ("nothing_open_past_deadline", forget_deadline),
    ("customer_is_told", keep_customer_waiting),
    ("told_was_heard", claim_told),
    ("receipts_are_known", log("heard_receipts", "999", 999)),
]


@pytest.mark.parametrize(("proof", "damage"), DAMAGES, ids=[f"{proof}-{i}" for i, (proof, _) in enumerate(DAMAGES)])
async def test_a_proof_fails_on_the_damage_it_is_there_for(
    connection: asyncpg.Connection, proof: str, damage: Damage
) -> None:
    ground = await prepare_ground(connection)
    ids = await store_sound_messages(connection, ground)
    await damage(connection, ground, ids)
    found = await failures(connection)
    assert proof in found
    assert found[proof].failed >= 1
    assert found[proof].offenders[0][0]


def test_every_proof_has_a_damage() -> None:
    assert {proof for proof, _ in DAMAGES} == {proof.statement for proof in PROOFS}


def test_every_statement_of_the_file_is_used() -> None:
    used = {proof.statement for proof in PROOFS} | {proof.counted for proof in PROOFS}
    assert used | {"make_log_tables", "prepare_log_tables"} == set(load_statements("check.sql"))


async def test_an_id_known_from_a_receipt_alone_was_on_the_wire(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    await store_sound_messages(connection, ground)
    await store_message(connection, ground, "submitted", smsc_message_ids="00A9", submitted_at_ms=now_ms() - 1000)
    await copy_log(connection, "wire_receipts", [("a9", "00A9", True)])
    assert await failures(connection) == {}


async def test_no_more_than_twenty_offenders_are_named_and_all_are_counted(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    await store_sound_messages(connection, ground)
    await copy_log(connection, "heard_receipts", [(str(number), number) for number in range(50)])
    verdict = (await failures(connection))["receipts_are_known"]
    assert verdict.failed == 50
    assert len(verdict.offenders) == 20
