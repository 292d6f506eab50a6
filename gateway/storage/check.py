"""The proofs behind `passerelle check`: which statement proves which promise, over how many rows, and its offenders.

What belongs here: the table of proofs (architecture 1, P1 to P5) and the functions that run check.sql.
Rows are compared inside one snapshot; the logs must have been copied in before it is taken.
What must not enter: the form of the logs, and how a verdict is shown: that is the command line's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

OFFENDERS_SHOWN: Final = 20  # chosen: check.sql returns no more; `failed` counts all
PROOF_TIMEOUT_S: Final = 3600.0  # chosen: a proof over a hundred million rows is still a proof

_SQL = load_statements("check.sql")

Needs = Literal["rows", "esme_log", "smsc_log"]
LogTable = Literal["wire_copies", "wire_receipts", "acknowledged", "heard_receipts"]


class Proof(msgspec.Struct, frozen=True):
    """One statement of check.sql, the promise it proves, what it counts over, what it reads, and its one argument.

    argument: `now` or `logs_read_at`, both Unix milliseconds; "" for none.
    """

    statement: str
    promise: str
    counted: str
    needs: Needs = "rows"
    argument: Literal["", "now", "logs_read_at"] = ""


PROOFS: Final = (
    Proof("acknowledged_is_stored", "P1", "count_acknowledged", "esme_log"),
    Proof("acknowledged_once", "P1", "count_acknowledged", "esme_log"),
    Proof("attempts_have_messages", "P2", "count_attempts"),
    Proof("copies_within_doubt", "P2", "count_wire_copies", "smsc_log"),
    Proof("parts_within_doubt", "P2", "count_wire_copies", "smsc_log"),
    Proof("submitted_is_on_the_wire", "P2", "count_messages", "smsc_log", "logs_read_at"),
    Proof("ledger_sums_to_zero", "P3", "count_postings"),
    Proof("balance_is_the_purse", "P3", "count_accounts"),
    Proof("balance_within_credit", "P3", "count_accounts"),
    Proof("held_is_the_purse", "P3", "count_accounts"),
    Proof("spent_is_the_purse", "P3", "count_accounts"),
    Proof("hold_fits_state", "P3", "count_messages"),
    Proof("moves_are_posted", "P3", "count_moves"),
    Proof("smsc_ids_have_messages", "P4", "count_smsc_ids"),
    Proof("receipts_are_joined", "P4", "count_parked", "rows", "now"),
    Proof("acknowledged_receipts_are_kept", "P4", "count_wire_receipts", "smsc_log"),
    Proof("never_reopened_stands", "P4", "count_partitions"),
    Proof("final_is_whole", "P5", "count_messages"),
    Proof("nothing_open_past_deadline", "P5", "count_open_messages", "rows", "now"),
    Proof("customer_is_told", "P5", "count_final_messages", "rows", "now"),
    Proof("told_was_heard", "P5", "count_acknowledged", "esme_log", "logs_read_at"),
    Proof("receipts_are_known", "P5", "count_heard_receipts", "esme_log"),
)


class Verdict(msgspec.Struct, frozen=True):
    """What a proof found. offenders: (id or name, what is wrong with it), at most OFFENDERS_SHOWN of `failed`."""

    promise: str
    proof: str
    checked: int
    failed: int
    offenders: list[tuple[str, str]]


async def make_log_tables(connection: asyncpg.Connection) -> None:
    """Make the four empty tables of logs; they vanish with the connection."""
    await connection.execute(_SQL["make_log_tables"])


async def copy_log(
    connection: asyncpg.Connection, table: LogTable, rows: Iterable[tuple[str | bytes | bool | int | None, ...]]
) -> None:
    """Stream rows, in the column order of make_log_tables, into a table of logs."""
    await connection.copy_records_to_table(table, records=rows, timeout=PROOF_TIMEOUT_S)


async def run_proofs(
    connection: asyncpg.Connection, read: frozenset[Needs], now_ms: int, logs_read_at_ms: int
) -> list[Verdict]:
    """Run every proof whose material was read ("rows" always is), inside one snapshot, in the order of PROOFS.

    logs_read_at_ms: when the reading of the logs began; what was stored later need not be in them.
    """
    if read - {"rows"}:
        await connection.execute(_SQL["prepare_log_tables"], timeout=PROOF_TIMEOUT_S)
    arguments = {"": (), "now": (now_ms,), "logs_read_at": (logs_read_at_ms,)}
    verdicts = []
    async with connection.transaction(isolation="repeatable_read"):
        for proof in PROOFS:
            if proof.needs in read | {"rows"}:
                verdicts.append(await _prove(connection, proof, arguments[proof.argument]))
    return verdicts


async def _prove(connection: asyncpg.Connection, proof: Proof, arguments: tuple[int, ...]) -> Verdict:
    checked: int = await connection.fetchval(_SQL[proof.counted], timeout=PROOF_TIMEOUT_S)
    rows = await connection.fetch(_SQL[proof.statement], *arguments, timeout=PROOF_TIMEOUT_S)
    return Verdict(
        promise=proof.promise,
        proof=proof.statement,
        checked=checked,
        failed=rows[0]["failed"] if rows else 0,
        offenders=[(row["offender"], row["detail"]) for row in rows],
    )
