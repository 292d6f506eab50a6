"""One connection of an ESME, from accept to close: octets in, answers and deliveries out.

Source: smpp-answers "As a server"; SMPP v3.4 chapter 2 and 4. It translates and answers; binding.py decides who may
bind, rates.py how fast, operations.py what else than submissions is asked, the lifecycle decides about messages. Each
connection has its own bounds (promise P7): what it may send us, and what it leaves unread.
What must not enter: rules about messages, credentials, what other connections do (smpp_server.py), SQL.
"""

from __future__ import annotations

import asyncio
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from gateway.accept.refusals import Refusal
from gateway.crash_points import crash_point
from gateway.ingress.lockout import source_of
from gateway.ingress.rates import LoginRate
from gateway.ingress.smpp_refusals import V50, status_of
from gateway.ingress.submissions import as_submit_sm, read_submit_sm
from gateway.ingress.tls import TlsChannel
from gateway.message import Message
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
from gateway.smpp.session import Session
from gateway.smpp.session_states import BOUND, BindType, Role, SessionState
from gateway.storage.facts import EsmeRow
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown

if TYPE_CHECKING:
    from gateway.ingress.smpp_server import SmppServer

WRITE_HIGH, WRITE_LIMIT = 1 << 16, 1 << 20  # chosen: octets waiting for a slow reader: stop serving it; close it
CLOSE_PATIENCE_S = 5.0  # chosen: a peer that does not read its last octets by then never will
CHATTER_LIMIT = 200  # chosen: PDUs of a tick that bring nothing (refused ones, enquire_link); past it: read at the next
WARY_OCTETS = (
    2048  # chosen: read at once of who chattered past it lately; 128 of the shortest PDUs hold the loop for 0.3 ms
)
# Why a connection is not read for now; bits of a plain integer, which costs nothing on the path of a message.
SLOW = 1  # it does not read our answers
WINDOW = 2  # it has the hard window unanswered
CHATTER = 4  # it sent more that brings nothing than a tick allows


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


class EsmeConnection(asyncio.BufferedProtocol):
    """One connection of an ESME, from accept to close. tls: it speaks TLS first."""

    def __init__(self, server: SmppServer, tls: TlsChannel | None = None) -> None:
        self._server = server
        self._lifecycle = server.lifecycle
        self._opened_at = monotonic()
        self.session = Session(Role.SMSC, server.settings.limits, self._opened_at)
        self.esme: EsmeRow | None = None
        self.peer = ""
        self.address = ""
        self.bound_since_ms = 0
        self._rate: LoginRate | None = None
        self._transport: asyncio.Transport | None = None
        self._read_buffer = server.read_buffer  # filled and emptied within one turn of the loop, so all share it
        self._tls = tls
        self._held = 0
        self._refused = 0  # submissions refused without a commit
        self._chatter_seen = 0
        self._leaving = False  # we want to unbind, once the answers owed are given
        self._closing_since: float | None = None

    # -- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        link = cast(asyncio.Transport, transport)  # uvloop: a transport by its methods, not by its class
        self._transport = link
        link.set_write_buffer_limits(high=WRITE_HIGH)
        address = link.get_extra_info("peername")
        if address:
            self.address = address[0]
            self.peer = f"{address[0]}:{address[1]}"
        if not self._server.admit_connection(self):
            link.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(memoryview(self._read_buffer)[:nbytes])
        if self._tls is not None:
            data = self._decrypt(self._tls, data)
            if not data:
                return
        session = self.session
        events = session.tick(monotonic())
        events += session.receive_data(data)
        self._take(events)
        if session.owed >= self._server.settings.hard_window:
            self._hold(WINDOW)
        if session.chatter + self._refused - self._chatter_seen > CHATTER_LIMIT:
            self._read_buffer = self._server.wary_buffer
            self._hold(CHATTER)

    def _decrypt(self, tls: TlsChannel, data: bytes) -> bytes:
        """The plaintext in these octets; a broken handshake or record ends the connection."""
        transport = self._transport
        assert transport is not None
        was_established = tls.established
        try:
            plain = tls.receive_data(data)
        except ssl.SSLError as fault:
            if not was_established:
                self._server.handshake_failed(self, fault.reason or str(fault))
            plain = b""
            transport.write(tls.data_to_send())  # the alert says why
            transport.close()
            return plain
        if tls.established and not was_established:
            self._server.tallies.tls_handshakes["established"] += 1
            self.session = Session(Role.SMSC, self._server.settings.limits, monotonic())
        octets = tls.data_to_send()
        if octets:
            transport.write(octets)
        if tls.ended:
            transport.close()
        return plain

    def pause_writing(self) -> None:
        self._hold(SLOW)  # who does not read our answers gets no more of them

    def resume_writing(self) -> None:
        self._release(SLOW)
        if self.esme is not None:
            self._server.deliveries.room(self.esme.esme_id)

    def _hold(self, why: int) -> None:
        if not self._held and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._held |= why

    def _release(self, why: int) -> None:
        was_held = self._held
        self._held &= ~why
        if was_held and not self._held and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def slow(self) -> bool:
        """Whether it does not read what we write: then we do not read what it says either."""
        return bool(self._held & SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        contexts = self.session.abandon()
        if self.esme is not None:
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
        if self._tls is not None and not self._tls.established:
            self._tick_handshake(now)
            return
        if self._held & CHATTER:
            self._release(CHATTER)
        elif self._read_buffer is not self._server.read_buffer:
            self._read_buffer = self._server.read_buffer  # a tick without: its long messages are read whole again
        self._chatter_seen = self.session.chatter + self._refused
        events = self.session.tick(now)
        if events:
            self._take(events)
        else:
            self.flush()
        if self._held and self._transport is not None and self._transport.get_write_buffer_size() > WRITE_LIMIT:
            self._transport.abort()

    def _tick_handshake(self, now: float) -> None:
        tls = self._server.settings.tls
        assert tls is not None
        if now - self._opened_at > tls.handshake_timeout_s and self._transport is not None:
            self._server.handshake_failed(self, "timeout")
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
        leaving = self._server.draining or self._leaving or self.session.state is SessionState.UNBINDING
        return Refusal.DRAINING if leaving else None

    def charge(self, parts: int) -> Refusal | None:
        """Count parts against the rates of the login and its account."""
        assert self._rate is not None
        return self._rate.refusal(parts, monotonic())

    def uncharge(self, parts: int) -> None:
        """What was charged was not accepted after all."""
        if self._rate is not None:
            self._rate.not_accepted(parts)

    def charge_question(self) -> Refusal | None:
        """Count what is no message: against the login's rate a second only."""
        assert self._rate is not None
        return None if self._rate.pace.take(1, monotonic()) else Refusal.RATE_EXCEEDED

    def status(self, refusal: Refusal) -> int:
        account = self._lifecycle.book.accounts.get(self.esme.account_id) if self.esme else None
        return status_of(refusal, account is not None and account.masked_refusals, self.session.interface_version)

    def refuse(self, pdu: Pdu, status: int) -> None:
        self._server.tallies.refused_pdus["esme", f"0x{status:02X}"] += 1
        self._refused += 1
        self.session.respond(pdu, response_to(pdu, status))

    async def accept(self, messages: list[Message], requests: list[Pdu]) -> None:
        """Answer submissions once they are durable: only now ESME_ROK (promise P1)."""
        read_at = monotonic()
        try:
            refused = await self._lifecycle.accept(messages)
        except NotCommitted:
            for message, request in zip(messages, requests, strict=True):
                self._not_accepted(message, request, Refusal.DATABASE_AWAY)
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
                self._not_accepted(message, request, Refusal.NO_CREDIT)
            elif type(request) is DataSm:
                session.respond(request, DataSmResp(message_id=str(message.message_id)))
            else:
                session.respond(request, SubmitSmResp(message_id=str(message.message_id)))
        self.flush()
        crash_point("accept.answered")

    def _not_accepted(self, message: Message, request: Pdu, refusal: Refusal) -> None:
        self.refuse(request, self.status(refusal))
        self.uncharge(message.part_count)

    # -- delivering

    def deliverable(self) -> int:
        if self._held & SLOW or self._transport is None or not self._server.may_deliver():
            return 0  # a stale node delivers nothing: another may have
        return self.session.window_free

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
            if self._tls is not None:
                self._tls.send(octets)
                octets = self._tls.data_to_send()
            self._transport.write(octets)
        if self._held & WINDOW and self.session.owed <= self._server.settings.hard_window // 2:
            self._release(WINDOW)
        if self._leaving and not self.session.owed and self.session.state in BOUND:
            self.begin_unbind()
        if self.session.close_wanted and not self._transport.is_closing():
            if self._tls is not None:
                self._tls.close()
                self._transport.write(self._tls.data_to_send())
            self._transport.close()

    def begin_unbind(self) -> None:
        """Ask the ESME to go; what it is owed is answered before, and what it still submits is refused with 0x08."""
        if self._transport is None or self.session.close_wanted:
            return
        self._leaving = True
        if self.session.owed:
            return
        if self.wind_clock() and self.session.state in BOUND:
            self.session.unbind()
            self.flush()
        elif self.session.state is not SessionState.UNBINDING:
            self._transport.close()

    def probe(self) -> None:
        """Ask for a sign of life now."""
        if self.wind_clock():
            self.session.enquire_link()
            self.flush()

    def abort(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def bound(self, esme: EsmeRow) -> None:
        """The bind was accepted."""
        self.esme = esme
        self.bound_since_ms = self._server.wall_ms()
        self._server.connection_limits.bound(source_of(self.address))
        self.take_facts(esme)
        if self.session.bind_type is not BindType.TRANSMITTER:
            self._server.deliveries.attach(esme.esme_id, self)

    def take_facts(self, esme: EsmeRow) -> None:
        """What its login may do, from now on."""
        self.esme = esme
        self._rate = self._server.rates.of(esme, monotonic())
