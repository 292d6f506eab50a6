"""Every state x every PDU, in both roles: what the tables say is what a session does on the wire.

SMPP v3.4 table 2-1 (operations by state), repeated here by hand so that the tables have a second opinion.
Timers and malformed bodies must not enter.
"""

from __future__ import annotations

import itertools

import msgspec
import pytest

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.events import (
    BindRequested,
    CloseRequired,
    Event,
    NotificationReceived,
    PduRefused,
    PeerUnbound,
    RequestReceived,
    UnexpectedResponse,
)
from gateway.smpp.session import BindType, Role, Session, SessionState
from gateway.smpp.session_states import REACTIONS, Reaction, spoken_version
from gateway.smpp.walk import HEADER
from tests.gateway.smpp.pdu_strategies import bound_pair

S = SessionState
SAMPLES: dict[int, p.Pdu] = {command_id: pdu_type(sequence_number=99) for command_id, pdu_type in p.PDU_TYPES.items()}
SAMPLES[p.DataSm.command_id] = p.DataSm(sequence_number=99, tlvs=((0x0424, b"x"),))
SAMPLES[p.SubmitMulti.command_id] = p.SubmitMulti(sequence_number=99, dest_address=(p.SmeAddress(),))
STATES = [state for state in S if state is not S.CLOSED]

# v3.4 table 2-1: which state of the receiving session lets an operation through to its shell; what crosses our unbind,
# so that the shell refuses it as temporary.
PERMITTED: dict[Role, dict[type[p.Pdu], set[SessionState]]] = {
    Role.SMSC: {
        p.BindTransmitter: {S.OPEN},
        p.BindReceiver: {S.OPEN},
        p.BindTransceiver: {S.OPEN},
        p.SubmitSm: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
        p.SubmitMulti: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
        p.DataSm: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
        p.QuerySm: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
        p.CancelSm: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
        p.ReplaceSm: {S.BOUND_TX, S.BOUND_TRX, S.UNBINDING},
    },
    Role.ESME: {
        p.Outbind: {S.OPEN},
        p.DeliverSm: {S.BOUND_RX, S.BOUND_TRX, S.UNBINDING},
        p.DataSm: {S.BOUND_RX, S.BOUND_TRX, S.UNBINDING},
        p.AlertNotification: {S.BOUND_RX, S.BOUND_TRX},
    },
}
BIND_OF = {S.BOUND_TX: BindType.TRANSMITTER, S.BOUND_RX: BindType.RECEIVER}


def session_in(role: Role, state: SessionState, interface_version: int = 0x34) -> Session:
    """A session brought to a state by the wire alone, with nothing left to send."""
    if state in (S.OPEN, S.BINDING):
        session = Session(role)
        if state is S.BINDING and role is Role.ESME:
            session.bind(BindType.TRANSCEIVER, "esme", "secret")
        elif state is S.BINDING:
            session.receive_data(encode_pdu(p.BindTransceiver(sequence_number=1, system_id="esme")))
    else:
        smsc, esme = bound_pair(BIND_OF.get(state, BindType.TRANSCEIVER), interface_version)
        session, peer = (smsc, esme) if role is Role.SMSC else (esme, smsc)
        if state is S.UNBINDING:
            session.unbind()
        elif state is S.PEER_UNBINDING:
            owed = p.SubmitSm() if role is Role.SMSC else p.DeliverSm()
            peer.request(owed)
            peer.unbind()
            session.receive_data(peer.data_to_send())
    session.data_to_send()
    assert session.state is state
    return session


def told(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


CELLS = list(itertools.product(Role, STATES, p.PDU_TYPES))


@pytest.mark.parametrize(
    ("role", "state", "command_id"),
    CELLS,
    ids=[f"{role}-{state.value}-{p.PDU_TYPES[command_id].__name__}" for role, state, command_id in CELLS],
)
def test_each_state_does_with_each_pdu_what_its_table_says(role: Role, state: SessionState, command_id: int) -> None:
    session = session_in(role, state)
    reaction = REACTIONS[role][state].get(command_id, Reaction.UNKNOWN)
    permitted = state in PERMITTED[role].get(p.PDU_TYPES[command_id], set())
    assert permitted == (reaction in (Reaction.ASK, Reaction.BIND, Reaction.NOTE))

    events = session.receive_data(encode_pdu(SAMPLES[command_id]))
    sent = session.data_to_send()
    answer = decode_pdu(sent) if sent else None
    if answer is not None:
        assert isinstance(answer, p.Pdu)
        assert answer.sequence_number == 99
    expected_answer, expected_events, expected_state = expectation(reaction, state, command_id)
    assert (None if answer is None else (answer.command_id, answer.command_status)) == expected_answer
    assert told(events) == expected_events
    assert session.state is expected_state


def expectation(
    reaction: Reaction, state: SessionState, command_id: int
) -> tuple[tuple[int, int] | None, list[type], SessionState]:
    """(command_id and status of the answer, events, state after) for a PDU of a session that owes nothing."""
    response_id = command_id | p.RESPONSE_BIT
    match reaction:
        case Reaction.ASK:
            return None, [RequestReceived], state
        case Reaction.BIND:
            return None, [BindRequested], S.BINDING
        case Reaction.NOTE:
            return None, [NotificationReceived], state
        case Reaction.RESPONSE:
            return None, [UnexpectedResponse], state
        case Reaction.ENQUIRE:
            return (response_id, 0), [], state
        case Reaction.UNBIND:
            return (response_id, 0), [PeerUnbound, CloseRequired], S.CLOSED
        case Reaction.WRONG_STATE:
            return (response_id, 0x04), [PduRefused], state
        case Reaction.ALREADY_BOUND:
            return (response_id, 0x05), [PduRefused], state
        case Reaction.BROADCAST | Reaction.UNKNOWN:
            return (p.GenericNack.command_id, 0x03), [PduRefused], state
        case Reaction.IGNORE:
            return None, [], state


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command_id", [0x0A, 0x99, 0x00010200, 0x80000099, 0xFFFFFFFF, 0])
def test_an_unknown_command_is_nacked_in_every_state(role: Role, state: SessionState, command_id: int) -> None:
    session = session_in(role, state)
    (refused,) = session.receive_data(HEADER.pack(16, command_id, 0, 5))
    assert isinstance(refused, PduRefused)
    assert decode_pdu(session.data_to_send()) == p.GenericNack(5, 0x03)
    assert not session.close_wanted


@pytest.mark.parametrize("request_type", [p.BroadcastSm, p.QueryBroadcastSm, p.CancelBroadcastSm])
def test_broadcast_is_prohibited_to_a_v5_bind_and_unknown_below(request_type: type[p.Pdu]) -> None:
    wire = encode_pdu(request_type(sequence_number=4))
    v5 = session_in(Role.SMSC, S.BOUND_TRX, interface_version=0x50)
    v5.receive_data(wire)
    assert decode_pdu(v5.data_to_send()) == p.RESPONSE_TYPES[request_type.command_id](4, 0x101)
    v34 = session_in(Role.SMSC, S.BOUND_TRX)
    v34.receive_data(wire)
    assert decode_pdu(v34.data_to_send()) == p.GenericNack(4, 0x03)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", Role)
def test_we_send_only_what_the_other_side_would_let_through(role: Role, state: SessionState) -> None:
    other = Role.ESME if role is Role.SMSC else Role.SMSC
    requests = [request for request, _ in p.REQUEST_AND_RESPONSE if "broadcast" not in request.__name__.lower()]
    for request_type in requests:
        session = session_in(role, state)
        command_id = request_type.command_id
        lets_through = REACTIONS[other][state].get(command_id) is Reaction.ASK and state is not S.UNBINDING
        if lets_through:
            assert session.request(msgspec.structs.replace(SAMPLES[command_id])) >= 1
        else:
            with pytest.raises(LocalProtocolError):
                session.request(msgspec.structs.replace(SAMPLES[command_id]))
            assert session.data_to_send() == b""


@pytest.mark.parametrize(
    ("stated", "spoken"),
    [(0x00, 0x33), (0x33, 0x33), (0x34, 0x34), (0x35, 0x34), (0x4F, 0x34), (0x50, 0x50), (0x51, 0x50), (0xFF, 0x50)],
)
def test_a_stated_version_is_normalised_to_one_we_speak(stated: int, spoken: int) -> None:
    assert spoken_version(stated) == spoken
