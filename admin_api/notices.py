"""/v1/notification-preferences and /v1/notices, and the operators' side of both: who is told of what, what was sent.

An account sees its own notices and none of the house's; another account's are unknown to it. What operators change is
told in the audit log, in the same transaction.
What must not enter: sending (gateway.notices.desk), checking addresses (models_notices.py).
"""

from __future__ import annotations

from typing import Final

import asyncpg

from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_notices import (
    EventChannels,
    ListAllNotices,
    ListNotices,
    Notice,
    NoticePreferences,
    Notices,
    WishedPreferences,
)
from admin_api.problems import Fault, Problem
from admin_api.reading import read_number
from admin_api.service import Answer, Call, Service
from gateway.notice_events import NOTICE_EVENTS
from gateway.notices.addresses import read_email
from gateway.storage import notices as rows
from gateway.storage.audit import record
from gateway.storage.notices import OwnerKind, Preferences
from gateway.webhooks.events import format_time
from telecom.money import MoneyRefused, format_credits, parse_credits
from telecom.numbers import Number, parse_number

LIST: Final = "notices"
HOUSE: Final = 0
HIGHEST_ACCOUNT: Final = (1 << 31) - 1


# ---------------------------------------------------------------- customers


async def show_own(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/notification-preferences."""
    return Answer(await service.reader.run(lambda c: _load(c, "account", call.account_id, call.language)))


async def change_own(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/notification-preferences."""
    wished = _wished(call, "account", call.account_id, frozenset(events_of("account")))
    if isinstance(wished, Problem):
        return wished
    await service.reader.run(lambda c: rows.save_preferences(c, wished))
    return Answer(_describe(wished))


async def show_notices(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/notices."""
    asked: ListNotices = call.query
    place = _place(service, call.account_id, asked, None)
    if isinstance(place, Problem):
        return place
    found = await service.reader.run(lambda c: rows.list_sendings(c, call.account_id, asked.state, place, asked.limit))
    return Answer(_page(service, call.account_id, asked, None, found))


# ---------------------------------------------------------------- operators


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/notices."""
    asked: ListAllNotices = call.query
    place = _place(service, -call.operator.user_id, asked, asked.account_id)
    if isinstance(place, Problem):
        return place
    account_id = None if asked.account_id is None else int(asked.account_id)
    found = await service.writer.read(lambda c: rows.list_sendings(c, account_id, asked.state, place, asked.limit))
    return Answer(_page(service, -call.operator.user_id, asked, asked.account_id, found))


async def resend(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/notices/{id}/resend."""
    sending_id = read_number(call.path["id"], rows.HIGHEST_ID)

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        before = None if sending_id is None else await rows.find_sending(connection, sending_id)
        if sending_id is None or before is None:
            return Problem("not_found")
        if not await rows.resend(connection, sending_id, call.now_ms):
            return Problem("notice_on_its_way")
        told = {"event": before["event"], "channel": before["channel"], "state": before["state"], "why": before["why"]}
        await record(
            connection,
            call,
            action="notice.resent",
            subject=f"notice:{sending_id}",
            before=told,
            after={"state": "due"},
            account_id=before["account_id"],
        )
        (shown,) = await rows.list_sendings(connection, None, None, sending_id + 1, 1)
        return Answer(_describe_notice(shown))

    return await service.writer.run(work)


async def show_mine(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/notification-preferences."""
    return await _show(service, call, "operator", call.operator.user_id)


async def change_mine(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/admin/notification-preferences."""
    return await _change(service, call, "operator", call.operator.user_id)


async def show_house(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/notification-preferences/house."""
    return await _show(service, call, "house", HOUSE)


async def change_house(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/admin/notification-preferences/house."""
    return await _change(service, call, "house", HOUSE)


async def show_account(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/accounts/{id}/notification-preferences."""
    account_id = _account_of(service, call)
    return Problem("not_found") if account_id is None else await _show(service, call, "account", account_id)


async def change_account(service: Service, call: Call) -> Answer | Problem:
    """PUT /v1/admin/accounts/{id}/notification-preferences."""
    account_id = _account_of(service, call)
    return Problem("not_found") if account_id is None else await _change(service, call, "account", account_id)


# ---------------------------------------------------------------- what they share


def events_of(kind: OwnerKind, role: str = "") -> list[str]:
    """The events that one may be told of. role: of an operator."""
    if kind == "account":
        return [name for name, row in NOTICE_EVENTS.items() if row.audience == "account"]
    return [
        name
        for name, row in NOTICE_EVENTS.items()
        if row.audience == "administrators" and (kind == "house" or role in row.roles)
    ]


def _account_of(service: Service, call: Call) -> int | None:
    account_id = read_number(call.path["id"], HIGHEST_ACCOUNT)
    return account_id if account_id in service.book.accounts else None


def _role_of(call: Call, kind: OwnerKind) -> str:
    return call.operator.role if kind == "operator" else ""


async def _load(
    connection: asyncpg.Connection, kind: OwnerKind, owner_id: int, language: str, role: str = ""
) -> NoticePreferences:
    found = await rows.load_preferences(connection, kind, owner_id)
    if found is None and kind == "operator":  # at the addresses that his user has
        users = (each for _, each in await rows.load_administrators(connection))
        found = next((each for each in users if (each.owner_kind, each.owner_id) == (kind, owner_id)), None)
    spoken = "fr" if language == "fr" else "en"
    return _describe(found or Preferences(owner_kind=kind, owner_id=owner_id, language=spoken), role)  # type: ignore[arg-type]  # one of two words


async def _show(service: Service, call: Call, kind: OwnerKind, owner_id: int) -> Answer | Problem:
    role = _role_of(call, kind)
    return Answer(await service.writer.read(lambda c: _load(c, kind, owner_id, call.language, role)))


async def _change(service: Service, call: Call, kind: OwnerKind, owner_id: int) -> Answer | Problem:
    role = _role_of(call, kind)
    wished = _wished(call, kind, owner_id, frozenset(events_of(kind, role)))
    if isinstance(wished, Problem):
        return wished

    async def work(connection: asyncpg.Connection) -> Answer | Problem:
        before = await rows.load_preferences(connection, kind, owner_id)
        await rows.save_preferences(connection, wished)
        await record(
            connection,
            call,
            action="notice_preferences.changed",
            subject="house:0" if kind == "house" else f"{'user' if kind == 'operator' else kind}:{owner_id}",
            before=before,
            after=wished,
            account_id=owner_id if kind == "account" else None,
        )
        return Answer(_describe(wished, role))

    return await service.writer.run(work)


def _wished(call: Call, kind: OwnerKind, owner_id: int, events: frozenset[str]) -> Preferences | Problem:
    """What is asked for, as rows keep it; or every event that is not there to be told."""
    asked: WishedPreferences = call.body
    words = Words(f"one of {', '.join(sorted(events))}", f"l'un de {', '.join(sorted(events))}")
    faults = [
        Fault(("body", "events", place, "event"), "choice", words)
        for place, each in enumerate(asked.events)
        if each.event not in events
    ]
    if kind != "account" and asked.low_balance is not None:
        of_accounts = Words("only an account has a balance", "seul un compte a un solde")
        faults.append(Fault(("body", "low_balance"), "unknown", of_accounts))
    if faults:
        return Problem("invalid_request", errors=faults)
    micros = None if asked.low_balance is None else parse_credits(asked.low_balance)
    phones = [parse_number(each, strict=True) for each in asked.phones]
    return Preferences(
        owner_kind=kind,
        owner_id=owner_id,
        language=asked.language,
        emails=list(dict.fromkeys(each for given in asked.emails if (each := read_email(given)) is not None)),
        phones=list(dict.fromkeys(each.e164 for each in phones if isinstance(each, Number))),
        channels={each.event: list(dict.fromkeys(each.channels)) for each in asked.events},
        low_balance_micros=None if isinstance(micros, MoneyRefused) else micros,
    )


def _describe(found: Preferences, role: str = "") -> NoticePreferences:
    threshold = found.low_balance_micros
    return NoticePreferences(
        language=found.language,
        emails=found.emails,
        phones=[f"+{each}" for each in found.phones],
        low_balance=None if threshold is None else format_credits(threshold),
        events=[
            EventChannels(event=event, channels=list(found.channels.get(event, NOTICE_EVENTS[event].channels)))
            for event in events_of(found.owner_kind, role)
        ],
    )


def _place(service: Service, owner: int, asked: ListNotices, account_id: str | None) -> int | Problem:
    """Before which sending the page begins."""
    if asked.cursor is None:
        return rows.HIGHEST_ID
    place = service.cursors.read(owner, LIST, [asked.state, account_id], asked.cursor)
    if place is None:
        return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
    return place


def _page(
    service: Service, owner: int, asked: ListNotices, account_id: str | None, found: list[asyncpg.Record]
) -> Notices:
    following = None
    if len(found) == asked.limit:
        following = service.cursors.make(owner, LIST, [asked.state, account_id], found[-1]["sending_id"])
    return Notices([_describe_notice(row) for row in found], following)


def _describe_notice(row: asyncpg.Record) -> Notice:
    return Notice(
        id=str(row["sending_id"]),
        event=row["event"],
        account_id=None if row["account_id"] is None else str(row["account_id"]),
        channel=row["channel"],
        address=row["address"],
        count=row["notice_count"],
        state=row["state"],
        tries=row["tries"],
        why=row["why"],
        made_at=format_time(row["made_at_ms"]) or "",
        next_try_at=format_time(row["due_at_ms"]) if row["state"] == "due" else None,
        ended_at=format_time(row["ended_at_ms"]),
        message_id=None if row["message_id"] is None else str(row["message_id"]),
    )
