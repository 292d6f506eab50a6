"""What the judge found: a table for people, one JSON object for programs.

What belongs here: counting and showing outcomes. A case that was not played is never counted as held.
What must not enter: playing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from simulators.selftest.runner import Outcome, Verdict


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many of each verdict."""
    found = Counter(outcome.verdict for outcome in outcomes)
    return {verdict.value: found[verdict] for verdict in Verdict}


def as_json(against: str, outcomes: Sequence[Outcome]) -> str:
    """One line: against, counts, and every outcome."""
    cases = [
        {
            "name": outcome.name,
            "situation": outcome.situation,
            "manner": outcome.manner,
            "verdict": outcome.verdict.value,
            "why": outcome.why,
            "took_ms": round(outcome.took_s * 1000, 1),
        }
        for outcome in outcomes
    ]
    return json.dumps({"against": against, "counts": counts(outcomes), "cases": cases})


def as_table(outcomes: Sequence[Outcome]) -> Table:
    """The cases that did not hold, and why; what held is a count."""
    shown = Table("case", "played", "verdict", "why", box=None, pad_edge=False, header_style="bold")
    for verdict in (Verdict.NOT_JUDGED, Verdict.SKIPPED, Verdict.BROKEN):
        seen = set()
        for outcome in outcomes:
            if outcome.verdict is not verdict or (outcome.name, outcome.why) in seen:
                continue
            seen.add((outcome.name, outcome.why))
            shown.add_row(outcome.name, outcome.manner, verdict.value, outcome.why)
    return shown


def as_line(outcomes: Sequence[Outcome]) -> str:
    """The counts in one sentence."""
    return ", ".join(f"{count} {name}" for name, count in counts(outcomes).items())
