"""A carrier by SMPP: several binds behind one contract (gateway.connector), one pace, one window each.

Source: smpp-answers "As a client"; SMPP v3.4 4.4, 4.6. Turns messages into submit_sm, answers into outcomes, deliver_sm
into receipts and inbound messages. What must not enter: routing, retries in time (lifecycle), storage.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from math import ceil
from time import monotonic
from typing import Any, cast

import msgspec

from gateway.connector import (
    ConnectorEvent,
    Doubtful,
    Health,
    InboundArrived,
    ReceiptArrived,
    Rejected,
    Taken,
    TryLater,
)
from gateway.egress.adaptive_rate import AdaptiveRate
from gateway.egress.adaptive_window import AdaptiveWindow, Noted
from gateway.egress.answers import UNMAPPED, AnswerRule, rule_for
from gateway.egress.carrier_link import CarrierLink
from gateway.egress.held_links import HeldLinks
from gateway.egress.inbound_pdus import inbound_of
from gateway.egress.outbind import OutbindDoor
from gateway.egress.outcomes import outcome_of, write_as_wanted
from gateway.egress.profile import CarrierProfile
from gateway.egress.submit_parts import WHOLE, Part, parts_of
from gateway.lease import Lease
from gateway.message import PART_IN_DOUBT, PART_QUEUED, PART_SUBMITTED, Message
from gateway.pace import Pace
from gateway.receipts.parse import is_receipt, read_receipt
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.events import (
    Event,
    LateResponse,
    RequestReceived,
    ResponseOverdue,
    ResponseReceived,
    UnexpectedResponse,
)
from gateway.smpp.pdus import (
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    Pdu,
    SubmitSmResp,
    read_as,
)
from gateway.smpp.session_states import BindType
from gateway.tallies import Tallies

log = logging.getLogger("passerelle.egress")

TICK_S = 0.2  # chosen: resolution of the links' timers
QUEUE_FULL_PAUSE_S, QUEUE_FULL_SPAN_S, QUEUE_FULL_MANY = 60.0, 10.0, 3  # smpp-answers: several in 10 s
QUEUE_FULL_SHARE = 0.01  # chosen: of what is taken meanwhile; fewer are no full queue
EVENTS_LIMIT = 50_000  # chosen: unsettled events of a carrier, past which we stop reading from it

RECEIPT_COVERS = {"payload": PART_QUEUED + PART_SUBMITTED + PART_IN_DOUBT, "last": PART_SUBMITTED}

Token = tuple[CarrierLink, int, int, bool]  # link, its connection, sequence_number, whether it was a data_sm


class SmppConnector:
    """One carrier. `run` keeps its links up; the lifecycle submits, follows events(), acknowledges."""

    def __init__(
        self, profile: CarrierProfile, health: dict[str, Health], tallies: Tallies, lease: Lease | None = None
    ) -> None:
        """lease: without it nothing is written; None: this node is known to be the only one."""
        self.profile = profile
        self._lease = lease
        self.name = profile.name
        self.connector_id = profile.connector_id
        self.room = asyncio.Event()
        self._health = health
        self._tallies = tallies
        self._reserved = 0
        self._filled = False  # whether somebody wanted more room than the windows had, since the last tick
        self._pace = Pace(profile.tps, monotonic())
        self._paused_until = 0.0
        self.rate = AdaptiveRate(profile.tps, monotonic())
        self.window = AdaptiveWindow(profile.window, monotonic())
        self._queue_full_at: list[tuple[float, int]] = []  # when, and how many were taken before
        self._timer: asyncio.Handle | None = None
        self._wake_at = 0.0  # loop time for which the timer is set
        self._events: list[ConnectorEvent] = []
        self._happened = asyncio.Event()
        self.suspended = False
        self._bound_elsewhere = False
        self.receipt_covers = RECEIPT_COVERS.get(profile.long_messages) or RECEIPT_COVERS.get(profile.part_receipts, "")
        self.links = [
            CarrierLink(self, profile, number, BindType(bind_type))
            for number, bind_type in enumerate(profile.bind_types)
        ]
        self._held = HeldLinks(tuple(self.links), profile.response_timeout_s)
        self.outbind_door: OutbindDoor | None = None
        if profile.outbind_listen is not None:
            called = CarrierLink(self, profile, len(self.links), BindType.RECEIVER)
            self.outbind_door = OutbindDoor(profile, called)
            self.links.append(called)
        self._senders = [link for link in self.links if link.bind_type is not BindType.RECEIVER]
        health[self.name] = "down"

    @property
    def health(self) -> Health:
        """up: at least one link is bound, here or on another node."""
        return self._health[self.name]

    @property
    def bound(self) -> int:
        """How many links are bound here that may send."""
        return sum(link.state == "bound" and not link.leaving for link in self._senders)

    @property
    def bind_groups(self) -> tuple[tuple[int, ...], ...]:
        kinds = [kind != BindType.RECEIVER.value for kind in self.profile.bind_types]
        groups = (tuple(n for n, sends in enumerate(kinds) if sends is wanted) for wanted in (True, False))
        return tuple(group for group in groups if group)

    @property
    def bind_count(self) -> int:
        return len(self.profile.bind_types)

    @property
    def open_binds(self) -> frozenset[int]:
        return self._held.open

    def hold(self, numbers: frozenset[int], of: int) -> None:
        self._held.hold(numbers)
        receivers = [n for n, kind in enumerate(self.profile.bind_types) if kind == BindType.RECEIVER.value]
        senders = len(numbers.difference(receivers))
        if senders:  # without any nothing is sent
            self.rate.share(min(1.0, senders / (max(of, self.bind_count) - len(receivers))))
            self._follow(monotonic())

    def take_out(self, is_out: bool) -> None:
        self.suspended = is_out
        self._update_health()
        self.room.set()

    def rebind(self) -> None:
        """End every bind once nothing is owed on it, and open it anew."""
        self._held.renew()

    def note_elsewhere(self, is_bound: bool) -> None:
        self._bound_elsewhere = is_bound
        self._update_health()

    # ------------------------------------------------------------------ room

    def reserve(self, parts: int, spare: float = 0.0) -> bool:
        now = monotonic()
        if self.suspended:
            return False
        if now < self._paused_until:
            self._ask_again_at(self._paused_until)
            return False
        free = 0
        for link in self._senders:
            free += link.free()
        if spare:
            free -= self._kept_free(spare)
        if free - self._reserved < parts and (self._reserved or not any(link.idle for link in self._senders)):
            self._filled = True
            return False
        if not self._pace.take(parts, now, spare):
            self._ask_again_at(self._pace.ready_at(parts, now, spare))
            return False
        self._reserved += parts
        return True

    def _kept_free(self, spare: float) -> int:
        """How many parts of all windows that is: at least one, where a window of more than one part allows it."""
        whole = sum(link.session.window for link in self._senders if link.bound and link.session is not None)
        return min(ceil(whole * spare), max(0, whole - 1))

    def _ask_again_at(self, moment: float) -> None:
        """Wake the sender then; one timer however often it asks. A timer may fire a moment early: then it asks
        again.
        """
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.001, moment - monotonic())
        if self._timer is not None:
            if self._wake_at <= when:
                return
            self._timer.cancel()
        self._wake_at = when
        self._timer = loop.call_at(when, self._wake)  # uvloop: below a millisecond a handle that knows no `when`

    def _wake(self) -> None:
        self._timer = None  # uvloop's clock stands still within a turn: it cannot tell whether a timer has fired
        self.room.set()

    def give_back(self, parts: int) -> None:
        self._reserved -= parts
        self._pace.put_back(parts)
        self.room.set()

    # ------------------------------------------------------------------ sending

    def submit(self, messages: list[Message]) -> list[Message]:
        unsent = []
        touched: set[CarrierLink] = set()
        for message in messages:
            self._reserved -= message.part_count
            link = max((each for each in self._senders if each.bound), key=CarrierLink.free, default=None)
            if link is None:
                unsent.append(message)
                continue
            if message.dialect:
                write_as_wanted(message)
            parts = parts_of(message, self.profile)
            if isinstance(parts, str):
                for part_no, letter in enumerate(message.part_states):
                    if letter == PART_QUEUED:
                        self._put(Rejected(message, part_no, parts, elsewhere=True))
                continue
            link.submit(parts)
            touched.add(link)
            self._tallies.parts_submitted[self.name] += len(parts)
        for link in touched:
            link.flush_soon()
        return unsent

    def may_write(self) -> bool:
        """Whether this node still holds its place: what a stale one writes, another may have written too."""
        return self._lease is None or self._lease.is_valid()

    # ------------------------------------------------------------------ what links tell

    def take_events(self, link: CarrierLink, events: list[Event]) -> None:
        for event in events:
            kind = type(event)
            if kind is ResponseReceived:
                self._answered(link, event)  # type: ignore[arg-type]  # kind says it
            elif kind is RequestReceived:
                self._asked(link, event.pdu)  # type: ignore[union-attr]
            elif kind is ResponseOverdue:
                message, part_no = _part(event.context)  # type: ignore[union-attr]
                self._put(Doubtful(message, part_no, "no answer in time"))
                link.hold_place()
                link.noted.clear()  # nobody waits for the judgement of what may never be answered
                if link.session is not None:
                    link.session.enquire_link()
            elif kind is LateResponse:
                link.free_place()
                self._answered_late(event)  # type: ignore[arg-type]
            elif kind is UnexpectedResponse:
                self._tallies.carrier_answers[self.name, "unexpected"] += 1  # whose it was, nobody can tell
        self._update_health()
        self.room.set()
        if len(self._events) > EVENTS_LIMIT:
            for each in self.links:
                each.pause_reading()

    def take_loss(self, link: CarrierLink, contexts: list[object], why: str) -> None:
        for context in contexts:
            if isinstance(context, tuple):
                self._put(Doubtful(context[0], context[1], why))
        self._update_health()
        self._happened.set()

    def take_unsent(self, parts: list[Part]) -> None:
        for message, part_no in parts:
            self._put(TryLater(message, part_no, 0, "link lost before it was written"))

    def _update_health(self) -> None:
        bound = self._bound_elsewhere or any(link.bound for link in self._senders)
        self._health[self.name] = "suspended" if self.suspended else "up" if bound else "down"

    def _put(self, event: ConnectorEvent) -> None:
        self._events.append(event)
        self._happened.set()

    def _answered(self, link: CarrierLink, event: ResponseReceived) -> None:
        message, part_no = _part(event.context)
        pdu = event.pdu
        noted = link.noted.pop(pdu.sequence_number, None) if link.noted else None
        if pdu.command_status == 0 and type(pdu) is SubmitSmResp:
            if noted is not None:
                self.window.taken(noted)
            self._tallies.submit_latency[self.name].observe(monotonic() - event.sent_at)
            self._put(Taken(message, part_no, pdu.message_id))
            self._tallies.carrier_answers[self.name, "taken"] += 1
            return
        status = pdu.command_status or CommandStatus.ESME_RUNKNOWNERR
        rule = rule_for(status, self.profile.status_map)
        if rule.kind in ("throttle", "queue_full"):
            self._slow_down(rule.kind, noted)
        self._put(self._refused(message, part_no, status, rule))
        if rule.kind == "link":
            link.lose(f"the carrier answers {_status_name(status)}: it knows no bind of ours")

    def _refused(self, message: Message, part_no: int, status: int, rule: AnswerRule) -> ConnectorEvent:
        why = _status_name(status)
        self._tallies.carrier_answers[self.name, rule.kind] += 1
        if rule.alarm:
            unmapped = "yes" if rule is UNMAPPED else "no"
            log.error("carrier_refusal", extra={"connector": self.name, "status": why, "unmapped": unmapped})
        return outcome_of(rule, message, part_no, why, self.profile)

    def _answered_late(self, event: LateResponse) -> None:
        message, part_no = _part(event.context)
        if event.pdu.command_status == 0 and type(event.pdu) is SubmitSmResp:
            self._put(Taken(message, part_no, event.pdu.message_id, late=True))

    def _asked(self, link: CarrierLink, pdu: Pdu) -> None:
        if isinstance(pdu, DeliverSm):
            token: Token = (link, link.generation, pdu.sequence_number, False)
        elif isinstance(pdu, DataSm):
            token = (link, link.generation, pdu.sequence_number, True)
            pdu = read_as(pdu, DeliverSm)
        else:
            link.respond(link.generation, pdu.sequence_number, GenericNack(command_status=CommandStatus.ESME_RINVCMDID))
            return
        if is_receipt(pdu.esm_class):
            self._put(ReceiptArrived(read_receipt(pdu), pdu.short_message, token))
        else:
            self._put(inbound_of(pdu, token, self.profile.alphabet))

    # ------------------------------------------------------------------ pace

    def _slow_down(self, kind: str, noted: Noted | None) -> None:
        """Throttled, or its queue is full: for the window, for the rate, or for itself."""
        now, before = monotonic(), self.window.window
        if self.window.refused(noted, now):
            self._take_window(before)
        elif kind == "queue_full":
            self._note_queue_full()
        elif self.rate.throttled(self._tallies.carrier_answers[self.name, "taken"], now):
            rate, pace = self.rate, self._pace
            pace.rate_per_s, pace.burst_s = rate.rate_per_s, rate.burst_s
            pace.start_over(rate.paused_until)
            self._pause_until(rate.paused_until)
            log.info("carrier_throttles", extra={"connector": self.name, "rate_per_s": round(rate.rate_per_s, 1)})

    def _follow(self, now: float) -> None:
        """What was learnt of rate and window, a few times a second."""
        rate, pace, window, before = self.rate, self._pace, self.window, self.window.window
        if window.judge(any(link.noted for link in self._senders), now):
            rate.forget(now)  # it was the window that was refused: nothing pauses for it
            self._paused_until = now
            self._queue_full_at.clear()
        taken = self._tallies.carrier_answers[self.name, "taken"]
        rate.tick(taken, now)
        if pace.rate_per_s != rate.rate_per_s or pace.burst_s != rate.burst_s:
            pace.rate_per_s, pace.burst_s = rate.rate_per_s, rate.burst_s
            self.room.set()
        window.tick(taken, self._tallies.submit_latency[self.name].total_s, self._filled, now)
        self._filled = False
        self._take_window(before)

    def _take_window(self, before: int) -> None:
        """Each link's window is what was learnt, if it was."""
        window = self.window.window
        if window == before:
            return
        for link in self._senders:
            if link.session is not None:
                link.session.window = window
        self.room.set()
        log.info("carrier_window", extra={"connector": self.name, "window": window, "before": before})

    def _note_queue_full(self) -> None:
        """Several in a short time pause, unless they are a few among thousands that it takes."""
        now, taken = monotonic(), self._tallies.carrier_answers[self.name, "taken"]
        found = [each for each in self._queue_full_at if now - each[0] < QUEUE_FULL_SPAN_S] + [(now, taken)]
        self._queue_full_at = found
        if len(found) >= QUEUE_FULL_MANY and (taken - found[0][1]) * QUEUE_FULL_SHARE < len(found):
            self._queue_full_at.clear()
            self._pause_until(now + QUEUE_FULL_PAUSE_S)

    def _pause_until(self, moment: float) -> None:
        self._paused_until = max(self._paused_until, moment)
        self._ask_again_at(self._paused_until)

    # ------------------------------------------------------------------ contract

    async def events(self) -> AsyncIterator[list[ConnectorEvent]]:
        while True:
            await self._happened.wait()
            self._happened.clear()
            events, self._events = self._events, []
            if len(events) > EVENTS_LIMIT:
                for link in self.links:
                    link.resume_reading()
            if events:
                yield events if self.profile.long_messages != "payload" else list(_for_each_part(events))

    def acknowledge(self, tokens: list[Any], stored: bool) -> None:
        touched: set[CarrierLink] = set()
        status = CommandStatus.ESME_ROK if stored else CommandStatus.ESME_RX_T_APPN
        for link, generation, sequence_number, was_data_sm in tokens:
            response = DataSmResp(command_status=status) if was_data_sm else DeliverSmResp(command_status=status)
            link.respond(generation, sequence_number, response)
            touched.add(link)
        for link in touched:
            link.flush()

    async def run(self) -> None:
        """Keep all links up until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.outbind_door is not None and self.profile.outbind_listen is not None:
                tasks.create_task(self.outbind_door.run(*self.profile.outbind_listen))
            while True:
                self._held.look(tasks)
                await asyncio.sleep(TICK_S)
                for link in self.links:
                    link.tick()
                self._follow(monotonic())
                self._update_health()

    async def unbind(self, patience_s: float) -> None:
        """End all sessions politely."""
        await asyncio.gather(*(link.unbind(patience_s) for link in self.links))


def _part(context: object) -> Part:
    """What submit() gave along with a request: only submit_sm carries a context."""
    return cast(Part, context)


def _for_each_part(events: list[ConnectorEvent]) -> Iterator[ConnectorEvent]:
    """The outcome of a PDU that carried a whole message, as one for each of its parts (sentence 2 of the contract)."""
    for event in events:
        kind = type(event)
        if kind is ReceiptArrived or kind is InboundArrived or event.part_no != WHOLE:  # type: ignore[union-attr]
            yield event
        else:
            for part_no in range(event.message.part_count):  # type: ignore[union-attr]  # an outcome
                yield msgspec.structs.replace(event, part_no=part_no)


def _status_name(status: int) -> str:
    try:
        return CommandStatus(status).name
    except ValueError:
        return f"0x{status:08X}"
