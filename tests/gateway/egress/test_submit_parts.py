"""A message as a carrier's submit_sm PDUs: each way of long messages, each alphabet, and what must pass unharmed.

Source: SMPP v3.4 5.3.2.22 to 5.3.2.32; 3GPP TS 23.038 6.1.2, 23.040 9.2.3.24.
What must not enter: links and outcomes (test_smpp_connector.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.egress.profile import CarrierProfile
from gateway.egress.submit_parts import WHOLE, parts_of
from gateway.message import Envelope, Message
from gateway.smpp.declared_tlvs import DeclaredTlv
from gateway.smpp.pdus import SubmitSm
from telecom.alphabets import encode_gsm7, unpack_counted_by_octets
from telecom.data_coding import DefaultAlphabet
from telecom.parts import count_parts

PAYLOAD, SAR = 0x0424, (0x020C, 0x020E, 0x020F)
CONCATENATION = bytes.fromhex("050003070201")
PORTS = bytes.fromhex("0605040b8423f0")  # WAP push: destination 2948, source 9200
TURKISH_SHIFT = bytes.fromhex("03240101")


def profile(**given: Any) -> CarrierProfile:
    return CarrierProfile(
        **{"name": "a", "connector_id": 1, "host": "h", "port": 1, "system_id": "gw", "password": "gw"}
        | {"tlvs": {0x1400: DeclaredTlv("octets", 1, 6)}}
        | given
    )


def message(user_data: bytes, data_coding: int = 0, number: int = 5, **given: Any) -> Message:
    envelope = given.pop("envelope", None) or Envelope(source_addr_ton=5, **given)
    count = count_parts(user_data, data_coding, bool(envelope.esm_class & 0x40))
    return Message(
        number << 20, 1, 1, 1, 1, "otp", count, data_coding, 1, 9, 0, "ACME", "229", "why", user_data, envelope,
        part_states="Q" * count,
    )  # fmt: skip


def written(asked: Message, **given: Any) -> list[SubmitSm]:
    parts = parts_of(asked, profile(**given))
    assert not isinstance(parts, str), parts
    return [pdu for pdu, _ in parts]


def septets(text: str) -> bytes:
    found = encode_gsm7(text)
    assert isinstance(found, bytes)
    return found


# ---------------------------------------------------------------- ways of long messages


def test_udh_with_an_8_bit_reference() -> None:
    pdus = written(message(b"a" * 400))
    assert [pdu.short_message[:6].hex() for pdu in pdus] == [f"0500030503{n:02x}" for n in (1, 2, 3)]
    assert b"".join(pdu.short_message[6:] for pdu in pdus) == b"a" * 400
    assert {pdu.esm_class for pdu in pdus} == {0x40}


def test_udh_with_a_16_bit_reference_cuts_narrower() -> None:
    pdus = written(message(b"a" * 400, number=0x1234), long_messages="udh16")
    assert [pdu.short_message[:7].hex() for pdu in pdus] == [f"060804123403{n:02x}" for n in (1, 2, 3)]
    assert [len(pdu.short_message) for pdu in pdus] == [159, 159, 7 + 400 - 304]


def test_a_16_bit_reference_never_costs_a_part_more_than_was_paid() -> None:
    pdus = written(message(b"a" * 306), long_messages="udh16")
    assert [pdu.short_message[:6].hex() for pdu in pdus] == ["050003050201", "050003050202"]


def test_ten_parts_of_the_narrow_reference_fit_whatever_is_wished() -> None:
    assert len(written(message(b"a" * 1530), long_messages="udh16")) == 10


def test_what_the_carrier_s_connector_does_not_declare_stays_here() -> None:
    tlvs = ((0x1400, b"vendor"), (0x1401, b"another's"), (0x0204, b"\x00\x01"))
    (pdu,) = written(message(b"hello", tlvs=tlvs))
    assert pdu.tlvs == (tlvs[0], tlvs[2])
    (pdu,) = written(message(b"hello", tlvs=tlvs), tlvs={0x1401: DeclaredTlv("octets", 1, 2)})
    assert pdu.tlvs == (tlvs[2],), "what was rerouted here travels only where it fits"


def test_sar_says_in_tlvs_what_a_header_would() -> None:
    pdus = written(message(b"a" * 400, number=0x1234), long_messages="sar")
    assert [tuple(pdu.tlv(tag) for tag in SAR) for pdu in pdus] == [
        (b"\x12\x34", b"\x03", bytes((n,))) for n in (1, 2, 3)
    ]
    assert [len(pdu.short_message) for pdu in pdus] == [153, 153, 94]  # what the SMSC needs for its header stays free
    assert {pdu.esm_class for pdu in pdus} == {0}


def test_payload_carries_the_whole_message_once() -> None:
    parts = parts_of(message(b"a" * 400), profile(long_messages="payload"))
    assert not isinstance(parts, str)
    ((pdu, (_, part_no)),) = parts
    assert (pdu.short_message, pdu.tlv(PAYLOAD), pdu.esm_class, part_no) == (b"", b"a" * 400, 0, WHOLE)


@pytest.mark.parametrize("way", ["udh", "udh16", "sar", "payload"])
def test_one_part_is_plain_whatever_the_way(way: str) -> None:
    (pdu,) = written(message(b"hello"), long_messages=way)
    assert (pdu.short_message, pdu.tlvs, pdu.esm_class) == (b"hello", (), 0)


def test_the_reference_is_the_same_in_a_resend_and_only_queued_parts_are_written() -> None:
    asked = message(b"a" * 400)
    before = written(asked)
    asked.part_states = "SQS"
    (again,) = written(asked)
    assert again.short_message == before[1].short_message


@pytest.mark.parametrize(("part_receipts", "asked"), [("each", [1, 1, 1]), ("last", [0, 0, 1])])
def test_which_parts_ask_for_a_receipt(part_receipts: str, asked: list[int]) -> None:
    pdus = written(message(b"a" * 400), part_receipts=part_receipts)
    assert [pdu.registered_delivery for pdu in pdus] == asked


@pytest.mark.parametrize(("wished", "asked"), [(0x00, 0x01), (0x02, 0x01), (0x11, 0x11), (0x0E, 0x0D), (0x1F, 0x1D)])
def test_acknowledgements_and_intermediate_notifications_are_asked_for_as_the_customer_wished(
    wished: int, asked: int
) -> None:
    (pdu,) = written(message(b"a", registered_delivery=wished))
    assert pdu.registered_delivery == asked


def test_the_last_part_of_a_resend_asks_too() -> None:
    asked = message(b"a" * 400)
    asked.part_states = "QQD"
    assert [pdu.registered_delivery for pdu in written(asked, part_receipts="last")] == [0, 1]


# ---------------------------------------------------------------- unharmed


@pytest.mark.parametrize(
    ("user_data", "data_coding", "esm_class"),
    [
        (b"flash", 0x10, 0),
        (b"flash", 0xF0, 0),
        (bytes(range(140)), 4, 0),
        (bytes(range(140)), 0xF5, 0),
        (PORTS + bytes(range(120)), 4, 0x40),
        (PORTS + bytes(range(120)), 0xF5, 0x40),
        (TURKISH_SHIFT + b"\x1bi", 0, 0x40),
        (CONCATENATION + b"a" * 153, 0, 0x40),
        (b"with a reply path", 0, 0x80),
    ],
)
@pytest.mark.parametrize("way", ["udh", "udh16", "sar", "payload"])
def test_a_customers_octets_header_and_class_go_as_they_came(
    way: str, user_data: bytes, data_coding: int, esm_class: int
) -> None:
    tlvs = ((0x0005, b"\x01"), (0x1400, b"vendor"))
    asked = message(user_data, data_coding, esm_class=esm_class, protocol_id=0x7F, service_type="WAP", tlvs=tlvs)
    (pdu,) = written(asked, long_messages=way)
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (user_data, data_coding, esm_class)
    assert (pdu.protocol_id, pdu.service_type, pdu.tlvs) == (0x7F, "WAP", tlvs)


def test_long_binary_is_cut_and_nothing_else() -> None:
    octets = bytes(range(256)) + bytes(44)
    pdus = written(message(octets, 4))
    assert b"".join(pdu.short_message[6:] for pdu in pdus) == octets
    assert {pdu.data_coding for pdu in pdus} == {4}


@pytest.mark.parametrize("alphabet", ["gsm7_packed", "latin1", "utf8"])
def test_octets_and_ucs2_are_in_no_alphabet(alphabet: str) -> None:
    for data_coding, octets in ((4, bytes(range(140))), (8, "é".encode("utf-16-be")), (0xF5, PORTS)):
        (pdu,) = written(message(octets, data_coding), alphabet=alphabet)
        assert (pdu.short_message, pdu.data_coding) == (octets, data_coding)


SAR_TLVS = ((0x020C, b"\x12\x34"), (0x020E, b"\x02"), (0x020F, b"\x01"), (0x1400, b"x"))


def test_a_customers_sar_becomes_a_header_where_the_carrier_reads_headers() -> None:
    (pdu,) = written(message(b"a" * 153, tlvs=SAR_TLVS))
    assert (pdu.short_message[:6].hex(), pdu.esm_class, pdu.tlvs) == ("050003340201", 0x40, ((0x1400, b"x"),))
    (pdu,) = written(message(b"a" * 152, tlvs=SAR_TLVS), long_messages="udh16")
    assert pdu.short_message[:7].hex() == "06080412340201"


@pytest.mark.parametrize(
    ("octets", "tlvs", "way"),
    [
        (b"a" * 153, SAR_TLVS, "sar"),
        (b"a" * 153, SAR_TLVS, "payload"),
        (b"a" * 160, SAR_TLVS, "udh"),  # a header would not fit
        (b"a", SAR_TLVS[:2], "udh"),
        (b"a", (SAR_TLVS[0], (0x020E, b"\x02"), (0x020F, b"\x03")), "udh"),
        (b"a", (SAR_TLVS[0], (0x020E, b""), (0x020F, b"\x01")), "udh"),
        (b"a", (SAR_TLVS[0], (0x020E, b"\xff\xff"), (0x020F, b"\x01")), "udh"),
    ],
)
def test_else_it_goes_as_it_came(octets: bytes, tlvs: Any, way: str) -> None:
    (pdu,) = written(message(octets, tlvs=tlvs), long_messages=way)
    assert (pdu.short_message, pdu.esm_class, pdu.tlvs) == (octets, 0, tlvs)


# ---------------------------------------------------------------- the default alphabet


@pytest.mark.parametrize(
    ("alphabet", "octets"),
    [
        ("gsm7", septets("été [1] @")),
        ("latin1", "été [1] @".encode("latin-1")),
        ("cp1252", "été [1] @".encode("cp1252")),
        ("utf8", "été [1] @".encode()),
    ],
)
def test_value_0_is_what_the_carrier_says(alphabet: DefaultAlphabet, octets: bytes) -> None:
    (pdu,) = written(message(septets("été [1] @")), alphabet=alphabet)
    assert (pdu.short_message, pdu.data_coding) == (octets, 0)


def test_packed_and_the_spare_bits_of_its_end() -> None:
    (pdu,) = written(message(b"1234567"), alphabet="gsm7_packed")
    assert pdu.short_message.hex() == "31d98c56b3dd1a"
    (pdu,) = written(message(b"12345678"), alphabet="gsm7_packed")
    assert pdu.short_message.hex() == "31d98c56b3dd70"


def test_packed_parts_begin_after_fill_bits_and_a_full_one_fills_140_octets() -> None:
    text = bytes(97 + n % 26 for n in range(300))
    first, second = written(message(text), alphabet="gsm7_packed")
    assert len(first.short_message) == 140
    assert first.short_message[6] == (text[0] << 1) & 0xFF  # one fill bit after six octets
    unpacked = [unpack_counted_by_octets(pdu.short_message[6:], 6) for pdu in (first, second)]
    assert b"".join(unpacked) == text


def test_a_packed_flash_message_is_packed_too() -> None:
    (pdu,) = written(message(b"12345678", 0x10), alphabet="gsm7_packed")
    assert pdu.short_message.hex() == "31d98c56b3dd70"
    (pdu,) = written(message(b"12345678", 0x10), alphabet="latin1")
    assert pdu.short_message == b"12345678"


def test_the_parts_stay_those_that_were_paid_where_the_alphabet_is_shorter() -> None:
    """Six brackets are twelve septets and six octets: 162 septets, two parts, although 156 octets would be one."""
    text = "a" * 150 + "[" * 6
    pdus = written(message(septets(text)), alphabet="latin1")
    assert "".join(pdu.short_message[6:].decode("latin-1") for pdu in pdus) == text
    assert [pdu.short_message[4:6].hex() for pdu in pdus] == ["0201", "0202"]


def test_a_part_that_grew_beyond_short_message_goes_as_payload() -> None:
    text = "é" * 200
    pdus = written(message(septets(text)), alphabet="utf8")
    octets = [pdu.tlv(PAYLOAD) or pdu.short_message for pdu in pdus]
    assert "".join(each[6:].decode() for each in octets) == text
    assert [bool(pdu.tlv(PAYLOAD)) for pdu in pdus] == [True, False]
    assert {pdu.esm_class for pdu in pdus} == {0x40}


def test_a_character_the_alphabet_lacks_makes_a_short_text_ucs2() -> None:
    (pdu,) = written(message(septets("price: 5 €")), alphabet="latin1")
    assert (pdu.short_message.decode("utf-16-be"), pdu.data_coding) == ("price: 5 €", 8)


def test_and_sends_a_long_one_elsewhere_rather_than_broken() -> None:
    why = parts_of(message(septets("€" + "a" * 100)), profile(alphabet="latin1"))
    assert why == "the carrier's default alphabet latin1 lacks €"
    why = parts_of(message(septets("€" + "a" * 200)), profile(alphabet="ascii"))
    assert why == "the carrier's default alphabet ascii lacks €"


def test_a_long_text_of_as_many_parts_in_ucs2_goes_so() -> None:
    text = "€" * 80  # 160 septets: one part; as UCS-2 two: elsewhere
    assert isinstance(parts_of(message(septets(text)), profile(alphabet="latin1")), str)
    text = "€" * 100  # 200 septets: two parts, in UCS-2 two as well
    pdus = written(message(septets(text)), alphabet="latin1")
    assert "".join(pdu.short_message[6:].decode("utf-16-be") for pdu in pdus) == text


def test_a_national_table_is_read_and_left_behind_where_there_are_no_septets() -> None:
    user_data = TURKISH_SHIFT + b"\x1bi"  # dotless i
    (pdu,) = written(message(user_data, esm_class=0x40), alphabet="utf8")
    assert (pdu.short_message.decode(), pdu.esm_class) == ("ı", 0)
    (pdu,) = written(message(user_data, esm_class=0x40), alphabet="latin1")
    assert (pdu.short_message.decode("utf-16-be"), pdu.data_coding, pdu.esm_class) == ("ı", 8, 0)
    both = bytes.fromhex("080003070201240101") + b"\x1bi"
    (pdu,) = written(message(both, esm_class=0x40), alphabet="utf8")
    assert (pdu.short_message, pdu.esm_class) == (CONCATENATION + "ı".encode(), 0x40)


def test_addresses_beyond_smpp_are_told() -> None:
    asked = message(b"hello")
    asked.source_addr = "A" * 21
    assert parts_of(asked, profile()) == "an address is longer than SMPP allows"
