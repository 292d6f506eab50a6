"""Typed functions over statements/accounts.sql: accounts as operators see and change them, trees of resellers.

`seen_by` is a reseller's account: accounts below it are there, others are not; None: all of them.
What must not enter: money (gateway.storage.facts and the ledger), who may do what (admin_api).
"""

from __future__ import annotations

import datetime
from typing import Any, Final

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

_SQL = load_statements("accounts.sql")
MOST_LEVELS: Final = (
    5  # chosen: a reseller of resellers of resellers, and his customers; each level is asked for in SQL
)
HISTORY_ROWS: Final = 200  # chosen: of one answer
# Which states an account may be in to be put into another.
FROM_STATES: Final = {"active": ("suspended",), "suspended": ("active",), "closed": ("active", "suspended")}


class AccountShown(msgspec.Struct, frozen=True):
    """An account whole. Rates 0: no limit."""

    account_id: int
    name: str
    state: str
    parent_account_id: int | None
    balance_micros: int
    credit_limit_micros: int
    default_region: str | None
    language: str
    masked_refusals: bool
    tps: int
    per_minute: int
    per_day: int
    created_at: datetime.datetime


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account to be opened, without credit."""

    name: str
    parent_account_id: int | None = None
    default_region: str | None = None
    language: str = "fr"
    tps: int = 0
    per_minute: int = 0
    per_day: int = 0


class AccountFilters(msgspec.Struct, frozen=True):
    """Which accounts. text: somewhere in the name."""

    state: str | None = None
    parent_id: int | None = None
    text: str | None = None


async def list_accounts(
    connection: asyncpg.Connection, seen_by: int | None, after_name: str, filters: AccountFilters, limit: int
) -> list[AccountShown]:
    """Accounts by name after one."""
    words = msgspec.structs.astuple(filters)
    rows = await connection.fetch(_SQL["list_accounts"], seen_by, after_name, *words, limit)
    return [AccountShown(*row) for row in rows]


async def load_account(connection: asyncpg.Connection, seen_by: int | None, account_id: int) -> AccountShown | None:
    """One account, locked against other operators until the transaction ends; holds of credit go on."""
    row = await connection.fetchrow(_SQL["load_account"], seen_by, account_id)
    return None if row is None else AccountShown(*row)


async def open_account(connection: asyncpg.Connection, new: NewAccount) -> int | None:
    """Open an account; None when the name is taken."""
    found: int | None = await connection.fetchval(_SQL["open_account"], *msgspec.structs.astuple(new))
    return found


async def change_account(connection: asyncpg.Connection, account: AccountShown) -> None:
    """Put an account's parent, region, language, wishes and rates of pace as they are here."""
    a = account
    fields = (a.parent_account_id, a.default_region, a.language, a.masked_refusals, a.tps, a.per_minute, a.per_day)
    await connection.execute(_SQL["change_account"], a.account_id, *fields)


async def lock_tree(connection: asyncpg.Connection) -> None:
    """Wait until nobody else changes trees, or prices of accounts in them; theirs until the transaction ends."""
    await connection.execute(_SQL["lock_tree"])


async def fits_below(connection: asyncpg.Connection, parent_id: int, account_id: int | None) -> bool:
    """Whether an account (None: a new one) may stand below another: within MOST_LEVELS, and not below itself."""
    level = int(await connection.fetchval(_SQL["level_of_account"], parent_id))
    depth = 0
    if account_id is not None:
        if parent_id == account_id or await connection.fetchval(_SQL["is_below_account"], account_id, parent_id):
            return False
        depth = int(await connection.fetchval(_SQL["depth_below_account"], account_id))
    return level + 1 + depth <= MOST_LEVELS


async def open_children(connection: asyncpg.Connection, account_id: int) -> int:
    """How many accounts directly below one are not closed."""
    return int(await connection.fetchval(_SQL["open_children"], account_id))


async def load_parents(connection: asyncpg.Connection) -> dict[int, int]:
    """The account above each that has one."""
    rows = await connection.fetch(_SQL["load_parents"])
    return {row["account_id"]: row["parent_account_id"] for row in rows}


async def account_rates(connection: asyncpg.Connection, account_id: int) -> list[asyncpg.Record]:
    """prefix, price_micros, created_at of an account's own prices in force."""
    return list(await connection.fetch(_SQL["account_rates"], account_id))


async def account_history(connection: asyncpg.Connection, account_id: int) -> list[asyncpg.Record]:
    """changed_at, field, former, became of what was changed, newest first."""
    return list(await connection.fetch(_SQL["account_history"], account_id, HISTORY_ROWS))


def audited_account(account: AccountShown) -> dict[str, Any]:
    """An account as the audit log tells it: what operators decide, not what it has."""
    left_out = ("account_id", "balance_micros", "credit_limit_micros", "created_at")
    return {name: value for name, value in msgspec.structs.asdict(account).items() if name not in left_out}
