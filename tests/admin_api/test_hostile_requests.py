"""Requests made to do harm: each is a problem (4xx) or closed, harms no other, and leaves nothing half-done.

Octets on real sockets, texts through every field of sending. What must not enter: faults of honest requests
(test_frame.py), what the schema says (test_described_api.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import zlib
from typing import Any

import msgspec
import pytest
from yarl import URL

from admin_api import listening, octets
from gateway.storage.database import ledger_imbalance_micros
from tests.admin_api.conftest import HANDSET, Api, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground

TEXTS = (
    "' OR '1'='1' -- ",
    "1; DROP TABLE messages; --",
    "') UNION SELECT key_hash FROM api_keys --",
    "1' AND pg_sleep(30) AND '1'='1",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}} #{7*7} <%= 7*7 %>",
    "=cmd|'/C calc'!A0",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd%00.csv",
    "\r\nSet-Cookie: a=b\r\n\r\n",
    "\u202eRTL\u2066\u200b\ufeff",
    "e\u0301" * 40,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U000e0041\U0010ffff",
    "\u0000",
    "a\u0000b",
    "\x1b[31m\x07",
    "%s%s%n %d",
    "𝟎𝟏𝟗𝟕",
    "٠١٩٧",
    "9" * 400,
    "-1e999",
    "NaN",
)
FIELDS = ("to", "from", "text", "client_ref", "class", "encoding", "schedule_at")


async def exchange(api: Api, sent: bytes, ends: bool = False) -> tuple[int, bytes]:
    """Octets as they are; the status that came back and all that came. (0, b""): it was closed without a word."""
    where = URL(api.url)
    assert where.host is not None
    reader, writer = await asyncio.open_connection(where.host, where.port)
    try:
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):  # it may be closed while we still write
                writer.write(sent)
                await writer.drain()
                if ends:
                    writer.write_eof()
            head = b""
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
            body = b""
            if head:
                fields = dict(line.lower().split(b": ", 1) for line in head.strip().split(b"\r\n")[1:])
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
    finally:
        writer.close()
    return (int(head.split()[1]) if head else 0), head + body


def post(api: Api, body: bytes, *fields: str, path: str = "/v1/messages") -> bytes:
    """A POST with a key; fields: header lines beside Host, key and type."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {api.key}", "Content-Type: application/json"]
    return "\r\n".join([*lines, *fields, "", ""]).encode() + body


def message(**given: Any) -> bytes:
    return msgspec.json.encode({"to": HANDSET, "from": "ACME", "text": "hello"} | given)


async def harmless(api: Api, messages: int = 0) -> None:
    """Nothing was stored but so many messages, the money adds up, and the next request is served."""
    assert await api.ground.count("messages") == messages
    assert await api.ground.credits() == (1000 - messages, messages, 0)
    assert await ledger_imbalance_micros(api.ground.connection) == 0
    assert (await api.ask("GET", "/v1/balance")).status == 200


# ---------------------------------------------------------------- values


async def test_any_text_in_any_field_is_taken_as_text_or_refused(api: Api) -> None:
    before = await api.ground.count("pg_tables")
    for text in TEXTS:
        for field in FIELDS:
            reply = await api.send(**{field: text})
            assert reply.status in (202, 400, 403, 409, 422), (field, text, reply.text)
            if reply.status == 202:
                assert field in ("text", "client_ref"), (field, text)
                shown = (await api.ask("GET", f"/v1/messages/{reply.json['id']}")).json
                assert field != "client_ref" or shown["client_ref"] == text
        key = {"Idempotency_Key": text} if text.isprintable() and text.isascii() else {}
        assert (await api.send(to="12", headers=key)).status in (400, 422)
        for path in ("/v1/messages", "/v1/ledger", "/v1/delivery-reports", "/v1/inbound", "/v1/lookup-jobs"):
            reply = await api.ask("GET", str(URL(path).with_query(cursor=text, to=text, limit=text)))
            assert reply.status == 400, (path, text)
        for path in ("/v1/messages/", "/v1/webhooks/", "/v1/lookup-jobs/"):
            reply = await api.ask("GET", str(URL(path) / text.replace("/", "%2f").replace("..", "x")))
            assert reply.status == 404, (path, text)
    assert await api.ground.count("pg_tables") == before
    assert await ledger_imbalance_micros(api.ground.connection) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"to":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "not_json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not_json"),
        (b'{"to": 1e999999, "from": "ACME", "text": "x"}', "not_json"),
        (b'{"to": "%s", "from": "ACME", "text": "x", "validity_s": %s}' % (HANDSET.encode(), b"9" * 5000), None),
        (b'{"to": "+22997000001", "to": 5, "from": "ACME", "text": "x"}', "invalid_request"),
        (b'{"to": "+22997000001", "from": "ACME", "text": "\\udc00\\ud800"}', "not_json"),
        (b'{"to": "+22997000001", "from": "ACME", "text": "\xed\xa0\x80"}', "not_json"),
        ('{"to": "+22997000001", "from": "ACME", "text": "é"}'.encode("latin-1"), "not_json"),
        ('{"to": "+22997000001", "from": "ACME", "text": "é"}'.encode("utf-16"), "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (json.dumps({"to": HANDSET, "from": "ACME", "text": "x", "__proto__": {"a": 1}}).encode(), "invalid_request"),
        (json.dumps({"to": [HANDSET] * 50_000, "from": "ACME", "text": "x"}).encode(), "invalid_request"),
        (json.dumps({"x" * 100_000: 1, "to": HANDSET, "from": "ACME", "text": "x"}).encode(), "invalid_request"),
    ],
    ids=["lists", "objects", "exponent", "digits", "twice", "surrogates", "cesu", "latin1", "utf16", "bom", "proto",
         "many", "name"],
)  # fmt: skip
async def test_odd_json_is_a_problem_in_both_languages(api: Api, body: bytes, code: str | None) -> None:
    for language in ("fr", "en"):
        reply = await api.ask("POST", "/v1/messages", body, Accept_Language=language)
        assert reply.status == 400, reply.text[:300]
        assert code is None or reply.json["code"] == code
        assert len(reply.text) < 300_000
    await harmless(api)


async def test_a_packed_body_is_not_unpacked(api: Api) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    for name, body in (("gzip", bomb), ("deflate", zlib.compress(message())), ("br", message()), ("GZIP", bomb)):
        reply = await api.ask("POST", "/v1/messages", body, Content_Encoding=name)
        assert (reply.status, reply.json["code"]) == (415, "body_packed"), name
    reply = await api.ask("POST", "/v1/lookup-jobs", bomb, Content_Encoding="gzip", Content_Type="text/csv")
    assert (reply.status, reply.json["code"]) == (415, "body_packed")
    assert (await api.ask("POST", "/v1/messages", message(to="12"), Content_Encoding="identity")).status == 422
    await harmless(api)


async def test_a_broken_form_is_a_problem(api: Api) -> None:
    head = "multipart/form-data; boundary=y"
    for part in (
        b'--y\r\nContent-Disposition: form-data; name="\x12\xff"\r\n\r\nx\r\n--y--\r\n',
        b"--y\r\n" + b"A: b\r\n" * 5000 + b"\r\nx\r\n--y--\r\n",
        b'--y\r\nContent-Disposition: form-data; name="file"; filename="' + b"a" * 20_000 + b'"\r\n\r\nx\r\n--y--\r\n',
        b"--y\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n" * 1000,
        b"--y\r\n",
        b"\xff" * 5000,
    ):
        reply = await api.ask("POST", "/v1/lookup-jobs", part, Content_Type=head)
        assert reply.status in (400, 415), (part[:80], reply.text)
    assert list(api.service.lookups.spool.folder.iterdir()) == []
    await harmless(api)


# ---------------------------------------------------------------- octets


async def test_shapes_of_smuggled_requests_are_refused_and_close_the_connection(api: Api) -> None:
    inner = post(api, message(), f"Content-Length: {len(message())}")
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(message()), message())
    for fields, body in (
        (("Content-Length: 4", "Transfer-Encoding: chunked"), chunk + inner),
        (("Transfer-Encoding: chunked", f"Content-Length: {len(chunk)}"), chunk + inner),
        (("Content-Length: 4", f"Content-Length: {len(message())}"), message() + inner),
        (("Content-Length: 4, 40",), message() + inner),
        (("Content-Length: +40",), message() + inner),
        (("Content-Length: -1",), message() + inner),
        (("Content-Length: 0x28",), message() + inner),
        (("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), chunk + inner),
        (("Transfer-Encoding: xchunked",), chunk + inner),
        (("Transfer-Encoding : chunked",), chunk + inner),
        ((" Transfer-Encoding: chunked",), chunk + inner),
        (("Transfer-Encoding: chunked",), b"zz\r\n" + inner),
        (("Transfer-Encoding: chunked",), b"-1\r\n" + inner),
        (("Transfer-Encoding: chunked",), b"ffffffffffffffffff\r\n" + inner),
        (("X: a\x00b", f"Content-Length: {len(message())}"), message() + inner),
        (("X: a\nContent-Length: 5", f"Content-Length: {len(message())}"), message() + inner),
    ):
        status, told = await exchange(api, post(api, body, *fields))
        assert status in (0, 400, 411, 413, 501), (fields, told[:200])
    await harmless(api)


async def test_what_is_no_request_is_closed_and_reveals_nothing(api: Api) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        b"GET /v1/balance HTTP/9.9\r\n\r\n",
        b"GET /v1/balance\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(100_000)) + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0" * 5000,
    ):
        status, told = await exchange(api, sent, ends=True)
        assert status in (0, 400, 404, 405, 414, 431, 505), told[:200]
        assert b"Traceback" not in told
    await harmless(api)


async def test_no_path_and_no_method_leads_elsewhere(api: Api) -> None:
    for path in (
        "/../../etc/passwd",
        "/v1/../../etc/passwd",
        "/v1/messages/../../../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
        "//v1/balance",
        "/v1/balance/",
        "/V1/BALANCE",
        "/v1/balance;a=b",
        "/v1/messages/%00",
        "/v1/messages/%ff%fe",
        "http://127.0.0.1:9/v1/nothing",
    ):
        status, told = await exchange(api, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert status in (400, 401, 404), (path, told[:100])
        assert b"root:" not in told
    override = ("X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-Method: DELETE")
    sent = (await api.send()).json
    for field in override:
        lines = f"GET /v1/messages/{sent['id']}?_method=DELETE HTTP/1.1\r\nHost: x\r\n{field}\r\n"
        status, told = await exchange(api, f"{lines}Authorization: Bearer {api.key}\r\n\r\n".encode())
        assert (status, b'"accepted"' in told) == (200, True)
    for method in ("TRACE", "CONNECT", "OPTIONS", "PROPFIND", "PATCH"):
        status, _ = await exchange(
            api, f"{method} /v1/balance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert status in (400, 404, 405), method
    await harmless(api, messages=1)


async def test_octets_of_headers_that_are_no_text_harm_nothing(api: Api) -> None:
    for field in ("User-Agent", "Accept-Language", "X-Forwarded-For", "Cookie", "Idempotency-Key", "Content-Type"):
        head = post(api, b"", f"Content-Length: {len(message(to='12'))}").removesuffix(b"\r\n")
        if field == "Content-Type":
            head = head.replace(b"Content-Type: application/json\r\n", b"")
        status, told = await exchange(api, head + field.encode() + b": \xff\xfe\xc3\r\n\r\n" + message(to="12"))
        assert status in (400, 415, 422), (field, told[:300])
    body = msgspec.json.encode({"name": "nobody", "password": "x" * 20})
    lines = b"POST /v1/admin/session HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xed\xa0\x80\r\nCookie: a=\xff\r\n"
    status, told = await exchange(
        api, lines + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    assert status == 401, told
    await harmless(api)


# ---------------------------------------------------------------- slowness


async def test_a_body_that_drips_is_left_at_its_deadline(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octets, "BODY_S", 0.2)
    status, told = await exchange(api, post(api, message()[:10], f"Content-Length: {len(message())}"))
    assert (status, b'"too_slow"' in told) == (408, True)
    await harmless(api)


async def test_a_head_that_drips_is_closed_and_connections_are_bounded(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "IDLE_S", 1.0)
    async with running_api(ground, api_configuration(ground, connections=20, connections_per_address=5)) as api:
        await api.http.close()
        room = api.service.listener.room
        await eventually(lambda: room.count == 0, 30, "no connection is left")
        drips = [asyncio.create_task(exchange(api, b"GET /v1/balance HTTP/1.1\r\nX: ")) for _ in range(30)]
        told = await asyncio.gather(*drips)  # each reads until it is closed
        assert {status for status, _ in told} <= {0, 400, 408}
        assert room.refused >= 25 - 5, "of those that came together five found room"
        await eventually(lambda: room.count == 0, 30, "every one is closed")
        assert (await exchange(api, b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
