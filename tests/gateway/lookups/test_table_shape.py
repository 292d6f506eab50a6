"""Shapes of tables: delimiters, headers, columns, encodings, as spreadsheets and people write them; and refusals.

What must not enter: results (test_analysis_file.py).
"""

from __future__ import annotations

import pytest

from gateway.lookups.file_faults import sentences_of
from gateway.lookups.table_shape import LINE_LIMIT, ROWS_LIMIT, FileFault, FileRefused, Survey, TableShape, shape_of


def surveyed(octets: bytes, chunk: int = 7) -> str | FileRefused:
    survey = Survey()
    for start in range(0, len(octets), chunk):
        survey.take(octets[start : start + chunk])
    return survey.encoding()


def shape(text: str, column: str = "", region: str | None = "BJ") -> TableShape | FileRefused:
    return shape_of(text.splitlines(keepends=True), column, region)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("97000000\n97000001\n", TableShape(",", False, (), 0)),
        ("phone\n97000000\n", TableShape(",", True, ("phone",), 0)),
        ("nom;Téléphone\nAfi;97000000\n", TableShape(";", True, ("nom", "Téléphone"), 1)),
        ("nom\tTéléphone 1\nAfi\t97000000\n", TableShape("\t", True, ("nom", "Téléphone 1"), 1)),
        ('"Agossou, Afi",97000000\n"Dossou, Yao",97000001\n', TableShape(",", False, (), 1)),
        ('"Agossou; Afi";97000000\n"Dossou";97000001\n', TableShape(";", False, (), 1)),
        ("who|on|line\nAfi|26|+33612345678\nYao|25|+33612345679\n", TableShape("|", True, ("who", "on", "line"), 2)),
        ("+229 01 97 00 00 00\n\n+229 01 97 00 00 01\n", TableShape(",", False, (), 0)),
        ("a;b\n97000000;x\nhello;x\n97000001;x\n", TableShape(";", True, ("a", "b"), 0)),
    ],
)  # fmt: skip
def test_shape_is_found(text: str, expected: TableShape) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(("wished", "place"), [("second", 1), ("SECOND", 1), ("2", 1), ("1", 0)])
def test_wished_column_is_taken_by_heading_or_place(wished: str, place: int) -> None:
    found = shape("first,second\n97000000,97000001\n", wished)
    assert isinstance(found, TableShape)
    assert (found.column, found.has_header) == (place, True)


@pytest.mark.parametrize(
    ("text", "wished", "refused"),
    [
        ("", "", FileRefused("empty_file")),
        ("\n \n", "", FileRefused("empty_file")),
        ("name,city\nAfi,Cotonou\n", "", FileRefused("no_number_column")),
        ("name,city\nAfi,Cotonou\n", "third", FileRefused("unknown_column", "third")),
        ("name,city\nAfi,Cotonou\n", "3", FileRefused("unknown_column", "3")),
        ("name,city\nAfi,Cotonou\n", "0", FileRefused("unknown_column", "0")),
    ],
)
def test_table_without_numbers_is_refused(text: str, wished: str, refused: FileRefused) -> None:
    assert shape(text, wished) == refused


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("é97\n".encode(), "utf-8"),
        ("\ufeffé97\n".encode(), "utf-8-sig"),
        ("Téléphone\n97\n".encode("cp1252"), "cp1252"),
        (b"", FileRefused("empty_file")),
        ("97\n".encode("utf-16-be"), FileRefused("not_text")),
        (b"PK\x03\x04\0\0\n", FileRefused("not_text")),
        ("tronqué".encode()[:-1], "cp1252"),
    ],
)
def test_encoding_is_found_whatever_the_chunks(octets: bytes, expected: str | FileRefused, chunk: int) -> None:
    assert surveyed(octets, chunk) == expected


def test_utf16_with_its_mark_is_named() -> None:
    assert surveyed("97\n".encode("utf-16"), 1024) == FileRefused("utf16")


@pytest.mark.parametrize("chunk", [1000, 1 << 20])
def test_line_longer_than_the_limit_is_refused_without_being_kept(chunk: int) -> None:
    longest = b"1\n" + b"x" * LINE_LIMIT
    assert surveyed(longest + b"\n2\n", chunk) == "utf-8"
    refused = surveyed(longest + b"x\n2\n", chunk)
    assert isinstance(refused, FileRefused)
    assert refused.reason == "line_too_long"


def test_rows_beyond_the_limit_are_refused() -> None:
    assert surveyed(b"1\n" * ROWS_LIMIT, 1 << 20) == "utf-8"
    assert surveyed(b"1\n" * (ROWS_LIMIT + 1), 1 << 20) == FileRefused("too_many_rows", str(ROWS_LIMIT))


@pytest.mark.parametrize("fault", FileFault.__args__)  # type: ignore[attr-defined]
def test_every_fault_has_its_sentences_in_both_languages(fault: FileFault) -> None:
    english, remedy = sentences_of(FileRefused(fault, "7"), "en")
    french, remède = sentences_of(FileRefused(fault, "7"), "fr")
    assert "{" not in english + french
    assert english != french
    assert remedy != remède
