"""From the PDUs of operations to wishes: any that can be decoded gives a wish or a status, nothing else.

Source: SMPP v3.4 4.5.1, 4.8.1, 4.10.1. What must not enter: what becomes of a wish (test_operations.py).
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.multi import read_submit_multi
from gateway.ingress.operations import naming_of, read_replace_sm
from gateway.message import Submission
from gateway.smpp.pdus import DistributionList, ReplaceSm, SmeAddress, SubmitMulti
from tests.gateway.accept.facts_at_hand import NOW_MS, ROWS

ESME = ROWS.esmes[0]
OCTET = st.integers(0, 255)
TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=20)
TIME = st.one_of(st.just(""), TEXT, st.text("0123456789R+-", min_size=16, max_size=16))
SME = st.builds(SmeAddress, st.one_of(st.just(1), OCTET), st.one_of(st.just(1), OCTET), TEXT)
FIELDS = {
    "source_addr_ton": st.one_of(st.just(1), OCTET),
    "source_addr_npi": st.one_of(st.just(1), OCTET),
    "source_addr": TEXT,
    "schedule_delivery_time": TIME,
    "validity_period": TIME,
    "registered_delivery": st.one_of(st.just(1), OCTET),
    "sm_default_msg_id": st.one_of(st.just(0), OCTET),
    "short_message": st.binary(max_size=254),
}


@given(
    st.builds(
        SubmitMulti,
        dest_address=st.lists(st.one_of(SME, st.builds(DistributionList, TEXT)), min_size=1, max_size=5).map(tuple),
        esm_class=st.one_of(st.just(0), OCTET),
        priority_flag=st.one_of(st.just(0), OCTET),
        replace_if_present_flag=st.one_of(st.just(0), OCTET),
        **FIELDS,
    )
)
def test_each_destination_becomes_a_submission_or_is_refused(pdu: SubmitMulti) -> None:
    multi = read_submit_multi(pdu, ESME, NOW_MS)
    if isinstance(multi, int):
        assert multi in {0x01, 0x06, 0x07, 0x43, 0x48, 0x49, 0x54, 0x61, 0x62, 0x63}
        return
    asked = [place for place, _ in multi.submissions]
    assert len(asked) + len(multi.unsuccess()) == len(pdu.dest_address)
    for place, submission in multi.submissions:
        destination = pdu.dest_address[place]
        assert isinstance(destination, SmeAddress)
        assert isinstance(submission, Submission)
        written = submission.envelope.dest_addr_ton, submission.envelope.dest_addr_npi, submission.destination_addr
        assert written == (destination.dest_addr_ton, destination.dest_addr_npi, destination.destination_addr)
    if not asked:
        assert multi.first_status in {0x34, 0x50, 0x51}


@given(st.builds(ReplaceSm, message_id=TEXT, **FIELDS))
def test_a_replacement_is_read_or_has_a_status(pdu: ReplaceSm) -> None:
    changes = read_replace_sm(pdu, NOW_MS)
    if isinstance(changes, int):
        assert changes in {0x07, 0x48, 0x49, 0x61, 0x62, 0x63}
    else:
        assert (changes.not_before_ms is None) == (not pdu.schedule_delivery_time)
        assert (changes.expires_at_ms is None) == (not pdu.validity_period)


@given(st.one_of(TEXT, st.integers(0, 10**70).map(str)))
def test_an_id_is_ours_or_unknown(message_id: str) -> None:
    naming = naming_of(message_id, "ACME", ESME)
    assert naming is None or 0 <= naming.message_id < 1 << 63
