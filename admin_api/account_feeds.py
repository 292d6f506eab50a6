"""The feed of an account, for those who listen: its events as webhooks tell them, written once for all listeners.

Source: docs/webhooks.md (what an event says); WHATWG HTML 9.2.5 (how a stream is written).
What must not enter: listeners (live_feeds.py), HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from admin_api.cursors import Cursors
from admin_api.event_reading import data_of
from admin_api.keys import is_allowed
from admin_api.live_feeds import Listener, Written
from gateway.storage import event_streams as rows
from gateway.storage.event_streams import FedEvent, Place
from gateway.webhooks.events import ACCEPTED, EVENTS, INBOUND, format_time

STREAM: Final = "event-stream"  # the list that cursors of a feed belong to
STREAMED: Final = (ACCEPTED, *EVENTS)
READ: Final = "messages:read"  # the scope of messages' events
READ_INBOUND: Final = "inbound:read"

_encode = msgspec.json.Encoder().encode


class AccountFeeds:
    """The feeds of accounts, by account id."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def read(self, connection: asyncpg.Connection, places: Mapping[int, Place], limit: int) -> list[Written]:
        """As Source asks."""
        found = await rows.follow_feeds(connection, places, limit)
        data = await data_of(connection, [(event.account_id, event.message_id, event.event) for event in found])
        return [self._write(event, each) for event, each in zip(found, data, strict=True)]

    async def look_after(self, connection: asyncpg.Connection, listeners: Sequence[Listener]) -> dict[int, str]:
        """As Source asks: keys, addresses, scopes and accounts; and what is kept for who listens."""
        in_force = await rows.keys_in_force(connection, {each.who for each in listeners})
        await rows.keep_streamed(connection, {each.feed for each in listeners})
        problems = {}
        for position, each in enumerate(listeners):
            key = in_force.get(each.who)
            if key is None:
                problems[position] = "unauthenticated"
            elif key.state != "active":
                problems[position] = "account_suspended"
            elif key.allow_cidrs and not is_allowed(each.peer, tuple(key.allow_cidrs)):
                problems[position] = "address_not_allowed"
            elif not needed_scopes(each.what) <= set(key.scopes):
                problems[position] = "scope_missing"
        return problems

    def cursor(self, account_id: int, place: Place) -> str:
        """The word by which a client goes on from a place."""
        return self._cursors.make(account_id, STREAM, None, place)

    def place(self, account_id: int, cursor: str) -> Place | None:
        """The place that a word stands for; None: it is none of this account."""
        found = self._cursors.read(account_id, STREAM, None, cursor, tuple[int, int])
        return None if found is None else Place(*found)

    def _write(self, event: FedEvent, data: dict[str, Any]) -> Written:
        told = {"type": event.event, "timestamp": format_time(event.at_ms), "data": data}
        octets = write_event(self.cursor(event.account_id, event.place), event.event, told)
        return Written(event.account_id, event.place, event.event, octets)


def write_event(cursor: str, event: str, told: object) -> bytes:
    """An event of a stream; JSON has no line end, so its data is one line. cursor empty: it moves nobody's place."""
    place = f"id: {cursor}\n" if cursor else ""
    return f"{place}event: {event}\ndata: ".encode() + _encode(told) + b"\n\n"


def needed_scopes(what: frozenset[str]) -> set[str]:
    """What a key must be allowed for these events."""
    return {READ_INBOUND if event == INBOUND else READ for event in what}
