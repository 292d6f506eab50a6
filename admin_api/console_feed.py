"""What consoles are told: how nodes, connectors and queues stand, and alarms; and the job that notes it.

A later room's things have their place here: another kind in console_state, another name in CONSOLE_EVENTS.
What must not enter: listeners (live_feeds.py), HTTP (event_streams.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import msgspec

from admin_api.account_feeds import write_event
from admin_api.cursors import Cursors
from admin_api.live_feeds import Listener, LiveFeeds, Written
from admin_api.roles import ROLES
from gateway.storage import console_events as rows
from gateway.storage.event_streams import Place
from gateway.storage.group_commit import NotCommitted
from gateway.storage.reader import Reader
from gateway.wall_clock import wall_ms
from gateway.webhooks.events import format_time

STREAM: Final = "console-stream"
FEED: Final = 0  # the one feed that all consoles share
CONSOLE_EVENTS: Final = ("node.changed", "connector.changed", "queue.changed", "alarm.raised", "alarm.cleared")
PERMISSION: Final = "connectors.read"
NOTE_EVERY_S: Final = 1.0  # nodes tell of themselves each second
FORGET_EVERY_S: Final = 600.0  # chosen
KEPT_MS: Final = 86_400_000  # chosen: how far back a console may go on

log = logging.getLogger("passerelle.api")


class ConsoleFeed:
    """The feed of consoles."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def read(self, connection: asyncpg.Connection, places: Mapping[int, Place], limit: int) -> list[Written]:
        """As Source asks."""
        return [
            Written(FEED, each.place, each.event, self._write(each))
            for place in places.values()
            for each in await rows.follow_console(connection, place, limit)
        ]

    async def look_after(self, connection: asyncpg.Connection, listeners: Sequence[Listener]) -> dict[int, str]:
        """As Source asks: sessions, and what their users' roles may."""
        in_force = await rows.sessions_in_force(connection, {each.who for each in listeners})
        problems = {}
        for position, each in enumerate(listeners):
            role = in_force.get(each.who)
            if role is None:
                problems[position] = "not_signed_in"
            elif PERMISSION not in ROLES[role]:
                problems[position] = "permission_missing"
        return problems

    def cursor(self, feed: int, place: Place) -> str:
        """The word by which a console goes on from a place."""
        return self._cursors.make(feed, STREAM, None, place)

    def place(self, feed: int, cursor: str) -> Place | None:
        """The place that a word stands for; None: it is none of consoles."""
        found = self._cursors.read(feed, STREAM, None, cursor, tuple[int, int])
        return None if found is None else Place(*found)

    def _write(self, event: rows.ConsoleEvent) -> bytes:
        return write_event(self.cursor(FEED, event.place), event.event, _told(event.event, event.at_ms, event.data))


def _told(event: str, at_ms: int, data: str) -> dict[str, object]:
    return {"type": event, "timestamp": format_time(at_ms), "data": msgspec.Raw(data.encode())}


async def state_of_all(connection: asyncpg.Connection, what: frozenset[str]) -> bytes:
    """How all stands, as events that move nobody's place."""
    now_ms = wall_ms()
    found = [(event, data) for event, data in await rows.console_state(connection) if event in what]
    return b"".join(write_event("", event, _told(event, now_ms, data)) for event, data in found)


async def keep_noting(reader: Reader, feeds: LiveFeeds) -> None:
    """Note what changes, until cancelled; queues only while somebody listens here."""
    loop = asyncio.get_running_loop()
    forget_at = loop.time()
    while True:
        try:
            await reader.run(lambda c: rows.note_changes(c, wall_ms(), feeds.count > 0))
            if loop.time() >= forget_at:
                await reader.run(lambda c: rows.forget_console(c, wall_ms() - KEPT_MS))
                forget_at = loop.time() + FORGET_EVERY_S
        except NotCommitted as fault:
            log.warning("job_waits", extra={"job": "console_events", "why": str(fault)})
        await asyncio.sleep(NOTE_EVERY_S)
