"""The states of an SMPP session and what each state does with a PDU: the tables are the documentation.

SMPP v3.4 section 2.2 (states) and 2.3 with table 2-1 (operations by state), v5.0 section 2.4 (broadcast).
Any command_id that a row does not name is unknown: generic_nack 0x03.
What an operation means, and any octet, must not enter.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TypeAlias

from gateway.smpp import pdus as p
from gateway.smpp.pdus import Pdu


class Role(StrEnum):
    """Which side we are: SMSC accepts binds, ESME asks for them."""

    SMSC = "smsc"
    ESME = "esme"


class BindType(StrEnum):
    """What the ESME may do: send, receive, or both."""

    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"


class SessionState(Enum):
    """Where the conversation stands."""

    OPEN = "open"  # connected, nobody asked to bind
    BINDING = "binding"  # a bind request waits for its answer
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"  # we sent unbind and wait for unbind_resp
    PEER_UNBINDING = "peer_unbinding"  # the peer sent unbind; answers we owe go first
    CLOSED = "closed"  # close_wanted: nothing more is read or sent


class Reaction(Enum):
    """What a state does with a received PDU."""

    ASK = "give to the shell, which answers"
    BIND = "give to the shell, which accepts or refuses"
    NOTE = "give to the shell, nothing to answer"
    RESPONSE = "complete the request that waits for it"
    ENQUIRE = "answer enquire_link_resp"
    UNBIND = "finish the answers owed, answer unbind_resp, close"
    WRONG_STATE = "answer <command>_resp 0x04"
    ALREADY_BOUND = "answer bind_resp 0x05"
    BROADCAST = "below 5.0: generic_nack 0x03; 5.0: answer <command>_resp 0x101"
    UNKNOWN = "answer generic_nack 0x03"
    IGNORE = "nothing"


BINDS: dict[BindType, type[p.Bind]] = {
    BindType.TRANSMITTER: p.BindTransmitter,
    BindType.RECEIVER: p.BindReceiver,
    BindType.TRANSCEIVER: p.BindTransceiver,
}
BIND_TYPES: dict[int, BindType] = {bind.command_id: bind_type for bind_type, bind in BINDS.items()}
BOUND_STATES: dict[BindType, SessionState] = {
    BindType.TRANSMITTER: SessionState.BOUND_TX,
    BindType.RECEIVER: SessionState.BOUND_RX,
    BindType.TRANSCEIVER: SessionState.BOUND_TRX,
}
BOUND = frozenset(BOUND_STATES.values())

# (PDUs, what is done with them); a later entry of a row overrules an earlier one
Entries: TypeAlias = tuple[tuple[tuple[type[Pdu], ...], Reaction], ...]

_FROM_ESME = (p.SubmitSm, p.DataSm, p.SubmitMulti, p.QuerySm, p.CancelSm, p.ReplaceSm)
_FROM_SMSC = (p.DeliverSm, p.DataSm)
_BROADCASTS = (p.BroadcastSm, p.QueryBroadcastSm, p.CancelBroadcastSm)
_RESPONSES: tuple[type[Pdu], ...] = (*(response for _, response in p.REQUEST_AND_RESPONSE), p.GenericNack)
_BINDS = tuple(BINDS.values())

# Every row starts from this one: an operation is wrong wherever no row permits it.
_EVERY_ROW: Entries = (
    (tuple(request for request, _ in p.REQUEST_AND_RESPONSE), Reaction.WRONG_STATE),
    (_RESPONSES, Reaction.RESPONSE),
    ((p.EnquireLink,), Reaction.ENQUIRE),
)
_SMSC: Entries = ((_BINDS, Reaction.ALREADY_BOUND), ((p.AlertNotification,), Reaction.IGNORE))  # outbind stays unknown
_ESME: Entries = (((p.Outbind, p.AlertNotification), Reaction.IGNORE),)
_S = SessionState

_ROWS: dict[Role, dict[SessionState, Entries]] = {
    Role.SMSC: {
        _S.OPEN: (*_SMSC, (_BINDS, Reaction.BIND)),
        _S.BINDING: _SMSC,
        _S.BOUND_TX: (
            *_SMSC,
            (_FROM_ESME, Reaction.ASK),
            (_BROADCASTS, Reaction.BROADCAST),
            ((p.Unbind,), Reaction.UNBIND),
        ),
        _S.BOUND_RX: (*_SMSC, (_BROADCASTS, Reaction.BROADCAST), ((p.Unbind,), Reaction.UNBIND)),
        _S.BOUND_TRX: (
            *_SMSC,
            (_FROM_ESME, Reaction.ASK),
            (_BROADCASTS, Reaction.BROADCAST),
            ((p.Unbind,), Reaction.UNBIND),
        ),
        # what crosses our unbind is for the shell to refuse as temporary: 0x04 would lose it at the peer
        _S.UNBINDING: (*_SMSC, (_FROM_ESME, Reaction.ASK), ((p.Unbind,), Reaction.UNBIND)),
        _S.PEER_UNBINDING: _SMSC,
    },
    Role.ESME: {
        _S.OPEN: (*_ESME, ((p.Outbind,), Reaction.NOTE)),
        _S.BINDING: _ESME,
        _S.BOUND_TX: (*_ESME, ((p.Unbind,), Reaction.UNBIND)),
        _S.BOUND_RX: (
            *_ESME,
            (_FROM_SMSC, Reaction.ASK),
            ((p.AlertNotification,), Reaction.NOTE),
            ((p.Unbind,), Reaction.UNBIND),
        ),
        _S.BOUND_TRX: (
            *_ESME,
            (_FROM_SMSC, Reaction.ASK),
            ((p.AlertNotification,), Reaction.NOTE),
            ((p.Unbind,), Reaction.UNBIND),
        ),
        # what was on its way when we asked to unbind is still taken: nothing is lost by our leaving
        _S.UNBINDING: (*_ESME, (_FROM_SMSC, Reaction.ASK), ((p.Unbind,), Reaction.UNBIND)),
        _S.PEER_UNBINDING: _ESME,
    },
}


_EVERYWHERE = {pdu.command_id: reaction for pdu_types, reaction in _EVERY_ROW for pdu in pdu_types}


def _row(exceptions: Entries) -> dict[int, Reaction]:
    """A row by command_id."""
    row = dict(_EVERYWHERE)
    for pdu_types, reaction in exceptions:
        row.update((pdu.command_id, reaction) for pdu in pdu_types)
    return row


REACTIONS: dict[Role, dict[SessionState, dict[int, Reaction]]] = {
    role: {state: _row(exceptions) for state, exceptions in rows.items()} for role, rows in _ROWS.items()
}

# What we may send by Session.request (answered) and Session.notify (not answered).
_MESSAGES = frozenset(pdu.command_id for pdu in (*_FROM_ESME, *_BROADCASTS))
_DELIVERIES = frozenset(pdu.command_id for pdu in _FROM_SMSC)
MAY_REQUEST: dict[Role, dict[SessionState, frozenset[int]]] = {
    Role.SMSC: {_S.BOUND_RX: _DELIVERIES, _S.BOUND_TRX: _DELIVERIES},
    Role.ESME: {_S.BOUND_TX: _MESSAGES, _S.BOUND_TRX: _MESSAGES},
}
_ALERT = frozenset((p.AlertNotification.command_id,))
MAY_NOTIFY: dict[Role, dict[SessionState, frozenset[int]]] = {
    Role.SMSC: {
        _S.OPEN: frozenset((p.Outbind.command_id,)),
        _S.BOUND_RX: _ALERT,
        _S.BOUND_TRX: _ALERT,
    },
    Role.ESME: {},
}


def spoken_version(interface_version: int) -> int:
    """What both sides speak, from what the peer states: 0x33 (no TLVs), 0x34 or 0x50 (v3.4 5.2.4, v5.0 4.7.13)."""
    if interface_version <= 0x33:
        return 0x33
    return 0x34 if interface_version < 0x50 else 0x50
