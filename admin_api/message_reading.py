"""GET and DELETE of messages: one with its timeline, a page of them, taking one back.

An id of another account's is unknown, as one that never was. What is taken back is asked of the node that holds the
message, the only one that may change it (decision 0015).
What must not enter: carriers' names and our reasons of routing, which customers do not see.
"""

from __future__ import annotations

import datetime
from typing import Final

from admin_api.languages import Words
from admin_api.messages import encoding_of, format_time
from admin_api.models_messages import (
    STATES_OF_STATUS,
    STATUS_OF_STATE,
    Event,
    ListMessages,
    MessageNow,
    Messages,
    Price,
)
from admin_api.models_money import format_credits
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.accept.refusals import Refusal
from gateway.message import ID_TIME_SHIFT, PART_DELIVERED, Message, accepted_at_ms
from gateway.recall import Recalled, ask_holder, is_recallable, was_cancelled
from gateway.storage import api_messages, inspection, recalls
from gateway.storage.inspection import MESSAGE_ID_LIMIT

LIST: Final = "messages"
CHARGES: Final = {"held": "held", "captured": "charged", "released": "released"}
BAD_CURSOR: Final = Words("this is no cursor of this list", "ce n'est pas un curseur de cette liste")


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/messages/{id}."""
    message_id = read_id(call.path["id"])
    if message_id is None:
        return Problem("not_found")
    account_id = call.account_id
    message = await service.reader.run(lambda c: api_messages.find_message(c, account_id, message_id))
    if message is None:
        return Problem("not_found")
    events = await load_events(service, account_id, [message_id])
    now = describe(message)
    now.timeline = timeline(now, events.get(message_id, []))
    return Answer(now)


async def load_events(service: Service, account_id: int, ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    """The uncommon facts of messages, by id: when (Unix milliseconds), and what."""
    found: dict[int, list[tuple[int, str]]] = {}
    for row in await service.reader.run(lambda c: inspection.load_events(c, account_id, ids)):
        found.setdefault(row["message_id"], []).append((row["at_ms"], row["event"]))
    return found


async def show_page(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/messages."""
    asked: ListMessages = call.query
    filters = [asked.status, asked.to, _unix_ms(asked.since), _unix_ms(asked.until)]
    before_id = MESSAGE_ID_LIMIT
    if asked.until is not None:
        before_id = _id_at(asked.until)
    if asked.cursor is not None:
        place = service.cursors.read(call.account_id, LIST, filters, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place
    wanted = api_messages.MessageFilter(
        _id_at(asked.since),
        None if asked.status is None else STATES_OF_STATUS[asked.status],
        None if asked.to is None else asked.to.removeprefix("+"),
    )
    page, next_id = await service.reader.run(
        lambda c: api_messages.page_of_messages(c, call.account_id, before_id, wanted, asked.limit)
    )
    cursor = None if next_id is None else service.cursors.make(call.account_id, LIST, filters, next_id)
    return Answer(Messages([describe(each) for each in page], cursor))


async def cancel(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/messages/{id}: asked twice, it is done once and told twice."""
    message_id = read_id(call.path["id"])
    if message_id is None:
        return Problem("not_found")
    account_id = call.account_id
    row = await service.reader.run(lambda c: recalls.find_message(c, account_id, message_id))
    if row is None:
        return Problem("not_found")
    if was_cancelled(row.message):
        return Answer(describe(row.message))
    if not is_recallable(row.message):
        return Problem("too_late")
    outcome = await ask_holder(service.reader, row.message, row.holder_node, None)
    if outcome is Recalled.DONE:
        return await show(service, call)
    if outcome is Recalled.BUSY or isinstance(outcome, Refusal):
        return Problem("node_away")
    return Problem("too_late" if outcome is Recalled.TOO_LATE else "not_found")


def read_id(text: str) -> int | None:
    """A message id; None when it can be none."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(MESSAGE_ID_LIMIT)):
        return None
    return message_id if (message_id := int(text)) <= MESSAGE_ID_LIMIT else None


def describe(message: Message) -> MessageNow:
    """A message as customers see it."""
    return MessageNow(
        id=str(message.message_id),
        status=STATUS_OF_STATE[message.state],  # type: ignore[arg-type]  # its keys are the states
        to=f"+{message.destination_addr}",
        sender=message.source_addr,
        traffic_class=message.traffic_class,
        parts=message.part_count,
        parts_delivered=message.part_states.count(PART_DELIVERED),
        encoding=encoding_of(message.data_coding),
        price=Price(format_credits(message.price_micros)),
        credits=format_credits(message.price_micros),
        charge=CHARGES[message.hold],  # type: ignore[arg-type]  # schema 0001
        created_at=format_time(accepted_at_ms(message.message_id)),
        expires_at=format_time(message.expires_at_ms),
        client_ref=message.envelope.client_ref or None,
        scheduled_at=_time_or_none(message.not_before_ms),
        submitted_at=_time_or_none(message.submitted_at_ms),
        final_at=_time_or_none(message.final_at_ms),
        error=message.error or None,
    )


def timeline(now: MessageNow, events: list[tuple[int, str]]) -> list[Event]:
    """The common facts are columns, the uncommon ones rows: together, in order."""
    facts = [(now.created_at, "accepted"), *((format_time(at_ms), event) for at_ms, event in events)]
    if now.submitted_at:
        facts.append((now.submitted_at, "submitted"))
    if now.final_at:
        facts.append((now.final_at, now.status))
    return [Event(at, event) for at, event in sorted(facts, key=lambda fact: fact[0])]


def _time_or_none(unix_ms: int) -> str | None:
    return format_time(unix_ms) if unix_ms > 0 else None


def _id_at(time: datetime.datetime | None) -> int:
    """The first id of a moment; of one beyond all ids, the last."""
    return min(max(0, _unix_ms(time)) << ID_TIME_SHIFT, MESSAGE_ID_LIMIT)


def _unix_ms(time: datetime.datetime | None) -> int:
    return 0 if time is None else int(time.timestamp() * 1000)
