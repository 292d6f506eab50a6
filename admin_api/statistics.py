"""/v1/statistics and /v1/admin/statistics: counts, success, latency and money, by country, operator, class, day.

Read from hours that a job of this process counts; `counted_at` says when. An hour is of acceptance, so that every
message stands in one. What must not enter: counting (gateway.storage.statistics).
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from typing import Final

import asyncpg

from admin_api.models_messages import Price
from admin_api.models_money import format_credits
from admin_api.models_statistics import AskOwnStatistics, AskStatistics, Figures, Latency, Statistics
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from gateway.lookups.destinations import destinations
from gateway.storage import statistics as rows
from gateway.storage.group_commit import NotCommitted
from gateway.wall_clock import wall_ms
from gateway.webhooks.events import format_time

COUNT_EVERY_S: Final = 15.0  # chosen: how soon a process looks whether an hour is due
USUAL_SPAN: Final = datetime.timedelta(days=7)
LONGEST_SPAN: Final = datetime.timedelta(days=366)  # chosen

log = logging.getLogger("passerelle.api")


async def show_own(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/statistics."""
    asked: AskOwnStatistics = call.query
    span = _span(call, asked)
    if isinstance(span, Problem):
        return span
    wanted = rows.Asked(
        *span,
        asked.parts,
        account_id=call.account_id,
        country=asked.country,
        operator=asked.operator,
        traffic_class=asked.traffic_class,
    )
    return Answer(await service.reader.run(lambda c: _read(c, wanted)))


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/statistics."""
    asked: AskStatistics = call.query
    span = _span(call, asked)
    if isinstance(span, Problem):
        return span
    account_id = None if asked.account_id is None else int(asked.account_id)
    wanted = rows.Asked(
        *span,
        asked.parts,
        account_id,
        call.operator.account_id,
        asked.country,
        asked.operator,
        asked.connector,
        asked.traffic_class,
    )
    return Answer(await service.writer.read(lambda c: _read(c, wanted)))


def _span(call: Call, asked: AskOwnStatistics | AskStatistics) -> tuple[int, int] | Problem:
    now = datetime.datetime.fromtimestamp(call.now_ms / 1000, datetime.UTC)
    until = asked.until or now
    since = asked.since or until - USUAL_SPAN
    if until - since > LONGEST_SPAN:
        return Problem("search_unbounded", more={"days": LONGEST_SPAN.days})
    return int(since.timestamp() * 1000), int(until.timestamp() * 1000)


async def _read(connection: asyncpg.Connection, wanted: rows.Asked) -> Statistics:
    found = await rows.read_statistics(connection, wanted)
    counted_ms = await rows.counted_until_ms(connection)
    since_ms = wanted.since_ms - wanted.since_ms % rows.HOUR_MS
    until_ms = wanted.until_ms + -wanted.until_ms % rows.HOUR_MS
    return Statistics(
        since=format_time(since_ms) or "",
        until=format_time(until_ms) or "",
        counted_at=None if counted_ms is None else format_time(counted_ms),
        cut=len(found) == rows.MOST_ROWS,
        rows=[describe(row) for row in found],
    )


def describe(row: asyncpg.Record) -> Figures:
    """A row of sums."""
    failed = row["undeliverable"] + row["rejected"] + row["expired"] + row["deleted"]
    ended = row["delivered"] + failed + row["unknown"]
    return Figures(
        since=None if row["from_ms"] is None else format_time(row["from_ms"]),
        account_id=None if row["account_id"] is None else str(row["account_id"]),
        account=row["account"],
        connector=row["connector"],
        traffic_class=row["traffic_class"],
        country=row["country"],
        operator=row["operator"],
        accepted=row["accepted"],
        submitted=row["submitted"],
        delivered=row["delivered"],
        failed=failed,
        undeliverable=row["undeliverable"],
        rejected=row["rejected"],
        expired=row["expired"],
        cancelled=row["deleted"],
        unknown=row["unknown"],
        open=row["accepted"] - ended,
        parts=row["parts"],
        success=round(100 * row["delivered"] / ended, 2) if ended else None,
        charged=Price(format_credits(row["charged_micros"])),
        held=Price(format_credits(row["held_micros"])),
        to_submit=_latency(row["submit_counts"]),
        to_deliver=_latency(row["deliver_counts"]),
    )


def _latency(counts: list[int]) -> Latency:
    return Latency(*(rows.quantile_ms(counts, share) for share in (0.5, 0.95, 0.99)))


async def keep_counting(service: Service) -> None:
    """Count hours that are due, until cancelled; of several processes one counts at a time."""
    while True:
        try:
            known = service.rows.number_ranges
            ask = destinations(known)
            while known is service.rows.number_ranges:
                counted = await service.reader.run(lambda c: rows.count_due(c, ask, wall_ms()))  # noqa: B023
                if counted < rows.HOURS_A_TURN:
                    await asyncio.sleep(COUNT_EVERY_S)
        except NotCommitted as fault:
            log.warning("job_waits", extra={"job": "statistics", "why": str(fault)})
            await asyncio.sleep(COUNT_EVERY_S)
