"""/v1/admin/messages and /v1/admin/delivery-reports: found by every filter, in pages, exported, told again.

What must not enter: how fast among ten million rows (tests/bench).
"""

from __future__ import annotations

import csv
import datetime
import io
import random
import zipfile
from typing import Any

import asyncpg
import msgspec
import pytest

from admin_api import exports
from admin_api.exports import BOM, FORMULA_MARKS, XLSX_TYPE
from gateway.message import ID_TIME_SHIFT, Envelope
from gateway.storage import facts
from gateway.storage.message_search import Wanted, search_messages
from gateway.wall_clock import wall_ms
from tests.admin_api.conftest import Api
from tests.eventually import eventually

MINUTE_MS = 60_000


async def store(connection: asyncpg.Connection, account_id: int, minutes_ago: int, **given: Any) -> int:
    """A message as a node would have left it; its id."""
    message_id = (wall_ms() - minutes_ago * MINUTE_MS << ID_TIME_SHIFT) + random.getrandbits(ID_TIME_SHIFT)
    row: dict[str, Any] = {
        "account_id": account_id,
        "message_id": message_id,
        "esme_id": -1,
        "connector_id": 1,
        "route_id": 1,
        "traffic_class": "transactional",
        "part_count": 1,
        "data_coding": 0,
        "price_micros": 1_000_000,
        "expires_at_ms": wall_ms() + MINUTE_MS,
        "source_addr": "ACME",
        "destination_addr": "2290197000001",
        "route_why": "the only one",
        "user_data": b"a text that nobody reads",
        "envelope": msgspec.msgpack.encode(Envelope()),
        "state": "delivered",
        "hold": "captured",
        "notify": "done",
        "part_states": "D",
        "submitted_at_ms": (message_id >> ID_TIME_SHIFT) + 40,
        "final_at_ms": (message_id >> ID_TIME_SHIFT) + 900,
        **given,
    }
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(
        "SELECT ensure_day((to_timestamp($1) AT TIME ZONE 'UTC')::date)", message_id / 2**20 / 1000
    )
    await connection.execute(f"INSERT INTO messages ({', '.join(row)}) VALUES ({places})", *row.values())
    return message_id


async def found(api: Api, query: str, path: str = "/v1/admin/messages", key: str = "messages") -> list[int]:
    reply = await api.ask("GET", f"{path}?{query}")
    assert reply.status == 200, reply.text
    return [int(each["id"]) for each in reply.json[key]]


async def test_each_filter_finds_what_fits_newest_first(api: Api) -> None:
    ground = api.ground
    other = await facts.add_account(ground.connection, "other", 0, None)
    assert other is not None
    connection, own = ground.connection, ground.account_id
    await ground.add_carrier("carrier-b")
    second = ground.connector_ids["carrier-b"]
    first = ground.connector_ids["carrier-a"]
    plain = await store(connection, own, 50, connector_id=first)
    number = await store(connection, own, 40, connector_id=first, destination_addr="2290197000002")
    sender = await store(connection, other, 30, connector_id=first, source_addr="OTHER")
    failed = await store(
        connection, other, 20, connector_id=second, state="undeliverable", error="0x0B", part_states="F"
    )
    queued = await store(
        connection,
        own,
        10,
        connector_id=second,
        state="queued",
        hold="held",
        traffic_class="otp",
        final_at_ms=0,
        notify="no",
    )
    operator = await api.sign_in("support")
    assert await found(operator, f"account_id={own}") == [queued, number, plain]
    assert await found(operator, f"account_id={other}&status=undeliverable") == [failed]
    hour = "since=" + format_ms(wall_ms() - 60 * MINUTE_MS)
    assert await found(operator, hour) == [queued, failed, sender, number, plain]
    assert await found(operator, f"{hour}&to=%2B2290197000002") == [number]
    assert await found(operator, f"{hour}&from=OTHER") == [sender]
    assert await found(operator, f"{hour}&connector=carrier-b") == [queued, failed]
    assert await found(operator, f"{hour}&class=otp") == [queued]
    assert await found(operator, f"{hour}&error=0x0B") == [failed]
    until = "until=" + format_ms(wall_ms() - 25 * MINUTE_MS)
    assert await found(operator, f"{hour}&{until}") == [sender, number, plain]
    reports = "/v1/admin/delivery-reports"
    assert await found(operator, hour, reports) == [failed, sender, number, plain], "what has ended"
    assert await found(operator, f"{hour}&told=no", reports) == []
    assert (await operator.ask("GET", f"/v1/admin/messages?{hour}&connector=nowhere")).status == 404


def format_ms(unix_ms: int) -> str:
    return datetime.datetime.fromtimestamp(unix_ms / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")


async def test_pages_go_on_where_the_last_one_ended(api: Api) -> None:
    ids = [await store(api.ground.connection, api.ground.account_id, n * 7 + 1) for n in range(9)]
    operator = await api.sign_in("operator")
    path, heard, cursor = f"/v1/admin/messages?account_id={api.ground.account_id}&limit=2", list[int](), ""
    while True:
        page = (await operator.ask("GET", path + cursor)).json
        heard += [int(each["id"]) for each in page["messages"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert heard == ids
    assert (await operator.ask("GET", path.replace("limit=2", "limit=3") + cursor)).status == 200
    assert (await operator.ask("GET", path + cursor + "&class=otp")).status == 400, "a cursor is its filter's own"
    another = await api.sign_in("operator")
    assert (await another.ask("GET", path + cursor)).status == 400, "and its user's"


async def test_a_page_without_patience_is_short_and_the_search_goes_on(api: Api) -> None:
    """Every window is a page of its own: what is found over all of them is everything, once."""
    connection = api.ground.connection
    ids = [await store(connection, api.ground.account_id, n * 3) for n in range(8)]
    wanted = Wanted((wall_ms() - 60 * MINUTE_MS) << ID_TIME_SHIFT)
    heard, before_id, pages = list[int](), (wall_ms() + MINUTE_MS) << ID_TIME_SHIFT, 0
    while True:
        rows, next_id = await search_messages(connection, wanted, before_id, 100, patience_s=-1.0)
        heard += [row["message_id"] for row in rows]
        pages += 1
        if next_id is None:
            break
        before_id = next_id
    assert heard == ids
    assert pages > 10


@pytest.mark.parametrize("query", ["", "to=2290197000001", "since=2025-01-01T00:00:00Z"])
async def test_a_search_without_bounds_is_refused_with_a_remedy(api: Api, query: str) -> None:
    operator = await api.sign_in("read_only")
    for path in ("/v1/admin/messages", "/v1/admin/delivery-reports"):
        reply = await operator.ask("GET", f"{path}?{query}", Accept_Language="fr")
        assert (reply.status, reply.json["code"], reply.json["days"]) == (422, "search_unbounded", 31)
        assert "account_id" in reply.json["detail"]
    account = f"account_id={api.ground.account_id}"
    assert (await operator.ask("GET", f"/v1/admin/messages?{account}&since=2025-01-01T00:00:00Z")).json["days"] == 366


async def test_a_message_is_traced_and_its_number_shown_to_who_may_read_it(api: Api) -> None:
    sent = (await api.send()).json["id"]
    support, reader = await api.sign_in("support"), await api.sign_in("read_only")
    traced = (await support.ask("GET", f"/v1/admin/messages/{sent}")).json
    assert [event["event"] for event in traced["timeline"]] == ["accepted"]
    assert traced["message"]["to"] == "+2290197000001"
    assert traced["message"]["connector"] == "carrier-a"
    assert (await reader.ask("GET", f"/v1/admin/messages/{sent}")).json["message"]["to"] == "+229******0001"
    assert "hello" not in str(traced), "a text is nobody's to read here"
    for unknown in ("1", "x", "9" * 30):
        assert (await support.ask("GET", f"/v1/admin/messages/{unknown}")).status == 404


async def test_an_export_has_every_row_and_is_written_down(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PAGE_ROWS", 3)
    connection, own = api.ground.connection, api.ground.account_id
    ids = [await store(connection, own, n + 1, source_addr=f"{mark}1+1") for n, mark in enumerate(FORMULA_MARKS)]
    operator = await api.sign_in("operator")
    path = f"/v1/admin/messages/export?account_id={own}"
    reply = await operator.ask("GET", path)
    head, *rows = csv.reader(io.StringIO(reply.text))
    assert [int(row[head.index("id")]) for row in rows] == ids
    assert {row[head.index("from")][:2] for row in rows} == {f"'{mark}" for mark in FORMULA_MARKS}
    assert {row[head.index("to")] for row in rows} == {"2290197000001"}
    assert reply.headers["Content-Disposition"] == 'attachment; filename="messages.csv"'
    assert (await operator.ask("GET", path + "&bom=true")).text.startswith(BOM)
    await operator.ask("GET", f"/v1/admin/delivery-reports/export?account_id={own}&told=done")
    audit = await connection.fetch("SELECT action, account_id FROM audit ORDER BY seq DESC LIMIT 3")
    assert [tuple(row) for row in audit] == [
        ("reports.exported", own),
        ("messages.exported", own),
        ("messages.exported", own),
    ]
    monkeypatch.setattr(exports, "MOST_ROWS", 4)
    assert exports.CUT in (await operator.ask("GET", path)).text
    assert (await (await api.sign_in("read_only")).ask("GET", path)).status == 403
    monkeypatch.setattr(exports, "AT_ONCE", 0)
    assert (await operator.ask("GET", path)).json["code"] == "too_many_exports"


async def test_a_spreadsheet_computes_nothing_and_keeps_numbers(api: Api) -> None:
    own = api.ground.account_id
    message_id = await store(api.ground.connection, own, 1, source_addr="=1+1")
    operator = await api.sign_in("operator")
    async with api.http.get(
        f"{api.url}/v1/admin/messages/export?account_id={own}&format=xlsx",
        headers={"Authorization": f"Bearer {operator.key}"},
    ) as answer:
        assert answer.headers["Content-Type"] == XLSX_TYPE
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
    for text in ("2290197000001", str(message_id), "'=1+1"):
        assert f"<is><t>{text.replace('=', '=')}</t></is>" in sheet.replace("&#39;", "'"), "a text, in its cell"
    assert "<f>" not in sheet


async def test_a_customer_exports_his_own(api: Api) -> None:
    sent = (await api.send()).json["id"]
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    await store(api.ground.connection, other, 1)
    rows = list(csv.DictReader(io.StringIO((await api.ask("GET", "/v1/messages/export")).text)))
    assert [row["id"] for row in rows] == [sent]
    assert "account" not in rows[0]
    await eventually(lambda: other in api.service.book.accounts, 60, "the process knows the account")
    assert (await api.ask("GET", "/v1/messages/export?status=delivered")).text.count("\n") == 1


async def test_reports_are_told_again_by_a_command_and_by_a_webhook(api: Api) -> None:
    connection, own = api.ground.connection, api.ground.account_id
    operator = await api.sign_in("support")
    path, asked = "/v1/admin/delivery-reports/replay", {"account_id": str(own), "since": "2026-01-01T00:00:00Z"}
    reply = await operator.ask("POST", path, asked | {"state": "all"})
    assert reply.status == 202, reply.text
    row = await connection.fetchrow("SELECT command, asked_by, arguments::text FROM node_commands")
    assert row["command"] == "replay_receipts"
    assert msgspec.json.decode(row["arguments"])["account_id"] == own
    await connection.execute(
        "INSERT INTO webhook_endpoints (account_id, url, events)"
        " VALUES ($1, 'https://x.example', '{message.delivered}')",
        own,
    )
    endpoint_id = await connection.fetchval("SELECT max(endpoint_id) FROM webhook_endpoints")
    await connection.execute(
        "INSERT INTO webhook_deliveries (account_id, endpoint_id, lane, message_id, event, at_ms, state, due_at_ms,"
        " give_up_at_ms) VALUES ($1, $2, 'endpoint x', 1, 'message.delivered', $3, 'dead', 0, 0)",
        own,
        endpoint_id,
        wall_ms(),
    )
    by_webhook = asked | {"by": "webhook", "webhook_id": str(endpoint_id)}
    assert (await operator.ask("POST", path, by_webhook)).json == {"command_id": None, "replayed": 1}
    assert await connection.fetchval("SELECT count(*) FROM audit WHERE action = 'reports.replayed'") == 2
    assert (await operator.ask("POST", path, asked | {"by": "webhook"})).status == 400
    assert (await operator.ask("POST", path, by_webhook | {"account_id": "999999"})).status == 404
    assert (await operator.ask("POST", path, asked | {"account_id": "999999"})).status == 404
