"""/v1/admin/sender-names and /v1/admin/protected-names: operators review what customers ask for, and decide.

A name that looks like a protected one is approved by who holds senders.override, and says why, alone. A decision, its
history, its notice and its audit row are one transaction; living nodes hear of it by the trigger of sender_names.
What must not enter: which event may follow which state (gateway.sender_states), what looks alike (gateway.look_alikes).
"""

from __future__ import annotations

from typing import Final

import asyncpg

from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.messages import format_time
from admin_api.models_operator_senders import (
    ApproveSender,
    ListProtected,
    ListReview,
    ProtectedNames,
    ProtectedNameShown,
    ProtectName,
    Reasoned,
    ReviewedSender,
    ReviewedSenders,
    SenderEntry,
)
from admin_api.problems import Fault, Problem
from admin_api.reading import read_number
from admin_api.sender_names import describe as describe_asked
from admin_api.sender_names import when
from admin_api.sender_proofs import hand_out
from admin_api.service import Answer, Call, Service
from gateway.sender_states import SenderEvent
from gateway.storage import sender_requests as rows
from gateway.storage.audit import record
from gateway.storage.notices import tell
from gateway.storage.sender_requests import LAST_ID, Approval

LIST: Final = "admin sender-names"
OVERRIDE: Final = "senders.override"
NO_CONNECTOR: Final = Words("there is no such connector", "ce connecteur n'existe pas")
IN_THE_PAST: Final = Words("this time is over", "ce moment est passé")


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/sender-names."""
    asked: ListReview = call.query
    filters, before = [asked.state, asked.account_id, asked.resembling], LAST_ID
    if asked.cursor is not None:
        before = service.cursors.read(-call.operator.user_id, LIST, filters, asked.cursor) or 0
        if not before:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
    account_id = None if asked.account_id is None else int(asked.account_id)

    async def work(connection: asyncpg.Connection) -> list[ReviewedSender]:
        page = await rows.page_of_sender_names(
            connection, account_id, asked.state, before, asked.limit, resembling=asked.resembling
        )
        papers = await rows.list_proofs(connection, [row["sender_name_id"] for row in page])
        return [_describe(service, row, papers.get(row["sender_name_id"], [])) for row in page]

    page = await service.writer.read(work)
    more = None
    if len(page) == asked.limit:
        more = service.cursors.make(-call.operator.user_id, LIST, filters, int(page[-1].id))
    return Answer(ReviewedSenders(page, more))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/sender-names/{id}."""
    number = read_number(call.path["id"], LAST_ID)
    if number is None:
        return Problem("not_found")
    found = await service.writer.read(lambda connection: _shown(service, connection, number))
    return Problem("not_found") if found is None else Answer(found)


async def fetch_proof(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/sender-names/{id}/proofs/{proof}."""
    number, proof_id = (read_number(call.path[gap], LAST_ID) for gap in ("id", "proof"))
    if number is None or proof_id is None:
        return Problem("not_found")
    found = await service.writer.read(lambda connection: rows.fetch_proof(connection, None, number, proof_id))
    return Problem("not_found") if found is None else hand_out(found)


async def approve(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/sender-names/{id}/approve."""
    asked: ApproveSender = call.body
    faults = []
    ids = service.book.connector_ids
    for place, name in enumerate(asked.connectors):
        if name not in ids:
            faults.append(Fault(("body", "connectors", place), "unknown", NO_CONNECTOR))
    until_ms = 0 if asked.until is None else int(asked.until.timestamp() * 1000)
    if asked.until is not None and until_ms <= call.now_ms:
        faults.append(Fault(("body", "until"), "past", IN_THE_PAST))
    if faults:
        return Problem("invalid_request", errors=faults)
    countries = list(dict.fromkeys(asked.countries))
    approval = Approval(countries, sorted({ids[name] for name in asked.connectors}), until_ms)
    return await _decide(service, call, "approve", asked.reason.strip(), approval, asked.override)


async def refuse(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/sender-names/{id}/refuse."""
    asked: Reasoned = call.body
    return await _decide(service, call, "refuse", asked.reason.strip())


async def suspend(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/sender-names/{id}/suspend."""
    asked: Reasoned = call.body
    return await _decide(service, call, "suspend", asked.reason.strip())


async def _decide(
    service: Service,
    call: Call,
    event: SenderEvent,
    reason: str,
    approval: Approval | None = None,
    override: bool = False,
) -> Answer | Problem:
    number = read_number(call.path["id"], LAST_ID)
    if number is None:
        return Problem("not_found")

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        locked = await rows.lock_sender_name(connection, None, number)
        if locked is None:
            return Problem("not_found")
        despite = ""
        if approval is not None:
            despite = await rows.find_resembled(connection, locked["name"], approval.in_countries)
            problem = _not_overridden(call, despite, override, reason)
            if problem is not None:
                return problem
        asked_by = f"operator {call.operator.name}"
        moved = await rows.move_sender_name(connection, locked, event, asked_by, reason, approval, despite)
        if moved.after is None:
            return Problem("sender_state", more={"state": moved.before})
        facts = {"sender": moved.name, "decision": moved.after, "reason": reason}
        await tell(connection, event="sender.decided", account_id=moved.account_id, facts=facts)
        after = {"state": moved.after, "reason": reason, "despite": despite, "approval": approval}
        await record(
            connection,
            call,
            action=f"sender.{moved.after}",
            subject=f"sender:{number}",
            before={"state": moved.before, "name": moved.name},
            after=after,
            account_id=moved.account_id,
        )
        return Answer(await _shown(service, connection, number))

    return await service.writer.run(work)


def _not_overridden(call: Call, despite: str, override: bool, reason: str) -> Problem | None:
    """Why an approval despite a resemblance is not given; None: there is none, or it is meant and permitted."""
    if not despite or (override and OVERRIDE in call.operator.permissions and reason):
        return None
    more = {"resembles": despite, "permission": OVERRIDE}
    return Problem("sender_resembles", more=more)


async def _shown(service: Service, connection: asyncpg.Connection, number: int) -> ReviewedSender | None:
    row = await rows.find_sender_name(connection, None, number)
    if row is None:
        return None
    papers = await rows.list_proofs(connection, [number])
    shown = _describe(service, row, papers.get(number, []))
    shown.history = [
        SenderEntry(
            at=when(entry["at"]) or "",
            event=entry["event"],
            state=entry["state"],
            asked_by=entry["asked_by"],
            reason=entry["reason"],
            countries=entry["in_countries"],
            connectors=_names(service, entry["by_connectors"]),
            until=format_time(entry["until_ms"]) if entry["until_ms"] else None,
            despite=entry["despite"],
        )
        for entry in await rows.sender_name_history(connection, number)
    ]
    return shown


def _describe(service: Service, row: asyncpg.Record, papers: list[asyncpg.Record]) -> ReviewedSender:
    asked = describe_asked(row, papers)
    return ReviewedSender(
        id=asked.id,
        account_id=str(row["account_id"]),
        account=row["account"],
        name=asked.name,
        state=asked.state,
        resembles=row["resembles"],
        countries=asked.countries,
        traffic_class=asked.traffic_class,
        purpose=asked.purpose,
        sample=asked.sample,
        reason=asked.reason,
        approved_in=asked.approved_in,
        approved_over=_names(service, row["by_connectors"]),
        approved_until=asked.approved_until,
        created_at=asked.created_at,
        decided_at=asked.decided_at,
        proofs=asked.proofs,
    )


def _names(service: Service, ids: list[int]) -> list[str]:
    names = service.book.connector_names
    return [names.get(each, str(each)) for each in ids]


# ---------------------------------------------------------------- protected names


async def show_protected(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/protected-names."""
    asked: ListProtected = call.query
    found = await service.writer.read(lambda connection: rows.list_protected_names(connection, asked.country))
    return Answer(
        ProtectedNames(
            [
                ProtectedNameShown(
                    id=str(row["protected_name_id"]),
                    name=row["name"],
                    country=row["country"],
                    kind=row["kind"],
                    whole_only=row["whole_only"],
                    source=row["source"],
                    created_at=when(row["created_at"]) or "",
                )
                for row in found
            ]
        )
    )


async def protect(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/protected-names."""
    asked: ProtectName = call.body
    new = rows.NewProtectedName(asked.name.strip(), asked.country, asked.kind, asked.whole_only, asked.source.strip())

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        number = await rows.add_protected_name(connection, new)
        if number is None:
            return Problem("name_protected")
        await record(connection, call, action="protected_name.added", subject=f"protected_name:{number}", after=new)
        found = await rows.list_protected_names(connection, asked.country)
        row = next(row for row in found if row["protected_name_id"] == number)
        return Answer(
            ProtectedNameShown(
                id=str(number),
                name=new.name,
                country=new.country,
                kind=new.kind,
                whole_only=new.whole_only,
                source=new.source,
                created_at=when(row["created_at"]) or "",
            )
        )

    return await service.writer.run(work)


async def protect_no_more(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/protected-names/{id}."""
    number = read_number(call.path["id"], LAST_ID)
    if number is None:
        return Problem("not_found")

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        gone = await rows.remove_protected_name(connection, number)
        if gone is None:
            return Problem("not_found")
        subject = f"protected_name:{number}"
        await record(connection, call, action="protected_name.removed", subject=subject, before=dict(gone))
        shown = {name: gone[name] for name in ("name", "country", "kind", "whole_only", "source")}
        return Answer(ProtectedNameShown(id=str(number), created_at=when(gone["created_at"]) or "", **shown))

    return await service.writer.run(work)
