"""Agenda, token bucket, receipt texts, numbers and user data: the pure parts that both simulators use.

What must not enter: loops and sockets.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp.pdus import DataSm, SubmitSm
from simulators.agenda import Agenda
from simulators.receipt_text import format_receipt, is_receipt, parse_receipt
from simulators.texts import CUSTOMER_TEXTS, complete_number
from simulators.token_bucket import TokenBucket
from simulators.user_data import MESSAGE_PAYLOAD, encode_text, user_data


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 9))
@settings(max_examples=60)
def test_agenda_gives_what_is_due_by_time_then_arrival(times: list[int], now: int) -> None:
    agenda: Agenda[tuple[int, int]] = Agenda(100)
    for arrival, due in enumerate(times):
        agenda.add(due, (due, arrival))
    expected = sorted((due, arrival) for arrival, due in enumerate(times) if due <= now)
    assert agenda.take_due(now) == expected
    later = [due for due in times if due > now]
    assert agenda.next_due_s() == (min(later) if later else None)
    assert len(agenda) == len(later)


def test_full_agenda_refuses() -> None:
    agenda: Agenda[int] = Agenda(1)
    agenda.add(0.0, 1)
    assert agenda.full
    with pytest.raises(OverflowError):
        agenda.add(0.0, 2)


def test_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(10.0, 5.0, 0.0)
    assert sum(bucket.take(0.0) for _ in range(20)) == 5
    assert bucket.wait_s() == pytest.approx(0.1)
    assert sum(bucket.take(0.1 * turn) for turn in range(1, 11) for _ in range(3)) == 10
    assert not bucket.take(0.5), "a clock that steps back gives nothing"


def test_receipt_text_says_what_appendix_b_asks() -> None:
    text = format_receipt("42", "DELIVRD", "000", "2611210400", "2611210401", "Bonjour à tous et à toutes")
    assert text == (
        b"id:42 sub:001 dlvrd:001 submit date:2611210400 done date:2611210401 "
        b"stat:DELIVRD err:000 text:Bonjour ? tous et ? "
    )
    assert parse_receipt(text, ()) == ("42", "DELIVRD", "000")


def test_receipt_tlvs_precede_its_text_and_text_fills_what_they_lack() -> None:
    text = b"ID:7 STAT:expired ERR:0A1"
    assert parse_receipt(text, ()) == ("7", "EXPIRED", "0A1")
    assert parse_receipt(text, ((0x001E, b"8\0"), (0x0427, b"\2"))) == ("8", "DELIVRD", "0A1")
    assert parse_receipt(b"", ((0x0427, b"\x63"),)) == ("", "", "")


@pytest.mark.parametrize(
    ("esm_class", "expected"), [(0x00, False), (0x04, True), (0x20, True), (0x44, True), (0x40, False), (0x08, False)]
)
def test_receipt_is_told_by_its_esm_class(esm_class: int, expected: bool) -> None:
    assert is_receipt(esm_class) is expected


@pytest.mark.parametrize(
    ("prefix", "length"),
    [("2290197", 13), ("+336", 11), ("1202", 11), ("999", 12), ("22901########", 13), ("12345678901234", 14)],
)
def test_number_is_completed_to_its_countrys_length(prefix: str, length: int) -> None:
    number = complete_number(prefix, random.Random(3).random)
    assert len(number) == length
    assert number.isdecimal()
    assert number.startswith(prefix.lstrip("+").split("#")[0])
    assert number == complete_number(prefix, random.Random(3).random), "seeded"


def test_text_is_gsm_where_it_can_be_and_ucs2_otherwise() -> None:
    assert encode_text("é€").octets == b"\x05\x1be"
    assert encode_text("ç").data_coding == 8
    assert encode_text("abc", ucs2=True).octets == b"\0a\0b\0c"
    assert {encode_text(text).data_coding for text in CUSTOMER_TEXTS} == {0, 8}
    assert max(len(encode_text(text).octets) for text in CUSTOMER_TEXTS) > 254


def test_user_data_is_the_payload_where_there_is_one() -> None:
    assert user_data(SubmitSm(short_message=b"short")) == b"short"
    assert user_data(SubmitSm(short_message=b"short", tlvs=((MESSAGE_PAYLOAD, b"long"),))) == b"long"
    assert user_data(DataSm()) == b""
