"""/v1/admin/audit: what operators changed, newest first.

A cursor is bound to its user and his filters. A reseller would see the rows of accounts below his own alone.
What must not enter: writing rows (gateway.storage.audit), the check of the chain (`passerelle audit verify`).
"""

from __future__ import annotations

import datetime
from typing import Final

import asyncpg
import msgspec

from admin_api.message_reading import BAD_CURSOR
from admin_api.models_operators import AuditEntry, AuditPage, ListAudit
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.storage.audit import HIGHEST_SEQ, list_audit
from gateway.webhooks.events import format_time

LIST: Final = "audit"


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/audit."""
    asked: ListAudit = call.query
    chosen = {
        "user": asked.user,
        "action": asked.action,
        "subject": asked.subject,
        "account_id": None if asked.account_id is None else int(asked.account_id),
        "since_ms": _ms(asked.since),
        "until_ms": _ms(asked.until),
        "below_account": call.operator.account_id,
    }
    before_seq = HIGHEST_SEQ
    if asked.cursor is not None:
        place = service.cursors.read(-call.operator.user_id, LIST, chosen, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_seq = place
    rows = await service.writer.read(lambda c: list_audit(c, before_seq, asked.limit, **chosen))  # type: ignore[arg-type]  # by name
    following = None
    if len(rows) == asked.limit:
        following = service.cursors.make(-call.operator.user_id, LIST, chosen, rows[-1]["seq"])
    return Answer(AuditPage([_describe(row) for row in rows], following))


def _ms(time: datetime.datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)


def _describe(row: asyncpg.Record) -> AuditEntry:
    return AuditEntry(
        seq=str(row["seq"]),
        at=format_time(row["at_ms"]) or "",
        user_id=str(row["user_id"]),
        user=row["user_name"],
        role=row["role"],
        action=row["action"],
        subject=row["subject"],
        account_id=None if row["account_id"] is None else str(row["account_id"]),
        address=row["address"],
        request_id=row["request_id"],
        before=msgspec.Raw(row["before"].encode()),
        after=msgspec.Raw(row["after"].encode()),
    )
