"""Jasmin's HTTP API read: traffic of its clients as they write it, its validators, its traps, a table without a gap.

What must not enter: sockets (test_doors_served.py).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from admin_api.doors import jasmin
from admin_api.doors.jasmin import (
    ANSWER_OF,
    SEND_FIELDS,
    Answer,
    content_fault,
    fault_of,
    from_json,
    read_send,
    refused,
)
from admin_api.doors.reading import CallbackWish, DoorMessage, Parameters, read_form
from gateway.accept.refusals import Refusal

NOW_MS = 1_800_000_000_000
MANDATORY = ("username", "password", "to")
BOTH = "content and hex-content cannot be used both in same request."
GIVEN = "username=u&password=p&to=1"
PLAIN = {"username": "foo", "password": "bar", "from": "ACME", "to": "22997000001", "content": "hello"}


def parameters(query: str) -> Parameters:
    found = read_form(query.encode("latin-1"))
    assert found is not None
    return found


def read(query: str, **more: bool) -> DoorMessage | Answer:
    given = parameters(query)
    return fault_of(given, SEND_FIELDS, MANDATORY) or content_fault(given) or read_send(given, NOW_MS, **more)  # type: ignore[arg-type]


def message(**more: str) -> DoorMessage:
    found = read(urlencode(PLAIN | more))
    assert isinstance(found, DoorMessage), found
    return found


def text_of(found: DoorMessage | Answer) -> str:
    assert isinstance(found, Answer), found
    return found.text


def test_traffic_of_rapidpro() -> None:
    found = read(
        "coding=0&content=Simple+Message&dlr=yes&dlr-level=2&dlr-method=POST"
        "&dlr-url=https%3A%2F%2Frp.example.com%2Fc%2Fjs%2F8eb23e93%2Fstatus&from=2020&password=Password"
        "&to=250788383383&username=Username"
    )
    assert found == DoorMessage(
        sender="2020",
        recipients=("250788383383",),
        user_data=b"Simple Message",
        data_coding=0,
        callback=CallbackWish("jasmin", "https://rp.example.com/c/js/8eb23e93/status", "POST", 2),
    )


def test_traffic_of_rapidpro_is_septets_where_text_could_not_be() -> None:
    """It sends GSM 03.38 octets as content: é is 5, @ is 0. A text has no such characters."""
    found = message(content="caf\x05 \x00 9")
    assert found.user_data == b"caf\x05 \x00 9"


@pytest.mark.parametrize(
    ("query", "user_data", "coding"),
    [
        ("content=%C3%A9%40%E2%82%AC", b"\x05\x00\x1be", 0),
        ("content=%E6%BC%A2+ok", b"? ok", 0),
        ("content=one%0Atwo", b"one\ntwo", 0),
        ("coding=8&hex-content=0623", b"\x06\x23", 8),
        ("coding=8&content=%06%23", b"\x06\x23", 8),  # octets: only coding 0 is a text
        ("coding=4&hex-content=00ff", b"\x00\xff", 4),
        ("coding=3&content=%E9", b"\xe9", 3),
        ("content=", b"", 0),
    ],
)
def test_content_is_text_for_coding_0_and_octets_otherwise(query: str, user_data: bytes, coding: int) -> None:
    found = read(f"username=u&password=p&to=1234567&from=A&{query}")
    assert isinstance(found, DoorMessage), found
    assert (found.user_data, found.data_coding) == (user_data, coding)


def test_hex_content_that_is_utf8_is_read_as_it_where_the_login_says_so() -> None:
    query = f"username=u&password=p&to=1234567&from=A&coding=8&hex-content={'Привет'.encode().hex()}"
    plain, tolerant = read(query), read(query, hex_may_be_utf8=True)
    assert isinstance(plain, DoorMessage)
    assert isinstance(tolerant, DoorMessage)
    assert (plain.user_data, tolerant.user_data) == ("Привет".encode(), "Привет".encode("utf-16-be"))
    for text in ("Привет", "a", "漢字"):  # what is UTF-16BE already stays
        given = f"username=u&password=p&to=1234567&from=A&coding=8&hex-content={text.encode('utf-16-be').hex()}"
        found = read(given, hex_may_be_utf8=True)
        assert isinstance(found, DoorMessage)
        assert found.user_data == text.encode("utf-16-be")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("", "Mandatory arguments not found, please refer to the HTTPAPI specifications."),
        (f"{GIVEN}&content=x&colour=red", "Argument [colour] is unknown."),
        ("password=p&to=1&content=x", "Mandatory argument [username] is not found."),
        ("username=u&password=p&content=x", "Mandatory argument [to] is not found."),
        ("username=u&password=p&to=12a&content=x", "Argument [to] has an invalid value: [12a]."),
        ("username=u&password=p&to=+229&content=x", "Argument [to] has an invalid value: [ 229]."),
        (f"{GIVEN}&content=x&coding=11", "Argument [coding] has an invalid value: [11]."),
        (f"{GIVEN}&content=x&priority=4", "Argument [priority] has an invalid value: [4]."),
        (f"{GIVEN}&content=x&sdt=now", "Argument [sdt] has an invalid value: [now]."),
        (f"{GIVEN}&content=x&sdt=261399000000000R", ""),
        (f"{GIVEN}&content=x&sdt=261399000000000-", "Argument [sdt] has an invalid value: [261399000000000-]."),
        (f"{GIVEN}&content=x&validity-period=1h", "Argument [validity-period] has an invalid value: [1h]."),
        (f"{GIVEN}&content=x&dlr=maybe", "Argument [dlr] has an invalid value: [maybe]."),
        (f"{GIVEN}&content=x&dlr-url=ftp://x", "Argument [dlr-url] has an invalid value: [ftp://x]."),
        (f"{GIVEN}&content=x&dlr-level=4", "Argument [dlr-level] has an invalid value: [4]."),
        (f"{GIVEN}&content=x&dlr-method=PUT", "Argument [dlr-method] has an invalid value: [PUT]."),
        (f"{GIVEN}&content=x&tags=a b", "Argument [tags] has an invalid value: [a b]."),
        ("username=12345678901234567&password=p", "Argument [username] has an invalid value: [12345678901234567]."),
        (GIVEN, "content or hex-content not present."),
        (f"{GIVEN}&content=x&hex-content=00", BOTH),
        (f"{GIVEN}&hex-content=0", "Invalid hex-content data: '0'"),
        (f"{GIVEN}&content=x&custom_tlvs=[[1]]", "Argument [custom_tlvs] has an invalid value: [[[1]]]."),
    ],
)  # fmt: skip
def test_validators_answer_as_jasmins_do(query: str, answer: str) -> None:
    found = read(query.replace("a b", "a%20b"))
    assert (text_of(found) if isinstance(found, Answer) else "") == answer


def test_times_count_from_now() -> None:
    assert message(**{"validity-period": "10"}).expires_at_ms == NOW_MS + 600_000
    found = message(sdt="000000000500000R", **{"validity-period": "1"})
    assert (found.not_before_ms, found.expires_at_ms) == (NOW_MS + 300_000, NOW_MS + 360_000)


def test_dlr_url_alone_asks_and_dlr_alone_tells_nobody() -> None:
    asked = message(dlr="no", **{"dlr-url": "http://x/", "dlr-method": "get"})
    assert asked.callback == CallbackWish("jasmin", "http://x/", "GET", 1)
    assert message(dlr="yes", **{"dlr-level": "3"}).callback is None


def test_custom_tlvs_are_octets_by_their_types() -> None:
    given = '[["0x1401",null,"COctetString","ab"],[5121,2,"Int2",258],[5122,1,"OctetString","xyz"]]'
    assert message(custom_tlvs=given).tlvs == ((0x1401, b"ab\0"), (5121, b"\x01\x02"), (5122, b"x"))


def test_json_bodies_are_the_same_parameters() -> None:
    found = from_json(b'{"username":"u","password":"p","to":22997000001,"content":"\\u00e9","coding":0,"from":null}')
    assert found == {"username": b"u", "password": b"p", "to": b"22997000001", "content": "é".encode(), "coding": b"0"}
    for wrong in (b"", b"[]", b"{", b"\xff"):
        assert isinstance(from_json(wrong), Answer)


def test_every_refusal_has_its_answer_with_the_users_name() -> None:
    assert set(ANSWER_OF) == set(Refusal)
    for refusal in Refusal:
        answer = refused(refusal, "foo{bar}")
        assert "{user}" not in answer.text
        assert answer.status in ((403, 500) if refusal.temporary else (400, 403, 412)), refusal
    assert "[foo{bar}] (Source address filter mismatch)." in refused(Refusal.SENDER_NOT_OWNED, "foo{bar}").text


def test_bodies_are_as_clients_parse_them() -> None:
    assert jasmin.success(42) == 'Success "42"'
    assert jasmin.failure(jasmin.NO_ROUTE) == 'Error "No route found"'
    assert quote(jasmin.not_authenticated("foo").text) == "Authentication%20failure%20for%20username%3Afoo"
