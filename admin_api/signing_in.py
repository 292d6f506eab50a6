"""/v1/admin/session: signing in and out, one's sessions, one's password.

An unknown name, a wrong password and a suspended user have one answer, at one cost. Who is told what he still must do
(choose a password, enrol a second factor) is answered nothing else (application.py).
What must not enter: how a session is recognised (sessions.py), others' users (users.py).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
from time import monotonic
from typing import Final

import argon2
import asyncpg

from admin_api import second_factor
from admin_api.models_operators import (
    ChangePassword,
    Ended,
    Session,
    SessionList,
    SignedIn,
    SignIn,
)
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from admin_api.sessions import Operator, operator_of
from gateway.storage import users
from gateway.storage.audit import record
from gateway.storage.users import LoginRow
from gateway.webhooks.events import format_time

log = logging.getLogger("passerelle.api")

AGENT_CHARACTERS: Final = 200  # chosen: of a User-Agent header, in a list of sessions


async def sign_in(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/session."""
    asked: SignIn = call.body
    name, pauses = asked.name.strip().lower(), service.sessions.pauses
    waits = wait_of(service, call, name)
    if waits is not None:
        return waits
    row = await service.writer.read(lambda c: users.user_of_login(c, name))
    proven = await service.sessions.prove_password(row, asked.password, call.now_ms)
    if isinstance(proven, Problem):
        pauses.forgive(call.address, name, monotonic())
        return proven
    if row is None or not proven or row.state != "active":
        return _refused(call, row)
    if row.totp_secret and asked.code is None:
        pauses.forgive(call.address, name, monotonic())
        return Problem("code_needed")
    answer = await service.writer.run(lambda c: _begin(service, call, c, row, asked.code))
    if not isinstance(answer, Problem):
        pauses.succeeded(call.address, name, monotonic())
    return answer


def _refused(call: Call, row: LoginRow | None) -> Problem:
    # the name as given may be a password typed into the wrong field: only a known user's is told
    user = "unknown" if row is None else row.name
    log.warning("login_refused", extra={"user": user, "address": call.address, "request_id": call.request_id})
    return Problem("login_refused")


async def _begin(
    service: Service, call: Call, connection: asyncpg.Connection, row: LoginRow, code: str | None
) -> Answer | Problem:
    """A session for a user whose password is proven."""
    sessions = service.sessions
    if row.totp_secret and not await takes_code(service, call, connection, row, code or ""):
        return _refused(call, row)
    token = users.make_token()
    where_from = (call.address, _printable(call.agent))
    token_hash = users.hash_token(sessions.secret, token)
    span = (sessions.settings.longest_h * 3600, sessions.settings.idle_minutes * 60)
    await users.begin_session(connection, row.user_id, token_hash, where_from, *span)
    found = await users.find_session(connection, token_hash, 0.0)
    if found is None:  # a reseller whose account is suspended
        return _refused(call, row)
    call.asked_by = operator_of(found, sessions.csrf_token(token))
    facts = {"second_factor": bool(row.totp_secret)}
    await record(connection, call, action="session.began", subject=f"user:{row.user_id}", after=facts)
    shown = describe(service, call.operator)
    shown.token = token
    return Answer(shown, cookie=sessions.cookie(token))


async def takes_code(service: Service, call: Call, connection: asyncpg.Connection, row: LoginRow, code: str) -> bool:
    """Whether a code of the app, or a recovery code, is right and unused; it is used from now on."""
    step = second_factor.matching_step(row.totp_secret, code.replace(" ", ""), call.now_ms / 1000, row.totp_last_step)
    if step is not None:
        return await users.use_totp_step(connection, row.user_id, step)
    plain = second_factor.plain_recovery_code(code)
    code_hash = users.keyed_hash(service.sessions.secret, b"recovery", plain)
    return await users.use_recovery_code(connection, row.user_id, code_hash)


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/session."""
    await asyncio.sleep(0)  # messages first
    return Answer(describe(service, call.operator))


async def sign_out(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/session."""
    operator = call.operator

    async def work(connection: asyncpg.Connection) -> None:
        await users.end_session(connection, operator.user_id, operator.session_id)
        await record(connection, call, action="session.ended", subject=f"user:{operator.user_id}")

    await service.writer.run(work)
    return Answer(Ended(1), cookie=service.sessions.cookie(""))


async def show_sessions(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/sessions."""
    operator = call.operator
    rows = await service.writer.read(lambda c: users.living_sessions(c, operator.user_id))
    return Answer(SessionList([describe_session(row, operator.session_id) for row in rows]))


async def end_session(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/sessions/{id}."""
    operator, session_id = call.operator, parse_id(call.path["id"])

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if session_id is None or not await users.end_session(connection, operator.user_id, session_id):
            return Problem("not_found")
        await record(connection, call, action="session.ended", subject=f"user:{operator.user_id}")
        return Answer(Ended(1))

    return await service.writer.run(work)


async def change_password(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/session/password."""
    asked: ChangePassword = call.body
    row = await prove_again(service, call, asked.present)
    if isinstance(row, Problem):
        return row
    if asked.new.lower() == row.name or hmac.compare_digest(asked.new.encode(), asked.present.encode()):
        return Problem("password_unfit")
    password_hash = await hash_password(asked.new)
    operator = call.operator

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        await users.set_password(connection, row.user_id, password_hash, must_change=False)
        ended = await users.end_sessions(connection, row.user_id, but=operator.session_id)
        await record(connection, call, action="user.changed_password", subject=f"user:{row.user_id}")
        return Answer(Ended(ended))

    return await service.writer.run(work)


async def prove_again(service: Service, call: Call, password: str) -> LoginRow | Problem:
    """The signed-in user, if this is his password: a session left open does not suffice. Wrong tries pause."""
    name, pauses = call.operator.name, service.sessions.pauses
    waits = wait_of(service, call)
    if waits is not None:
        return waits
    row = await service.writer.read(lambda c: users.user_of_login(c, name))
    proven = await service.sessions.prove_password(row, password, call.now_ms)
    if row is None or not proven:
        return Problem("login_refused")
    pauses.forgive(call.address, name, monotonic())
    return proven if isinstance(proven, Problem) else row


def wait_of(service: Service, call: Call, name: str = "") -> Problem | None:
    """Count a try of this name, else of who is signed in, as wrong until it is proven; how long it must wait, if so."""
    wait_s = service.sessions.pauses.begin(call.address, name or call.operator.name, monotonic())
    return Problem("too_many_tries", retry_after_s=math.ceil(wait_s)) if wait_s > 0 else None


async def hash_password(password: str) -> str:
    """The argon2id hash of a new password, computed off the loop."""
    return await asyncio.to_thread(argon2.PasswordHasher().hash, password)


def parse_id(text: str) -> int | None:
    """A positive 63-bit number as paths carry it; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def describe(service: Service, operator: Operator) -> SignedIn:
    """Who is signed in, and what he may and must do."""
    needed = service.sessions.readiness(operator)
    must = {"password_change_needed": "change_password", "second_factor_needed": "enrol_second_factor"}
    return SignedIn(
        name=operator.name,
        role=operator.role,  # type: ignore[arg-type]  # the schema's roles are the model's
        account_id=None if operator.account_id is None else str(operator.account_id),
        permissions=sorted(operator.permissions),
        language=operator.language,
        must=None if needed is None else must[needed.code],  # type: ignore[arg-type]  # the two words above
        second_factor=operator.has_totp,
        expires_at=format_time(int(operator.expires_at.timestamp() * 1000)) or "",
        csrf_token=operator.csrf_token or None,
    )


def describe_session(row: asyncpg.Record, present_id: int) -> Session:
    """A row of living_sessions."""
    times = {
        name: format_time(int(row[name].timestamp() * 1000)) or "" for name in ("began_at", "seen_at", "expires_at")
    }
    fields = {"address": row["address"], "agent": row["agent"], **times}
    return Session(id=str(row["session_id"]), this=row["session_id"] == present_id, **fields)


def _printable(agent: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in agent[:AGENT_CHARACTERS])
