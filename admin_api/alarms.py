"""/v1/admin/alarms: what is wrong, what was, and who knows of it; and the watch that raises and clears.

One process of all watches, each few seconds in a transaction of its own; what it decides is told by notices in it.
What must not enter: for how long something must be wrong (alarm_rules.py), SQL.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from time import monotonic
from typing import Final

import asyncpg

from admin_api.alarm_rules import ALARM_KINDS, AlarmMemory
from admin_api.languages import Language
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_alarms import AcknowledgeAlarm, Alarm, Alarms, ListAlarms
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.storage import alarms as rows
from gateway.storage.audit import record
from gateway.storage.console_events import note_event
from gateway.storage.group_commit import NotCommitted
from gateway.storage.inspection import server_clock
from gateway.storage.notices import tell
from gateway.storage.statistics import HOUR_MS
from gateway.wall_clock import wall_ms
from gateway.webhooks.events import format_time

LIST: Final = "alarms"
WATCH_EVERY_S: Final = 5.0  # chosen
OLDEST_MS: Final = 300_000  # chosen: a message that waits for five minutes is no busy second any more
RECEIPT_HOURS: Final = (4, 1)  # chosen: of messages accepted four to one hours ago receipts should have come
RECEIPT_MESSAGES: Final = 20  # chosen: of fewer nobody can tell
CLOCK_OFF_MS: Final = 2_000  # chosen: past it schedules and times in receipts are visibly wrong
NUMBER_DIGITS: Final = 18

log = logging.getLogger("passerelle.api")


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/alarms."""
    asked: ListAlarms = call.query
    owner, filters, before_id = -call.operator.user_id, [asked.state, asked.kind], rows.HIGHEST_ID
    if asked.cursor is not None:
        place = service.cursors.read(owner, LIST, filters, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place
    stands = {"standing": True, "cleared": False, "all": None}[asked.state]
    page = await service.writer.read(lambda c: rows.list_alarms(c, before_id, stands, asked.kind, asked.limit))
    more = service.cursors.make(owner, LIST, filters, page[-1]["alarm_id"]) if len(page) == asked.limit else None
    return Answer(Alarms([describe(row, call.language) for row in page], more))


async def acknowledge(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/alarms/{id}/acknowledge."""
    asked: AcknowledgeAlarm = call.body
    text = call.path["id"]
    if not text.isascii() or not text.isdecimal() or len(text) > NUMBER_DIGITS:
        return Problem("not_found")
    alarm_id = int(text)

    async def work(connection: asyncpg.Connection) -> Alarm | Problem:
        row = await rows.acknowledge_alarm(connection, alarm_id, call.operator.name, call.now_ms, asked.note)
        if row is None:
            return Problem("not_found")
        await record(
            connection,
            call,
            action="alarm.acknowledged",
            subject=f"alarm:{alarm_id}",
            before={"by": row["former_by"], "note": row["former_note"]},
            after={"by": call.operator.name, "note": asked.note},
        )
        return describe(row, call.language)

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


def describe(row: asyncpg.Record, language: Language) -> Alarm:
    """An alarm as operators see it."""
    known = ALARM_KINDS.get(row["kind"])
    return Alarm(
        id=str(row["alarm_id"]),
        kind=row["kind"],
        title=row["kind"] if known is None else known.words.say(language),
        subject=row["subject"],
        severity=row["severity"],
        detail=row["detail"],
        state="cleared" if row["cleared_at_ms"] else "standing",
        raised_at=format_time(row["raised_at_ms"]) or "",
        cleared_at=format_time(row["cleared_at_ms"]),
        acknowledged_by=row["acknowledged_by"] or None,
        acknowledged_at=format_time(row["acknowledged_at_ms"]),
        note=row["note"],
    )


async def keep_watching(service: Service) -> None:
    """Raise and clear until cancelled."""
    memory = AlarmMemory()
    while True:
        try:
            await watch_once(service, memory, monotonic())
        except NotCommitted as fault:
            log.warning("job_waits", extra={"job": "alarms", "why": str(fault)})
        await asyncio.sleep(WATCH_EVERY_S)


async def watch_once(service: Service, memory: AlarmMemory, now: float) -> None:
    """One look. now: of the clock that memory goes by."""

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            if not await rows.may_watch(connection):
                return
            wrong = await _observe(service, connection)
            moves = memory.look(now, wrong.keys(), await rows.standing_alarms(connection))
            for kind, subject in moves.raised:
                known = ALARM_KINDS[kind]
                await rows.raise_alarm(connection, kind, subject, known.severity, wrong[kind, subject], wall_ms())
                log.warning("alarm_raised", extra={"kind": kind, "subject": subject, "detail": wrong[kind, subject]})
            for kind, subject in moves.cleared:
                await rows.clear_alarm(connection, kind, subject, wall_ms())
                log.info("alarm_cleared", extra={"kind": kind, "subject": subject})
            for event, subjects in (("alarm.raised", moves.raised), ("alarm.cleared", moves.cleared)):
                for kind, subject in subjects:
                    shown = {"kind": kind, "subject": subject, "detail": wrong.get((kind, subject), "")}
                    await note_event(connection, event, wall_ms(), shown)
                    if kind in ALARM_KINDS and ALARM_KINDS[kind].is_told:
                        facts = {"alarm": kind, "subject": subject, "detail": wrong.get((kind, subject), "")}
                        await tell(connection, event=event, account_id=None, facts=facts)

    await service.reader.run(work)


async def _observe(service: Service, connection: asyncpg.Connection) -> dict[rows.Subject, str]:
    now_ms = wall_ms()
    this_hour_ms = now_ms - now_ms % HOUR_MS
    hours_ms = this_hour_ms - RECEIPT_HOURS[0] * HOUR_MS, this_hour_ms - RECEIPT_HOURS[1] * HOUR_MS
    wrong = await rows.observe(connection, OLDEST_MS, hours_ms, RECEIPT_MESSAGES)
    off_ms = wall_ms() - round(await server_clock(connection) * 1000)
    if abs(off_ms) > CLOCK_OFF_MS:
        wrong["clock_off", service.configuration.admin_api.name] = f"{off_ms} ms"
    if service.configuration.admin_api.dsn is None:  # the embedded PostgreSQL is ours, and so is its disk
        disk = shutil.disk_usage(service.configuration.node.data_dir)
        used = disk.used / max(1, disk.used + disk.free)
        if used >= service.configuration.limits.disk_full:
            wrong["disk_full", "postgresql"] = f"{100 * used:.1f} %"
    return wrong
