"""/v1/webhooks: an account's URLs, what was told there, telling it again.

Another account's webhook is unknown, as one that never was.
What must not enter: sending (gateway.webhooks.courier), which addresses are permitted (gateway.webhooks.targets).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import asyncpg

from admin_api.languages import Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_webhooks import (
    MOST_WEBHOOKS,
    AddWebhook,
    ChangeWebhook,
    Deliveries,
    Delivery,
    ListDeliveries,
    OwedTest,
    ReplayDeliveries,
    Replayed,
    RotateSecret,
    Webhook,
    Webhooks,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from gateway.notice_events import ACCOUNT_EVENTS
from gateway.storage import webhooks as rows
from gateway.webhooks.addresses import parse_networks
from gateway.webhooks.events import format_time
from gateway.webhooks.signature import SECRET_OCTETS, format_secret
from gateway.webhooks.targets import REMEDIES, REMEDIES_FR, Target, read_target

LIST: Final = "deliveries"
HOUR_MS: Final = 3_600_000
ENDED: Final = {"all": ("done", "dead"), "done": ("done",), "dead": ("dead",)}
NUMBER_DIGITS: Final = 9  # of an endpoint's number


async def add(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/webhooks."""
    asked: AddWebhook = call.body
    fault = _url_fault(service, asked.url)
    if fault is not None:
        return fault
    if asked.format == "native" and asked.method == "GET":
        words = Words("format native is sent by POST", "le format native s'envoie par POST")
        return Problem("invalid_request", errors=[Fault(("body", "method"), "choice", words)])
    if (unfit := _events_fault(asked.format, asked.events)) is not None:
        return unfit
    account_id, secret = call.account_id, _new_secret()
    events = list(dict.fromkeys(asked.events))

    async def work(connection: asyncpg.Connection) -> int | None:
        async with connection.transaction():
            if len(await rows.endpoints_of(connection, account_id, call.now_ms)) >= MOST_WEBHOOKS:
                return None
            how: tuple[rows.Format, rows.Method] = (asked.format, asked.method)
            return await rows.add_endpoint(connection, account_id, asked.url, events, how, secret, call.now_ms)

    endpoint_id = await service.reader.run(work)
    if endpoint_id is None:
        return Problem("too_many_webhooks", more={"limit": MOST_WEBHOOKS})
    shown = Webhook(
        id=str(endpoint_id),
        url=asked.url,
        events=list(events),
        format=asked.format,
        method=asked.method,
        state="active",
        why="",
        secret=secret,
    )
    return Answer(shown)


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/webhooks."""
    found = await service.reader.run(lambda c: rows.endpoints_of(c, call.account_id, call.now_ms))
    return Answer(Webhooks([_describe(each) for each in found]))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/webhooks/{id}."""
    found = await _own(service, call)
    return found if isinstance(found, Problem) else Answer(_describe(found))


async def change(service: Service, call: Call) -> Answer | Problem:
    """PATCH /v1/webhooks/{id}."""
    asked: ChangeWebhook = call.body
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    if asked.url is not None and (fault := _url_fault(service, asked.url)) is not None:
        return fault
    if asked.events is not None and (unfit := _events_fault(found.format, asked.events)) is not None:
        return unfit
    endpoint_id = found.endpoint_id
    events = None if asked.events is None else list(dict.fromkeys(asked.events))

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            if asked.url is not None or events is not None:
                await rows.change_endpoint(connection, endpoint_id, asked.url, events)
            if asked.state == "active":
                await rows.enable_endpoint(connection, endpoint_id)
            elif asked.state == "disabled":
                await rows.disable_endpoint(connection, endpoint_id, "disabled by its account")

    await service.reader.run(work)
    return await show(service, call)


async def remove(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/webhooks/{id}."""
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    endpoint_id = found.endpoint_id
    await service.reader.run(lambda c: rows.remove_endpoint(c, endpoint_id))
    return Answer(_describe(found))


async def rotate(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/webhooks/{id}/secret."""
    asked: RotateSecret = call.body
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    endpoint_id, secret, until_ms = found.endpoint_id, _new_secret(), call.now_ms + asked.overlap_hours * HOUR_MS
    await service.reader.run(lambda c: rows.rotate_secret(c, endpoint_id, secret, call.now_ms, until_ms))
    shown = _describe(found)
    shown.secret = secret
    return Answer(shown)


async def send_test(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/webhooks/{id}/test."""
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    endpoint_id = found.endpoint_id
    delivery_id = await service.reader.run(lambda c: rows.owe_test(c, endpoint_id, call.now_ms))
    return Problem("webhook_disabled") if delivery_id is None else Answer(OwedTest(f"evt_{delivery_id}"))


async def replay(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/webhooks/{id}/replay."""
    asked: ReplayDeliveries = call.body
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    endpoint_id = found.endpoint_id
    since_ms = int(asked.since.timestamp() * 1000)
    span = (since_ms, call.now_ms + 1 if asked.until is None else int(asked.until.timestamp() * 1000))
    count = await service.reader.run(
        lambda c: rows.replay_deliveries(c, endpoint_id, span, ENDED[asked.state], call.now_ms)
    )
    return Answer(Replayed(count))


async def show_deliveries(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/webhooks/{id}/deliveries."""
    asked: ListDeliveries = call.query
    found = await _own(service, call)
    if isinstance(found, Problem):
        return found
    filters, before_id, endpoint_id = [found.endpoint_id, asked.state], rows.HIGHEST_ID, found.endpoint_id
    if asked.cursor is not None:
        place = service.cursors.read(call.account_id, LIST, filters, asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place
    page = await service.reader.run(
        lambda c: rows.list_deliveries(c, call.account_id, endpoint_id, asked.state, before_id, asked.limit)
    )
    following = None
    if len(page) == asked.limit:
        following = service.cursors.make(call.account_id, LIST, filters, page[-1]["delivery_id"])
    return Answer(Deliveries([_describe_delivery(row) for row in page], following))


# ---------------------------------------------------------------- what they share


async def _own(service: Service, call: Call) -> rows.Endpoint | Problem:
    """The account's own webhook that the path names."""
    text = call.path["id"]
    if not text.isascii() or not text.isdecimal() or len(text) > NUMBER_DIGITS:
        return Problem("not_found")
    endpoint_id = int(text)
    found = (await service.reader.run(lambda c: rows.load_endpoints(c, [endpoint_id], call.now_ms))).get(endpoint_id)
    if found is None or found.account_id != call.account_id or found.state == "removed":
        return Problem("not_found")
    return found


def _url_fault(service: Service, url: str) -> Problem | None:
    found = read_target(url, parse_networks(service.configuration.webhooks.allow_networks))
    if isinstance(found, Target):
        return None
    return Problem("url_not_permitted", Words(REMEDIES[found], REMEDIES_FR[found]), more={"fault": found})


def _events_fault(form: str, events: Sequence[str]) -> Problem | None:
    """Kannel and Jasmin have words for messages only."""
    if form == "native" or not set(events) & set(ACCOUNT_EVENTS):
        return None
    words = Words(f"format {form} tells of messages only", f"le format {form} ne parle que de messages")
    return Problem("invalid_request", errors=[Fault(("body", "events"), "choice", words)])


def _new_secret() -> str:
    return format_secret(secrets.token_bytes(SECRET_OCTETS))


def _describe(endpoint: rows.Endpoint) -> Webhook:
    return Webhook(
        id=str(endpoint.endpoint_id),
        url=endpoint.url,
        events=endpoint.events,
        format=endpoint.format,
        method=endpoint.method,
        state="active" if endpoint.state == "active" else "disabled",
        why=endpoint.why,
    )


def _describe_delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        webhook_id=f"evt_{row['delivery_id']}",
        event=row["event"],
        message_id=str(row["message_id"]) if row["message_id"] else None,
        happened_at=format_time(row["at_ms"]) or "",
        state=row["state"],
        tries=row["tries"],
        next_try_at=format_time(row["due_at_ms"]) if row["state"] == "due" else None,
        tried_at=format_time(row["tried_at_ms"] or 0),
        status=row["status"],
        fault=row["fault"],
        answer=row["answer"],
    )
