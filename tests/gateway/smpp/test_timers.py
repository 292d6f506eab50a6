"""The deadlines of a session, as pure functions and as the session meets them.

SMPP v3.4 section 2.9; figures from the answers table. Time is an argument: nothing here waits.
What octets mean must not enter, beyond the few PDUs that start or stop a timer.
"""

from __future__ import annotations

import msgspec
import pytest

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.events import (
    CloseReason,
    CloseRequired,
    LateResponse,
    ResponseOverdue,
    ResponseReceived,
)
from gateway.smpp.session import ESME_LIMITS, SMSC_LIMITS, BindType, Role, Session, SessionLimits, SessionState
from gateway.smpp.timers import Due, TimerFacts, count_in_minute, deadlines
from tests.gateway.smpp.pdu_strategies import bound_pair

WITHOUT_ENQUIRE = SessionLimits(enquire_link_interval_s=0, response_timeout_s=60)


def facts(**changed: object) -> TimerFacts:
    """Facts of a session that was bound at 100 and heard of at 200."""
    known: dict[str, object] = {
        "role": Role.SMSC,
        "state": SessionState.BOUND_TRX,
        "state_since": 100.0,
        "last_octets_at": 200.0,
        "last_pdu_at": 200.0,
    }
    return TimerFacts(**{**known, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {(230.0, Due.ENQUIRE_LINK), (500.0, Due.INACTIVE)}),
        ({"enquire_link_sent_at": 230.0}, {(260.0, Due.NO_ENQUIRE_LINK_RESP), (500.0, Due.INACTIVE)}),
        (
            {"oldest_request_at": 210.0},
            {(240.0, Due.RESPONSE_OVERDUE), (230.0, Due.ENQUIRE_LINK), (500.0, Due.INACTIVE)},
        ),
        ({"state": SessionState.OPEN}, {(110.0, Due.NO_BIND), (500.0, Due.INACTIVE)}),
        ({"state": SessionState.OPEN, "role": Role.ESME}, {(500.0, Due.INACTIVE)}),
        ({"state": SessionState.BINDING}, {(500.0, Due.INACTIVE)}),
        ({"state": SessionState.BINDING, "role": Role.ESME}, {(110.0, Due.NO_BIND_RESP), (500.0, Due.INACTIVE)}),
        ({"state": SessionState.UNBINDING}, {(110.0, Due.UNBIND), (500.0, Due.INACTIVE)}),
        ({"state": SessionState.PEER_UNBINDING}, {(110.0, Due.UNBIND), (500.0, Due.INACTIVE)}),
        (
            {"partial_header": True},
            {(210.0, Due.PARTIAL_HEADER), (230.0, Due.ENQUIRE_LINK), (500.0, Due.INACTIVE)},
        ),
        (
            {"partial_header": True, "corrupt_header": True},
            {(201.0, Due.CORRUPT_HEADER), (230.0, Due.ENQUIRE_LINK), (500.0, Due.INACTIVE)},
        ),
        ({"state": SessionState.CLOSED}, set()),
    ],
)
def test_deadlines_follow_from_facts_and_limits(changed: dict[str, object], expected: set[tuple[float, Due]]) -> None:
    assert set(deadlines(SMSC_LIMITS, facts(**changed))) == expected


def test_the_limits_are_those_of_the_answers_table() -> None:
    assert (SMSC_LIMITS.max_pdu, SMSC_LIMITS.bind_timeout_s, SMSC_LIMITS.partial_header_timeout_s) == (70_000, 10, 10)
    assert (SMSC_LIMITS.enquire_link_timeout_s, SMSC_LIMITS.inactivity_s) == (30, 300)
    assert SMSC_LIMITS.response_timeout_s == 30
    assert SMSC_LIMITS.max_unexpected_responses_per_minute == 100
    assert (ESME_LIMITS.bind_timeout_s, ESME_LIMITS.enquire_link_interval_s) == (30, 30)
    assert (ESME_LIMITS.enquire_link_timeout_s, ESME_LIMITS.window, ESME_LIMITS.response_timeout_s) == (10, 10, 60)


def closes_at(session: Session, at: float, reason: CloseReason) -> None:
    """Nothing closes the session just before `at`; at `at` it wants the close, once, for this reason."""
    assert CloseRequired(reason) not in session.tick(at - 0.001)
    assert not session.close_wanted
    assert session.tick(at)[-1] == CloseRequired(reason)
    assert session.close_wanted
    assert session.close_reason is reason
    assert session.tick(at + 1000) == []
    assert session.next_deadline() is None


def test_an_esme_that_never_binds_is_closed_after_10_s() -> None:
    session = Session(Role.SMSC, now=5.0)
    assert session.next_deadline() == 15.0
    closes_at(session, 15.0, CloseReason.NO_BIND)


def test_a_centre_that_never_answers_the_bind_is_closed_after_30_s() -> None:
    session = Session(Role.ESME)
    session.tick(2.0)
    session.bind(BindType.TRANSMITTER, "a", "b")
    closes_at(session, 32.0, CloseReason.NO_BIND_RESP)


def test_a_partial_header_and_silence_close_after_10_s() -> None:
    smsc, _ = bound_pair()
    smsc.tick(3.0)
    assert smsc.receive_data(b"\0\0\0\x10\0\0") == []
    assert smsc.next_deadline() == 13.0
    closes_at(smsc, 13.0, CloseReason.PARTIAL_HEADER)
    assert smsc.data_to_send() == b""


def test_a_partial_header_that_goes_on_is_no_silence() -> None:
    smsc, esme = bound_pair()
    wire = encode_pdu(p.EnquireLink(sequence_number=1))
    smsc.receive_data(wire[:4])
    smsc.tick(9.0)
    smsc.receive_data(wire[4:9])
    assert smsc.tick(18.9) == []
    smsc.receive_data(wire[9:])
    assert smsc.tick(25.0) == []
    assert decode_pdu(smsc.data_to_send()) == p.EnquireLinkResp(1)


def test_a_wrong_length_without_the_rest_of_its_header_is_nacked_after_a_second() -> None:
    smsc, _ = bound_pair()
    assert smsc.receive_data(b"\0\0\0\x0f") == []
    closes_at(smsc, 1.0, CloseReason.STREAM_CORRUPT)
    assert decode_pdu(smsc.data_to_send()) == p.GenericNack(0, 0x02)


def test_silence_is_asked_about_after_30_s_and_ends_the_session_without_answer() -> None:
    smsc, _ = bound_pair()
    assert smsc.next_deadline() == 30.0
    assert smsc.tick(29.9) == []
    assert smsc.data_to_send() == b""
    assert smsc.tick(30.0) == []
    assert decode_pdu(smsc.data_to_send()) == p.EnquireLink(sequence_number=1)
    assert smsc.enquire_link() is None
    closes_at(smsc, 60.0, CloseReason.NO_ENQUIRE_LINK_RESP)


@pytest.mark.parametrize("answer", [p.EnquireLinkResp, p.GenericNack])
def test_any_answer_to_enquire_link_is_a_sign_of_life(answer: type[p.Pdu]) -> None:
    limits = SessionLimits(enquire_link_interval_s=5, enquire_link_timeout_s=30)
    smsc, _ = bound_pair(smsc_limits=limits)
    smsc.tick(5.0)
    asked = decode_pdu(smsc.data_to_send())
    smsc.tick(6.0)
    assert smsc.receive_data(encode_pdu(answer(sequence_number=asked.sequence_number))) == []
    assert smsc.next_deadline() == 11.0
    smsc.tick(11.0)
    assert isinstance(decode_pdu(smsc.data_to_send()), p.EnquireLink)


def test_an_enquire_link_is_never_sent_before_bound() -> None:
    session = Session(Role.ESME)
    assert session.enquire_link() is None
    session.bind(BindType.RECEIVER, "a", "b")
    session.data_to_send()
    session.tick(29.0)
    assert session.data_to_send() == b""


def test_300_s_without_an_octet_close_where_nothing_is_asked() -> None:
    smsc, _ = bound_pair(smsc_limits=WITHOUT_ENQUIRE)
    closes_at(smsc, 300.0, CloseReason.INACTIVE)


def test_a_peer_that_drips_octets_and_no_pdu_is_asked_for_a_sign_of_life() -> None:
    smsc, _ = bound_pair(smsc_limits=msgspec.structs.replace(SMSC_LIMITS, partial_pdu_timeout_s=300.0))
    smsc.receive_data(encode_pdu(p.SubmitSm(tlvs=((0x0424, bytes(1000)),)))[:100])
    for second in range(0, 60, 5):
        smsc.tick(float(second))
        smsc.receive_data(b"\0")
    closes_at(smsc, 60.0, CloseReason.NO_ENQUIRE_LINK_RESP)


def test_a_pdu_that_drips_closes_30_s_after_its_first_octet() -> None:
    smsc, _ = bound_pair()
    smsc.receive_data(encode_pdu(p.SubmitSm(tlvs=((0x0424, bytes(1000)),)))[:100])
    for second in range(0, 30, 5):
        smsc.tick(float(second))
        smsc.receive_data(b"\0")
    closes_at(smsc, 30.0, CloseReason.PARTIAL_PDU)


def test_a_request_without_answer_is_overdue_once_and_its_late_answer_is_told() -> None:
    smsc, esme = bound_pair(esme_limits=WITHOUT_ENQUIRE)
    esme.tick(1.0)
    first = esme.request(p.SubmitSm(), "first")
    esme.tick(2.0)
    second = esme.request(p.SubmitSm(), "second")
    assert esme.next_deadline() == 61.0
    assert esme.tick(60.9) == []
    assert esme.tick(61.0) == [ResponseOverdue(first, "first", 1.0)]
    assert (esme.unanswered, esme.overdue, esme.window_free) == (1, 1, 9)
    assert esme.tick(62.0) == [ResponseOverdue(second, "second", 2.0)]
    late = p.SubmitSmResp(sequence_number=first, message_id="m")
    assert esme.receive_data(encode_pdu(late)) == [LateResponse(late, "first", 1.0)]
    assert esme.overdue == 1
    assert esme.abandon() == []


def test_overdue_requests_are_remembered_up_to_their_limit() -> None:
    limits = SessionLimits(enquire_link_interval_s=0, window=5, max_overdue=3)
    _, esme = bound_pair(esme_limits=limits)
    for context in range(5):
        esme.request(p.SubmitSm(), context)
    assert [event.context for event in esme.tick(60.0) if isinstance(event, ResponseOverdue)] == [0, 1, 2, 3, 4]
    assert esme.overdue == 3


def test_a_deadline_is_met_after_an_earlier_request_was_answered() -> None:
    _, esme = bound_pair(esme_limits=WITHOUT_ENQUIRE)
    first = esme.request(p.SubmitSm(), "first")
    esme.tick(10.0)
    second = esme.request(p.SubmitSm(), "second")
    (answered,) = esme.receive_data(encode_pdu(p.SubmitSmResp(sequence_number=first)))
    assert isinstance(answered, ResponseReceived)
    assert esme.next_deadline() == 70.0
    assert esme.tick(69.9) == []
    assert esme.tick(70.0) == [ResponseOverdue(second, "second", 10.0)]


def test_an_unbind_without_answer_closes_after_10_s() -> None:
    _, esme = bound_pair()
    esme.tick(4.0)
    esme.unbind()
    closes_at(esme, 14.0, CloseReason.NO_UNBIND_RESP)


def test_an_unbinding_peer_does_not_wait_for_ever_for_the_answers_we_owe() -> None:
    smsc, esme = bound_pair()
    esme.request(p.SubmitSm())
    esme.unbind()
    smsc.receive_data(esme.data_to_send())
    closes_at(smsc, 10.0, CloseReason.UNBOUND_BY_PEER)
    assert isinstance(decode_pdu(smsc.data_to_send()), p.UnbindResp)


def test_a_minute_counts_from_its_first_event() -> None:
    assert count_in_minute(0.0, 5, 59.9) == (0.0, 6)
    assert count_in_minute(0.0, 5, 60.0) == (60.0, 1)
