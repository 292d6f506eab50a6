"""/v1/sender-names: asked for with papers, seen by their account alone, withdrawn; what an approval is worth at once.

What must not enter: which names look alike (tests/gateway), operators' decisions (test_admin_sender_names.py).
"""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import aiohttp
import asyncpg
import pytest

from gateway.storage import facts
from gateway.storage import sender_requests as rows
from tests.admin_api.conftest import Api, as_role
from tests.eventually import eventually

PDF = b"%PDF-1.7\nour extract of the trade register"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
ASKED = {"name": "BELLA", "countries": ["BJ"], "class": "marketing", "purpose": "our shop", "sample": "Soldes !"}
WITHIN_S = 30.0


def in_base64(content: bytes, name: str = "kbis.pdf") -> dict[str, str]:
    return {"file_name": name, "content": base64.b64encode(content).decode()}


async def request(api: Api, **given: Any) -> Any:
    reply = await api.ask("POST", "/v1/sender-names", ASKED | given)
    assert reply.status == 201, reply.text
    return reply.json


async def state_to(api: Api, name: str, state: str) -> None:
    """What an operator decides, as the row says it."""
    await api.ground.connection.execute("UPDATE sender_names SET state = $2 WHERE name = $1", name, state)


async def test_a_name_is_asked_for_shown_and_withdrawn(api: Api) -> None:
    asked = await request(api, proof=in_base64(PDF))
    path = f"/v1/sender-names/{asked['id']}"

    assert (asked["state"], asked["countries"], asked["class"]) == ("requested", ["BJ"], "marketing")
    (paper,) = asked["proofs"]
    assert (paper["file_name"], paper["type"], paper["octets"]) == ("kbis.pdf", "application/pdf", len(PDF))
    assert paper["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (await api.ask("GET", path)).json == asked
    assert (await api.send(**{"from": "BELLA"})).json["code"] == "sender_not_approved"
    again = await api.ask("POST", "/v1/sender-names", ASKED | {"name": "bella"})
    assert (again.status, again.json["code"], again.json["id"]) == (409, "sender_exists", asked["id"])
    assert (await api.ask("DELETE", path)).json["state"] == "withdrawn"
    assert (await api.ask("DELETE", path)).json["state"] == "withdrawn"
    assert (await request(api, purpose="another shop"))["id"] == asked["id"]
    assert await api.ground.value("SELECT count(*) FROM notices WHERE event = 'sender.requested'") == 2
    told = await rows.sender_name_history(api.ground.connection, int(asked["id"]))
    assert [row["event"] for row in told] == ["request", "withdraw", "request"]
    assert {row["asked_by"] for row in told} == {f"key {api.key.split('_')[1]}"}


async def test_names_are_listed_by_pages_and_states(api: Api) -> None:
    for name in ("ONE", "TWO", "THREE"):
        await request(api, name=name)
    first = (await api.ask("GET", "/v1/sender-names?limit=2&state=requested")).json
    rest = (await api.ask("GET", f"/v1/sender-names?limit=2&state=requested&cursor={first['next_cursor']}")).json
    assert [each["name"] for each in first["sender_names"] + rest["sender_names"]] == ["THREE", "TWO", "ONE"]
    assert rest["next_cursor"] is None
    other_list = await api.ask("GET", f"/v1/sender-names?state=approved&cursor={first['next_cursor']}")
    assert other_list.json["code"] == "invalid_request"
    assert [
        each["name"] for each in (await api.ask("GET", "/v1/sender-names?state=approved")).json["sender_names"]
    ] == ["ACME"]


@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({"name": "TWELVE LONGS"}, {"name"}),
        ({"name": "STOP"}, {"name"}),
        ({"name": "112"}, {"name"}),
        ({"name": "ОRANGE"}, {"name"}),
        ({"name": "A\0"}, {"name"}),
        ({"purpose": "x\0", "sample": "\0"}, {"purpose", "sample"}),
        ({"countries": ["Benin", "bj"], "class": "spam"}, {"countries.0", "countries.1", "class"}),
        ({"proof": {"file_name": ""}}, {"proof.file_name", "proof.content"}),
    ],
    ids=["long", "word", "emergency", "script", "nul", "nuls", "words", "proof"],
)
async def test_every_fault_of_a_request_is_told(api: Api, given: dict[str, Any], places: set[str]) -> None:
    reply = await api.ask("POST", "/v1/sender-names", ASKED | given)

    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert {".".join(map(str, fault["loc"][1:])) for fault in reply.json["errors"]} == places
    assert await api.ground.value("SELECT count(*) FROM sender_names WHERE state = 'requested'") == 0


async def test_a_paper_is_what_its_first_octets_say_and_is_only_saved(api: Api) -> None:
    asked = await request(api)
    path = f"/v1/sender-names/{asked['id']}/proofs"

    async def upload(content: bytes, kind: str) -> Any:
        return await api.ask("POST", path, content, Content_Type=kind)

    assert (await upload(PNG, "application/pdf")).json["proofs"][-1]["type"] == "image/png"
    assert (await upload(b"<script>alert(1)</script>", "image/png")).json["code"] == "not_a_proof"
    assert (await upload(JPEG, "text/html")).json["code"] == "not_a_proof"
    headers = {"Authorization": f"Bearer {api.key}"}
    large = io.BytesIO(PDF + bytes(rows.PROOF_OCTETS))
    async with api.http.post(api.url + path, data=large, headers=headers | {"Content-Type": "image/png"}) as answer:
        assert (await answer.json(content_type=None))["code"] == "body_too_large"
    form = aiohttp.FormData()
    form.add_field("file", JPEG, filename='../..\\evil".html', content_type="text/html")
    async with api.http.post(api.url + path, data=form, headers=headers) as answer:
        assert answer.status == 201
        paper = (await answer.json())["proofs"][-1]
    assert paper["type"] == "image/jpeg"
    assert not {"/", "\\"} & set(paper["file_name"])
    async with api.http.get(f"{api.url}{path}/{paper['id']}", headers=headers) as answer:
        assert (answer.status, await answer.read()) == (200, JPEG)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["Content-Disposition"].endswith('.jpg"')
    bad = await api.ask("POST", "/v1/sender-names", ASKED | {"name": "OTHER", "proof": in_base64(b"GIF89a......")})
    assert (bad.status, bad.json["code"]) == (415, "not_a_proof")
    while len((await api.ask("GET", f"/v1/sender-names/{asked['id']}")).json["proofs"]) < rows.MOST_PROOFS:
        assert (await upload(PDF, "application/pdf")).status == 201
    assert (await upload(PDF, "application/pdf")).json["code"] == "too_many_proofs"


async def test_another_accounts_name_is_not_there(api: Api) -> None:
    asked = await request(api, proof=in_base64(PDF))
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    await eventually(lambda: other in api.service.book.accounts, WITHIN_S, "the account is known")
    api.key = await api.give_key(account_id=other)
    path = f"/v1/sender-names/{asked['id']}"
    for method, place in (("GET", path), ("DELETE", path), ("GET", f"{path}/proofs/{asked['proofs'][0]['id']}")):
        assert (await api.ask(method, place)).status == 404
    assert (await api.ask("POST", path + "/proofs", PDF, Content_Type="application/pdf")).status == 404
    assert (await api.ask("GET", "/v1/sender-names")).json["sender_names"] == []
    for text in ("0", "x", "99999999999", "2147483647", "-1"):
        assert (await api.ask("GET", f"/v1/sender-names/{text}")).status == 404


async def test_what_looks_like_a_protected_name_is_marked_and_no_more_wait_than_may(api: Api) -> None:
    asked = await request(api, name="EC0BANK")
    row = await rows.find_sender_name(api.ground.connection, None, int(asked["id"]))
    assert row is not None
    assert row["resembles"] == "Ecobank"
    elsewhere = await rows.find_sender_name(
        api.ground.connection, None, int((await request(api, name="E-COBANK", countries=["FR"]))["id"])
    )
    assert elsewhere is not None
    assert elsewhere["resembles"] == ""  # protected in Benin alone
    await api.ground.connection.execute(
        "INSERT INTO sender_names (account_id, name, state)"
        " SELECT $1, 'N' || n, 'requested' FROM generate_series(1, $2) n",
        api.ground.account_id,
        rows.MOST_REQUESTED - 2,
    )
    over = await api.ask("POST", "/v1/sender-names", ASKED)
    assert (over.status, over.json["code"], over.json["limit"]) == (409, "too_many_requested", rows.MOST_REQUESTED)


async def test_an_approval_holds_at_acceptance_at_once_and_withdrawing_ends_it(api: Api) -> None:
    asked = await request(api)
    await state_to(api, "BELLA", "approved")

    async def is_accepted() -> bool:
        return (await api.send(**{"from": "Bella"})).status == 202

    await eventually(is_accepted, WITHIN_S, "the approval is known")
    await api.ground.connection.execute("UPDATE sender_names SET in_countries = '{CI}' WHERE name = 'BELLA'")
    await eventually(lambda: bool(api.service.book.limited_senders), WITHIN_S, "its countries are known")
    assert (await api.send(**{"from": "BELLA"})).json["code"] == "sender_not_approved"
    assert (await api.send(**{"from": "BELLA", "to": "+2250700000001"})).status == 202
    for to, approved in (("+2250700000001", True), ("+2290197000001", False)):
        told = (await api.ask("POST", "/v1/explain", {"to": to, "from": "BELLA"})).json
        assert (told["sender_approved"], told["accepted"]) == (approved, approved)
    assert (await api.ask("DELETE", f"/v1/sender-names/{asked['id']}")).json["state"] == "withdrawn"
    senders = api.ground.account_id, "bella"
    await eventually(lambda: senders not in api.service.book.senders, WITHIN_S, "the withdrawal is known")
    assert (await api.send(**{"from": "BELLA", "to": "+2250700000001"})).json["code"] == "sender_not_approved"


async def test_customers_role_asks_and_decides_nothing(api: Api) -> None:
    asked = await request(api)
    connection = await asyncpg.connect(as_role(api.ground.dsn))
    try:
        for statement in (
            "UPDATE sender_names SET state = 'approved'",
            "UPDATE sender_names SET in_countries = '{}' WHERE state = 'approved'",
            "INSERT INTO sender_names (account_id, name, state) SELECT account_id, 'MINE', 'approved' FROM accounts",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
    assert (await api.ask("GET", f"/v1/sender-names/{asked['id']}")).json["state"] == "requested"
