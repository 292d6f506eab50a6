"""What a node does by the clock: claims, sweeps, marks, facts that changed, and telling about itself.

Each job is a loop that survives PostgreSQL's absence: it tries again at its next turn.
What must not enter: decisions about messages; the lifecycle and the notify room make them when asked from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import json
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from gateway.accept.fact_book import FactBook, FactBookFault
from gateway.cluster.lease_keeper import RENEW_EVERY_S
from gateway.crash_points import crash_point
from gateway.daemon import carrier_jobs, cluster_jobs, inbound_jobs, limit_jobs
from gateway.daemon.carrier_orders import apply_wishes, told_of
from gateway.daemon.commands import follow_commands
from gateway.daemon.rooms import Rooms
from gateway.ingress.rates import DAY_MS
from gateway.lanes import LANE_NAMES
from gateway.message import ID_TIME_SHIFT, accepted_at_ms
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway, connect, ledger_imbalance_micros, tell
from gateway.storage.facts import FACTS_CHANNEL, load_facts
from gateway.storage.group_commit import NotCommitted
from gateway.storage.logins import parts_since
from gateway.storage.messages import move_marks
from gateway.storage.migrate import ensure_days

log = logging.getLogger("passerelle.daemon")

CLAIM_EVERY_S = 0.5  # chosen: how late a retry or a schedule may be
DOUBT_EVERY_S = 1.0
DELIVERY_EVERY_S = 0.25  # chosen: how soon what waited for an ESME goes out once it has room
REROUTE_EVERY_S = 0.25  # chosen: how soon what waits for a connector that was taken out goes by another
WISHES_EVERY_S = 0.25  # chosen: how long a customer's cancel waits, where another node holds his message
SWEEP_EVERY_S = 5.0  # chosen: how late an end of validity may be seen
TELL_EVERY_S = 1.0  # `passerelle binds` shows a node alive while it was seen in the last 5 s
TELL_PATIENCE_S = 5.0  # chosen: a PostgreSQL that takes no batch for so long is as good as away
FACTS_POLL_S = 30.0  # chosen: behind the notification, in case it was lost
LEDGER_EVERY_S = 60.0
PARKED_EVERY_S = 5.0  # chosen: parked receipts are rare, and their customers wait
DAYS_EVERY_S = 1.0  # chosen: a clock that steps by days stops acceptance no longer
COUNT_EVERY_S = 60.0  # chosen: how late a day's limit may learn what other nodes accepted
LAG_EVERY_S = 0.1
DISK_EVERY_S = 5.0  # chosen: a tenth of a disk lasts longer than that
OWED_LAG_MS = 120_000  # chosen: receipts of messages younger than this are searched after a crash, older ones have rows
STEPPED_SWEEP_MS = 3_600_000  # chosen: after a step back of the clock a sweep looks back so far
FIRST_SWEEP_MS = 30 * 24 * 3600 * 1000  # chosen: a node that never swept looks back so far

Clock = Callable[[], int]


def jobs(rooms: Rooms, wall_ms: Clock) -> list[Coroutine[Any, Any, None]]:
    """All loops of a node's clock."""
    return [
        _every(CLAIM_EVERY_S, rooms.by_the_clock.claim_delayed),
        _every(RENEW_EVERY_S, rooms.takeover.look),
        *cluster_jobs.jobs(rooms),
        *carrier_jobs.jobs(rooms),
        _every(DOUBT_EVERY_S, rooms.by_the_clock.decide_doubts),
        _every(REROUTE_EVERY_S, rooms.rerouting.look),
        _every(WISHES_EVERY_S, rooms.recall.grant_wishes),
        _every(DELIVERY_EVERY_S, rooms.deliveries.run_due),
        _every(LEDGER_EVERY_S, lambda: _look_at_ledger(rooms)),
        _every(LEDGER_EVERY_S, rooms.deliveries.bury),
        _every(PARKED_EVERY_S, rooms.by_the_clock.match_parked),
        _every(LEDGER_EVERY_S, rooms.lifecycle.waiting_room.bury_parked),
        _every(SWEEP_EVERY_S, lambda: _sweep(rooms, wall_ms)),
        _every(TELL_EVERY_S, lambda: tell_once(rooms, wall_ms)),
        _follow_days(rooms, wall_ms),
        _watch_disk(rooms),
        _every(COUNT_EVERY_S, lambda: count_day(rooms, wall_ms)),
        _recover_owed(rooms),
        _follow_facts(rooms, wall_ms),
        follow_commands(rooms, wall_ms),
        _measure_lag(rooms),
        *inbound_jobs.jobs(rooms),
    ]


async def _every(pause_s: float, job: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    while True:
        await asyncio.sleep(pause_s)
        try:
            await job()
        except NotCommitted as fault:
            log.warning("job_waits", extra={"job": getattr(job, "__name__", "job"), "why": str(fault)})


async def _sweep(rooms: Rooms, wall_ms: Clock) -> None:
    inherited_ms, rooms.takeover.sweep_from_ms = rooms.takeover.sweep_from_ms, None
    if inherited_ms is not None:  # 0: the dead node never swept
        rooms.swept_until_ms = min(rooms.swept_until_ms or rooms.seat.swept_until_ms, inherited_ms)
    now_ms = wall_ms()
    after_ms = rooms.swept_until_ms or rooms.seat.swept_until_ms or now_ms - FIRST_SWEEP_MS
    if after_ms > now_ms:  # the clock stepped back
        after_ms = now_ms - STEPPED_SWEEP_MS
    rooms.swept_until_ms = await rooms.by_the_clock.expire(after_ms, now_ms)


async def _look_at_ledger(rooms: Rooms) -> None:
    rooms.ledger_imbalance_micros = await rooms.reader.run(ledger_imbalance_micros)
    if rooms.ledger_imbalance_micros:
        log.error("ledger_imbalance", extra={"micros": rooms.ledger_imbalance_micros, "remedy": "passerelle check"})


async def _follow_days(rooms: Rooms, wall_ms: Clock) -> None:
    """Partitions for the days ahead, whenever a day begins: by midnight, or by a clock that was put right."""
    made = None
    while True:
        today = datetime.datetime.fromtimestamp(wall_ms() / 1000, datetime.UTC).date()
        with contextlib.suppress(NotCommitted):
            if today != made:
                await rooms.reader.run(functools.partial(ensure_days, today=today))
                made = today
        await asyncio.sleep(DAYS_EVERY_S)


async def _watch_disk(rooms: Rooms) -> None:
    """The embedded PostgreSQL's disk fills: what is new is refused, receipts go on. A configured one is not ours."""
    was_full = False
    while rooms.configuration.storage.dsn is None:
        used = used_share(rooms.configuration.node.data_dir)
        full = used >= rooms.configuration.limits.disk_full
        rooms.lifecycle.refuse_new(disk_full=full)
        if full and not was_full:
            remedy = "free space there, move [node] data_dir, or raise [limits] disk_full"
            log.error("disk_full", extra={"used": round(used, 3), "remedy": remedy})
        was_full = full
        await asyncio.sleep(DISK_EVERY_S)


def used_share(folder: Path) -> float:
    """How much of a folder's file system is used, 0 to 1, as df(1) counts it for plain users (statvfs(3))."""
    told = os.statvfs(folder)
    used = told.f_blocks - told.f_bfree
    return used / (used + told.f_bavail) if used + told.f_bavail else 1.0


async def count_day(rooms: Rooms, wall_ms: Clock) -> None:
    """Tell the door what accounts with a day's limit had accepted today, by former lives and other nodes too."""
    limited = rooms.server.rates.limited_by_day() if rooms.server is not None else []
    if rooms.server is not None and limited:
        first_id = wall_ms() // DAY_MS * DAY_MS << ID_TIME_SHIFT
        parts = await rooms.reader.run(lambda c: parts_since(c, limited, first_id))
        rooms.server.rates.counted(parts, monotonic())


async def _recover_owed(rooms: Rooms) -> None:
    """After a start: receipts that a former life owed from memory."""
    while True:
        try:
            owed = await rooms.deliveries.recover(list(rooms.lifecycle.book.accounts))
            log.info("owed_recovered", extra={"receipts": owed})
            return
        except NotCommitted:
            await asyncio.sleep(1)


async def _measure_lag(rooms: Rooms) -> None:
    while True:
        before = monotonic()
        await asyncio.sleep(LAG_EVERY_S)
        rooms.tallies.loop_lag.observe(max(0.0, monotonic() - before - LAG_EVERY_S))


# ---------------------------------------------------------------- facts


async def _follow_facts(rooms: Rooms, wall_ms: Clock) -> None:
    """Swap the book when rows of facts change: by notification, with a poll behind it."""
    changed = asyncio.Event()
    while True:
        try:
            connection = await connect(rooms.dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(1)
            continue
        try:
            await connection.add_listener(FACTS_CHANNEL, lambda *_: changed.set())
            while not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FACTS_POLL_S):
                        await changed.wait()
                changed.clear()
                book = FactBook(await load_facts(connection))
                apply_wishes(rooms, book)
                rooms.reach.apply(book.connector_names)
                rooms.lifecycle.book = book
                rooms.deliveries.apply_facts(book.esmes.values())
                if rooms.server is not None:
                    rooms.server.apply_facts(book)
                    await count_day(rooms, wall_ms)
        except FactBookFault as fault:
            log.error(
                "facts_refused", extra={"why": str(fault), "remedy": "correct the row; the former facts stay in force"}
            )
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("facts_wait", extra={"why": str(fault)})
        finally:
            connection.terminate()
        await asyncio.sleep(0.5)
        changed.set()


# ---------------------------------------------------------------- telling


async def tell_once(rooms: Rooms, wall_ms: Clock) -> None:
    """Store marks and what this node shows of itself; while PostgreSQL is away, only the door is told: no new binds."""
    async with rooms.takeover.marks_lock:
        await _tell(rooms, wall_ms)


async def _tell(rooms: Rooms, wall_ms: Clock) -> None:
    now_ms = wall_ms()
    horizon_id = rooms.lifecycle.horizon()
    marks = rooms.recovery.marks(horizon_id)
    deliveries = rooms.deliveries
    horizon = horizon_id - (OWED_LAG_MS << ID_TIME_SHIFT)
    oldest = deliveries.oldest_owed_id()
    if deliveries.recovered:
        deliveries.owed_from_id = max(deliveries.owed_from_id, horizon if oldest is None else min(horizon, oldest))
    owed_from_id = deliveries.owed_from_id
    live = json.dumps(_live(rooms, now_ms))
    swept_ms = rooms.swept_until_ms or rooms.seat.swept_until_ms

    async def write(connection: asyncpg.Connection) -> None:
        if marks:
            await move_marks(connection, rooms.seat.node_id, marks)
        await tell(connection, rooms.seat, live, swept_ms, owed_from_id)

    away = False
    try:
        async with asyncio.timeout(TELL_PATIENCE_S):
            await asyncio.shield(rooms.settling.durable())  # what the marks leave behind is stored before they are
            await rooms.reader.run(write)
            crash_point("marks.moved")
    except (NotCommitted, TimeoutError):
        away = True
    if rooms.server is not None:
        rooms.server.binding.database_away = away


def _live(rooms: Rooms, now_ms: int) -> dict[str, Any]:
    now = monotonic()
    binds: list[dict[str, Any]] = []
    if rooms.server is not None:
        for connection in rooms.server.connections:
            session = connection.session
            binds.append(
                {
                    "side": "esme",
                    "name": connection.esme.system_id if connection.esme else "",
                    "bind_type": session.bind_type,
                    "peer": connection.peer,
                    "state": session.state.value,
                    "in_flight": session.unanswered,
                    "window": session.limits.window,
                    "bound_since_ms": connection.bound_since_ms,
                }
            )
    for connector in rooms.connectors:
        for link in connector.links:
            if link.number < connector.bind_count and link.number not in connector.open_binds:
                continue  # another node's
            binds.append(
                {
                    "side": "carrier",
                    "name": connector.name,
                    "bind_type": link.bind_type,
                    "peer": link.peer,
                    "state": link.state,
                    "in_flight": link.session.unanswered if link.session else 0,
                    "window": connector.window.window,
                    "bound_since_ms": now_ms - int((now - link.bound_since) * 1000) if link.bound_since else 0,
                }
            )
    place = {"pid": os.getpid(), "host": socket.gethostname(), "listens": _listens(rooms)}
    place |= {"limits": limit_jobs.told(rooms), "carriers": told_of(rooms)}
    return place | {"ready": rooms.ready, "binds": binds, "queues": _queues(rooms, now_ms)}


def _listens(rooms: Rooms) -> dict[str, bool]:
    """The ports that are open, and which of them other nodes of this machine may share."""
    configured = rooms.configuration.smpp_server
    open_at: dict[str, bool] = {}
    if rooms.server is not None:
        open_at[str(configured.listen._replace(port=rooms.server.port))] = configured.shared_port
        if configured.tls is not None:
            open_at[str(configured.tls.listen._replace(port=rooms.server.tls_port))] = configured.shared_port
    return open_at | {str(rooms.configuration.metrics.listen): False}


def _queues(rooms: Rooms, now_ms: int) -> list[dict[str, Any]]:
    open_parts: dict[int, int] = {}
    for message in rooms.lifecycle.active:
        if message.open_parts:
            open_parts[message.connector_id] = open_parts.get(message.connector_id, 0) + message.open_parts
    queues = []
    for connector in rooms.connectors:
        outbox = rooms.lifecycle.outboxes[connector.connector_id]
        oldest = outbox.oldest_id()
        queues.append(
            {
                "connector": connector.name,
                "queued": len(outbox),
                "more_in_rows": any(lane.has_rows for lane in outbox.lanes),
                "lanes": {name: lane.queue.count for name, lane in zip(LANE_NAMES, outbox.lanes, strict=True)},
                "open": open_parts.get(connector.connector_id, 0),
                "awaiting_receipt": rooms.lifecycle.waiting_room.awaited(connector.connector_id),
                "oldest_ms": now_ms - accepted_at_ms(oldest) if oldest else 0,
            }
        )
    return queues
