"""GET /v1/delivery-reports and /v1/inbound: what became of messages, and what handsets wrote, in an order to follow.

Source: decision 0017: whoever goes on from next_cursor misses nothing and reads nothing twice, whatever the order in
which transactions commit. What must not enter: pushing (gateway.webhooks).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from admin_api.message_reading import BAD_CURSOR
from admin_api.models_webhooks import EventPage, ReadInbound, ReadReports, Told
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.storage import webhooks as rows
from gateway.storage.messages import load_inbound, load_messages
from gateway.webhooks.events import FINAL_EVENTS, INBOUND, format_time, inbound_data, message_data

REPORTS: Final = "reports"
INBOX: Final = "inbound"


async def show_reports(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/delivery-reports."""
    asked: ReadReports = call.query
    events = FINAL_EVENTS if asked.status is None else (f"message.{asked.status}",)
    return await _page(service, call, (REPORTS, asked.status), events, asked.cursor, asked.limit)


async def show_inbound(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/inbound."""
    asked: ReadInbound = call.query
    return await _page(service, call, (INBOX, None), (INBOUND,), asked.cursor, asked.limit)


async def _page(
    service: Service,
    call: Call,
    of: tuple[str, str | None],
    events: Sequence[str],
    cursor: str | None,
    limit: int,
) -> Answer | Problem:
    place = rows.FIRST_PLACE
    if cursor is not None:
        read = service.cursors.read(call.account_id, *of, cursor, tuple[str, int])
        if read is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        place = read
    account_id = call.account_id
    found, told = await service.reader.run(lambda c: _told(c, account_id, place, events, limit))
    if found:
        place = (found[-1].xact, found[-1].event_id)
    following = service.cursors.make(account_id, *of, place)
    return Answer(EventPage(told, following, len(found) == limit))


async def _told(
    connection: asyncpg.Connection, account_id: int, place: tuple[str, int], events: Sequence[str], limit: int
) -> tuple[list[rows.EventRow], list[Told]]:
    """The next events, as a webhook tells them."""
    found = await rows.read_events(connection, account_id, place, events, limit)
    data = await data_of(connection, [(account_id, event.message_id, event.event) for event in found])
    return found, [
        Told(event.event, format_time(event.at_ms) or "", each) for event, each in zip(found, data, strict=True)
    ]


async def data_of(connection: asyncpg.Connection, events: Sequence[tuple[int, int, str]]) -> list[dict[str, Any]]:
    """What a webhook tells of each event (account_id, message_id, event); of a message that is kept no more, its id."""
    arrived = [message_id for _, message_id, event in events if event == INBOUND]
    inbound = await load_inbound(connection, arrived) if arrived else {}
    sent = [(account_id, message_id) for account_id, message_id, event in events if event != INBOUND]
    messages = await load_messages(connection, sent) if sent else {}
    data: list[dict[str, Any]] = []
    for account_id, message_id, event in events:
        if event == INBOUND and message_id in inbound:
            data.append(inbound_data(inbound[message_id]))
        elif (message := messages.get(message_id)) is not None and message.account_id == account_id:
            data.append(message_data(message, event.partition(".")[2]))
        else:
            data.append({"id": str(message_id)})
    return data
