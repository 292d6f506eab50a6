"""One API process from its start to its drain: the only place of this package where things are built.

It takes a seat among the nodes and writes like one (streams, lease, epochs), but it has no connector, sweeps nothing
and inherits nobody; when it dies, a node inherits it (decision 0015).
What must not enter: what a request does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
from collections.abc import AsyncIterator, Coroutine
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from admin_api import alarms, application, credit_clock, statistics
from admin_api.account_feeds import AccountFeeds
from admin_api.console_feed import ConsoleFeed, keep_noting
from admin_api.cursors import Cursors
from admin_api.doors.served import Doors
from admin_api.keys import Keys
from admin_api.listening import Listener
from admin_api.live_feeds import LiveFeeds
from admin_api.lookup_desk import LookupDesk
from admin_api.metrics import MetricsPage
from admin_api.nobody import TellsNobody
from admin_api.one_time_codes import OneTimeCodes
from admin_api.service import Service
from admin_api.sessions import Sessions
from admin_api.writer import CONNECTIONS as OPERATORS_AT_ONCE
from admin_api.writer import Writer, connect_as_operators
from gateway.accept.fact_book import FactBook, FactBookFault
from gateway.cluster.borrowing import Borrowing
from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.cluster.reach import Reach
from gateway.connector import Health
from gateway.daemon.configuration_schema import Configuration
from gateway.daemon.notice_service import NoticesFault, send_notices
from gateway.daemon.policies import life_policy
from gateway.daemon.supervision import tell_systemd, unstopped_clock
from gateway.daemon.webhook_service import WebhooksFault, deliver_webhooks
from gateway.ingress.rates import DAY_MS, Rates
from gateway.ingress.tls import CertificateFault, Certificates, TlsSettings
from gateway.lease import Lease
from gateway.lifecycle import Lifecycle
from gateway.lookups.spool import Spool
from gateway.message import ID_TIME_SHIFT, MessageIds
from gateway.storage.api_keys import load_secret
from gateway.storage.cluster import REACH_CHANNEL
from gateway.storage.database import (
    CONNECTION_FAULTS,
    DatabaseAway,
    connect,
    connect_as_node,
    refuse_unfit_server,
    take_seat,
)
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.facts import FACTS_CHANNEL, load_facts
from gateway.storage.group_commit import AcceptStream, CommitLine, FencedOut, NotCommitted, SettleStream
from gateway.storage.inbound import OPT_OUTS_CHANNEL, note_conversations, read_opt_outs
from gateway.storage.inspection import applied_migrations
from gateway.storage.logins import parts_since
from gateway.storage.migrate import MIGRATIONS, SchemaFault
from gateway.storage.one_time_codes import bury_codes
from gateway.storage.reader import Reader
from gateway.storage.terms import KEYS_KEPT_MS, bury_keys
from gateway.storage.users import bury_sessions
from gateway.tallies import Tallies
from gateway.wall_clock import wall_ms

log = logging.getLogger("passerelle.api")

ROLE: Final = "passerelle_api"
SPOOL_FOLDER: Final = "lookups"  # below data_dir
POSTGRES_FOLDER: Final = "postgres"  # below data_dir, as the node has it
CONNECTIONS: Final = 8  # chosen: for look-ups; two cores' worth of PostgreSQL is busy with fewer
REACH_POLL_S: Final = 0.5  # decision 0016: behind the notification, and how late a dead node's binds are missed
FACTS_POLL_S: Final = 30.0  # chosen: behind the notification, in case it was lost
AWAY_PAUSE_S: Final = 0.5  # chosen: between tries while PostgreSQL is away
COUNT_EVERY_S: Final = 60.0  # as a node's: how late a day's limit may learn what other doors accepted
BURY_EVERY_S: Final = 600.0  # chosen: how long an idempotency key may outlive its 72 hours
CERTIFICATE_LOOK_S: Final = 5.0  # as a node's: how late a new certificate may be seen without SIGHUP
NOTE_EVERY_S: Final = 0.25  # chosen: how late it is known who wrote last from a shared number
DRAIN_LOOK_S: Final = 0.02


class ApiFault(Exception):
    """The process cannot run; the text names the culprit and the remedy."""


async def run(configuration: Configuration, ready: asyncio.Future[Service] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation; drains before it returns.

    ready is told once the ports are open. Raises ApiFault, NodeTaken, DatabaseUnfit, SchemaFault, PostgresFault.
    """
    async with _database(configuration) as dsn:
        seat_connection = await _connect_in_time(dsn)
        try:
            service = await _build(configuration, dsn, seat_connection)
            await _serve(service, dsn, ready)
        finally:
            seat_connection.terminate()


@contextlib.asynccontextmanager
async def _database(configuration: Configuration) -> AsyncIterator[str]:
    """The DSN of our role: configured, or on the embedded server, which is shared with the node of this data folder."""
    if configuration.admin_api.dsn is not None:
        yield configuration.admin_api.dsn.reveal()
        return
    if configuration.storage.dsn is not None:
        raise ApiFault(f"[admin_api] dsn is missing: give it the dsn of [storage], with the role {ROLE}")
    postgres = EmbeddedPostgres(configuration.node.data_dir / POSTGRES_FOLDER)
    parts = urlsplit(await postgres.start())
    try:
        yield urlunsplit(parts._replace(netloc=f"{ROLE}@"))
    finally:
        await postgres.stop()


async def _connect_in_time(dsn: str) -> asyncpg.Connection:
    while True:
        try:
            return await connect(dsn)
        except DatabaseAway as fault:
            log.error(
                "database_away", extra={"why": str(fault), "remedy": "start PostgreSQL, or correct [admin_api] dsn"}
            )
            await asyncio.sleep(AWAY_PAUSE_S)
        except asyncpg.InvalidAuthorizationSpecificationError as fault:
            raise ApiFault(f"{fault}: run `passerelle migrate`, which makes the role {ROLE}") from fault


async def _build(configuration: Configuration, dsn: str, connection: asyncpg.Connection) -> Service:
    await refuse_unfit_server(connection)
    await _refuse_old_schema(connection)
    lease = Lease(unstopped_clock)
    seat = await take_seat(connection, configuration.admin_api.name, "api")
    rows = await load_facts(connection, logins=False)
    tallies, connected = Tallies(), functools.partial(connect_as_node, dsn)
    reader = Reader(connected, seat.epoch, seat.node_id, CONNECTIONS)
    line = CommitLine(connected, seat.node_id, seat.epoch, "accept", seat.accept_batch)
    accepting = AcceptStream(line, configuration.limits.group_commit_batch)
    settling = SettleStream(CommitLine(connected, seat.node_id, seat.epoch, "settle", seat.settle_batch))
    health: dict[str, Health] = {}
    lifecycle = Lifecycle(
        _book(rows),
        life_policy(configuration, {}),
        MessageIds(seat.node_id, seat.last_id),
        accepting,
        settling,
        reader,
        (),
        health,
        TellsNobody(),
        wall_ms,
        tallies,
        configuration.limits.connector_queue,
    )
    reach = Reach(seat, reader, (), health, lifecycle.elsewhere, tells=False)
    reach.taken_out = lifecycle.book.taken_out
    secret = await load_secret(connection)
    keeper = LeaseKeeper(seat, lease, connected)
    keys, cursors = Keys(secret, reader), Cursors(secret)
    rates, lookups = Rates(lifecycle.book, wall_ms), _lookup_desk(configuration, reader, dsn)
    rooms = (configuration, seat, reader, line, accepting, settling, lifecycle, keeper, reach, keys, cursors, tallies)
    operators = Reader(functools.partial(connect_as_operators, dsn), seat.epoch, seat.node_id, OPERATORS_AT_ONCE)
    writer = Writer(operators)
    sessions, settings = Sessions(configuration.admin_api, secret, writer), configuration.admin_api
    most = settings.streams_at_once
    feeds = LiveFeeds(AccountFeeds(cursors), reader, most, settings.streams_per_account)
    consoles = LiveFeeds(ConsoleFeed(cursors), operators, most, most)
    return Service(
        *rooms, rates, rows, lookups, writer, sessions, _listener(configuration), OneTimeCodes(secret), feeds, consoles
    )


def _listener(configuration: Configuration) -> Listener:
    try:
        return Listener(configuration.admin_api)
    except ValueError as fault:
        raise ApiFault(f"[admin_api] trusted_proxies: {fault}; write networks like 10.0.0.0/24") from fault


def _lookup_desk(configuration: Configuration, reader: Reader, dsn: str) -> LookupDesk:
    settings = configuration.admin_api.lookups
    spool = Spool(settings.folder or configuration.node.data_dir / SPOOL_FOLDER, settings.spool_octets)
    return LookupDesk(spool, reader, dsn, settings.spool_octets, settings.kept_h)


async def _refuse_old_schema(connection: asyncpg.Connection) -> None:
    try:
        applied = set(await applied_migrations(connection))
    except asyncpg.InsufficientPrivilegeError:
        applied = set()
    missing = sorted({file.stem for file in MIGRATIONS.glob("[0-9]*.sql")} - applied)
    if missing:
        raise SchemaFault(f"the database lacks {', '.join(missing)}: run `passerelle migrate`")


def _book(rows: Any) -> FactBook:
    try:
        return FactBook(rows)
    except FactBookFault as fault:
        raise ApiFault(f"the facts in the database contradict each other: {fault}") from fault


async def _serve(service: Service, dsn: str, ready: asyncio.Future[Service] | None) -> None:
    """Open the doors, wait for the end, drain."""
    stopping = asyncio.Event()
    page, doors, certificates = MetricsPage(service), Doors(service), _certificates(service.configuration)
    try:
        await service.keeper.renew()  # before its own turns begin: nobody asks at the same time
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(job) for job in _jobs(service, dsn, certificates)]
            await _read_opt_outs(service)
            await service.reach.look(service.book.connector_names)
            await _listen(service, page, doors, certificates)
            service.ready = True
            log.info("ready", extra={"listen": str(service.configuration.admin_api.listen)})
            tell_systemd("READY=1")
            if ready is not None:
                ready.set_result(service)
            try:
                with _signals(stopping, certificates):
                    await stopping.wait()
            finally:
                await _drain(service, page, doors)
                for task in running:
                    task.cancel()
    except* (NoticesFault, WebhooksFault) as group:
        raise ApiFault(str(group.exceptions[0])) from group
    except* FencedOut as group:
        raise ApiFault(f"this process must not go on: {group.exceptions[0]}; start it again") from group
    finally:
        service.sessions.close()
        await service.writer.close()
        await service.reader.close()
        await service.line.close()


def _jobs(service: Service, dsn: str, certificates: Certificates | None) -> list[Coroutine[Any, Any, None]]:
    return [
        *([] if certificates is None else [_follow_certificate(certificates)]),
        service.accepting.run(),
        service.keeper.run(),
        _follow_facts(service, dsn),
        _follow_nodes(service, dsn),
        _share_limits(service),
        _count_day(service),
        _note_conversations(service),
        _bury_keys(service),
        deliver_webhooks(service.configuration, dsn, service.webhooks),
        send_notices(service.configuration, dsn, service.lifecycle, service.reader, service.notices),
        service.lookups.run(),
        credit_clock.run(service),
        service.account_feeds.run(),
        service.console_feeds.run(),
        keep_noting(service.reader, service.console_feeds),
        statistics.keep_counting(service),
        alarms.keep_watching(service),
    ]


async def _listen(service: Service, page: MetricsPage, doors: Doors, certificates: Certificates | None) -> None:
    context = None if certificates is None else certificates.server_context()
    try:
        await service.listener.open(application.build(service), service.configuration.admin_api.listen, context)
        await page.listen()
        await doors.listen(context)
    except OSError as fault:
        raise ApiFault(f"a port cannot be opened: {fault}; free it, or change [admin_api] listen") from fault


def _certificates(configuration: Configuration) -> Certificates | None:
    tls = configuration.admin_api.tls
    if tls is None:
        return None
    try:
        return Certificates(TlsSettings("", 0, tls.certificate.path, tls.key.path, minimum_version=tls.minimum_version))
    except CertificateFault as fault:
        raise ApiFault(f"[admin_api.tls]: {fault}; correct the files, or the TOML") from fault


@contextlib.contextmanager
def _signals(stopping: asyncio.Event, certificates: Certificates | None):  # type: ignore[no-untyped-def]  # a context manager of nothing
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    renew = (lambda: None) if certificates is None else certificates.reload
    loop.add_signal_handler(signal.SIGHUP, renew)  # unhandled it would end the process
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


async def _drain(service: Service, page: MetricsPage, doors: Doors) -> None:
    """Take nothing new, answer what is under way, close."""
    tell_systemd("STOPPING=1")
    service.ready = False
    service.account_feeds.close()
    service.console_feeds.close()
    service.listener.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(service.configuration.admin_api.drain_timeout_s):
            while service.open_requests or service.accepting.waiting or service.listeners:
                await asyncio.sleep(DRAIN_LOOK_S)
    await service.listener.close()
    doors.close()
    await page.close()
    log.info("stopped", extra={"open_requests": service.open_requests})


# ---------------------------------------------------------------- jobs


async def _follow_facts(service: Service, dsn: str) -> None:
    """Swap the book when rows of facts change: by notification, with a poll behind it."""
    changed = asyncio.Event()
    while True:
        try:
            connection = await connect(dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(AWAY_PAUSE_S)
            continue
        try:
            for channel in (FACTS_CHANNEL, OPT_OUTS_CHANNEL):
                await connection.add_listener(channel, lambda *_: changed.set())
            while not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FACTS_POLL_S):
                        await changed.wait()
                changed.clear()
                await _read_opt_outs(service)
                rows = await load_facts(connection, logins=False)
                book = FactBook(rows)
                service.reach.taken_out = book.taken_out
                service.reach.apply(book.connector_names)
                service.lifecycle.book, service.rows = book, rows
                service.rates.apply(book)
                await _count_day_once(service)
        except FactBookFault as fault:
            log.error("facts_refused", extra={"why": str(fault), "remedy": "correct the row; the former ones stay"})
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("facts_wait", extra={"why": str(fault)})
        finally:
            connection.terminate()
        await asyncio.sleep(AWAY_PAUSE_S)
        changed.set()


async def _follow_certificate(certificates: Certificates) -> None:
    while True:
        await asyncio.sleep(CERTIFICATE_LOOK_S)
        certificates.reload_changed()


async def _follow_nodes(service: Service, dsn: str) -> None:
    """Where binds stand, told by the nodes: by notification, with a poll behind it."""
    changed = asyncio.Event()
    while True:
        try:
            connection = await connect(dsn)
        except (DatabaseAway, *CONNECTION_FAULTS):
            await asyncio.sleep(AWAY_PAUSE_S)
            continue
        try:
            await connection.add_listener(REACH_CHANNEL, lambda *_: changed.set())
            while not connection.is_closed():
                changed.clear()
                await service.reach.look(service.book.connector_names)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REACH_POLL_S):
                        await changed.wait()
        except (NotCommitted, *CONNECTION_FAULTS) as fault:
            log.warning("job_waits", extra={"job": "follow_nodes", "why": str(fault)})
            await asyncio.sleep(AWAY_PAUSE_S)
        finally:
            connection.terminate()


async def _share_limits(service: Service) -> None:
    """Accounts' limits are kept with the nodes, as nodes keep them with each other (decision 0018)."""
    link = None
    if service.configuration.redis.url is not None:
        from gateway.counters.redis_link import RedisLink

        link = RedisLink(service.configuration.redis.url.reveal())
    await Borrowing(service.rates, lambda: len(service.keeper.living), link).run()


async def _count_day(service: Service) -> None:
    while True:
        with contextlib.suppress(NotCommitted):
            await _count_day_once(service)
        await asyncio.sleep(COUNT_EVERY_S)


async def _count_day_once(service: Service) -> None:
    """What accounts with a day's limit had accepted today, by every door."""
    limited = service.rates.limited_by_day()
    if limited:
        first_id = wall_ms() // DAY_MS * DAY_MS << ID_TIME_SHIFT
        parts = await service.reader.run(lambda connection: parts_since(connection, limited, first_id))
        service.rates.counted(parts, monotonic())


async def _read_opt_outs(service: Service) -> None:
    opt_outs = service.lifecycle.opt_outs
    changes, mark = await service.reader.run(lambda connection: read_opt_outs(connection, opt_outs.mark))
    opt_outs.apply(changes)
    opt_outs.mark = mark


async def _note_conversations(service: Service) -> None:
    """Who wrote last from a number that several accounts share: this process settles nothing else."""
    while True:
        await asyncio.sleep(NOTE_EVERY_S)
        batch = service.settling.batch
        noted, batch.conversations = batch.conversations, []
        service.lifecycle.uncertain.clear()  # what may be stored was handed over: the node it was handed to finds it
        if noted:
            try:
                await service.reader.run(lambda c, rows=noted: note_conversations(c, rows))  # type: ignore[misc]  # bound now
            except NotCommitted as fault:
                log.warning("job_waits", extra={"job": "note_conversations", "why": str(fault)})


async def _bury_keys(service: Service) -> None:
    while True:
        with contextlib.suppress(NotCommitted):
            await service.reader.run(lambda c: bury_keys(c, wall_ms() - KEYS_KEPT_MS))
            await service.reader.run(lambda c: bury_codes(c, wall_ms()))
            await service.writer.read(bury_sessions)
        await asyncio.sleep(BURY_EVERY_S)
