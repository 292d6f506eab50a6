"""Routes and rates by versions over HTTP: drafts, differences, checks, dry runs, activation, rolling back, rate cards.

Source: decision of versions of rules. What a version is in rows: tests/gateway/storage/test_versions.py.
What must not enter: the rules that judge (tests/gateway/versions).
"""

from __future__ import annotations

from typing import Any

from gateway.storage import facts, versions
from tests.admin_api.conftest import HANDSET, Api
from tests.eventually import eventually

WITHIN_S = 60.0


async def add_draft(api: Api, kind: str, **given: Any) -> dict[str, Any]:
    reply = await api.ask("POST", f"/v1/admin/{kind}/drafts", given)
    assert reply.status == 201, reply.text
    made: dict[str, Any] = reply.json
    return made


async def test_routes_go_from_draft_to_force_and_back_and_every_process_takes_them_up(api: Api) -> None:
    connection = api.ground.connection
    await facts.ensure_connector(connection, "carrier-b", "smpp")
    operator = await api.sign_in("operator")
    message = (await api.send(to=HANDSET)).json
    first = (await operator.ask("GET", "/v1/admin/routes")).json
    draft = await add_draft(operator, "routes", note="a second carrier")
    path = f"/v1/admin/routes/drafts/{draft['id']}"
    (route,) = (await operator.ask("GET", path)).json["routes"]
    assert (route["to"], route["connector"]) == ("*", "carrier-a")

    wanted = [route | {"weight": 3}, {"to": "229", "connector": "carrier-b", "order": 1, "cost": "2.5"}]
    written = await operator.ask("PUT", path, {"revision": draft["revision"], "routes": wanted})
    assert (written.status, written.json["revision"], written.json["row_count"]) == (200, draft["revision"] + 1, 2)
    late = await operator.ask("PUT", path, {"revision": draft["revision"], "routes": []})
    assert (late.status, late.json["code"], late.json["revision"]) == (409, "draft_moved", draft["revision"] + 1)

    query = f"before={first['version']}&after=draft:{draft['id']}"
    told = await operator.ask("GET", f"/v1/admin/routes/differences?{query}", Accept_Language="fr")
    assert (told.json["added"], told.json["changed"], told.json["removed"]) == (1, 1, 0)
    assert "poids 1 -> 3" in told.json["changes"][0]["text"]
    checked = (await operator.ask("GET", f"{path}/check")).json
    assert checked["faults"] == []
    assert {doubt["kind"] for doubt in checked["doubts"]} == {"stranded", "below_cost"}

    tried = await operator.ask("POST", f"{path}/dry-run")
    assert tried.status == 200, tried.text
    assert (tried.json["messages"], tried.json["complete"]) == (1, True)
    assert tried.json["moved"] == [{"before": "carrier-a", "after": "carrier-b", "messages": 1}]

    refused = await operator.ask("POST", f"{path}/activate", {"revision": written.json["revision"]})
    assert (refused.status, refused.json["code"], len(refused.json["doubts"])) == (409, "rules_doubtful", 2)
    given = {"revision": written.json["revision"], "despite_doubts": True, "why": "agreed"}
    active = await operator.ask("POST", f"{path}/activate", given)
    assert active.status == 200, active.text
    assert (active.json["version"], active.json["added"], active.json["changed"]) == (first["version"] + 1, 1, 1)
    again = await operator.ask("POST", f"{path}/activate", given)
    assert (again.status, again.json["code"]) == (409, "draft_closed")
    await eventually(lambda: len(api.service.book.routes.routes) == 2, WITHIN_S, "this process took them up")

    listed = (await operator.ask("GET", "/v1/admin/routes/versions?limit=1")).json
    assert (listed["current"], listed["versions"][0]["why"]) == (active.json["version"], "agreed")
    moved = await operator.ask("POST", f"/v1/admin/routes/versions/{first['version']}/roll-back", {"current": 1})
    assert (moved.status, moved.json["code"]) == (409, "version_moved")
    back = await operator.ask(
        "POST", f"/v1/admin/routes/versions/{first['version']}/roll-back", {"current": active.json["version"]}
    )
    assert back.status == 200
    current = (await operator.ask("GET", "/v1/admin/routes")).json
    assert current == {"version": back.json["version"], "routes": first["routes"]}
    stored = await connection.fetchrow("SELECT route_id, price_micros FROM messages")
    assert (str(stored["route_id"]), message["price"]["amount"]) == (first["routes"][0]["id"], "1")
    actions = [row["action"] for row in await connection.fetch("SELECT action FROM audit ORDER BY seq")]
    assert actions == ["routes.drafted", "routes.draft_changed", "routes.activated", "routes.rolled_back"]


async def test_a_draft_is_not_put_over_a_version_that_its_author_did_not_see(api: Api) -> None:
    connection = api.ground.connection
    operator = await api.sign_in("operator")
    draft = await add_draft(operator, "rates")
    path = f"/v1/admin/rates/drafts/{draft['id']}"
    put = {"revision": draft["revision"], "put": [{"prefix": "229", "price": "0.5"}]}
    written = (await operator.ask("PATCH", path, put)).json
    await facts.replace_rate(connection, None, "33", 9)

    refused = await operator.ask("POST", f"{path}/activate", {"revision": written["revision"]})
    assert (refused.status, refused.json["code"]) == (409, "version_moved")
    current = refused.json["current"]
    based = await operator.ask("POST", f"{path}/base", {"revision": written["revision"], "based_on": current})
    assert based.json["based_on"] == current
    active = await operator.ask("POST", f"{path}/activate", {"revision": based.json["revision"]})
    assert (active.json["added"], active.json["removed"]) == (1, 1)
    rates = (await operator.ask("GET", "/v1/admin/rates")).json["rates"]
    assert rates == [{"account_id": None, "prefix": "229", "price": "0.5"}]

    other = await add_draft(operator, "rates")
    gone = await operator.ask("DELETE", f"/v1/admin/rates/drafts/{other['id']}?revision={other['revision']}")
    assert gone.json["state"] == "discarded"
    assert (await operator.ask("GET", "/v1/admin/rates/drafts")).json["drafts"] == []


async def test_every_fault_of_a_list_comes_at_once_and_nothing_is_changed(api: Api) -> None:
    operator = await api.sign_in("operator")
    draft = await add_draft(operator, "routes")
    path = f"/v1/admin/routes/drafts/{draft['id']}"
    unfit = [
        {"to": "0229", "connector": "carrier-a", "cost": "-1"},
        {"to": "616/x", "connector": "", "weight": 0, "windows": [[5, 5]]},
    ]
    reply = await operator.ask("PUT", path, {"revision": 1, "routes": unfit})
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    reply = await operator.ask("PUT", path, {"revision": 1, "routes": [{"to": "*", "connector": "nobody"}] * 2})
    assert [each["loc"][2] for each in reply.json["errors"]] == [0, 1]
    same = [{"to": "*", "connector": "carrier-a"}] * 2
    assert (await operator.ask("PUT", path, {"revision": 1, "routes": same})).status == 200
    refused = await operator.ask("POST", f"{path}/activate", {"revision": 2, "despite_doubts": True})
    assert (refused.status, refused.json["code"]) == (422, "rules_faulty")
    assert refused.json["faults"][0]["route"] == "new 2"
    assert "route new 1" in refused.json["faults"][0]["text"]
    assert len(await facts.load_routes(api.ground.connection)) == 1


async def test_a_card_of_a_french_spreadsheet_becomes_a_draft_and_is_given_back(api: Api) -> None:
    connection = api.ground.connection
    await facts.replace_rate(connection, None, "33", 1_000_000)
    operator = await api.sign_in("operator")
    card = "\ufeffPréfixe;Prix;Compte\r\n229;0,35;\r\n2290197;0,3;ours\r\n".encode()
    csv = {"Content_Type": "text/csv"}

    preview = await operator.ask("POST", "/v1/admin/rates/card?preview=true", card, **csv)
    assert (preview.status, preview.json["rows"], preview.json["draft"]) == (200, 2, None)
    assert (preview.json["differences"]["added"], preview.json["differences"]["removed"]) == (2, 0)
    faulty = await operator.ask("POST", "/v1/admin/rates/card", card + b"abc;1;\r\n", Accept_Language="fr", **csv)
    assert (faulty.json["fault_count"], faulty.json["faults"][0]["line"], faulty.json["draft"]) == (1, 4, None)
    assert "préfixe" in faulty.json["faults"][0]["text"]
    unfit = await operator.ask("POST", "/v1/admin/rates/card", b"229;1\n", **csv)
    assert (unfit.status, unfit.json["code"]) == (422, "card_unfit")

    made = await operator.ask("POST", "/v1/admin/rates/card?mode=replace&note=card", card, **csv)
    assert made.status == 201
    draft = made.json["draft"]
    path = f"/v1/admin/rates/drafts/{draft['id']}/activate"
    active = await operator.ask("POST", path, {"revision": draft["revision"], "despite_doubts": True})
    assert (active.json["added"], active.json["removed"]) == (2, 1)
    given = await operator.ask("GET", "/v1/admin/rates/card", Accept_Language="fr")
    assert given.headers["Content-Type"].startswith("text/csv")
    assert given.text.lstrip("\ufeff").splitlines() == ["préfixe;prix;compte", "229;0,35;", "2290197;0,3;ours"]
    pages = await operator.ask("GET", "/v1/admin/rates?limit=1")
    rest = await operator.ask("GET", f"/v1/admin/rates?limit=1&cursor={pages.json['next_cursor']}")
    assert [page.json["rates"][0]["prefix"] for page in (pages, rest)] == ["229", "2290197"]
    former = await operator.ask("GET", f"/v1/admin/rates?version={active.json['former']}")
    assert [rate["prefix"] for rate in former.json["rates"]] == ["33"]


async def test_who_may_only_read_changes_no_price(api: Api) -> None:
    reader = await api.sign_in("finance")
    assert (await reader.ask("GET", "/v1/admin/rates")).status == 200
    for method, path in (
        ("POST", "/v1/admin/rates/drafts"),
        ("POST", "/v1/admin/rates/card"),
        ("POST", "/v1/admin/rates/versions/1/roll-back"),
        ("GET", "/v1/admin/routes"),
    ):
        reply = await reader.ask(method, path, {} if method == "POST" else None)
        assert (reply.status, reply.json["code"]) == (403, "permission_missing"), path
    assert await versions.current_version(api.ground.connection, "rates") == 0
