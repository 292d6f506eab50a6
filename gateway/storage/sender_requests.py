"""Typed functions over statements/sender_requests.sql: sender names asked for and decided, and protected names.

What belongs here: one function a step, each inside the transaction of its caller; what may follow what is asked of
gateway.sender_states. An approval reaches living nodes by the trigger of sender_names.
What must not enter: who may decide (admin_api), what a proof is (admin_api.sender_proofs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from gateway.look_alikes import ProtectedName, resembled
from gateway.sender_states import SenderEvent, SenderState, next_state
from gateway.storage.named_statements import load_statements

MOST_REQUESTED: Final = 50  # chosen: names of one account that wait for a decision
MOST_PROOFS: Final = 5  # chosen: papers of one name
PROOF_OCTETS: Final = 5 * 1024 * 1024  # chosen: a few scanned pages; schema: sender_proofs
LAST_ID: Final = 2**31 - 1

_SQL = load_statements("sender_requests.sql")


class SenderRequest(msgspec.Struct, frozen=True):
    """What an account asks for. countries: ISO 3166 alpha-2; empty: everywhere."""

    account_id: int
    name: str
    countries: list[str]
    traffic_class: str | None
    purpose: str
    sample: str


class Approval(msgspec.Struct, frozen=True):
    """What an approval says: in these countries and over these connectors only (empty: all), until then (0: without
    end). Of other decisions it says nothing.
    """

    in_countries: list[str] = []
    by_connectors: list[int] = []
    until_ms: int = 0


class Asked(msgspec.Struct, frozen=True):
    """What became of a request. state: the one that forbids it; too_many: names that wait already; else it waits."""

    sender_name_id: int = 0
    resembles: str = ""
    state: SenderState | None = None
    too_many: bool = False


class Moved(msgspec.Struct, frozen=True):
    """A sender name before and after an event. after None: the event is not permitted in the state before."""

    account_id: int
    name: str
    before: SenderState
    after: SenderState | None


async def lock_account(connection: asyncpg.Connection, account_id: int) -> None:
    """One request of an account at a time, until the transaction ends: so that counts stay within their limits."""
    await connection.execute(_SQL["lock_requests"], account_id)


async def request_sender(connection: asyncpg.Connection, asked: SenderRequest, asked_by: str) -> Asked:
    """Ask for a name, or again for one that was refused or withdrawn; it is compared with protected ones."""
    await lock_account(connection, asked.account_id)
    found = await connection.fetchrow(_SQL["find_by_name"], asked.account_id, asked.name)
    if found is not None and next_state(found["state"], "request") is None:
        return Asked(found["sender_name_id"], state=found["state"])
    if await connection.fetchval(_SQL["count_requested"], asked.account_id) >= MOST_REQUESTED:
        return Asked(too_many=True)
    resembles = await find_resembled(connection, asked.name, asked.countries)
    what = (asked.countries, asked.traffic_class, asked.purpose, asked.sample, resembles)
    if found is None:
        number = await connection.fetchval(_SQL["add_request"], asked.account_id, asked.name, *what)
    else:
        number = found["sender_name_id"]
        await connection.execute(_SQL["renew_request"], asked.account_id, number, *what)
    await _note(connection, number, "request", "requested", asked_by, "", Approval(), "")
    return Asked(number, resembles)


async def find_resembled(connection: asyncpg.Connection, name: str, countries: Sequence[str]) -> str:
    """The protected name of these countries (of none: of all) that a name looks like; empty: none."""
    rows = await connection.fetch(_SQL["load_protected_names"], list(countries))
    found = resembled(name, [ProtectedName(*row) for row in rows])
    return "" if found is None else found.name


async def lock_sender_name(
    connection: asyncpg.Connection, account_id: int | None, sender_name_id: int
) -> asyncpg.Record | None:
    """sender_name_id, account_id, name, state, held for a decision; None: there is none (of this account)."""
    return await connection.fetchrow(_SQL["lock_sender_name"], account_id, sender_name_id)


async def lock_sender_by_name(connection: asyncpg.Connection, account_id: int, name: str) -> asyncpg.Record | None:
    """The same by name, as it was registered."""
    return await connection.fetchrow(_SQL["lock_sender_by_name"], account_id, name)


async def move_sender_name(
    connection: asyncpg.Connection,
    locked: asyncpg.Record,
    event: SenderEvent,
    asked_by: str,
    reason: str = "",
    approval: Approval | None = None,
    despite: str = "",
) -> Moved:
    """Let an event happen to a name that lock_sender_name holds, if its state permits."""
    after = next_state(locked["state"], event)
    if after is not None:
        terms = approval or Approval()
        number = locked["sender_name_id"]
        await connection.execute(_SQL["move_sender_name"], number, after, reason, *msgspec.structs.astuple(terms))
        await _note(connection, number, event, after, asked_by, reason, terms, despite)
    return Moved(locked["account_id"], locked["name"], locked["state"], after)


async def _note(
    connection: asyncpg.Connection,
    sender_name_id: int,
    event: SenderEvent,
    state: SenderState,
    asked_by: str,
    reason: str,
    terms: Approval,
    despite: str,
) -> None:
    what = (sender_name_id, event, state, asked_by, reason, *msgspec.structs.astuple(terms), despite)
    await connection.execute(_SQL["note_sender_event"], *what)


async def page_of_sender_names(
    connection: asyncpg.Connection,
    account_id: int | None,
    state: str | None,
    before_id: int,
    limit: int,
    resembling: bool = False,
) -> list[asyncpg.Record]:
    """Sender names of an account (None: of all) below an id, newest first."""
    asked = (account_id, state, resembling, before_id, limit)
    return await connection.fetch(_SQL["page_of_sender_names"], *asked)


async def find_sender_name(
    connection: asyncpg.Connection, account_id: int | None, sender_name_id: int
) -> asyncpg.Record | None:
    """One sender name, as in a page."""
    page = await page_of_sender_names(connection, account_id, None, sender_name_id + 1, 1)
    return page[0] if page and page[0]["sender_name_id"] == sender_name_id else None


async def add_proof(
    connection: asyncpg.Connection, account_id: int, sender_name_id: int, file_name: str, kind: str, content: bytes
) -> int | None:
    """Store a paper; its proof_id, None when the name has MOST_PROOFS, or is not this account's."""
    digest = hashlib.sha256(content).digest()
    what = (account_id, sender_name_id, file_name, kind, content, digest, MOST_PROOFS)
    found: int | None = await connection.fetchval(_SQL["add_proof"], *what)
    return found


async def list_proofs(connection: asyncpg.Connection, ids: list[int]) -> dict[int, list[asyncpg.Record]]:
    """proof_id, file_name, kind, octets, sha256, created_at of the papers of each of these names."""
    found: dict[int, list[asyncpg.Record]] = {}
    for row in await connection.fetch(_SQL["list_proofs"], ids) if ids else ():
        found.setdefault(row["sender_name_id"], []).append(row)
    return found


async def fetch_proof(
    connection: asyncpg.Connection, account_id: int | None, sender_name_id: int, proof_id: int
) -> asyncpg.Record | None:
    """file_name, kind, content of one paper."""
    return await connection.fetchrow(_SQL["fetch_proof"], account_id, sender_name_id, proof_id)


async def sender_name_history(connection: asyncpg.Connection, sender_name_id: int) -> list[asyncpg.Record]:
    """at, event, state, asked_by, reason, in_countries, by_connectors, until_ms, despite, oldest first."""
    return await connection.fetch(_SQL["sender_name_history"], sender_name_id)


# ---------------------------------------------------------------- protected names


class NewProtectedName(msgspec.Struct, frozen=True):
    """A name to protect in a country. kind: bank, operator, wallet, authority, other."""

    name: str
    country: str
    kind: str
    whole_only: bool
    source: str


async def list_protected_names(connection: asyncpg.Connection, country: str | None) -> list[asyncpg.Record]:
    """protected_name_id, name, country, kind, whole_only, source, created_at of a country's, or of all (None)."""
    return await connection.fetch(_SQL["list_protected_names"], country)


async def add_protected_name(connection: asyncpg.Connection, new: NewProtectedName) -> int | None:
    """Protect a name; its id, None when it is protected there already."""
    found: int | None = await connection.fetchval(_SQL["add_protected_name"], *msgspec.structs.astuple(new))
    return found


async def remove_protected_name(connection: asyncpg.Connection, protected_name_id: int) -> asyncpg.Record | None:
    """Protect a name no more; what it was, None when there is none of this id."""
    return await connection.fetchrow(_SQL["remove_protected_name"], protected_name_id)
