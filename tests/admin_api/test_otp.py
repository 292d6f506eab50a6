"""/v1/otp: a code reaches its number and nobody else, is proven once, and is sent and tried within limits.

What must not enter: acceptance in general (test_messages.py), idempotency in general.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import msgspec
import pytest

from admin_api.one_time_codes import OneTimeCodes, make_code
from gateway.message import Envelope
from gateway.storage import facts
from gateway.storage import one_time_codes as rows
from gateway.wall_clock import wall_ms
from telecom.alphabets import decode_gsm7
from tests.admin_api.conftest import HANDSET, Api
from tests.eventually import eventually
from tests.gateway.conftest import CREDIT, Ground

ASKED = {"to": HANDSET, "from": "ACME"}
NO_CODES = """
CREATE FUNCTION no_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = '22000', MESSAGE = 'the test says so'; END $$;
CREATE TRIGGER no_codes BEFORE INSERT ON one_time_codes FOR EACH ROW EXECUTE FUNCTION no_codes();
"""


async def order(api: Api, status: int = 202, headers: dict[str, str] | None = None, **given: Any) -> Any:
    reply = await api.ask("POST", "/v1/otp", ASKED | given, **(headers or {}))
    assert reply.status == status, reply.text
    return reply.json


async def text_of(api: Api, message_id: str) -> str:
    octets = await api.ground.value("SELECT user_data FROM messages WHERE message_id = $1", int(message_id))
    return decode_gsm7(octets) or ""


async def code_of(api: Api, sent: Any) -> str:
    """The code, as the handset would show it."""
    found = re.search(r"\d{4,10}", await text_of(api, sent["message_id"]))
    assert found is not None
    return found[0]


async def verify(api: Api, sent: Any, code: str) -> tuple[str, int]:
    reply = await api.ask("POST", f"/v1/otp/{sent['id']}/verify", {"code": code})
    assert reply.status == 200, reply.text
    return reply.json["status"], reply.json["attempts_left"]


def other_than(code: str) -> str:
    return code[:-1] + ("1" if code[-1] != "1" else "2")


async def test_a_code_goes_out_in_its_class_and_is_proven_once(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reply = await api.ask("POST", "/v1/otp", ASKED, Accept_Language="fr")
    sent = reply.json
    code = await code_of(api, sent)

    assert (await text_of(api, sent["message_id"])).startswith(f"{code} est votre code")
    row = await api.ground.connection.fetchrow("SELECT * FROM messages WHERE message_id = $1", int(sent["message_id"]))
    assert row is not None
    assert row["traffic_class"] == "otp"
    assert msgspec.msgpack.decode(row["envelope"], type=Envelope).is_secret
    path = f"/v1/otp/{sent['id']}"
    assert await verify(api, sent, other_than(code)) == ("wrong", 2)
    assert await verify(api, sent, f"{code[:3]} {code[3:]}") == ("approved", 1)
    assert await verify(api, sent, code) == ("used", 1)
    assert (await api.ask("GET", path)).json["status"] == "approved"
    assert (await api.ask("POST", path + "/resend")).json["code"] == "otp_over"
    shown = reply.text + (await api.ask("GET", f"/v1/messages/{sent['message_id']}")).text
    shown += (await api.ask("GET", path)).text + (await api.ask("GET", "/v1/messages")).text
    shown += str([vars(record) for record in caplog.records])
    shown += str(await api.ground.connection.fetchrow("SELECT * FROM one_time_codes"))
    assert not re.search(rf"(?<!\d){code}(?!\d)", shown)


async def test_a_text_of_ones_own_and_what_browsers_fill_in(api: Api) -> None:
    given = {"template": "Bella : {code}", "length": 10, "autofill_origin": "bella.example"}
    sent = await order(api, **given)
    code = await code_of(api, sent)
    assert len(code) == 10
    assert await text_of(api, sent["message_id"]) == f"Bella : {code}\n\n@bella.example #{code}"


@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({"template": "no code"}, {"template"}),
        ({"template": "{code} {code}"}, {"template"}),
        ({"template": "\0{code}", "to": "+229\0"}, {"template", "to"}),
        ({"length": 3, "validity_s": 1, "attempts": 11}, {"length", "validity_s", "attempts"}),
        ({"channel": "voice", "autofill_origin": "https://x", "code": "1234"}, {"channel", "autofill_origin", "code"}),
    ],
    ids=["none", "twice", "nul", "numbers", "words"],
)
async def test_every_fault_is_told(api: Api, given: dict[str, Any], places: set[str]) -> None:
    reply = await api.ask("POST", "/v1/otp", ASKED | given)
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert {fault["loc"][1] for fault in reply.json["errors"]} == places


async def test_of_many_tries_at_once_one_proves_and_none_is_forgotten(api: Api) -> None:
    sent = await order(api, attempts=10)
    code = await code_of(api, sent)
    told = await asyncio.gather(*(verify(api, sent, code) for _ in range(8)))
    assert sorted(status for status, _ in told) == ["approved"] + ["used"] * 7

    sent = await order(api, attempts=4)
    wrong = other_than(await code_of(api, sent))
    told = await asyncio.gather(*(verify(api, sent, wrong) for _ in range(8)))
    assert await api.ground.value("SELECT attempts FROM one_time_codes WHERE otp_id = $1", int(sent["id"])) == 4
    assert {status for status, _ in told} <= {"wrong", "too_many_attempts"}
    assert await verify(api, sent, await code_of(api, sent)) == ("too_many_attempts", 0)


async def test_an_expired_code_proves_nothing_and_another_one_takes_its_place(api: Api) -> None:
    sent = await order(api)
    former = await code_of(api, sent)
    await api.ground.connection.execute("UPDATE one_time_codes SET expires_at_ms = 1")
    assert await verify(api, sent, former) == ("expired", 3)
    again = (await api.ask("POST", f"/v1/otp/{sent['id']}/resend")).json
    assert again["id"] == sent["id"]
    assert again["message_id"] != sent["message_id"]
    code = await code_of(api, again)
    if former != code:  # one in a million
        assert (await verify(api, sent, former))[0] == "wrong"
    assert (await verify(api, sent, code))[0] == "approved"


async def test_another_accounts_code_is_not_there(api: Api) -> None:
    sent = await order(api)
    code = await code_of(api, sent)
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    await eventually(lambda: other in api.service.book.accounts, 30, "the account is known")
    owner, api.key = api.key, await api.give_key(account_id=other)
    for method, end in (("GET", ""), ("POST", "/resend"), ("POST", "/verify")):
        body = {"code": code} if end == "/verify" else None
        assert (await api.ask(method, f"/v1/otp/{sent['id']}{end}", body)).status == 404
    api.key = owner
    assert (await api.ask("GET", f"/v1/otp/{sent['id']}")).json["attempts_left"] == 3
    assert (await api.ask("POST", "/v1/otp/x/verify", {"code": "1"})).status == 404


async def test_a_repeated_order_sends_one_code(api: Api) -> None:
    key = {"Idempotency_Key": "once"}
    first, second = await order(api, headers=key), await order(api, headers=key)
    assert first == second
    assert await api.ground.count("one_time_codes") == await api.ground.count("one_time_sends") == 1
    mismatch = await order(api, 422, headers=key, length=8)
    assert mismatch["code"] == "idempotency_mismatch"


async def test_a_number_gets_no_more_codes_than_may_also_at_once(api: Api) -> None:
    sent = await order(api)
    replies = await asyncio.gather(*(api.ask("POST", "/v1/otp", ASKED) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [202] * (rows.NUMBER_SENDS - 1) + [429] * 4
    refused = await api.ask("POST", f"/v1/otp/{sent['id']}/resend")
    assert (refused.status, refused.json["code"], refused.json["limit"]) == (429, "otp_limit", "number")
    assert 1 <= int(refused.headers["Retry-After"]) <= rows.NUMBER_SPAN_MS // 1000
    assert await api.ground.count("messages") == await api.ground.count("one_time_sends") == rows.NUMBER_SENDS
    assert await api.ground.credits() == (1000 - rows.NUMBER_SENDS, rows.NUMBER_SENDS, 0)
    assert (await order(api, to="+2290197000002"))["status"] == "pending"  # another number


@pytest.mark.parametrize(
    ("limit", "most", "number"), [("block", rows.BLOCK_SENDS, "229019700"), ("account", rows.ACCOUNT_SENDS, "33")]
)
async def test_neighbouring_numbers_and_the_account_have_limits_too(
    api: Api, limit: str, most: int, number: str
) -> None:
    await api.ground.connection.execute(
        "INSERT INTO one_time_sends (message_id, account_id, number, block, at_ms)"
        " SELECT n, $1, $2 || n, $2, $3 FROM generate_series(1, $4) n",
        api.ground.account_id,
        number,
        wall_ms() - rows.SPAN_MS + 1_800_000,
        most - 1,
    )
    await order(api)
    refused = await order(api, 429, to="+2290197000002")
    assert (refused["code"], refused["limit"]) == ("otp_limit", limit)
    await api.ground.connection.execute(
        "UPDATE one_time_sends SET at_ms = at_ms - 3600000 WHERE message_id <= $1", most
    )
    assert (await order(api, to="+2290197000002"))["status"] == "pending"


async def test_without_credit_nothing_of_a_code_stays(api: Api) -> None:
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = 0")
    assert (await order(api, 402, headers={"Idempotency_Key": "k"}))["code"] == "insufficient_credit"
    for table in ("one_time_codes", "one_time_sends", "messages", "idempotency_keys"):
        assert await api.ground.count(table) == 0
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = $1", CREDIT)
    assert (await order(api, headers={"Idempotency_Key": "k"}))["status"] == "pending"


async def test_code_and_message_commit_together_or_not_at_all(ground: Ground, api: Api) -> None:
    await ground.connection.execute(NO_CODES)
    try:
        refused = await api.ask("POST", "/v1/otp", ASKED)
        assert refused.status == 503
        assert await ground.count("messages") == await ground.count("one_time_sends") == 0
    finally:
        await ground.connection.execute("DROP FUNCTION no_codes CASCADE")
    assert (await order(api))["status"] == "pending"


def test_a_hash_is_bound_to_secret_account_and_id() -> None:
    codes, others = OneTimeCodes(b"a" * 32), OneTimeCodes(b"b" * 32)
    stored = codes.hash_code(1, 2, "123456")
    assert codes.fits(1, 2, "123 456", stored)
    assert not any(codes.fits(*given, "123456", stored) for given in ((1, 3), (2, 2)))
    assert not others.fits(1, 2, "123456", stored)
    assert not codes.fits(1, 2, "12345\ud800", stored)
    assert {len(make_code(length)) for length in range(4, 11)} == set(range(4, 11))
