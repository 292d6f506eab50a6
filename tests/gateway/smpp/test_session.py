"""A session's conversations: binding, asking, answering, refusing, leaving.

SMPP v3.4 sections 2.2 to 2.8 and the answers table. State x PDU is walked in test_session_states.py.
Deadlines must not enter (test_timers.py).
"""

from __future__ import annotations

import pytest

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import LocalProtocolError, PduUnacceptable, WindowFull
from gateway.smpp.events import (
    BindAccepted,
    BindRefused,
    BindRequested,
    CloseReason,
    CloseRequired,
    NotificationReceived,
    PduRefused,
    PeerUnbound,
    RequestReceived,
    ResponseReceived,
    UnexpectedResponse,
)
from gateway.smpp.session import MAX_SEQUENCE_NUMBER, BindType, Role, Session, SessionLimits, SessionState
from gateway.smpp.walk import HEADER
from tests.gateway.smpp.pdu_strategies import bound_pair

PAYLOAD = ((0x0424, b"text"),)


def split(octets: bytes) -> list[p.Pdu | PduUnacceptable]:
    """The PDUs in a stream of whole frames."""
    pdus = []
    while octets:
        length = int.from_bytes(octets[:4], "big")
        pdus.append(decode_pdu(octets[:length]))
        octets = octets[length:]
    return pdus


# --- binding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bind_type", "state"),
    [
        (BindType.TRANSMITTER, SessionState.BOUND_TX),
        (BindType.RECEIVER, SessionState.BOUND_RX),
        (BindType.TRANSCEIVER, SessionState.BOUND_TRX),
    ],
)
def test_both_sides_agree_on_what_was_bound(bind_type: BindType, state: SessionState) -> None:
    smsc, esme = bound_pair(bind_type)
    assert smsc.state is esme.state is state
    assert smsc.bind_type is esme.bind_type is bind_type
    assert smsc.system_id == esme.system_id == "esme"


def test_a_bind_is_for_the_shell_to_decide() -> None:
    smsc = Session(Role.SMSC)
    bind = p.BindReceiver(sequence_number=3, system_id="a", password="b")
    (requested,) = smsc.receive_data(encode_pdu(bind))
    assert requested == BindRequested(bind)
    assert smsc.data_to_send() == b""
    assert smsc.state is SessionState.BINDING


def test_a_refused_bind_is_answered_without_body_and_closed() -> None:
    smsc, esme = Session(Role.SMSC), Session(Role.ESME)
    esme.bind(BindType.TRANSMITTER, "a", "b")
    (requested,) = smsc.receive_data(esme.data_to_send())
    assert isinstance(requested, BindRequested)
    smsc.refuse_bind(requested.pdu, 0x0D)
    assert smsc.close_wanted
    assert smsc.tick(0.0) == [CloseRequired(CloseReason.BIND_REFUSED)]
    answer = smsc.data_to_send()
    assert answer == HEADER.pack(16, 0x80000002, 0x0D, 1)
    refused, close = esme.receive_data(answer)
    assert refused == BindRefused(p.BindTransmitterResp(1, 0x0D))
    assert close == CloseRequired(CloseReason.BIND_REFUSED)


def test_a_bind_refused_without_closing_may_be_tried_again() -> None:
    smsc = Session(Role.SMSC)
    for _ in range(2):
        (requested,) = smsc.receive_data(encode_pdu(p.BindReceiver(sequence_number=1)))
        assert isinstance(requested, BindRequested)
        smsc.refuse_bind(requested.pdu, 0x08, close=False)
    assert smsc.state is SessionState.OPEN
    assert not smsc.close_wanted


def test_a_malformed_bind_is_refused_by_its_field_and_may_be_tried_again() -> None:
    smsc = Session(Role.SMSC)
    body = b"0123456789abcdef\0\0\0\x34\0\0\0"
    (refused,) = smsc.receive_data(HEADER.pack(16 + len(body), 0x09, 0, 1) + body)
    assert isinstance(refused, PduRefused)
    assert decode_pdu(smsc.data_to_send()) == p.BindTransceiverResp(1, 0x0F)
    assert smsc.state is SessionState.OPEN


def test_a_nacked_bind_is_a_refused_bind() -> None:
    esme = Session(Role.ESME)
    esme.bind(BindType.TRANSCEIVER, "a", "b")
    nack = p.GenericNack(1, 0x03)
    assert esme.receive_data(encode_pdu(nack)) == [BindRefused(nack), CloseRequired(CloseReason.BIND_REFUSED)]


def test_a_bind_resp_of_another_type_does_not_complete_the_bind() -> None:
    esme = Session(Role.ESME)
    esme.bind(BindType.TRANSCEIVER, "a", "b")
    (event,) = esme.receive_data(encode_pdu(p.BindReceiverResp(sequence_number=1)))
    assert isinstance(event, UnexpectedResponse)
    assert esme.state is SessionState.BINDING


def test_only_the_right_role_binds_and_only_once() -> None:
    smsc, esme = bound_pair()
    with pytest.raises(LocalProtocolError):
        smsc.bind(BindType.TRANSMITTER, "a", "b")
    with pytest.raises(LocalProtocolError):
        esme.bind(BindType.TRANSMITTER, "a", "b")
    with pytest.raises(LocalProtocolError):
        smsc.accept_bind(p.BindTransmitter())
    with pytest.raises(LocalProtocolError):
        esme.refuse_bind(p.BindTransmitter(), 0x0D)


def test_a_bind_decided_after_the_connection_went_is_dropped() -> None:
    smsc = Session(Role.SMSC)
    (requested,) = smsc.receive_data(encode_pdu(p.BindReceiver(sequence_number=1)))
    smsc.abandon()
    assert isinstance(requested, BindRequested)
    smsc.accept_bind(requested.pdu)
    smsc.refuse_bind(requested.pdu, 0x0D)
    assert smsc.data_to_send() == b""
    assert smsc.state is SessionState.CLOSED


# --- versions -------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_bind_states_the_version_except_to_3_3() -> None:
    for stated, tlvs in ((0x33, ()), (0x34, ((0x0210, b"\x34"),)), (0x50, ((0x0210, b"\x50"),))):
        smsc = Session(Role.SMSC)
        (requested,) = smsc.receive_data(encode_pdu(p.BindReceiver(sequence_number=1, interface_version=stated)))
        assert isinstance(requested, BindRequested)
        smsc.accept_bind(requested.pdu, "us")
        assert decode_pdu(smsc.data_to_send()) == p.BindReceiverResp(1, 0, tlvs, "us")
        assert smsc.interface_version == stated


@pytest.mark.parametrize(("tlvs", "version"), [((), 0x34), (((0x0210, b"\x34"),), 0x34), (((0x0210, b"\x50"),), 0x50)])
def test_a_centre_that_states_no_version_speaks_3_4(tlvs: tuple[tuple[int, bytes], ...], version: int) -> None:
    esme = Session(Role.ESME)
    esme.bind(BindType.TRANSMITTER, "a", "b", interface_version=0x50)
    (accepted,) = esme.receive_data(encode_pdu(p.BindTransmitterResp(1, tlvs=tlvs)))
    assert isinstance(accepted, BindAccepted)
    assert accepted.interface_version == esme.interface_version == version


def test_a_v5_bind_is_told_the_congestion_in_every_answer_and_others_are_not() -> None:
    for version, expected in ((0x50, ((0x0428, b"\x5a"),)), (0x34, ())):
        smsc, esme = bound_pair(interface_version=version)
        smsc.congestion_state = 90
        esme.request(p.SubmitSm())
        (received,) = smsc.receive_data(esme.data_to_send())
        assert isinstance(received, RequestReceived)
        smsc.respond(received.pdu, p.SubmitSmResp(message_id="m"))
        (answer,) = split(smsc.data_to_send())
        assert isinstance(answer, p.SubmitSmResp)
        assert answer.tlvs == expected


def test_a_3_3_peer_is_sent_no_tlvs_and_a_payload_is_not_silently_lost() -> None:
    smsc, esme = bound_pair(interface_version=0x33)
    smsc.request(p.DeliverSm(tlvs=((0x0427, b"\x02"),)))
    smsc.notify(p.AlertNotification(tlvs=((0x0422, b"\x00"),)))
    assert [pdu.tlvs for pdu in split(smsc.data_to_send()) if isinstance(pdu, p.Pdu)] == [(), ()]
    with pytest.raises(LocalProtocolError, match="short_message"):
        smsc.request(p.DeliverSm(tlvs=PAYLOAD))
    assert smsc.data_to_send() == b""
    assert smsc.unanswered == 1


# --- requests and answers -------------------------------------------------------------------------------------------


def test_a_submit_is_asked_answered_and_given_back_with_its_context() -> None:
    smsc, esme = bound_pair()
    context = object()
    esme.tick(12.5)
    submit = p.SubmitSm(destination_addr="22997000000", short_message=b"hello")
    sequence_number = esme.request(submit, context)
    assert (esme.unanswered, esme.window_free) == (1, 9)
    (received,) = smsc.receive_data(esme.data_to_send())
    assert received == RequestReceived(submit)
    assert smsc.owed == 1
    smsc.respond(submit, p.SubmitSmResp(message_id="m1"))
    assert smsc.owed == 0
    (answered,) = esme.receive_data(smsc.data_to_send())
    assert answered == ResponseReceived(p.SubmitSmResp(sequence_number, message_id="m1"), context, 12.5)
    assert (esme.unanswered, esme.window_free) == (0, 10)


def test_answers_may_come_out_of_order() -> None:
    smsc, esme = bound_pair()
    sent = [esme.request(p.SubmitSm(), context) for context in range(3)]
    smsc.receive_data(esme.data_to_send())
    for sequence_number in reversed(sent):
        smsc.respond(sequence_number, p.SubmitSmResp(message_id=str(sequence_number)))
    answers = esme.receive_data(smsc.data_to_send())
    assert [answer.context for answer in answers if isinstance(answer, ResponseReceived)] == [2, 1, 0]


def test_a_full_window_takes_no_more_and_sends_nothing() -> None:
    _, esme = bound_pair(esme_limits=SessionLimits(window=2))
    esme.request(p.SubmitSm())
    esme.request(p.SubmitSm())
    esme.data_to_send()
    assert esme.window_free == 0
    with pytest.raises(WindowFull):
        esme.request(p.SubmitSm())
    assert esme.data_to_send() == b""


def test_the_window_of_an_unbound_session_is_closed() -> None:
    assert Session(Role.ESME).window_free == 0
    assert bound_pair(BindType.TRANSMITTER)[0].window_free == 0
    assert bound_pair(BindType.RECEIVER)[1].window_free == 0


def test_an_unfit_value_is_our_error_and_leaves_no_trace() -> None:
    _, esme = bound_pair()
    with pytest.raises(LocalProtocolError):
        esme.request(p.SubmitSm(short_message=bytes(300)))
    assert esme.data_to_send() == b""
    assert esme.unanswered == 0


@pytest.mark.parametrize("answer", [p.DeliverSmResp, p.EnquireLinkResp, p.DataSmResp])
def test_a_response_of_another_type_does_not_complete_the_request(answer: type[p.Pdu]) -> None:
    _, esme = bound_pair()
    sequence_number = esme.request(p.SubmitSm(), "context")
    (event,) = esme.receive_data(encode_pdu(answer(sequence_number=sequence_number)))
    assert event == UnexpectedResponse(answer.command_id, sequence_number, 0)
    assert esme.unanswered == 1


def test_a_generic_nack_completes_the_request_it_names() -> None:
    _, esme = bound_pair()
    sequence_number = esme.request(p.SubmitSm(), "context")
    nack = p.GenericNack(sequence_number, 0x03)
    assert esme.receive_data(encode_pdu(nack)) == [ResponseReceived(nack, "context", 0.0)]


def test_an_unreadable_success_completes_nothing_and_is_not_answered() -> None:
    _, esme = bound_pair()
    sequence_number = esme.request(p.QuerySm(message_id="m"), "context")
    (refused,) = esme.receive_data(HEADER.pack(17, p.QuerySmResp.command_id, 0, sequence_number) + b"\0")
    assert isinstance(refused, PduRefused)
    assert esme.unanswered == 1
    assert [pdu.command_id for pdu in split(esme.data_to_send()) if isinstance(pdu, p.Pdu)] == [p.QuerySm.command_id]


def test_more_than_100_unexpected_responses_a_minute_close() -> None:
    smsc, _ = bound_pair()
    stray = encode_pdu(p.DeliverSmResp(sequence_number=77))
    assert not any(isinstance(event, CloseRequired) for event in smsc.receive_data(stray * 100))
    smsc.tick(61.0)
    smsc.data_to_send()
    assert not any(isinstance(event, CloseRequired) for event in smsc.receive_data(stray * 100))
    assert smsc.receive_data(stray)[-1] == CloseRequired(CloseReason.UNEXPECTED_RESPONSES)


@pytest.mark.parametrize("sequence_number", [0, 1, 0x80000000, 0xFFFFFFFF])
def test_any_sequence_number_of_a_peer_is_echoed_also_one_in_use(sequence_number: int) -> None:
    smsc, _ = bound_pair()
    wire = encode_pdu(p.SubmitSm(sequence_number=sequence_number))
    events = smsc.receive_data(wire + wire)
    for event in events:
        assert isinstance(event, RequestReceived)
        smsc.respond(event.pdu, p.SubmitSmResp(message_id="m"))
    expected = p.SubmitSmResp(sequence_number, message_id="m")
    assert split(smsc.data_to_send()) == [expected, expected]


def test_sequence_numbers_wrap_to_1_and_skip_those_in_use() -> None:
    _, esme = bound_pair(esme_limits=SessionLimits(window=10))
    esme._sequence_number = MAX_SEQUENCE_NUMBER - 1
    assert esme.request(p.SubmitSm()) == MAX_SEQUENCE_NUMBER - 1
    assert esme.request(p.SubmitSm()) == MAX_SEQUENCE_NUMBER
    assert esme.request(p.SubmitSm()) == 1
    esme._sequence_number = MAX_SEQUENCE_NUMBER - 1
    assert esme.request(p.SubmitSm()) == 2


def test_a_late_answer_cannot_be_taken_for_a_new_request() -> None:
    limits = SessionLimits(enquire_link_interval_s=0)
    _, esme = bound_pair(esme_limits=limits)
    first = esme.request(p.SubmitSm(), "old")
    esme.tick(60.0)
    esme._sequence_number = first
    assert esme.request(p.SubmitSm(), "new") != first


def test_an_answer_must_be_owed_and_fit() -> None:
    smsc, esme = bound_pair()
    with pytest.raises(LocalProtocolError):
        smsc.respond(1, p.SubmitSmResp())
    esme.request(p.SubmitSm())
    (received,) = smsc.receive_data(esme.data_to_send())
    assert isinstance(received, RequestReceived)
    with pytest.raises(LocalProtocolError):
        smsc.respond(received.pdu, p.DataSmResp())
    smsc.respond(received.pdu, p.GenericNack(command_status=0x03))
    assert smsc.owed == 0


def test_alert_notification_and_outbind_ask_for_nothing() -> None:
    smsc, esme = bound_pair()
    smsc.notify(p.AlertNotification(source_addr="1"))
    (event,) = esme.receive_data(smsc.data_to_send())
    assert isinstance(event, NotificationReceived)
    assert esme.data_to_send() == b""
    with pytest.raises(LocalProtocolError):
        smsc.notify(p.Outbind())
    with pytest.raises(LocalProtocolError):
        esme.notify(p.AlertNotification())
    listening, centre = Session(Role.ESME), Session(Role.SMSC)
    centre.notify(p.Outbind(system_id="centre"))
    (event,) = listening.receive_data(centre.data_to_send())
    assert isinstance(event, NotificationReceived)


# --- refusing -------------------------------------------------------------------------------------------------------


def test_a_malformed_request_is_answered_by_the_session_and_the_next_one_is_read() -> None:
    smsc, _ = bound_pair()
    malformed = HEADER.pack(17, p.SubmitSm.command_id, 0, 5) + b"\0"
    good = p.SubmitSm(sequence_number=6)
    refused, received = smsc.receive_data(malformed + encode_pdu(good))
    assert isinstance(refused, PduRefused)
    assert received == RequestReceived(good)
    assert split(smsc.data_to_send()) == [p.SubmitSmResp(5, 0x02)]
    assert smsc.owed == 1


@pytest.mark.parametrize("command_length", [0, 1, 15, 70_001, 0x7FFFFFFF, 0x80000010, 0xFFFFFFFF])
def test_an_impossible_length_is_nacked_and_closes(command_length: int) -> None:
    smsc, _ = bound_pair()
    events = smsc.receive_data(HEADER.pack(command_length, 0x04, 0, 9) + b"whatever follows")
    assert events == [CloseRequired(CloseReason.STREAM_CORRUPT)]
    assert smsc.data_to_send() == HEADER.pack(16, 0x80000000, 0x02, 9)
    assert smsc.receive_data(encode_pdu(p.EnquireLink())) == []
    assert smsc.data_to_send() == b""


@pytest.mark.parametrize("chunks", [[b"\0\0\0\x03"], [b"\0", b"\0", b"\0", b"\x03"], [b"\0\0\0\x03\0"]])
def test_an_impossible_length_alone_is_nacked_soon_in_any_chunks(chunks: list[bytes]) -> None:
    session = Session(Role.SMSC)
    for chunk in chunks:
        session.tick(1.0)
        assert session.receive_data(chunk) == []
    soon = 1.0 + session.limits.corrupt_header_wait_s
    assert session.next_deadline() == soon
    session.tick(soon)
    assert session.close_wanted
    assert split(session.data_to_send()) == [p.GenericNack(command_status=2)]


def test_a_pdu_of_exactly_the_limit_is_read() -> None:
    smsc, _ = bound_pair(smsc_limits=SessionLimits(max_pdu=200))
    fitting = p.SubmitSm(sequence_number=1, tlvs=((0x0424, bytes(200 - 16 - 17 - 4)),))
    wire = encode_pdu(fitting)
    assert len(wire) == 200
    assert smsc.receive_data(wire) == [RequestReceived(fitting)]
    too_long = p.SubmitSm(sequence_number=1, tlvs=((0x0424, bytes(200 - 16 - 17 - 3)),))
    assert smsc.receive_data(encode_pdu(too_long)) == [CloseRequired(CloseReason.STREAM_CORRUPT)]


# --- leaving --------------------------------------------------------------------------------------------------------


def test_an_unbind_waits_for_the_answers_we_owe() -> None:
    smsc, esme = bound_pair()
    esme.request(p.SubmitSm(), "context")
    esme.unbind()
    received, unbound = smsc.receive_data(esme.data_to_send())
    assert unbound == PeerUnbound()
    assert smsc.data_to_send() == b""
    assert isinstance(received, RequestReceived)
    smsc.respond(received.pdu, p.SubmitSmResp(message_id="m"))
    assert smsc.close_wanted
    assert smsc.next_deadline() is not None
    assert smsc.tick(0.0) == [CloseRequired(CloseReason.UNBOUND_BY_PEER)]
    answered, close = esme.receive_data(smsc.data_to_send())
    assert isinstance(answered, ResponseReceived)
    assert close == CloseRequired(CloseReason.UNBOUND_BY_US)


def test_unbinds_that_cross_end_both_sides() -> None:
    smsc, esme = bound_pair()
    smsc.unbind()
    esme.unbind()
    from_smsc, from_esme = smsc.data_to_send(), esme.data_to_send()
    assert CloseRequired(CloseReason.UNBOUND_BY_PEER) in smsc.receive_data(from_esme)
    assert CloseRequired(CloseReason.UNBOUND_BY_PEER) in esme.receive_data(from_smsc)


def test_a_delivery_on_its_way_when_we_unbind_is_still_taken() -> None:
    smsc, esme = bound_pair()
    smsc.request(p.DeliverSm(), "mo")
    esme.unbind()
    (received,) = esme.receive_data(smsc.data_to_send())
    assert isinstance(received, RequestReceived)
    esme.respond(received.pdu, p.DeliverSmResp())
    assert [pdu.command_id for pdu in split(esme.data_to_send()) if isinstance(pdu, p.Pdu)] == [
        p.Unbind.command_id,
        p.DeliverSmResp.command_id,
    ]


def test_an_unbound_session_does_not_unbind() -> None:
    with pytest.raises(LocalProtocolError):
        Session(Role.ESME).unbind()


def test_what_was_not_answered_is_given_back_once_in_order() -> None:
    smsc, esme = bound_pair()
    for context in ("a", "b", "c"):
        esme.request(p.SubmitSm(), context)
    (first, *_) = smsc.receive_data(esme.data_to_send())
    assert isinstance(first, RequestReceived)
    smsc.respond(first.pdu, p.SubmitSmResp())
    esme.receive_data(smsc.data_to_send())
    assert esme.abandon() == ["b", "c"]
    assert esme.abandon() == []
    assert esme.close_wanted
    with pytest.raises(LocalProtocolError):
        esme.request(p.SubmitSm())


def test_an_answer_for_a_closed_session_is_dropped() -> None:
    smsc, esme = bound_pair()
    esme.request(p.SubmitSm())
    (received,) = smsc.receive_data(esme.data_to_send())
    smsc.abandon()
    assert isinstance(received, RequestReceived)
    smsc.respond(received.pdu, p.SubmitSmResp())
    assert smsc.data_to_send() == b""
