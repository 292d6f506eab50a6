"""/v1/admin/accounts: opened, shown, changed, suspended, resumed, closed; a reseller works below his own account.

An account of another tree is unknown to him, as one that never was. Prices stand in account_rates.py.
What must not enter: credit limits and moves of credit (credits), SMPP logins after the first one (esmes).
"""

from __future__ import annotations

import functools
import secrets
import string
from typing import Any, Final

import asyncpg
import msgspec

from admin_api import account_rates
from admin_api import models_accounts as ma
from admin_api.account_finding import account_of
from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.sessions import permission_missing
from admin_api.signing_in import hash_password
from admin_api.users import make_password
from gateway.storage import accounts as rows
from gateway.storage import api_keys, facts, users
from gateway.storage.accounts import AccountShown
from gateway.storage.audit import record
from gateway.webhooks.events import format_time
from telecom.money import format_credits

LIST: Final = "accounts"
ESME_PASSWORD: Final = 8  # SMPP v3.4 5.2.2, octets without the NUL
LETTERS: Final = string.ascii_letters + string.digits
FIRST_BINDS, FIRST_WINDOW, FIRST_CLASS = 10, 100, "transactional"  # as `passerelle esme add` has them
KEY_RATE: Final = 100  # as `passerelle api-key add` has it, requests a second
NO_PARENT: Final = Words(
    f"there is no such open account, or it would stand deeper than {rows.MOST_LEVELS} levels",
    f"ce compte ouvert n'existe pas, ou l'arbre dépasserait {rows.MOST_LEVELS} niveaux",
)


async def open_account(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/accounts."""
    asked: ma.OpenAccount = call.body
    if asked.user is not None and "users.write" not in call.operator.permissions:
        return permission_missing("users.write")
    given = call.operator.account_id if asked.parent_id is None else int(asked.parent_id)
    fields = {name: getattr(asked, name) for name in ("name", "language", "tps", "per_minute", "per_day")}
    new = rows.NewAccount(parent_account_id=given, default_region=asked.region or None, **fields)
    logins = await _Logins.make(asked)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        await rows.lock_tree(connection)
        if not await _may_stand_below(connection, call, given, None):
            return _parent_fault()
        account_id = await rows.open_account(connection, new)
        if account_id is None:
            return Problem("account_name_taken")
        await account_rates.put(connection, account_id, asked.rates)
        below = await account_rates.margin_problem(connection, account_id, call)
        if below is not None:
            return below
        opened = await rows.load_account(connection, None, account_id)
        assert opened is not None
        made = ma.OpenedAccount(account=_describe(opened))
        refusal = await logins.store(connection, account_id, made)
        if refusal is not None:
            return refusal
        after = rows.audited_account(opened) | logins.audited(made)
        subject = f"account:{account_id}"
        await record(connection, call, action="account.opened", subject=subject, after=after, account_id=account_id)
        return Answer(made)

    return await service.writer.run(work)


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts."""
    asked: ma.ListAccounts = call.query
    parent_id = None if asked.parent_id is None else int(asked.parent_id)
    filters, after = rows.AccountFilters(asked.state, parent_id, asked.text), ""
    bound = msgspec.structs.astuple(filters)
    if asked.cursor is not None:
        place = service.cursors.read(-call.operator.user_id, LIST, bound, asked.cursor, str)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        after = place
    seen_by = call.operator.account_id
    found = await service.writer.read(lambda c: rows.list_accounts(c, seen_by, after, filters, asked.limit))
    following = None
    if len(found) == asked.limit:
        following = service.cursors.make(-call.operator.user_id, LIST, bound, found[-1].name)
    return Answer(ma.Accounts([_describe(each) for each in found], following))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}."""

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        account = await account_of(connection, call)
        return account if isinstance(account, Problem) else Answer(_describe(account))

    return await service.writer.run(work)


async def change(service: Service, call: Call) -> Answer | Problem:
    """PATCH /v1/admin/accounts/{id}."""
    asked: ma.ChangeAccount = call.body
    if asked.parent_id is not None and call.operator.account_id is not None:
        return Problem("invalid_request", errors=[Fault(("body", "parent_id"), "parent", NO_PARENT)])

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        if asked.parent_id is not None:
            await rows.lock_tree(connection)
        account = await account_of(connection, call)
        if isinstance(account, Problem):
            return account
        changed = _changed(account, asked)
        parent_id = changed.parent_account_id
        stays = parent_id == account.parent_account_id
        if not stays and not await _may_stand_below(connection, call, parent_id, account.account_id):
            return _parent_fault()
        await rows.change_account(connection, changed)
        if asked.parent_id is not None:
            below = await account_rates.margin_problem(connection, account.account_id, call)
            if below is not None:
                return below
        await _tell(connection, call, "account.changed", account, changed)
        return Answer(_describe(changed))

    return await service.writer.run(work)


async def _move(service: Service, call: Call, state: str, action: str) -> Answer | Problem:
    asked: ma.MoveAccount = call.body

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        await rows.lock_tree(connection)
        account = await account_of(connection, call)
        if isinstance(account, Problem):
            return account
        if state == "closed" and await rows.open_children(connection, account.account_id):
            return Problem("accounts_below_are_open")
        if not await facts.set_account_state(connection, account.account_id, state, rows.FROM_STATES[state]):
            return Problem("state_impossible", more={"state": account.state})
        changed = msgspec.structs.replace(account, state=state)
        await _tell(connection, call, action, account, changed, reason=asked.reason)
        return Answer(_describe(changed))

    return await service.writer.run(work)


suspend = functools.partial(_move, state="suspended", action="account.suspended")
resume = functools.partial(_move, state="active", action="account.resumed")
close = functools.partial(_move, state="closed", action="account.closed")


async def show_history(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}/history."""

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        account = await account_of(connection, call)
        if isinstance(account, Problem):
            return account
        found = await rows.account_history(connection, account.account_id)
        return Answer(ma.Changes([_describe_change(row) for row in found]))

    return await service.writer.run(work)


# ---------------------------------------------------------------- what they share


async def _may_stand_below(
    connection: asyncpg.Connection, call: Call, parent_id: int | None, account_id: int | None
) -> bool:
    """Whether an account (None: a new one) may stand below another: none, one's own or one below it; open, not deep."""
    if parent_id is None:
        return True
    own = call.operator.account_id
    parent = await rows.load_account(connection, None if parent_id == own else own, parent_id)
    is_open = parent is not None and parent.state != "closed"
    return is_open and await rows.fits_below(connection, parent_id, account_id)


def _parent_fault() -> Problem:
    return Problem("invalid_request", errors=[Fault(("body", "parent_id"), "parent", NO_PARENT)])


def _changed(account: AccountShown, asked: ma.ChangeAccount) -> AccountShown:
    names = ("language", "masked_refusals", "tps", "per_minute", "per_day")
    given = {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}
    if asked.region is not None:
        given["default_region"] = asked.region or None
    if asked.parent_id is not None:
        given["parent_account_id"] = int(asked.parent_id) if asked.parent_id else None
    return msgspec.structs.replace(account, **given)


async def _tell(
    connection: asyncpg.Connection, call: Call, action: str, former: AccountShown, became: AccountShown, **more: str
) -> None:
    subject = f"account:{became.account_id}"
    facts_now = {"before": rows.audited_account(former), "after": rows.audited_account(became) | more}
    await record(connection, call, action=action, subject=subject, account_id=became.account_id, **facts_now)


class _Logins(msgspec.Struct):
    """What is made with a new account: words shown once, and their hashes, computed off the loop."""

    asked: ma.OpenAccount
    esme_password: str
    esme_hash: str
    user_password: str
    user_hash: str

    @classmethod
    async def make(cls, asked: ma.OpenAccount) -> _Logins:
        """Words for what is asked for."""
        esme = "".join(secrets.choice(LETTERS) for _ in range(ESME_PASSWORD)) if asked.esme is not None else ""
        user = make_password() if asked.user is not None else ""
        return cls(
            asked, esme, await hash_password(esme) if esme else "", user, await hash_password(user) if user else ""
        )

    async def store(self, connection: asyncpg.Connection, account_id: int, made: ma.OpenedAccount) -> Problem | None:
        """Rows of them; what is shown once goes into `made`."""
        asked = self.asked
        if asked.api_key is not None:
            scopes = api_keys.SCOPES
            new = api_keys.NewApiKey(account_id, asked.api_key.name, scopes, (), KEY_RATE, FIRST_CLASS, None)
            made.api_key = await api_keys.add_api_key(connection, new)
        if asked.esme is not None:
            words = (asked.esme.system_id, account_id, self.esme_hash, FIRST_BINDS, FIRST_WINDOW, 0, (), FIRST_CLASS)
            if await facts.add_esme(connection, facts.NewEsme(*words)) is None:
                return Problem("login_name_taken")
            made.esme = ma.NewEsmeLogin(asked.esme.system_id, self.esme_password)
        if asked.user is not None:
            fields: dict[str, Any] = msgspec.structs.asdict(asked.user)
            user = users.NewUser(role="reseller", account_id=account_id, password_hash=self.user_hash, **fields)
            if await users.add_user(connection, user) is None:
                return Problem("user_name_taken")
            made.user = ma.NewUserLogin(asked.user.name, self.user_password)
        return None

    def audited(self, made: ma.OpenedAccount) -> dict[str, Any]:
        """As the audit log tells them: names, no words."""
        told: dict[str, Any] = {}
        if made.api_key is not None:
            told["api_key"] = made.api_key.split("_")[1]
        if made.esme is not None:
            told["system_id"] = made.esme.system_id
        if made.user is not None:
            told["user"] = made.user.name
        if self.asked.rates:
            told["rates"] = {rate.prefix: rate.price for rate in self.asked.rates}
        return told


def _describe(account: AccountShown) -> ma.Account:
    fields = msgspec.structs.asdict(account)
    balance, limit = fields.pop("balance_micros"), fields.pop("credit_limit_micros")
    parent_id, region = fields.pop("parent_account_id"), fields.pop("default_region")
    return ma.Account(
        id=str(fields.pop("account_id")),
        parent_id=None if parent_id is None else str(parent_id),
        balance=format_credits(balance),
        credit_limit=format_credits(limit),
        available=format_credits(balance + limit),
        region=region,
        created_at=format_time(int(fields.pop("created_at").timestamp() * 1000)) or "",
        **fields,
    )


def _describe_change(row: asyncpg.Record) -> ma.Change:
    at = format_time(int(row["changed_at"].timestamp() * 1000)) or ""
    return ma.Change(at, row["field"], row["former"], row["became"])
