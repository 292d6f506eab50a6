"""/v1/admin/session/totp: enrolling, confirming and removing one's second factor.

A secret is shown until a code confirms it; recovery codes are shown once. Both need the password or a code besides the
session, so that a session left open changes nothing here.
What must not enter: what a code is (second_factor.py), taking another user's factor away (users.py).
"""

from __future__ import annotations

from time import monotonic

import asyncpg
import msgspec

from admin_api import second_factor
from admin_api.models_operators import ConfirmTotp, EnrolTotp, ProposedTotp, RecoveryCodes, RemoveTotp
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import describe, prove_again, takes_code, wait_of
from gateway.storage import users
from gateway.storage.audit import record


async def propose(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/session/totp."""
    asked: EnrolTotp = call.body
    if call.operator.must_change_password:
        return Problem("password_change_needed")
    row = await prove_again(service, call, asked.password)
    if isinstance(row, Problem):
        return row
    if row.totp_secret:
        return Problem("second_factor_already")
    secret = second_factor.make_secret()
    await service.writer.run(lambda c: users.propose_totp(c, row.user_id, secret))
    return Answer(ProposedTotp(secret, second_factor.enrolment_uri(secret, row.name)))


async def confirm(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/session/totp/confirm."""
    asked: ConfirmTotp = call.body
    operator, pauses = call.operator, service.sessions.pauses
    if operator.must_change_password:
        return Problem("password_change_needed")
    waits = wait_of(service, call)
    if waits is not None:
        return waits
    codes = second_factor.make_recovery_codes()
    hashes = [_hash(service, code) for code in codes]

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        secret = await users.pending_totp(connection, operator.user_id)
        code = asked.code.replace(" ", "")
        step = second_factor.matching_step(secret, code, call.now_ms / 1000, 0) if secret else None
        if step is None or not await users.confirm_totp(connection, operator.user_id, secret, step, hashes):
            return Problem("code_wrong")
        await record(connection, call, action="user.enrolled_second_factor", subject=f"user:{operator.user_id}")
        return Answer(RecoveryCodes(codes))

    answer = await service.writer.run(work)
    if not isinstance(answer, Problem):
        pauses.forgive(call.address, operator.name, monotonic())
    return answer


async def remove(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/session/totp/remove."""
    asked: RemoveTotp = call.body
    row = await prove_again(service, call, asked.password)
    if isinstance(row, Problem):
        return row
    waits = wait_of(service, call)
    if waits is not None:
        return waits

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        proven = bool(row.totp_secret) and await takes_code(service, call, connection, row, asked.code)
        if not proven or not await users.remove_totp(connection, row.user_id):
            return Problem("code_wrong")
        await record(connection, call, action="user.removed_second_factor", subject=f"user:{row.user_id}")
        return Answer(describe(service, msgspec.structs.replace(call.operator, has_totp=False)))

    answer = await service.writer.run(work)
    if not isinstance(answer, Problem):
        service.sessions.pauses.forgive(call.address, row.name, monotonic())
    return answer


def _hash(service: Service, code: str) -> bytes:
    return users.keyed_hash(service.sessions.secret, b"recovery", second_factor.plain_recovery_code(code))
