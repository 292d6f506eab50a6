"""What kind of table a file of numbers is: encoding, delimiter, whether it has a header, which column has the numbers.

Follows RFC 4180 and what spreadsheets write in spite of it (semicolons, byte order marks, Windows-1252). Pure: bytes
and lines in, a shape or a named refusal out. What must not enter: opening files, analysing numbers for the result.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from telecom.numbers import Number, parse_number

FileFault = Literal[
    "empty_file",
    "not_text",
    "utf16",
    "line_too_long",
    "too_many_rows",
    "no_number_column",
    "unknown_column",
    "open_quote",
]

ROWS_LIMIT: Final = 2_000_000  # chosen: their duplicates are found within the memory promised
LINE_LIMIT: Final = 65_536  # octets of a line; chosen
SAMPLE_LINES: Final = 50
DELIMITERS: Final = (",", ";", "\t", "|")
ENOUGH_SHARE: Final = 0.5  # of a sample's cells that must look like numbers; chosen: customers' files have gaps

_LOOKS_LIKE_DIGITS: Final = re.compile(r"[+(]?[\d\s().\-/]{6,24}")
_NUMBER_HEADING: Final = re.compile(
    r"numbers?|(?:mobile|cell|tele)?phones?(?:number|no)?|mobile(?:number)?|msisdn|cell|gsm|whatsapp|contacts?|to"
    r"|recipients?|destinations?|destinataires?|tel(?:ephone)?(?:mobile|portable)?|portable|num(?:ero)?s?(?:de)?tel(?:ephone)?"
    r"|numeros?"
)
"""Headings by which people name the column, without accents, spaces and case."""


class FileRefused(msgspec.Struct, frozen=True):
    """The file cannot be analysed. given: what the fault is about (a column's name, a line's number), "" for none."""

    reason: FileFault
    given: str = ""


class TableShape(msgspec.Struct, frozen=True):
    """How to read a table. columns: its headings, none of a table without header. column: index of the numbers."""

    delimiter: str
    has_header: bool
    columns: tuple[str, ...]
    column: int


class Survey:
    """Reads a file's octets once, in chunks, and says its encoding, or why it is no table of text."""

    def __init__(self) -> None:
        self.lines = 0
        self._open_line = 0
        self._fault: FileRefused | None = None
        self._opening = b""  # as many octets as the longest mark has
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def take(self, chunk: bytes) -> None:
        """The next octets."""
        if len(self._opening) < len(codecs.BOM_UTF8):
            self._opening += chunk[: len(codecs.BOM_UTF8)]
            if self._opening.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                self._refuse(FileRefused("utf16"))
        if b"\0" in chunk:
            self._refuse(FileRefused("not_text"))
        lengths = [len(line) for line in chunk.replace(b"\r", b"\n").split(b"\n")]
        lengths[0] += self._open_line
        self._open_line = lengths[-1]
        if max(lengths) > LINE_LIMIT:
            self._refuse(FileRefused("line_too_long", str(self.lines + 1)))
        self.lines += chunk.count(b"\n")
        if self.lines > ROWS_LIMIT:
            self._refuse(FileRefused("too_many_rows", str(ROWS_LIMIT)))
        self._decode(chunk)

    def encoding(self) -> str | FileRefused:
        """After the last chunk: utf-8-sig, utf-8, or cp1252 for what is no UTF-8."""
        if self._fault is not None:
            return self._fault
        if not self._opening:
            return FileRefused("empty_file")
        self._decode(b"", final=True)
        if self._decoder is None:
            return "cp1252"
        return "utf-8-sig" if self._opening.startswith(codecs.BOM_UTF8) else "utf-8"

    def _decode(self, chunk: bytes, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decoder = None

    def _refuse(self, fault: FileRefused) -> None:
        self._fault = self._fault or fault


def shape_of(
    lines: Sequence[str], wished_column: str = "", default_region: str | None = None
) -> TableShape | FileRefused:
    """The shape of a table that opens with these lines (SAMPLE_LINES are enough).

    wished_column: a heading or a number from 1 on; "": the column is found, by its heading or by its cells.
    """
    delimiter = _delimiter(lines)
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error:
        return FileRefused("open_quote", "1")
    if not rows:
        return FileRefused("empty_file")
    width = max(len(row) for row in rows)
    columns = range(width)
    first = tuple(cell.strip() for cell in rows[0])
    if wished_column:
        column = _named_column(first, wished_column, width)
        if column is None:
            return FileRefused("unknown_column", wished_column)
    else:
        named = next((place for place, cell in enumerate(first) if _NUMBER_HEADING.fullmatch(_plain(cell))), None)
        column = _fullest_column(rows, columns, default_region) if named is None else named
        if column is None:
            return FileRefused("no_number_column")
    heading = first[column] if column < len(first) else ""
    has_header = any(ch.isalpha() for ch in heading) and not _is_number(heading, default_region)
    return TableShape(delimiter, has_header, first if has_header else (), column)


def _delimiter(lines: Sequence[str]) -> str:
    """The one that gives most rows the same width above one; a comma where none does."""

    def merit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return 0.0, 0
        several = [width for width in widths if width > 1]
        usual = max(set(several), key=several.count, default=0)
        return (several.count(usual) / len(widths) if several else 0.0), usual

    best = max(DELIMITERS, key=merit)
    return best if merit(best)[0] else ","


def _named_column(first: Sequence[str], wished: str, width: int) -> int | None:
    plain = _plain(wished)
    for place, heading in enumerate(first):
        if heading == wished or (plain and _plain(heading) == plain):
            return place
    if wished.isascii() and wished.isdecimal() and 1 <= int(wished[:9]) <= width:
        return int(wished) - 1
    return None


def _fullest_column(rows: Sequence[Sequence[str]], columns: range, region: str | None) -> int | None:
    """The column most of whose cells are numbers, the first of equals; None below ENOUGH_SHARE.

    A header is no number: it counts against a column of few rows only when there are others to look at.
    """
    sample = rows[1:] if len(rows) > 1 else rows

    def share(column: int) -> float:
        cells = [row[column] for row in sample if column < len(row)]
        return sum(_is_number(cell, region) for cell in cells) / len(sample)

    best = max(columns, key=share)
    return best if share(best) >= ENOUGH_SHARE else None


def _is_number(cell: str, region: str | None) -> bool:
    """Whether it reads as a number: valid, or at least as many digits as one has."""
    if not _LOOKS_LIKE_DIGITS.fullmatch(cell.strip()):
        return False
    return isinstance(parse_number(cell, default_region=region), Number) or sum(ch.isdigit() for ch in cell) >= 8


def _plain(heading: str) -> str:
    """A heading without case, accents and everything that is no letter."""
    letters = unicodedata.normalize("NFKD", heading.casefold())
    return "".join(ch for ch in letters if ch.isalpha() and ch.isascii())
