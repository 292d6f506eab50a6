"""Operators steer SMPP logins and ways out: what is shown over all nodes, what is changed and told, what never is.

Source: decisions 0005, 0020. Nodes that carry commands out: tests/gateway/daemon/test_carrier_orders.py.
What must not enter: binding itself (tests/gateway/ingress).
"""

from __future__ import annotations

import argon2
import msgspec
import pytest

from gateway.storage import facts
from gateway.storage.audit import check_chain
from tests.admin_api.conftest import Api

ESMES = "/v1/admin/esmes"
LIVE = {
    "binds": [
        {
            "side": "esme",
            "name": "shop1",
            "bind_type": "transceiver",
            "state": "bound",
            "peer": "192.0.2.1:5",
            "window": 9,
        },
        {
            "side": "carrier",
            "name": "carrier-a",
            "bind_type": "transmitter",
            "state": "bound",
            "peer": "192.0.2.9:2775",
        },
    ],
    "queues": [{"connector": "carrier-a", "queued": 3, "more_in_rows": True, "open": 1, "oldest_ms": 1500}],
    "carriers": [
        {"connector": "carrier-a", "health": "up", "bound": 1, "binds": 2, "window": 10, "rate_per_s": 40.0}
        | {"last_fault": "ESME_RINVPASWD", "last_fault_at_ms": 1_700_000_000_000}
    ],
}


async def open_login(api: Api, system_id: str = "shop1", **given: object) -> dict[str, object]:
    reply = await api.ask("POST", ESMES, {"system_id": system_id, "account_id": str(api.ground.account_id), **given})
    assert reply.status == 201, reply.text
    made: dict[str, object] = reply.json
    return made


async def test_a_login_lives_from_its_opening_to_its_new_password_and_no_secret_is_told_twice(api: Api) -> None:
    connection = api.ground.connection
    operator = await api.sign_in("operator")
    made = await open_login(operator, tps=5, allow=["192.0.2.0/24"])
    password = str(made["password"])
    path = f"{ESMES}/{made['id']}"
    (row,) = [esme for esme in await facts.load_esmes(connection) if esme.system_id == "shop1"]
    assert argon2.PasswordHasher().verify(row.password_hash, password)
    assert (row.tps, row.allow_cidrs, row.window_size) == (5, ["192.0.2.0/24"], 100)

    await connection.execute("UPDATE nodes SET live = $1 WHERE name = 'a node'", msgspec.json.encode(LIVE).decode())
    shown = await operator.ask("GET", path)
    assert [bind["peer"] for bind in shown.json["binds"]] == ["192.0.2.1:5"]
    assert shown.json["password"] is None

    reply = await operator.ask(
        "PATCH", path, {"state": "suspended", "window": 7, "allow": [], "default_alphabet": "latin1"}
    )
    assert reply.status == 200
    (row,) = [esme for esme in await facts.load_esmes(connection) if esme.system_id == "shop1"]
    assert (row.state, row.window_size, row.allow_cidrs, row.default_alphabet) == ("suspended", 7, [], "latin1")
    assert row.tps == 5

    reply = await operator.ask("POST", f"{path}/password", {"overlap_hours": 2})
    assert reply.json["former_password_until"] is not None
    (row,) = [esme for esme in await facts.load_esmes(connection) if esme.system_id == "shop1"]
    assert argon2.PasswordHasher().verify(row.password_hash, reply.json["password"])
    assert argon2.PasswordHasher().verify(row.former_password_hash, password)
    reply = await operator.ask("DELETE", f"{path}/former-password")
    assert reply.json["former_password_until"] is None
    (row,) = [esme for esme in await facts.load_esmes(connection) if esme.system_id == "shop1"]
    assert row.former_password_hash == ""

    history = await operator.ask("GET", f"{path}/history")
    changed = {each["field"] for each in history.json["changes"]}
    assert changed == {"state", "window_size", "allow_cidrs", "default_alphabet", "former_until_ms"} | {
        "password_hash",
        "former_password_hash",
    }
    rows = await connection.fetch("SELECT action, before, after FROM audit ORDER BY seq")
    assert [each["action"] for each in rows] == ["esme.added", "esme.changed", "esme.rotated", "esme.confirmed"]
    told = shown.text + history.text + str([dict(each) for each in rows]) + (await operator.ask("GET", ESMES)).text
    assert password not in told
    assert "argon2" not in told
    assert (await check_chain(connection)).faults == []


async def test_a_list_goes_on_by_its_cursor_and_filters(api: Api) -> None:
    operator = await api.sign_in("support")
    for number in range(3):
        await api.ground.add_esme(f"more{number}")
    first = await operator.ask("GET", f"{ESMES}?limit=2")
    assert [each["system_id"] for each in first.json["esmes"]] == ["more2", "more1"]
    rest = await operator.ask("GET", f"{ESMES}?limit=2&cursor={first.json['next_cursor']}")
    assert [each["system_id"] for each in rest.json["esmes"]] == ["more0", "ours1"]
    assert (await operator.ask("GET", f"{ESMES}?state=suspended")).json["esmes"] == []
    reply = await operator.ask("GET", f"{ESMES}?state=suspended&cursor={first.json['next_cursor']}")
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"system_id": "ours1"}, 409, "system_id_taken"),
        ({"account_id": "999999"}, 422, "account_unknown"),
        ({"system_id": "a longer name than v3.4", "allow": ["x", "10.0.0.1/8"], "window": 0}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_opened_is_refused_whole(
    api: Api, given: dict[str, object], status: int, code: str
) -> None:
    operator = await api.sign_in("operator")
    asked = {"system_id": "shop1", "account_id": str(api.ground.account_id)} | given
    reply = await operator.ask("POST", ESMES, asked)
    assert (reply.status, reply.json["code"]) == (status, code)
    if code == "invalid_request":
        assert len(reply.json["errors"]) >= 2
    assert len(await facts.load_esmes(api.ground.connection)) == 1


async def test_a_reseller_sees_and_changes_the_logins_below_him_alone(api: Api) -> None:
    connection = api.ground.connection
    his = await facts.add_account(connection, "reseller", 0, None)
    below = await facts.add_account(connection, "below", 0, None)
    await connection.execute("UPDATE accounts SET parent_account_id = $1 WHERE account_id = $2", his, below)
    reseller = await api.sign_in("reseller", his)
    made = await reseller.ask("POST", ESMES, {"system_id": "below1", "account_id": str(below)})
    assert made.status == 201
    assert [each["system_id"] for each in (await reseller.ask("GET", ESMES)).json["esmes"]] == ["below1"]

    foreign = f"{ESMES}/{api.ground.esme_id}"
    for method, path, body in (
        ("GET", foreign, None),
        ("PATCH", foreign, {"tps": 1}),
        ("POST", f"{foreign}/password", {}),
        ("DELETE", f"{foreign}/former-password", None),
        ("POST", f"{foreign}/unbind", None),
        ("GET", f"{foreign}/history", None),
    ):
        reply = await reseller.ask(method, path, body)
        assert (reply.status, reply.json["code"]) == (404, "not_found"), (method, path)
    reply = await reseller.ask("POST", ESMES, {"system_id": "x", "account_id": str(api.ground.account_id)})
    assert reply.json["code"] == "account_unknown"
    reply = await reseller.ask("GET", "/v1/admin/connectors")
    assert (reply.status, reply.json["code"]) == (403, "permission_missing")
    assert await connection.fetchval("SELECT count(*) FROM node_commands") == 0


async def test_a_connector_is_shown_over_living_nodes_and_its_wish_is_a_command_that_is_followed(api: Api) -> None:
    connection = api.ground.connection
    await connection.execute("UPDATE nodes SET live = $1 WHERE name = 'a node'", msgspec.json.encode(LIVE).decode())
    await connection.execute("UPDATE connector_reach SET binds = 2")
    operator = await api.sign_in("operator")
    connector_id = api.ground.connector_ids["carrier-a"]
    path = f"/v1/admin/connectors/{connector_id}"

    (shown,) = (await operator.ask("GET", "/v1/admin/connectors")).json["connectors"]
    assert (shown["wish"], shown["health"], shown["bound"], shown["binds"], shown["queued"]) == ("run", "up", 1, 2, 3)
    assert shown["configured_by"] == ["a node"]
    (node,) = shown["nodes"]
    assert (node["last_fault"], node["more_in_rows"], node["oldest_waits_ms"]) == ("ESME_RINVPASWD", True, 1500)
    assert [bind["peer"] for bind in node["binds"]] == ["192.0.2.9:2775"]

    asked = await operator.ask("POST", f"{path}/stop")
    assert asked.status == 202
    assert asked.headers["Location"] == f"/v1/admin/commands/{asked.json['id']}"
    assert (asked.json["state"], asked.json["asked_by"]) == (
        "asked",
        (await operator.ask("GET", "/v1/admin/session")).json["name"],
    )
    assert (await operator.ask("GET", path)).json["wish"] == "stop"

    await connection.execute(
        "UPDATE node_commands SET state = 'refused', ended_at = now(), result = '{\"why\": \"too_late\"}'"
    )
    told = await operator.ask("GET", asked.headers["Location"], Accept_Language="fr")
    assert (told.json["state"], told.json["nodes"][0]["reason"]) == ("failed", "le nœud l'a appris trop tard")
    assert told.json["ended_at"] is not None

    await connection.execute("UPDATE nodes SET seen_at = now() - interval '1 minute' WHERE name = 'a node'")
    away = await operator.ask("POST", f"{path}/start")
    (part,) = away.json["nodes"]
    assert (part["node"], part["state"], part["away"]) == ("a node", "asked", True)
    listed = await operator.ask("GET", "/v1/admin/commands?limit=1")
    assert [each["id"] for each in listed.json["commands"]] == [away.json["id"]]
    actions = await connection.fetch(
        "SELECT action, subject, before::json ->> 'wish' AS before FROM audit ORDER BY seq"
    )
    assert [tuple(row) for row in actions] == [
        ("connector.wished", "connector:carrier-a", "run"),
        ("connector.wished", "connector:carrier-a", "stop"),
    ]


async def test_who_may_only_read_steers_nothing(api: Api) -> None:
    reader = await api.sign_in("read_only")
    connector = f"/v1/admin/connectors/{api.ground.connector_ids['carrier-a']}"
    assert (await reader.ask("GET", connector)).status == 200
    for method, path in (
        ("POST", f"{connector}/drain"),
        ("POST", f"{connector}/rebind"),
        ("POST", f"{ESMES}/{api.ground.esme_id}/unbind"),
        ("POST", f"{ESMES}/{api.ground.esme_id}/password"),
    ):
        reply = await reader.ask(method, path)
        assert (reply.status, reply.json["code"]) == (403, "permission_missing"), path
    assert (await reader.ask("GET", "/v1/admin/connectors/999")).status == 404
    assert (await reader.ask("GET", "/v1/admin/commands/1")).status == 404
