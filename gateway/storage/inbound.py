"""Typed functions over statements/inbound.sql: what handsets send, parts that wait, conversations, opt-outs.

What belongs here: one function a statement, and the tables that a settle batch writes for MO.
What must not enter: whose a message is, when parts are given up, what a word means (gateway.inbound).
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from gateway.message import InboundMessage, InboundPart
from gateway.storage.messages import MESSAGE_SQL
from gateway.storage.named_statements import load_statements

INBOUND_SQL = load_statements("inbound.sql")
OPT_OUTS_CHANNEL = "passerelle_opt_outs"  # schema: trigger tell_nodes_that_opt_outs_changed
INBOUND_CHANNEL = "passerelle_inbound"  # statement owe_inbound; payload: esme_id


def inbound_tables(
    parts: list[InboundPart], opt_outs: list[tuple[Any, ...]], conversations: list[tuple[Any, ...]]
) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Statement and rows of what a settle batch holds of MO; of several words on one row the last counts."""
    if not (parts or opt_outs or conversations):
        return []
    return [
        ("store_inbound_parts", [msgspec.structs.astuple(part) for part in parts]),
        ("store_opt_outs", list({(row[0], row[1]): row for row in opt_outs}.values())),
        ("note_conversations", list({(row[0], row[1]): row for row in conversations}.values())),
    ]


async def note_conversations(connection: asyncpg.Connection, rows: list[tuple[str, str, int, int]]) -> None:
    """Who wrote last to a handset from a shared number (number, handset, account_id, at_ms), by a process that
    settles nothing.
    """
    last = {(row[0], row[1]): row for row in rows}.values()
    await connection.execute(INBOUND_SQL["note_conversations"], *zip(*last, strict=True))


# ---------------------------------------------------------------- parts


async def joinable_parts(connection: asyncpg.Connection, since_ms: int, limit: int) -> list[tuple[int, str]]:
    """connector_id and source of handsets with parts that are complete, or that waited since a time."""
    return [tuple(row) for row in await connection.fetch(INBOUND_SQL["joinable_parts"], since_ms, limit)]


async def waiting_parts(connection: asyncpg.Connection, connector_id: int, source_addr: str) -> list[InboundPart]:
    """The parts of one handset that wait, locked; inside a transaction."""
    found = await connection.fetch(INBOUND_SQL["waiting_parts"], connector_id, source_addr)
    return [InboundPart(*row) for row in found]


async def store_joined(
    connection: asyncpg.Connection, messages: list[InboundMessage], closed: list[tuple[int, int]]
) -> None:
    """Store joined messages, and in which of them each part went (part_id, message_id); inside a transaction."""
    if messages:
        columns = zip(*map(msgspec.structs.astuple, messages), strict=True)
        await connection.execute(MESSAGE_SQL["store_inbound"], *map(list, columns))
    await connection.execute(INBOUND_SQL["close_parts"], [p for p, _ in closed], [m for _, m in closed])


async def forget_old(connection: asyncpg.Connection, parts_before_ms: int, conversations_before_ms: int) -> None:
    """Forget delivered parts and conversations older than these times."""
    await connection.execute(INBOUND_SQL["forget_parts"], parts_before_ms)
    await connection.execute(INBOUND_SQL["forget_conversations"], conversations_before_ms)


async def find_conversations(
    connection: asyncpg.Connection, pairs: list[tuple[str, str]], since_ms: int
) -> dict[tuple[str, str], int]:
    """account_id by (number, handset): who wrote last since a time."""
    numbers, handsets = [number for number, _ in pairs], [handset for _, handset in pairs]
    found = await connection.fetch(INBOUND_SQL["find_conversations"], numbers, handsets, since_ms)
    return {(row["number"], row["handset"]): row["account_id"] for row in found}


# ---------------------------------------------------------------- opt-outs


class OptOutChange(msgspec.Struct, frozen=True, gc=False):
    """What a person's last word to an account is."""

    account_id: int
    number: str
    opted_out: bool


async def read_opt_outs(connection: asyncpg.Connection, since: str | None) -> tuple[list[OptOutChange], str]:
    """All opt-outs (since None), or what changed since the mark of the former call; and the mark of this one."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        mark: str = await connection.fetchval(INBOUND_SQL["oldest_open_transaction"])
        if since is None:
            rows = await connection.fetch(INBOUND_SQL["load_opt_outs"])
        else:
            rows = await connection.fetch(INBOUND_SQL["changed_opt_outs"], since)
    return [OptOutChange(*row) for row in rows], mark


async def list_opt_outs(connection: asyncpg.Connection, account_id: int | None, limit: int) -> list[asyncpg.Record]:
    """account, number, opted_out, word, at_ms, newest first."""
    return await connection.fetch(INBOUND_SQL["list_opt_outs"], account_id, limit)


async def store_opt_out(connection: asyncpg.Connection, change: OptOutChange, word: str, at_ms: int) -> None:
    """An operator writes down what a person said another way."""
    await connection.execute(
        INBOUND_SQL["write_opt_out"], change.account_id, change.number, change.opted_out, word, at_ms
    )


async def claim_answers(
    connection: asyncpg.Connection, words: list[tuple[int, str, str]], now_ms: int, before_ms: int
) -> set[tuple[int, str, str]]:
    """Which of these words (account_id, number, meaning; each once) the caller may answer: nobody did since then."""
    columns = map(list, zip(*words, strict=True))
    found = await connection.fetch(INBOUND_SQL["claim_answers"], *columns, now_ms, before_ms)
    return {tuple(row) for row in found}


# ---------------------------------------------------------------- what operators do


class NewInboundRoute(msgspec.Struct, frozen=True):
    """A route to add; the meaning of the fields is facts.InboundRouteRow's."""

    order: int
    address: str
    is_prefix: bool
    keyword: str | None
    account_id: int
    esme_id: int


async def add_inbound_route(connection: asyncpg.Connection, route: NewInboundRoute) -> int | None:
    """Add a route; its route_id, or None when its place (number, keyword, order) is taken."""
    found: int | None = await connection.fetchval(INBOUND_SQL["add_inbound_route"], *msgspec.structs.astuple(route))
    return found


async def list_inbound_routes(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """route_id, address, is_prefix, keyword, order, account, system_id."""
    return await connection.fetch(INBOUND_SQL["list_inbound_routes"])


async def remove_inbound_route(connection: asyncpg.Connection, route_id: int) -> bool:
    """Take a route away; False when there is none of this id."""
    return await connection.fetchval(INBOUND_SQL["remove_inbound_route"], route_id) is not None


async def set_language(connection: asyncpg.Connection, account_id: int, language: str) -> None:
    """The language (fr, en) in which an account's subscribers are answered."""
    await connection.execute(INBOUND_SQL["set_language"], account_id, language)


async def set_long_inbound(connection: asyncpg.Connection, esme_id: int, how: str) -> None:
    """Whether a login gets long messages joined or in parts."""
    await connection.execute(INBOUND_SQL["set_long_inbound"], esme_id, how)


async def set_alphabet(connection: asyncpg.Connection, esme_id: int, alphabet: str) -> None:
    """What a login means by data_coding 0."""
    await connection.execute(INBOUND_SQL["set_alphabet"], esme_id, alphabet)


async def list_inbound(
    connection: asyncpg.Connection, account_id: int | None, unrouted: bool, before_id: int, limit: int
) -> list[asyncpg.Record]:
    """The newest messages from handsets before an id."""
    return await connection.fetch(INBOUND_SQL["list_inbound"], account_id, unrouted, before_id, limit)


async def reroute_inbound(
    connection: asyncpg.Connection, message_id: int, account_id: int, esme_id: int, why: str, now_ms: int, until_ms: int
) -> bool:
    """Give a stored message that nobody got to an ESME, and tell nodes; False when there is no such message."""
    async with connection.transaction():
        if await connection.fetchval(INBOUND_SQL["reroute_inbound"], message_id, account_id, esme_id, why) is None:
            return False
        await connection.execute(INBOUND_SQL["owe_inbound"], esme_id, account_id, message_id, now_ms, until_ms)
    return True
