"""Operators say whose handsets' messages are: numbers and routes, each place once, every change told.

What must not enter: who wins where several fit (tests/gateway/accept/test_inbound_table.py).
"""

from __future__ import annotations

from gateway.storage import facts
from tests.admin_api.conftest import Api

NUMBERS = "/v1/admin/inbound-numbers"
ROUTES = "/v1/admin/inbound-routes"


async def test_numbers_and_routes_are_given_once_and_taken_away(api: Api) -> None:
    connection = api.ground.connection
    operator = await api.sign_in("operator")
    esme_id = str(api.ground.esme_id)
    given = await operator.ask("POST", NUMBERS, {"address": "36000", "esme_id": esme_id})
    assert (given.status, given.json) == (201, {"address": "36000", "account": "ours", "system_id": "ours1"})
    twice = await operator.ask("POST", NUMBERS, {"address": "36000", "account_id": str(api.ground.account_id)})
    assert (twice.status, twice.json["code"]) == (409, "inbound_place_taken")
    over_http = await operator.ask("POST", NUMBERS, {"address": "36001", "account_id": str(api.ground.account_id)})
    assert over_http.json["system_id"] is None

    route = {"number": "2290*", "esme_id": esme_id, "keyword": "Météo"}
    made = await operator.ask("POST", ROUTES, route)
    assert (made.status, made.json["keyword"], made.json["number"]) == (201, "meteo", "2290*")
    assert (await operator.ask("POST", ROUTES, route)).json["code"] == "inbound_place_taken"
    rows = (await facts.load_facts(connection)).inbound_routes
    assert {(row.address, row.is_prefix, row.keyword) for row in rows} == {
        ("36000", False, None),
        ("36001", False, None),
        ("2290", True, "meteo"),
    }

    assert (await operator.ask("DELETE", f"{ROUTES}/{made.json['id']}")).status == 200
    assert (await operator.ask("DELETE", f"{ROUTES}/{made.json['id']}")).status == 404
    assert (await operator.ask("DELETE", f"{NUMBERS}/36000")).status == 200
    assert (await operator.ask("DELETE", f"{NUMBERS}/36000")).status == 404
    assert [each["address"] for each in (await operator.ask("GET", NUMBERS)).json["numbers"]] == ["36001"]
    assert (await operator.ask("GET", ROUTES)).json["routes"] == []
    actions = [row["action"] for row in await connection.fetch("SELECT action FROM audit ORDER BY seq")]
    assert actions == ["inbound.number_added"] * 2 + ["inbound.route_added", "inbound.route_removed"] + [
        "inbound.number_removed"
    ]


async def test_every_fault_is_told_and_owners_must_exist(api: Api) -> None:
    operator = await api.sign_in("operator")
    reply = await operator.ask("POST", NUMBERS, {"address": "a b"})
    assert (reply.status, len(reply.json["errors"])) == (400, 1)
    reply = await operator.ask("POST", NUMBERS, {"address": "36000"})
    assert reply.json["errors"][0]["type"] == "owner"
    reply = await operator.ask("POST", ROUTES, {"number": "22*9", "esme_id": "1", "keyword": "two words", "order": -1})
    assert (reply.status, len(reply.json["errors"])) == (400, 2)
    reply = await operator.ask("POST", NUMBERS, {"address": "36000", "esme_id": "99999"})
    assert (reply.status, reply.json["code"]) == (422, "esme_unknown")
    reply = await operator.ask("POST", NUMBERS, {"address": "36000", "account_id": "99999"})
    assert reply.json["code"] == "account_unknown"
    reader = await api.sign_in("read_only")
    reply = await reader.ask("DELETE", f"{NUMBERS}/36000")
    assert reply.json["code"] == "permission_missing"
