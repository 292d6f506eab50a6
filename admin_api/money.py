"""GET /v1/balance and /v1/ledger: what an account has, and every posting behind it.

Source: promise P3: the balance is the sum of its postings, so customers may add them up themselves.
What must not enter: moving money.
"""

from __future__ import annotations

import datetime
from typing import Final

import asyncpg

from admin_api.message_reading import BAD_CURSOR
from admin_api.messages import format_time
from admin_api.models_money import Balance, ListPostings, Posting, Postings, format_credits
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.storage import api_messages
from gateway.storage.inspection import MESSAGE_ID_LIMIT

LIST: Final = "postings"


async def show_balance(service: Service, call: Call) -> Answer | Problem:
    """As the database has it now."""
    balance, limit = await service.reader.run(lambda c: api_messages.balance(c, call.account_id))
    return Answer(Balance(format_credits(balance), format_credits(limit), format_credits(balance + limit)))


async def show_ledger(service: Service, call: Call) -> Answer | Problem:
    """A page of postings, newest first."""
    asked: ListPostings = call.query
    before_id = MESSAGE_ID_LIMIT
    if asked.cursor is not None:
        place = service.cursors.read(call.account_id, LIST, asked.kind, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place
    rows = await service.reader.run(
        lambda c: api_messages.page_of_postings(c, call.account_id, before_id, asked.kind, asked.limit)
    )
    cursor = None
    if len(rows) == asked.limit:
        cursor = service.cursors.make(call.account_id, LIST, asked.kind, rows[-1]["posting_id"])
    return Answer(Postings([describe_posting(row) for row in rows], cursor))


def describe_posting(row: asyncpg.Record) -> Posting:
    """A posting as people read it."""
    return Posting(
        id=str(row["posting_id"]),
        kind=row["kind"],
        from_purse=row["from_purse"],
        to_purse=row["to_purse"],
        amount=format_credits(row["amount_micros"]),
        at=format_time(_unix_ms(row["posted_at"])),
        messages=row["message_count"],
        reason=row["reason"],
    )


def _unix_ms(time: datetime.datetime) -> int:
    return int(time.timestamp() * 1000)
