"""What a session tells its shell: one small value per thing that happened.

SMPP v3.4 chapter 2 (sessions, windows, timers). Values only: no rule of the protocol may enter, and nothing that the
session already dealt with needs an answer: only RequestReceived and BindRequested do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from gateway.smpp.errors import PduUnacceptable
from gateway.smpp.pdus import Bind, BindResp, GenericNack, Pdu


class CloseReason(StrEnum):
    """Why a session wants its connection closed; the values are fit for a metric's label."""

    STREAM_CORRUPT = "stream_corrupt"
    PARTIAL_HEADER = "partial_header"
    PARTIAL_PDU = "partial_pdu"
    NO_BIND = "no_bind"
    NO_BIND_RESP = "no_bind_resp"
    BIND_REFUSED = "bind_refused"
    NO_ENQUIRE_LINK_RESP = "no_enquire_link_resp"
    INACTIVE = "inactive"
    UNEXPECTED_RESPONSES = "unexpected_responses"
    UNBOUND_BY_PEER = "unbound_by_peer"
    UNBOUND_BY_US = "unbound_by_us"
    NO_UNBIND_RESP = "no_unbind_resp"


class RequestReceived(msgspec.Struct, gc=False):
    """The peer asked; answer with Session.respond(pdu, response). Never a bind, enquire_link or unbind."""

    pdu: Pdu


class BindRequested(msgspec.Struct, gc=False):
    """(SMSC) Answer with Session.accept_bind or Session.refuse_bind."""

    pdu: Bind


class NotificationReceived(msgspec.Struct, gc=False):
    """(ESME) alert_notification or outbind: nothing is to be answered."""

    pdu: Pdu


class ResponseReceived(msgspec.Struct):
    """The answer to a request of ours: its own `_resp` or a generic_nack. context is what request() was given.

    sent_at: the session's clock when the request was made, in seconds.
    """

    pdu: Pdu
    context: object
    sent_at: float


class ResponseOverdue(msgspec.Struct):
    """No answer within response_timeout_s: from here the outcome is unknown. Given once per request."""

    sequence_number: int
    context: object
    sent_at: float


class LateResponse(msgspec.Struct):
    """An answer that came after its ResponseOverdue: evidence for what was in doubt."""

    pdu: Pdu
    context: object
    sent_at: float


class UnexpectedResponse(msgspec.Struct, gc=False):
    """A response nobody waits for, or of another type than the one waited for: ignored and counted."""

    command_id: int
    sequence_number: int
    command_status: int


class PduRefused(msgspec.Struct, gc=False):
    """A PDU that was unacceptable, in the wrong state or unknown; already answered where an answer is due."""

    unacceptable: PduUnacceptable


class BindAccepted(msgspec.Struct, gc=False):
    """(ESME) The SMSC accepted our bind; interface_version is what both sides speak: 0x33, 0x34 or 0x50."""

    pdu: BindResp
    interface_version: int


class BindRefused(msgspec.Struct, gc=False):
    """(ESME) The SMSC refused our bind; CloseRequired follows."""

    pdu: BindResp | GenericNack


class PeerUnbound(msgspec.Struct, gc=False):
    """The peer asked to unbind. Answer what is still owed: the last respond() sends unbind_resp and wants the close."""


class CloseRequired(msgspec.Struct, gc=False):
    """Send what data_to_send() still holds, close the connection, take Session.abandon(). Given once."""

    reason: CloseReason


Event: TypeAlias = (
    RequestReceived
    | ResponseReceived
    | BindRequested
    | NotificationReceived
    | ResponseOverdue
    | LateResponse
    | UnexpectedResponse
    | PduRefused
    | BindAccepted
    | BindRefused
    | PeerUnbound
    | CloseRequired
)
