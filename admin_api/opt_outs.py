"""/v1/opt-outs: who wants to hear no more from an account, read and written down by the account itself.

An account adds and imports, and brings nobody back: that is the person's own word (START), or an operator's with a
proof. Effective within a second on every node, by the trigger of opt_outs.
What must not enter: what STOP means (gateway.inbound), operators' side (operator_blocks.py).
"""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Final

import asyncpg

from admin_api.languages import Words
from admin_api.lookup_jobs import source_of
from admin_api.message_reading import BAD_CURSOR
from admin_api.messages import format_time
from admin_api.models_opt_outs import (
    AddOptOuts,
    AskImport,
    ListOwnOptOuts,
    NotANumber,
    OptOut,
    OptOuts,
    OptOutsAdded,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.storage import opt_outs as rows
from gateway.storage.opt_outs import OptOutWord
from telecom.numbers import Number, parse_number

LIST: Final = "opt-outs"
RAW_TYPES: Final = frozenset({"text/csv", "text/plain", "application/octet-stream"})
IMPORT_OCTETS: Final = 2 * 1024 * 1024  # chosen: some 100,000 numbers
MOST_IMPORTED: Final = 100_000  # chosen: lines of one file
READ_AT_ONCE: Final = 200  # chosen: some 8 ms of the slowest numbers; then others of this process have their turn
MOST_FAULTS: Final = 100  # chosen: lines told of one file
TOO_MANY_LINES: Final = Words("at most 100,000 numbers in one file", "100 000 numéros au plus par fichier")


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/opt-outs."""
    asked: ListOwnOptOuts = call.query
    place = rows.NEWEST
    if asked.cursor is not None:
        found = service.cursors.read(call.account_id, LIST, asked.number, asked.cursor, tuple)
        if found is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        place = found
    number = None if asked.number is None else asked.number.removeprefix("+")
    chosen = rows.Chosen(account_id=call.account_id, number=number, opted_out=True)
    page = await service.reader.run(lambda c: rows.page_of_opt_outs(c, chosen, place, asked.limit))
    more = None
    if len(page) == asked.limit:
        more = service.cursors.make(call.account_id, LIST, asked.number, rows.place_of(page[-1]))
    shown = [
        OptOut(f"+{row['number']}", row["source"], row["word"], row["proof"], format_time(row["at_ms"])) for row in page
    ]
    return Answer(OptOuts(shown, more))


async def add(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/opt-outs."""
    asked: AddOptOuts = call.body
    return await _store(service, call, list(enumerate(asked.numbers, 1)), asked.proof)


async def import_file(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/opt-outs/import: the first column of each line of a CSV."""
    asked: AskImport = call.query
    assert call.request is not None
    if "\0" in asked.proof:
        return Problem("invalid_request")
    source = await source_of(call.request, RAW_TYPES)
    if source is None:
        return Problem("not_a_file")
    taken = bytearray()
    try:
        async for chunk in source[0]:
            taken += chunk
            if len(taken) > IMPORT_OCTETS:
                return Problem("body_too_large")
        text = taken.decode("utf-8-sig")
        given = _first_cells(text)
    except (ValueError, csv.Error):  # no text, or multipart that ends within a part
        return Problem("not_a_file")
    if len(given) > MOST_IMPORTED:
        return Problem("invalid_request", TOO_MANY_LINES)
    return await _store(service, call, given, asked.proof)


def _first_cells(text: str) -> list[tuple[int, str]]:
    """Line number and first cell of each line that says something; a first line without any digit is a heading."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","  # as spreadsheets of French-speaking countries write
    found = []
    for line, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
        cell = cells[0].strip() if cells else ""
        if cell and not (line == 1 and not any(each.isdigit() for each in cell)):
            found.append((line, cell))
    return found


async def _store(service: Service, call: Call, given: list[tuple[int, str]], proof: str) -> Answer | Problem:
    region = call.caller.account.default_region or service.lifecycle.policy.accept.default_region
    numbers: dict[str, None] = {}
    faults: list[NotANumber] = []
    invalid = 0
    for count, (line, text) in enumerate(given, 1):
        if count % READ_AT_ONCE == 0:
            await asyncio.sleep(0)
        number = parse_number(text[:40], default_region=region, strict=True)
        if isinstance(number, Number):
            numbers[number.e164] = None
        else:
            invalid += 1
            if len(faults) < MOST_FAULTS:
                faults.append(NotANumber(line, text[:40], number.reason))
    word = OptOutWord(call.account_id, "customer", "", proof.strip(), call.now_ms)

    async def work(connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            return await rows.add_opt_outs(connection, word, list(numbers))

    added = await service.reader.run(work) if numbers else 0
    return Answer(OptOutsAdded(added, len(numbers) - added, invalid, faults))
