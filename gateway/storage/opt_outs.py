"""Typed functions over statements/opt_outs.sql: opt-outs and blocks as people at desks write and read them.

Nodes take opt-outs up row by row (storage.inbound.read_opt_outs), blocks with the other facts (storage.facts).
What must not enter: what a handset's STOP means, who may write what.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

Place = tuple[Any, ...]  # at_ms, account_id, number
NEWEST: Final[Place] = ((1 << 63) - 1, 2**31 - 1, "~")  # after every row: numbers are digits

_SQL = load_statements("opt_outs.sql")


class OptOutWord(msgspec.Struct, frozen=True):
    """What is written down, of whom. source: handset, customer, operator; proof: how the person said so."""

    account_id: int
    source: str
    word: str
    proof: str
    at_ms: int


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which opt-outs; None: whatever it is."""

    account_id: int | None = None
    number: str | None = None
    opted_out: bool | None = None


async def add_opt_outs(connection: asyncpg.Connection, word: OptOutWord, numbers: list[str]) -> int:
    """Write down that numbers want to hear no more from an account; how many did not say so before."""
    what = (word.account_id, numbers, word.word, word.at_ms, word.source, word.proof)
    return len(await connection.fetch(_SQL["add_opt_outs"], *what))


async def end_opt_out(connection: asyncpg.Connection, word: OptOutWord, number: str) -> bool:
    """Write down that somebody wants to hear from an account again; False: he never said otherwise."""
    what = (word.account_id, number, word.word, word.at_ms, word.source, word.proof)
    return await connection.fetchval(_SQL["end_opt_out"], *what) is not None


async def page_of_opt_outs(
    connection: asyncpg.Connection, chosen: Chosen, before: Place, limit: int
) -> list[asyncpg.Record]:
    """account_id, account, number, opted_out, word, at_ms, source, proof, newest first, before a place."""
    return await connection.fetch(_SQL["page_of_opt_outs"], *msgspec.structs.astuple(chosen), *before, limit)


def place_of(row: asyncpg.Record) -> Place:
    """Where a page that ends with this row goes on."""
    return (row["at_ms"], row["account_id"], row["number"])


async def page_of_blocks(
    connection: asyncpg.Connection,
    account_id: int | None,
    number: str | None,
    removed: bool,
    before_id: int,
    limit: int,
) -> list[asyncpg.Record]:
    """block_id, prefix, kind, account_id, account, reason, created_at, removed_at, consent, newest first."""
    return await connection.fetch(_SQL["page_of_blocks"], account_id, number, removed, before_id, limit)
