"""How the summary of an ESME run is shown: a table for people, JSON for programs.

What belongs here: presentation only (rich; chosen words of the glossary).
What must not enter: counting.
"""

from __future__ import annotations

import dataclasses

import msgspec
from rich.table import Table

from simulators.esme.tally import EsmeSummary


def summary_json(summary: EsmeSummary) -> str:
    """The summary as one JSON object."""
    return msgspec.json.encode(dataclasses.asdict(summary)).decode()


def summary_table(summary: EsmeSummary) -> Table:
    """The summary as a table: what is zero is left out, except what was submitted and accepted."""
    table = Table("what", "count", title="simulated ESME", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("submitted", str(summary.submitted))
    table.add_row("accepted", f"{summary.accepted}  ({summary.accepted_per_s:g}/s)")
    for status, count in sorted(summary.refused.items()):
        table.add_row(f"refused {status}", str(count))
    for name in ("unanswered", "late", "again"):
        if count := getattr(summary, name):
            table.add_row(name, str(count))
    for stat, count in sorted(summary.receipts.items()):
        table.add_row(f"receipt {stat}", str(count))
    for name in ("intermediate", "duplicates", "contradictions", "unexpected", "missing", "inbound"):
        if count := getattr(summary, name):
            table.add_row(name, str(count))
    for message_id in summary.missing_ids:
        table.add_row("  missing receipt of", message_id)
    if summary.latency_ms:
        table.add_row("answer, ms", "  ".join(f"{name} {value:g}" for name, value in summary.latency_ms.items()))
    table.add_row("seconds", f"{summary.seconds:g}")
    if summary.verified is not None:
        table.add_row("receipts verified", "yes" if summary.verified else "NO")
    if summary.problem:
        table.add_row("problem", summary.problem)
    return table
