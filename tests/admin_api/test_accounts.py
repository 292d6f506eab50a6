"""Accounts by the API: opened with their first logins, changed, moved, and a reseller's tree with its margin guard.

What must not enter: roles against routes (test_access.py), credit.
"""

from __future__ import annotations

from typing import Any

import argon2
import pytest

from tests.admin_api.conftest import Api, Reply
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S

ACCOUNTS = "/v1/admin/accounts"
WHY = {"reason": "a test"}


async def opened(asked: Api, name: str, **more: Any) -> str:
    reply = await asked.ask("POST", ACCOUNTS, {"name": name, **more})
    assert reply.status == 201, reply.text
    number: str = reply.json["account"]["id"]
    return number


async def actions(api: Api) -> list[str]:
    return [row["action"] for row in await api.ground.connection.fetch("SELECT action FROM audit ORDER BY seq")]


async def test_an_account_is_opened_with_the_logins_that_are_wished(api: Api) -> None:
    root = await api.sign_in("superadmin")
    wished = {"api_key": {"name": "shop"}, "esme": {"system_id": "shop1"}, "user": {"name": "shop", "language": "en"}}
    body = {"name": "Shop", "region": "BJ", "per_day": 500, "rates": [{"prefix": "229", "price": "0.5"}], **wished}
    reply = await root.ask("POST", ACCOUNTS, body)

    assert reply.status == 201, reply.text
    made = reply.json
    account = made["account"]
    assert (account["balance"], account["region"], account["per_day"], account["state"]) == ("0", "BJ", 500, "active")
    balance = await api.ask("GET", "/v1/balance", Authorization=f"Bearer {made['api_key']}")
    await eventually(lambda: int(account["id"]) in api.service.book.accounts, WITHIN_S, "the account is known")
    balance = await api.ask("GET", "/v1/balance", Authorization=f"Bearer {made['api_key']}")
    assert (balance.status, balance.json["available"]) == (200, "0")
    esme_hash = await api.ground.value("SELECT password_hash FROM esmes WHERE system_id = 'shop1'")
    assert argon2.PasswordHasher().verify(esme_hash, made["esme"]["password"])
    words = {"name": "shop", "password": made["user"]["password"]}
    shop = await api.ask("POST", "/v1/admin/session", words)
    assert (shop.json["must"], shop.json["account_id"]) == ("change_password", account["id"])
    told = await api.ground.value("SELECT after FROM audit WHERE action = 'account.opened'")
    assert not [word for word in (made["api_key"], made["esme"]["password"], made["user"]["password"]) if word in told]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"name": "ours"}, "account_name_taken"),
        ({"esme": {"system_id": "ours1"}}, "login_name_taken"),
        ({"user": {"name": "taken"}}, "user_name_taken"),
        ({"parent_id": "99999"}, "invalid_request"),
        ({"name": " x"}, "invalid_request"),
        ({"name": "a\0b"}, "invalid_request"),
        ({"region": "Benin"}, "invalid_request"),
        ({"credit_limit": "5"}, "invalid_request"),
        ({"rates": [{"prefix": "x", "price": "1"}]}, "invalid_request"),
        ({"rates": [{"prefix": "229", "price": "1,5"}]}, "invalid_request"),
        ({"rates": [{"prefix": "229", "price": "1"}] * 2}, "invalid_request"),
    ],
)
async def test_what_cannot_be_opened_leaves_nothing(api: Api, more: dict[str, Any], code: str) -> None:
    root = await api.sign_in("superadmin")
    await root.ask("POST", "/v1/admin/users", {"name": "taken", "role": "support"})
    before = await api.ground.count("accounts"), await api.ground.count("api_keys"), await actions(api)

    refused = await root.ask("POST", ACCOUNTS, {"name": "Shop", "api_key": {}} | more)

    assert refused.json["code"] == code, refused.text
    assert (await api.ground.count("accounts"), await api.ground.count("api_keys"), await actions(api)) == before


async def test_what_is_changed_is_in_force_in_history_and_in_the_log(api: Api) -> None:
    root, path = await api.sign_in("superadmin"), f"{ACCOUNTS}/{api.ground.account_id}"

    assert (await root.ask("PATCH", path, {"per_day": 7, "region": "CI", "language": "en"})).json["per_day"] == 7
    assert (await root.ask("POST", f"{path}/suspend", WHY)).json["state"] == "suspended"
    await eventually(lambda: api.service.book.accounts[api.ground.account_id].state == "suspended", WITHIN_S)
    assert (await api.send()).json["code"] == "account_suspended"
    again = await root.ask("POST", f"{path}/suspend", WHY)
    assert (again.status, again.json["code"], again.json["state"]) == (409, "state_impossible", "suspended")
    assert (await root.ask("POST", f"{path}/resume", WHY)).json["state"] == "active"
    assert (await root.ask("POST", f"{path}/close", {})).status == 400
    assert (await root.ask("POST", f"{path}/close", WHY)).json["state"] == "closed"
    assert (await root.ask("POST", f"{path}/resume", WHY)).json["code"] == "state_impossible"
    assert (await root.ask("PUT", f"{path}/rates", {"rates": [{"prefix": "*", "price": "2"}]})).status == 409
    changes = (await root.ask("GET", f"{path}/history")).json["changes"]
    assert [(c["former"], c["became"]) for c in changes if c["field"] == "state"] == [
        ("active", "closed"),
        ("suspended", "active"),
        ("active", "suspended"),
    ]
    assert {c["field"] for c in changes} == {"state", "per_day", "default_region", "language"}
    told = ["changed", "suspended", "resumed", "closed"]
    assert await actions(api) == [f"account.{each}" for each in told]
    entries = (await root.ask("GET", f"/v1/admin/audit?account_id={api.ground.account_id}")).json["entries"]
    assert entries[0]["after"]["reason"] == "a test"


async def test_accounts_are_listed_page_by_page_and_found_by_their_names(api: Api) -> None:
    root = await api.sign_in("superadmin")
    numbers = [await opened(root, name) for name in ("Alpha", "Beta", "Gamma")]
    await root.ask("POST", f"{ACCOUNTS}/{numbers[1]}/suspend", WHY)

    seen, path = [], f"{ACCOUNTS}?limit=2"
    while path:
        page = (await root.ask("GET", path)).json
        seen += [account["name"] for account in page["accounts"]]
        path = f"{ACCOUNTS}?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == ["Alpha", "Beta", "Gamma", "ours"]
    for question, names in (("text=MM", ["Gamma"]), ("state=suspended", ["Beta"]), (f"parent_id={numbers[0]}", [])):
        found = (await root.ask("GET", f"{ACCOUNTS}?{question}")).json["accounts"]
        assert [account["name"] for account in found] == names
    assert (await root.ask("GET", f"{ACCOUNTS}?cursor=x")).status == 400


async def test_a_reseller_sees_and_changes_what_is_below_him_alone(api: Api) -> None:
    root = await api.sign_in("superadmin")
    mine, other = await opened(root, "Mine"), await opened(root, "Other")
    theirs = await opened(root, "Theirs", parent_id=other)
    reseller = await api.sign_in("reseller", int(mine))
    below = await opened(reseller, "Below")
    deeper = await opened(reseller, "Deeper", parent_id=below, api_key={})

    listed = (await reseller.ask("GET", ACCOUNTS)).json["accounts"]
    assert [(a["name"], a["parent_id"]) for a in listed] == [("Below", mine), ("Deeper", below)]
    for number in (mine, other, theirs, str(api.ground.account_id)):
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/history", None),
            ("GET", "/rates", None),
            ("PATCH", "", {"tps": 1}),
            ("POST", "/suspend", WHY),
            ("POST", "/close", WHY),
            ("PUT", "/rates", {"rates": [{"prefix": "*", "price": "1"}]}),
        ):
            refused = await reseller.ask(method, f"{ACCOUNTS}/{number}{path}", body)
            assert (refused.status, refused.json["code"]) == (404, "not_found"), (method, path)
    for parent in (other, theirs, "99999"):
        assert (await reseller.ask("POST", ACCOUNTS, {"name": "No", "parent_id": parent})).status == 400
    assert (await reseller.ask("PATCH", f"{ACCOUNTS}/{deeper}", {"parent_id": mine})).status == 400
    user = {"name": "No", "user": {"name": "bob"}}
    assert (await reseller.ask("POST", ACCOUNTS, user)).json["code"] == "permission_missing"
    assert (await reseller.ask("POST", f"{ACCOUNTS}/{deeper}/suspend", WHY)).status == 200
    assert (await reseller.ask("PATCH", f"{ACCOUNTS}/{below}", {"tps": 3})).json["tps"] == 3
    await root.ask("POST", f"{ACCOUNTS}/{mine}/suspend", WHY)
    assert (await reseller.ask("GET", ACCOUNTS)).json["code"] == "not_signed_in"


async def test_a_tree_has_no_circle_few_levels_and_closes_from_below(api: Api) -> None:
    root = await api.sign_in("superadmin")
    numbers = [await opened(root, "L1")]
    for level in (2, 3, 4, 5):
        numbers.append(await opened(root, f"L{level}", parent_id=numbers[-1]))

    assert (await root.ask("POST", ACCOUNTS, {"name": "L6", "parent_id": numbers[-1]})).status == 400
    for child, parent in ((0, 4), (0, 0), (1, 2)):
        refused = await root.ask("PATCH", f"{ACCOUNTS}/{numbers[child]}", {"parent_id": numbers[parent]})
        assert refused.json["errors"][0]["loc"] == ["body", "parent_id"]
    alone = await opened(root, "Alone")
    assert (await root.ask("PATCH", f"{ACCOUNTS}/{numbers[0]}", {"parent_id": alone})).status == 400  # too deep
    assert (await root.ask("POST", f"{ACCOUNTS}/{numbers[3]}/close", WHY)).json["code"] == "accounts_below_are_open"
    assert (await root.ask("PATCH", f"{ACCOUNTS}/{numbers[4]}", {"parent_id": ""})).json["parent_id"] is None
    assert (await root.ask("POST", f"{ACCOUNTS}/{numbers[3]}/close", WHY)).status == 200
    assert (await root.ask("PATCH", f"{ACCOUNTS}/{numbers[4]}", {"parent_id": numbers[3]})).status == 400  # closed


async def test_nobody_sells_below_his_cost(api: Api) -> None:
    root = await api.sign_in("superadmin")
    mine = await opened(root, "Mine", rates=[{"prefix": "229", "price": "0.5"}])
    reseller = await api.sign_in("reseller", int(mine))
    below = await opened(reseller, "Below", rates=[{"prefix": "229", "price": "0.6"}])

    def put(price: str | None, prefix: str = "229") -> dict[str, Any]:
        return {"rates": [{"prefix": prefix, "price": price}]}

    refused = await reseller.ask("PUT", f"{ACCOUNTS}/{below}/rates", put("0.4"), Accept_Language="en")
    assert (refused.status, refused.json["code"]) == (422, "below_cost")
    assert refused.json["below_cost"] == [{"account": "Below", "prefix": "229", "price": "0.4", "cost": "0.5"}]
    assert "Below, 229: 0.4 < cost 0.5" in refused.json["detail"]
    assert (await reseller.ask("PUT", f"{ACCOUNTS}/{below}/rates", put("0.3", "22997"))).json["code"] == "below_cost"
    assert (await reseller.ask("PUT", f"{ACCOUNTS}/{below}/rates", put("0.5"))).status == 200
    assert (await root.ask("PUT", f"{ACCOUNTS}/{mine}/rates", put("0.55"))).json["code"] == "below_cost"
    cheap = {"name": "Cheap", "rates": [{"prefix": "*", "price": "0.1"}]}
    assert (await reseller.ask("POST", ACCOUNTS, cheap)).json["code"] == "below_cost"
    alone = await opened(root, "Alone", rates=[{"prefix": "229", "price": "0.1"}])
    moved = await root.ask("PATCH", f"{ACCOUNTS}/{alone}", {"parent_id": mine})
    assert (moved.json["code"], await api.ground.count("accounts")) == ("below_cost", 4)
    shown = await reseller.ask("GET", f"{ACCOUNTS}/{below}/rates")
    assert [(rate["prefix"], rate["price"]) for rate in shown.json["rates"]] == [("229", "0.5")]
    assert (await reseller.ask("PUT", f"{ACCOUNTS}/{below}/rates", put(None))).json == {"rates": []}


async def test_a_rate_card_and_rolling_back_keep_the_margin_too(api: Api) -> None:
    root = await api.sign_in("superadmin")
    mine = await opened(root, "Mine", rates=[{"prefix": "229", "price": "0.5"}])
    await opened(root, "Below", parent_id=mine)
    csv = {"Content_Type": "text/csv"}

    async def activate(card: bytes) -> Reply:
        made = await root.ask("POST", "/v1/admin/rates/card?mode=merge", card, **csv)
        assert made.status == 201, made.text
        draft = made.json["draft"]
        words = {"revision": draft["revision"], "despite_doubts": True}
        return await root.ask("POST", f"/v1/admin/rates/drafts/{draft['id']}/activate", words)

    refused = await activate(b"prefix;price;account\n229;0.4;\n")  # what everybody pays, and so Below
    assert (refused.status, refused.json["code"]) == (422, "below_cost")
    assert (await root.ask("GET", "/v1/admin/rates")).json["rates"][0]["price"] == "0.5"
    first = await activate(b"prefix;price;account\n229;0.6;\n")
    assert first.status == 200, first.text
    raised = await root.ask("PUT", f"{ACCOUNTS}/{mine}/rates", {"rates": [{"prefix": "229", "price": "0.6"}]})
    assert raised.status == 200
    cheaper = await activate(b"prefix;price;account\n229;0.3;\n229;0.2;Mine\n")
    assert cheaper.status == 200, cheaper.text
    dearer = await root.ask("PUT", f"{ACCOUNTS}/{mine}/rates", {"rates": [{"prefix": "229", "price": "0.4"}]})
    assert dearer.json["code"] == "below_cost"
