"""What becomes of octets: boundaries, cuts, duplicates and turned bits, the same however the stream is chunked.

Source: simulators/fault_proxy/faults.py; PDUs by SMPP v3.4 section 3.2.
What must not enter: sockets (test_proxy.py).
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import EnquireLink, SubmitSm
from simulators.fault_proxy.faults import Boundaries, FaultyWay, Tally
from simulators.fault_proxy.settings import ProxySettings, Way

ENQUIRE = encode_pdu(EnquireLink(sequence_number=1))
SUBMIT = encode_pdu(SubmitSm(sequence_number=2, short_message=b"Bonjour"))
STREAM = ENQUIRE + SUBMIT + ENQUIRE


def chunks(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    return [octets[begin:end] for begin, end in zip(edges, edges[1:], strict=False) if end > begin]


def passed(pieces: list[bytes], seed: int = 1, **plain: object) -> tuple[bytes, Tally]:
    """What leaves for a stream, until it is cut."""
    tally = Tally()
    way = FaultyWay(Way.TO_SERVER, tally, random.Random(seed))
    settings = ProxySettings.parse(**plain)
    left = b""
    for piece in pieces:
        told = way.take(piece, settings)
        left += told.octets
        if told.cut:
            break
    return left, tally


CUTS = st.lists(st.integers(0, len(STREAM)), max_size=8)


@given(CUTS)
def test_boundaries_are_found_in_any_chunking(cuts: list[int]) -> None:
    boundaries, at, ends = Boundaries(), 0, []
    for piece in chunks(STREAM, cuts):
        ends += [at + end for end in boundaries.ends_in(piece)]
        at += len(piece)
    assert ends == [len(ENQUIRE), len(ENQUIRE + SUBMIT), len(STREAM)]
    assert not boundaries.lost


@pytest.mark.parametrize("length", [0, 15, 70_001, 0x80000000])
def test_a_length_that_no_pdu_has_ends_the_search_for_boundaries(length: int) -> None:
    boundaries = Boundaries()
    assert boundaries.ends_in(ENQUIRE + length.to_bytes(4, "big") + STREAM) == [16]
    assert boundaries.lost
    assert boundaries.ends_in(STREAM) == []


@given(CUTS)
def test_without_faults_everything_passes_as_it_came(cuts: list[int]) -> None:
    left, tally = passed(chunks(STREAM, cuts))
    assert (left, tally.octets, tally.pdus) == (STREAM, len(STREAM), 3)


@given(CUTS, st.integers(1, len(STREAM)))
def test_a_cut_after_n_octets_lets_exactly_n_pass(cuts: list[int], limit: int) -> None:
    left, tally = passed(chunks(STREAM, cuts), cut_after=limit)
    assert (left, tally.cuts) == (STREAM[:limit], 1)


@given(CUTS, st.integers(1, 3))
def test_a_cut_at_a_pdu_lets_whole_pdus_pass_and_nothing_of_the_next(cuts: list[int], limit: int) -> None:
    left, tally = passed(chunks(STREAM, cuts), cut_at_pdu=limit)
    assert left == b"".join((ENQUIRE, SUBMIT, ENQUIRE)[:limit])
    assert (tally.pdus, tally.cuts) == (limit, 1)


def test_both_ways_of_a_connection_count_towards_its_cut() -> None:
    tally = Tally()
    settings = ProxySettings.parse(cut_at_pdu=2)
    there, back = (FaultyWay(way, tally, random.Random(1)) for way in Way)
    assert there.take(SUBMIT, settings).cut == ""
    told = back.take(ENQUIRE + ENQUIRE, settings)
    assert (told.octets, told.cut) == (ENQUIRE, "PDUs")


@given(CUTS)
def test_duplicates_are_whole_pdus_right_behind_themselves(cuts: list[int]) -> None:
    left, tally = passed(chunks(STREAM, cuts), duplicate=1.0)
    assert left == ENQUIRE * 2 + SUBMIT * 2 + ENQUIRE * 2
    assert tally.duplicates == 3


@given(CUTS, st.integers(0, 1000))
def test_chance_does_not_depend_on_chunking(cuts: list[int], seed: int) -> None:
    faults: dict[str, object] = {"duplicate": 0.5, "flip": 0.05}
    assert passed(chunks(STREAM, cuts), seed, duplicate=0.5) == passed([STREAM], seed, duplicate=0.5)
    assert passed(chunks(STREAM, cuts), seed, flip=0.05) == passed([STREAM], seed, flip=0.05)
    assert passed([STREAM], seed, **faults) == passed([STREAM], seed, **faults)


@given(st.integers(0, 1000))
def test_a_turned_octet_differs_in_one_bit(seed: int) -> None:
    left, tally = passed([STREAM], seed, flip=0.2)
    differing = [(a ^ b).bit_count() for a, b in zip(left, STREAM, strict=True) if a != b]
    assert differing == [1] * tally.flips


def test_every_octet_can_be_turned_and_the_share_is_kept() -> None:
    assert passed([STREAM], flip=1.0)[1].flips == len(STREAM)
    assert 800 < passed([bytes(100_000)], flip=0.01)[1].flips < 1200


def test_duplicates_and_turned_bits_keep_to_the_way_that_was_asked_for() -> None:
    assert passed([STREAM], duplicate=1.0, flip=1.0, only="to-client")[0] == STREAM
    assert passed([STREAM], duplicate=1.0, only="to-server")[0] != STREAM


def test_a_duplicate_wished_amid_a_pdu_begins_with_the_next_whole_one() -> None:
    tally = Tally()
    way = FaultyWay(Way.TO_SERVER, tally, random.Random(1))
    way.take(SUBMIT[:20], ProxySettings())
    told = way.take(SUBMIT[20:] + ENQUIRE, ProxySettings.parse(duplicate=1.0))
    assert told.octets == SUBMIT[20:] + ENQUIRE * 2


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("silence", "sideways", "neither to-server nor to-client"),
        ("cut_after", -1, "negative"),
        ("flip", 1.5, "not a share"),
        ("delay_ms", "9..2", "not a span"),
        ("to", "nowhere", "HOST:PORT"),
        ("dupplicate", 1, "did you mean 'duplicate'"),
    ],
)
def test_bad_settings_are_refused_with_their_name(name: str, value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ProxySettings.parse(**{name: value})
