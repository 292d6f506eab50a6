"""Statistics: what is summed is what a count over the rows gives, however often it was counted and whatever came late.

What must not enter: how fast (tests/bench), how messages come to be (tests/gateway).
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from typing import Any

import asyncpg
import pytest

from gateway.lookups.destinations import destinations
from gateway.storage import facts
from gateway.storage import statistics as rows
from gateway.wall_clock import wall_ms
from telecom.numbers import Number, parse_number
from tests.admin_api.conftest import Api
from tests.admin_api.test_search import MINUTE_MS, store
from tests.eventually import eventually

NUMBERS = ("2290197000001", "2290161000002", "33612345678", "2250701020304", "999123456")
STATES = (*rows.STATES, *sorted(rows.OPEN))
PARTS = ("account", "class", "connector", "country", "day", "hour", "operator")
SINCE_MINUTES = 300


async def store_at_chance(api: Api, accounts: list[int], chance: random.Random, count: int) -> None:
    connection, connectors = api.ground.connection, list(api.ground.connector_ids.values())
    for _ in range(count):
        state = chance.choice(STATES)
        hold = "held" if state in rows.OPEN else chance.choice(("captured", "released"))
        message_id = await store(
            connection,
            chance.choice(accounts),
            chance.randint(1, SINCE_MINUTES),
            connector_id=chance.choice(connectors),
            destination_addr=chance.choice(NUMBERS),
            traffic_class=chance.choice(("otp", "marketing")),
            part_count=chance.randint(1, 3),
            price_micros=chance.randint(0, 5) * 500_000,
            state=state,
            hold=hold,
            final_at_ms=0,
            submitted_at_ms=0,
        )
        submitted = chance.choice((0, 1)) * ((message_id >> 20) + chance.choice((0, 99, 100, 777, 10**6)))
        final = 0 if state in rows.OPEN else (message_id >> 20) + chance.choice((1, 250, 5000, 10**8))
        await connection.execute(
            "UPDATE messages SET submitted_at_ms = $2, final_at_ms = $3 WHERE message_id = $1",
            message_id,
            submitted,
            final,
        )


async def count_all(connection: asyncpg.Connection) -> None:
    """Every hour of these messages, as the job does; which may count at the same time."""
    ask = destinations(await facts.load_number_ranges(connection))
    hour_ms = (wall_ms() - SINCE_MINUTES * MINUTE_MS) // rows.HOUR_MS * rows.HOUR_MS
    while hour_ms <= wall_ms():
        await eventually(lambda at=hour_ms: rows.count_hour(connection, at, ask, wall_ms()), 60, "it is our turn")  # type: ignore[misc]
        hour_ms += rows.HOUR_MS


async def counted_by_hand(
    connection: asyncpg.Connection, by: tuple[str, ...], account_id: int | None
) -> dict[Any, Any]:
    names = {row["connector_id"]: row["name"] for row in await connection.fetch("SELECT * FROM connectors")}
    accounts = {row["account_id"]: row["name"] for row in await connection.fetch("SELECT * FROM accounts")}
    ranges = {row["prefix"]: row["operator"] for row in await connection.fetch("SELECT * FROM number_ranges")}
    sums: dict[Any, rows.Tally] = defaultdict(rows.Tally)
    for row in await connection.fetch("SELECT * FROM messages"):
        if account_id is not None and row["account_id"] != account_id:
            continue
        at_ms, number = row["message_id"] >> 20, parse_number(row["destination_addr"], ton=1)
        openings = [row["destination_addr"][:n] for n in range(15, 0, -1)]
        span_ms = rows.HOUR_MS if "hour" in by else 24 * rows.HOUR_MS
        told = {
            "time": at_ms - at_ms % span_ms if {"hour", "day"} & set(by) else None,
            "account": accounts[row["account_id"]],
            "connector": names[row["connector_id"]],
            "class": row["traffic_class"],
            "country": number.region or "" if isinstance(number, Number) else "",
            "operator": next((ranges[each] for each in openings if each in ranges), ""),
        }
        key = tuple(value if name in by or name == "time" else None for name, value in told.items())
        took = {"submit": row["submitted_at_ms"] - at_ms, "deliver": row["final_at_ms"] - at_ms}
        sums[key].add(
            dict(row)
            | {"messages": 1, "parts": row["part_count"], "is_submitted": row["submitted_at_ms"] > 0}
            | {"submit_width": rows.width_of(took["submit"]) if row["submitted_at_ms"] else None}
            | {"deliver_width": rows.width_of(took["deliver"]) if row["state"] == "delivered" else None}
        )
    return sums


async def read(connection: asyncpg.Connection, by: tuple[str, ...], account_id: int | None) -> dict[Any, Any]:
    asked = rows.Asked(wall_ms() - 2 * SINCE_MINUTES * MINUTE_MS, wall_ms(), by, account_id)
    found = {}
    for row in await rows.read_statistics(connection, asked):
        key = tuple(row[name] for name in ("from_ms", "account", "connector", "traffic_class", "country", "operator"))
        assert key not in found
        found[key] = rows.Tally(*(row[name] for name in rows.Tally.__struct_fields__))
    return found


async def test_sums_are_what_a_count_over_the_rows_gives(api: Api) -> None:
    chance, connection = random.Random(11), api.ground.connection
    other = await facts.add_account(connection, "other", 0, None)
    assert other is not None
    accounts = [api.ground.account_id, other]
    await api.ground.add_carrier("carrier-b")
    for row in (("22901", "616", "02", "MTN"), ("2290161", "616", "03", "Moov"), ("336", "208", "01", "Orange")):
        await connection.execute("INSERT INTO number_ranges (prefix, mcc, mnc, operator) VALUES ($1, $2, $3, $4)", *row)
    await store_at_chance(api, accounts, chance, 120)
    every = [(), *(chance.sample(PARTS, k) for k in range(1, 8) for _ in range(2)), PARTS]
    for turn in range(3):
        for _ in range(turn + 1):  # counting twice changes nothing
            await count_all(connection)
        for by, account_id in itertools.product(every, (None, other)):
            assert await read(connection, tuple(by), account_id) == await counted_by_hand(
                connection, tuple(by), account_id
            )
        # what was open ends, late: the past is corrected
        await connection.execute(
            "UPDATE messages SET state = 'delivered', hold = 'captured', final_at_ms = $1 WHERE message_id IN"
            " (SELECT message_id FROM messages WHERE state IN ('queued', 'submitted', 'in_doubt') ORDER BY 1 LIMIT 12)",
            wall_ms(),
        )
        await store_at_chance(api, accounts, chance, 10)


async def test_an_hour_is_counted_again_while_it_may_change_and_no_more_when_it_is_settled(api: Api) -> None:
    connection, ask = api.ground.connection, destinations([])
    message_id = await store(connection, api.ground.account_id, 180, state="submitted", hold="held", final_at_ms=0)
    hour_ms = (message_id >> 20) // rows.HOUR_MS * rows.HOUR_MS

    async def is_due(now_ms: int) -> bool:
        sql = rows._SQL["due_hours"]
        due = await connection.fetch(sql, hour_ms, now_ms, now_ms, 1000, rows.GRACE_MS)
        return hour_ms in [row["hour_ms"] for row in due]

    async def count() -> None:
        await eventually(lambda: rows.count_hour(connection, hour_ms, ask, wall_ms()), 60, "it is our turn")

    await count()
    assert not await is_due(wall_ms()), "it was counted just now"
    assert await is_due(wall_ms() + rows.HOUR_MS), "one is open"
    await connection.execute("UPDATE messages SET state = 'delivered', hold = 'captured', final_at_ms = $1", wall_ms())
    await count()
    assert not await is_due(wall_ms() + 1000 * rows.HOUR_MS), "it has ended, and nothing is open"


async def test_operators_see_all_and_customers_their_own(api: Api) -> None:
    connection, own = api.ground.connection, api.ground.account_id
    other = await facts.add_account(connection, "other", 0, None)
    assert other is not None
    carrier = api.ground.connector_ids["carrier-a"]
    await store(connection, own, 1, connector_id=carrier)
    await store(connection, own, 1, connector_id=carrier, state="undeliverable", part_states="F")
    await store(connection, other, 1, destination_addr="33612345678")
    await count_all(connection)
    finance = await api.sign_in("finance")
    path = "/v1/admin/statistics"
    by_country = (await finance.ask("GET", f"{path}?by=country")).json
    assert {row["country"]: row["accepted"] for row in by_country["rows"]} == {"BJ": 2, "FR": 1}
    assert by_country["counted_at"] is not None
    (row,) = (await finance.ask("GET", f"{path}?by=account,connector&account_id={own}")).json["rows"]
    assert (row["account"], row["connector"], row["success"], row["failed"]) == ("ours", "carrier-a", 50.0, 1)
    assert row["charged"]["amount"] == "2"
    assert row["to_submit"] == {"p50_ms": 100, "p95_ms": 100, "p99_ms": 100}
    assert row["to_deliver"]["p50_ms"] == 1000
    (mine,) = (await api.ask("GET", "/v1/statistics?by=country,class")).json["rows"]
    assert (mine["country"], mine["class"], mine["accepted"]) == ("BJ", "transactional", 2)
    assert (await api.ask("GET", "/v1/statistics?by=connector")).status == 400, "a way out is not a customer's to see"
    assert (await finance.ask("GET", f"{path}?by=weather", Accept_Language="fr")).status == 400
    assert (await finance.ask("GET", f"{path}?since=2020-01-01T00:00:00Z")).json["code"] == "search_unbounded"
    assert (await (await api.sign_in("reseller", own)).ask("GET", path)).status == 403


@pytest.mark.parametrize(
    ("counts", "share", "bound"),
    [([0] * 16, 0.5, None), ([1] + [0] * 15, 0.99, 100), ([1, 1] + [0] * 14, 0.5, 100), ([0] * 15 + [1], 0.5, None)],
)
def test_a_quantile_is_the_bound_that_so_many_stayed_below(counts: list[int], share: float, bound: int | None) -> None:
    assert rows.quantile_ms(counts, share) == bound
