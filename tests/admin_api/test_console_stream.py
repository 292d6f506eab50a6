"""GET /v1/admin/events/stream: how all stands, then each change of it, in order, to whoever may see it.

What must not enter: what streams have in common (test_event_streams.py).
"""

from __future__ import annotations

from admin_api.event_streams import CLOSED
from gateway.storage import console_events as rows
from gateway.wall_clock import wall_ms
from tests.admin_api.conftest import Api
from tests.admin_api.event_source import EventSource, Heard, listening
from tests.eventually import eventually

PATH = "/v1/admin/events/stream"


async def until(stream: EventSource, event: str, **data: object) -> Heard:
    """The event that says this; others may come before it."""
    while True:
        (heard,) = await stream.take(1)
        if heard.event == event and data.items() <= heard.data["data"].items():
            return heard


async def test_how_all_stands_comes_first_and_then_what_changes(api: Api) -> None:
    connection, operator = api.ground.connection, await api.sign_in("operator")
    await eventually(lambda: connection.fetchval("SELECT count(*) >= 2 FROM console_state"), 60, "it was looked at")
    async with listening(operator, path=PATH) as stream:
        first = await until(stream, "connector.changed", name="carrier-a", bound=1)
        assert first.last_id == stream.last_id
        await connection.execute("UPDATE connector_reach SET bound = 0")
        down = await until(stream, "connector.changed", name="carrier-a", bound=0)
        await connection.execute("UPDATE nodes SET seen_at = now() - interval '1 hour' WHERE kind = 'node'")
        assert (await until(stream, "node.changed", name="a node")).data["data"]["alive"] is False
    async with listening(operator, "?events=node.changed", last_id=down.last_id, path=PATH) as stream:
        (heard,) = await stream.take(1)
        assert (heard.event, heard.data["data"]["alive"]) == ("node.changed", False), (
            "from its place on, no state before"
        )


async def test_queues_are_told_while_somebody_listens_and_alarms_always(api: Api) -> None:
    connection, operator = api.ground.connection, await api.sign_in("support")
    live = '{"queues": [{"connector": "carrier-a", "queued": 7, "open": 1, "awaiting_receipt": 2, "oldest_ms": 4000}]}'
    async with listening(operator, "?events=queue.changed,alarm.raised", path=PATH) as stream:
        await connection.execute("UPDATE nodes SET live = $1 WHERE kind = 'node'", live)
        queue = await until(stream, "queue.changed", name="carrier-a")
        assert queue.data["data"] == {
            "name": "carrier-a",
            "queued": 7,
            "open": 1,
            "awaiting_receipt": 2,
            "oldest_s": 4,
        }
        await rows.note_event(connection, "alarm.raised", wall_ms(), {"kind": "queue_old", "subject": "carrier-a"})
        assert (await until(stream, "alarm.raised")).data["data"]["kind"] == "queue_old"


async def test_it_is_for_who_may_see_connectors_and_ends_with_his_session(api: Api) -> None:
    assert (await (await api.sign_in("finance")).ask("GET", PATH)).json["code"] == "permission_missing"
    assert (await api.ask("GET", PATH)).status == 401, "an API key is no operator's"
    operator = await api.sign_in("read_only")
    assert (await operator.ask("GET", f"{PATH}?last_event_id=x")).status == 400
    assert (await operator.ask("GET", f"{PATH}?events=message.accepted")).status == 400
    async with listening(operator, "?events=alarm.cleared", path=PATH) as stream:
        await api.ground.connection.execute("UPDATE user_sessions SET ended_at = now()")
        heard = await stream.next()
        assert heard is not None
        assert (heard.event, heard.data["code"]) == (CLOSED, "not_signed_in")
