"""GET /v1/events/stream: what happens to an account's messages; operators' /v1/admin/events/stream.

Source: WHATWG HTML 9.2.5 to 9.2.7 (text/event-stream, Last-Event-ID). An `id` is a signed place in the account's feed;
after it nothing is left out and nothing comes twice. What ends a stream is told by a last event, which moves no place.
What must not enter: reading feeds for all (live_feeds.py), what an event says (account_feeds.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from admin_api.account_feeds import needed_scopes, write_event
from admin_api.console_feed import FEED, state_of_all
from admin_api.keys import scope_missing
from admin_api.languages import Language
from admin_api.live_feeds import Listener, LiveFeeds, Written
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_live import AskConsoleStream, AskStream
from admin_api.problems import Fault, Problem, members
from admin_api.service import Answer, Call, Service
from gateway.storage.event_streams import Place, feed_edge, keep_streamed
from gateway.storage.group_commit import NotCommitted

HEARTBEAT_S: Final = 15.0  # the issue; proxies close what is silent for 30 s or a minute
RETRY_MS: Final = 3_000  # chosen: how long a browser waits before it connects again
AWAY_PAUSE_S: Final = 0.5  # chosen: between looks while PostgreSQL is away
WRITE_PATIENCE_S: Final = 30.0  # chosen: a listener that takes nothing for so long is cut off
CLOSED: Final = "stream.closed"
HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx, ngx_http_proxy_module: pass it on as it comes
}


async def listen(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/events/stream."""
    asked: AskStream = call.query
    key, wanted = call.caller.key, asked.wanted
    lacking = needed_scopes(wanted) - key.scopes
    if lacking and asked.events is None:
        wanted = frozenset(event for event in wanted if needed_scopes(frozenset({event})) <= key.scopes)
    elif lacking:
        return scope_missing(min(lacking))
    if call.caller.account.state != "active":
        return Problem("account_suspended")
    feeds, account_id = service.account_feeds, call.account_id
    code = feeds.refusal(account_id)
    if code:
        return Problem(code)
    place = _named_place(call, feeds, account_id, asked.last_event_id)
    if isinstance(place, Problem):
        return place
    if place is None:  # now, from when on everything is kept for it
        await service.reader.run(lambda connection: keep_streamed(connection, [account_id]))
        place = await service.reader.run(feed_edge)
    listener = Listener(account_id, place, wanted, key.key_id, call.address)
    return Answer(stream=EventStream(feeds, listener, call.language).run, headers=dict(HEADERS))


async def listen_to_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/events/stream: without a place, how all stands comes first."""
    asked: AskConsoleStream = call.query
    feeds = service.console_feeds
    code = feeds.refusal(FEED)
    if code:
        return Problem(code)
    place, state = _named_place(call, feeds, FEED, asked.last_event_id), b""
    if isinstance(place, Problem):
        return place
    if place is None:
        place = await service.writer.read(feed_edge)
        state = await service.writer.read(lambda connection: state_of_all(connection, asked.wanted))
    listener = Listener(FEED, place, asked.wanted, call.operator.session_id, call.address)
    return Answer(stream=EventStream(feeds, listener, call.language, state).run, headers=dict(HEADERS))


def _named_place(call: Call, feeds: LiveFeeds, feed: int, in_query: str | None) -> Place | None | Problem:
    """The place that the client names; None: it names none."""
    assert call.request is not None
    named = call.request.headers.get("Last-Event-ID", "") or in_query
    if not named:
        return None
    place = feeds.source.place(feed, named)
    if place is None:
        return Problem("invalid_request", errors=[Fault(("header", "Last-Event-ID"), "cursor", BAD_CURSOR)])
    return place


class EventStream:
    """One answer that goes on until somebody ends it."""

    def __init__(self, feeds: LiveFeeds, listener: Listener, language: Language, first: bytes = b"") -> None:
        """first: events that come before what happens."""
        self._first = first
        self._feeds = feeds
        self._listener = listener
        self._language = language

    async def run(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Write until the client leaves, or is ended."""
        listener = self._listener
        code = self._feeds.refusal(listener.feed)  # others may have come while its place was found
        self._feeds.admit(listener)
        if code:
            listener.end(code)
        try:
            await self._write(answer, f"retry: {RETRY_MS}\nid: {self._cursor()}\n\n".encode() + self._first)
            await self._catch_up(answer)
            self._feeds.follow(listener)
            while not listener.ended:
                await self._write_next(answer)
            told = members(Problem(listener.ended), self._language)
            await self._write(answer, write_event("", CLOSED, told))
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._feeds.leave(listener)

    async def _catch_up(self, answer: web.StreamResponse) -> None:
        """What was missed, as fast as the client takes it."""
        while not self._listener.ended and (found := await self._missed()) is not None:
            await self._write(answer, b"".join(event.octets for event in found) or self._heartbeat())

    async def _missed(self) -> list[Written] | None:
        """A page of it; None: it may follow with the others."""
        before = self._listener.place
        while not self._listener.ended:
            try:
                found = await self._feeds.missed(self._listener)
            except NotCommitted:
                await asyncio.sleep(AWAY_PAUSE_S)
                continue
            return None if self._listener.place == before else found
        return None

    async def _write_next(self, answer: web.StreamResponse) -> None:
        listener = self._listener
        listener.wake.clear()
        if not listener.queue and not listener.ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await listener.wake.wait()
        if listener.ended:
            return
        events = [listener.queue.popleft() for _ in range(len(listener.queue))]
        await self._write(answer, b"".join(event.octets for event in events) or self._heartbeat())

    def _heartbeat(self) -> bytes:
        """A comment; and the place, where events passed that this client does not want."""
        listener = self._listener
        if not listener.passed_over:
            return b":\n\n"
        listener.passed_over = False
        return f":\nid: {self._cursor()}\n\n".encode()

    def _cursor(self) -> str:
        return self._feeds.source.cursor(self._listener.feed, self._listener.place)

    async def _write(self, answer: web.StreamResponse, octets: bytes) -> None:
        async with asyncio.timeout(WRITE_PATIENCE_S):
            await answer.write(octets)
