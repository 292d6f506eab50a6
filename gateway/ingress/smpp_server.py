"""The SMPP door: ESMEs connect, bind and submit here, and get their receipts here.

Source: smpp-answers "As a server"; SMPP v3.4 chapter 2 and 4. EsmeConnection translates and answers, SmppServer knows
all connections and how fast each login may go; binding.py decides who may bind, the lifecycle about messages.
What must not enter: rules about messages, credentials, SQL.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Protocol, cast

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.accept.refusals import Refusal
from gateway.crash_points import crash_point
from gateway.ingress.binding import BindDesk, living_facts
from gateway.ingress.operations import Operations
from gateway.ingress.smpp_refusals import V50, status_of
from gateway.ingress.submissions import as_submit_sm, read_submit_sm
from gateway.lifecycle import Lifecycle
from gateway.message import Message
from gateway.pace import Pace
from gateway.recall import Recall
from gateway.smpp.events import (
    BindRequested,
    Event,
    LateResponse,
    PduRefused,
    PeerUnbound,
    RequestReceived,
    ResponseOverdue,
    ResponseReceived,
)
from gateway.smpp.pdus import (
    DataSm,
    DataSmResp,
    DeliverSm,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    response_to,
)
from gateway.smpp.session import Session, SessionLimits
from gateway.smpp.session_states import BOUND, BindType, Role
from gateway.storage.facts import EsmeRow
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from gateway.tallies import Tallies

log = logging.getLogger("passerelle.ingress")

TICK_S = 0.25  # chosen: resolution of session timers; all of them are whole seconds
WRITE_HIGH, WRITE_LIMIT = 1 << 16, 1 << 20  # chosen: octets waiting for a slow reader: stop serving it; close it
CLOSE_PATIENCE_S = 5.0  # chosen: a peer that does not read its last octets by then never will
BACKLOG = 1024  # chosen: connections the kernel holds while we are busy


class ReceivingBind(Protocol):
    """What a bound session offers to whoever has something to deliver."""

    def deliverable(self) -> int:
        """How many deliver_sm may be sent now."""
        ...

    def wind_clock(self) -> bool:
        """Tell the session what time it is, before anything is sent; False: it is closing."""
        ...

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        """Send one; flush() writes it out."""
        ...

    def flush(self) -> None:
        """Write what was sent."""
        ...


class Deliveries(Protocol):
    """Who owes receipts and inbound messages to ESMEs."""

    def attach(self, esme_id: int, bind: ReceivingBind) -> None: ...
    def detach(self, esme_id: int, bind: ReceivingBind, contexts: list[object]) -> None: ...
    def answered(self, esme_id: int, bind: ReceivingBind, context: object, command_status: int) -> None: ...
    def unanswered(self, esme_id: int, bind: ReceivingBind, context: object) -> None: ...
    def room(self, esme_id: int) -> None: ...


class ServerSettings(msgspec.Struct, frozen=True):
    """The door's numbers, from configuration [smpp_server]. Times in seconds."""

    host: str
    port: int
    system_id: str
    max_sessions: int
    hard_window: int
    limits: SessionLimits


class EsmeConnection(asyncio.Protocol):
    """One connection of an ESME, from accept to close."""

    def __init__(self, server: SmppServer) -> None:
        self._server = server
        self._lifecycle = server.lifecycle
        self.session = Session(Role.SMSC, server.settings.limits, monotonic())
        self.esme: EsmeRow | None = None
        self.peer = ""
        self.bound_since_ms = 0
        self._transport: asyncio.Transport | None = None
        self._slow = False
        self._closing_since: float | None = None

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        link = cast(asyncio.Transport, transport)  # uvloop: a transport by its methods, not by its class
        self._transport = link
        link.set_write_buffer_limits(high=WRITE_HIGH)
        address = link.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if address else "?"
        if not self._server.admit_connection(self):
            link.abort()

    def data_received(self, data: bytes) -> None:
        session = self.session
        events = session.tick(monotonic())
        events += session.receive_data(data)
        self._take(events)

    def pause_writing(self) -> None:
        self._slow = True
        if self._transport is not None:
            self._transport.pause_reading()  # who does not read our answers gets no more of them

    def resume_writing(self) -> None:
        self._slow = False
        if self._transport is not None:
            self._transport.resume_reading()
        if self.esme is not None:
            self._server.deliveries.room(self.esme.esme_id)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        contexts = self.session.abandon()
        if self.esme is not None and self.bound_since_ms:
            self._server.deliveries.detach(self.esme.esme_id, self, contexts)
        self._server.forget(self)

    # -- reading

    def tick(self, now: float) -> None:
        """Let the session's timers fire; close who has not read for too long."""
        if self.session.close_wanted and self._transport is not None:
            self._closing_since = self._closing_since or now
            if now - self._closing_since > CLOSE_PATIENCE_S:
                self._transport.abort()
            return
        deadline = self.session.next_deadline()
        if deadline is not None and now >= deadline:
            self._take(self.session.tick(now))
        if self._slow and self._transport is not None and self._transport.get_write_buffer_size() > WRITE_LIMIT:
            self._transport.abort()

    def _take(self, events: list[Event]) -> None:
        if self.session.interface_version >= V50:
            self.session.congestion_state = self._congestion()
        admitted: list[Message] = []
        requests: list[Pdu] = []
        for event in events:
            kind = type(event)
            if kind is RequestReceived:
                message = self._asked(event.pdu)  # type: ignore[union-attr]  # kind says it
                if message is not None:
                    admitted.append(message)
                    requests.append(event.pdu)  # type: ignore[union-attr]
            elif kind is ResponseReceived or kind is LateResponse:
                self._answered(event)  # type: ignore[arg-type]
            elif kind is ResponseOverdue:
                self._server.deliveries.unanswered(self._esme.esme_id, self, event.context)  # type: ignore[union-attr]
            elif kind is BindRequested:
                self._server.binding.check(self, event.pdu)  # type: ignore[arg-type,union-attr]
            elif kind is PduRefused:
                status = event.unacceptable.command_status  # type: ignore[union-attr]
                self._server.tallies.refused_pdus["esme", f"0x{status:02X}"] += 1
            elif kind is PeerUnbound and self.esme is not None:
                self._server.deliveries.detach(self.esme.esme_id, self, [])
        if admitted:
            self._server.tasks.create_task(self.accept(admitted, requests))
        self.flush()

    @property
    def _esme(self) -> EsmeRow:
        assert self.esme is not None
        return self.esme

    def _asked(self, pdu: Pdu) -> Message | None:
        """Admit a submission, or answer at once what needs no commit."""
        if isinstance(pdu, SubmitSm):
            outcome = self._submitted(pdu)
            if pdu.replace_if_present_flag and isinstance(outcome, Message):
                self._server.operations.replace_or_accept(self, pdu, outcome)
                return None
        elif isinstance(pdu, DataSm):
            translated = as_submit_sm(pdu)
            outcome = translated if isinstance(translated, int) else self._submitted(translated)
        else:
            self._server.operations.ask(self, pdu)
            return None
        if isinstance(outcome, int):
            self.refuse(pdu, outcome)
            return None
        return outcome

    def _submitted(self, pdu: SubmitSm) -> Message | int:
        esme = self.esme
        assert esme is not None
        hindrance = self.hindrance()
        if hindrance is not None:
            return self.status(hindrance)
        submission = read_submit_sm(pdu, esme, self._server.wall_ms())
        if isinstance(submission, int):
            return submission
        message = self._lifecycle.admit(submission)
        if isinstance(message, Refusal):
            return self.status(message)
        refusal = self.charge(message.part_count)
        return message if refusal is None else self.status(refusal)

    def _congestion(self) -> int:
        """How full its window and our queues are, in percent (v5.0 4.8.4.18: 0 idle, 100 congested)."""
        window = min(self._esme.window_size, self._server.settings.hard_window) if self.esme else 1
        return min(100, int(100 * max(self.session.owed / window, self._lifecycle.fullness)))

    def hindrance(self) -> Refusal | None:
        """Why nothing is taken from this connection now."""
        owed = self.session.owed
        if owed > self._esme.window_size or owed > self._server.settings.hard_window:
            return Refusal.WINDOW_EXCEEDED
        return Refusal.DRAINING if self._server.draining else None

    def charge(self, parts: int) -> Refusal | None:
        """Count parts against the login's rate."""
        return None if self._server.pace_of(self._esme).take(parts, monotonic()) else Refusal.RATE_EXCEEDED

    def status(self, refusal: Refusal) -> int:
        account = self._lifecycle.book.accounts.get(self.esme.account_id) if self.esme else None
        return status_of(refusal, account is not None and account.masked_refusals, self.session.interface_version)

    def refuse(self, pdu: Pdu, status: int) -> None:
        self._server.tallies.refused_pdus["esme", f"0x{status:02X}"] += 1
        self.session.respond(pdu, response_to(pdu, status))

    async def accept(self, messages: list[Message], requests: list[Pdu]) -> None:
        """Answer submissions once they are durable: only now ESME_ROK (promise P1)."""
        read_at = monotonic()
        try:
            refused = await self._lifecycle.accept(messages)
        except NotCommitted:
            for request in requests:
                self.refuse(request, self.status(Refusal.DATABASE_AWAY))
            self.flush()
            return
        except OutcomeUnknown:
            if self._transport is not None:
                self._transport.abort()  # smpp-answers: nobody can tell, so nothing is said
            return
        self._server.tallies.accept_latency.observe(monotonic() - read_at)
        session = self.session
        for message, request in zip(messages, requests, strict=True):
            if message.message_id in refused:
                self.refuse(request, self.status(Refusal.NO_CREDIT))
            elif type(request) is DataSm:
                session.respond(request, DataSmResp(message_id=str(message.message_id)))
            else:
                session.respond(request, SubmitSmResp(message_id=str(message.message_id)))
        self.flush()
        crash_point("accept.answered")

    # -- delivering

    def deliverable(self) -> int:
        return 0 if self._slow or self._transport is None else self.session.window_free

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        self.session.request(pdu, context)

    def wind_clock(self) -> bool:
        """Requests take their time from the session's clock, which stands still between reads; False: it is closing."""
        events = self.session.tick(monotonic())
        if events:
            self._take(events)
        return not self.session.close_wanted

    def _answered(self, event: ResponseReceived | LateResponse) -> None:
        if self.esme is not None:
            self._server.deliveries.answered(self.esme.esme_id, self, event.context, event.pdu.command_status)

    # -- writing

    def flush(self) -> None:
        if self._transport is None:
            return
        octets = self.session.data_to_send()
        if octets:
            self._transport.write(octets)
        if self.session.close_wanted:
            self._transport.close()

    def begin_unbind(self) -> None:
        """Ask the ESME to go; what it is owed is answered before."""
        if self._transport is not None and not self.session.close_wanted:
            if self.wind_clock() and self.session.state in BOUND:
                self.session.unbind()
                self.flush()
            else:
                self._transport.close()

    def abort(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def bound(self, esme: EsmeRow) -> None:
        """The bind was accepted."""
        self.esme = esme
        self.bound_since_ms = self._server.wall_ms()
        if self.session.bind_type is not BindType.TRANSMITTER:
            self._server.deliveries.attach(esme.esme_id, self)


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
        self.port = settings.port
        self.binding = BindDesk(settings.system_id, lambda: lifecycle.book, self.connections, tasks)
        self.operations = Operations(recall, lifecycle, wall_ms, tasks)
        self._paces: dict[int, Pace] = {}
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Open the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: EsmeConnection(self), self.settings.host, self.settings.port, backlog=BACKLOG
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def run(self) -> None:
        """Serve timers until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            now = monotonic()
            for connection in list(self.connections):
                connection.tick(now)

    def admit_connection(self, connection: EsmeConnection) -> bool:
        """Whether one more connection is served."""
        if len(self.connections) >= self.settings.max_sessions or self.draining:
            return False
        self.connections.add(connection)
        return True

    def forget(self, connection: EsmeConnection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)

    def pace_of(self, esme: EsmeRow) -> Pace:
        """The rate of a login, over all its binds."""
        pace = self._paces.get(esme.esme_id)
        if pace is None:
            pace = self._paces[esme.esme_id] = Pace(esme.tps, monotonic())
        return pace

    def apply_facts(self, book: FactBook) -> None:
        """Facts of logins changed: living binds go by them at once, and those that may no longer be bound are ended."""
        for connection in list(self.connections):
            if connection.esme is None:
                continue
            esme = living_facts(connection.esme, book)
            if esme is None:
                log.warning("bind_ended", extra={"system_id": connection.esme.system_id, "peer": connection.peer})
                connection.begin_unbind()
                continue
            connection.esme = esme
            pace = self._paces.get(esme.esme_id)
            if pace is not None:
                pace.rate_per_s = esme.tps

    # -- ending

    async def stop_accepting(self) -> None:
        """Take no new connection and no new bind."""
        self.draining = self.binding.draining = True
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """End every connection at once."""
        for connection in list(self.connections):
            connection.abort()
        self.binding.close()
