"""The frame of every answer: who may ask, how much, how faults are told, and what never leaves.

What must not enter: what single resources do.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import re

import pytest

from admin_api.problems import OF_REFUSAL, PROBLEMS
from admin_api.route import BY_FIELD, problems_of
from admin_api.routes import ROUTES
from gateway.accept.refusals import Refusal
from gateway.storage import api_keys, facts
from tests.admin_api.conftest import Api, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE usename = 'passerelle_api' AND datname = current_database()"
)


def test_every_refusal_has_its_problem() -> None:
    assert set(OF_REFUSAL) == set(Refusal)
    assert set(OF_REFUSAL.values()) <= set(PROBLEMS)
    for refusal, code in OF_REFUSAL.items():
        assert PROBLEMS[code].permanent is not refusal.temporary, f"{refusal} and {code} disagree"


def test_every_problem_speaks_both_languages_and_is_answered_somewhere() -> None:
    told = {code for route in ROUTES for code in problems_of(route)} | {"not_found", "method_not_allowed"}
    for code, kind in PROBLEMS.items():
        assert kind.title.en != kind.title.fr, code
        assert kind.remedy.en != kind.remedy.fr, code
        assert code in told, f"no route answers {code}"
        assert kind.permanent is (not kind.retry_after_s), code


async def test_all_faults_are_told_at_once_in_the_language_asked_for(api: Api) -> None:
    body = {
        "to": [5, "+2290197000001", ""],
        "text": "",
        "class": "party",
        "validity_s": 1,
        "more": True,
        "no_reply": "x",
    }
    reply = await api.ask("POST", "/v1/messages", body, Accept_Language="fr-BJ, en;q=0.3")

    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert reply.headers["Content-Type"] == "application/problem+json"
    told = {".".join(map(str, fault["loc"])): fault for fault in reply.json["errors"]}
    places = {"to.0", "to.2", "text", "class", "validity_s", "more", "from", "no_reply"}
    assert set(told) == {f"body.{place}" for place in places}
    assert told["body.from"]["msg"] == "ce champ manque"
    assert told["body.validity_s"]["msg"] == "de 60 à 1209600"
    english = await api.ask("POST", "/v1/messages", body, Accept_Language="en")
    assert english.json["errors"][0]["msg"] != reply.json["errors"][0]["msg"]
    assert await api.ground.count("messages") == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'{"to": "\\ud800"}', 400, "not_json"),
        (b"null", 400, "invalid_request"),
        (json.dumps({"to": "+2290197000001", "from": "A\0", "text": "x\0"}).encode(), 400, "invalid_request"),
    ],
    ids=["cut", "empty", "utf16", "deep", "surrogate", "null", "nul"],
)
async def test_bad_octets_are_a_problem_never_a_fault(api: Api, body: bytes, status: int, code: str) -> None:
    reply = await api.ask("POST", "/v1/messages", body)

    assert (reply.status, reply.json["code"]) == (status, code)


async def test_a_large_body_is_not_read(ground: Ground) -> None:
    async with running_api(ground, api_configuration(ground, body_octets=1024)) as api:
        assert (await api.send(text="x" * 1000)).json["code"] == "body_too_large"


async def test_the_wrong_address_method_or_type_is_a_problem(api: Api) -> None:
    assert (await api.ask("GET", "/v1/nothing")).json["code"] == "not_found"
    wrong = await api.ask("PUT", "/v1/messages", {})
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(",")) >= {"GET", "POST"}
    assert (await api.ask("POST", "/v1/messages", b"a=1", Content_Type="text/plain")).status == 415
    assert (await api.ask("GET", "/v1/messages?limit=0&nothing=1&since=x")).status == 400


async def test_every_answer_has_its_id_and_keeps_browsers_from_mischief(api: Api) -> None:
    for path in ("/v1/balance", "/v1/nothing", "/docs", "/openapi.json"):
        reply = await api.ask("GET", path)
        assert len(reply.headers["X-Request-Id"]) == 24
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Server"] == "passerelle"
    assert (await api.ask("GET", "/v1/nothing")).json["request_id"]


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Bearer x", "Bearer pas_0000000000_x", "bearer pas_" + "x" * 500])
async def test_without_a_good_key_nothing_is_said(api: Api, header: str) -> None:
    reply = await api.ask("GET", "/v1/balance", Authorization=header)

    assert (reply.status, reply.json["code"]) == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_does_what_its_scopes_say(api: Api) -> None:
    api.key = await api.give_key(scopes=["money:read"])

    assert (await api.ask("GET", "/v1/balance")).status == 200
    reply = await api.send()
    assert (reply.status, reply.json["scope"]) == (403, "messages:send")
    for route in filter(lambda route: route.scope, ROUTES):
        answer = await api.ask(route.method, re.sub(r"\{\w+\}", "1", route.path), {} if route.body else None)
        assert (answer.status == 403) is (route.scope not in ("money:read", BY_FIELD)), route.path


async def test_a_key_comes_from_where_it_may(api: Api) -> None:
    api.key = await api.give_key(allow_cidrs=["192.0.2.0/24"])
    assert (await api.ask("GET", "/v1/balance")).json["code"] == "address_not_allowed"
    api.key = await api.give_key(allow_cidrs=["192.0.2.0/24", "127.0.0.0/8"])
    assert (await api.ask("GET", "/v1/balance")).status == 200


async def test_an_expired_key_is_no_key(api: Api) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    api.key = await api.give_key(expires_at=past)
    assert (await api.ask("GET", "/v1/balance")).status == 401


async def test_a_revoked_key_ends(api: Api) -> None:
    assert (await api.ask("GET", "/v1/balance")).status == 200
    await api_keys.revoke_api_key(api.ground.connection, api.key.split("_")[1])

    async def is_over() -> bool:
        return (await api.ask("GET", "/v1/balance")).status == 401

    await eventually(is_over, 10, "the key is known to be revoked")


async def test_a_rotated_key_lives_on_for_its_overlap_only(api: Api) -> None:
    connection, former = api.ground.connection, api.key
    api.key = await api_keys.rotate_api_key(connection, former.split("_")[1], 3600) or ""
    assert (await api.ask("GET", "/v1/balance")).status == 200
    assert (await api.ask("GET", "/v1/balance", Authorization=f"Bearer {former}")).status == 200
    newest = await api_keys.rotate_api_key(connection, api.key.split("_")[1], 0)
    assert newest is not None
    api.key = api.key[:-1] + ("A" if api.key[-1] != "A" else "B")  # one character off: another key
    assert (await api.ask("GET", "/v1/balance")).status == 401


async def test_more_requests_than_a_key_may_make_are_told_when_to_come(api: Api) -> None:
    api.key = await api.give_key(requests_per_s=1)

    replies = await asyncio.gather(*(api.ask("GET", "/v1/balance") for _ in range(9)))

    assert 200 in [reply.status for reply in replies]
    throttled = [reply for reply in replies if reply.status == 429]
    assert throttled
    assert throttled[0].json["code"] == "throttled"
    assert int(throttled[0].headers["Retry-After"]) >= 1


async def test_another_accounts_things_are_not_there(api: Api) -> None:
    told = (await api.send(client_ref="mine")).json
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    api.key = await api.give_key(account_id=other)
    await eventually(lambda: other in api.service.book.accounts, 10, "the account is known")
    assert (await api.ask("GET", f"/v1/messages/{told['id']}")).status == 404
    assert (await api.ask("DELETE", f"/v1/messages/{told['id']}")).status == 404
    assert (await api.ask("GET", "/v1/messages")).json["messages"] == []
    assert (await api.ask("GET", "/v1/ledger")).json["postings"] == []


async def test_the_log_has_no_secret_no_text_and_no_number(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await api.send(text="a secret text")
    await api.ask("GET", "/v1/messages?to=2290197000001")

    lines = [str(vars(record)) for record in caplog.records if record.name == "passerelle.api"]
    assert any("POST /v1/messages" in line for line in lines)
    for line in lines:
        for word in (api.key, api.key.split("_", 2)[2], "secret text", "2290197000001"):
            assert word not in line


async def test_too_many_at_once_are_refused_before_they_are_read(ground: Ground) -> None:
    async with running_api(ground, api_configuration(ground, requests_at_once=1)) as api:
        api.service.open_requests = 1
        reply = await api.ask("GET", "/v1/balance")
        assert (reply.status, reply.json["code"]) == (503, "overloaded")
        api.service.open_requests = 0
        assert (await api.ask("GET", "/v1/balance")).status == 200


async def test_while_postgresql_is_away_it_says_so_and_comes_back(own_api: Api) -> None:
    api = own_api
    await api.ground.connection.execute(CUT)
    replies = [await api.send(client_ref=f"r{n}") for n in range(3)]
    assert {reply.status for reply in replies} <= {202, 503}
    async with asyncio.timeout(60):
        while (await api.send(client_ref="last")).status not in (202, 409):
            await asyncio.sleep(0.1)
