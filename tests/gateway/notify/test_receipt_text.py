"""The receipt an ESME gets: read back by our own reader and by the page's grammar, for every final state.

SMPP v3.4 4.6.1, 5.2.17, appendix B. What must not enter: when it is sent (esme_deliveries).
"""

from __future__ import annotations

import re

import msgspec
import pytest

from gateway.message import Envelope, Message, message_id_at
from gateway.message_states import FINAL, RECEIPT_WORD, SMPP_MESSAGE_STATE
from gateway.notify.receipt_text import is_wanted, receipt_for
from gateway.receipts.parse import is_receipt, read_receipt
from gateway.smpp.codec import encode_pdu

ACCEPTED_MS = 1_767_322_980_000  # 2026-01-02 03:03:00 UTC
MESSAGE = Message(
    message_id_at(ACCEPTED_MS, 1, 0),
    1,
    1,
    1,
    1,
    "otp",
    2,
    0,
    2,
    1,
    0,
    "ACME",
    "22901970000",
    "",
    b"",
    Envelope(5, 0, 1, 1, registered_delivery=1, submitted_source="Acme", submitted_destination="+22901970000"),
    state="delivered",
    part_states="DD",
    final_at_ms=ACCEPTED_MS + 61_000,
)
TEXT = re.compile(
    rb"id:(\d+) sub:(\d{3}) dlvrd:(\d{3}) submit date:(\d{10}) done date:(\d{10}) stat:([A-Z]{7}) err:(.{3}) text:"
)


def ended(state: str, **given: object) -> Message:
    return msgspec.structs.replace(MESSAGE, state=state, **given)


def text_of(message: Message) -> tuple[bytes, ...]:
    found = TEXT.fullmatch(receipt_for(message).short_message)
    assert found is not None
    return found.groups()


def test_the_text_has_the_fields_of_appendix_b_in_their_order() -> None:
    assert text_of(MESSAGE) == (
        str(MESSAGE.message_id).encode(),
        b"002",
        b"002",
        b"2601020303",
        b"2601020304",
        b"DELIVRD",
        b"000",
    )


@pytest.mark.parametrize("state", sorted(FINAL))
def test_our_own_reader_reads_every_final_state_back(state: str) -> None:
    message = ended(state)
    pdu = receipt_for(message)
    assert is_receipt(pdu.esm_class)
    for tlvs in (pdu.tlvs, ()):
        receipt = read_receipt(msgspec.structs.replace(pdu, tlvs=tlvs))
        assert receipt is not None
        assert (receipt.smsc_message_id, receipt.state) == (str(message.message_id), state)
    assert text_of(message)[5] == RECEIPT_WORD[state].encode()
    assert dict(pdu.tlvs)[0x0427] == bytes((SMPP_MESSAGE_STATE[state],))


def test_addresses_are_the_submissions_own_turned_round() -> None:
    pdu = receipt_for(MESSAGE)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "+22901970000")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (5, 0, "Acme")


def test_parts_that_were_delivered_are_counted() -> None:
    assert text_of(ended("undeliverable", part_states="DF"))[1:3] == (b"002", b"001")


@pytest.mark.parametrize(
    ("state", "error", "err"),
    [
        ("delivered", "", b"000"),
        ("undeliverable", "", b"999"),
        ("undeliverable", "34", b"034"),
        ("undeliverable", "A1B", b"A1B"),
        ("rejected", "ESME_RINVDSTADR", b"999"),
        ("delivered", "validity ended", b"000"),
    ],
)
def test_an_error_has_three_characters(state: str, error: str, err: bytes) -> None:
    assert text_of(ended(state, error=error))[6] == err


def test_the_longest_receipt_fits_a_deliver_sm() -> None:
    message = ended("undeliverable", message_id=(1 << 63) - 1, part_count=10, part_states="F" * 10, final_at_ms=1)
    pdu = receipt_for(message)
    assert len(pdu.short_message) <= 254
    assert encode_pdu(msgspec.structs.replace(pdu, sequence_number=1))


@pytest.mark.parametrize("registered_delivery", range(32))
@pytest.mark.parametrize("state", sorted(FINAL))
def test_an_outcome_is_told_to_those_who_asked_for_it(registered_delivery: int, state: str) -> None:
    envelope = Envelope(registered_delivery=registered_delivery)
    asked = {0: False, 1: True, 2: state != "delivered", 3: state == "delivered"}[registered_delivery & 3]
    assert is_wanted(ended(state, envelope=envelope)) == asked
