"""The result of a file: one row a number, what is known of it before the cells the customer wrote.

Cells that a spreadsheet would take for a formula get an apostrophe (OWASP, CSV injection); numbers stand without plus
for the same reason. Pure: rows in, rows out, counts kept. What must not enter: files, encodings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.lookups.table_shape import TableShape
from telecom.number_analysis import Analysis, Operator, analyse_number
from telecom.number_faults import Language, sentence_of

COLUMNS: Final = (
    "valid",
    "e164",
    "country",
    "type",
    "operator",
    "operator_source",
    "mcc",
    "mnc",
    "portable",
    "time_zone",
    "national",
    "international",
    "migrated_from",
    "migrated_since",
    "duplicate",
    "reason",
    "explanation",
)
FORMULA_OPENINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP, CSV injection; a line feed opens a cell too
_YES: Final = ("no", "yes")
_NOTHING: Final = ("",) * (COLUMNS.index("duplicate") - 1)


class Counts(msgspec.Struct):
    """What a table came to. duplicates: valid numbers that stood further up already."""

    rows: int = 0
    valid: int = 0
    invalid: int = 0
    duplicates: int = 0
    migrated: int = 0


class ResultTable:
    """Turns the rows of one table into rows of its result."""

    def __init__(
        self,
        shape: TableShape,
        default_region: str | None,
        language: Language,
        own_operator: Callable[[str], Operator | None] | None,
    ) -> None:
        self.counts = Counts()
        self._column = shape.column
        self._headings = shape.columns
        self._region = default_region
        self._language = language
        self._own_operator = own_operator
        self._seen: set[int] = set()

    def header(self) -> list[str]:
        """Our columns, then the customer's; his keep their names, ours give way with "lookup_" before."""
        theirs = {heading.strip().casefold() for heading in self._headings}
        ours = [f"lookup_{column}" if column in theirs else column for column in COLUMNS]
        return ours + [neutralised(heading) for heading in self._headings or ("given",)]

    def row(self, cells: Sequence[str]) -> list[str]:
        """The result of one row, which counts."""
        given = cells[self._column].strip() if self._column < len(cells) else ""
        analysis = analyse_number(given, default_region=self._region, own_operator=self._own_operator)
        kept = [cell if cell[:1] not in FORMULA_OPENINGS else "'" + cell for cell in cells]
        counts = self.counts
        counts.rows += 1
        if not analysis.valid:
            counts.invalid += 1
            reason = analysis.reason or "not_valid"
            return ["no", *_NOTHING, "", reason, sentence_of(reason, self._language), *kept]
        counts.valid += 1
        counts.migrated += analysis.migrated_from is not None
        number = int(analysis.e164)
        duplicate = number in self._seen
        if duplicate:
            counts.duplicates += 1
        else:
            self._seen.add(number)
        return [*_cells(analysis, duplicate), *kept]


def _cells(analysis: Analysis, duplicate: bool) -> tuple[str, ...]:
    return (
        "yes",
        analysis.e164,
        analysis.region or "",
        analysis.kind,
        neutralised(analysis.operator),
        analysis.operator_source,
        analysis.mcc,
        analysis.mnc,
        _YES[analysis.portable],
        " ".join(analysis.time_zones),
        analysis.national,
        analysis.international[1:],
        analysis.migrated_from or "",
        analysis.migrated_since or "",
        _YES[duplicate],
        "",
        "",
    )


def neutralised(cell: str) -> str:
    """A cell that no spreadsheet computes."""
    return f"'{cell}" if cell.startswith(FORMULA_OPENINGS) else cell
