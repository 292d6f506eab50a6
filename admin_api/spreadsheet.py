"""A process of its own that turns rows of CSV into an XLSX: `python -m admin_api.spreadsheet FILE`, rows on stdin.

It writes row by row (xlsxwriter, constant_memory), at the lowest priority, and every cell as text: a spreadsheet takes
nothing for a formula, an address or a number.
What must not enter: where rows come from (exports.py).
"""

from __future__ import annotations

import csv
import io
import os
import sys
from typing import Final

import xlsxwriter

MOST_ROWS: Final = 1_048_575  # ECMA-376: 2^20 rows of a sheet, the first of them names columns
COLUMN_WIDTH: Final = 20  # chosen: characters
NICENESS: Final = 19


def write_spreadsheet(source: io.TextIOBase, path: str) -> int:
    """Write a sheet of all rows; how many."""
    settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(path, settings) as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        for number, cells in enumerate(csv.reader(source)):
            if number > MOST_ROWS:
                break
            if number == 0:
                sheet.set_column(0, max(0, len(cells) - 1), COLUMN_WIDTH)
            for column, cell in enumerate(cells):
                sheet.write_string(number, column, cell, bold if number == 0 else None)
            count += 1
    return count


if __name__ == "__main__":
    os.nice(NICENESS)
    write_spreadsheet(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline=""), sys.argv[1])
