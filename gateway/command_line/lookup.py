"""`passerelle lookup`: what numbers alone tell, for a few on the command line or for a file of a million.

What belongs here: the words around gateway.lookups; a file is worked on at low priority, so that a node beside keeps
its pace. What must not enter: the analysis (telecom.number_analysis), the reading of tables (gateway.lookups).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_fields, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import language, say
from gateway.daemon.configuration_schema import Configuration
from gateway.lookups.analysis_file import FileUnfit, FileWish, analyse_file
from gateway.lookups.file_faults import sentences_of
from gateway.lookups.low_priority import step_behind_all
from gateway.lookups.operators import own_operator
from gateway.lookups.result_table import Counts
from gateway.storage.facts import load_number_ranges
from telecom.number_analysis import Analysis, Operator, analyse_number
from telecom.number_faults import sentence_of

Ask = Callable[[str], Operator | None]
LIST_COLUMNS = ("given", "valid", "e164", "region", "kind", "operator", "reason")


def lookup(
    numbers: Annotated[list[str] | None, typer.Argument(help="Numbers, as people write them.")] = None,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="A CSV of numbers.")] = None,
    out: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="Where the result goes, as CSV.")] = None,
    column: Annotated[str, typer.Option("--column", help="Heading or place of the column; else it is found.")] = "",
    country: Annotated[str | None, typer.Option("--country", help="Country of its national numbers, like BJ.")] = None,
    own_ranges: Annotated[
        bool, typer.Option("--own-ranges", help="Ask the ranges of the database first (passerelle range).")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say what numbers tell: valid, country, operator by range, kind, time zone, new form of an old number."""
    if (file is None) == (not numbers) or (file is None) != (out is None):
        raise Refusal(
            say("there is nothing to look up, or too much"),
            say("name numbers, or a file: passerelle lookup --file IN.csv --out OUT.csv"),
        )
    region = None if country is None else country.upper()
    ask = _own_ranges(config) if own_ranges else None
    if file is not None and out is not None:
        _look_up_file(file, out, FileWish(column, region, language()), ask, as_json)
        return
    rows = [told(analyse_number(number, default_region=region, own_operator=ask)) for number in numbers or ()]
    if as_json:
        show_json(rows)
    elif len(rows) == 1:
        show_fields(rows[0], as_json=False)
    else:
        show_rows(rows, LIST_COLUMNS, as_json=False)


def told(analysis: Analysis) -> dict[str, Any]:
    """An analysis as it is shown: E.164 with its plus, the reason as a sentence beside its code."""
    return {
        "given": analysis.given,
        "valid": analysis.valid,
        "e164": f"+{analysis.e164}" if analysis.e164 else None,
        "region": analysis.region,
        "kind": analysis.kind if analysis.valid else None,
        "operator": analysis.operator or None,
        "operator_source": analysis.operator_source or None,
        "mcc": analysis.mcc or None,
        "mnc": analysis.mnc or None,
        "portable": analysis.portable if analysis.valid else None,
        "time_zones": list(analysis.time_zones),
        "national": analysis.national or None,
        "international": analysis.international or None,
        "migrated_from": analysis.migrated_from,
        "migrated_since": analysis.migrated_since,
        "reason": analysis.reason,
        "explanation": None if analysis.reason is None else sentence_of(analysis.reason, language()),
    }


def _own_ranges(config: Path | None) -> Ask | None:
    async def load(connection: asyncpg.Connection, configuration: Configuration) -> Ask | None:
        return own_operator(await load_number_ranges(connection))

    return with_database(config, load)


def _look_up_file(file: Path, out: Path, wish: FileWish, ask: Ask | None, as_json: bool) -> None:
    if out.exists():
        raise Refusal(say("{file} exists", file=out), say("name another file, or remove it"))
    step_behind_all()
    counts = Counts()
    shown = Progress(
        TextColumn("{task.fields[rows]:>12,}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    try:
        with shown:
            bar = shown.add_task("", total=None, rows=0)
            for progress in analyse_file(file, out, wish, ask):
                counts = progress.counts
                shown.update(bar, total=progress.octets, completed=progress.octets_done, rows=counts.rows)
    except FileUnfit as fault:
        complaint, remedy = sentences_of(fault.refused, language())
        raise Refusal(f"{file}: {complaint}", remedy) from fault
    except OSError as fault:
        raise Refusal(say("{file} cannot be written", file=out), str(fault)) from fault
    answer(
        as_json,
        "{rows} numbers: {valid} valid, {invalid} not, {duplicates} more than once, {migrated} of an old plan; {out}",
        rows=counts.rows,
        valid=counts.valid,
        invalid=counts.invalid,
        duplicates=counts.duplicates,
        migrated=counts.migrated,
        out=str(out),
    )
