"""Users by the API: made, changed, helped, signed out; what is told of it in the audit log, and to whom.

What must not enter: one's own login (test_signing_in.py), roles against routes (test_access.py).
"""

from __future__ import annotations

from tests.admin_api.conftest import Api
from tests.gateway.conftest import Ground

USERS = "/v1/admin/users"
AUDIT = "/v1/admin/audit"


async def test_a_user_is_made_signs_in_and_is_changed(api: Api) -> None:
    root = await api.sign_in("superadmin")
    made = await root.ask(
        "POST", USERS, {"name": "ann", "role": "support", "email": "ann@example.com", "language": "en"}
    )
    assert made.status == 201
    words = {"name": "ann", "password": made.json["password"]}
    reply = await api.ask("POST", "/v1/admin/session", words)
    assert (reply.status, reply.json["must"]) == (201, "change_password")
    path = f"{USERS}/{made.json['id']}"

    assert (await root.ask("POST", USERS, {"name": "ann", "role": "support"})).json["code"] == "user_name_taken"
    changed = await root.ask("PATCH", path, {"role": "operator", "state": "suspended"})
    assert (changed.json["role"], changed.json["state"], changed.json["password"]) == ("operator", "suspended", None)
    assert (await api.ask("GET", "/v1/admin/session", Authorization=f"Bearer {reply.json['token']}")).status == 401
    assert (await root.ask("PATCH", path, {"state": "active"})).status == 200
    reset = await root.ask("POST", f"{path}/password")
    assert (await api.ask("POST", "/v1/admin/session", words)).json["code"] == "login_refused"
    words["password"] = reset.json["password"]
    assert (await api.ask("POST", "/v1/admin/session", words)).status == 201
    assert (await root.ask("DELETE", f"{path}/sessions")).json == {"ended": 1}
    assert (await root.ask("POST", f"{path}/totp/remove")).json["second_factor"] is False
    listed = (await root.ask("GET", f"{USERS}?limit=1")).json
    assert [user["name"] for user in listed["users"]] == ["ann"]
    rest = (await root.ask("GET", f"{USERS}?cursor={listed['next_cursor']}")).json
    assert ([user["role"] for user in rest["users"]], rest["next_cursor"]) == (["superadmin"], None)
    assert (await root.ask("GET", f"{USERS}?cursor=x")).status == 400
    for number in ("0", "99999", "99999999999", "x"):
        assert (await root.ask("GET", f"{USERS}/{number}")).json["code"] == "not_found"


async def test_the_last_superadmin_stays_and_a_reseller_has_an_account(api: Api) -> None:
    root = await api.sign_in("superadmin")
    (mine,) = (await root.ask("GET", USERS)).json["users"]
    for change in ({"role": "operator"}, {"state": "suspended"}):
        refused = await root.ask("PATCH", f"{USERS}/{mine['id']}", change)
        assert (refused.status, refused.json["code"]) == (409, "last_superadmin")
    account = str(api.ground.account_id)
    for role, account_id in (("reseller", None), ("support", account), ("reseller", "99999")):
        body = {"name": "bob", "role": role, "account_id": account_id}
        refused = await root.ask("POST", USERS, body)
        assert (refused.status, refused.json["errors"][0]["loc"]) == (400, ["body", "account_id"])
    bob = await root.ask("POST", USERS, {"name": "bob", "role": "reseller", "account_id": account})
    assert bob.json["account_id"] == account
    path = f"{USERS}/{bob.json['id']}"
    assert (await root.ask("PATCH", path, {"account_id": "99999"})).status == 400
    assert (await root.ask("PATCH", path, {"role": "support"})).json["account_id"] is None
    assert (await root.ask("PATCH", path, {"role": "reseller"})).status == 400


async def test_what_was_changed_is_told_once_and_only_to_whom_it_concerns(api: Api, ground: Ground) -> None:
    root = await api.sign_in("superadmin")
    made = await root.ask("POST", USERS, {"name": "ann", "role": "support"})
    await root.ask("POST", USERS, {"name": "ann", "role": "support"})  # refused: nothing to tell
    await root.ask("PATCH", f"{USERS}/{made.json['id']}", {"role": "operator"})

    told = (await root.ask("GET", f"{AUDIT}?limit=1")).json
    (newest,) = told["entries"]
    assert (newest["action"], newest["subject"]) == ("user.changed", f"user:{made.json['id']}")
    assert (newest["before"]["role"], newest["after"]["role"]) == ("support", "operator")
    assert (newest["address"], len(newest["request_id"])) == ("127.0.0.1", 24)
    rest = (await root.ask("GET", f"{AUDIT}?limit=1&cursor={told['next_cursor']}")).json["entries"]
    assert [entry["action"] for entry in rest] == ["user.added"]
    assert made.json["password"] not in str(told) + str(rest)
    for question, count in (
        ("action=user.added", 1),
        ("action=user.", 2),
        (f"subject=user:{made.json['id']}", 2),
        ("user=nobody", 0),
        (f"user={newest['user']}", 2),
        ("since=2020-01-01T00:00:00Z", 2),
        ("until=2020-01-01T00:00:00Z", 0),
        (f"account_id={ground.account_id}", 0),
    ):
        assert len((await root.ask("GET", f"{AUDIT}?{question}")).json["entries"]) == count, question
    assert (await root.ask("GET", f"{AUDIT}?user=a%00")).status == 400
    other = await api.sign_in("finance")
    assert (await other.ask("GET", f"{AUDIT}?limit=1&cursor={told['next_cursor']}")).status == 400
