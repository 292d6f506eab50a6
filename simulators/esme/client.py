"""The ESME simulator on the wire: binds, submits within window and rate, takes receipts, comes back after failures.

SMPP v3.4 chapters 2 and 4, through gateway.smpp's session. Order inside: life, binds, sending, receiving, the end.
What must not enter: what is sent (workload.py) and whether it came out right (tally.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

import msgspec

from gateway.smpp.command_status import CommandStatus, status_name
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    BindAccepted,
    BindRefused,
    Event,
    LateResponse,
    PeerUnbound,
    RequestReceived,
    ResponseOverdue,
    ResponseReceived,
)
from gateway.smpp.pdus import DataSm, DeliverSm, DeliverSmResp, Pdu, SubmitSmResp, response_to
from gateway.smpp.session import ESME_LIMITS
from gateway.smpp.session_states import BindType, Role
from simulators.esme.settings import BindPlan, EsmeSettings
from simulators.esme.tally import EsmeSummary, Tally
from simulators.esme.workload import Submission, Workload
from simulators.log import (
    BindLine,
    CloseLine,
    EsmeInboundLine,
    EsmeReceiptLine,
    EsmeResponseLine,
    EsmeSubmitLine,
    EsmeUnansweredLine,
    LogLine,
    SimulatorLog,
    StartLine,
    UnbindLine,
)
from simulators.receipt_text import is_receipt, parse_receipt
from simulators.token_bucket import TokenBucket
from simulators.user_data import user_data
from simulators.waiting import Conditions
from simulators.wire import Outbox, Wire

NEVER_READ_WINDOW = 1_000_000  # a client that never reads has no answers to wait for; chosen
TURN_LIMIT = 500  # submits of one bind in one loop turn, so that a full socket is noticed; chosen
TICK_S = 0.05  # how often timers, retries and conditions are looked at; chosen
RATE_BURST_S = 0.02  # what a paced ESME may catch up at once, in seconds of its rate; chosen
RETRY_S = 0.5  # before a temporarily refused submit is sent again; chosen
CONNECT_ATTEMPT_S = 10.0  # one TCP connect, as the gateway's own client; defaults page
RECONNECT_FIRST_S, RECONNECT_LAST_S = 0.1, 2.0  # doubling, with jitter; chosen, to come back soon in fault tests
STOP_S = 3.0  # after stop(), for answers and receipts still to come; chosen, below a supervisor's patience
UNBIND_S = 5.0  # wait for unbind_resp at the end; chosen
TEMPORARY = frozenset(
    (
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RX_T_APPN,
    )
)


class BindHere:
    """One bind of the plan, over its connections. may_send: bound, and of a type that submits."""

    __slots__ = ("bind_type", "may_send", "was_bound", "wire")

    def __init__(self, bind_type: BindType) -> None:
        self.bind_type = bind_type
        self.wire: Wire | None = None
        self.may_send = False
        self.was_bound = False


class SimulatedEsme:
    """An ESME in this process: `async with SimulatedEsme(settings) as esme: summary = await esme.finish()`.

    It connects and sends from the moment the block begins. Attributes: settings, tally, summary (as of now), bound.
    """

    def __init__(self, settings: EsmeSettings) -> None:
        self.settings = settings
        seeded = random.Random(settings.seed)
        self._chance = seeded.random
        receives = settings.bind_type is not BindPlan.TRANSMITTER
        self.tally = Tally(settings.registered_delivery & 0x03 == 1 and receives, random.Random(settings.seed).random)
        self.workload = Workload(settings, seeded.random, f"{time.time_ns() // 1_000_000:x}.{settings.seed}")
        self.bound = 0
        self.conditions = Conditions()
        self._binds = [BindHere(bind_type) for _ in range(settings.binds) for bind_type in _bind_types(settings)]
        self._by_wire: dict[int, BindHere] = {}
        self._again: deque[tuple[float, Submission]] = deque()  # (when, what); delays are equal, so times ascend
        self._log: SimulatorLog | None = None
        self._stop = asyncio.Event()
        self._stop_by_s = float("inf")  # loop time until which a stopped run still waits
        self._time_over = False  # `seconds` have passed
        self._connections = 0
        self._living = 0  # binds that still try
        self._paced = False
        self._outstanding = 0

    @property
    def summary(self) -> EsmeSummary:
        """The counts of this moment."""
        return self.tally.summary

    # --- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> SimulatedEsme:
        settings = self.settings
        self._loop = asyncio.get_running_loop()
        if settings.log is not None:
            self._log = SimulatorLog(settings.log, settings.log_fsync)
            self._write(StartLine(role="esme", seed=settings.seed))
        self._outbox = Outbox(self._log, self.conditions.look)
        self._outbox.wake_log()
        self._started_s = self._sent_s = self._bound_s = self._loop.time()
        self._bucket = TokenBucket(settings.rate or 1.0, settings.rate * RATE_BURST_S, self._started_s)
        self._ticker = self._loop.call_later(TICK_S, self._tick)
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._living = len(self._binds)
        self._tasks = [self._group.create_task(self._keep_bound(bind)) for bind in self._binds]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._ticker.cancel()
        wires = [bind.wire for bind in self._binds if bind.wire is not None and not bind.wire.lost]
        for wire in wires:
            wire.abort("simulator stopped")
        if wires:
            await asyncio.wait([wire.closed for wire in wires])
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
        self._outbox.stop()
        if self._log is not None:
            self._log.close()

    async def until(self, condition: Callable[[EsmeSummary], bool], timeout_s: float = 10.0) -> None:
        """Wait until the summary is so. TimeoutError: not within timeout_s."""
        await self.conditions.wait(lambda: condition(self.summary), timeout_s)

    async def finish(self) -> EsmeSummary:
        """Wait until all is submitted and settled, verify where asked, unbind, and return the summary."""
        settings = self.settings
        await self.conditions.wait(self._settled, None)
        complete = self._all_submitted() and not self._outstanding
        sending_s = self._sent_s - self._started_s
        if settings.verify_receipts and not self._failure():
            with contextlib.suppress(TimeoutError):
                await self.conditions.wait(self._verifiable, settings.receipt_timeout_s)
        await self._unbind_all()
        failure = self._failure()
        if failure:
            self.summary.problem = failure
        return self.tally.close(sending_s, settings.verify_receipts, complete and not failure)

    def stop(self) -> None:
        """Send no more texts; finish() returns when what is outstanding came, after STOP_S at the latest."""
        self.workload.stop()
        self._stop.set()
        self._stop_by_s = self._loop.time() + STOP_S
        self.conditions.look()

    def _failure(self) -> str:
        if self._outbox.failure is not None:
            return f"the log cannot be kept: {self._outbox.failure}"
        if self.summary.problem and not self._all_submitted():
            return self.summary.problem
        return ""

    def _all_submitted(self) -> bool:
        if self.settings.bind_type is BindPlan.RECEIVER:
            return True
        return self.workload.exhausted and not self._again

    def _settled(self) -> bool:
        """Nothing more to submit and no answer to come, or nobody left to submit it."""
        if not self._living or self._outbox.failure is not None:
            return True
        if self._stop.is_set():
            return not self._outstanding or self._loop.time() >= self._stop_by_s
        if self.settings.bind_type is BindPlan.RECEIVER:
            return self._time_over  # it listens until it is stopped, or for `seconds`
        return self._all_submitted() and not self._outstanding

    def _verifiable(self) -> bool:
        """All receipts came, or nothing more will."""
        return not self.tally.awaited or not self._living or self._loop.time() >= self._stop_by_s

    # --- binds --------------------------------------------------------------------------------------------------

    async def _keep_bound(self, bind: BindHere) -> None:
        """Connect and bind; again after each end, when the settings say so."""
        settings = self.settings
        delay_s = RECONNECT_FIRST_S
        try:
            while not self._stop.is_set():
                wire = await self._connect(bind)
                if wire is not None:
                    await wire.closed
                if not settings.reconnect or self._stop.is_set():
                    return
                if not self.bound and self._loop.time() - self._bound_s > settings.connect_timeout_s:
                    self.summary.problem = f"no bind for {settings.connect_timeout_s:g} s"
                    return
                delay_s = RECONNECT_FIRST_S if bind.was_bound else min(delay_s * 2, RECONNECT_LAST_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay_s * (0.5 + self._chance() / 2)):
                        await self._stop.wait()
        finally:
            self._living -= 1
            self.conditions.look()

    async def _connect(self, bind: BindHere) -> Wire | None:
        settings = self.settings
        limits = msgspec.structs.replace(
            ESME_LIMITS,
            window=NEVER_READ_WINDOW if settings.never_read else settings.window,
            response_timeout_s=settings.response_timeout_s,
        )

        def new_wire() -> Wire:
            self._connections += 1
            return Wire(self, self._outbox, Role.ESME, limits, self._connections, settings.octet_at_a_time)

        bind.was_bound = False
        try:
            async with asyncio.timeout(CONNECT_ATTEMPT_S):
                _, wire = await self._loop.create_connection(new_wire, settings.connect.host, settings.connect.port)
        except OSError as error:  # TimeoutError is one
            self.summary.problem = f"cannot connect to {settings.connect}: {error or 'no answer'}"
            return None
        bind.wire = wire
        if wire.lost:
            return wire
        self._by_wire[wire.number] = bind
        wire.name = f"{settings.system_id}#{wire.number}"
        wire.session.bind(bind.bind_type, settings.system_id, settings.password)
        wire.wake()
        return wire

    def wire_connected(self, wire: Wire) -> None:
        """Wire: connected; _connect() goes on."""

    def wire_lost(self, wire: Wire, contexts: list[object]) -> None:
        """Wire: the connection ended; the submits it took along are unanswered."""
        bind = self._by_wire.pop(wire.number, None)
        if bind is None:
            return
        if bind.was_bound:
            self.bound -= 1
            self._bound_s = self._loop.time()
        bind.may_send = False
        for context in contexts:
            if isinstance(context, Submission):
                self._give_up(context, "closed")
        if not self._stop.is_set():
            self.summary.problem = self.summary.problem or f"connection ended: {wire.closing}"
        owed = wire.session.owed
        self._write(CloseLine(bind=wire.name, reason=wire.closing, unanswered=len(contexts), owed=owed))
        self._fill_all()

    def wire_writable(self, wire: Wire) -> None:
        """Wire: the server reads again."""
        self._fill_all()

    def _take_bind_answer(self, wire: Wire, bind: BindHere, status: int) -> None:
        settings = self.settings
        self._write(
            BindLine(
                bind=wire.name, system_id=settings.system_id, bind_type=bind.bind_type.value, command_status=status
            )
        )
        if status:
            self.summary.problem = f"bind refused: {status_name(status)}"
            return
        self.summary.binds += 1
        self.summary.problem = ""
        self.bound += 1
        bind.was_bound = True
        bind.may_send = bind.bind_type is not BindType.RECEIVER
        if settings.never_read:
            wire.stop_reading()

    # --- sending ------------------------------------------------------------------------------------------------

    def _fill(self, bind: BindHere) -> None:
        """Submit over one bind as far as window and rate allow."""
        wire = bind.wire
        if not bind.may_send or wire is None or wire.paused or wire.lost:
            return
        session = wire.session
        room = min(session.window_free, TURN_LIMIT)
        while room > 0:
            submission = self._next()
            if submission is None:
                return
            room -= 1
            submission.tries += 1
            self._outstanding += 1
            self.summary.submitted += 1
            pdu = submission.pdu
            if self._log is not None:
                self._write(
                    EsmeSubmitLine(
                        ref=submission.ref,
                        source_addr=pdu.source_addr,
                        destination_addr=pdu.destination_addr,
                        data_coding=pdu.data_coding,
                        esm_class=pdu.esm_class,
                        short_message=submission.octets.hex(),
                        bind=wire.name,
                    )
                )
            session.request(pdu, submission)
            wire.wake()
        if session.window_free > 0:
            self._pace(0.0)

    def _next(self) -> Submission | None:
        """The next submission that is due and within the rate; the timer is set when time alone is missing."""
        settings, now_s = self.settings, self._loop.time()
        repeats = bool(self._again) and self._again[0][0] <= now_s
        if not repeats and self.workload.exhausted:
            return None
        if settings.rate and not self._bucket.take(now_s):
            self._pace(self._bucket.wait_s())
            return None
        return self._again.popleft()[1] if repeats else self.workload.next()

    def _pace(self, wait_s: float) -> None:
        if not self._paced:
            self._paced = True
            self._loop.call_later(wait_s, self._fill_paced)

    def _fill_paced(self) -> None:
        self._paced = False
        self._fill_all()

    def _fill_all(self) -> None:
        """Let every bind submit; each time another one first, so that a rate is shared evenly."""
        self._binds.append(self._binds.pop(0))
        for bind in self._binds:
            if bind.may_send and bind.wire is not None:
                bind.wire.tick(time.monotonic())
                self._fill(bind)

    def _give_up(self, submission: Submission, why: str) -> None:
        """A submit stays unanswered; it is submitted again only where the settings say so."""
        self._outstanding -= 1
        self.summary.unanswered += 1
        self._sent_s = self._loop.time()
        again = self.settings.resend and not self._stop.is_set()
        self._write(EsmeUnansweredLine(ref=submission.ref, why=why, again=again))
        if again:
            self.summary.again += 1
            self._again.append((self._loop.time(), submission))

    # --- receiving ----------------------------------------------------------------------------------------------

    def wire_events(self, wire: Wire, events: list[Event]) -> None:
        """Wire: what the session says."""
        bind = self._by_wire.get(wire.number)
        if bind is None:
            return
        for event in events:
            if isinstance(event, ResponseReceived | LateResponse):
                self._take_response(event)
            elif isinstance(event, RequestReceived):
                self._answer_request(wire, event.pdu)
            elif isinstance(event, ResponseOverdue) and isinstance(event.context, Submission):
                self._give_up(event.context, "overdue")
            elif isinstance(event, BindAccepted):
                self._take_bind_answer(wire, bind, 0)
            elif isinstance(event, BindRefused):
                self._take_bind_answer(wire, bind, event.pdu.command_status)
            elif isinstance(event, PeerUnbound):
                bind.may_send = False
                self._write(UnbindLine(bind=wire.name, by="smsc"))
        self._fill(bind)

    def _take_response(self, event: ResponseReceived | LateResponse) -> None:
        submission, pdu = event.context, event.pdu
        if not isinstance(submission, Submission):
            return
        late = isinstance(event, LateResponse)
        if not late:
            self._outstanding -= 1
        now_s = self._sent_s = self._loop.time()
        latency_ms = (time.monotonic() - event.sent_at) * 1000.0
        status = pdu.command_status
        message_id = pdu.message_id if isinstance(pdu, SubmitSmResp) else ""
        self.tally.answered(message_id, status_name(status) if status else "", latency_ms, late)
        if self._log is not None:
            self._write(EsmeResponseLine(ref=submission.ref, message_id=message_id, command_status=status, late=late))
        if status in TEMPORARY and self.settings.retry and not late and not self._stop.is_set():
            self.summary.again += 1
            self._again.append((now_s + RETRY_S, submission))

    def _answer_request(self, wire: Wire, pdu: Pdu) -> None:
        """A receipt or a mobile originated message: into the books and the log, then acknowledged."""
        if not isinstance(pdu, DeliverSm | DataSm):
            wire.session.respond(pdu, response_to(pdu, CommandStatus.ESME_RINVCMDID))
            return
        octets = user_data(pdu)
        if is_receipt(pdu.esm_class):
            message_id, stat, err = parse_receipt(octets, pdu.tlvs)
            self.tally.receipt(message_id, stat)
            if self._log is not None:
                self._write(EsmeReceiptLine(message_id=message_id, stat=stat, err=err))
        else:
            self.summary.inbound += 1
            self._write(
                EsmeInboundLine(
                    source_addr=pdu.source_addr,
                    destination_addr=pdu.destination_addr,
                    data_coding=pdu.data_coding,
                    esm_class=pdu.esm_class,
                    short_message=octets.hex(),
                )
            )
        wire.session.respond(pdu, DeliverSmResp() if isinstance(pdu, DeliverSm) else response_to(pdu))

    # --- time and the end ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now_s = self._loop.time()
        for bind in self._binds:
            if bind.wire is not None:
                bind.wire.tick(time.monotonic())
        if self.settings.seconds and now_s - self._started_s >= self.settings.seconds:
            self._time_over = True
            self.workload.stop()
        if self._again:
            self._fill_all()
        self.conditions.look()
        self._ticker = self._loop.call_later(TICK_S, self._tick)

    async def _unbind_all(self) -> None:
        """Unbind what is bound and wait for the connections to end, UNBIND_S at most."""
        self._stop.set()
        closing = []
        for bind in self._binds:
            wire = bind.wire
            bind.may_send = False
            if wire is None or wire.lost:
                continue
            try:
                wire.session.unbind()
            except LocalProtocolError:
                wire.abort("not bound at the end")
                continue
            self._write(UnbindLine(bind=wire.name, by="esme"))
            wire.wake()
            closing.append(wire.closed)
        if closing and not self.settings.never_read:
            await asyncio.wait(closing, timeout=UNBIND_S)

    def _write(self, line: LogLine) -> None:
        if self._log is not None:
            line.at_ms = time.time_ns() // 1_000_000
            self._log.append(line)


def _bind_types(settings: EsmeSettings) -> tuple[BindType, ...]:
    if settings.bind_type is BindPlan.PAIR:
        return BindType.TRANSMITTER, BindType.RECEIVER
    return (BindType(settings.bind_type.value),)
