"""One file of numbers to one file of results, in a stream: the shell around table_shape.py and result_table.py.

The result stands under another name until it is whole and on the disk, so that a killed process leaves nothing
half-written under the name that was asked for. Memory grows with distinct numbers, not with the file.
What must not enter: databases, jobs, sockets.
"""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from gateway.lookups.result_table import Counts, ResultTable
from gateway.lookups.table_shape import SAMPLE_LINES, FileRefused, Survey, TableShape, shape_of
from telecom.number_analysis import Operator
from telecom.number_faults import Language

CHUNK_OCTETS: Final = 1 << 20
PROGRESS_ROWS: Final = 2_000  # between two looks at what the caller wants; chosen: some 20 ms


class FileWish(msgspec.Struct, frozen=True):
    """How a file is meant. column: its heading or its number from 1 on, "" to be found; language: of reasons."""

    column: str = ""
    default_region: str | None = None
    language: Language = "en"


class Progress(msgspec.Struct, frozen=True):
    """How far it is. octets_done of octets; counts are those of a moment."""

    octets_done: int
    octets: int
    counts: Counts


class FileUnfit(Exception):
    """The file was refused; nothing was written."""

    def __init__(self, refused: FileRefused) -> None:
        super().__init__(refused.reason)
        self.refused = refused


def analyse_file(
    source: Path,
    target: Path,
    wish: FileWish,
    own_operator: Callable[[str], Operator | None] | None = None,
) -> Generator[Progress, None, None]:
    """Analyse `source` into `target`, telling of progress on the way; the last word is told after `target` stands.

    Raises FileUnfit, and OSError of the disk. Closing the iterator before its end leaves no file.
    """
    octets = source.stat().st_size
    encoding = _survey(source)
    unfinished = target.with_name(target.name + ".part")
    try:
        with source.open("rb") as raw, unfinished.open("w", encoding="utf-8", newline="") as written:
            with open(raw.fileno(), encoding=encoding, errors="replace", newline="", closefd=False) as text:
                shape = _shape(text, wish)
                text.seek(0)
                if encoding != "utf-8":
                    written.write("\ufeff")  # whoever wrote a mark, or Windows-1252, opens it in a spreadsheet
                table = ResultTable(shape, wish.default_region, wish.language, own_operator)
                write = csv.writer(written, delimiter=shape.delimiter)
                write.writerow(table.header())
                rows = _rows(csv.reader(text, delimiter=shape.delimiter), shape.has_header)
                while batch := [table.row(row) for row in islice(rows, PROGRESS_ROWS)]:
                    write.writerows(batch)
                    yield Progress(min(raw.tell(), octets), octets, msgspec.structs.replace(table.counts))
            written.flush()
            os.fsync(written.fileno())
        unfinished.replace(target)
    except csv.Error:
        raise FileUnfit(FileRefused("open_quote", str(table.counts.rows + 1 + shape.has_header))) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
    yield Progress(octets, octets, table.counts)


def _survey(source: Path) -> str:
    survey = Survey()
    with source.open("rb") as raw:
        while chunk := raw.read(CHUNK_OCTETS):
            survey.take(chunk)
    encoding = survey.encoding()
    if isinstance(encoding, FileRefused):
        raise FileUnfit(encoding)
    return encoding


def _shape(text: Iterator[str], wish: FileWish) -> TableShape:
    shape = shape_of(list(islice(text, SAMPLE_LINES)), wish.column, wish.default_region)
    if isinstance(shape, FileRefused):
        raise FileUnfit(shape)
    return shape


def _rows(rows: Iterator[list[str]], has_header: bool) -> Iterator[list[str]]:
    """Those that say anything, without the header."""
    saying = (row for row in rows if any(row))
    if has_header:
        next(saying, None)
    return saying
