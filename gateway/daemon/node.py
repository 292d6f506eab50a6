"""One node: the only place where the rooms are built, joined, started and stopped.

Source: architecture sections 2 (floors), 4 (one node is one process) and 5. Read top to bottom: it is the order of
a life.
What must not enter: decisions about messages, protocol, SQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator

import asyncpg

from gateway.accept.fact_book import FactBook, FactBookFault
from gateway.by_the_clock import ByTheClock
from gateway.cluster.bind_shares import BindShares
from gateway.cluster.forwarding import Forwarding
from gateway.cluster.hand_over import HandOver
from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.cluster.reach import Reach
from gateway.cluster.takeover import Takeover
from gateway.connector import Health
from gateway.crash_points import crash_point
from gateway.daemon import carrier_jobs, clock_jobs, inbound_jobs, limit_jobs
from gateway.daemon.carrier_orders import apply_wishes
from gateway.daemon.carrier_profiles import carrier_profile
from gateway.daemon.configuration_schema import Configuration, SmppServerTls
from gateway.daemon.metrics_page import MetricsPage
from gateway.daemon.policies import life_policy
from gateway.daemon.rooms import Rooms
from gateway.daemon.supervision import tell_systemd, unstopped_clock
from gateway.egress.smpp_connector import SmppConnector
from gateway.egress.tls_client import TlsFault
from gateway.ingress.binding import BindPolicy
from gateway.ingress.smpp_server import ServerSettings, SmppServer
from gateway.ingress.tls import CertificateFault, TlsSettings
from gateway.lease import Lease
from gateway.lifecycle import Lifecycle
from gateway.message import MessageIds
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.recall import Recall
from gateway.receipts.dress import SAME
from gateway.recovery import Recovery
from gateway.refill import Refill
from gateway.rerouting import Rerouting
from gateway.smpp.session import SessionLimits
from gateway.storage.cluster import leave, spans_held
from gateway.storage.database import (
    CONNECTION_FAULTS,
    DatabaseAway,
    NodeSeat,
    connect,
    connect_as_node,
    refuse_unfit_server,
    take_seat,
)
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.facts import ensure_connector, load_facts, say_connector_senders, say_connector_tlvs
from gateway.storage.group_commit import AcceptStream, CommitLine, FencedOut, SettleStream
from gateway.storage.messages import load_marks
from gateway.storage.migrate import apply_migrations
from gateway.storage.reader import Reader
from gateway.tallies import Tallies
from gateway.wall_clock import wall_ms

log = logging.getLogger("passerelle.daemon")

DATABASE_PAUSE_S = 1.0  # chosen: between tries to reach PostgreSQL at start
DRAIN_LOOK_S = 0.02  # chosen: between two looks at what is still open
POSTGRES_FOLDER = "postgres"


class NodeFault(Exception):
    """The node cannot start or go on; the text names the culprit and the remedy."""


async def run_node(configuration: Configuration, ready: asyncio.Event | None = None) -> None:
    """Run one node until SIGTERM, SIGINT or cancellation; drains before it returns.

    ready is set once the ports are open. Raises NodeFault, NodeTaken, DatabaseUnfit, SchemaFault, PostgresFault.
    """
    async with _database(configuration) as dsn:
        seat_connection = await _connect_in_time(dsn)
        try:
            await _live(configuration, dsn, seat_connection, ready)
        finally:
            seat_connection.terminate()


@contextlib.asynccontextmanager
async def _database(configuration: Configuration) -> AsyncIterator[str]:
    """The DSN: configured, or of an embedded server that is started again whenever it ends by itself."""
    if configuration.storage.dsn is not None:
        yield configuration.storage.dsn.reveal()
        return
    postgres = EmbeddedPostgres(configuration.node.data_dir / POSTGRES_FOLDER)
    dsn = await postgres.start()
    async with asyncio.TaskGroup() as tasks:
        keeper = tasks.create_task(postgres.keep_running())
        try:
            yield dsn
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            await postgres.stop()


async def _connect_in_time(dsn: str) -> asyncpg.Connection:
    """Connect; while PostgreSQL is away, say so and try again. A node without database serves nothing."""
    while True:
        try:
            return await connect(dsn)
        except DatabaseAway as fault:
            log.error("database_away", extra={"why": str(fault), "remedy": "start PostgreSQL or correct [storage] dsn"})
            await asyncio.sleep(DATABASE_PAUSE_S)


async def _live(
    configuration: Configuration, dsn: str, seat_connection: asyncpg.Connection, ready: asyncio.Event | None
) -> None:
    await refuse_unfit_server(seat_connection)
    await apply_migrations(seat_connection)
    seat = await take_seat(seat_connection, configuration.node.name)
    connector_ids = await _connector_ids(seat_connection, configuration)
    marks = await load_marks(seat_connection, seat.node_id)
    crash_point("start.seated")

    lease, tallies, health = Lease(unstopped_clock), Tallies(), dict[str, Health]()
    reader, accepting, settling = _storage(configuration, dsn, seat)
    connectors = _connectors(configuration, connector_ids, health, tallies, lease)
    ids = MessageIds(seat.node_id, max((seat.last_id, *marks.values())))
    deliveries = EsmeDeliveries(reader, settling, wall_ms, tallies, ids.next(wall_ms()))
    deliveries.owed_from_id = seat.owed_from_id
    lifecycle = Lifecycle(
        await _read_facts(seat_connection),
        life_policy(configuration, connector_ids),
        ids,
        accepting,
        settling,
        reader,
        connectors,
        health,
        deliveries,
        wall_ms,
        tallies,
        configuration.limits.connector_queue,
    )
    _teach_carriers(lifecycle, configuration, connectors)
    recovery, refill = Recovery(lifecycle, reader, settling), Refill(lifecycle, reader, settling)
    reach = Reach(seat, reader, connectors, health, lifecycle.elsewhere)
    keeper = LeaseKeeper(seat, lease, functools.partial(connect_as_node, dsn))
    takeover = Takeover(seat, keeper, reader, accepting, lifecycle, recovery, deliveries, wall_ms)
    rooms = Rooms(
        configuration,
        seat,
        dsn,
        seat_connection,
        reader,
        accepting,
        settling,
        connectors,
        health,
        deliveries,
        lifecycle,
        ByTheClock(lifecycle, reader, settling, wall_ms),
        recovery,
        Recall(lifecycle, reader, settling, wall_ms),
        refill,
        tallies,
        lease,
        keeper,
        takeover,
        Forwarding(lifecycle, reader, settling),
        reach,
        BindShares(seat, reader, reach, connectors),
        HandOver(seat, reader, settling, lifecycle, refill, reach, takeover.marks_lock),
        Rerouting(lifecycle),
    )
    await _read_standing(rooms)
    await _run_rooms(rooms, marks, ready)


async def _connector_ids(connection: asyncpg.Connection, configuration: Configuration) -> dict[str, int]:
    """The ids of the configured connectors, whose rows say what messages must know of them."""
    ids = {}
    for each in configuration.connectors:
        ids[each.name] = await ensure_connector(connection, each.name, each.kind)
        await say_connector_senders(connection, ids[each.name], each.alphanumeric_senders)
        await say_connector_tlvs(connection, ids[each.name], each.tlvs)
    return ids


async def _read_standing(rooms: Rooms) -> None:
    """What memory is to know before anything happens: opt-outs, what is held here, logins' wishes, neighbours."""
    await inbound_jobs.refresh_opt_outs(rooms.seat_connection, rooms.lifecycle.opt_outs)
    rooms.lifecycle.active.holding.widen(await spans_held(rooms.seat_connection, rooms.seat.node_id))
    rooms.deliveries.apply_facts(rooms.lifecycle.book.esmes.values())
    apply_wishes(rooms, rooms.lifecycle.book)
    rooms.lifecycle.waiting_room.is_alone = lambda: rooms.lease.alone
    await rooms.reach.hear(rooms.lifecycle.book.connector_names)
    rooms.hand_over.prepare()


async def _read_facts(connection: asyncpg.Connection) -> FactBook:
    try:
        return FactBook(await load_facts(connection))
    except FactBookFault as fault:
        raise NodeFault(f"the facts in the database contradict each other: {fault}") from fault


def _storage(configuration: Configuration, dsn: str, seat: NodeSeat) -> tuple[Reader, AcceptStream, SettleStream]:
    """What reads and writes for this life of the node."""
    connected = functools.partial(connect_as_node, dsn)
    reader = Reader(connected, seat.epoch, seat.node_id)
    accepting = AcceptStream(
        CommitLine(connected, seat.node_id, seat.epoch, "accept", seat.accept_batch),
        configuration.limits.group_commit_batch,
    )
    settling = SettleStream(CommitLine(connected, seat.node_id, seat.epoch, "settle", seat.settle_batch))
    return reader, accepting, settling


def _door(rooms: Rooms, tasks: asyncio.TaskGroup) -> SmppServer:
    try:
        server = SmppServer(
            _server_settings(rooms.configuration),
            rooms.lifecycle,
            rooms.deliveries,
            rooms.tallies,
            wall_ms,
            tasks,
            rooms.recall,
        )
    except CertificateFault as fault:
        raise NodeFault(f"[smpp_server.tls]: {fault}; correct the files, or the TOML") from fault
    server.may_deliver = rooms.lease.is_valid
    return server


async def _run_rooms(rooms: Rooms, marks: dict[tuple[int, int], int], ready: asyncio.Event | None) -> None:
    """Start everything below the doors, recover, open the doors, wait for the end, drain."""
    stopping = asyncio.Event()
    page = MetricsPage(rooms)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(rooms.accepting.run(), name="accept stream"),
                tasks.create_task(rooms.settling.run(), name="settle stream"),
                tasks.create_task(rooms.keeper.run(), name="lease"),
            ]
            server = _door(rooms, tasks)
            rooms.server = server
            doubtful = await rooms.recovery.recover(rooms.seat.node_id, marks)
            running += await limit_jobs.begin(rooms, server, tasks)
            await clock_jobs.count_day(rooms, wall_ms)
            try:
                await server.listen()
                await page.listen()
            except OSError as fault:
                raise NodeFault(f"a port cannot be opened: {fault}; free it, or change `listen` in the TOML") from fault
            await carrier_jobs.begin(rooms)
            for connector in rooms.connectors:
                running.append(tasks.create_task(connector.run(), name=f"connector {connector.name}"))
                running.append(tasks.create_task(rooms.lifecycle.send(connector), name=f"send {connector.name}"))
                running.append(
                    tasks.create_task(rooms.refill.run(connector.connector_id), name=f"refill {connector.name}")
                )
                running.append(tasks.create_task(rooms.lifecycle.settle(connector), name=f"settle {connector.name}"))
            running.append(tasks.create_task(server.run(), name="session timers"))
            running += [tasks.create_task(job) for job in clock_jobs.jobs(rooms, wall_ms)]
            gc.collect()
            gc.freeze()
            rooms.ready = True
            await clock_jobs.tell_once(rooms, wall_ms)
            log.info("ready", extra={"node": rooms.configuration.node.name, "port": server.port, "in_doubt": doubtful})
            tell_systemd("READY=1")
            if ready is not None:
                ready.set()
            try:
                with _signals(stopping, server):
                    await stopping.wait()
            finally:
                # one job ends by itself (owed receipts recovered); a room that broke leaves nothing to be drained
                if any(task.done() and (task.cancelled() or task.exception()) for task in running):
                    server.close()
                    await page.close()
                else:
                    await _drain(rooms, server, page)
                for task in running:
                    task.cancel()
        with contextlib.suppress(*CONNECTION_FAULTS):  # else a neighbour waits for the end of the lease
            await leave(rooms.seat_connection, rooms.seat.node_id, rooms.seat.epoch)
    except* FencedOut as group:
        raise NodeFault(f"this node must not go on: {group.exceptions[0]}; start it again") from group
    finally:
        gc.unfreeze()
        await rooms.reader.close()
        await rooms.accepting.close()
        await rooms.settling.close()
        if rooms.redis is not None:
            await rooms.redis.close()


@contextlib.contextmanager
def _signals(stopping: asyncio.Event, server: SmppServer):  # type: ignore[no-untyped-def]  # a context manager of nothing
    loop = asyncio.get_running_loop()
    installed = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, stopping.set)
            installed.append(number)
    with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
        loop.add_signal_handler(signal.SIGHUP, server.reload)  # unhandled it would end the node
        installed.append(signal.SIGHUP)
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


async def _drain(rooms: Rooms, server: SmppServer, page: MetricsPage) -> None:
    """Take nothing new, answer what is owed, wait for carriers' answers, store everything, say goodbye."""
    tell_systemd("STOPPING=1")
    rooms.ready = False
    deadline = time.monotonic() + rooms.configuration.limits.drain_timeout_s
    await server.stop_accepting()
    rooms.reach.leaving = True
    crash_point("drain.begun")
    for outbox in rooms.lifecycle.outboxes.values():
        outbox.hold = True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
            while rooms.accepting.waiting or any(c.session.owed for c in server.connections):
                await asyncio.sleep(DRAIN_LOOK_S)  # a peer closes at our unbind: what it is owed goes before
            for connection in list(server.connections):
                connection.begin_unbind()
            while any(m.open_parts for m in rooms.lifecycle.active):
                await asyncio.sleep(DRAIN_LOOK_S)
            await rooms.bind_shares.leave()
            await asyncio.gather(*(c.unbind(3.0) for c in rooms.connectors))  # those that the carrier opened
            await rooms.lifecycle.publish()
            await rooms.settling.durable()
            crash_point("drain.stored")
    server.close()
    await clock_jobs.tell_once(rooms, wall_ms)
    await page.close()
    log.info("stopped", extra={"in_doubt": sum(1 for m in rooms.lifecycle.active if m.open_parts)})


# ---------------------------------------------------------------- configuration to the rooms' own words


def _teach_carriers(lifecycle: Lifecycle, configuration: Configuration, connectors: list[SmppConnector]) -> None:
    lifecycle.declared_tlvs = {c.connector_id: c.profile.tlvs for c in connectors if c.profile.tlvs}
    for each, connector in zip(configuration.connectors, connectors, strict=True):
        if each.receipt_id_format is not None:
            dress = SAME if each.receipt_id_format == "exact" else each.receipt_id_format
            lifecycle.waiting_room.fix_dress(connector.connector_id, dress)
    lifecycle.error_maps = {each.name: each.error_map for each in configuration.connectors}


def _server_settings(configuration: Configuration) -> ServerSettings:
    server = configuration.smpp_server
    return ServerSettings(
        host=server.listen.host,
        port=server.listen.port,
        system_id=server.system_id,
        max_sessions=server.max_sessions,
        shared_port=server.shared_port,
        hard_window=server.window,
        limits=SessionLimits(
            window=server.delivery_window,
            bind_timeout_s=server.bind_timeout_s,
            enquire_link_interval_s=server.enquire_link_s,
            enquire_link_timeout_s=server.enquire_link_timeout_s,
            inactivity_s=server.inactivity_s,
            partial_pdu_timeout_s=server.partial_pdu_timeout_s,
            response_timeout_s=server.delivery_response_timeout_s,
        ),
        unbound_per_address=server.unbound_per_address,
        binding=BindPolicy(server.takeover_silence_s, server.takeover_answer_s),
        tls=None if server.tls is None else _tls_settings(server.tls),
    )


def _tls_settings(tls: SmppServerTls) -> TlsSettings:
    return TlsSettings(
        host=tls.listen.host,
        port=tls.listen.port,
        certificate=tls.certificate.path,
        key=tls.key.path,
        client_ca=None if tls.client_ca is None else tls.client_ca.path,
        minimum_version=tls.minimum_version,
        handshake_timeout_s=tls.handshake_timeout_s,
    )


def _connectors(
    configuration: Configuration,
    connector_ids: dict[str, int],
    health: dict[str, Health],
    tallies: Tallies,
    lease: Lease,
) -> list[SmppConnector]:
    try:
        return [
            SmppConnector(carrier_profile(c, connector_ids[c.name], configuration), health, tallies, lease)
            for c in configuration.connectors
        ]
    except TlsFault as fault:
        raise NodeFault(str(fault)) from fault
