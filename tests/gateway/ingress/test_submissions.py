"""From PDU to Submission: what is carried over, and the status of each field that cannot be.

SMPP v3.4 4.4.1, 4.7.1, 5.2; smpp-answers "As a server". What must not enter: rules about accounts.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingress.submissions import as_submit_sm, read_submit_sm
from gateway.message import Submission
from gateway.smpp.pdus import DataSm, SubmitSm
from gateway.smpp.times import parse_time
from tests.gateway.accept.facts_at_hand import NOW_MS, ROWS

ESME = ROWS.esmes[0]
HOUR_MS = 3_600_000


def read(**fields: Any) -> Submission | int:
    return read_submit_sm(
        SubmitSm(**{"source_addr": "ACME", "destination_addr": "22901970000", **fields}), ESME, NOW_MS
    )


def submission_of(**fields: Any) -> Submission:
    submission = read(**fields)
    assert isinstance(submission, Submission), hex(submission) if isinstance(submission, int) else submission
    return submission


def test_what_was_written_is_carried_over() -> None:
    submission = submission_of(
        service_type="CMT",
        source_addr_ton=5,
        source_addr_npi=0,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="+22901970000",
        protocol_id=0x40,
        priority_flag=3,
        registered_delivery=1,
        data_coding=3,
        short_message=b"hello",
        tlvs=((0x0204, b"\x00\x01"),),
    )
    assert (submission.account_id, submission.esme_id, submission.traffic_class) == (1, 1, "transactional")
    assert (submission.source_addr, submission.destination_addr) == ("ACME", "+22901970000")
    assert (submission.data_coding, submission.user_data) == (3, b"hello")
    envelope = submission.envelope
    assert (envelope.service_type, envelope.protocol_id, envelope.priority_flag) == ("CMT", 0x40, 3)
    assert (envelope.source_addr_ton, envelope.dest_addr_ton, envelope.dest_addr_npi) == (5, 1, 1)
    assert (envelope.submitted_source, envelope.submitted_destination) == ("ACME", "+22901970000")
    assert envelope.tlvs == ((0x0204, b"\x00\x01"),)
    assert (submission.not_before_ms, submission.expires_at_ms) == (0, 0)


@pytest.mark.parametrize(
    ("field", "bad", "good", "status"),
    [
        ("source_addr_ton", (7, 0x80, 255), range(7), 0x48),
        ("source_addr_npi", (2, 5, 7, 11, 255), (0, 1, 3, 4, 6, 8, 9, 10, 14, 18), 0x49),
        ("dest_addr_ton", (7, 255), range(7), 0x50),
        ("dest_addr_npi", (2, 255), (0, 1, 3, 4, 6, 8, 9, 10, 14, 18), 0x51),
        ("esm_class", (0x04, 0x0C, 0x18, 0x20, 0x3C), (0x00, 0x01, 0x02, 0x03, 0x08, 0x10, 0x80), 0x43),
        ("priority_flag", (5, 255), range(5), 0x06),
        ("registered_delivery", (0x20, 0xFF), range(0x20), 0x07),
        ("replace_if_present_flag", (2, 255), (0, 1), 0x54),
        ("sm_default_msg_id", (1, 254, 255), (0,), 0x63),
    ],
)
def test_a_field_out_of_its_range_has_its_own_status(
    field: str, bad: tuple[int, ...], good: range | tuple[int, ...], status: int
) -> None:
    for value in bad:
        assert read(**{field: value}) == status
    for value in good:
        assert isinstance(read(**{field: value}), Submission)


def test_the_first_bad_field_in_the_order_of_the_pdu_is_told() -> None:
    assert read(source_addr_ton=9, dest_addr_npi=2, priority_flag=9) == 0x48
    assert read(dest_addr_npi=2, priority_flag=9, schedule_delivery_time="x") == 0x51


def test_the_payload_wins_and_is_not_carried_as_a_tlv() -> None:
    submission = submission_of(short_message=b"short", tlvs=((0x0424, b"long"), (0x0204, b"\0\1")))
    assert submission.user_data == b"long"
    assert submission.envelope.tlvs == ((0x0204, b"\0\1"),)
    assert submission_of(short_message=b"short", tlvs=((0x0424, b""),)).user_data == b""


@pytest.mark.parametrize("user_data", [b"", b"\x05\x00\x03\x01\x02", b"\x01", b"\xff" * 100])
def test_a_header_longer_than_the_message_is_a_wrong_length(user_data: bytes) -> None:
    assert read(esm_class=0x40, short_message=user_data) == 0x01
    assert read(esm_class=0x40, tlvs=((0x0424, user_data),)) == 0x01


@pytest.mark.parametrize("user_data", [b"\x00", b"\x00a", b"\x05\x00\x03\x01\x02\x01", b"\x05\x00\x03\x01\x02\x01abc"])
def test_a_header_that_fits_passes(user_data: bytes) -> None:
    assert submission_of(esm_class=0x40, short_message=user_data).user_data == user_data


def test_a_schedule_is_read_and_one_that_is_past_means_at_once() -> None:
    assert submission_of(schedule_delivery_time="000000010000000R").not_before_ms == NOW_MS + HOUR_MS
    assert submission_of(schedule_delivery_time="200101000000000+").not_before_ms == 0
    assert submission_of(schedule_delivery_time="000000000000000R").not_before_ms == 0


@pytest.mark.parametrize("text", ["x", "26112105000000", "261121050000000", "261321050000000+", "261121050000049+"])
def test_times_that_are_none_have_the_status_of_their_field(text: str) -> None:
    assert read(schedule_delivery_time=text) == 0x61
    assert read(validity_period=text) == 0x62


def test_a_validity_that_is_over_or_ends_before_the_schedule_is_refused() -> None:
    assert submission_of(validity_period="000000010000000R").expires_at_ms == NOW_MS + HOUR_MS
    assert read(validity_period="000000000000000R") == 0x62
    assert read(validity_period="200101000000000+") == 0x62
    assert read(schedule_delivery_time="000000020000000R", validity_period="000000010000000R") == 0x62


def test_a_data_sm_is_the_submit_sm_it_stands_for() -> None:
    pdu = DataSm(
        sequence_number=9,
        service_type="CMT",
        source_addr_ton=5,
        source_addr="ACME",
        dest_addr_ton=1,
        destination_addr="229",
        esm_class=0x02,
        registered_delivery=1,
        data_coding=8,
        tlvs=((0x0424, b"\0a"),),
    )
    translated = as_submit_sm(pdu)
    assert isinstance(translated, SubmitSm)
    submission = read_submit_sm(translated, ESME, NOW_MS)
    assert isinstance(submission, Submission)
    assert (submission.source_addr, submission.user_data, submission.data_coding) == ("ACME", b"\0a", 8)
    assert submission.envelope.registered_delivery == 1


def test_a_data_sm_without_payload_misses_a_tlv() -> None:
    assert as_submit_sm(DataSm(source_addr="ACME")) == 0xC3


@pytest.mark.parametrize(("field", "status"), [("source_addr", 0x0A), ("destination_addr", 0x0B)])
def test_a_data_sm_with_an_address_that_no_receipt_could_name_is_refused(field: str, status: int) -> None:
    payload = ((0x0424, b"a"),)
    assert as_submit_sm(DataSm(tlvs=payload, **{field: "2" * 21})) == status  # type: ignore[arg-type]
    assert isinstance(as_submit_sm(DataSm(tlvs=payload, **{field: "2" * 20})), SubmitSm)  # type: ignore[arg-type]


OCTET = st.integers(0, 255)


@settings(max_examples=200, deadline=None)
@given(
    pdu=st.builds(
        SubmitSm,
        source_addr_ton=st.one_of(st.just(1), OCTET),
        source_addr_npi=st.one_of(st.just(1), OCTET),
        esm_class=st.one_of(st.just(0x40), OCTET),
        priority_flag=st.one_of(st.just(0), OCTET),
        registered_delivery=st.one_of(st.just(1), OCTET),
        schedule_delivery_time=st.one_of(st.just(""), st.text("0123456789R+-", min_size=16, max_size=16)),
        validity_period=st.one_of(st.just(""), st.text("0123456789R+-", min_size=16, max_size=16)),
        short_message=st.binary(max_size=254),
        data_coding=OCTET,
        tlvs=st.lists(st.tuples(st.sampled_from([0x0424, 0x0204]), st.binary(max_size=8)), max_size=2).map(tuple),
    )
)
def test_any_decoded_pdu_gives_a_submission_or_a_status(pdu: SubmitSm) -> None:
    outcome = read_submit_sm(pdu, ESME, NOW_MS)
    if isinstance(outcome, int):
        assert outcome in {0x01, 0x06, 0x07, 0x43, 0x48, 0x49, 0x61, 0x62}
    else:
        assert outcome.not_before_ms == 0 or outcome.not_before_ms > NOW_MS
        assert outcome.expires_at_ms == 0 or outcome.expires_at_ms > max(NOW_MS, outcome.not_before_ms)
        assert not pdu.validity_period or parse_time(pdu.validity_period, NOW_MS) == outcome.expires_at_ms


@pytest.mark.parametrize(
    ("octets", "esm_class", "user_data", "data_coding"),
    [
        ("été @".encode("latin-1"), 0, b"\x05t\x05 \x00", 0),
        ("fête".encode("latin-1"), 0, "fête".encode("utf-16-be"), 8),
        (b"\x05\x00\x03\x07\x02\x01\xe9", 0x40, b"\x05\x00\x03\x07\x02\x01\x05", 0),
    ],
)
def test_value_0_is_what_the_login_means_by_it(
    octets: bytes, esm_class: int, user_data: bytes, data_coding: int
) -> None:
    esme = msgspec.structs.replace(ESME, default_alphabet="latin1")
    pdu = SubmitSm(source_addr="ACME", destination_addr="22901970000", short_message=octets, esm_class=esm_class)
    submission = read_submit_sm(pdu, esme, NOW_MS)
    assert isinstance(submission, Submission)
    assert (submission.user_data, submission.data_coding) == (user_data, data_coding)
    pdu.data_coding = 3
    untouched = read_submit_sm(pdu, esme, NOW_MS)
    assert isinstance(untouched, Submission)
    assert (untouched.user_data, untouched.data_coding) == (octets, 3)
