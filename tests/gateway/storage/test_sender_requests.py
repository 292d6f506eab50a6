"""Sender names as rows: the starting pack of protected names, decisions that states permit, what nodes are told of.

What must not enter: HTTP (tests/admin_api), what looks like what (tests/gateway/accept).
"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.sender_states import SenderEvent
from gateway.storage import facts
from gateway.storage import sender_requests as rows
from gateway.storage.facts import FACTS_CHANNEL


@pytest.mark.parametrize("country", ["BJ", "CI", "SN", "TG", "FR"])
async def test_the_starting_pack_has_every_kind_with_its_source(connection: asyncpg.Connection, country: str) -> None:
    pack = await rows.list_protected_names(connection, country)

    assert {row["kind"] for row in pack} == {"bank", "operator", "wallet", "authority"}
    assert all(row["source"] for row in pack)
    assert len(pack) >= 20


@pytest.mark.parametrize(
    ("name", "countries", "original"),
    [
        ("0RANGE M0NEY", ["CI"], "Orange Money"),
        ("M00V", [], "Moov"),
        ("ECOBANCK", ["TG"], "Ecobank"),
        ("BNP-PARIBAS", ["FR"], "BNP Paribas"),
        ("ORANGE MONEY", ["BJ"], ""),  # no such network there
        ("LA MAISON", [], ""),
        ("SALON WAVE", [], ""),
        ("FREE WIFI", [], ""),
        ("PHARMACIE", [], ""),
        ("BOUTIQUE", [], ""),
        ("JUSTICIA", [], ""),
        ("MOTO-TAXI", [], ""),
        ("UNIV LOME", [], ""),
        ("SOS", [], ""),
        ("CLINIQUE", [], ""),
    ],
)
async def test_the_pack_knows_imitations_and_leaves_ordinary_names_in_peace(
    connection: asyncpg.Connection, name: str, countries: list[str], original: str
) -> None:
    assert await rows.find_resembled(connection, name, countries) == original


async def asked_name(connection: asyncpg.Connection) -> tuple[int, int]:
    """An account, and the number of a name it asked for."""
    account_id = await facts.add_account(connection, "shop", 0, None)
    assert account_id is not None
    request = rows.SenderRequest(account_id, "BELLA", [], None, "our shop", "Soldes")
    return account_id, (await rows.request_sender(connection, request, "key x")).sender_name_id


async def move(connection: asyncpg.Connection, number: int, event: SenderEvent) -> rows.Moved:
    async with connection.transaction():
        locked = await rows.lock_sender_name(connection, None, number)
        assert locked is not None
        return await rows.move_sender_name(connection, locked, event, "operator y", "why")


async def test_what_a_state_forbids_changes_nothing(connection: asyncpg.Connection) -> None:
    _, number = await asked_name(connection)
    assert (await move(connection, number, "suspend")).after == "suspended"
    assert (await move(connection, number, "withdraw")).after is None

    row = await rows.find_sender_name(connection, None, number)
    assert row is not None
    assert (row["state"], row["reason"]) == ("suspended", "why")
    assert [each["event"] for each in await rows.sender_name_history(connection, number)] == ["request", "suspend"]


async def test_nodes_are_told_of_names_in_use_and_of_no_request(connection: asyncpg.Connection, database: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = await asyncpg.connect(database)
    try:
        await listening.add_listener(FACTS_CHANNEL, lambda *told: heard.put_nowait(told[3]))
        account_id, number = await asked_name(connection)
        await move(connection, number, "refuse")
        await move(connection, number, "approve")
        async with asyncio.timeout(30):
            told = [await heard.get(), await heard.get()]
        assert told == ["accounts", "sender_names"]
        assert heard.empty()
        loaded = await facts.load_facts(connection)
        assert [(each.account_id, each.name) for each in loaded.sender_names] == [(account_id, "BELLA")]
    finally:
        await listening.close()
