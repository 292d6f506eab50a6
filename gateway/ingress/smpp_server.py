"""The SMPP door: ESMEs connect here, by TLS or not; every connection of a node is known and timed here.

Source: smpp-answers "As a server"; architecture section 2. What becomes of a connection: esme_connection.py.
What must not enter: PDUs, rules about messages, credentials, SQL.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.ingress.binding import BindDesk, BindPolicy
from gateway.ingress.connection_limits import ConnectionLimits
from gateway.ingress.esme_connection import WARY_OCTETS, Deliveries, EsmeConnection
from gateway.ingress.lockout import source_of
from gateway.ingress.operations import Operations
from gateway.ingress.rates import Rates
from gateway.ingress.tls import Certificates, TlsSettings
from gateway.lifecycle import Lifecycle
from gateway.recall import Recall
from gateway.smpp.session import SessionLimits
from gateway.tallies import Tallies

log = logging.getLogger("passerelle.ingress")

TICK_S = 0.25  # chosen: resolution of session timers; all of them are whole seconds
BACKLOG = 1024  # chosen: connections the kernel holds while we are busy
READ_OCTETS = 32_768  # chosen: read at once; some 200 submissions, so a flood holds the loop for a millisecond or two
CERTIFICATE_LOOK_S = 5.0  # chosen: how late a new certificate may be seen without SIGHUP


class ServerSettings(msgspec.Struct, frozen=True):
    """The door's numbers, from configuration [smpp_server]. Times in seconds."""

    host: str
    port: int
    system_id: str
    max_sessions: int
    hard_window: int
    limits: SessionLimits
    unbound_per_address: int = 1000
    binding: BindPolicy = BindPolicy()
    tls: TlsSettings | None = None
    shared_port: bool = False  # other nodes of this machine may listen on the same ports


class SmppServer:
    """Listens, authenticates, and knows all connections."""

    def __init__(
        self,
        settings: ServerSettings,
        lifecycle: Lifecycle,
        deliveries: Deliveries,
        tallies: Tallies,
        wall_ms: Callable[[], int],
        tasks: asyncio.TaskGroup,
        recall: Recall,
    ) -> None:
        self.settings = settings
        self.lifecycle = lifecycle
        self.deliveries = deliveries
        self.tallies = tallies
        self.wall_ms = wall_ms
        self.tasks = tasks
        self.connections: set[EsmeConnection] = set()
        self.draining = False
        self.may_deliver: Callable[[], bool] = lambda: True  # the daemon puts the node's lease here
        self.port = settings.port
        self.tls_port = settings.tls.port if settings.tls is not None else 0
        self.binding = BindDesk(settings.system_id, settings.binding, lambda: lifecycle.book, wall_ms, tasks)
        self.operations = Operations(recall, lifecycle, wall_ms, tasks)
        self.rates = Rates(lifecycle.book, wall_ms)
        self.connection_limits = ConnectionLimits(settings.max_sessions, settings.unbound_per_address)
        self.read_buffer = bytearray(READ_OCTETS)
        self.wary_buffer = bytearray(WARY_OCTETS)
        self.certificates = Certificates(settings.tls) if settings.tls is not None else None
        self._servers: list[asyncio.Server] = []

    async def listen(self) -> None:
        """Open the ports. Raises OSError when one is taken."""
        settings, certificates = self.settings, self.certificates
        self.port = await self._open(settings.host, settings.port, lambda: EsmeConnection(self))
        if settings.tls is not None and certificates is not None:
            tls = settings.tls
            self.tls_port = await self._open(tls.host, tls.port, lambda: EsmeConnection(self, certificates.channel()))

    async def _open(self, host: str, port: int, connection: Callable[[], EsmeConnection]) -> int:
        server = await asyncio.get_running_loop().create_server(
            connection, host, port, backlog=BACKLOG, reuse_port=self.settings.shared_port or None
        )
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def run(self) -> None:
        """Serve timers until cancelled."""
        look_at = monotonic() + CERTIFICATE_LOOK_S
        while True:
            await asyncio.sleep(TICK_S)
            now = monotonic()
            for connection in list(self.connections):
                connection.tick(now)
            if now >= look_at and self.certificates is not None:
                self.certificates.reload_changed()
                look_at = now + CERTIFICATE_LOOK_S

    def reload(self) -> None:
        """Read again what stands in files: certificates. Without TLS there is nothing."""
        if self.certificates is not None:
            self.certificates.reload()

    def admit_connection(self, connection: EsmeConnection) -> bool:
        """Whether one more connection is served."""
        refused = "draining" if self.draining else self.connection_limits.admit(source_of(connection.address))
        if refused is not None:
            self.tallies.refused_connections[refused] += 1
            return False
        self.connections.add(connection)
        return True

    def forget(self, connection: EsmeConnection) -> None:
        """A connection is gone, admitted or not."""
        if connection in self.connections:
            self.connections.discard(connection)
            self.connection_limits.gone(source_of(connection.address), connection.esme is not None)
            if connection.esme is not None:
                self.binding.forget(connection, connection.esme)

    def handshake_failed(self, connection: EsmeConnection, why: str) -> None:
        """A connection never came to speak TLS."""
        self.tallies.tls_handshakes["failed"] += 1
        log.warning("tls_handshake_failed", extra={"peer": connection.peer, "why": why})

    def apply_facts(self, book: FactBook) -> None:
        """Facts of logins changed: living binds go by them at once, and those that may no longer be bound are ended."""
        self.rates.apply(book)
        for connection in list(self.connections):
            if connection.esme is None or connection.session.close_wanted:
                continue
            esme = self.binding.facts_of(connection, connection.esme, book)
            if esme is None:
                log.warning("bind_ended", extra={"system_id": connection.esme.system_id, "peer": connection.peer})
                connection.begin_unbind()
                continue
            connection.take_facts(esme)

    # -- ending

    async def stop_accepting(self) -> None:
        """Take no new connection and no new bind."""
        self.draining = self.binding.draining = True
        for server in self._servers:
            server.close()

    def close(self) -> None:
        """End every connection at once."""
        for connection in list(self.connections):
            connection.abort()
        self.binding.close()
