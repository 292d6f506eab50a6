"""What receivers of Kannel and Jasmin are sent: as their own gateways write it, as connectors of others read it.

Source: compatibility page, sections 2, 3 and 5 (among them the traffic of RapidPro's connector). Pure.
What must not enter: sockets, retries.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest

from gateway.message import Envelope, InboundMessage, Message
from gateway.storage.messages import encode_envelope
from gateway.storage.webhooks import Delivery
from gateway.webhooks import jasmin, kannel
from gateway.webhooks.events import EVENTS, FINAL_EVENTS, SUBMITTED, Happened
from gateway.webhooks.parcels import Parcel
from gateway.webhooks.targets import FILLED_CHARACTERS, URL_CHARACTERS, Target, read_target
from telecom.alphabets import encode_gsm7

AT_MS = 1_795_276_800_000  # 2026-11-21 16:00 UTC
HANDSET, SENDER = "2290197000001", "ACME"


def a_message(state: str = "delivered", **given: Any) -> Message:
    fields: dict[str, Any] = {
        "message_id": AT_MS << 20 | 1 << 14,
        "account_id": 1,
        "esme_id": 1,
        "connector_id": 1,
        "route_id": 1,
        "traffic_class": "otp",
        "part_count": 2,
        "data_coding": 0,
        "price_micros": 0,
        "expires_at_ms": 0,
        "not_before_ms": 0,
        "source_addr": SENDER,
        "destination_addr": HANDSET,
        "route_why": "",
        "user_data": b"",
        "envelope": Envelope(submitted_source=SENDER, submitted_destination="00" + HANDSET),
        "state": state,
        "part_states": "DD" if state == "delivered" else "SF",
        "smsc_message_ids": "smsc-1\x1fsmsc-2",
        "submitted_at_ms": AT_MS + 1000,
        "final_at_ms": AT_MS + 60_000,
    }
    return Message(**fields | given)


def an_inbound(user_data: bytes, data_coding: int = 0, **given: Any) -> InboundMessage:
    envelope = encode_envelope(Envelope(source_addr_ton=1, priority_flag=2, **given))
    return InboundMessage(77, 1, 1, None, HANDSET, "36000", data_coding, user_data, envelope, "done", AT_MS)


def told(event: str, subject: Message | InboundMessage | None = None) -> Happened:
    message = subject if isinstance(subject, Message) else None
    inbound = subject if isinstance(subject, InboundMessage) else None
    return Happened("evt_9", event, AT_MS, message, inbound, "carrier-a", "reseller")


def fields_of(url_or_body: str | bytes) -> dict[str, str]:
    text = url_or_body.decode() if isinstance(url_or_body, bytes) else urlsplit(url_or_body).query
    return dict(parse_qsl(text, keep_blank_values=True))


# ---------------------------------------------------------------- Kannel


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ("message.delivered", "1"),
        ("message.undeliverable", "2"),
        ("message.expired", "2"),
        ("message.deleted", "2"),
        ("message.unknown", "2"),
        (SUBMITTED, "8"),
        ("message.rejected", "16"),
    ],
)
def test_kannel_s_status_is_a_bit_of_its_mask(event: str, value: str) -> None:
    """RapidPro's connector accepts 1, 2, 4, 8 and 16 only; its dlr-url as it writes it."""
    message = a_message(event.partition(".")[2])
    template = "https://rapidpro.example/c/kn/U/status?uuid=U&status=%d"
    request = kannel.request_of(told(event, message), template, "GET")
    assert (request.method, request.url) == ("GET", f"https://rapidpro.example/c/kn/U/status?uuid=U&status={value}")
    assert event in kannel.events_of_mask(int(value))


@pytest.mark.parametrize(
    ("mask", "events"),
    [
        (0, set()),
        (1, {"message.delivered"}),
        (3, set(FINAL_EVENTS) - {"message.rejected"}),
        (8, {SUBMITTED}),
        (27, {SUBMITTED, *FINAL_EVENTS}),
        (31, {SUBMITTED, *FINAL_EVENTS}),
        (36, set()),
    ],
)
def test_kannel_s_mask_asks_for_events(mask: int, events: set[str]) -> None:
    assert set(kannel.events_of_mask(mask)) == events


def test_of_a_receipt_p_is_the_handset_and_capital_p_the_sender() -> None:
    template = "http://x.example/?p=%p&P=%P&q=%q&Q=%Q&I=%I&F=%F&i=%i&n=%n&t=%t&T=%T&A=%A&x=%%d&z=%z&m=%#smpp#tlv#&c=%c"
    found = fields_of(kannel.request_of(told("message.delivered", a_message()), template, "GET").url)
    assert (found["p"], found["P"], found["q"], found["Q"]) == ("00" + HANDSET, SENDER, "+" + HANDSET, SENDER)
    assert (found["F"], found["i"], found["n"]) == ("smsc-1", "carrier-a", "reseller")
    assert (found["t"], found["T"]) == ("2026-11-21 16:00", str(AT_MS // 1000))
    assert found["A"].startswith(f"id:{found['I']} sub:002 dlvrd:002 stat:DELIVRD err:000")
    assert (found["z"], found["m"], found["c"]) == ("%z", "", "0")
    assert "%d" in kannel.request_of(told("message.delivered", a_message()), template, "GET").url.partition("x=")[2]


def test_of_a_handset_s_message_p_is_the_handset_and_a_post_template_is_a_form() -> None:
    text = encode_gsm7("join été & more")
    assert isinstance(text, bytes)
    template = "https://rapidpro.example/c/kn/U/receive?id=%I&ts=%T&message=%b&sender=%p&k=%k&r=%r&P=%P"
    request = kannel.request_of(told("inbound.received", an_inbound(text)), template, "POST")
    assert (request.method, request.url) == ("POST", "https://rapidpro.example/c/kn/U/receive")
    found = fields_of(request.body)
    assert (found["message"], found["sender"], found["P"]) == ("join été & more", "+" + HANDSET, "36000")
    assert (found["k"], found["r"], found["id"]) == ("join", "été & more", "77")


def test_a_template_filled_with_the_longest_text_is_still_asked() -> None:
    text = ("ê" * 67 * 10).encode("utf-16-be")
    url = kannel.request_of(told("inbound.received", an_inbound(text, 8)), "http://x.example/?m=%b", "GET").url
    assert len(url) > URL_CHARACTERS
    assert isinstance(read_target(url, (), FILLED_CHARACTERS), Target)


def test_no_value_can_add_a_field_or_leave_its_place() -> None:
    text = encode_gsm7("a&status=1#x\r\nHost: y")
    assert isinstance(text, bytes)
    for code in ("%b", "%a", "%k", "%s", "%S", "%r"):
        url = kannel.request_of(told("inbound.received", an_inbound(text)), f"http://x.example/?m={code}", "GET").url
        assert set(parse_qs(urlsplit(url).query, keep_blank_values=True)) == {"m"} or code == "%S"
        assert url.isascii()
        assert not set(url) & set(" \r\n")


# ---------------------------------------------------------------- Jasmin


def test_jasmin_s_receipts_have_its_fields() -> None:
    sent = jasmin.request_of(told(SUBMITTED, a_message("submitted")), "http://x.example/dlr?a=b", "GET")
    assert sent.url.startswith("http://x.example/dlr?a=b&id=")
    found = fields_of(sent.url)
    assert (found["message_status"], found["level"], found["connector"]) == ("ESME_ROK", "1", "carrier-a")
    failed = a_message("undeliverable", error="011: absent")
    request = jasmin.request_of(told("message.undeliverable", failed), "http://x.example/dlr", "POST")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert fields_of(request.body) == {
        "id": str(failed.message_id),
        "message_status": "UNDELIV",
        "level": "2",
        "connector": "carrier-a",
        "id_smsc": "smsc-1",
        "sub": "002",
        "dlvrd": "000",
        "subdate": "2611211600",
        "donedate": "2611211601",
        "err": "011",
        "text": "",
    }


@pytest.mark.parametrize(("level", "count"), [(1, 2), (2, 6), (3, 7)])
def test_jasmin_s_levels_ask_for_events(level: int, count: int) -> None:
    assert len(jasmin.events_of_level(level)) == count
    assert set(jasmin.events_of_level(level)) <= set(EVENTS)


@pytest.mark.parametrize(("text", "data_coding", "content"), [("été", 0, b"\x05t\x05"), ("ê", 8, b"\x00\xea")])
def test_jasmin_s_inbound_content_is_octets_as_they_came(text: str, data_coding: int, content: bytes) -> None:
    octets = encode_gsm7(text) if data_coding == 0 else text.encode("utf-16-be")
    assert isinstance(octets, bytes)
    request = jasmin.request_of(told("inbound.received", an_inbound(octets, data_coding)), "http://x.example/", "POST")
    assert f"binary={content.hex()}" in request.body.decode()
    found = parse_qs(request.body.decode(), encoding="latin-1", keep_blank_values=True)
    assert found["content"] == [content.decode("latin-1")]
    assert (found["from"], found["to"], found["coding"]) == ([HANDSET], ["36000"], [str(data_coding)])


# ---------------------------------------------------------------- how answers are read


@pytest.mark.parametrize(
    ("form", "status", "body", "complaint"),
    [
        ("native", 204, b"", ""),
        ("native", 302, b"", "status_302"),
        ("kannel", 202, b"whatever", ""),
        ("kannel", 500, b"", "status_500"),
        ("jasmin", 200, b"ACK/Jasmin\n", ""),
        ("jasmin", 200, b"OK", "no_ack"),
        ("jasmin", 201, b"ACK/Jasmin", "status_201"),
    ],
)
def test_what_counts_as_taken(form: str, status: int, body: bytes, complaint: str) -> None:
    delivery = Delivery(9, 1, 1, "endpoint 1", 0, "webhook.test", AT_MS, "", "", "", 0, AT_MS + 1, 1)
    parcel = Parcel(delivery, told("webhook.test"), "http://x.example/%d?t=1", form, "POST", [])
    assert parcel.complaint(status, body) == complaint
    assert parcel.origin == "http://x.example"
    assert parcel.is_final(404) == (form == "jasmin")
    assert parcel.seal(1).headers["webhook-id"] == "evt_9"


def test_several_secrets_sign_during_a_rotation() -> None:
    delivery = Delivery(9, 1, 1, "endpoint 1", 0, "webhook.test", AT_MS, "", "", "", 0, AT_MS + 1, 1)
    secrets = ["whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8]
    parcel = Parcel(delivery, told("webhook.test"), "http://x.example/", "native", "POST", secrets)
    both = parcel.seal(1_700_000_000).headers["webhook-signature"].split()
    alone = [msgspec.structs.replace(parcel, secrets=[each]).seal(1_700_000_000) for each in secrets]
    assert both == [request.headers["webhook-signature"] for request in alone]
    assert len(set(both)) == 2
