"""Any bytes give events or the blamed error, nothing else; any chunking gives the same.

House style rule 12. The random campaign is seeded and short; fuzz_target.py serves longer ones.
No particular PDU may enter.
"""

from __future__ import annotations

import contextlib
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import PduUnacceptable, StreamCorrupt
from gateway.smpp.session import SessionLimits
from tests.gateway.smpp.fuzz_target import converse, fuzz_once, plausible_octets, session_by
from tests.gateway.smpp.pdu_strategies import ANY_PDU, bound_pair

CAMPAIGN_S = 3.0


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_octets_are_a_pdu_unacceptable_or_a_corrupt_stream(octets: bytes) -> None:
    with contextlib.suppress(StreamCorrupt):
        assert isinstance(decode_pdu(octets), p.Pdu | PduUnacceptable)


@given(st.binary(min_size=2, max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_octets_give_a_session_events_and_nothing_else(data: bytes) -> None:
    fuzz_once(data)


@given(st.lists(ANY_PDU, min_size=1, max_size=4), st.integers(0, 7), st.data())
@settings(max_examples=300, deadline=None)
def test_any_chunking_of_any_pdus_gives_the_same_events_and_answers(
    pdus: list[p.Pdu], selector: int, data: st.DataObject
) -> None:
    octets = b"".join(encode_pdu(pdu) for pdu in pdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    chunks = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    whole = converse(session_by(selector), [octets])
    assert converse(session_by(selector), chunks) == whole
    assert converse(session_by(selector), [bytes((octet,)) for octet in octets]) == whole


@pytest.mark.parametrize("seed", [1])
def test_a_seeded_campaign_of_damaged_pdus_finds_nothing(seed: int) -> None:
    chance = random.Random(seed)
    runs, until = 0, time.monotonic() + CAMPAIGN_S
    while time.monotonic() < until:
        data = plausible_octets(chance)
        try:
            fuzz_once(data)
        except Exception as find:
            raise AssertionError(f"fuzz_once(bytes.fromhex({data.hex()!r}))") from find
        runs += 1
    assert runs > 500


def test_a_long_pdu_octet_by_octet_costs_no_quadratic_copying() -> None:
    smsc, _ = bound_pair(smsc_limits=SessionLimits())
    submit = p.SubmitSm(sequence_number=1, tlvs=((0x0424, bytes(65_000)),))
    octets = encode_pdu(submit)
    began = time.process_time()
    events = [event for octet in octets for event in smsc.receive_data(bytes((octet,)))]
    assert len(events) == 1
    assert time.process_time() - began < 2.0  # 0.03 s here; quadratic copying takes over 2 GB of it
