"""One bind towards a carrier: connecting, binding, reconnecting, and the octets in between.

Source: smpp-answers, "Client link". A shell around gateway.smpp.Session; what it reads it hands to its connector.
What must not enter: what an answer means for a message, windows of other links, storage.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from time import monotonic
from typing import Protocol, cast

from gateway.crash_points import crash_point
from gateway.egress.adaptive_window import AdaptiveWindow, Noted
from gateway.egress.profile import CarrierProfile
from gateway.egress.reconnect import End, Reconnects
from gateway.egress.tls_client import pin_fault, why_not
from gateway.message import Message
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.events import BindAccepted, BindRefused, CloseReason, CloseRequired, Event
from gateway.smpp.pdus import Pdu, SubmitSm
from gateway.smpp.session import Session, SessionLimits
from gateway.smpp.session_states import BindType, Role
from gateway.wall_clock import wall_ms

log = logging.getLogger("passerelle.egress")

STEADY_S = 10.0  # chosen: a bind that stood so long was a good one, and its end begins with the shortest pause
CLOSE_PATIENCE_S = 5.0  # chosen: a peer that does not read its last octets by then never will
WRITE_LIMIT = 1 << 18  # chosen: octets buffered towards a carrier that does not read
BIND_STATUS_ALREADY = 0x05
CREDENTIAL_STATUSES = (0x0D, 0x0E, 0x0F, 0x53)


class LinkOwner(Protocol):
    """Who a link belongs to."""

    def take_events(self, link: CarrierLink, events: list[Event]) -> None:
        """What the carrier said, in order."""
        ...

    def take_loss(self, link: CarrierLink, contexts: list[object], why: str) -> None:
        """The link is gone; these requests were written and not answered."""
        ...

    def may_write(self) -> bool:
        """Whether this node still holds its place."""
        ...

    @property
    def window(self) -> AdaptiveWindow:
        """How many requests the carrier may owe answers for on each of its links."""
        ...

    def take_unsent(self, parts: list[tuple[Message, int]]) -> None:
        """The link is gone before these parts were written: surely not sent."""
        ...


class CarrierLink(asyncio.Protocol):
    """One bind. `run` lives as long as the connector; the protocol methods belong to the connection of the moment."""

    def __init__(self, owner: LinkOwner, profile: CarrierProfile, number: int, bind_type: BindType) -> None:
        self._owner = owner
        self._profile = profile
        self.number = number
        self.bind_type = bind_type
        self.state = "connecting"
        self.leaving = False  # it is to end: nothing new is sent on it
        self.bound_since: float | None = None
        self.last_fault: tuple[int, str] | None = None  # when (Unix milliseconds), and why it ended unasked
        self.session: Session | None = None
        self.backlog: deque[tuple[SubmitSm, tuple[Message, int]]] = deque()  # parts that wait for the window
        self.generation = 0
        self.noted: dict[int, Noted] = {}  # by sequence_number: what was sent while the window is watched
        self._transport: asyncio.Transport | None = None
        self._closed: asyncio.Future[str] | None = None
        self._paused = False
        self._flushing = False
        self._refused_with = 0
        self._peer_fault = ""  # why the other end is not our carrier
        self._held: deque[float] = deque()  # since when answers are missing that still hold a place in the window
        self._addresses = ((profile.host, profile.port), *profile.more_addresses)
        self._reconnects = Reconnects(len(self._addresses), profile.reconnect_max_s, profile.sticky_address)
        self._bound_for_s = 0.0
        self._closing_since: float | None = None
        self._lost_since: float | None = None

    # -- room

    @property
    def bound(self) -> bool:
        """Whether messages may be sent on it now."""
        return self.state == "bound" and not self._paused and not self.leaving

    @property
    def owed(self) -> bool:
        """Whether parts on it still wait for the window, or for their answers."""
        return bool(self.backlog) or (self.session is not None and self.session.unanswered > 0)

    def free(self) -> int:
        """How many parts the window takes now."""
        if not self.bound or self.session is None or self.bind_type is BindType.RECEIVER:
            return 0
        # smpp-answers: while answers are overdue the window is not filled again
        return self.session.window_free - len(self._held) - len(self.backlog)

    @property
    def idle(self) -> bool:
        """Whether it could take a message of more parts than its window, bit by bit."""
        return self.bound and not self.backlog and not self._held and not (self.session and self.session.unanswered)

    @property
    def peer(self) -> str:
        """The address it is connected to, or tries next."""
        host, port = self._addresses[self._reconnects.place]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def hold_place(self) -> None:
        """An answer is missing. While the carrier's silence may be its load, its place is not filled again."""
        self._held.append(monotonic())

    def free_place(self) -> None:
        """A missing answer came."""
        if self._held:
            self._held.popleft()

    def _free_places(self, now: float) -> None:
        """Answers that are missing for so long never come: their policy has decided. Where a whole window is missing,
        a new session may do better.
        """
        freed = False
        if len(self._held) >= self._owner.window.window and now - self._held[0] > self._profile.in_doubt_grace_s:
            self.lose("the carrier lives and answers no submit_sm")
            return
        while self._held and now - self._held[0] > self._profile.in_doubt_grace_s:
            self._held.popleft()
            freed = True
        if freed:
            self._owner.take_events(self, [])

    def submit(self, parts: list[tuple[SubmitSm, tuple[Message, int]]]) -> None:
        """Write parts, as far as the window goes; the rest follows as it frees."""
        assert self.session is not None
        self._wind_clock(self.session)
        for pdu, context in parts:
            if self.session.window_free > 0 and not self.backlog:
                self._request(self.session, pdu, context)
            else:
                self.backlog.append((pdu, context))

    def _request(self, session: Session, pdu: SubmitSm, context: tuple[Message, int]) -> None:
        sequence_number = session.request(pdu, context)
        if self._owner.window.watching:
            self.noted[sequence_number] = self._owner.window.note(session.unanswered)

    def _wind_clock(self, session: Session) -> None:
        """Requests take their time from the session's clock, which stands still between reads."""
        events = session.tick(monotonic())
        if events:
            self._hand_over(events)

    def _drain_backlog(self) -> None:
        while self.backlog and self.session is not None and self.session.window_free > 0:
            self._request(self.session, *self.backlog.popleft())

    def respond(self, generation: int, sequence_number: int, response: Pdu) -> None:
        """Answer a request of the carrier, if the connection that brought it still stands."""
        if generation == self.generation and self.session is not None and not self.session.close_wanted:
            self.session.respond(sequence_number, response)

    def flush(self) -> None:
        """Write what the session has to say; without the node's lease it stays unsaid."""
        if self._transport is None or self.session is None or not self._owner.may_write():
            return
        octets = self.session.data_to_send()
        if octets:
            self._transport.write(octets)
        if self.session.close_wanted:
            if self.session.close_reason is CloseReason.NO_ENQUIRE_LINK_RESP:
                self._transport.abort()  # nobody reads there: the old socket goes before a new one is opened
            else:
                self._transport.close()

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop: several submits of one commit make one write."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flushing = False
        self.flush()
        crash_point("send.written")

    def tick(self) -> None:
        """Let the session's timers fire."""
        session = self.session
        if session is None or self._transport is None:
            return
        deadline = session.next_deadline()
        now = monotonic()
        if self._lost_since is not None and (not session.unanswered or now - self._lost_since > CLOSE_PATIENCE_S):
            self._transport.abort()
            return
        self._free_places(now)
        if session.close_wanted:
            self._closing_since = self._closing_since or now
            if now - self._closing_since > CLOSE_PATIENCE_S:
                self._transport.abort()
            return
        if deadline is not None and now >= deadline:
            self._hand_over(session.tick(now))

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        link = cast(asyncio.Transport, transport)  # uvloop: a transport by its methods, not by its class
        self._transport = link
        link.set_write_buffer_limits(high=WRITE_LIMIT)
        profile = self._profile
        self._peer_fault = _peer_fault(link, profile)
        if self._peer_fault:
            link.abort()
            return
        self.generation += 1
        self.session = Session(
            Role.ESME,
            SessionLimits(
                window=profile.window,
                bind_timeout_s=profile.bind_timeout_s,
                enquire_link_interval_s=profile.enquire_link_s,
                enquire_link_timeout_s=profile.enquire_link_timeout_s,
                response_timeout_s=profile.response_timeout_s,
            ),
            monotonic(),
        )
        self.session.window = self._owner.window.window
        self.state = "binding"
        self.session.bind(
            self.bind_type,
            profile.system_id,
            profile.password,
            profile.system_type,
            profile.interface_version,
        )
        self.flush()

    def adopt(self, transport: asyncio.Transport) -> None:
        """Bind over a connection that the carrier opened (outbind, v3.4 2.2.1)."""
        self._closed = asyncio.get_running_loop().create_future()
        self.connection_made(transport)

    def cut(self) -> None:
        """End the connection at once: its owner is stopping."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        session = self.session
        if session is None:
            return
        events = session.tick(monotonic())
        events += session.receive_data(data)
        self._hand_over(events)

    def _hand_over(self, events: list[Event]) -> None:
        for event in events:
            kind = type(event)
            if kind is BindAccepted:
                self.state = "bound"
                self.bound_since = monotonic()
                log.info("carrier_bound", extra={"connector": self._profile.name, "link": self.number})
            elif kind is BindRefused:
                self._refused_with = event.pdu.command_status  # type: ignore[union-attr]  # kind says it
            elif kind is CloseRequired and self.state == "bound":
                self.state = "closing"
        if events:
            self._owner.take_events(self, events)
        if self.backlog:
            self._drain_backlog()
        self.flush()

    def lose(self, why: str) -> None:
        """Give the connection up: it is of no use as it is. Nothing more is written; answers that are due are
        waited for,
        but not for long. `run` opens a new connection.
        """
        if self._transport is None or self._lost_since is not None:
            return
        log.warning("carrier_link_given_up", extra={"connector": self._profile.name, "link": self.number, "why": why})
        self._lost_since = monotonic()
        self.state = "closing"
        unsent = [context for _, context in self.backlog]
        self.backlog.clear()
        if unsent:
            self._owner.take_unsent(unsent)

    def pause_reading(self) -> None:
        """Read nothing more for now: what was read is not settled yet."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._owner.take_events(self, [])

    def connection_lost(self, exc: Exception | None) -> None:
        session, self.session = self.session, None
        self._transport = None
        self.state = "connecting"
        self._bound_for_s = monotonic() - self.bound_since if self.bound_since is not None else 0.0
        self._closing_since = None
        self._lost_since = None
        self.bound_since = None
        self._paused = False
        backlog = [context for _, context in self.backlog]
        self.backlog.clear()
        reason = session.close_reason if session is not None and session.close_reason else None
        self._held.clear()
        self.noted.clear()
        why = str(self._peer_fault or reason or exc or "connection closed by the carrier")
        if session is not None:
            self._owner.take_loss(self, session.abandon(), why)
        if backlog:
            self._owner.take_unsent(backlog)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(why)

    # -- life

    async def run(self) -> None:
        """Keep the link up until cancelled: connect, bind, wait for its end, pause, again."""
        while True:
            self._refused_with = 0
            self._bound_for_s = 0.0
            address = self.peer
            why = await self._live_once()
            end = self._end()
            pause_s = self._reconnects.after(end, random.uniform)
            self._tell_end(end, address, why, pause_s)
            await asyncio.sleep(pause_s)

    def _tell_end(self, end: End, address: str, why: str, pause_s: float) -> None:
        name = self._profile.name
        self.last_fault = wall_ms(), _status_of(self._refused_with) or why
        log.warning(
            "carrier_link_down",
            extra={
                "connector": name,
                "link": self.number,
                "address": address,
                "why": why,
                "status": self._refused_with,
            },
        )
        if end == "refused":
            remedy = "correct system_id, password or system_type, or ask the carrier"
            log.error(
                "carrier_bind_refused",
                extra={
                    "connector": name,
                    "link": self.number,
                    "address": address,
                    "again_s": pause_s,
                    "remedy": remedy,
                },
            )

    def _end(self) -> End:
        """How the connection of before ended."""
        if self._refused_with == BIND_STATUS_ALREADY:
            return "already_bound"
        if self._refused_with in CREDENTIAL_STATUSES:
            return "refused"
        return "steady" if self._bound_for_s > STEADY_S else "failed"

    async def _live_once(self) -> str:
        """One connection from its opening to its end; why it ended."""
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        profile = self._profile
        host, port = self._addresses[self._reconnects.place]
        tls = profile.tls
        try:
            async with asyncio.timeout(profile.connect_timeout_s):
                if tls is None:
                    await loop.create_connection(lambda: self, host, port)
                else:
                    name = tls.server_name or host
                    await loop.create_connection(lambda: self, host, port, ssl=tls.context, server_hostname=name)
        except (OSError, TimeoutError) as fault:
            return why_not(fault) or "no connection in time"
        try:
            return await self._closed
        finally:
            self.cut()  # cancelled: the node is stopping

    async def unbind(self, patience_s: float) -> None:
        """Say goodbye: unbind and wait for the end of the connection, or for our patience to end."""
        if self.session is None or self.state != "bound" or self._closed is None:
            return
        self._wind_clock(self.session)
        if self.session is None or self.session.close_wanted:
            return
        self.state = "closing"
        self.session.unbind()
        self.flush()
        try:
            async with asyncio.timeout(patience_s):
                await asyncio.shield(self._closed)
        except TimeoutError:
            log.warning("carrier_unbind_unanswered", extra={"connector": self._profile.name, "link": self.number})


def _status_of(refused_with: int) -> str:
    """How the carrier refused the bind, by its name; "": it did not."""
    if not refused_with:
        return ""
    try:
        return CommandStatus(refused_with).name
    except ValueError:
        return f"0x{refused_with:08X}"


def _peer_fault(transport: asyncio.Transport, profile: CarrierProfile) -> str:
    """Why the other end of a TLS connection is not the carrier that the profile knows; "": it is."""
    if profile.tls is None:
        return ""
    return pin_fault(transport.get_extra_info("ssl_object").getpeercert(binary_form=True), profile.tls)
