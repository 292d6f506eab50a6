"""/v1/admin/users: the people of the console. A new user and a reset give a password that must be changed at once.

The last superadmin who is active cannot be taken away. What was shown once (a password) is stored as a hash alone.
What must not enter: one's own password and second factor (signing_in.py, enrolment.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import msgspec

from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_operators import OF_RESELLERS, AddUser, ChangeUser, Ended, ListUsers, NewUserPassword, User, Users
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import hash_password, parse_id
from gateway.storage import facts
from gateway.storage import users as rows
from gateway.storage.audit import record
from gateway.storage.users import UserRow
from gateway.webhooks.events import format_time

LIST: Final = "users"
GIVEN_OCTETS: Final = 12  # chosen: 96 bits, sixteen characters, for one login
UNKNOWN_ACCOUNT: Final = Words("there is no such account, or it is closed", "ce compte n'existe pas, ou il est clos")

Work = Callable[[asyncpg.Connection, UserRow], Awaitable[Answer | Problem]]


async def add(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/users."""
    asked: AddUser = call.body
    account_id = None if asked.account_id is None else int(asked.account_id)
    password = make_password()
    fields: dict[str, Any] = {"role": asked.role, "account_id": account_id, "email": asked.email, "phone": asked.phone}
    new = rows.NewUser(name=asked.name, language=asked.language, password_hash=await hash_password(password), **fields)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if not await _is_open(connection, account_id):
            return _unknown_account()
        user_id = await rows.add_user(connection, new)
        if user_id is None:
            return Problem("user_name_taken")
        made = await rows.load_user(connection, user_id)
        assert made is not None
        await record(connection, call, action="user.added", subject=f"user:{user_id}", after=rows.audited_user(made))
        return Answer(_describe(made, password))

    return await service.writer.run(work)


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/users."""
    asked: ListUsers = call.query
    after = ""
    if asked.cursor is not None:
        place = service.cursors.read(-call.operator.user_id, LIST, None, asked.cursor, str)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        after = place
    found = await service.writer.read(lambda c: rows.list_users(c, after, asked.limit))
    following = None
    if len(found) == asked.limit:
        following = service.cursors.make(-call.operator.user_id, LIST, None, found[-1].name)
    return Answer(Users([_describe(each) for each in found], following))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/users/{id}."""

    async def work(_: asyncpg.Connection, user: UserRow) -> Answer | Problem:
        return Answer(_describe(user))

    return await _with_user(service, call, work)


async def change(service: Service, call: Call) -> Answer | Problem:
    """PATCH /v1/admin/users/{id}."""
    asked: ChangeUser = call.body
    given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not None}
    if asked.account_id is not None:
        given["account_id"] = int(asked.account_id)

    async def whole(connection: asyncpg.Connection) -> Answer | Problem:
        superadmins = await rows.active_superadmins(connection)  # locked before the user: two changes wait in one order
        user = await _user_of(call, connection)
        if isinstance(user, Problem):
            return user
        changed = rows.changed_user(user, given)
        if (changed.role == "reseller") != (changed.account_id is not None):
            return Problem("invalid_request", errors=[Fault(("body", "account_id"), "reseller", OF_RESELLERS)])
        if changed.account_id != user.account_id and not await _is_open(connection, changed.account_id):
            return _unknown_account()
        if not rows.keeps_a_superadmin(superadmins, changed):
            return Problem("last_superadmin")
        await rows.change_user(connection, changed)
        if changed.state == "suspended":
            await rows.end_sessions(connection, user.user_id)
        before, after = rows.audited_user(user), rows.audited_user(changed)
        await record(
            connection, call, action="user.changed", subject=f"user:{user.user_id}", before=before, after=after
        )
        return Answer(_describe(changed))

    return await service.writer.run(whole)


async def reset_password(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/users/{id}/password."""
    password = make_password()
    password_hash = await hash_password(password)

    async def work(connection: asyncpg.Connection, user: UserRow) -> Answer | Problem:
        await rows.set_password(connection, user.user_id, password_hash, must_change=True)
        await rows.end_sessions(connection, user.user_id)
        await record(connection, call, action="user.reset_password", subject=f"user:{user.user_id}")
        return Answer(NewUserPassword(password))

    return await _with_user(service, call, work)


async def remove_second_factor(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/users/{id}/totp/remove."""

    async def work(connection: asyncpg.Connection, user: UserRow) -> Answer | Problem:
        if await rows.remove_totp(connection, user.user_id):
            await rows.end_sessions(connection, user.user_id)
            await record(connection, call, action="user.removed_second_factor", subject=f"user:{user.user_id}")
        return Answer(_describe(msgspec.structs.replace(user, has_totp=False)))

    return await _with_user(service, call, work)


async def end_sessions(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/users/{id}/sessions."""

    async def work(connection: asyncpg.Connection, user: UserRow) -> Answer | Problem:
        ended = await rows.end_sessions(connection, user.user_id)
        await record(
            connection, call, action="user.sessions_ended", subject=f"user:{user.user_id}", after={"count": ended}
        )
        return Answer(Ended(ended))

    return await _with_user(service, call, work)


# ---------------------------------------------------------------- what they share


async def _with_user(service: Service, call: Call, work: Work) -> Answer | Problem:
    """Do something with the user of the path, locked."""

    async def whole(connection: asyncpg.Connection) -> Answer | Problem:
        user = await _user_of(call, connection)
        return user if isinstance(user, Problem) else await work(connection, user)

    return await service.writer.run(whole)


async def _user_of(call: Call, connection: asyncpg.Connection) -> UserRow | Problem:
    user_id = parse_id(call.path["id"])
    if user_id is None or user_id > rows.HIGHEST_USER_ID:
        return Problem("not_found")
    return await rows.load_user(connection, user_id) or Problem("not_found")


async def _is_open(connection: asyncpg.Connection, account_id: int | None) -> bool:
    accounts = [] if account_id is None else await facts.load_accounts(connection)
    return account_id is None or any(a.account_id == account_id and a.state != "closed" for a in accounts)


def _unknown_account() -> Problem:
    return Problem("invalid_request", errors=[Fault(("body", "account_id"), "unknown", UNKNOWN_ACCOUNT)])


def make_password() -> str:
    """A word to begin with, to be changed at the first login."""
    return secrets.token_urlsafe(GIVEN_OCTETS)


def _describe(user: UserRow, password: str | None = None) -> User:
    fields: dict[str, Any] = msgspec.structs.asdict(user)
    fields["id"] = str(fields.pop("user_id"))
    fields["account_id"] = None if user.account_id is None else str(user.account_id)
    fields["created_at"] = format_time(int(user.created_at.timestamp() * 1000)) or ""
    fields["second_factor"] = fields.pop("has_totp")
    return User(**fields, password=password)
