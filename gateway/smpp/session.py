"""The conversation with one peer, for both roles: octets in, events out; requests in, octets out.

SMPP v3.4 sections 2.2 to 2.9, v5.0 the same. The session frames, decodes, answers what needs nobody's decision
(enquire_link, refusals, unbind), numbers requests and watches its deadlines.
No socket, no clock and no decision about a message may enter: time comes by tick(), decisions by respond().
"""

from __future__ import annotations

from typing import cast

import msgspec

from gateway.smpp.codec import decode_frame, encode_pdu
from gateway.smpp.command_status import CommandStatus as Status
from gateway.smpp.errors import LocalProtocolError, PduUnacceptable, WindowFull
from gateway.smpp.events import (
    BindAccepted,
    BindRefused,
    BindRequested,
    CloseReason,
    CloseRequired,
    Event,
    LateResponse,
    NotificationReceived,
    PduRefused,
    PeerUnbound,
    RequestReceived,
    ResponseOverdue,
    ResponseReceived,
    UnexpectedResponse,
)
from gateway.smpp.fields import CONGESTION_STATE, MESSAGE_PAYLOAD, SC_INTERFACE_VERSION
from gateway.smpp.pdus import (
    RESPONSE_BIT,
    RESPONSE_TYPES,
    Bind,
    BindResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    Unbind,
    UnbindResp,
    response_to,
)
from gateway.smpp.session_states import (
    BIND_TYPES,
    BINDS,
    BOUND,
    BOUND_STATES,
    MAY_NOTIFY,
    MAY_REQUEST,
    REACTIONS,
    BindType,
    Reaction,
    Role,
    SessionState,
    spoken_version,
)
from gateway.smpp.timers import (
    ESME_LIMITS,
    SMSC_LIMITS,
    Due,
    SessionLimits,
    TimerFacts,
    count_in_minute,
    deadlines,
)
from gateway.smpp.walk import HEADER, HEADER_OCTETS

__all__ = ["ESME_LIMITS", "SMSC_LIMITS", "BindType", "Role", "Session", "SessionLimits", "SessionState"]

MAX_SEQUENCE_NUMBER = 0x7FFFFFFF  # v3.4 5.1.4

_GENERIC_NACK = GenericNack.command_id
_ASK = Reaction.ASK
_RESPONSE = Reaction.RESPONSE
_NOTHING_PERMITTED: frozenset[int] = frozenset()
_NOTHING_READ: dict[int, Reaction] = {}
_CLOSES = {
    Due.NO_BIND: CloseReason.NO_BIND,
    Due.NO_BIND_RESP: CloseReason.NO_BIND_RESP,
    Due.PARTIAL_HEADER: CloseReason.PARTIAL_HEADER,
    Due.PARTIAL_PDU: CloseReason.PARTIAL_PDU,
    Due.NO_ENQUIRE_LINK_RESP: CloseReason.NO_ENQUIRE_LINK_RESP,
    Due.INACTIVE: CloseReason.INACTIVE,
}


class Waited(msgspec.Struct):
    """A request of ours on its way: which command_id answers it, whose it is, since when."""

    response_id: int
    context: object
    sent_at: float


class Session:
    """One SMPP session. Not thread-safe, never blocks, never raises for what the peer sent.

    Attributes to read: role, limits, state, bind_type (None before bound), system_id (of the ESME, "" before bound),
    interface_version (0x33, 0x34 or 0x50: what both speak), owed (requests received and not answered yet),
    chatter (PDUs received so far that brought nothing: enquire_link, what was refused, unexpected responses),
    close_wanted, close_reason. Attributes to set: congestion_state (0..100 or None), added to answers of v5 binds;
    window (of limits, at first), how many requests of ours may be without answer.

    A shell, once per read: session.tick(now); events = session.receive_data(octets); ...; then it writes
    session.data_to_send(). It ticks also when now >= session.next_deadline(). After each it looks at close_wanted.
    A session that speaks 0x33 sends no TLVs: it drops them, except message_payload, which is a LocalProtocolError.
    """

    __slots__ = (
        "_enquire_link_sent_at",
        "_last_octets_at",
        "_last_pdu_at",
        "_may_request",
        "_needed",
        "_now",
        "_out",
        "_overdue",
        "_own",
        "_partial",
        "_partial_since",
        "_pending",
        "_reactions",
        "_response_timeout_s",
        "_sequence_number",
        "_state_since",
        "_tolerant",
        "_unanswered",
        "_unbind_sequence_number",
        "_unexpected",
        "_unexpected_since",
        "_wake",
        "bind_type",
        "chatter",
        "close_reason",
        "close_wanted",
        "congestion_state",
        "interface_version",
        "limits",
        "owed",
        "role",
        "state",
        "system_id",
        "window",
    )

    def __init__(self, role: Role, limits: SessionLimits | None = None, now: float = 0.0) -> None:
        """A session on a connection opened at `now` (seconds of any monotonic clock).

        limits: SMSC_LIMITS or ESME_LIMITS by role when None.
        """
        self.role = role
        self.limits = limits or (SMSC_LIMITS if role is Role.SMSC else ESME_LIMITS)
        self.bind_type: BindType | None = None
        self.system_id = ""
        self.interface_version = 0x34
        self.owed = 0
        self.chatter = 0
        self.congestion_state: int | None = None
        self.close_wanted = False
        self.close_reason: CloseReason | None = None
        self._now = now
        self._enter(SessionState.OPEN)
        self._tolerant = role is Role.ESME
        self.window = self.limits.window
        self._response_timeout_s = self.limits.response_timeout_s
        self._out: list[bytes] = []
        self._pending: list[Event] = []  # events of calls that return none; given by the next tick or receive
        self._partial = bytearray()  # the beginning of a PDU
        self._partial_since = now  # when it began
        self._needed = HEADER_OCTETS  # how many octets _partial must have before it is worth another look
        self._last_octets_at = now
        self._last_pdu_at = now
        self._sequence_number = 1
        self._unanswered: dict[int, Waited] = {}  # in order of sending: the first is the next deadline
        self._overdue: dict[int, Waited] = {}
        self._own: dict[int, int] = {}  # bind, enquire_link, unbind of ours: sequence_number -> response_id
        self._enquire_link_sent_at: float | None = None
        self._unbind_sequence_number: int | None = None
        self._unexpected = 0
        self._unexpected_since = now

    # --- octets and time ------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[Event]:
        """Take octets from the peer, in any chunking; return what they mean. After close_wanted: nothing new."""
        events, self._pending = self._pending, []
        if self.close_wanted or not data:
            return events
        self._last_octets_at = self._now
        continued = bool(self._partial)
        if continued:
            self._partial += data
            if len(self._partial) < self._needed:
                if self._needed == HEADER_OCTETS:
                    self._wake = self._now  # the length may have become known, and be impossible
                return events
            data = bytes(self._partial)
            self._partial.clear()
        read = self._read_frames(data, events)
        if read < len(data) and not self.close_wanted:
            if read or not continued:
                self._partial_since = self._now
                self._wake = min(self._wake, self._now + self.limits.partial_pdu_timeout_s)
            self._keep_partial(data, read)
        return events

    def _read_frames(self, data: bytes, events: list[Event]) -> int:
        """Read every whole PDU in data; return how many octets that took."""
        at = 0
        size = len(data)
        max_pdu = self.limits.max_pdu
        unpack = HEADER.unpack_from
        tolerant = self._tolerant
        while size - at >= HEADER_OCTETS:
            command_length, command_id, command_status, sequence_number = unpack(data, at)
            if not HEADER_OCTETS <= command_length <= max_pdu:
                self._give_up_framing(sequence_number, events)
                return at
            end = at + command_length
            if end > size:
                break
            frame = data[at:end]
            at = end
            reaction = self._reactions.get(command_id)
            if reaction is _ASK:
                pdu = decode_frame(frame, command_id, command_status, sequence_number, tolerant)
                if type(pdu) is PduUnacceptable:
                    self._refuse(pdu, events)
                else:
                    self.owed += 1
                    events.append(RequestReceived(pdu))  # type: ignore[arg-type]  # not PduUnacceptable: above
            elif reaction is _RESPONSE:
                self._take_response(frame, command_id, command_status, sequence_number, events)
            else:
                self._take_other(reaction, frame, command_id, sequence_number, events)
            if self.close_wanted:
                break
        if at:
            self._last_pdu_at = self._now
        return at

    def _keep_partial(self, data: bytes, read: int) -> None:
        self._partial += data[read:]
        self._needed = HEADER_OCTETS
        if len(self._partial) >= HEADER_OCTETS:
            self._needed = int.from_bytes(self._partial[:4], "big")
        else:
            self._wake = self._now  # a header has begun: its deadline runs

    def data_to_send(self) -> bytes:
        """Take all octets waiting to be sent; b"" when there are none."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def tick(self, now: float) -> list[Event]:
        """Set the session's clock; do what is due. Cheap when nothing is. Call before each receive_data."""
        self._now = now
        events, self._pending = self._pending, []
        if now < self._wake:
            return events
        for deadline, due in deadlines(self.limits, self._timer_facts()):
            if deadline <= now and not self.close_wanted:
                self._meet(due, events)
        self._wake = min(
            (deadline for deadline, _ in deadlines(self.limits, self._timer_facts())), default=float("inf")
        )
        return events

    def next_deadline(self) -> float | None:
        """When tick() is next needed (the session's clock, seconds); None: nothing is awaited."""
        if self._pending:
            return self._now
        return min((deadline for deadline, _ in deadlines(self.limits, self._timer_facts())), default=None)

    def _timer_facts(self) -> TimerFacts:
        oldest = next(iter(self._unanswered.values()), None)
        header = self._partial if 0 < len(self._partial) < HEADER_OCTETS else None
        return TimerFacts(
            role=self.role,
            state=self.state,
            state_since=self._state_since,
            last_octets_at=self._last_octets_at,
            last_pdu_at=self._last_pdu_at,
            partial_header=header is not None,
            corrupt_header=header is not None and self._is_corrupt(header),
            partial_since=self._partial_since if self._partial else None,
            enquire_link_sent_at=self._enquire_link_sent_at,
            oldest_request_at=None if oldest is None else oldest.sent_at,
        )

    def _is_corrupt(self, header: bytearray) -> bool:
        return len(header) >= 4 and not HEADER_OCTETS <= int.from_bytes(header[:4], "big") <= self.limits.max_pdu

    def _meet(self, due: Due, events: list[Event]) -> None:
        match due:
            case Due.RESPONSE_OVERDUE:
                self._report_overdue(events)
            case Due.ENQUIRE_LINK:
                self.enquire_link()
            case Due.CORRUPT_HEADER:
                self._give_up_framing(0, events)
            case Due.UNBIND if self.state is SessionState.PEER_UNBINDING:
                self._answer_unbind(events)
            case Due.UNBIND:
                self._close(CloseReason.NO_UNBIND_RESP, events)
            case _:
                self._close(_CLOSES[due], events)

    # --- what a shell asks ----------------------------------------------------------------------------------------

    @property
    def heard_at(self) -> float:
        """When the last octet came, on the session's clock."""
        return self._last_octets_at

    @property
    def window_free(self) -> int:
        """How many requests may be sent now: 0 when not bound or the window is full."""
        return max(0, self.window - len(self._unanswered)) if self._may_request else 0

    @property
    def unanswered(self) -> int:
        """Requests of ours (by request()) without answer and not overdue."""
        return len(self._unanswered)

    @property
    def overdue(self) -> int:
        """Requests reported as ResponseOverdue whose late response has not come; they hold no place in the window."""
        return len(self._overdue)

    def request(self, pdu: Pdu, context: object = None) -> int:
        """Send a request; return the sequence_number it got (also set in pdu).

        LocalProtocolError: not permitted in this state, or a value that no field can hold. WindowFull: no room.
        """
        if pdu.command_id not in self._may_request:
            raise LocalProtocolError(f"{type(pdu).__name__} is not sent as {self.role} in state {self.state.value}")
        unanswered = self._unanswered
        if len(unanswered) >= self.window:
            raise WindowFull(f"{len(unanswered)} requests are unanswered")
        sequence_number = self._take_sequence_number()
        pdu.sequence_number = sequence_number
        if self.interface_version < 0x34 and pdu.tlvs:
            _drop_tlvs(pdu)
        self._out.append(encode_pdu(pdu))
        now = self._now
        if not unanswered and now + self._response_timeout_s < self._wake:
            self._wake = now + self._response_timeout_s
        unanswered[sequence_number] = Waited(pdu.command_id | RESPONSE_BIT, context, now)
        return sequence_number

    def respond(self, request: Pdu | int, response: Pdu) -> None:
        """Answer a RequestReceived, by its PDU or its sequence_number; sets response.sequence_number.

        After the last owed answer of an unbinding peer: sends unbind_resp and sets close_wanted. When the session is
        closed already, the answer is dropped.
        LocalProtocolError: nothing is owed, or the response is of another type than the request's.
        """
        if self.close_wanted:
            return
        if self.owed < 1:
            raise LocalProtocolError("no request is waiting for an answer")
        if type(request) is int:
            response.sequence_number = request
        else:
            request = cast(Pdu, request)  # isinstance would ask an ABC: 0.5 us an answer
            if response.command_id not in (request.command_id | RESPONSE_BIT, _GENERIC_NACK):
                raise LocalProtocolError(f"{type(response).__name__} does not answer {type(request).__name__}")
            response.sequence_number = request.sequence_number
        if self.interface_version != 0x34:
            self._dress(response)
        self._out.append(encode_pdu(response))
        self.owed -= 1
        if self.state is SessionState.PEER_UNBINDING and not self.owed:
            self._answer_unbind(self._pending)

    def notify(self, pdu: Pdu) -> int:
        """(SMSC) Send alert_notification (bound) or outbind (open), which have no answer; return the sequence_number.

        LocalProtocolError: not permitted in this state, or a value that no field can hold.
        """
        if pdu.command_id not in MAY_NOTIFY[self.role].get(self.state, _NOTHING_PERMITTED):
            raise LocalProtocolError(f"{type(pdu).__name__} is not sent as {self.role} in state {self.state.value}")
        pdu.sequence_number = self._take_sequence_number()
        if self.interface_version < 0x34 and pdu.tlvs:
            _drop_tlvs(pdu)
        self._out.append(encode_pdu(pdu))
        return pdu.sequence_number

    def accept_bind(self, request: Bind, system_id: str = "") -> None:
        """(SMSC) Answer a BindRequested with ESME_ROK; system_id is ours. The session is bound from here.

        Dropped when the session closed meanwhile. LocalProtocolError: no bind is waiting.
        """
        if self.close_wanted:
            return
        self._require_binding(Role.SMSC)
        self.interface_version = spoken_version(request.interface_version)
        response = RESPONSE_TYPES[request.command_id](sequence_number=request.sequence_number)
        assert isinstance(response, BindResp)
        response.system_id = system_id
        if self.interface_version >= 0x34:
            response.tlvs = ((SC_INTERFACE_VERSION, bytes((self.interface_version,))),)
        if self.interface_version >= 0x50:
            self._dress(response)
        self._out.append(encode_pdu(response))
        self.system_id = request.system_id
        self._become_bound(BIND_TYPES[request.command_id])

    def refuse_bind(self, request: Bind, command_status: int, close: bool = True) -> None:
        """(SMSC) Answer a BindRequested with a refusal; close_wanted unless close is False (then OPEN again).

        Dropped when the session closed meanwhile. LocalProtocolError: no bind is waiting.
        """
        if self.close_wanted:
            return
        self._require_binding(Role.SMSC)
        self._out.append(encode_pdu(response_to(request, command_status)))
        self._enter(SessionState.OPEN)
        if close:
            self._close(CloseReason.BIND_REFUSED, self._pending)

    def bind(
        self,
        bind_type: BindType,
        system_id: str,
        password: str,
        system_type: str = "",
        interface_version: int = 0x34,
        addr_ton: int = 0,
        addr_npi: int = 0,
        address_range: str = "",
    ) -> int:
        """(ESME) Ask to bind: BindAccepted, BindRefused or CloseRequired follows. Returns the sequence_number.

        LocalProtocolError: not OPEN, not ESME, or a value that no field can hold.
        """
        if self.role is not Role.ESME or self.state is not SessionState.OPEN:
            raise LocalProtocolError(f"bind is not sent as {self.role} in state {self.state.value}")
        request = BINDS[bind_type](
            system_id=system_id,
            password=password,
            system_type=system_type,
            interface_version=interface_version,
            addr_ton=addr_ton,
            addr_npi=addr_npi,
            address_range=address_range,
        )
        sequence_number = self._send_own(request)
        self.bind_type = bind_type
        self.system_id = system_id
        self.interface_version = spoken_version(interface_version)
        self._enter(SessionState.BINDING)
        return sequence_number

    def unbind(self) -> int:
        """Ask to unbind; CloseRequired follows. Answer what is owed before; request() is no longer permitted.

        LocalProtocolError: not bound.
        """
        if self.state not in BOUND:
            raise LocalProtocolError(f"unbind is not sent in state {self.state.value}")
        sequence_number = self._send_own(Unbind())
        self._enter(SessionState.UNBINDING)
        return sequence_number

    def enquire_link(self) -> int | None:
        """Ask the peer for a sign of life now; None when one is already asked for or the session is not bound."""
        if self._enquire_link_sent_at is not None or self.state not in BOUND:
            return None
        self._enquire_link_sent_at = self._now
        self._wake = self._now
        return self._send_own(EnquireLink())

    def abandon(self) -> list[object]:
        """The connection is gone: close the session, forget all requests.

        Returns the contexts of requests neither answered nor reported overdue, oldest first: in doubt from here.
        """
        self.close_wanted = True
        self._enter(SessionState.CLOSED)
        contexts = [waited.context for waited in self._unanswered.values()]
        self._unanswered.clear()
        self._overdue.clear()
        self._own.clear()
        return contexts

    # --- what a peer says -----------------------------------------------------------------------------------------

    def _take_response(
        self, frame: bytes, command_id: int, command_status: int, sequence_number: int, events: list[Event]
    ) -> None:
        waiting = self._unanswered
        waited = waiting.get(sequence_number)
        if waited is None:
            waiting = self._overdue
            waited = waiting.get(sequence_number)
        if waited is not None and command_id in (waited.response_id, _GENERIC_NACK):
            pdu = decode_frame(frame, command_id, command_status, sequence_number, True)
            if type(pdu) is PduUnacceptable:  # no answer to an answer; the request will be overdue
                events.append(PduRefused(pdu))
                return
            del waiting[sequence_number]
            answer = ResponseReceived if waiting is self._unanswered else LateResponse
            events.append(answer(cast(Pdu, pdu), waited.context, waited.sent_at))
            return
        own = self._own.get(sequence_number)
        if own is not None and command_id in (own, _GENERIC_NACK):
            del self._own[sequence_number]
            self._take_own_response(frame, own, command_id, command_status, sequence_number, events)
            return
        self.chatter += 1
        events.append(UnexpectedResponse(command_id, sequence_number, command_status))
        self._unexpected_since, self._unexpected = count_in_minute(self._unexpected_since, self._unexpected, self._now)
        if self._unexpected > self.limits.max_unexpected_responses_per_minute:
            self._close(CloseReason.UNEXPECTED_RESPONSES, events)

    def _take_own_response(
        self,
        frame: bytes,
        waited_id: int,
        command_id: int,
        command_status: int,
        sequence_number: int,
        events: list[Event],
    ) -> None:
        if waited_id == EnquireLinkResp.command_id:
            self._enquire_link_sent_at = None  # any answer is a sign of life
            self._wake = self._now
        elif waited_id == UnbindResp.command_id:
            self._close(CloseReason.UNBOUND_BY_US, events)
        else:
            self._take_bind_resp(decode_frame(frame, command_id, command_status, sequence_number, True), events)

    def _take_bind_resp(self, pdu: Pdu | PduUnacceptable, events: list[Event]) -> None:
        if isinstance(pdu, BindResp) and pdu.command_status == Status.ESME_ROK and self.bind_type is not None:
            stated = pdu.tlv(SC_INTERFACE_VERSION)
            # many centres that speak v3.4 do not state it: silence is v3.4, never less
            theirs = spoken_version(stated[0]) if stated else 0x34
            self.interface_version = min(self.interface_version, theirs)
            self._become_bound(self.bind_type)
            events.append(BindAccepted(pdu, self.interface_version))
            return
        self.bind_type = None
        if isinstance(pdu, BindResp | GenericNack):
            events.append(BindRefused(pdu))
        elif isinstance(pdu, PduUnacceptable):
            events.append(PduRefused(pdu))
        self._close(CloseReason.BIND_REFUSED, events)

    def _take_other(
        self, reaction: Reaction | None, frame: bytes, command_id: int, sequence_number: int, events: list[Event]
    ) -> None:
        """What is neither the shell's request nor a response."""
        match reaction:
            case Reaction.ENQUIRE:
                self.chatter += 1
                self._out.append(encode_pdu(EnquireLinkResp(sequence_number=sequence_number)))
            case Reaction.BIND | Reaction.NOTE:
                self._take_for_shell(frame, command_id, sequence_number, events)
            case Reaction.UNBIND:
                self._unbind_sequence_number = sequence_number
                self._enter(SessionState.PEER_UNBINDING)
                events.append(PeerUnbound())
                if not self.owed:
                    self._answer_unbind(events)
            case Reaction.WRONG_STATE:
                self._refuse_by(command_id, sequence_number, Status.ESME_RINVBNDSTS, "not in this state", events)
            case Reaction.ALREADY_BOUND:
                self._refuse_by(command_id, sequence_number, Status.ESME_RALYBND, "second bind", events)
            case Reaction.BROADCAST if self.interface_version >= 0x50:
                self._refuse_by(command_id, sequence_number, Status.ESME_RPROHIBITED, "no cell broadcast", events)
            case Reaction.IGNORE:
                pass
            case _:
                self._refuse_by(command_id, sequence_number, Status.ESME_RINVCMDID, "unknown command_id", events)

    def _take_for_shell(self, frame: bytes, command_id: int, sequence_number: int, events: list[Event]) -> None:
        pdu = decode_frame(frame, command_id, 0, sequence_number, self._tolerant)
        if isinstance(pdu, PduUnacceptable):
            self._refuse(pdu, events)
        elif isinstance(pdu, Bind):
            self._enter(SessionState.BINDING)
            events.append(BindRequested(pdu))
        else:
            events.append(NotificationReceived(pdu))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _refuse_by(
        self, command_id: int, sequence_number: int, command_status: Status, detail: str, events: list[Event]
    ) -> None:
        self._refuse(PduUnacceptable(command_id, sequence_number, command_status, detail), events)

    def _refuse(self, unacceptable: PduUnacceptable, events: list[Event]) -> None:
        """Answer where an answer is due (a request), and tell the shell."""
        self.chatter += 1
        response_type = RESPONSE_TYPES.get(unacceptable.command_id)
        answer: Pdu | None = None
        if unacceptable.command_status == Status.ESME_RINVCMDID:
            answer = GenericNack()
        elif response_type is not None:
            answer = response_type()
        if answer is not None:
            answer.sequence_number = unacceptable.sequence_number
            answer.command_status = unacceptable.command_status
            self._out.append(encode_pdu(answer))
        events.append(PduRefused(unacceptable))

    def _give_up_framing(self, sequence_number: int, events: list[Event]) -> None:
        nack = GenericNack(sequence_number=sequence_number, command_status=Status.ESME_RINVCMDLEN)
        self._out.append(encode_pdu(nack))
        self._close(CloseReason.STREAM_CORRUPT, events)

    def _answer_unbind(self, events: list[Event]) -> None:
        self._out.append(encode_pdu(UnbindResp(sequence_number=self._unbind_sequence_number or 0)))
        self._close(CloseReason.UNBOUND_BY_PEER, events)

    def _report_overdue(self, events: list[Event]) -> None:
        latest_sending = self._now - self._response_timeout_s
        for sequence_number, waited in list(self._unanswered.items()):
            if waited.sent_at > latest_sending:
                break
            del self._unanswered[sequence_number]
            self._overdue[sequence_number] = waited
            events.append(ResponseOverdue(sequence_number, waited.context, waited.sent_at))
        while len(self._overdue) > self.limits.max_overdue:
            del self._overdue[next(iter(self._overdue))]

    def _take_sequence_number(self) -> int:
        sequence_number = self._sequence_number
        while sequence_number in self._unanswered or sequence_number in self._overdue or sequence_number in self._own:
            sequence_number = sequence_number + 1 if sequence_number < MAX_SEQUENCE_NUMBER else 1
        self._sequence_number = sequence_number + 1 if sequence_number < MAX_SEQUENCE_NUMBER else 1
        return sequence_number

    def _send_own(self, request: Pdu) -> int:
        """Send a request that the session itself awaits the answer of."""
        request.sequence_number = self._take_sequence_number()
        self._out.append(encode_pdu(request))
        self._own[request.sequence_number] = request.command_id | RESPONSE_BIT
        return request.sequence_number

    def _dress(self, response: Pdu) -> None:
        """Fit an answer to the version: no TLVs for 3.3, congestion_state for 5.0 (v5.0 4.8.4.18)."""
        if self.interface_version < 0x34:
            response.tlvs = ()
        elif self.congestion_state is not None:
            response.tlvs = (*response.tlvs, (CONGESTION_STATE, bytes((self.congestion_state,))))

    def _require_binding(self, role: Role) -> None:
        if self.role is not role or self.state is not SessionState.BINDING:
            raise LocalProtocolError(f"no bind is waiting as {self.role} in state {self.state.value}")

    def _become_bound(self, bind_type: BindType) -> None:
        self.bind_type = bind_type
        self._enter(BOUND_STATES[bind_type])

    def _enter(self, state: SessionState) -> None:
        self.state = state
        self._state_since = self._now
        self._wake = self._now  # other deadlines run from here
        self._reactions = REACTIONS[self.role].get(state, _NOTHING_READ)
        self._may_request = MAY_REQUEST[self.role].get(state, _NOTHING_PERMITTED)

    def _close(self, reason: CloseReason, events: list[Event]) -> None:
        if not self.close_wanted:
            self.close_wanted = True
            self.close_reason = reason
            self._enter(SessionState.CLOSED)
            events.append(CloseRequired(reason))


def _drop_tlvs(pdu: Pdu) -> None:
    """For a peer that speaks 3.3. LocalProtocolError: dropping message_payload would lose the text."""
    if pdu.tlv(MESSAGE_PAYLOAD) is not None:
        raise LocalProtocolError("the peer speaks 3.3: put the text into short_message")
    pdu.tlvs = ()
