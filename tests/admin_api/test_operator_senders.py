"""/v1/admin/sender-names and protected names: reviewed, decided by who may, told, audited, in force at once.

What must not enter: which state permits what (tests/gateway/test_sender_states.py), how customers ask.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.storage import api_keys, facts
from gateway.storage import sender_requests as rows
from tests.admin_api.conftest import Api
from tests.eventually import eventually

PDF = b"%PDF-1.7\nour extract"
WITHIN_S = 30.0


async def asked(api: Api, name: str = "BELLA", **given: Any) -> int:
    """The number of a name that the account asked for."""
    fields = {"countries": [], "traffic_class": None, "purpose": "our shop", "sample": "Soldes", **given}
    request = rows.SenderRequest(api.ground.account_id, name, **fields)
    async with api.ground.connection.transaction():
        return (await rows.request_sender(api.ground.connection, request, "key x")).sender_name_id


async def decide(operator: Api, number: int, what: str, status: int = 200, **body: Any) -> Any:
    reply = await operator.ask("POST", f"/v1/admin/sender-names/{number}/{what}", body)
    assert reply.status == status, reply.text
    return reply.json


async def audited(api: Api) -> list[tuple[str, str]]:
    return [tuple(row) for row in await api.ground.connection.fetch("SELECT action, subject FROM audit ORDER BY seq")]


async def test_a_name_is_reviewed_approved_and_may_be_used_within_a_moment(api: Api) -> None:
    number = await asked(api)
    await rows.add_proof(api.ground.connection, api.ground.account_id, number, "a.pdf", "application/pdf", PDF)
    operator = await api.sign_in("operator")
    queue = (await operator.ask("GET", "/v1/admin/sender-names?state=requested")).json["sender_names"]
    assert [(each["id"], each["account"], each["resembles"]) for each in queue] == [(str(number), "ours", "")]
    proof = await operator.ask("GET", f"/v1/admin/sender-names/{number}/proofs/{queue[0]['proofs'][0]['id']}")
    assert (proof.text.encode(), proof.headers["Content-Type"]) == (PDF, "application/pdf")
    assert proof.headers["Content-Disposition"].startswith("attachment")

    shown = await decide(operator, number, "approve", countries=["BJ", "CI"], until="2199-01-01T00:00:00Z")
    assert (shown["state"], shown["approved_in"]) == ("approved", ["BJ", "CI"])
    assert [each["event"] for each in shown["history"]] == ["request", "approve"]
    assert shown["history"][1]["asked_by"].startswith("operator ")

    async def is_accepted() -> bool:
        return (await api.send(**{"from": "BELLA"})).status == 202

    await eventually(is_accepted, WITHIN_S, "the approval is known")
    shown = await decide(operator, number, "suspend", reason="complaints")
    assert shown["reason"] == "complaints"

    async def is_refused() -> bool:
        return (await api.send(**{"from": "BELLA"})).status == 403

    await eventually(is_refused, WITHIN_S, "the suspension is known")
    assert (await decide(operator, number, "suspend", 409, reason="again"))["state"] == "suspended"
    assert await audited(api) == [(f"sender.{state}", f"sender:{number}") for state in ("approved", "suspended")]
    told = await api.ground.connection.fetch("SELECT event, account_id FROM notices ORDER BY notice_id")
    assert [tuple(row) for row in told] == [("sender.decided", api.ground.account_id)] * 2


async def test_a_refusal_has_its_reason_and_a_bad_decision_changes_nothing(api: Api) -> None:
    number = await asked(api)
    operator = await api.sign_in("operator")
    for body in ({}, {"reason": "  "}, {"reason": "x\0yz"}):
        assert (await operator.ask("POST", f"/v1/admin/sender-names/{number}/refuse", body)).status == 400
    faults = await decide(operator, number, "approve", 400, connectors=["nobody"], until="2020-01-01T00:00:00Z")
    assert {fault["loc"][1] for fault in faults["errors"]} == {"connectors", "until"}
    assert (await decide(operator, 2147483647, "refuse", 404, reason="none"))["code"] == "not_found"
    assert await audited(api) == []
    assert (await decide(operator, number, "refuse", reason="no proof"))["state"] == "refused"
    seen = (await api.ask("GET", f"/v1/sender-names/{number}")).json
    assert (seen["state"], seen["reason"]) == ("refused", "no proof")


async def test_a_look_alike_needs_the_permission_the_wish_and_a_reason(api: Api) -> None:
    number = await asked(api, "EC0BANK")
    operator, chief = await api.sign_in("operator"), await api.sign_in("superadmin")
    assert [
        each["name"]
        for each in (await operator.ask("GET", "/v1/admin/sender-names?resembling=true")).json["sender_names"]
    ] == ["EC0BANK"]
    for who, body in (
        (operator, {}),
        (operator, {"override": True, "reason": "I know them"}),
        (chief, {"override": True}),
        (chief, {"reason": "I know them"}),
    ):
        refused = await decide(who, number, "approve", 409, **body)
        assert (refused["code"], refused["resembles"]) == ("sender_resembles", "Ecobank")
    shown = await decide(chief, number, "approve", override=True, reason="it is the bank")
    assert (shown["state"], shown["history"][-1]["despite"]) == ("approved", "Ecobank")
    other = await asked(api, "E-C0-BANK", countries=["FR"])
    assert (await decide(operator, other, "approve", countries=["FR"]))["state"] == "approved"  # protected elsewhere


async def test_protected_names_are_kept_by_who_may(api: Api) -> None:
    operator, chief = await api.sign_in("operator"), await api.sign_in("superadmin")
    body = {"name": "Zemexpress", "country": "BJ", "kind": "other", "source": "its owner's letter"}
    assert (await operator.ask("POST", "/v1/admin/protected-names", body)).status == 403
    made = await chief.ask("POST", "/v1/admin/protected-names", body)
    assert made.status == 201
    try:
        assert (await chief.ask("POST", "/v1/admin/protected-names", body)).json["code"] == "name_protected"
        listed = (await operator.ask("GET", "/v1/admin/protected-names?country=BJ")).json["protected_names"]
        assert made.json in listed
        row = await rows.find_sender_name(api.ground.connection, None, await asked(api, "ZEM-EXPRES"))
        assert row is not None
        assert row["resembles"] == "Zemexpress"
    finally:
        gone = await chief.ask("DELETE", f"/v1/admin/protected-names/{made.json['id']}")
    assert gone.json == made.json
    assert (await chief.ask("DELETE", f"/v1/admin/protected-names/{made.json['id']}")).status == 404
    assert [action for action, _ in await audited(api)] == ["protected_name.added", "protected_name.removed"]


@pytest.mark.parametrize("role", ["support", "read_only", "finance"])
async def test_who_only_reads_decides_nothing(api: Api, role: str) -> None:
    number = await asked(api)
    reader = await api.sign_in(role)
    assert (await reader.ask("GET", "/v1/admin/sender-names")).status == (403 if role == "finance" else 200)
    for what in ("approve", "refuse", "suspend"):
        assert (await decide(reader, number, what, 403, reason="why not"))["code"] == "permission_missing"


# ---------------------------------------------------------------- blocks, opt-outs


async def test_a_block_holds_at_once_and_is_taken_back_with_a_reason(api: Api) -> None:
    operator = await api.sign_in("operator")
    made = await operator.ask("POST", "/v1/admin/blocks", {"prefix": "+2290197", "reason": "the regulator's order"})
    assert made.status == 201
    again = await operator.ask("POST", "/v1/admin/blocks", {"prefix": "2290197", "reason": "once more"})
    assert again.json["code"] == "block_exists"

    async def is_blocked() -> bool:
        return (await api.send()).status == 409

    await eventually(is_blocked, WITHIN_S, "the block is known")
    listed = (await operator.ask("GET", "/v1/admin/blocks?number=2290197000001")).json["blocks"]
    assert listed == [made.json]
    assert (await operator.ask("GET", "/v1/admin/blocks?number=225")).json["blocks"] == []
    path = f"/v1/admin/blocks/{made.json['id']}/remove"
    assert (await operator.ask("POST", path, {})).status == 400
    gone = await operator.ask("POST", path, {"reason": "the order ended"})
    assert (gone.json["end"], gone.json["removed_at"] is not None) == ("the order ended", True)
    assert (await operator.ask("POST", path, {"reason": "once more"})).status == 404

    async def is_accepted() -> bool:
        return (await api.send()).status == 202

    await eventually(is_accepted, WITHIN_S, "the end of the block is known")
    assert (await operator.ask("GET", "/v1/admin/blocks")).json["blocks"] == []
    assert (await operator.ask("GET", "/v1/admin/blocks?removed=true")).json["blocks"] == [gone.json]
    assert [action for action, _ in await audited(api)] == ["block.added", "block.removed"]
    unknown = await operator.ask("POST", "/v1/admin/blocks", {"prefix": "2", "account_id": "999999", "reason": "none"})
    assert (unknown.status, unknown.json["errors"][0]["loc"]) == (400, ["body", "account_id"])


async def test_an_opt_out_is_written_down_and_ended_with_its_proof(api: Api) -> None:
    support = await api.sign_in("support")
    wish = {"account_id": str(api.ground.account_id), "number": "2290197000001", "proof": "his letter of 12 March"}
    made = await support.ask("POST", "/v1/admin/opt-outs", wish)
    assert (made.status, made.json["source"], made.json["proof"]) == (201, "operator", wish["proof"])
    assert (await support.ask("POST", "/v1/admin/opt-outs", wish)).json["code"] == "opted_out_already"

    async def is_blocked() -> bool:
        return (await api.send()).json.get("code") == "recipient_blocked"

    await eventually(is_blocked, WITHIN_S, "the opt-out is known")
    assert (await support.ask("GET", "/v1/admin/opt-outs?number=%2B2290197000001")).json["opt_outs"] == [made.json]
    back = await support.ask("POST", "/v1/admin/opt-outs/remove", wish | {"proof": "his call of 13 March"})
    assert back.json["opted_out"] is False
    assert (await support.ask("POST", "/v1/admin/opt-outs/remove", wish)).json["code"] == "not_opted_out"

    async def is_accepted() -> bool:
        return (await api.send()).status == 202

    await eventually(is_accepted, WITHIN_S, "he is back")
    bad = await support.ask("POST", "/v1/admin/opt-outs", {"account_id": "99999", "number": "1", "proof": "none"})
    assert {fault["loc"][1] for fault in bad.json["errors"]} == {"account_id", "number"}
    assert [action for action, _ in await audited(api)] == ["opt_out.added", "opt_out.removed"]


async def test_an_account_adds_and_imports_its_own_and_brings_nobody_back(api: Api) -> None:
    body = {"numbers": ["+2290197000001", "2250700000001", "nobody", "+229 01 97 00 00 01"], "proof": "our register"}
    added = (await api.ask("POST", "/v1/opt-outs", body)).json
    assert (added["added"], added["known"], added["invalid"]) == (2, 0, 1)
    assert (added["faults"][0]["line"], added["faults"][0]["given"]) == (3, "nobody")
    text = "numéro;nom\r\n+2290197000001;A\r\n\r\n33612345678;B\r\nxyz;C\r\n".encode("utf-8-sig")
    path = "/v1/opt-outs/import?proof=our+register"
    imported = (await api.ask("POST", path, text, Content_Type="text/csv")).json
    assert (imported["added"], imported["known"], imported["invalid"]) == (1, 1, 1)
    assert imported["faults"][0]["line"] == 5
    assert (await api.ask("POST", path, b"\xff\xfe\x00", Content_Type="text/csv")).json["code"] == "not_a_file"
    assert (await api.ask("POST", "/v1/opt-outs/import", text, Content_Type="text/csv")).status == 400

    first = (await api.ask("GET", "/v1/opt-outs?limit=2")).json
    rest = (await api.ask("GET", f"/v1/opt-outs?limit=2&cursor={first['next_cursor']}")).json
    numbers = [each["number"] for each in first["opt_outs"] + rest["opt_outs"]]
    assert sorted(numbers) == ["+2250700000001", "+2290197000001", "+33612345678"]
    assert (await api.ask("GET", "/v1/opt-outs?number=33612345678")).json["opt_outs"][0]["source"] == "customer"

    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    await eventually(lambda: other in api.service.book.accounts, WITHIN_S, "the account is known")
    own, api.key = api.key, await api.give_key(account_id=other)
    assert (await api.ask("GET", "/v1/opt-outs")).json["opt_outs"] == []
    assert (await api.ask("GET", f"/v1/opt-outs?cursor={first['next_cursor']}")).status == 400
    api.key = await api.give_key(scopes=[each for each in api_keys.SCOPES if each != "opt-outs"])
    assert (await api.ask("GET", "/v1/opt-outs")).status == 403
    api.key = own
