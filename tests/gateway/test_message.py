"""Ids that only grow and tell their time, keys of carriers' ids, the envelope's round trip.

Architecture section 4 (time-ordered ids). What must not enter: what a message does.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message import ID_COUNTER_LIMIT, Envelope, MessageIds, accepted_at_ms, id_key, message_id_at
from gateway.storage.messages import decode_envelope, encode_envelope

NOW_MS = 1_790_000_000_000


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 63), st.lists(st.integers(-50, 50), min_size=1, max_size=60))
def test_ids_grow_whatever_the_clock_does(node_id: int, steps: list[int]) -> None:
    ids, now_ms, last = MessageIds(node_id), NOW_MS, 0
    for step in steps:
        now_ms += step
        given_id = ids.next(now_ms)
        assert given_id > last
        assert given_id >> 14 & 63 == node_id
        assert accepted_at_ms(given_id) >= now_ms
        last = given_id


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = MessageIds(5)
    given_ids = [ids.next(NOW_MS) for _ in range(ID_COUNTER_LIMIT + 2)]
    assert given_ids[0] == message_id_at(NOW_MS, 5, 0)
    assert given_ids[ID_COUNTER_LIMIT - 1] == message_id_at(NOW_MS, 5, ID_COUNTER_LIMIT - 1)
    assert given_ids[-2:] == [message_id_at(NOW_MS + 1, 5, 0), message_id_at(NOW_MS + 1, 5, 1)]
    assert ids.next(NOW_MS + 1) == message_id_at(NOW_MS + 1, 5, 2)


def test_two_nodes_never_give_the_same_id() -> None:
    assert not {MessageIds(n).next(NOW_MS) for n in range(1, 63)} & {MessageIds(63).next(NOW_MS)}


def test_a_life_whose_clock_stepped_back_goes_on_after_the_last_id() -> None:
    last = message_id_at(NOW_MS, 5, 77)
    assert MessageIds(5, last).next(NOW_MS - 1_000) > last


def test_an_id_fits_a_bigint_until_the_next_century() -> None:
    assert message_id_at(7_258_118_400_000, 63, ID_COUNTER_LIMIT - 1) < 1 << 63  # 2200-01-01


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=65))
def test_a_key_has_no_dress_and_is_its_own_key(smsc_message_id: str) -> None:
    key = id_key(smsc_message_id)
    assert not key.startswith("0")
    assert id_key(key) == key
    assert id_key("000" + smsc_message_id.upper()) in (key, id_key(smsc_message_id.upper()))


ENVELOPES = st.builds(
    Envelope,
    service_type=st.text(max_size=5),
    esm_class=st.integers(0, 255),
    submitted_source=st.text(max_size=20),
    submitted_destination=st.text(max_size=20),
    tlvs=st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=4).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(ENVELOPES)
def test_an_envelope_comes_back_as_it_was_stored(envelope: Envelope) -> None:
    assert decode_envelope(encode_envelope(envelope)) == envelope


def test_no_id_is_ever_given_below_the_horizon_that_was_told() -> None:
    ids = MessageIds(5)
    before = ids.next(NOW_MS)
    horizon = ids.horizon(NOW_MS + 86_400_000)
    assert before < horizon <= ids.next(NOW_MS)
    assert ids.horizon(NOW_MS) == horizon, "a clock that stepped back takes nothing back"
