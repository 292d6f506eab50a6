"""/v1/admin/esmes: SMPP logins: opened, limited, suspended, given new passwords, unbound; and what was changed of them.

A reseller sees those of the accounts below his own only. A password is made here, shown once and stored as its hash.
What must not enter: how a bind is proven (gateway.ingress), SQL.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from admin_api import connectors
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_carriers import (
    AddEsme,
    ChangeEsme,
    Esme,
    EsmeBind,
    EsmeChange,
    EsmeHistory,
    Esmes,
    ListEsmes,
    ReadHistory,
    RotatePassword,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import hash_password, parse_id
from gateway.storage import carriers, facts, inbound, inspection, logins
from gateway.storage.audit import record
from gateway.webhooks.events import format_time

LIST: Final = "esmes"
LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
PASSWORD_LETTERS: Final = 8  # SMPP v3.4 5.2.2: no longer
HOUR_MS: Final = 3_600_000
SHOWN: Final = ("state", "max_binds", "max_transmitters", "max_receivers", "max_transceivers", "window_size", "tps") + (
    ("allow_cidrs", "traffic_class", "v34_bind_errors", "receipts_first", "receipt_for_each_part")
    + ("default_alphabet", "long_inbound")
)


async def add(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/esmes."""
    asked: AddEsme = call.body
    password, account_id = new_password(), int(asked.account_id)
    kept = await hash_password(password)
    allow = _networks(asked.allow)

    async def work(connection: asyncpg.Connection) -> Esme | Problem:
        if not await logins.may_pay(connection, account_id, call.operator.account_id):
            return Problem("account_unknown")
        limits = (asked.max_binds, asked.window, asked.tps, allow, asked.traffic_class)
        esme_id = await facts.add_esme(connection, facts.NewEsme(asked.system_id, account_id, kept, *limits))
        if esme_id is None:
            return Problem("system_id_taken")
        (row,) = await logins.find_logins(connection, esme_id=esme_id)
        shown = _values(row)
        subject, after = f"esme:{asked.system_id}", {"system_id": asked.system_id, **shown}
        await record(connection, call, action="esme.added", subject=subject, after=after, account_id=account_id)
        return _describe(row, {})

    made = await service.writer.run(work)
    if isinstance(made, Problem):
        return made
    made.password = password
    return Answer(made)


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/esmes."""
    asked: ListEsmes = call.query
    filters, before_id = [asked.account_id, asked.state], logins.HIGHEST_ID
    reader_id = -call.operator.user_id
    if asked.cursor is not None:
        place = service.cursors.read(reader_id, LIST, filters, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place

    async def read(connection: asyncpg.Connection) -> tuple[list[asyncpg.Record], list[inspection.NodeSeen]]:
        rows = await logins.find_logins(
            connection,
            account_id=None if asked.account_id is None else int(asked.account_id),
            state=asked.state,
            before_id=before_id,
            limit=asked.limit,
            below_account=call.operator.account_id,
        )
        return rows, await inspection.load_nodes(connection)

    rows, nodes = await service.writer.read(read)
    following = None
    if len(rows) == asked.limit:
        following = service.cursors.make(reader_id, LIST, filters, rows[-1]["esme_id"])
    binds = binds_by_login(nodes)
    return Answer(Esmes([_describe(row, binds) for row in rows], following))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/esmes/{id}."""

    async def read(connection: asyncpg.Connection) -> Esme | Problem:
        row = await _find(connection, call)
        return (
            row if isinstance(row, Problem) else _describe(row, binds_by_login(await inspection.load_nodes(connection)))
        )

    found = await service.writer.read(read)
    return found if isinstance(found, Problem) else Answer(found)


async def change(service: Service, call: Call) -> Answer | Problem:
    """PATCH /v1/admin/esmes/{id}."""
    asked: ChangeEsme = call.body

    async def work(connection: asyncpg.Connection) -> Esme | Problem:
        row = await _find(connection, call, lock=True)
        if isinstance(row, Problem):
            return row
        await _apply(connection, row, asked)
        (changed,) = await logins.find_logins(connection, esme_id=row["esme_id"])
        before, after = _values(row), _values(changed)
        different = [key for key in after if before[key] != after[key]]
        if different:
            told = {key: before[key] for key in different}, {key: after[key] for key in different}
            await _record(connection, call, changed, "esme.changed", *told)
        return _describe(changed, binds_by_login(await inspection.load_nodes(connection)))

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def _apply(connection: asyncpg.Connection, row: asyncpg.Record, asked: ChangeEsme) -> None:
    """By the statements that the command line uses."""
    given = msgspec.structs.asdict(asked)
    allow, window = given.pop("allow"), given.pop("window")
    limits = {name: given[name] for name in logins.EsmeChange.__struct_fields__ if name in given}
    networks = None if allow is None else _networks(allow)
    limited = logins.EsmeChange(**limits, window_size=window, allow_cidrs=networks)
    if limited != logins.EsmeChange():
        await logins.set_esme(connection, row["system_id"], limited)
    if asked.state is not None and asked.state != row["state"]:
        await logins.set_esme_state(connection, row["system_id"], asked.state)
    if asked.default_alphabet is not None:
        await inbound.set_alphabet(connection, row["esme_id"], asked.default_alphabet)
    if asked.long_inbound is not None:
        await inbound.set_long_inbound(connection, row["esme_id"], asked.long_inbound)


async def rotate(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/esmes/{id}/password."""
    asked: RotatePassword = call.body
    password = new_password()
    kept = await hash_password(password)
    until_ms = call.now_ms + asked.overlap_hours * HOUR_MS if asked.overlap_hours else 0

    async def work(connection: asyncpg.Connection) -> Esme | Problem:
        row = await _find(connection, call, lock=True)
        if isinstance(row, Problem):
            return row
        await logins.rotate_password(connection, row["system_id"], kept, until_ms)
        await _record(connection, call, row, "esme.rotated", None, {"overlap_hours": asked.overlap_hours})
        (changed,) = await logins.find_logins(connection, esme_id=row["esme_id"])
        return _describe(changed, binds_by_login(await inspection.load_nodes(connection)))

    done = await service.writer.run(work)
    if isinstance(done, Problem):
        return done
    done.password = password
    return Answer(done)


async def confirm(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/esmes/{id}/former-password."""

    async def work(connection: asyncpg.Connection) -> Esme | Problem:
        row = await _find(connection, call, lock=True)
        if isinstance(row, Problem):
            return row
        if await logins.confirm_password(connection, row["system_id"]):
            await _record(connection, call, row, "esme.confirmed", None, None)
        (changed,) = await logins.find_logins(connection, esme_id=row["esme_id"])
        return _describe(changed, binds_by_login(await inspection.load_nodes(connection)))

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def unbind(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/esmes/{id}/unbind."""

    async def work(connection: asyncpg.Connection) -> int | Problem:
        row = await _find(connection, call)
        if isinstance(row, Problem):
            return row
        until_ms = call.now_ms + connectors.WORTH_MS
        command_id = await carriers.order_unbind(connection, row["system_id"], until_ms, call.operator.name)
        await _record(connection, call, row, "esme.unbound", None, {"command": str(command_id)})
        return command_id

    return await connectors.ordered(service, call, work)


async def show_history(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/esmes/{id}/history."""
    asked: ReadHistory = call.query

    async def read(connection: asyncpg.Connection) -> list[asyncpg.Record] | Problem:
        row = await _find(connection, call)
        return (
            row if isinstance(row, Problem) else await logins.login_history(connection, row["system_id"], asked.limit)
        )

    rows = await service.writer.read(read)
    if isinstance(rows, Problem):
        return rows
    return Answer(EsmeHistory([EsmeChange(_time(r["changed_at"]), r["field"], r["former"], r["became"]) for r in rows]))


# ---------------------------------------------------------------- what they share


async def _find(connection: asyncpg.Connection, call: Call, lock: bool = False) -> asyncpg.Record | Problem:
    """The login that the path names, if the operator may see it."""
    esme_id = parse_id(call.path["id"])
    if esme_id is None or esme_id >= logins.HIGHEST_ID:
        return Problem("not_found")
    if lock:
        await logins.lock_login(connection, esme_id)
    found = await logins.find_logins(connection, esme_id=esme_id, below_account=call.operator.account_id)
    return found[0] if found else Problem("not_found")


async def _record(
    connection: asyncpg.Connection, call: Call, row: asyncpg.Record, action: str, before: Any, after: Any
) -> None:
    subject, account_id = f"esme:{row['system_id']}", row["account_id"]
    await record(connection, call, action=action, subject=subject, before=before, after=after, account_id=account_id)


def new_password() -> str:
    """As long as SMPP takes one."""
    return "".join(secrets.choice(LETTERS) for _ in range(PASSWORD_LETTERS))


def _networks(texts: Sequence[str]) -> list[str]:
    return [str(ipaddress.ip_network(text)) for text in texts]


def _values(row: asyncpg.Record) -> dict[str, Any]:
    """What is changed of a login, as the audit log tells it."""
    return {key: row[key] for key in SHOWN}


def binds_by_login(nodes: Sequence[inspection.NodeSeen]) -> dict[str, list[EsmeBind]]:
    """The living binds of every login, over all nodes."""
    found: dict[str, list[EsmeBind]] = {}
    for node in nodes:
        for bind in carriers.listed(node, "binds") if node.alive else ():
            if bind.get("side") == "esme" and bind.get("name"):
                found.setdefault(str(bind["name"]), []).append(
                    EsmeBind(
                        node=node.name,
                        bind_type=str(bind.get("bind_type")),
                        state=str(bind.get("state")),
                        peer=str(bind.get("peer")),
                        in_flight=int(bind.get("in_flight") or 0),
                        window=int(bind.get("window") or 0),
                        bound_since=format_time(int(bind.get("bound_since_ms") or 0)),
                    )
                )
    return found


def _describe(row: asyncpg.Record, binds: Mapping[str, list[EsmeBind]]) -> Esme:
    shown = {key: row[key] for key in SHOWN if key not in ("window_size", "allow_cidrs")}
    return Esme(
        id=str(row["esme_id"]),
        system_id=row["system_id"],
        account_id=str(row["account_id"]),
        account=row["account"],
        window=row["window_size"],
        allow=list(row["allow_cidrs"]),
        former_password_until=format_time(row["former_until_ms"]),
        created_at=_time(row["created_at"]),
        binds=binds.get(row["system_id"], []),
        **shown,
    )


def _time(at: datetime.datetime) -> str:
    return format_time(int(at.timestamp() * 1000)) or ""
