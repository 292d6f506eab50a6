"""/v1/admin/accounts/{id}/rates: what an account pays for a part, set by who stands above it; and the margin guard.

Nobody may pay less than the account above him (gateway.accept.margin): the refusal tells each such price with its cost.
What must not enter: everybody's prices, versions and imports of rate cards (/v1/admin/rates).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from admin_api import models_accounts as ma
from admin_api.account_finding import account_of
from admin_api.languages import Words
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from gateway.accept.margin import BelowCost, below_cost
from gateway.storage import accounts as rows
from gateway.storage import facts
from gateway.storage.audit import record
from gateway.webhooks.events import format_time
from telecom.money import format_credits

MOST_TOLD: Final = 20  # chosen: prices below cost that one refusal names


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}/rates."""

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        account = await account_of(connection, call)
        return account if isinstance(account, Problem) else await _answer(connection, account.account_id)

    return await service.writer.run(work)


async def change(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/admin/accounts/{id}/rates."""
    asked: ma.ChangeRates = call.body

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        await rows.lock_tree(connection)
        account = await account_of(connection, call)
        if isinstance(account, Problem):
            return account
        if account.state == "closed":
            return Problem("state_impossible", more={"state": account.state})
        former = {
            row["prefix"]: row["price_micros"] for row in await rows.account_rates(connection, account.account_id)
        }
        await put(connection, account.account_id, asked.rates)
        below = await margin_problem(connection, account.account_id, call)
        if below is not None:
            return below
        before = {rate.prefix: former.get(rate.prefix) for rate in asked.rates}
        after = {rate.prefix: rate.price_micros for rate in asked.rates}
        words = {"action": "account.rates_changed", "subject": f"account:{account.account_id}"}
        await record(connection, call, **words, before=before, after=after, account_id=account.account_id)
        return await _answer(connection, account.account_id)

    return await service.writer.run(work)


async def put(connection: asyncpg.Connection, account_id: int, rates: Sequence[ma.SetRate]) -> None:
    """Prices of an account in force, or ended, in the caller's transaction."""
    for rate in rates:
        if rate.price_micros is None:
            await facts.close_rate(connection, account_id, rate.prefix)
        else:
            await facts.replace_rate(connection, account_id, rate.prefix, rate.price_micros)


async def margin_problem(connection: asyncpg.Connection, account_id: int | None, call: Call) -> Problem | None:
    """What would be sold below cost as rows stand now: by the account above this one to it, and by it to those directly
    below; None for account_id: anywhere. Whoever changes prices or trees asks this last, after lock_tree().
    """
    parents = await rows.load_parents(connection)
    if account_id is not None:
        parents = {child: parent for child, parent in parents.items() if account_id in (child, parent)}
    rates = await facts.load_rates(connection) if parents else []
    found = await asyncio.to_thread(lambda: list(below_cost(rates, parents))) if parents else []  # a card is long
    if not found:
        return None
    names = {row.account_id: row.name for row in await facts.load_accounts(connection)}
    words = "; ".join(_in_words(each, names, "cost") for each in found[:MOST_TOLD])
    mots = "; ".join(_in_words(each, names, "coût") for each in found[:MOST_TOLD])
    return Problem(
        "below_cost", Words(words, mots), more={"below_cost": [_member(each, names) for each in found[:MOST_TOLD]]}
    )


def _in_words(each: BelowCost, names: dict[int, str], cost: str) -> str:
    price, least = format_credits(each.price_micros), format_credits(each.cost_micros)
    return f"{names[each.account_id]}, {each.prefix}: {price} < {cost} {least}"


def _member(each: BelowCost, names: dict[int, str]) -> dict[str, Any]:
    return {
        "account": names[each.account_id],
        "prefix": each.prefix,
        "price": format_credits(each.price_micros),
        "cost": format_credits(each.cost_micros),
    }


async def _answer(connection: asyncpg.Connection, account_id: int) -> Answer:
    found = await rows.account_rates(connection, account_id)
    return Answer(ma.AccountRates([_describe(row) for row in found]))


def _describe(row: asyncpg.Record) -> ma.AccountRate:
    since = format_time(int(row["created_at"].timestamp() * 1000)) or ""
    return ma.AccountRate(row["prefix"], format_credits(row["price_micros"]), since)
