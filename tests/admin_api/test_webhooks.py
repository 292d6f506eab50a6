"""/v1/webhooks, /v1/delivery-reports and /v1/inbound: an account's own, whole, and nobody else's.

What must not enter: what receivers may do to a courier (tests/gateway/webhooks).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from admin_api.models_webhooks import MOST_WEBHOOKS
from gateway.daemon.configuration_schema import Webhooks
from gateway.storage import facts
from gateway.storage import webhooks as rows
from gateway.wall_clock import wall_ms
from gateway.webhooks.events import EVENTS, FINAL_EVENTS, INBOUND
from tests.admin_api.conftest import NODE_LIVES, Api, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.webhook_receiver import webhook_receiver

URL = "https://hooks.example.com/x"
WITHIN_S = 30.0


@pytest_asyncio.fixture
async def near(ground: Ground) -> AsyncIterator[Api]:
    """An API whose accounts' URLs may lead to this machine."""
    await ground.connection.execute(NODE_LIVES)
    configuration = api_configuration(ground)
    allowed = msgspec.structs.replace(configuration, webhooks=Webhooks(allow_networks=("127.0.0.0/8",)))
    async with running_api(ground, allowed) as living:
        yield living


async def add(api: Api, url: str = URL, **given: Any) -> Any:
    reply = await api.ask("POST", "/v1/webhooks", {"url": url, "events": list(EVENTS)} | given)
    assert reply.status == 201, reply.text
    return reply.json


async def other_key(api: Api) -> str:
    """A key of another account."""
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    await eventually(lambda: other in api.service.book.accounts, WITHIN_S, "the process knows the account")
    return await api.give_key(account_id=other)


async def test_a_webhook_is_made_changed_and_removed(api: Api) -> None:
    made = await add(api, events=["message.delivered", INBOUND])
    assert made["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{made['id']}"
    shown = (await api.ask("GET", path)).json
    assert shown == {**made, "secret": None}
    assert (await api.ask("GET", "/v1/webhooks")).json == {"webhooks": [shown]}
    changed = await api.ask("PATCH", path, {"url": URL + "2", "state": "disabled"})
    assert (changed.json["url"], changed.json["state"]) == (URL + "2", "disabled")
    assert (await api.ask("POST", path + "/test")).json["code"] == "webhook_disabled"
    assert (await api.ask("PATCH", path, {"state": "active", "events": [INBOUND]})).json["events"] == [INBOUND]
    assert (await api.ask("POST", path + "/secret", {"overlap_hours": 1})).json["secret"] != made["secret"]
    assert (await api.ask("DELETE", path)).status == 200
    assert (await api.ask("GET", path)).status == 404
    assert (await api.ask("GET", "/v1/webhooks")).json == {"webhooks": []}


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://127.0.0.1/", "url_address"),
        ("http://[::ffff:127.0.0.1]/", "url_address"),
        ("http://2130706433/", "url_host"),
        ("http://user:word@hooks.example.com/", "url_userinfo"),
        ("https://hooks.example.com:22/", "url_port"),
        ("file:///etc/passwd", "url_scheme"),
        ("https://hooks.example.com/ x", "url_characters"),
    ],
)
async def test_a_url_that_would_never_be_asked_is_refused_in_the_caller_s_language(
    api: Api, url: str, fault: str
) -> None:
    asked = {"url": url, "events": [INBOUND]}
    english = await api.ask("POST", "/v1/webhooks", asked, Accept_Language="en")
    french = await api.ask("POST", "/v1/webhooks", asked, Accept_Language="fr")
    assert (english.status, english.json["code"], english.json["fault"]) == (422, "url_not_permitted", fault)
    assert english.json["detail"] != french.json["detail"]
    made = await add(api)
    assert (await api.ask("PATCH", f"/v1/webhooks/{made['id']}", {"url": url})).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"url": URL, "events": []},
        {"url": URL, "events": ["message.lost"]},
        {"url": URL, "events": [INBOUND], "format": "xml"},
        {"url": URL, "events": [INBOUND], "method": "GET"},
        {"events": [INBOUND]},
        {"url": URL, "events": [INBOUND], "more": 1},
    ],
)
async def test_what_is_no_webhook_is_refused(api: Api, body: dict[str, Any]) -> None:
    reply = await api.ask("POST", "/v1/webhooks", body)
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert await api.ground.count("webhook_endpoints") == 0


async def test_an_account_has_so_many_webhooks_at_most(api: Api) -> None:
    for _ in range(MOST_WEBHOOKS):
        await add(api)
    reply = await api.ask("POST", "/v1/webhooks", {"url": URL, "events": [INBOUND]})
    assert (reply.status, reply.json["code"], reply.json["limit"]) == (409, "too_many_webhooks", MOST_WEBHOOKS)


async def test_another_account_s_webhook_is_unknown(api: Api) -> None:
    made = await add(api)
    api.key = await other_key(api)
    path = f"/v1/webhooks/{made['id']}"
    questions: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PATCH", path, {"state": "disabled"}),
        ("DELETE", path, None),
        ("POST", path + "/secret", {}),
        ("POST", path + "/test", None),
        ("POST", path + "/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", path + "/deliveries", None),
    ]
    for method, asked, body in questions:
        assert (await api.ask(method, asked, body)).json["code"] == "not_found", (method, asked)
    for unknown in ("0", "x", "-1", "9" * 30, "١"):
        assert (await api.ask("GET", f"/v1/webhooks/{unknown}")).status == 404
    assert (await api.ask("GET", "/v1/webhooks")).json == {"webhooks": []}


async def test_this_process_sends_and_shows_what_it_found(near: Api) -> None:
    async with webhook_receiver() as receiver:
        receiver.answer, receiver.text = 500, "no"
        made = await add(near, receiver.url)
        path = f"/v1/webhooks/{made['id']}"
        owed = await near.ask("POST", path + "/test")
        assert owed.status == 202
        await receiver.got(1)

        async def tried() -> Any:
            return (await near.ask("GET", path + "/deliveries")).json["deliveries"][0]["tries"] == 1

        await eventually(tried, WITHIN_S, "the first try is shown")
        (shown,) = (await near.ask("GET", path + "/deliveries?state=due")).json["deliveries"]
        assert (shown["webhook_id"], shown["status"]) == (owed.json["webhook_id"], 500)
        assert (shown["fault"], shown["answer"]) == ("status_500", "no")
        assert receiver.ids() == [owed.json["webhook_id"]]
        receiver.answer = 200
        await near.ground.connection.execute("UPDATE webhook_deliveries SET state = 'dead'")
        replayed = await near.ask("POST", path + "/replay", {"since": "2026-01-01T00:00:00Z"})
        assert replayed.json == {"replayed": 1}
        await receiver.got(2)
        assert set(receiver.ids()) == {owed.json["webhook_id"]}
        assert json.loads(receiver.received[0].body)["type"] == "webhook.test"


async def test_deliveries_come_in_pages(api: Api) -> None:
    made = await add(api)
    for _ in range(5):
        await api.ask("POST", f"/v1/webhooks/{made['id']}/test")
    path = f"/v1/webhooks/{made['id']}/deliveries?limit=2"
    first = (await api.ask("GET", path)).json
    second = (await api.ask("GET", f"{path}&cursor={first['next_cursor']}")).json
    third = (await api.ask("GET", f"{path}&cursor={second['next_cursor']}")).json
    ids = [each["webhook_id"] for page in (first, second, third) for each in page["deliveries"]]
    assert len(set(ids)) == 5
    assert third["next_cursor"] is None
    assert (await api.ask("GET", f"{path}&cursor=x")).status == 400


# ---------------------------------------------------------------- events


async def owe(connection: asyncpg.Connection, account_id: int, events: list[tuple[int, str]]) -> None:
    await rows.owe_events(connection, [(account_id, n, event, wall_ms(), True, "", "", "") for n, event in events])


async def test_reports_are_read_on_from_a_cursor_and_each_once(api: Api) -> None:
    ground = api.ground
    await owe(ground.connection, ground.account_id, [(n, "message.delivered") for n in range(5)])
    empty_later, path = "", "/v1/delivery-reports?limit=2"
    ids: list[str] = []
    while True:
        page = (await api.ask("GET", path + empty_later)).json
        ids += [event["data"]["id"] for event in page["events"]]
        empty_later = f"&cursor={page['next_cursor']}"
        if not page["has_more"]:
            break
    assert ids == ["0", "1", "2", "3", "4"]
    assert (await api.ask("GET", path + empty_later)).json["events"] == []
    await owe(ground.connection, ground.account_id, [(9, "message.expired"), (10, INBOUND)])
    (event,) = (await api.ask("GET", path + empty_later)).json["events"]
    assert (event["type"], event["data"]["id"]) == ("message.expired", "9")
    expired = (await api.ask("GET", "/v1/delivery-reports?status=expired")).json
    assert [each["data"]["id"] for each in expired["events"]] == ["9"]
    assert (await api.ask("GET", f"/v1/delivery-reports?cursor={expired['next_cursor']}")).status == 400
    api.key = await other_key(api)
    assert (await api.ask("GET", "/v1/delivery-reports")).json["events"] == []
    assert (await api.ask("GET", path + empty_later)).status == 400, "a cursor is its account's own"


async def test_what_is_not_certain_to_come_before_is_not_read_past(api: Api) -> None:
    ground = api.ground
    slow = await asyncpg.connect(ground.dsn)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await owe(slow, ground.account_id, [(1, "message.delivered")])
        await owe(ground.connection, ground.account_id, [(2, "message.delivered")])
        page = (await api.ask("GET", "/v1/delivery-reports")).json
        assert page["events"] == []
        await transaction.commit()
        page = (await api.ask("GET", f"/v1/delivery-reports?cursor={page['next_cursor']}")).json
        assert [event["data"]["id"] for event in page["events"]] == ["1", "2"]
    finally:
        await slow.close()


async def test_the_inbox_shows_what_handsets_wrote(api: Api) -> None:
    ground = api.ground
    await ground.connection.execute(
        "INSERT INTO inbound_messages (message_id, connector_id, account_id, source_addr, destination_addr, user_data,"
        " envelope, data_coding, state, received_at_ms)"
        " VALUES (7, 1, $1, '2290197000001', '36000', 'hello', $2, 0, 'done', 5)",
        ground.account_id,
        msgspec.msgpack.encode([]),
    )
    await owe(ground.connection, ground.account_id, [(7, INBOUND), (8, "message.delivered")])
    (event,) = (await api.ask("GET", "/v1/inbound")).json["events"]
    assert event["type"] == INBOUND
    assert (event["data"]["from"], event["data"]["to"], event["data"]["text"]) == ("2290197000001", "36000", "hello")


async def test_a_message_sent_by_http_is_reported_by_whatever_node_ends_it(api: Api) -> None:
    """Also where that node's book does not know yet that somebody reads."""
    sent = await api.send()
    assert sent.status == 202, sent.text
    message_id = int(sent.json["id"])
    async with api.ground.live(node="a node") as life:  # the node that the message was handed to
        life.lifecycle.book.told_events = {}  # as before the key was made
        await life.until(lambda: (message_id, 0) in life.carrier.open)
        life.carrier.rejected(life.carrier.open[message_id, 0])

        async def reported() -> object:
            return (await api.ask("GET", "/v1/delivery-reports")).json["events"]

        await eventually(reported, WITHIN_S, "a report")
    (event,) = (await api.ask("GET", "/v1/delivery-reports")).json["events"]
    assert (event["type"], event["data"]["id"]) == ("message.rejected", sent.json["id"])
    assert event["data"]["status"] == "rejected"


async def test_the_kinds_of_reports_are_the_final_events(api: Api) -> None:
    for event in FINAL_EVENTS:
        status = event.partition(".")[2]
        assert (await api.ask("GET", f"/v1/delivery-reports?status={status}")).status == 200
    assert (await api.ask("GET", "/v1/delivery-reports?status=submitted")).status == 400
