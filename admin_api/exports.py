"""Exports of messages and delivery reports: CSV as it is read, or XLSX made by a process beside.

Streamed page by page, so that memory is bounded whatever is asked; RFC 4180 with CRLF. A cell that a spreadsheet would
take for a formula begins with an apostrophe. Each operator's export is an audit row before its first octet.
What must not enter: filters and their limits (message_search.py).
"""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
from aiohttp import web

from admin_api.message_search import NUMBERS_READ, Asked, describe, end_of, wanted_of
from admin_api.models_search import FoundMessage
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from gateway.storage.audit import record
from gateway.storage.message_search import Wanted, search_messages

MOST_ROWS: Final = 1_000_000  # chosen: of one export; one that reaches it says so in its last row
PAGE_ROWS: Final = 1_000  # chosen: in memory at once
AT_ONCE: Final = 4  # chosen: exports of one process, which readers of pages go before
CHUNK_OCTETS: Final = 256 * 1024
FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r")  # OWASP, "CSV Injection"
BOM: Final = "\ufeff"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CUT: Final = "cut: this export has as many rows as it may; export a shorter span"

_MESSAGE: Final = (
    "id",
    "created_at",
    "status",
    "to",
    "from",
    "class",
    "parts",
    "price",
    "error",
    "submitted_at",
    "final_at",
)
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "own": _MESSAGE,
    "messages": ("account", *_MESSAGE, "connector", "charge", "attempts", "smsc_message_ids"),
    "reports": ("account", *_MESSAGE, "connector", "smsc_message_ids", "told", "told_at"),
}


async def export_messages(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/messages/export."""
    return await _export(service, call, "messages")


async def export_reports(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/delivery-reports/export."""
    return await _export(service, call, "reports")


async def export_own(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/messages/export."""
    return await _export(service, call, "own")


async def _export(service: Service, call: Call, what: str) -> Answer | Problem:
    asked: Asked = call.query
    wanted = await wanted_of(service, call, asked)
    if isinstance(wanted, Problem):
        return wanted
    if service.exports >= AT_ONCE:
        return Problem("too_many_exports")
    form = getattr(asked, "format", "csv")
    if what != "own":
        told = msgspec.to_builtins(asked)

        async def note(connection: asyncpg.Connection) -> None:
            owner = wanted.account_id
            await record(connection, call, action=f"{what}.exported", subject=what, after=told, account_id=owner)

        await service.writer.run(note)
    masked = what != "own" and NUMBERS_READ not in call.operator.permissions
    table = _Table(service, wanted, end_of(call, asked), COLUMNS[what], masked, what == "own")
    bom = BOM if getattr(asked, "bom", False) else ""
    headers = {"Content-Disposition": f'attachment; filename="{what}.{form}"'}
    headers["Content-Type"] = XLSX_TYPE if form == "xlsx" else "text/csv; charset=utf-8"
    return Answer(stream=table.write_xlsx if form == "xlsx" else table.csv_writer(bom), headers=headers)


class _Table:
    """The rows of one export."""

    def __init__(
        self, service: Service, wanted: Wanted, before_id: int, columns: Sequence[str], masked: bool, own: bool
    ) -> None:
        self._service = service
        self._read = service.reader.run if own else service.writer.read
        self._wanted = wanted
        self._before_id: int | None = before_id
        self._columns = columns
        self._masked = masked

    def csv_writer(self, bom: str) -> Callable[[web.Request, web.StreamResponse], Any]:
        """What writes the CSV."""

        async def write(request: web.Request, answer: web.StreamResponse) -> None:
            await answer.write(bom.encode())
            async for octets in self._pages():
                await answer.write(octets)

        return write

    async def write_xlsx(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Have the file made, then send it."""
        with tempfile.TemporaryDirectory(prefix="passerelle-export-") as folder:
            file = Path(folder) / "export.xlsx"
            words = (sys.executable, "-m", "admin_api.spreadsheet", str(file))
            child = await asyncio.create_subprocess_exec(
                *words, stdin=asyncio.subprocess.PIPE, env=_environment(folder)
            )
            try:
                assert child.stdin is not None
                async for octets in self._pages():
                    child.stdin.write(octets)
                    await child.stdin.drain()
                child.stdin.close()
                if await child.wait():
                    raise RuntimeError("the spreadsheet could not be written")
            finally:
                if child.returncode is None:
                    child.kill()
                    await child.wait()
            with file.open("rb") as source:
                while chunk := source.read(CHUNK_OCTETS):
                    await answer.write(chunk)

    async def _pages(self) -> AsyncIterator[bytes]:
        """The table as CSV, page by page."""
        self._service.exports += 1
        try:
            yield csv_of([self._columns])
            count = 0
            while self._before_id is not None:
                before_id, room = self._before_id, min(PAGE_ROWS, MOST_ROWS - count)
                if not room:
                    yield csv_of([[CUT]])
                    return
                rows, self._before_id = await self._read(
                    lambda c, before=before_id, limit=room: search_messages(c, self._wanted, before, limit)  # type: ignore[misc]  # bound now
                )
                count += len(rows)
                yield csv_of([cells_of(describe(row, self._masked), self._columns) for row in rows])
        finally:
            self._service.exports -= 1


def cells_of(message: FoundMessage, columns: Sequence[str]) -> list[str]:
    """A row of cells, none of which a spreadsheet computes. Numbers stand without their plus."""
    plain = msgspec.to_builtins(message) | {"to": message.to.removeprefix("+"), "price": message.price.amount}
    plain["smsc_message_ids"] = " ".join(message.smsc_message_ids)
    return [neutralise("" if plain[name] is None else str(plain[name])) for name in columns]


def neutralise(cell: str) -> str:
    """A cell that is text wherever it is opened."""
    return f"'{cell}" if cell.startswith(FORMULA_MARKS) else cell


def csv_of(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as RFC 4180 has them."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _environment(folder: str) -> dict[str, str]:
    """Of the process beside: our modules, its scratch files where they end with ours."""
    return {"PYTHONPATH": ":".join(filter(None, sys.path)), "TMPDIR": folder, "PATH": ""}
