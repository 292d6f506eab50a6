"""The SMSC simulator on the wire: accepts binds, judges submits, delivers receipts and mobile originated messages.

SMPP v3.4 chapters 2 and 4, through gateway.smpp's session. Order inside: life, binds, submits, deliveries, timers.
What must not enter: what happens to a message by settings and seed (behaviour.py).
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

import msgspec

from gateway.smpp.command_status import CommandStatus
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    BindRequested,
    Event,
    PduRefused,
    PeerUnbound,
    RequestReceived,
    ResponseOverdue,
    ResponseReceived,
)
from gateway.smpp.pdus import (
    Bind,
    CancelSm,
    DataSm,
    DataSmResp,
    Outbind,
    Pdu,
    QuerySm,
    ReplaceSm,
    SubmitSm,
    SubmitSmResp,
    response_to,
)
from gateway.smpp.session import SMSC_LIMITS
from gateway.smpp.session_states import BindType, Role
from simulators.agenda import Agenda
from simulators.control_door import ControlDoor
from simulators.log import (
    BindLine,
    CloseLine,
    LogLine,
    SimulatorLog,
    SmscSubmitLine,
    StartLine,
    UnbindLine,
)
from simulators.plain_values import Endpoint
from simulators.smsc.behaviour import Judgement, SmscBehaviour, Verdict
from simulators.smsc.control import obey
from simulators.smsc.deliveries import Delivery, Inbound, Mailbox
from simulators.smsc.message_ids import dress_id
from simulators.smsc.postman import Link, Postman
from simulators.smsc.settings import SmscSettings
from simulators.smsc.statistics import SmscStatistics
from simulators.texts import SUBSCRIBER_TEXTS, complete_number
from simulators.user_data import user_data
from simulators.waiting import Conditions
from simulators.wire import Outbox, Wire

CONNECTIONS_LIMIT = 1_000  # beyond: closed at once; chosen
DELIVERIES_LIMIT = 500_000  # answers, receipts and inbound messages kept; beyond: submits get RMSGQFUL; chosen
INBOUND_CATCH_UP_LIMIT = 100  # inbound messages made in one turn after a delay of the loop; chosen
RECEIPTS_OF_A_SUBMIT = 16  # room above the limit for what one submit plans; chosen
TICK_S = 0.1  # how often sessions look at their timers, which are whole seconds; chosen
DELIVER_AGAIN_S = 1.0  # after a temporary refusal of a deliver_sm; chosen
FIRST_ID_SHIFT = 8  # ids from the clock: 256,000 messages a second before two runs could meet; chosen

OTHER_ANSWERS: dict[type[Pdu], int] = {  # this SMSC keeps no message that could be asked about
    QuerySm: CommandStatus.ESME_RQUERYFAIL,
    CancelSm: CommandStatus.ESME_RCANCELFAIL,
    ReplaceSm: CommandStatus.ESME_RREPLACEFAIL,
}


class OwedAnswer(msgspec.Struct, gc=False):
    """An answer that waits for its latency; receipts are planned from its departure. early: leaves just before it."""

    link: Link
    submit: SubmitSm | DataSm
    response: Pdu


class DueDelivery(msgspec.Struct, gc=False):
    """A delivery that waits for its time."""

    mailbox: Mailbox[Link]
    delivery: Delivery


class InboundTurn(msgspec.Struct, gc=False):
    """The next mobile originated message of inbound_rate. due_s: loop time."""

    due_s: float


Due = OwedAnswer | DueDelivery | InboundTurn


class SimulatedSmsc:
    """An SMSC in this process: `async with SimulatedSmsc(settings) as smsc:` listens until the block ends.

    Attributes: host, port (bound), control_port (0: no control), statistics, taken (the latest submits that were
    taken, silent ones included, as log lines; at most settings.remember), settings (change by change()).
    """

    def __init__(self, settings: SmscSettings) -> None:
        self.settings = settings
        self.statistics = SmscStatistics()
        self.taken: deque[SmscSubmitLine] = deque(maxlen=settings.remember)
        self.conditions = Conditions()
        self.host, self.port, self.control_port = settings.listen.host, 0, 0
        first_id = settings.first_id or time.time_ns() // 1_000_000 << FIRST_ID_SHIFT
        self._random = random.Random(settings.seed)
        self._behaviour = SmscBehaviour(settings, self._random.random, first_id)
        self._wires: dict[int, Wire] = {}
        self._links: dict[int, Link] = {}
        self._agenda: Agenda[Due] = Agenda(DELIVERIES_LIMIT + RECEIPTS_OF_A_SUBMIT)
        self._log: SimulatorLog | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_s = float("inf")
        self._ticker: asyncio.TimerHandle | None = None
        self._inbound_turn: InboundTurn | None = None
        self._inbound_made = 0
        self._stopping = False

    # --- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> SimulatedSmsc:
        settings = self.settings
        self._loop = asyncio.get_running_loop()
        if settings.log is not None:
            self._log = SimulatorLog(settings.log, settings.log_fsync)
        self._outbox = Outbox(self._log, self.conditions.look)
        write = None if self._log is None else self._write
        self._postman = Postman(settings, self.statistics, write, self._deliver_later)
        self._write(StartLine(role="smsc", seed=settings.seed))
        self._server = await self._loop.create_server(
            self._new_wire, settings.listen.host, settings.listen.port, ssl=_tls(settings)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._control = ControlDoor(functools.partial(obey, self))
        if settings.control is not None:
            self.control_port = await self._control.open(settings.control)
        self._ticker = self._loop.call_later(TICK_S, self._tick)
        self._plan_inbound()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._server.close()
        await self._control.close()
        for timer in (self._timer, self._ticker):
            if timer is not None:
                timer.cancel()
        wires = list(self._wires.values())
        for wire in wires:
            wire.abort("simulator stopped")
        if wires:
            await asyncio.wait([wire.closed for wire in wires])
        await self._server.wait_closed()
        self._outbox.stop()
        if self._log is not None:
            self._log.close()

    @property
    def failure(self) -> OSError | None:
        """Why the log cannot be kept; None: it can, or there is none."""
        return self._outbox.failure

    async def until(self, condition: Callable[[SmscStatistics], bool], timeout_s: float = 10.0) -> None:
        """Wait until the statistics are so. TimeoutError: not within timeout_s."""
        await self.conditions.wait(lambda: condition(self.statistics), timeout_s)

    def change(self, plain: Mapping[str, object]) -> None:
        """Change settings while running, by plain values. ValueError: unknown, fixed at start, or a bad value."""
        before = self.settings
        self.settings = self._behaviour.settings = self._postman.settings = before.changed(plain)
        if before.receipt_hold and not self.settings.receipt_hold:
            self._postman.release()
        if self.settings.congested != before.congested:
            for link in self._links.values():
                self._show_congestion(link)
        self._plan_inbound()
        self._outbox.wake_log()

    def disconnect(self, how: str = "drop") -> int:
        """End every connection: "drop" resets, "unbind" asks, "half-open" keeps them and understands nothing more.

        Returns how many there were. ValueError: another word.
        """
        if how not in ("drop", "unbind", "half-open"):
            raise ValueError(f"{how!r} is none of drop, unbind, half-open")
        wires = list(self._wires.values())
        for wire in wires:
            if how == "drop":
                wire.abort("dropped on request")
            elif how == "half-open":
                wire.mute()
            elif (link := self._links.get(wire.number)) is not None:
                self._unbind(link)
        return len(wires)

    async def outbind(self, host: str, port: int, system_id: str, password: str) -> None:
        """Call an ESME that listens, and ask it to bind (v3.4 2.2.1). OSError: nobody listens there."""
        _, wire = await self._loop.create_connection(self._new_wire, host, port)
        wire.session.notify(Outbind(system_id=system_id, password=password))
        wire.wake()

    def deliver_inbound(self, source_addr: str, destination_addr: str, text: str, system_id: str = "") -> str:
        """Inject one mobile originated message to a system_id ("": the first that bound); return its ref.

        ValueError: nobody bound by this name, or too many deliveries wait.
        """
        return self._deliver(self._postman.inbound(source_addr, destination_addr, text), system_id)

    def deliver_octets(
        self,
        source_addr: str,
        destination_addr: str,
        octets: str | bytes,
        data_coding: int = 0,
        esm_class: int = 0,
        tlvs: Iterable[tuple[int, str | bytes]] = (),
        as_data_sm: bool = False,
        system_id: str = "",
    ) -> str:
        """The same with any user data, a part of a long message for one; octets and TLVs as octets or hexadecimal."""
        inbound = self._postman.inbound_octets(
            source_addr,
            destination_addr,
            _octets(octets),
            data_coding,
            esm_class,
            tuple((int(tag), _octets(value)) for tag, value in tlvs),
            as_data_sm,
        )
        return self._deliver(inbound, system_id)

    def _deliver(self, inbound: Inbound, system_id: str) -> str:
        mailboxes = self._postman.mailboxes
        mailbox = mailboxes.get(system_id) if system_id else next(iter(mailboxes.values()), None)
        if mailbox is None:
            raise ValueError("nobody bound yet to deliver to")
        if self._crowded():
            raise ValueError(f"{DELIVERIES_LIMIT} deliveries wait already")
        self._postman.accept(mailbox, inbound)
        return inbound.ref

    # --- connections and binds ----------------------------------------------------------------------------------

    def _new_wire(self) -> Wire:
        self.statistics.connections += 1
        limits = msgspec.structs.replace(SMSC_LIMITS, window=self.settings.deliver_window)
        return Wire(self, self._outbox, Role.SMSC, limits, self.statistics.connections)

    def wire_connected(self, wire: Wire) -> None:
        """Wire: somebody connected."""
        self._wires[wire.number] = wire
        if len(self._wires) > CONNECTIONS_LIMIT or self._stopping:
            wire.abort("too many connections")
        elif self.settings.away:
            wire.abort("away")

    def wire_events(self, wire: Wire, events: list[Event]) -> None:
        """Wire: what the session says."""
        link = self._links.get(wire.number)
        for event in events:
            if isinstance(event, BindRequested):
                link = self._answer_bind(wire, event.pdu)
            elif isinstance(event, PduRefused):
                self.statistics.pdus_refused += 1
            elif link is not None:
                self._take_event(link, event)
        if link is not None and link.mailbox.waiting:
            self._postman.pump(link.mailbox)

    def _take_event(self, link: Link, event: Event) -> None:
        """What a bound peer asks or answers."""
        if isinstance(event, RequestReceived):
            self._answer_request(link, event.pdu)
        elif isinstance(event, ResponseReceived) and isinstance(event.context, Delivery):
            self._postman.settle(link, event.context, event.pdu.command_status)
        elif isinstance(event, ResponseOverdue) and isinstance(event.context, Delivery):
            self._postman.take_back(link, [event.context], deliver=True)
        elif isinstance(event, PeerUnbound):
            self._let_unbind(link)

    def wire_writable(self, wire: Wire) -> None:
        """Wire: the peer reads again."""
        link = self._links.get(wire.number)
        if link is not None:
            self._postman.pump(link.mailbox)

    def wire_lost(self, wire: Wire, contexts: list[object]) -> None:
        """Wire: the connection ended; what was not acknowledged waits for another bind."""
        self._wires.pop(wire.number, None)
        self._write(CloseLine(bind=wire.name, reason=wire.closing, unanswered=len(contexts), owed=wire.session.owed))
        link = self._links.pop(wire.number, None)
        if link is None:
            return
        self.statistics.bound -= 1
        link.deliver_no_more()
        deliveries = [context for context in contexts if isinstance(context, Delivery)]
        self._postman.take_back(link, deliveries, deliver=not self._stopping)

    def _answer_bind(self, wire: Wire, bind: Bind) -> Link | None:
        settings, session = self.settings, wire.session
        welcome = bind.system_id == (settings.system_id or bind.system_id) and bind.password == (
            settings.password or bind.password
        )
        mailbox = self._postman.mailbox_of(bind.system_id) if welcome else None
        status = settings.bind_status or (CommandStatus.ESME_RBINDFAIL if mailbox is None else CommandStatus.ESME_ROK)
        wire.name = f"{bind.system_id}#{wire.number}"
        bind_type = type(bind).__name__.removeprefix("Bind").lower()
        self._write(BindLine(bind=wire.name, system_id=bind.system_id, bind_type=bind_type, command_status=status))
        if status or mailbox is None:
            self.statistics.binds_refused += 1
            session.refuse_bind(bind, status)
            return None
        session.accept_bind(bind, settings.system_id or "simulated")
        self.statistics.binds += 1
        self.statistics.bound += 1
        self.statistics.bound_most = max(self.statistics.bound_most, self.statistics.bound)
        link = self._links[wire.number] = Link(wire, bind.system_id, mailbox)
        self._show_congestion(link)
        if session.bind_type is not BindType.TRANSMITTER:
            mailbox.links.append(link)
        return link

    def _show_congestion(self, link: Link) -> None:
        """congestion_state of v5.0 answers (4.8.4.18): 100 is congested, 0 idle."""
        link.wire.session.congestion_state = 100 if self.settings.congested else 0

    def _let_unbind(self, link: Link) -> None:
        self._write(UnbindLine(bind=link.wire.name, by="esme"))
        link.unbinding = True
        link.deliver_no_more()
        self._finish_unbinding(link)

    def _finish_unbinding(self, link: Link) -> None:
        """Close when only answers are owed that will never be given: the session would wait for them."""
        if link.unbinding and link.silent and link.wire.session.owed <= link.silent:
            link.wire.close("unbound by peer, answers withheld")

    def _unbind(self, link: Link) -> None:
        link.deliver_no_more()
        try:
            link.wire.session.unbind()
        except LocalProtocolError:
            return  # it is unbinding already
        self._write(UnbindLine(bind=link.wire.name, by="smsc"))
        link.wire.wake()

    # --- submits ------------------------------------------------------------------------------------------------

    def _answer_request(self, link: Link, pdu: Pdu) -> None:
        wire = link.wire
        if wire.muted or wire.lost:
            return
        link.requests += 1
        settings = self.settings
        if settings.half_open_after and link.requests > settings.half_open_after:
            wire.mute()
            return
        dropping = bool(settings.drop_after) and link.requests > settings.drop_after
        if isinstance(pdu, SubmitSm | DataSm):
            self._take_submit(link, pdu, dropping)
        else:
            status = OTHER_ANSWERS.get(type(pdu), CommandStatus.ESME_RINVCMDID)
            wire.session.respond(pdu, response_to(pdu, status))
        if dropping:
            wire.abort("dropped by setting")
        elif settings.unbind_after and link.requests == settings.unbind_after:
            self._unbind(link)

    def _take_submit(self, link: Link, submit: SubmitSm | DataSm, unanswered: bool) -> None:
        """Judge a submit, log it, then answer it now or later. unanswered: the connection will not live to answer."""
        now_s = self._loop.time()
        if self._crowded():
            verdict = Verdict(Judgement.REFUSED, CommandStatus.ESME_RMSGQFUL, 0, 0.0)
        else:
            verdict = self._behaviour.judge(
                submit.registered_delivery, link.taken + link.silent, link.system_id, now_s, submit.destination_addr
            )
        judgement = verdict.judgement
        if unanswered and judgement is Judgement.TAKEN:
            judgement = Judgement.SILENT
        message_id = dress_id(verdict.number, self.settings.id_dress) if verdict.number else ""
        octets = user_data(submit)
        self._count_submit(link, submit, octets, judgement, verdict.command_status, message_id)
        self._deliver_early(link, submit, octets, verdict, message_id)
        answered_s = now_s
        if judgement is Judgement.SILENT:
            link.silent += 1
        else:
            link.taken += judgement is Judgement.TAKEN
            response = DataSmResp if isinstance(submit, DataSm) else SubmitSmResp
            answer = response(message_id=message_id, command_status=verdict.command_status)
            answered_s += verdict.latency_ms / 1000.0
            if verdict.latency_ms:
                self._remind(answered_s, OwedAnswer(link, submit, answer))
            else:
                self._answer_submit(link, submit, answer)
        for planned in verdict.receipts:
            if planned.early:
                continue
            receipt = self._postman.receipt(submit, octets, planned, verdict.number, message_id)
            due_s = answered_s + planned.delay_ms / 1000.0
            if due_s <= now_s:
                self._postman.accept(link.mailbox, receipt)
            else:
                self._remind(due_s, DueDelivery(link.mailbox, receipt))

    def _deliver_early(
        self, link: Link, submit: SubmitSm | DataSm, octets: bytes, verdict: Verdict, message_id: str
    ) -> None:
        """Deliver those receipts that precede the answer, before all others that wait."""
        early: list[Delivery] = [
            self._postman.receipt(submit, octets, planned, verdict.number, message_id)
            for planned in verdict.receipts
            if planned.early
        ]
        if early:
            self._postman.accept_first(link.mailbox, early)

    def _count_submit(
        self,
        link: Link,
        submit: SubmitSm | DataSm,
        octets: bytes,
        judgement: Judgement,
        command_status: int,
        message_id: str,
    ) -> None:
        statistics = self.statistics
        statistics.submits += 1
        if judgement is Judgement.TAKEN:
            statistics.taken += 1
        elif judgement is Judgement.SILENT:
            statistics.silent += 1
        else:
            statistics.count_refusal(command_status)
        if self._log is None and not (self.settings.remember and judgement is not Judgement.REFUSED):
            return
        line = SmscSubmitLine(
            at_ms=time.time_ns() // 1_000_000,
            verdict=judgement.value,
            command_status=command_status,
            smsc_message_id=message_id,
            source_addr=submit.source_addr,
            destination_addr=submit.destination_addr,
            data_coding=submit.data_coding,
            esm_class=submit.esm_class,
            registered_delivery=submit.registered_delivery,
            short_message=octets.hex(),
            bind=link.wire.name,
            tlvs=tuple((tag, value.hex()) for tag, value in submit.tlvs),
        )
        if judgement is not Judgement.REFUSED:
            self.taken.append(line)
        if self._log is not None:
            self._log.append(line)

    def _answer_submit(self, link: Link, submit: SubmitSm | DataSm, answer: Pdu) -> None:
        wire = link.wire
        link.taken -= not answer.command_status
        if wire.lost or wire.muted or wire.session.close_wanted:
            self.statistics.answers_lost += 1
            return
        wire.session.respond(submit, answer)
        self.statistics.answers += 1
        wire.wake()
        if link.unbinding:
            self._finish_unbinding(link)

    def _crowded(self) -> bool:
        return self._postman.waiting + len(self._agenda) >= DELIVERIES_LIMIT

    # --- time ---------------------------------------------------------------------------------------------------

    def _remind(self, due_s: float, item: Due) -> None:
        self._agenda.add(due_s, item)
        if due_s < self._timer_due_s:
            self._set_timer(due_s)

    def _set_timer(self, due_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due_s = float("inf") if due_s is None else due_s
        if due_s is not None and not self._stopping:
            self._timer = self._loop.call_at(due_s, self._meet_what_is_due)

    def _meet_what_is_due(self) -> None:
        self._timer = None
        self._timer_due_s = float("inf")
        for item in self._agenda.take_due(self._loop.time()):
            if isinstance(item, OwedAnswer):
                self._answer_submit(item.link, item.submit, item.response)
            elif isinstance(item, DueDelivery):
                self._postman.accept(item.mailbox, item.delivery)
            elif item is self._inbound_turn:
                self._make_inbound(item)
        next_due_s = self._agenda.next_due_s()
        if next_due_s is not None and next_due_s < self._timer_due_s:
            self._set_timer(next_due_s)
        self._outbox.wake_log()

    def _tick(self) -> None:
        now_s = time.monotonic()
        for wire in list(self._wires.values()):
            wire.tick(now_s)
        self.conditions.look()
        self._ticker = self._loop.call_later(TICK_S, self._tick)

    def _deliver_later(self, mailbox: Mailbox[Link], delivery: Delivery) -> None:
        """Postman: a delivery was refused as temporary."""
        self._remind(self._loop.time() + DELIVER_AGAIN_S, DueDelivery(mailbox, delivery))

    def _plan_inbound(self) -> None:
        """Start, keep or end the stream of mobile originated messages, by inbound_rate."""
        rate = self.settings.inbound_rate
        if not rate:
            self._inbound_turn = None
        elif self._inbound_turn is None:
            self._inbound_turn = InboundTurn(self._loop.time())
            self._remind(self._inbound_turn.due_s, self._inbound_turn)

    def _make_inbound(self, turn: InboundTurn) -> None:
        """The inbound messages due by now, to the system_ids in turn; none before somebody bound."""
        settings, now_s = self.settings, self._loop.time()
        made = 0
        while turn.due_s <= now_s and made < INBOUND_CATCH_UP_LIMIT:
            turn.due_s += 1.0 / settings.inbound_rate
            made += 1
            system_ids = list(self._postman.mailboxes)
            if not system_ids or self._crowded():
                self.statistics.inbound_dropped += 1
                continue
            self.deliver_inbound(
                complete_number(settings.inbound_from, self._random.random),
                settings.inbound_to,
                self._random.choice(SUBSCRIBER_TEXTS),
                system_ids[self._inbound_made % len(system_ids)],
            )
            self._inbound_made += 1
        turn.due_s = max(turn.due_s, now_s - 1.0)
        self._remind(turn.due_s, turn)

    def _write(self, line: LogLine) -> None:
        if self._log is not None:
            line.at_ms = time.time_ns() // 1_000_000
            self._log.append(line)
            self._outbox.wake_log()

    # --- control ------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, object]:
        """The statistics and what waits, as plain values."""
        return dataclasses.asdict(self.statistics) | {
            "waiting": self._postman.waiting,
            "planned": len(self._agenda),
            "system_ids": len(self._postman.mailboxes),
        }

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(self.host, self.port)

    @property
    def control_endpoint(self) -> Endpoint | None:
        """Where it is steered from; None: no control port."""
        control = self.settings.control
        return None if control is None else Endpoint(control.host, self.control_port)


def _octets(given: str | bytes) -> bytes:
    return bytes.fromhex(given) if isinstance(given, str) else given


def _tls(settings: SmscSettings) -> ssl.SSLContext | None:
    """The listener's context; None: no TLS. OSError: a file cannot be used."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
