"""The margin guard for commands that change prices: nobody pays less than the account above him.

What belongs here: looking after the change, inside its transaction, and the refusal that undoes it.
What must not enter: the rule (gateway.accept.margin), SQL.
"""

from __future__ import annotations

import asyncpg

from gateway.accept.margin import below_cost
from gateway.command_line.amounts import format_credits
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.storage import accounts, facts


async def refuse_below_cost(connection: asyncpg.Connection) -> None:
    """Raise Refusal where prices as they stand now would let an account pay less than the one above it. The caller took
    accounts.lock_tree before it changed anything.
    """
    parents = await accounts.load_parents(connection)
    found = next(below_cost(await facts.load_rates(connection), parents), None) if parents else None
    if found is None:
        return
    names = {row.account_id: row.name for row in await facts.load_accounts(connection)}
    raise Refusal(
        say(
            "account {name} would pay {price} credits a part to {to}, account {above} above it {cost}",
            name=names[found.account_id],
            price=format_credits(found.price_micros),
            to=found.prefix,
            above=names[found.parent_id],
            cost=format_credits(found.cost_micros),
        ),
        say("set the price of {name} first: passerelle rate add --account {name}", name=names[found.account_id]),
    )
