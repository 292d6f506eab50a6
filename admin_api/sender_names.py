"""/v1/sender-names: an account asks for the names it sends under, with papers, and withdraws them.

Another account's name is unknown, as one that never was. A name that looks like a protected one is taken and marked:
who decides sees it.
What must not enter: deciding (admin_sender_names.py), which names look alike (gateway.look_alikes).
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from admin_api import sender_proofs
from admin_api.message_reading import BAD_CURSOR
from admin_api.messages import format_time
from admin_api.models_senders import ListSenders, Proof, RequestSender, SenderName, SenderNames
from admin_api.problems import Fault, Problem
from admin_api.reading import read_number
from admin_api.service import Answer, Call, Service
from gateway.storage import sender_requests as rows
from gateway.storage.notices import tell

LIST: Final = "sender-names"


async def request(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/sender-names."""
    asked: RequestSender = call.body
    proof: bytes | Problem | None = None
    if asked.proof is not None:
        proof = sender_proofs.read_base64(asked.proof.content)
        if isinstance(proof, Problem):
            return proof
    name = asked.name.removeprefix("+") if asked.name.removeprefix("+").isdecimal() else asked.name
    what = rows.SenderRequest(
        call.account_id,
        name,
        list(dict.fromkeys(asked.countries)),
        asked.traffic_class,
        asked.purpose.strip(),
        asked.sample,
    )

    async def work(connection: asyncpg.Connection) -> rows.Asked:
        async with connection.transaction():
            done = await rows.request_sender(connection, what, asked_by(call))
            if done.state is None and not done.too_many:
                if isinstance(proof, bytes) and asked.proof is not None:
                    await _add_proof(connection, call, done.sender_name_id, asked.proof.file_name, proof)
                facts = {"sender": name, "account": call.caller.account.name}
                await tell(connection, event="sender.requested", account_id=call.account_id, facts=facts)
        return done

    done = await service.reader.run(work)
    if done.too_many:
        return Problem("too_many_requested", more={"limit": rows.MOST_REQUESTED})
    if done.state is not None:
        return Problem("sender_exists", more={"id": str(done.sender_name_id), "state": done.state})
    return await _shown(service, call, done.sender_name_id)


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/sender-names."""
    asked: ListSenders = call.query
    before = rows.LAST_ID
    if asked.cursor is not None:
        before = service.cursors.read(call.account_id, LIST, [asked.state], asked.cursor) or 0
        if not before:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])

    async def work(connection: asyncpg.Connection) -> list[SenderName]:
        page = await rows.page_of_sender_names(connection, call.account_id, asked.state, before, asked.limit)
        return await described(connection, page)

    page = await service.reader.run(work)
    more = None
    if len(page) == asked.limit:
        more = service.cursors.make(call.account_id, LIST, [asked.state], int(page[-1].id))
    return Answer(SenderNames(page, more))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/sender-names/{id}."""
    number = read_number(call.path["id"], rows.LAST_ID)
    return Problem("not_found") if number is None else await _shown(service, call, number)


async def withdraw(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/sender-names/{id}: what waits under this name is not sent any more."""
    number = read_number(call.path["id"], rows.LAST_ID)
    if number is None:
        return Problem("not_found")

    async def work(connection: asyncpg.Connection) -> rows.Moved | None:
        async with connection.transaction():
            locked = await rows.lock_sender_name(connection, call.account_id, number)
            if locked is None:
                return None
            return await rows.move_sender_name(connection, locked, "withdraw", asked_by(call))

    moved = await service.reader.run(work)
    if moved is None:
        return Problem("not_found")
    if moved.after is None and moved.before != "withdrawn":
        return Problem("sender_state", more={"state": moved.before})
    return await _shown(service, call, number)


async def add_proof(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/sender-names/{id}/proofs."""
    number = read_number(call.path["id"], rows.LAST_ID)
    assert call.request is not None
    if number is None or await _find(service, call, number) is None:
        return Problem("not_found")
    read = await sender_proofs.read_upload(call.request)
    if isinstance(read, Problem):
        return read
    name, content = read

    async def work(connection: asyncpg.Connection) -> int | None:
        async with connection.transaction():
            return await _add_proof(connection, call, number, name, content)

    if await service.reader.run(work) is None:
        return Problem("too_many_proofs", more={"limit": rows.MOST_PROOFS})
    return await _shown(service, call, number)


async def fetch_proof(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/sender-names/{id}/proofs/{proof}."""
    return await proof_of(service, call, call.account_id)


# ---------------------------------------------------------------- what operators' side asks, too


async def proof_of(service: Service, call: Call, account_id: int | None) -> Answer | Problem:
    """The paper that a path names, of an account, or of any (None)."""
    number, proof_id = (read_number(call.path[gap], rows.LAST_ID) for gap in ("id", "proof"))
    if number is None or proof_id is None:
        return Problem("not_found")
    found = await service.reader.run(lambda c: rows.fetch_proof(c, account_id, number, proof_id))
    return Problem("not_found") if found is None else sender_proofs.hand_out(found)


async def described(connection: asyncpg.Connection, page: list[asyncpg.Record]) -> list[SenderName]:
    """Sender names as their customers see them, with what is known of their papers."""
    papers = await rows.list_proofs(connection, [row["sender_name_id"] for row in page])
    return [describe(row, papers.get(row["sender_name_id"], [])) for row in page]


def describe(row: asyncpg.Record, papers: list[asyncpg.Record]) -> SenderName:
    """One of them."""
    return SenderName(
        id=str(row["sender_name_id"]),
        name=row["name"],
        state=row["state"],
        countries=row["countries"],
        traffic_class=row["traffic_class"],
        purpose=row["purpose"],
        sample=row["sample"],
        reason=row["reason"],
        approved_in=row["in_countries"],
        approved_until=format_time(row["until_ms"]) if row["until_ms"] else None,
        created_at=when(row["created_at"]) or "",
        decided_at=when(row["decided_at"]),
        proofs=[
            Proof(
                id=str(paper["proof_id"]),
                file_name=paper["file_name"],
                type=paper["kind"],
                octets=paper["octets"],
                sha256=paper["sha256"],
                created_at=when(paper["created_at"]) or "",
            )
            for paper in papers
        ],
    )


def when(moment: Any) -> str | None:
    """A time of the database as the API writes times."""
    return None if moment is None else format_time(int(moment.timestamp() * 1000))


def asked_by(call: Call) -> str:
    """A customer's key, as a history names it."""
    return f"key {call.caller.key.prefix}"


# ---------------------------------------------------------------- what they share


async def _add_proof(
    connection: asyncpg.Connection, call: Call, number: int, file_name: str, content: bytes
) -> int | None:
    await rows.lock_account(connection, call.account_id)
    kind = sender_proofs.kind_of(content)
    assert kind is not None, "read_base64 and read_upload let nothing else pass"
    name = sender_proofs.name_of(file_name.replace("\0", ""))
    return await rows.add_proof(connection, call.account_id, number, name, kind, content)


async def _find(service: Service, call: Call, number: int) -> asyncpg.Record | None:
    return await service.reader.run(lambda c: rows.find_sender_name(c, call.account_id, number))


async def _shown(service: Service, call: Call, number: int) -> Answer | Problem:
    async def work(connection: asyncpg.Connection) -> list[SenderName]:
        row = await rows.find_sender_name(connection, call.account_id, number)
        return [] if row is None else await described(connection, [row])

    found = await service.reader.run(work)
    return Answer(found[0]) if found else Problem("not_found")
