"""Receipts as carriers write them: by TLV, by text, by both, and whatever octets stand where a receipt should.

Follows SMPP v3.4 5.2.12, 5.2.28, 5.3.2.12, 5.3.2.35 and appendix B. What must not enter: joining them to messages.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message_states import FINAL
from gateway.receipts.parse import SAYS_NOTHING, Receipt, is_receipt, read_receipt
from gateway.smpp.pdus import DeliverSm

FULL = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611210500 done date:2611210501 stat:DELIVRD err:000 text:Hello there"
)


def receipt_of(text: bytes = b"", tlvs: tuple[tuple[int, bytes], ...] = (), esm_class: int = 0x04) -> Receipt | None:
    return read_receipt(
        DeliverSm(
            source_addr="22901970000", destination_addr="ACME", esm_class=esm_class, short_message=text, tlvs=tlvs
        )
    )


def known(text: bytes = b"", tlvs: tuple[tuple[int, bytes], ...] = (), esm_class: int = 0x04) -> Receipt:
    receipt = receipt_of(text, tlvs, esm_class)
    assert receipt is not None
    return receipt


def test_a_receipt_of_appendix_b_is_read_whole() -> None:
    assert known(FULL) == Receipt("0123456789", 2, "delivered", "", "22901970000", "ACME", FULL)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (b"DELIVRD", "delivered"),
        (b"DELIVERED", "delivered"),
        (b"EXPIRED", "expired"),
        (b"DELETED", "deleted"),
        (b"UNDELIV", "undeliverable"),
        (b"UNDELIVERABLE", "undeliverable"),
        (b"FAILED", "undeliverable"),
        (b"REJECTD", "rejected"),
        (b"REJECTED", "rejected"),
        (b"UNKNOWN", "unknown"),
        (b"ACCEPTD", ""),
        (b"ENROUTE", ""),
        (b"BUFFERED", ""),
        (b"SCHEDULED", ""),
    ],
)
def test_each_word_of_table_b2_and_its_spellings_in_the_field(word: bytes, state: str) -> None:
    assert known(b"id:1 stat:" + word + b" err:000").state == state
    assert known(b"id:1 stat:" + word.lower() + b" err:000").state == state


@pytest.mark.parametrize("value", range(256))
def test_each_message_state_value_decides_only_what_is_final(value: int) -> None:
    receipt = known(tlvs=((0x001E, b"77\0"), (0x0427, bytes((value,)))))
    assert receipt.message_state == value
    assert receipt.state in FINAL or receipt.state == ""
    assert (receipt.state != "") == (value in (2, 3, 4, 5, 7, 8))


@pytest.mark.parametrize(
    "text",
    [
        b"stat:DELIVRD id:AB12 err:000",
        b"ID:AB12 STAT:DELIVRD ERR:000",
        b"Id: AB12 Stat: DELIVRD Err: 000",
        b"id :AB12 stat :delivrd",
        b"sub:001 dlvrd:001 id:AB12 submit date:20261121050000 done date:20261121050100 stat:DELIVRD err:000 text:",
        b"id:AB12\nstat:DELIVRD\nerr:000",
    ],
)
def test_case_order_spaces_and_long_dates_do_not_matter(text: bytes) -> None:
    receipt = known(text)
    assert (receipt.smsc_message_id, receipt.state, receipt.error) == ("AB12", "delivered", "")


def test_tlvs_are_believed_before_the_text() -> None:
    receipt = known(b"id:999 stat:UNDELIV err:005", ((0x001E, b"1a2b\0"), (0x0427, b"\x02")))
    assert (receipt.smsc_message_id, receipt.state) == ("1a2b", "delivered")


def test_tlvs_alone_are_enough() -> None:
    receipt = known(tlvs=((0x0427, b"\x05"), (0x001E, b"1a2b"), (0x0423, b"\x03\x00\x22")))
    assert receipt == Receipt("1a2b", 5, "undeliverable", "34/3.34", "22901970000", "ACME", receipt.raw)


def test_a_text_in_message_payload_is_read() -> None:
    assert known(tlvs=((0x0424, FULL),)).smsc_message_id == "0123456789"


def test_an_empty_receipted_message_id_leaves_the_word_to_the_text() -> None:
    assert known(FULL, ((0x001E, b"\0"),)).smsc_message_id == "0123456789"


def test_a_nul_inside_the_receipted_message_id_ends_it() -> None:
    assert known(tlvs=((0x001E, b"12\x0034\0"), (0x0427, b"\x02"))).smsc_message_id == "12"
    assert known(b"id:12\x0034 stat:DELIVRD").smsc_message_id == "12"


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"sub:001 stat:DELIVRD", b"id: sub:001 dlvrd:001 stat:DELIVRD", b"id:"]
)
def test_a_receipt_that_names_no_message_is_none(text: bytes) -> None:
    assert receipt_of(text) is None


def test_an_id_in_the_text_of_the_message_is_not_taken_for_the_field() -> None:
    assert known(b"id:7 stat:DELIVRD err:000 text:your id:99 is valid").smsc_message_id == "7"


@pytest.mark.parametrize("text", [b"id:7 err:000", b"id:7 stat:", b"id:7 stat:PENDING", b"id:7 stat:???"])
def test_a_missing_or_strange_state_decides_nothing(text: bytes) -> None:
    receipt = known(text)
    assert (receipt.message_state, receipt.state) == (SAYS_NOTHING, "")


def test_an_intermediate_notification_decides_nothing() -> None:
    assert known(FULL, esm_class=0x20).state == ""


@pytest.mark.parametrize(
    ("text", "tlvs", "error"),
    [
        (b"id:1 stat:UNDELIV err:034", (), "034"),
        (b"id:1 stat:UNDELIV ERR:A1", (), "A1"),
        (b"id:1 stat:UNDELIV err:000", ((0x0423, b"\x03\x00\x01"),), "1/3.1"),
        (b"id:1 stat:UNDELIV err:011", ((0x0423, b"\x03\x00\x1b"),), "011/3.27"),
        (b"id:1 stat:UNDELIV", ((0x0423, b"\x03\x01\x02"),), "258/3.258"),
        (b"id:1 stat:UNDELIV", ((0x0423, b"\x03\x00\x00"),), ""),
        (b"id:1 stat:UNDELIV", ((0x0423, b"\x03"),), ""),
        (b"id:1 stat:UNDELIV", (), ""),
    ],
)
def test_the_error_code_is_of_the_text_else_of_the_network(
    text: bytes, tlvs: tuple[tuple[int, bytes], ...], error: str
) -> None:
    assert known(text, tlvs).error == error


@pytest.mark.parametrize("esm_class", range(256))
def test_only_the_two_message_types_of_receipts_are_receipts(esm_class: int) -> None:
    assert is_receipt(esm_class) == (esm_class & 0x3C in (0x04, 0x20))


ANY_TLV = st.tuples(st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424, 0x1400]), st.binary(max_size=70))
PIECES = st.sampled_from(
    [b"id:", b"ID :", b"stat:", b"err:", b" ", b"DELIVRD", b"sub:001 ", b"\0", b"\xff", b"12", b"text:"]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=254), st.lists(PIECES, max_size=12).map(b"".join)),
    st.lists(ANY_TLV, max_size=4),
    st.integers(0, 255),
)
def test_any_octets_give_a_receipt_that_can_be_stored_or_none(
    text: bytes, tlvs: list[tuple[int, bytes]], esm_class: int
) -> None:
    receipt = receipt_of(text, tuple(tlvs), esm_class)
    if receipt is not None:
        assert receipt.smsc_message_id
        assert "\0" not in receipt.smsc_message_id + receipt.error
        assert receipt.state in FINAL or receipt.state == ""
