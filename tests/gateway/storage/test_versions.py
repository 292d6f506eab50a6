"""Every transaction that changes routes or rates makes a version, by whatever hand; each can be read and come back.

Source: decision 0024. What must not enter: what a sensible list is (tests/gateway/versions), HTTP.
"""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from gateway.storage import facts, versions
from gateway.storage.facts import RateRow, RouteRow
from tests.gateway.conftest import CREDIT, Ground


async def add_rate(connection: asyncpg.Connection, prefix: str, price: int) -> None:
    await facts.replace_rate(connection, None, prefix, price)


async def prices(connection: asyncpg.Connection, version: int) -> dict[str, int]:
    return {row.prefix: row.price_micros for row in await versions.rates_of_version(connection, version)}


async def test_each_edit_of_a_rate_is_a_version_and_the_former_ones_are_still_told(ground: Ground) -> None:
    connection = ground.connection
    for prefix, price in (("229", 3), ("33", 4), ("229", 5)):
        await add_rate(connection, prefix, price)
    assert await facts.close_rate(connection, None, "33") == 4

    assert await versions.current_version(connection, "rates") == 4
    assert [await prices(connection, number) for number in range(5)] == [
        {},
        {"229": 3},
        {"229": 3, "33": 4},
        {"229": 5, "33": 4},
        {"229": 5},
    ]


async def test_each_edit_of_a_route_is_a_version_and_what_is_said_twice_is_none(ground: Ground) -> None:
    connection = ground.connection
    (route,) = await facts.load_routes(connection)
    first = await versions.current_version(connection, "routes")
    await facts.enable_route(connection, route.route_id, False)
    await facts.enable_route(connection, route.route_id, False)
    await facts.remove_route(connection, route.route_id)

    assert await versions.current_version(connection, "routes") == first + 2
    told = [await versions.routes_of_version(connection, first + number) for number in range(3)]
    assert told == [[route], [msgspec.structs.replace(route, enabled=False)], []]


async def test_one_transaction_is_one_version_with_its_author(ground: Ground) -> None:
    connection = ground.connection
    async with connection.transaction():
        await versions.note_author(connection, "afi", "new season")
        for prefix in ("229", "33", "225"):
            await add_rate(connection, prefix, 7)
        await add_rate(connection, "229", 8)
    await add_rate(connection, "1", 9)

    (second, first) = await versions.list_versions(connection, "rates", versions.NEWEST, 10)
    assert (first["version"], first["made_by"], first["why"]) == (1, "afi", "new season")
    assert second["made_by"] not in ("", "afi")
    assert await prices(connection, 1) == {"229": 8, "33": 7, "225": 7}


async def test_putting_in_force_changes_what_differs_and_rolling_back_gives_routes_their_numbers(
    ground: Ground,
) -> None:
    connection = ground.connection
    (route,) = await facts.load_routes(connection)
    first = await versions.current_version(connection, "routes")
    dearer = msgspec.structs.replace(route, weight=5, cost_micros=3)
    new = msgspec.structs.replace(route, route_id=versions.NEW, prefix="229", order=1)

    async with connection.transaction():
        applied = await versions.put_in_force(connection, "routes", [dearer, new])
    assert applied == versions.Applied(first + 1, first, 1, 0, 1)
    async with connection.transaction():
        await versions.put_in_force(connection, "routes", [])
    async with connection.transaction():
        old = await versions.routes_of_version(connection, first)
        applied = await versions.put_in_force(connection, "routes", old, equal_to=first)

    assert await facts.load_routes(connection) == [route]
    newest = (await versions.list_versions(connection, "routes", versions.NEWEST, 1))[0]
    assert (newest["version"], newest["equal_to"]) == (applied.version, first)
    async with connection.transaction():
        again = await versions.put_in_force(connection, "routes", old)
    assert again == versions.Applied(applied.version, applied.version, 0, 0, 0)


async def test_rates_put_in_force_touch_only_what_differs(ground: Ground) -> None:
    connection = ground.connection
    for prefix, price in (("229", 3), ("33", 4), ("225", 5)):
        await add_rate(connection, prefix, price)
    before = {row["prefix"]: row["rate_id"] for row in await connection.fetch("SELECT prefix, rate_id FROM rates")}
    wanted = [RateRow(0, None, "229", 3), RateRow(0, None, "33", 9), RateRow(0, ground.account_id, "229", 1)]

    async with connection.transaction():
        applied = await versions.put_in_force(connection, "rates", wanted)

    assert (applied.added, applied.removed, applied.changed) == (1, 1, 1)
    rows = await connection.fetch(
        "SELECT account_id, prefix, price_micros, rate_id FROM rates WHERE replaced_at IS NULL"
    )
    assert {(row["account_id"], row["prefix"], row["price_micros"]) for row in rows} == {
        (None, "229", 3),
        (None, "33", 9),
        (ground.account_id, "229", 1),
    }
    assert before["229"] in {row["rate_id"] for row in rows}


async def test_editors_of_one_kind_wait_for_each_other(ground: Ground) -> None:
    first, second = ground.connection, await ground.connect()
    try:
        begun = first.transaction()
        await begun.start()
        await add_rate(first, "229", 1)
        waiting = asyncio.ensure_future(add_rate(second, "33", 2))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        await begun.commit()
        await waiting
        assert await prices(first, 1) == {"229": 1}
        assert await prices(first, 2) == {"229": 1, "33": 2}
    finally:
        await second.close()


@pytest.mark.parametrize("change", ["activated", "discarded", "changed"])
async def test_who_saw_an_older_draft_changes_nothing(ground: Ground, change: str) -> None:
    connection = ground.connection
    rows = [RateRow(0, None, "229", 5 * CREDIT)]
    draft_id = await versions.add_draft(connection, "rates", 0, "", "afi", rows)
    found = await versions.find_draft(connection, "rates", draft_id)
    assert found is not None
    draft, told = found
    assert told == rows
    if change == "changed":
        assert await versions.change_draft(connection, draft, note="mine")
    else:
        assert await versions.end_draft(connection, draft_id, change, 1 if change == "activated" else None)

    assert not await versions.change_draft(connection, draft, rows=[])
    assert await versions.end_draft(connection, draft_id, "discarded", None) is (change == "changed")
    assert await versions.find_draft(connection, "routes", draft_id) is None


async def test_a_draft_keeps_routes_as_they_are(ground: Ground) -> None:
    rows: list[RouteRow] = await facts.load_routes(ground.connection)
    draft_id = await versions.add_draft(ground.connection, "routes", 1, "", "afi", rows)
    found = await versions.find_draft(ground.connection, "routes", draft_id)
    assert found is not None
    assert found[1] == rows
