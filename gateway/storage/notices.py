"""Typed functions over statements/notices.sql: telling, addressing and sending notices, and who wants them.

What belongs here: `tell`, which any room calls inside the transaction of what happened; one function a statement.
What must not enter: words and letters (gateway/notices), the table of events (gateway/notice_events.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg
import msgspec

from gateway.notice_events import NOTICE_EVENTS, check_notice
from gateway.storage.named_statements import load_statements

NOTICES_CHANNEL: Final = "passerelle_notices"  # schema: trigger notices_told

_SQL = load_statements("notices.sql")


async def tell(
    connection: asyncpg.Connection,
    *,
    event: str,
    account_id: int | None,
    facts: Mapping[str, str | int],
    once: str | None = None,
) -> int | None:
    """Write a notice into the outbox, in the caller's transaction: with it, or not at all; the notice's id.

    facts: exactly those of the event's row in NOTICE_EVENTS (credits in micro-units, times in Unix milliseconds).
    once: with the same word nothing is told a second time (None is returned). Raises NoticeFault: our own fault.
    """
    given = msgspec.json.encode(check_notice(event, account_id, facts)).decode()
    is_for_account = NOTICE_EVENTS[event].audience == "account"
    found: int | None = await connection.fetchval(_SQL["tell"], event, account_id, given, once, is_for_account)
    return found
