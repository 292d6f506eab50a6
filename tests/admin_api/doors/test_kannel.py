"""Kannel's sendsms read: traffic of its clients as they write it, traps of its parameters, a table without a gap.

What must not enter: sockets (test_doors_served.py).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from admin_api.doors import kannel
from admin_api.doors.kannel import ACCEPTED, ANSWER_OF, Answer, answer_of, from_headers, names_of_today, read_sendsms
from admin_api.doors.reading import MOST_PARAMETERS, CallbackWish, DoorMessage, read_form, submissions_of
from gateway.accept.refusals import Refusal

NOW_MS = 1_800_000_000_000
PLAIN = {"username": "u", "password": "p", "from": "ACME", "to": "22997000001", "text": "hello"}


def read(query: str) -> DoorMessage | Answer:
    parameters = read_form(query.encode("latin-1"))
    assert parameters is not None
    return read_sendsms(names_of_today(parameters), NOW_MS)


def message(**more: str) -> DoorMessage:
    found = read(urlencode(PLAIN | more))
    assert isinstance(found, DoorMessage), found
    return found


def refused(**more: str) -> Answer:
    found = read(urlencode(PLAIN | more))
    assert isinstance(found, Answer), found
    return found


def test_traffic_of_rapidpro_for_a_text_of_the_default_alphabet() -> None:
    found = read(
        "dlr-mask=27&dlr-url=https%3A%2F%2Frp.example.com%2Fc%2Fkn%2F8eb23e93%2Fstatus%3Fuuid%3D10%26status%3D%25d"
        "&from=2020&password=Password&priority=1&text=Simple+Message&to=%2B250788383383&username=Username"
    )
    assert found == DoorMessage(
        sender="2020",
        recipients=("+250788383383",),
        user_data=b"Simple Message",
        data_coding=0,
        priority_flag=1,
        callback=CallbackWish("kannel", "https://rp.example.com/c/kn/8eb23e93/status?uuid=10&status=%d", "GET", 27),
    )


def test_traffic_of_rapidpro_for_a_unicode_text() -> None:
    found = read(
        "charset=utf8&coding=2&dlr-mask=27&dlr-url=https%3A%2F%2Frp.example.com%2Fs%3Fstatus%3D%25d&from=2020"
        "&password=Password&text=%E2%98%BA&to=%2B250788383383&username=Username"
    )
    assert isinstance(found, DoorMessage)
    assert (found.user_data, found.data_coding) == ("☺".encode("utf-16-be"), 8)


@pytest.mark.parametrize(
    ("text", "more", "user_data", "data_coding"),
    [
        ("é@€", "", b"\x05\x00\x1be", 0),
        ("ça", "", b"ca", 0),  # ç is not in the alphabet
        ("漢", "", b"?", 0),
        ("\xe9".encode("latin-1"), "&charset=ISO-8859-1", b"\x05", 0),
        (b"\x04\x1f", "&coding=2", b"\x04\x1f", 8),  # the trap: UTF-16BE where charset says nothing
        ("П", "&coding=2&charset=UTF-8", b"\x04\x1f", 8),
        (b"\x00\xff", "&coding=1", b"\x00\xff", 4),
    ],
)
def test_text_is_octets_in_its_charset(text: str | bytes, more: str, user_data: bytes, data_coding: int) -> None:
    found = read(f"from=ACME&to=22997000001&text={quote(text)}{more}")
    assert isinstance(found, DoorMessage)
    assert (found.user_data, found.data_coding) == (user_data, data_coding)


@pytest.mark.parametrize(
    "query", ["text=%ff", "text=a&charset=klingon", "text=a&coding=2", "text=a&charset=hex", "udh=%06%05"]
)
def test_text_that_is_none_in_its_charset_is_refused(query: str) -> None:
    assert read(f"from=ACME&to=22997000001&{query}") == kannel.BODY


def test_udh_makes_octets_of_the_text_unless_coding_says_otherwise() -> None:
    udh = bytes.fromhex("06050415811581")
    found = read(f"from=ACME&to=22997000001&udh={quote(udh)}&text={quote(bytes([2, 74, 58]))}")
    assert isinstance(found, DoorMessage)
    assert (found.user_data, found.data_coding, found.has_udh) == (udh + b"\x02\x4a\x3a", 4, True)
    assert submissions_of(found, 1, "transactional", ())[0].envelope.esm_class == 0x40
    septets = read(f"from=ACME&to=22997000001&udh={quote(udh)}&text=%40&coding=0")
    assert isinstance(septets, DoorMessage)
    assert (septets.user_data, septets.data_coding) == (udh + b"\x00", 0)


@pytest.mark.parametrize(
    ("more", "data_coding"),
    [
        ({"mclass": "0"}, 0x10),
        ({"flash": "0"}, 0x10),
        ({"mclass": "1", "coding": "1"}, 0x15),
        ({"mclass": "0", "coding": "2", "charset": "utf-8"}, 0x18),
        ({"mclass": "2", "alt-dcs": "1"}, 0xF2),
        ({"mclass": "2", "alt-dcs": "1", "coding": "1"}, 0xF6),
        ({"mwi": "0"}, 0xD8),
        ({"mwi": "4"}, 0xD0),
        ({"mwi": "1", "text": ""}, 0xC9),
        ({"mwi": "2", "coding": "2", "charset": "utf-8"}, 0xEA),
    ],
)
def test_class_and_waiting_indication_are_data_codings(more: dict[str, str], data_coding: int) -> None:
    assert message(**more).data_coding == data_coding


def test_minutes_count_from_now() -> None:
    found = message(validity="10", deferred="5")
    assert (found.not_before_ms, found.expires_at_ms) == (NOW_MS + 300_000, NOW_MS + 600_000)
    assert (message().not_before_ms, message(validity="", deferred="0").expires_at_ms) == (0, 0)


def test_receivers_stand_apart_by_spaces_and_each_counts_once() -> None:
    found = read("from=ACME&to=22997000001+22997000002+22997000001&text=x")
    assert isinstance(found, DoorMessage)
    assert found.recipients == ("22997000001", "22997000002")
    assert [each.destination_addr for each in submissions_of(found, 7, "otp", ())] == ["22997000001", "22997000002"]


def test_meta_data_of_the_group_smpp_are_tlvs_by_their_tags() -> None:
    assert message(**{"meta-data": "?smpp?0x1401=abc&named=x&5121=d?http?0x1402=no"}).tlvs == (
        (0x1401, b"abc"),
        (0x1401, b"d"),
    )
    assert message(**{"meta-data": "nothing"}).tlvs == ()


def test_nobody_is_told_without_mask_or_url() -> None:
    assert message(**{"dlr-mask": "31"}).callback is None
    assert message(**{"dlr-url": "http://x/"}).callback is None
    assert message(dlrmask="31", dlrurl="http://x/") == message(**{"dlr-mask": "31", "dlr-url": "http://x/"})


@pytest.mark.parametrize(
    ("name", "value", "title"),
    [
        ("mclass", "4", "MClass"),
        ("mwi", "8", "MWI"),
        ("coding", "3", "Coding"),
        ("validity", "-1", "Validity"),
        ("deferred", "99999", "Deferred"),
        ("priority", "x", "Priority"),
        ("pid", "256", "PID"),
        ("dlr-mask", "64", "DLR-Mask"),
        ("alt-dcs", "2", "Alternate-DCS"),
        ("compress", "2", "Compress"),
        ("rpi", "3", "RPI"),
    ],
)
def test_fields_out_of_range_are_misformed(name: str, value: str, title: str) -> None:
    assert refused(**{name: value}) == Answer(400, f"{title} field misformed, rejected")


def test_what_is_missing_is_told_in_kannels_order() -> None:
    assert read("from=ACME&text=x") == Answer(400, "Missing receiver number, rejected")
    assert read("from=ACME&text=x&to=") == Answer(400, "Empty receiver number not allowed, rejected")
    assert read("to=22997000001&text=x") == Answer(400, "Sender missing and no global set, rejected")
    parameters = read_form(b"to=22997000001&text=x")
    assert parameters is not None
    assert isinstance(read_sendsms(parameters, NOW_MS, "ACME"), DoorMessage)
    many = "+".join(str(22_997_000_000 + n) for n in range(1001))
    assert read(f"from=ACME&text=x&to={many}") == Answer(400, "More than 1000 receivers, rejected")


def test_post_with_headers_is_the_same_message() -> None:
    headers = {
        "x-kannel-from": "ACME",
        "x-kannel-to": "22997000001",
        "x-kannel-dlr-mask": "3",
        "x-kannel-dlr-url": "http://x/%d",
    }
    parameters = from_headers(headers, "text/plain", "utf-8", "été".encode())
    assert not isinstance(parameters, Answer)
    found = read_sendsms(parameters, NOW_MS)
    assert isinstance(found, DoorMessage)
    assert (found.sender, found.user_data, found.callback) == (
        "ACME",
        b"\x05t\x05",
        CallbackWish("kannel", "http://x/%d", "GET", 3),
    )
    octets = from_headers(headers | {"x-kannel-udh": "06050415811581"}, "application/octet-stream", "", b"\x01")
    assert not isinstance(octets, Answer)
    binary = read_sendsms(octets, NOW_MS)
    assert isinstance(binary, DoorMessage)
    assert (binary.user_data, binary.data_coding) == (bytes.fromhex("0605041581158101"), 4)
    assert from_headers(headers, "text/xml", "", b"<message/>") == kannel.CONTENT_TYPE
    assert from_headers(headers | {"x-kannel-udh": "zz"}, "text/plain", "", b"") == Answer(
        400, "UDH field misformed, rejected"
    )


def test_every_refusal_has_its_answer_and_no_permanent_one_is_tried_again() -> None:
    assert set(ANSWER_OF) == set(Refusal)
    for refusal, answer in ANSWER_OF.items():
        assert (answer.status >= 500) == refusal.temporary, refusal


def test_answer_tells_who_was_denied() -> None:
    assert answer_of(2, {}) == ACCEPTED == Answer(202, "0: Accepted for delivery")
    some = answer_of(1, {"22990": Refusal.DESTINATION_BLOCKED, "22991": Refusal.NO_ROUTE})
    assert some == Answer(202, "0: Accepted for delivery Denied receivers are: 22990 22991")
    assert answer_of(0, {"22990": Refusal.NO_CREDIT, "22991": Refusal.NO_ROUTE}).text == "No credit left, rejected"


def test_parameters_are_bounded_and_the_first_of_a_name_counts() -> None:
    assert read_form(b"&".join(b"a%d=1" % n for n in range(MOST_PARAMETERS + 1))) is None
    assert read_form(b"a=1&a=2&b&=c&%zz=%") == {"a": b"1", "b": b"", "": b"c", "%zz": b"%"}
