"""The reader of named statements: what it returns, and what it refuses.

What belongs here: the form of the statement files. What must not enter: a database.
"""

from __future__ import annotations

import pytest

from gateway.storage.named_statements import FOLDER, StatementFault, load_statements, parse_statements


def test_each_statement_is_found_by_its_name_without_its_semicolon() -> None:
    text = "-- head\n\n-- name: one\n-- Says one.\nSELECT 1;\n\n-- name: two\n-- Says two.\nSELECT\n  2\n;\n"
    assert parse_statements(text, "x.sql") == {
        "one": "-- one\n-- Says one.\nSELECT 1",
        "two": "-- two\n-- Says two.\nSELECT\n  2\n",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: one\nSELECT 1;\n", "sentence"),
        ("-- name: one\n-- Says one.\n", "no SQL"),
        ("-- name: one\n-- Says.\nSELECT 1;\n-- name: one\n-- Says.\nSELECT 2;\n", "twice"),
        ("SELECT 1;\n", "no statement"),
    ],
)
def test_a_file_out_of_form_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(StatementFault, match=complaint):
        parse_statements(text, "x.sql")


def test_every_statement_file_is_in_form() -> None:
    for file in FOLDER.glob("*.sql"):
        assert load_statements(file.name)
