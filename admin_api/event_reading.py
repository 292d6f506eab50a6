"""GET /v1/delivery-reports and /v1/inbound: what became of messages, and what handsets wrote, in an order to follow.

Source: decision 0017: whoever goes on from next_cursor misses nothing and reads nothing twice, whatever the order in
which transactions commit. What must not enter: pushing (gateway.webhooks).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
    """The next events, as a webhook tells them; of a message that is kept no more, its id alone."""
    found = await rows.read_events(connection, account_id, place, events, limit)
    ids = [event.message_id for event in found]
    if INBOUND in events:
        arrived = await load_inbound(connection, ids)
        data = {message_id: inbound_data(inbound) for message_id, inbound in arrived.items()}
    else:
        messages = await load_messages(connection, [(account_id, message_id) for message_id in ids])
        data = {
            event.message_id: message_data(message, event.event.partition(".")[2])
            for event in found
            if (message := messages.get(event.message_id)) is not None
        }
    return found, [
        Told(event.event, format_time(event.at_ms) or "", data.get(event.message_id, {"id": str(event.message_id)}))
        for event in found
    ]
