"""Alarms: raised by what rows show, after a time; cleared after a time; known of by somebody; and never flapping.

What must not enter: mails (tests/gateway/notices).
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api import alarms
from admin_api.alarm_rules import ALARM_KINDS, AlarmMemory
from gateway.storage import alarms as rows
from gateway.wall_clock import wall_ms
from tests.admin_api.conftest import Api

LATER_S = 10_000.0


async def look(api: Api, memory: AlarmMemory, at: float) -> set[rows.Subject]:
    """One look, whatever the job of the process does beside it; what stands then."""
    async with asyncio.timeout(60):
        while True:
            connection = api.ground.connection
            async with connection.transaction():  # nobody else watches between our look and our reading
                if await rows.may_watch(connection):
                    wrong = await alarms._observe(api.service, connection)
                    moves = memory.look(at, wrong.keys(), await rows.standing_alarms(connection))
                    for kind, subject in moves.raised:
                        await rows.raise_alarm(connection, kind, subject, "warning", wrong[kind, subject], wall_ms())
                    for kind, subject in moves.cleared:
                        await rows.clear_alarm(connection, kind, subject, wall_ms())
                    return await rows.standing_alarms(connection)
            await asyncio.sleep(0.01)


WRONG = {
    "node_dead": "UPDATE nodes SET seen_at = now() - interval '1 hour' WHERE kind = 'node'",
    "connector_down": "UPDATE connector_reach SET bound = 0, binds = 2",
    "binds_missing": "UPDATE connector_reach SET bound = 1, binds = 2",
    "queue_old": """UPDATE nodes SET live = '{"queues": [{"connector": "carrier-a", "oldest_ms": 900000}]}'"""
    " WHERE kind = 'node'",
    "webhook_disabled": "INSERT INTO webhook_endpoints (account_id, url, events, state, why)"
    " SELECT account_id, 'https://x', '{x}', 'disabled', 'it answered 410' FROM accounts",
    "no_receipts": "INSERT INTO statistics_hours"
    " SELECT (extract(epoch FROM now())::bigint / 3600 - 2) * 3600000, a.account_id,"
    " c.connector_id, 'otp', '', '', 50, 50, 0, 0, 0, 0, 0, 0, 50, 0, 0, '{}', '{}' FROM accounts a, connectors c",
}


@pytest.mark.parametrize("kind", WRONG)
async def test_what_is_wrong_for_long_enough_is_raised_and_cleared(api: Api, kind: str) -> None:
    memory, connection = AlarmMemory(), api.ground.connection
    assert await look(api, memory, 0.0) == set()
    await connection.execute(WRONG[kind])
    assert await look(api, memory, 1.0) == set(), "not at once"
    (standing,) = await look(api, memory, LATER_S)
    assert standing[0] == kind
    await connection.execute("DELETE FROM webhook_endpoints")
    await connection.execute("DELETE FROM statistics_hours")
    await connection.execute("UPDATE connector_reach SET bound = 2, binds = 2")
    await connection.execute("UPDATE nodes SET live = '{}', seen_at = now() + interval '1 day' WHERE kind = 'node'")
    assert await look(api, memory, LATER_S + 1) == {standing}, "not at once either"
    assert await look(api, memory, 2 * LATER_S) == set()


async def test_an_alarm_is_shown_known_of_and_written_down(api: Api) -> None:
    connection, operator = api.ground.connection, await api.sign_in("operator")
    alarm_id = await rows.raise_alarm(connection, "queue_old", "nowhere", "warning", "900 s", wall_ms())
    assert await rows.raise_alarm(connection, "queue_old", "nowhere", "warning", "", wall_ms()) is None, "it stands"
    path = f"/v1/admin/alarms/{alarm_id}/acknowledge"
    known = await operator.ask("POST", path, {"note": "the carrier knows"})
    assert (known.status, known.json["note"]) == (200, "the carrier knows")
    assert known.json["acknowledged_by"].startswith("operator")
    listed = (await operator.ask("GET", "/v1/admin/alarms?state=all&kind=queue_old", Accept_Language="fr")).json[
        "alarms"
    ]
    assert [(each["id"], each["title"]) for each in listed] == [(str(alarm_id), ALARM_KINDS["queue_old"].words.fr)]
    assert await connection.fetchval("SELECT count(*) FROM audit WHERE action = 'alarm.acknowledged'") == 1
    assert (await operator.ask("POST", "/v1/admin/alarms/999999999/acknowledge", {})).status == 404
    assert (await operator.ask("POST", "/v1/admin/alarms/x/acknowledge", {})).status == 404
    assert (await (await api.sign_in("read_only")).ask("POST", path, {})).status == 403
    page = (await operator.ask("GET", "/v1/admin/alarms?state=all&limit=1")).json
    assert page["next_cursor"] is not None
    assert (await operator.ask("GET", "/v1/admin/alarms?cursor=x")).status == 400


async def test_the_watch_raises_and_tells_in_one_transaction(api: Api) -> None:
    connection, memory = api.ground.connection, AlarmMemory()
    await connection.execute(WRONG["queue_old"])
    async with asyncio.timeout(60):
        at = 0.0
        while not await connection.fetchval("SELECT count(*) FROM notices WHERE event = 'alarm.raised'"):
            await alarms.watch_once(api.service, memory, at)  # the process's own watch may be at it just then
            at += LATER_S
    assert ("queue_old", "carrier-a") in await rows.standing_alarms(connection)


kinds = st.sampled_from(sorted(ALARM_KINDS))


@given(kinds, st.lists(st.tuples(st.floats(0.1, 200), st.booleans()), max_size=60))
def test_nothing_flaps(kind: str, looks: list[tuple[float, bool]]) -> None:
    """Whatever is seen when: an alarm stands for its clearing time at least, and is gone for its raising time."""
    memory, subject, now, stands = AlarmMemory(), (kind, "x"), 0.0, False
    changed: float | None = None
    for passed_s, is_wrong in looks:
        now += passed_s
        moves = memory.look(now, {subject} if is_wrong else set(), {subject} if stands else set())
        if moves.raised or moves.cleared:
            least_s = ALARM_KINDS[kind].raise_after_s if moves.raised else ALARM_KINDS[kind].clear_after_s
            assert bool(moves.raised) is not stands
            assert bool(moves.raised) is is_wrong
            assert changed is None or now - changed >= least_s
            stands, changed = bool(moves.raised), now
