"""Figures: what was measured, what the target is, whether it is met; tables for people and JSON for comparison.

Targets are those of the road (docs/performance.md); a figure without one is there to be known.
What must not enter: measuring; files other than the results.
"""

from __future__ import annotations

import datetime
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MET, MISSED, KNOWN, ABSENT = "met", "MISSED", "-", "not measured"


@dataclass
class Figure:
    """Samples of one quantity. least or most: the target; decimals: how it is written."""

    name: str
    unit: str
    samples: list[float] = field(default_factory=list)
    least: float | None = None
    most: float | None = None
    decimals: int = 0
    absent: str = ""  # why nothing was measured

    def add(self, sample: float | None) -> None:
        """Keep one round's value; None says that this round has none."""
        if sample is not None:
            self.samples.append(sample)

    @property
    def median(self) -> float | None:
        return statistics.median(self.samples) if self.samples else None

    @property
    def verdict(self) -> str:
        median = self.median
        if median is None:
            return ABSENT
        if self.least is None and self.most is None:
            return KNOWN
        enough = self.least is None or median >= self.least
        return MET if enough and (self.most is None or median <= self.most) else MISSED

    @property
    def target(self) -> str:
        if self.least is not None:
            return f">= {self.written(self.least)}"
        return f"<= {self.written(self.most)}" if self.most is not None else "-"

    def written(self, value: float) -> str:
        """A value as tables show it, without its unit."""
        return f"{value:,.{self.decimals}f}"

    def row(self) -> tuple[str, ...]:
        """Name, unit, target, measured (median, and the span of the rounds), verdict."""
        median = self.median
        if median is None:
            return self.name, self.unit, self.target, self.absent or "-", ABSENT
        span = f" ({self.written(min(self.samples))} to {self.written(max(self.samples))})" if self.samples[1:] else ""
        return self.name, self.unit, self.target, self.written(median) + span, self.verdict


@dataclass
class Section:
    """One table. notes: what a reader must know beside it; faults: what was wrong, whatever the speed."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    other_cpu: list[float] = field(default_factory=list)  # cores that others used while a round was measured

    def figure(self, name: str, unit: str, **more: Any) -> Figure:
        """A new figure of this section."""
        self.figures.append(Figure(name, unit, **more))
        return self.figures[-1]

    def text(self) -> str:
        """The section as Markdown."""
        noise = [] if not self.other_cpu else [noise_words(self.other_cpu)]
        rows, headings = [figure.row() for figure in self.figures], HEADINGS
        if all(figure.target == "-" for figure in self.figures):  # nothing to be judged: two columns less
            rows, headings = [(row[0], row[1], row[3]) for row in rows], ("figure", "unit", "measured")
        lines = [f"## {self.title}", "", *([table(rows, headings), ""] if rows else [])]
        lines += [f"- {note}" for note in (*self.notes, *noise)]
        lines += [f"- FAULT: {fault}" for fault in self.faults]
        return "\n".join([*lines, ""])


def noise_words(cores: Sequence[float]) -> str:
    """How busy others were, as a sentence."""
    return f"CPU of others while measured: median {statistics.median(cores):.2f} cores, at most {max(cores):.2f}"


HEADINGS: tuple[str, ...] = ("figure", "unit", "target", "measured", "verdict")


def table(rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """A Markdown table whose columns line up; numbers are text here."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    ruled = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (headings, ruled, *rows)
    )


def save(file: Path, machine: dict[str, Any], sections: Sequence[Section]) -> None:
    """Write all samples and verdicts as JSON."""
    written = {"at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "machine": machine}
    told = [
        {
            **asdict(section),
            "figures": [
                {**asdict(figure), "median": figure.median, "verdict": figure.verdict} for figure in section.figures
            ],
        }
        for section in sections
    ]
    file.write_text(json.dumps({**written, "sections": told}, indent=1) + "\n", encoding="utf-8")
