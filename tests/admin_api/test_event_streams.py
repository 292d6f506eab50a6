"""GET /v1/events/stream: what happens, in order, each thing once, whoever leaves and comes back when.

What must not enter: what an event says (tests/gateway/webhooks), how fast it comes (tests/bench).
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket

import asyncpg
import pytest

from admin_api import event_streams, live_feeds
from gateway.storage import api_keys, facts
from gateway.storage import webhooks as rows
from gateway.storage.event_streams import Place
from gateway.wall_clock import wall_ms
from gateway.webhooks.events import INBOUND
from tests.admin_api.conftest import NODE_LIVES, Api, api_configuration, running_api
from tests.admin_api.event_source import EventSource, Heard, listening
from tests.eventually import eventually
from tests.gateway.conftest import Ground

WITHIN_S = 60.0
PATH = "/v1/events/stream"


async def happen(connection: asyncpg.Connection, account_id: int, ids: list[int], event: str = "") -> None:
    """Events of messages that nobody keeps: their ids are told."""
    name = event or "message.delivered"
    await rows.owe_events(connection, [(account_id, n, name, wall_ms(), True, "", "", "") for n in ids])


def ids_of(heard: list[Heard]) -> list[int]:
    return [int(each.data["data"]["id"]) for each in heard]


async def test_a_message_s_life_is_told_as_it_happens(api: Api) -> None:
    async with listening(api) as stream:
        sent = await api.send()
        assert sent.status == 202, sent.text
        message_id = int(sent.json["id"])
        async with api.ground.live(node="a node") as life:
            await life.until(lambda: (message_id, 0) in life.carrier.open)
            life.carrier.taken(life.carrier.open[message_id, 0], "c1")
            heard = await stream.take(2)
    assert [each.event for each in heard] == ["message.accepted", "message.submitted"]
    accepted, submitted = (each.data for each in heard)
    assert accepted["type"] == "message.accepted"
    assert (accepted["data"]["id"], accepted["data"]["status"]) == (sent.json["id"], "accepted")
    assert accepted["data"]["submitted_at"] is None
    assert submitted["data"]["submitted_at"] is not None
    assert stream.retry_ms == event_streams.RETRY_MS
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"
    assert stream.answer.headers["X-Content-Type-Options"] == "nosniff"
    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"


async def test_without_a_listener_acceptance_writes_no_event(api: Api) -> None:
    assert (await api.send()).status == 202
    assert await api.ground.count("account_events") == 0


async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(api: Api) -> None:
    """Writers commit out of order, in transactions that overlap; the listener leaves at chance, in the middle."""
    chance, total, account_id = random.Random(7), 150, api.ground.account_id
    numbers = iter(range(1, total + 1))

    async def write() -> None:
        connection = await asyncpg.connect(api.ground.dsn)
        try:
            while batch := list(itertools.islice(numbers, chance.randint(1, 9))):
                async with connection.transaction():
                    await happen(connection, account_id, batch)
                    await connection.execute("SELECT pg_sleep($1)", chance.random() / 100)
        finally:
            await connection.close()

    heard: list[Heard] = []
    async with listening(api) as first:
        pass
    async with listening(api) as beside, asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(write())
        last_id = first.last_id
        while len(heard) < total:
            async with listening(api, last_id=last_id) as stream:
                assert stream.last_id == last_id
                count = min(chance.randint(1, 30), total - len(heard))
                heard += await stream.take(count)
                last_id = stream.last_id
        same = await beside.take(total)
    assert sorted(ids_of(heard)) == list(range(1, total + 1))
    assert ids_of(heard) == ids_of(same)


async def test_what_was_missed_comes_by_pages_and_then_what_happens(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feeds, "PAGE_EVENTS", 7)
    async with listening(api) as first:
        last_id = first.last_id
    connection, account_id = api.ground.connection, api.ground.account_id
    await happen(connection, account_id, list(range(100)))
    async with listening(api, last_id=last_id) as stream:
        assert ids_of(await stream.take(100)) == list(range(100))
        await happen(connection, account_id, [100, 101])
        assert ids_of(await stream.take(2)) == [100, 101]
    async with listening(api, f"?last_event_id={last_id}") as stream:
        assert ids_of(await stream.take(1)) == [0]


async def test_only_what_is_asked_for_comes_and_the_place_moves_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_S", 0.02)
    connection, account_id = api.ground.connection, api.ground.account_id
    async with listening(api, "?events=message.expired,inbound.received") as stream:
        began_at = stream.last_id
        await happen(connection, account_id, [1], "message.delivered")
        await happen(connection, account_id, [2], "message.expired")
        (heard,) = await stream.take(1)
        assert (heard.event, ids_of([heard])) == ("message.expired", [2])
        await happen(connection, account_id, [3, 4], "message.delivered")
        while stream.last_id == heard.last_id:  # a heartbeat carries the place
            await stream.line()
        assert stream.comments
    async with listening(api, last_id=stream.last_id) as stream:
        await happen(connection, account_id, [5])
        assert ids_of(await stream.take(1)) == [5], "what was not asked for is not behind the place any more"
    async with listening(api, last_id=began_at) as stream:
        assert ids_of(await stream.take(5)) == [1, 2, 3, 4, 5], "a place is of all events, whatever was asked for"


async def test_a_key_hears_what_its_scopes_allow(api: Api) -> None:
    api.key = await api.give_key(scopes=["messages:read"])
    refused = await api.ask("GET", f"{PATH}?events={INBOUND}")
    assert (refused.status, refused.json["scope"]) == (403, "inbound:read")
    async with listening(api) as stream:
        await happen(api.ground.connection, api.ground.account_id, [1], INBOUND)
        await happen(api.ground.connection, api.ground.account_id, [2])
        assert ids_of(await stream.take(1)) == [2]


async def test_what_is_no_question_is_refused(api: Api) -> None:
    async with listening(api) as stream:
        own = stream.last_id
    french = await api.ask("GET", f"{PATH}?events=message.lost", Accept_Language="fr")
    assert (french.status, french.json["errors"][0]["loc"]) == (400, ["query", "events"])
    assert "voici les noms connus" in french.json["errors"][0]["msg"]
    page = (await api.ask("GET", "/v1/delivery-reports")).json
    for cursor in ("x", own[:-2] + "AA", page["next_cursor"]):
        assert (await api.ask("GET", PATH, Last_Event_ID=cursor)).status == 400, "a cursor is its list's own"
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    await eventually(lambda: other in api.service.book.accounts, WITHIN_S, "the process knows the account")
    api.key = await api.give_key(account_id=other)
    assert (await api.ask("GET", PATH, Last_Event_ID=own)).status == 400, "and its account's own"
    async with listening(api) as stream:
        await happen(api.ground.connection, api.ground.account_id, [1])
        assert other is not None
        await happen(api.ground.connection, other, [2])
        assert ids_of(await stream.take(1)) == [2]


async def ended_by(stream: EventSource) -> str:
    """The code of the last event, behind which nothing comes and which moves no place."""
    before = stream.last_id
    heard = await stream.next()
    assert heard is not None
    assert (heard.event, heard.last_id) == (event_streams.CLOSED, before)
    assert await stream.next() is None
    return str(heard.data["code"])


async def test_a_stream_ends_with_its_key_or_its_account(api: Api) -> None:
    async with listening(api) as stream:
        await api_keys.revoke_api_key(api.ground.connection, api.key.split("_")[1])
        assert await ended_by(stream) == "unauthenticated"
    api.key = await api.give_key()
    async with listening(api) as stream:
        await api.ground.connection.execute("UPDATE accounts SET state = 'suspended'")
        assert await ended_by(stream) == "account_suspended"
    await eventually(
        lambda: api.service.book.accounts[api.ground.account_id].state == "suspended", WITHIN_S, "the book knows"
    )
    assert (await api.ask("GET", PATH)).json["code"] == "account_suspended"


async def test_a_stream_ends_when_its_process_does(ground: Ground) -> None:
    await ground.connection.execute(NODE_LIVES)
    async with running_api(ground, api_configuration(ground)) as api:
        async with listening(api) as stream:
            api.service.account_feeds.close()
            assert await ended_by(stream) == "draining"
        assert (await api.ask("GET", PATH)).json["code"] == "draining"


async def test_so_many_may_listen_at_once(ground: Ground) -> None:
    await ground.connection.execute(NODE_LIVES)
    settings = api_configuration(ground, streams_at_once=3, streams_per_account=2, requests_at_once=2)
    async with running_api(ground, settings) as api:
        other = await facts.add_account(ground.connection, "other", 0, None)
        await eventually(lambda: other in api.service.book.accounts, WITHIN_S, "the process knows the account")
        others_key = await api.give_key(account_id=other)
        async with listening(api), listening(api):
            refused = await api.ask("GET", PATH)
            assert (refused.status, refused.json["code"]) == (429, "too_many_streams")
            assert int(refused.headers["Retry-After"]) > 0
            own, api.key = api.key, others_key
            async with listening(api):
                refused = await api.ask("GET", PATH)
                assert (refused.status, refused.json["code"]) == (503, "streams_full")
            api.key = own
            assert (await api.ask("GET", "/v1/balance")).status == 200, "listeners take no place of requests"


async def last_place(connection: asyncpg.Connection) -> Place:
    row = await connection.fetchrow(
        "SELECT changed_xact::text, event_id FROM account_events ORDER BY changed_xact DESC, event_id DESC LIMIT 1"
    )
    return Place(int(row[0]), row[1])


async def test_who_reads_too_slowly_is_told_and_can_go_on(api: Api) -> None:
    connection, account_id, feeds = api.ground.connection, api.ground.account_id, api.service.account_feeds
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    host, port = api.url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(slow, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=slow, limit=4096)
    try:
        writer.write(f"GET {PATH} HTTP/1.0\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
        await eventually(lambda: feeds.admitted.get(account_id), WITHIN_S, "it listens")
        (listener,) = feeds.admitted[account_id]
        total = 0
        while not listener.ended:
            await happen(connection, account_id, list(range(total, total + 2000)))
            total += 2000
            newest = await last_place(connection)
            await eventually(lambda p=newest: listener.ended or listener.place >= p, WITHIN_S, "all is on its way")  # type: ignore[misc]
        async with asyncio.timeout(WITHIN_S):
            text = (await reader.read()).decode().partition("\r\n\r\n")[2]
    finally:
        writer.close()
    *_, last = [line for line in text.splitlines() if line.startswith("data: ")]
    assert "stream_too_slow" in last
    last_id = [line for line in text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
    count = text.count("event: message.delivered\n")
    assert 0 < count < total
    async with listening(api, last_id=last_id) as stream:
        assert ids_of(await stream.take(total - count)) == list(range(count, total))
