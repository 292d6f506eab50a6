"""Facts as rows: what is written is what a node loads, money moves only by postings, and nodes are told.

What belongs here: the statements of facts.sql against a real PostgreSQL. What must not enter: the command line.
"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.storage import facts
from tests.gateway.storage.stored_messages import prepare_ground


async def test_a_top_up_moves_balance_and_ledger_together(connection: asyncpg.Connection) -> None:
    account_id = await facts.add_account(connection, "demo", 0, None)
    assert account_id is not None
    assert await facts.top_up(connection, account_id, 2_500_000, "cash") == 2_500_000
    assert await facts.top_up(connection, account_id, 1, "more") == 2_500_001
    legs = await connection.fetch("SELECT purse, sum(amount_micros)::bigint AS sum FROM ledger_legs GROUP BY 1")
    assert dict(legs) == {"available": 2_500_001, "funding": -2_500_001}


async def test_a_top_up_of_nobody_posts_nothing(connection: asyncpg.Connection) -> None:
    with pytest.raises((LookupError, asyncpg.ForeignKeyViolationError)):
        await facts.top_up(connection, 77, 1, "cash")
    assert await connection.fetchval("SELECT count(*) FROM ledger") == 0


async def test_names_that_are_taken_add_nothing(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    assert await facts.add_account(connection, "demo", 0, None) is None
    again = facts.NewEsme("demo", ground.account_id, "x", 10, 100, 0, [], "otp")
    assert await facts.add_esme(connection, again) is None
    assert await facts.add_sender_name(connection, ground.account_id, "ACME", "requested")
    assert not await facts.add_sender_name(connection, ground.account_id, "ACME", "approved")
    assert await facts.ensure_connector(connection, "carrier-a", "smpp") == ground.connector_id
    assert await facts.add_inbound_number(connection, "8080", ground.account_id, ground.esme_id)
    assert not await facts.add_inbound_number(connection, "8080", ground.account_id, ground.esme_id)
    assert await facts.add_block(connection, None, "229", "opt_out", "asked") is not None
    assert await facts.add_block(connection, None, "229", "opt_out", "asked again") is None
    assert await facts.add_block(connection, ground.account_id, "229", "opt_out", "asked") is not None


async def test_a_rate_replaces_the_one_in_force_and_keeps_it_as_history(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    assert await facts.replace_rate(connection, None, "*", 1_000_000) is None
    assert await facts.replace_rate(connection, None, "*", 2_000_000) == 1_000_000
    assert await facts.replace_rate(connection, ground.account_id, "*", 3_000_000) is None
    in_force = (await facts.load_facts(connection)).rates
    assert {(rate.account_id, rate.price_micros) for rate in in_force} == {
        (None, 2_000_000),
        (ground.account_id, 3_000_000),
    }
    assert len(await facts.list_rates(connection, history=True)) == 3


async def test_load_facts_gives_all_rows_of_one_instant(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    await facts.add_sender_name(connection, ground.account_id, "ACME", "approved")
    await facts.add_sender_name(connection, ground.account_id, "LATER", "requested")
    prefix = facts.NewRoute(10, "229", None, None, None, "ACME", "otp", [480, 1200, 1920, 2640], ground.connector_id, 3)
    network = facts.NewRoute(20, None, "616", None, ground.account_id, None, None, [], ground.connector_id, 1)
    for route in (network, prefix):
        await facts.add_route(connection, route)
    await facts.add_number_range(connection, "22990", "616", "03", "MTN")
    await facts.add_number_range(connection, "22990", "616", "04", "MTN Benin")
    await facts.add_block(connection, None, "2299", "destination", "law")
    await facts.add_inbound_number(connection, "8080", ground.account_id, ground.esme_id)
    rows = await facts.load_facts(connection)
    assert [account.balance_micros for account in rows.accounts] == [1_000_000_000]
    assert [esme.system_id for esme in rows.esmes] == ["demo"]
    assert rows.sender_names == [facts.SenderNameRow(ground.account_id, "ACME")]
    assert rows.connectors == [facts.ConnectorRow(ground.connector_id, "carrier-a", "smpp")]
    assert [(route.match, route.window) for route in rows.routes] == [
        ("229", ((480, 1200), (1920, 2640))),
        ("616/*", None),
    ]
    assert rows.number_ranges == [facts.NumberRangeRow("22990", "616", "04", "MTN Benin")]
    assert [(block.prefix, block.reason) for block in rows.blocks] == [("2299", "law")]
    assert rows.inbound_numbers == [facts.InboundNumberRow("8080", ground.account_id, ground.esme_id)]


async def test_a_removed_route_is_gone(connection: asyncpg.Connection) -> None:
    ground = await prepare_ground(connection)
    new = facts.NewRoute(10, "*", None, None, None, None, None, [], ground.connector_id, 1)
    route_id = await facts.add_route(connection, new)
    assert await facts.remove_route(connection, route_id)
    assert not await facts.remove_route(connection, route_id)
    assert await facts.load_routes(connection) == []


async def test_living_nodes_are_told_of_a_changed_fact_and_not_of_a_changed_balance(database: str) -> None:
    listener, writer = await asyncpg.connect(database), await asyncpg.connect(database)
    told: asyncio.Queue[object] = asyncio.Queue()
    try:
        await listener.add_listener(facts.FACTS_CHANNEL, lambda *heard: told.put_nowait(heard[3]))
        account_id = await facts.add_account(writer, "demo", 0, None)
        assert account_id is not None
        async with asyncio.timeout(60):
            assert await told.get() == "accounts"
            await facts.top_up(writer, account_id, 1, "cash")
            await facts.ensure_connector(writer, "carrier-a", "smpp")
            assert await told.get() == "connectors"
    finally:
        await listener.close()
        await writer.close()
