"""The account that an operators' path names, if this operator may see it.

A reseller's user sees the accounts below his own; one of another tree is unknown to him, as one that never was.
What must not enter: what is done with it.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from admin_api.problems import Problem
from admin_api.service import Call
from admin_api.signing_in import parse_id
from gateway.storage.accounts import AccountShown, load_account

HIGHEST_ID: Final = 2**31 - 1  # PostgreSQL, integer


async def account_of(connection: asyncpg.Connection, call: Call) -> AccountShown | Problem:
    """The account of the path's {id}, locked until the transaction ends; or that there is none."""
    account_id = parse_id(call.path["id"])
    if account_id is None or account_id > HIGHEST_ID:
        return Problem("not_found")
    return await load_account(connection, call.operator.account_id, account_id) or Problem("not_found")
