"""Routes and rates by versions: reading what each said, drafts, and putting a list of rows in force as one transaction.

Every transaction that changes routes or rates makes a version (triggers), by whatever hand. Nodes read what
is in force in one snapshot, so that each works by the old version or by the new one.
What must not enter: whether rows are sensible (gateway.versions), who may change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeVar

import asyncpg
import msgspec

from gateway.storage.facts import RateRow, RouteRow
from gateway.storage.named_statements import load_statements

Kind = Literal["routes", "rates"]
Rows = Sequence[RouteRow] | Sequence[RateRow]
NEWEST: Final = 2**31 - 1  # past every version and draft
AUTHOR_SETTING: Final = "passerelle.by"  # of a connection: who makes versions by it (rule_version)
NEW: Final = 0  # the number of a route that has none yet

_SQL = load_statements("versions.sql")
_ROW_KINDS: Final = {"routes": list[RouteRow], "rates": list[RateRow]}
Row = TypeVar("Row", RouteRow, RateRow)


class DraftRow(msgspec.Struct, frozen=True):
    """A draft as it stands. state: open, activated (as version `became`), discarded. revision: counts its changes."""

    draft_id: int
    kind: Kind
    based_on: int
    state: str
    note: str
    made_by: str
    made_at: object
    changed_at: object
    revision: int
    became: int | None
    row_count: int


class Applied(msgspec.Struct, frozen=True):
    """A list of rows is in force. version: what it became; the former one where nothing was to be changed."""

    version: int
    former: int
    added: int
    removed: int
    changed: int


class NotApplied(msgspec.Struct, frozen=True):
    """Nothing was put in force. told: the version in force, or the draft's revision, that the asker did not see."""

    why: Literal["not_found", "draft_closed", "draft_moved", "version_moved"]
    told: int = 0


async def note_author(connection: asyncpg.Connection, by: str, why: str = "") -> None:
    """Say who makes a version and why, for the rest of this transaction."""
    await connection.execute(_SQL["note_author"], by, why)


async def current_version(connection: asyncpg.Connection, kind: Kind, lock: bool = False) -> int:
    """The version in force, 0 before the first; with lock, nobody else makes one before this transaction ends."""
    found: int | None = await connection.fetchval(_SQL["lock_version" if lock else "current_version"], kind)
    return found or 0


async def list_versions(connection: asyncpg.Connection, kind: Kind, before: int, limit: int) -> list[asyncpg.Record]:
    """version, made_at, made_by, why, equal_to of the versions below one, newest first."""
    return list(await connection.fetch(_SQL["list_versions"], kind, before, limit))


async def has_version(connection: asyncpg.Connection, kind: Kind, version: int) -> bool:
    """Whether there was such a version."""
    found = await list_versions(connection, kind, version + 1, 1)
    return bool(found) and found[0]["version"] == version


async def routes_of_version(connection: asyncpg.Connection, version: int) -> list[RouteRow]:
    """The routes of a version, in the order they are asked."""
    return [RouteRow(*row) for row in await connection.fetch(_SQL["routes_of_version"], version)]


async def rates_of_version(connection: asyncpg.Connection, version: int) -> list[RateRow]:
    """The rates of a version, everybody's first."""
    return [RateRow(*row) for row in await connection.fetch(_SQL["rates_of_version"], version)]


async def rows_of(connection: asyncpg.Connection, kind: Kind, version: int) -> Rows:
    """The rows of a version; 0 has none."""
    read = routes_of_version if kind == "routes" else rates_of_version
    found: Rows = await read(connection, version)
    return found


async def rows_at(connection: asyncpg.Connection, kind: Kind, place: str) -> Rows | None:
    """The rows of a version (`12`) or of a draft (`draft:3`); None: there is no such. Both are numbers below NEWEST."""
    if place.startswith("draft:"):
        found = await find_draft(connection, kind, int(place.removeprefix("draft:")))
        return None if found is None else found[1]
    version = int(place)
    if version and not await has_version(connection, kind, version):
        return None
    return await rows_of(connection, kind, version)


async def page_of_rates(
    connection: asyncpg.Connection, version: int, account_id: int | None, after: tuple[int, str], limit: int
) -> list[RateRow]:
    """The rates of a version after an account (0: everybody's) and prefix; of one account, or of all (None)."""
    found = await connection.fetch(_SQL["page_of_rates"], version, account_id, *after, limit)
    return [RateRow(*row) for row in found]


# ---------------------------------------------------------------- drafts


async def add_draft(
    connection: asyncpg.Connection, kind: Kind, based_on: int, note: str, made_by: str, rows: Rows
) -> int:
    """Begin a draft; its number."""
    content = msgspec.msgpack.encode(rows)
    found: int = await connection.fetchval(_SQL["add_draft"], kind, based_on, note, made_by, len(rows), content)
    return found


async def list_drafts(
    connection: asyncpg.Connection, kind: Kind, open_only: bool, before: int, limit: int
) -> list[DraftRow]:
    """Drafts below a number, newest first."""
    return [DraftRow(*row) for row in await connection.fetch(_SQL["list_drafts"], kind, open_only, before, limit)]


async def find_draft(
    connection: asyncpg.Connection, kind: Kind, draft_id: int, lock: bool = False
) -> tuple[DraftRow, Rows] | None:
    """A draft and its rows; None: there is none of this kind and number."""
    row = await connection.fetchrow(_SQL["lock_draft" if lock else "find_draft"], kind, draft_id)
    if row is None:
        return None
    *fields, content = row
    rows: Rows = msgspec.msgpack.decode(content, type=_ROW_KINDS[kind])
    return DraftRow(*fields), rows


async def change_draft(
    connection: asyncpg.Connection,
    draft: DraftRow,
    *,
    note: str | None = None,
    based_on: int | None = None,
    rows: Rows | None = None,
) -> bool:
    """Change an open draft as it was read; False: somebody else changed or closed it meanwhile."""
    content = None if rows is None else msgspec.msgpack.encode(rows)
    count = None if rows is None else len(rows)
    found = await connection.fetchval(
        _SQL["change_draft"], draft.draft_id, draft.revision, note, based_on, count, content
    )
    return found is not None


async def end_draft(connection: asyncpg.Connection, draft_id: int, state: str, became: int | None) -> bool:
    """Close an open draft as activated or discarded; False: it is closed already."""
    return await connection.fetchval(_SQL["end_draft"], draft_id, state, became) is not None


# ---------------------------------------------------------------- putting in force


async def put_in_force(connection: asyncpg.Connection, kind: Kind, rows: Rows, equal_to: int | None = None) -> Applied:
    """Make the rows in force these, inside the caller's transaction; what is the same already is not touched."""
    former = await current_version(connection, kind, lock=True)
    if kind == "routes":
        counts = await _put_routes(connection, await routes_of_version(connection, former), rows)  # type: ignore[arg-type]  # kind says it
    else:
        counts = await _put_rates(connection, await rates_of_version(connection, former), rows)  # type: ignore[arg-type]  # kind says it
    version = await current_version(connection, kind)
    if equal_to is not None and version != former:
        await connection.execute(_SQL["mark_equal"], kind, version, equal_to)
    return Applied(version, former, *counts)


async def activate_draft(
    connection: asyncpg.Connection, kind: Kind, draft_id: int, revision: int, by: str, why: str
) -> Applied | NotApplied:
    """Put an open draft in force as it was seen, over the version that it was made to replace."""
    found = await find_draft(connection, kind, draft_id, lock=True)
    if found is None:
        return NotApplied("not_found")
    draft, rows = found
    current = await current_version(connection, kind, lock=True)
    if draft.state != "open":
        return NotApplied("draft_closed")
    if draft.revision != revision:
        return NotApplied("draft_moved", draft.revision)
    if draft.based_on != current:
        return NotApplied("version_moved", current)
    await note_author(connection, by, why or draft.note)
    applied = await put_in_force(connection, kind, rows)
    await end_draft(connection, draft_id, "activated", applied.version)
    return applied


async def roll_back(
    connection: asyncpg.Connection, kind: Kind, version: int, seen: int | None, by: str, why: str
) -> Applied | NotApplied:
    """Put an old version in force as a new one. seen: the version in force that the asker saw; None: whichever."""
    current = await current_version(connection, kind, lock=True)
    if not await has_version(connection, kind, version):
        return NotApplied("not_found")
    if seen not in (None, current):
        return NotApplied("version_moved", current)
    await note_author(connection, by, why)
    return await put_in_force(connection, kind, await rows_of(connection, kind, version), equal_to=version)


async def _put_routes(
    connection: asyncpg.Connection, standing: Sequence[RouteRow], wanted: Sequence[RouteRow]
) -> tuple[int, int, int]:
    before = {row.route_id: row for row in standing}
    after = {row.route_id for row in wanted}
    gone = [route_id for route_id in before if route_id not in after]
    await connection.execute(_SQL["remove_routes"], gone)
    added = changed = 0
    for row in wanted:
        values = msgspec.structs.astuple(row)
        if row.route_id == NEW:
            await connection.execute(_SQL["open_route"], *values[1:])
            added += 1
        elif row.route_id not in before:
            await connection.execute(_SQL["restore_route"], *values)
            added += 1
        elif before[row.route_id] != row:
            await connection.execute(_SQL["change_route"], *values)
            changed += 1
    return added, len(gone), changed


async def _put_rates(
    connection: asyncpg.Connection, standing: Sequence[RateRow], wanted: Sequence[RateRow]
) -> tuple[int, int, int]:
    before = {(row.account_id or 0, row.prefix): row.price_micros for row in standing}
    after = {(row.account_id or 0, row.prefix): row.price_micros for row in wanted}
    gone = [key for key, price in before.items() if after.get(key) != price]
    fresh = [(*key, price) for key, price in after.items() if before.get(key) != price]
    changed = sum(key in after for key in gone)
    if gone:
        await connection.execute(_SQL["close_rates"], *map(list, zip(*gone, strict=True)))
    if fresh:
        await connection.execute(_SQL["open_rates"], *map(list, zip(*fresh, strict=True)))
    return len(fresh) - changed, len(gone) - changed, changed


async def sample_messages(
    connection: asyncpg.Connection, first_id: int, until_id: int, each: int
) -> list[asyncpg.Record]:
    """message_id, account_id, source_addr, destination_addr, traffic_class, part_count: of each minute and connector
    the first so many.
    """
    return list(await connection.fetch(_SQL["sample_messages"], first_id, until_id, each))
