"""What is in force, or was, of routes and rates; what a draft says; rate cards read and written.

A card is a file of a hundred thousand rates: read whole within its limit, parsed in a thread, every fault by its line.
What must not enter: the life of versions and drafts (rule_versions.py), how a card is read (gateway.versions).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, cast

import asyncpg

from admin_api import rules_shown as shown
from admin_api.languages import Words
from admin_api.lookup_jobs import RAW_TYPES, source_of
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_rules import (
    CardFault,
    CardRead,
    Draft,
    ExportCard,
    ImportCard,
    ListRates,
    ListRoutes,
    Rates,
    Routes,
    WriteRates,
    WriteRoutes,
    micros_of,
)
from admin_api.problems import Fault, Problem
from admin_api.rule_versions import RATES, ROUTES, today
from admin_api.service import Answer, Call, Service
from gateway.storage import facts, versions
from gateway.storage.facts import RateRow
from gateway.storage.versions import DraftRow, Rows
from gateway.versions import lists
from gateway.versions.differences import Names, names_of
from gateway.versions.rate_card import OCTETS_LIMIT, CardRefused, read_card, write_card

LIST: Final = "rates"
CHANGES_SHOWN: Final = 100  # of a card, beside all counts
FIRST: Final = (-1, "")


async def show_routes(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/routes."""
    asked: ListRoutes = call.query

    async def read(connection: asyncpg.Connection) -> tuple[int, Rows | None, Names]:
        version = await _version(connection, "routes", asked.version)
        names = names_of(await facts.load_facts(connection, logins=False))
        return version, await versions.rows_at(connection, "routes", str(version)), names

    version, rows, names = await service.writer.read(read)
    if rows is None:
        return Problem("not_found")
    return Answer(Routes(version, [shown.route_of(row, names) for row in cast(Sequence[facts.RouteRow], rows)]))


async def show_rates(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/rates."""
    asked: ListRates = call.query
    reader_id, filters = -call.operator.user_id, [asked.version, asked.account_id]
    after = FIRST
    if asked.cursor is not None:
        place = service.cursors.read(reader_id, LIST, filters, asked.cursor, tuple[int, str])
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        after = place
    account_id = None if asked.account_id is None else int(asked.account_id)

    async def read(connection: asyncpg.Connection) -> tuple[int, list[RateRow]]:
        version = await _version(connection, "rates", asked.version)
        return version, await versions.page_of_rates(connection, version, account_id, after, asked.limit)

    version, rows = await service.writer.read(read)
    following = None
    if len(rows) == asked.limit:
        last = rows[-1]
        following = service.cursors.make(reader_id, LIST, filters, (last.account_id or 0, last.prefix))
    return Answer(Rates(version, [shown.rate_of(row) for row in rows], following))


async def _version(connection: asyncpg.Connection, kind: versions.Kind, asked: int | None) -> int:
    return await versions.current_version(connection, kind) if asked is None else asked


async def write_routes(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/admin/routes/drafts/{id}."""
    asked: WriteRoutes = call.body

    async def work(connection: asyncpg.Connection, draft: DraftRow, _: Rows) -> Problem | None:
        connectors = {row.name: row.connector_id for row in await facts.load_connectors(connection)}
        rows = shown.rows_of_routes(asked.routes, connectors)
        if isinstance(rows, Problem):
            return rows
        await versions.change_draft(connection, draft, rows=rows)
        return None

    return await ROUTES.edit(service, call, asked.revision, work)


async def write_rates(service: Service, call: Call) -> Answer | Problem:
    """PATCH /v1/admin/rates/drafts/{id}."""
    asked: WriteRates = call.body

    async def work(connection: asyncpg.Connection, draft: DraftRow, rows: Rows) -> Problem | None:
        kept = {(row.account_id, row.prefix): row for row in cast(Sequence[RateRow], rows)}
        for gone in asked.remove:
            kept.pop((_number(gone.account_id), gone.prefix), None)
        for rate in asked.put:
            key = _number(rate.account_id), rate.prefix
            kept[key] = RateRow(0, *key, micros_of(rate.price) or 0)
        await versions.change_draft(connection, draft, rows=list(kept.values()))
        return None

    return await RATES.edit(service, call, asked.revision, work)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


# ---------------------------------------------------------------- cards


async def take_card(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/rates/card."""
    asked: ImportCard = call.query
    assert call.request is not None
    source = await source_of(call.request, RAW_TYPES)
    if source is None:
        return Problem("not_a_file")
    octets = await _whole(source[0])
    if octets is None:
        return Problem("body_too_large")
    account_id = _number(asked.account_id)
    rows = await service.writer.read(lambda c: facts.load_facts(c, logins=False))
    names = names_of(rows)
    if account_id is not None and account_id not in names.accounts:
        return Problem("account_unknown")
    numbers = {name: number for number, name in names.accounts.items()}
    card = await asyncio.to_thread(read_card, octets, numbers, account_id)
    if isinstance(card, CardRefused):
        return Problem("card_unfit", Words(card.sentence("en"), card.sentence("fr")), more={"fault": card.kind})
    wanted = lists.join_card(rows.rates, card.rates, account_id, asked.mode == "replace")
    found = await asyncio.to_thread(lists.compare, "rates", rows.rates, wanted, names, CHANGES_SHOWN)
    draft: Draft | None = None
    if not asked.preview and not card.fault_count:

        async def work(connection: asyncpg.Connection) -> Draft:
            current = await versions.current_version(connection, "rates")
            return await RATES.begin(connection, call, current, asked.note, wanted)

        draft = await service.writer.run(work)
    told = [CardFault(fault.line, fault.kind, fault.sentence(call.language)) for fault in card.faults]
    read = CardRead(
        rows=len(card.rates),
        fault_count=card.fault_count,
        faults=told,
        differences=shown.differences_of(found, call.language),
        draft=draft,
    )
    return Answer(read, status=200 if draft is None else 201)


async def _whole(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The file, None for one past the limit, which is not read on."""
    octets = bytearray()
    async for chunk in chunks:
        octets += chunk
        if len(octets) > OCTETS_LIMIT:
            return None
    return bytes(octets)


async def give_card(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/rates/card."""
    asked: ExportCard = call.query

    async def read(connection: asyncpg.Connection) -> tuple[Rows | None, Names]:
        place = asked.of or str(await versions.current_version(connection, "rates"))
        rows = await versions.rows_at(connection, "rates", place)
        return rows, names_of(await facts.load_facts(connection, logins=False))

    rows, names = await service.writer.read(read)
    if rows is None:
        return Problem("not_found")
    octets = await asyncio.to_thread(write_card, cast(Sequence[RateRow], rows), names.accounts, call.language)
    name = f"rates-{(asked.of or 'current').replace(':', '-')}-{today(call.now_ms)}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(octets, headers=headers, media_type="text/csv")
