"""/v1/admin/messages and /v1/admin/delivery-reports: operators find messages, trace one, have reports told again.

Numbers are masked for roles without `numbers.read`; texts are shown to nobody. A search without an account needs a
span: what would read without end is refused.
What must not enter: SQL, files (exports.py).
"""

from __future__ import annotations

import datetime
from typing import Any, Final

import asyncpg
import msgspec

from admin_api.message_reading import BAD_CURSOR, read_id
from admin_api.models_messages import STATES_OF_STATUS, STATUS_OF_STATE, Event, Price
from admin_api.models_money import format_credits
from admin_api.models_search import (
    LONGEST_SPAN,
    SPAN_OF_ALL,
    ExportMessages,
    ExportOwn,
    ExportReports,
    FoundMessage,
    FoundMessages,
    ReplayAsked,
    ReplayReports,
    SearchMessages,
    SearchReports,
    TracedMessage,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.message import ID_TIME_SHIFT, SMSC_ID_SEPARATOR, accepted_at_ms
from gateway.message_states import FINAL
from gateway.storage import commands, inspection, webhooks
from gateway.storage.audit import record
from gateway.storage.inspection import MESSAGE_ID_LIMIT
from gateway.storage.message_search import Wanted, find_connector_id, search_messages
from gateway.webhooks.events import format_time

MESSAGES: Final = "admin-messages"
REPORTS: Final = "admin-reports"
NUMBERS_READ: Final = "numbers.read"
ENDED: Final = {"all": ["done", "dead"], "done": ["done"], "dead": ["dead"]}
SHOWN_DIGITS: Final = 4  # chosen: of a masked number, at its end
AHEAD_MS: Final = 60_000  # chosen: how far another node's clock may be ahead of ours

Asked = SearchMessages | SearchReports | ExportMessages | ExportReports | ExportOwn


async def show_messages(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/messages."""
    return await _page(service, call, MESSAGES, call.query)


async def show_reports(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/delivery-reports."""
    return await _page(service, call, REPORTS, call.query)


async def _page(
    service: Service, call: Call, list_name: str, asked: SearchMessages | SearchReports
) -> Answer | Problem:
    wanted = await wanted_of(service, call, asked)
    if isinstance(wanted, Problem):
        return wanted
    owner, filters = -call.operator.user_id, msgspec.to_builtins(msgspec.structs.replace(asked, cursor=None, limit=1))
    first_id, before_id = wanted.first_id, end_of(call, asked)
    if asked.cursor is not None:
        place = service.cursors.read(owner, list_name, filters, asked.cursor, tuple[int, int])
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        first_id, before_id = place
    wanted = msgspec.structs.replace(wanted, first_id=first_id)
    rows, next_id = await service.writer.read(lambda c: search_messages(c, wanted, before_id, asked.limit))
    following = None if next_id is None else service.cursors.make(owner, list_name, filters, (first_id, next_id))
    searched_to = None if next_id is None else format_time(accepted_at_ms(next_id))
    masked = NUMBERS_READ not in call.operator.permissions
    return Answer(FoundMessages([describe(row, masked) for row in rows], following, searched_to))


async def wanted_of(service: Service, call: Call, asked: Asked) -> Wanted | Problem:
    """The filter of a search, or why it would have no end. A customer's is of his account."""
    account_id, below = call.account_id if isinstance(asked, ExportOwn) else None, None
    if not isinstance(asked, ExportOwn):
        account_id = None if asked.account_id is None else int(asked.account_id)
        below = call.operator.account_id
    now = datetime.datetime.fromtimestamp(call.now_ms / 1000, datetime.UTC)
    until = min(asked.until or now, now)
    longest = SPAN_OF_ALL if account_id is None else LONGEST_SPAN
    since = asked.since or (None if account_id is None else until - SPAN_OF_ALL)
    if since is None or until - since > longest:
        return Problem("search_unbounded", more={"days": longest.days})
    connector_id = None
    if not isinstance(asked, ExportOwn) and asked.connector is not None:
        name = asked.connector
        connector_id = await service.reader.run(lambda c: find_connector_id(c, name))
        if connector_id is None:
            return Problem("not_found")
    states = None if asked.status is None else STATES_OF_STATUS[asked.status]
    told = None
    if isinstance(asked, SearchReports | ExportReports):
        states, told = states or tuple(sorted(FINAL)), None if asked.told is None else (asked.told,)
    return Wanted(
        first_id=_id_at(since),
        account_id=account_id,
        below_account=below,
        destination=None if asked.to is None else asked.to.removeprefix("+"),
        source=None if isinstance(asked, ExportOwn) else asked.sender,
        connector_id=connector_id,
        states=states,
        traffic_class=None if isinstance(asked, ExportOwn) else asked.traffic_class,
        error=None if isinstance(asked, ExportOwn) else asked.error,
        told=told,
    )


def end_of(call: Call, asked: Asked) -> int:
    """Below which id a search begins."""
    newest = (call.now_ms + AHEAD_MS) << ID_TIME_SHIFT
    return newest if asked.until is None else min(newest, _id_at(asked.until))


async def trace(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/messages/{id}."""
    message_id = read_id(call.path["id"])
    if message_id is None:
        return Problem("not_found")
    wanted = Wanted(message_id, below_account=call.operator.account_id)

    async def look(connection: asyncpg.Connection) -> TracedMessage | None:
        rows, _ = await search_messages(connection, wanted, message_id + 1, 1)
        if not rows:
            return None
        row = rows[0]
        events = await inspection.load_events(connection, row["account_id"], [message_id])
        waits = await inspection.load_waits(connection, row["account_id"], message_id)
        message = describe(row, NUMBERS_READ not in call.operator.permissions)
        return TracedMessage(
            message=message, timeline=_timeline(message, events), waits=[_waits(each) for each in waits]
        )

    found = await service.writer.read(look)
    return Problem("not_found") if found is None else Answer(found)


def _timeline(message: FoundMessage, events: list[asyncpg.Record]) -> list[Event]:
    """The common facts are columns, the uncommon ones rows: together, in order."""
    facts = [Event(message.created_at, "accepted", message.route_why)]
    facts += [Event(format_time(row["at_ms"]) or "", row["event"], row["detail"]) for row in events]
    if message.submitted_at is not None:
        facts.append(Event(message.submitted_at, "submitted", message.connector or ""))
    if message.final_at is not None:
        facts.append(Event(message.final_at, message.state, message.error))
    if message.told_at is not None:
        facts.append(Event(message.told_at, f"told_{message.told}"))
    return sorted(facts, key=lambda fact: fact.at)


def _waits(row: asyncpg.Record) -> Event:
    return Event(format_time(row["at_ms"]) or "", row["kind"], row["detail"])


def describe(row: asyncpg.Record, masked: bool) -> FoundMessage:
    """A row of a search."""
    return FoundMessage(
        id=str(row["message_id"]),
        account_id=str(row["account_id"]),
        account=row["account"],
        status=STATUS_OF_STATE[row["state"]],  # type: ignore[arg-type]  # its keys are the states
        state=row["state"],
        to=mask(row["destination_addr"]) if masked else f"+{row['destination_addr']}",
        sender=row["source_addr"],
        traffic_class=row["traffic_class"],
        connector=row["connector"],
        route_why=row["route_why"],
        parts=row["part_count"],
        part_states=row["part_states"],
        price=Price(format_credits(row["price_micros"])),
        charge=row["hold"],
        error=row["error"],
        smsc_message_ids=row["smsc_message_ids"].split(SMSC_ID_SEPARATOR) if row["smsc_message_ids"] else [],
        attempts=row["attempt_count"],
        told=row["notify"],
        created_at=format_time(accepted_at_ms(row["message_id"])) or "",
        expires_at=format_time(row["expires_at_ms"]) or "",
        scheduled_at=format_time(max(0, row["not_before_ms"])),
        submitted_at=format_time(row["submitted_at_ms"]),
        final_at=format_time(row["final_at_ms"]),
        told_at=format_time(row["notified_at_ms"]),
    )


def mask(digits: str) -> str:
    """A number of which nothing but its country and its end is told."""
    return f"+{digits[:3]}{'*' * max(0, len(digits) - 3 - SHOWN_DIGITS)}{digits[-SHOWN_DIGITS:]}"


async def replay(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/delivery-reports/replay: a node tells again by SMPP, or deliveries to a webhook are owed again."""
    asked: ReplayReports = call.body
    account_id, since_ms = int(asked.account_id), int(asked.since.timestamp() * 1000)
    until_ms = call.now_ms + 1 if asked.until is None else int(asked.until.timestamp() * 1000)

    async def work(connection: asyncpg.Connection) -> ReplayAsked | Problem:
        if asked.webhook_id is None:
            if account_id not in service.book.accounts:
                return Problem("not_found")
            arguments: dict[str, Any] = {
                "account_id": account_id,
                "esme_id": None,
                "after_id": (since_ms << ID_TIME_SHIFT) - 1,
            }
            arguments |= {"until_id": min((until_ms << ID_TIME_SHIFT) - 1, MESSAGE_ID_LIMIT)}
            arguments |= {"ended": ENDED[asked.state]}
            command_id = await commands.ask(connection, "replay_receipts", arguments, call.operator.name)
            done = ReplayAsked(command_id=str(command_id))
        else:
            endpoint_id = int(asked.webhook_id)
            found = (await webhooks.load_endpoints(connection, [endpoint_id], call.now_ms)).get(endpoint_id)
            if found is None or found.account_id != account_id or found.state == "removed":
                return Problem("not_found")
            span = (since_ms, until_ms)
            count = await webhooks.replay_deliveries(connection, endpoint_id, span, ENDED[asked.state], call.now_ms)
            done = ReplayAsked(replayed=count)
        told = msgspec.to_builtins(asked) | msgspec.to_builtins(done)
        subject = f"account:{account_id}"
        await record(connection, call, action="reports.replayed", subject=subject, after=told, account_id=account_id)
        return done

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


def _id_at(time: datetime.datetime) -> int:
    return min(max(0, int(time.timestamp() * 1000)) << ID_TIME_SHIFT, MESSAGE_ID_LIMIT)
