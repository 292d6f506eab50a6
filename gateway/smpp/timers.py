"""When a session must act without being spoken to: pure functions of its facts and limits.

SMPP v3.4 section 2.9 (session_init, enquire_link, inactivity and response timers), v5.0 section 2.7.
No clock must enter: every time is a fact in seconds of the caller's monotonic clock.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from gateway.smpp.session_states import BOUND, Role, SessionState

MINUTE_S = 60.0


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit of a session; times in seconds, sizes in octets. "chosen": the answers table is silent."""

    max_pdu: int = 70_000  # a message_payload of 65,535 octets and everything around it
    window: int = 10  # our requests without answer; past it request() raises WindowFull
    bind_timeout_s: float = 10.0  # SMSC: no bind; ESME: no bind_resp
    enquire_link_interval_s: float = 30.0  # without a PDU from the peer, when bound; 0: never ask
    enquire_link_timeout_s: float = 30.0
    response_timeout_s: float = 60.0
    inactivity_s: float = 300.0  # without an octet from the peer
    partial_header_timeout_s: float = 10.0  # of silence within a header
    partial_pdu_timeout_s: float = 30.0  # chosen: from the first octet of a PDU to its last, however slowly they drip
    corrupt_header_wait_s: float = 1.0  # chosen: how long a wrong command_length waits for its sequence_number
    unbind_timeout_s: float = 10.0  # chosen: unbind_resp from the peer, or the last owed answer from our shell
    max_unexpected_responses_per_minute: int = 100
    max_overdue: int = 10_000  # chosen: overdue requests remembered for their late response


SMSC_LIMITS = SessionLimits(response_timeout_s=30.0)
ESME_LIMITS = SessionLimits(bind_timeout_s=30.0, enquire_link_timeout_s=10.0)


class Due(Enum):
    """What is to be done at a deadline."""

    NO_BIND = "close: the session was never bound"
    NO_BIND_RESP = "close: our bind has no answer"
    PARTIAL_HEADER = "close: a header began and stopped"
    PARTIAL_PDU = "close: a PDU began and does not end"
    CORRUPT_HEADER = "answer generic_nack 0x02 and close: the length is wrong and the header stopped"
    RESPONSE_OVERDUE = "report the oldest request as overdue"
    ENQUIRE_LINK = "ask for a sign of life"
    NO_ENQUIRE_LINK_RESP = "close: no sign of life"
    INACTIVE = "close: silence"
    UNBIND = "close: unbind_resp, or our last answer, did not come"


class TimerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the deadlines depend on; None: it did not happen or is over."""

    role: Role
    state: SessionState
    state_since: float
    last_octets_at: float
    last_pdu_at: float
    partial_header: bool = False  # 1 to 15 octets of a header wait for the rest
    corrupt_header: bool = False  # and their command_length is impossible
    partial_since: float | None = None  # when the PDU began that is not whole yet
    enquire_link_sent_at: float | None = None
    oldest_request_at: float | None = None


def deadlines(limits: SessionLimits, facts: TimerFacts) -> list[tuple[float, Due]]:
    """Every deadline that runs, unordered. Reports come before closes where both fall together."""
    if facts.state is SessionState.CLOSED:
        return []
    running: list[tuple[float, Due]] = []
    if facts.oldest_request_at is not None:
        running.append((facts.oldest_request_at + limits.response_timeout_s, Due.RESPONSE_OVERDUE))
    if facts.corrupt_header:
        running.append((facts.last_octets_at + limits.corrupt_header_wait_s, Due.CORRUPT_HEADER))
    elif facts.partial_header:
        running.append((facts.last_octets_at + limits.partial_header_timeout_s, Due.PARTIAL_HEADER))
    if facts.partial_since is not None:
        running.append((facts.partial_since + limits.partial_pdu_timeout_s, Due.PARTIAL_PDU))
    running.extend(_state_deadlines(limits, facts))
    running.append((facts.last_octets_at + limits.inactivity_s, Due.INACTIVE))
    return running


def _state_deadlines(limits: SessionLimits, facts: TimerFacts) -> list[tuple[float, Due]]:
    match facts.state:
        case SessionState.OPEN if facts.role is Role.SMSC:
            return [(facts.state_since + limits.bind_timeout_s, Due.NO_BIND)]
        case SessionState.BINDING if facts.role is Role.ESME:
            return [(facts.state_since + limits.bind_timeout_s, Due.NO_BIND_RESP)]
        case SessionState.UNBINDING | SessionState.PEER_UNBINDING:
            return [(facts.state_since + limits.unbind_timeout_s, Due.UNBIND)]
        case state if state in BOUND:
            return _link_deadlines(limits, facts)
    return []


def _link_deadlines(limits: SessionLimits, facts: TimerFacts) -> list[tuple[float, Due]]:
    if facts.enquire_link_sent_at is not None:
        return [(facts.enquire_link_sent_at + limits.enquire_link_timeout_s, Due.NO_ENQUIRE_LINK_RESP)]
    if limits.enquire_link_interval_s <= 0:
        return []
    silence_since = max(facts.last_pdu_at, facts.state_since)
    return [(silence_since + limits.enquire_link_interval_s, Due.ENQUIRE_LINK)]


def count_in_minute(minute_started_at: float, count: int, now: float) -> tuple[float, int]:
    """One more event in the running minute: (start of the minute it falls into, events in that minute so far)."""
    if now - minute_started_at >= MINUTE_S:
        return now, 1
    return minute_started_at, count + 1
