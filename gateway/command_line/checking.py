"""`passerelle check`: the proof of the promises, from the rows and, where they are given, the simulators' logs.

What belongs here: reading the logs as streams (simulators/log.py has their form) and showing the verdicts.
A log may end in half a line, where its writer was killed; any other line that is no JSON is a fault of the log.
What must not enter: what is proven and how (gateway.storage.check has the table).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import msgspec
import typer

from gateway.command_line.connecting import open_database
from gateway.command_line.finding import parse_message_id
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, read_configuration
from gateway.command_line.output import show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.storage import check as proofs

FAILED: Final = 1

PROOF_WORDS: Final = {
    "acknowledged_is_stored": "every acknowledged message is stored",
    "acknowledged_once": "no message id was given twice",
    "attempts_have_messages": "every open attempt has its message",
    "copies_within_doubt": "no more copies of a text on the wire than doubts allow",
    "parts_within_doubt": "no more parts on the wire than doubts allow",
    "submitted_is_on_the_wire": "what we call submitted was on the wire",
    "ledger_sums_to_zero": "the ledger sums to zero",
    "balance_is_the_purse": "each balance is the sum of its postings",
    "balance_within_credit": "no account is beyond its credit",
    "held_is_the_purse": "what is held is the price of the open messages",
    "spent_is_the_purse": "what is spent is the price of the captured messages",
    "hold_fits_state": "each hold is closed exactly when it must be",
    "moves_are_posted": "what people moved stands in the ledger",
    "smsc_ids_have_messages": "every carrier's id has its message",
    "receipts_are_joined": "no receipt waits for its message too long",
    "acknowledged_receipts_are_kept": "every receipt we acknowledged is kept",
    "never_reopened_stands": "no message can leave a final state",
    "final_is_whole": "every final message is final in all its parts",
    "nothing_open_past_deadline": "nothing is open past its deadline",
    "customer_is_told": "every customer is told",
    "told_was_heard": "what we call told was heard",
    "receipts_are_known": "every receipt is of a stored message",
}


class LogLine(msgspec.Struct):
    """The fields of either simulator's log that a proof reads; other lines and fields pass unread."""

    event: str = ""
    verdict: str = ""
    phase: str = ""
    stat: str = ""
    smsc_message_id: str = ""
    dressed_as: str = ""
    source_addr: str = ""
    destination_addr: str = ""
    short_message: str = ""
    message_id: str = ""
    command_status: int = 0


def check(
    smsc_log: Annotated[list[Path] | None, typer.Option("--smsc-log", help="Log of a simulated carrier.")] = None,
    esme_log: Annotated[list[Path] | None, typer.Option("--esme-log", help="Log of a simulated client.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Prove the promises on the rows and the logs; exit 1 with the offending ids."""
    for log in (*(smsc_log or ()), *(esme_log or ())):
        if not log.is_file():
            raise Refusal(say("there is no log {file}", file=log), say("name a file of JSON lines"))

    async def connect_and_prove() -> list[proofs.Verdict]:
        async with open_database(read_configuration(config)) as connection:
            return await prove(connection, smsc_log or [], esme_log or [])

    verdicts = asyncio.run(connect_and_prove())
    show_verdicts(verdicts, as_json)
    if any(verdict.failed for verdict in verdicts):
        raise typer.Exit(FAILED)


async def prove(connection: asyncpg.Connection, smsc_logs: list[Path], esme_logs: list[Path]) -> list[proofs.Verdict]:
    """Read the logs into tables of this connection and run every proof that has its material."""
    logs_read_at_ms = int(time.time() * 1000)
    read: set[proofs.Needs] = {"rows"}
    if smsc_logs or esme_logs:
        await proofs.make_log_tables(connection)
    for log in smsc_logs:
        read.add("smsc_log")
        await proofs.copy_log(connection, "wire_copies", _rows(log, _wire_copy))
        await proofs.copy_log(connection, "wire_receipts", _rows(log, _wire_receipt))
    for log in esme_logs:
        read.add("esme_log")
        await proofs.copy_log(connection, "acknowledged", _rows(log, _acknowledged))
        await proofs.copy_log(connection, "heard_receipts", _rows(log, _heard_receipt))
    return await proofs.run_proofs(connection, frozenset(read), int(time.time() * 1000), logs_read_at_ms)


def show_verdicts(verdicts: list[proofs.Verdict], as_json: bool) -> None:
    """The table of proofs, then the offenders of those that failed."""
    failed = [verdict for verdict in verdicts if verdict.failed]
    if as_json:
        show_json({"ok": not failed, "proofs": verdicts})
        return
    rows: list[dict[str, Any]] = [
        {
            "promise": verdict.promise,
            "proof": say(PROOF_WORDS[verdict.proof]),
            "checked": verdict.checked,
            "failed": verdict.failed,
            "verdict": say("FAILED") if verdict.failed else "ok",
        }
        for verdict in verdicts
    ]
    show_rows(rows, ("promise", "proof", "checked", "failed", "verdict"), as_json=False)
    for verdict in failed:
        typer.echo("")
        typer.echo(f"{verdict.promise} {verdict.proof}:")
        for offender, detail in verdict.offenders:
            typer.echo(f"  {offender}: {detail}")
        if verdict.failed > len(verdict.offenders):
            typer.echo(say("  and {count} more", count=verdict.failed - len(verdict.offenders)))


Row = tuple[str | bytes | bool | int | None, ...]


def _rows(log: Path, row_of: Callable[[LogLine], Row | None]) -> Iterator[Row]:
    """The rows a log gives, one line in memory at a time."""
    decode = msgspec.json.Decoder(LogLine).decode
    with log.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = row_of(decode(line))
            except (msgspec.DecodeError, ValueError) as fault:
                if not line.endswith(b"\n"):
                    return  # its writer was killed in this line; nothing depended on it yet
                raise Refusal(
                    say("{file}:{line}: is no line of a log: {why}", file=log, line=number, why=fault),
                    say("name a log that passerelle simulate wrote"),
                ) from fault
            if row is not None:
                yield row


def _wire_copy(line: LogLine) -> Row | None:
    if line.event != "submit" or line.verdict not in ("taken", "silent"):
        return None
    source, destination = line.source_addr.lstrip("+"), line.destination_addr.lstrip("+")
    return line.smsc_message_id, source, destination, bytes.fromhex(line.short_message), line.verdict


def _wire_receipt(line: LogLine) -> Row | None:
    if line.event != "receipt" or line.phase != "acked":
        return None
    final = line.stat not in ("ENROUTE", "ACCEPTD")  # SMPP v3.4 appendix B: the states on the way
    return line.smsc_message_id, line.dressed_as, final


def _acknowledged(line: LogLine) -> Row | None:
    return _by_id(line.message_id) if line.event == "response" and line.command_status == 0 else None


def _heard_receipt(line: LogLine) -> Row | None:
    return _by_id(line.message_id) if line.event == "receipt" else None


def _by_id(text: str) -> Row:
    """The id as the ESME saw it, and as ours; NULL where it cannot be ours."""
    return text, parse_message_id(text)
