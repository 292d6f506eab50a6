"""Who listens, and what reaches them: one reader of the database for all listeners of this process.

A listener has a place in its feed and a bounded queue; whoever does not read as fast as things happen is ended, and
goes on from its place later. A feed is read from the least place that anybody joined at: each listener leaves out what
is behind its own. So nothing is lost and nothing comes twice, whoever joins when.
What must not enter: HTTP (event_streams.py), what an event says (its source).
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import asyncpg
import msgspec

from gateway.storage.event_streams import Place
from gateway.storage.group_commit import NotCommitted
from gateway.storage.reader import Reader

FOLLOW_EVERY_S: Final = 0.1  # chosen: how late an event may be beside its commit
CHECK_EVERY_S: Final = 1.0  # the issue: who may listen no longer hears nothing after a second or so
QUEUE_EVENTS: Final = 1_000  # chosen: what one listener may be behind
PAGE_EVENTS: Final = 500  # of a feed at a turn; more are read at once after it

log = logging.getLogger("passerelle.api")


class Written(msgspec.Struct, frozen=True):
    """An event as listeners get it. octets: as the wire has it, but for its end."""

    feed: int
    place: Place
    event: str
    octets: bytes


class Listener:
    """One who listens to a feed. what: the events it wants. ended: the code of the problem that ended it."""

    __slots__ = ("ended", "feed", "passed_over", "peer", "place", "queue", "wake", "what", "who")

    def __init__(self, feed: int, place: Place, what: frozenset[str], who: int, peer: str) -> None:
        self.feed = feed
        self.place = place
        self.what = what
        self.who = who
        self.peer = peer
        self.queue: deque[Written] = deque()
        self.wake = asyncio.Event()
        self.passed_over = False  # its place moved past events that it does not want, and its client does not know
        self.ended = ""

    def offer(self, event: Written) -> None:
        """The next event of the feed; one at or behind the listener's place is left out."""
        if event.place <= self.place or self.ended:
            return
        self.place = event.place
        if event.event not in self.what:
            self.passed_over = True
        elif len(self.queue) >= QUEUE_EVENTS:
            self.end("stream_too_slow")
        else:
            self.passed_over = False
            self.queue.append(event)
            self.wake.set()

    def end(self, code: str) -> None:
        """Nothing more comes; what was not taken yet comes again to whoever resumes."""
        self.ended = self.ended or code
        self.queue.clear()
        self.wake.set()


class Source(Protocol):
    """Where feeds come from."""

    async def read(self, connection: asyncpg.Connection, places: Mapping[int, Place], limit: int) -> list[Written]:
        """The next events of each feed after its place, at most so many of each, in order; complete up to the last."""

    async def look_after(self, connection: asyncpg.Connection, listeners: Sequence[Listener]) -> dict[int, str]:
        """Each CHECK_EVERY_S: by the listener's position here, the problem of those who may listen no longer."""

    def cursor(self, feed: int, place: Place) -> str:
        """The word by which a client goes on from a place."""

    def place(self, feed: int, cursor: str) -> Place | None:
        """The place that a word stands for; None: it is none of this feed."""


class LiveFeeds:
    """The listeners of one process to the feeds of one source."""

    def __init__(self, source: Source, reader: Reader, most: int, most_of_feed: int) -> None:
        """most: listeners at once; most_of_feed: of one feed among them."""
        self.source = source
        self.admitted: dict[int, set[Listener]] = {}  # by feed, those that read what they missed among them
        self.count = 0
        self.closed = False
        self.ended: defaultdict[str, int] = defaultdict(int)  # by what ended them
        self._reader = reader
        self._most = most
        self._most_of_feed = most_of_feed
        self._following: dict[int, set[Listener]] = {}
        self._places: dict[int, Place] = {}
        self._joined = asyncio.Event()

    def refusal(self, feed: int) -> str:
        """The problem that keeps one more from listening; empty: none."""
        if self.closed:
            return "draining"
        if self.count >= self._most:
            return "streams_full"
        return "too_many_streams" if len(self.admitted.get(feed, ())) >= self._most_of_feed else ""

    def admit(self, listener: Listener) -> None:
        """Count a listener; from here on it can be ended."""
        self.admitted.setdefault(listener.feed, set()).add(listener)
        self.count += 1
        self._joined.set()

    async def missed(self, listener: Listener) -> list[Written]:
        """The next page of what is behind a listener's back; empty: so little that it may follow."""
        asked = {listener.feed: listener.place}
        found = await self._reader.run(lambda connection: self.source.read(connection, asked, PAGE_EVENTS))
        if len(found) < PAGE_EVENTS:
            return []
        listener.place = found[-1].place
        return [event for event in found if event.event in listener.what]

    def follow(self, listener: Listener) -> None:
        """Hear from the listener's place on."""
        self._following.setdefault(listener.feed, set()).add(listener)
        self._places[listener.feed] = min(listener.place, self._places.get(listener.feed, listener.place))

    def leave(self, listener: Listener) -> None:
        """Hear nothing more."""
        self.ended[listener.ended or "left"] += 1
        self.count -= 1
        for here in (self.admitted, self._following):
            here.get(listener.feed, set()).discard(listener)
            if not here.get(listener.feed, True):
                del here[listener.feed]
        if listener.feed not in self._following:
            self._places.pop(listener.feed, None)

    def close(self) -> None:
        """End all: this process stops."""
        self.closed = True
        for listener in self._all():
            listener.end("draining")

    async def run(self) -> None:
        """Follow while anybody listens, until cancelled."""
        loop = asyncio.get_running_loop()
        check_at = 0.0
        while True:
            if not self.count:
                self._joined.clear()
                await self._joined.wait()
            try:
                if loop.time() >= check_at:
                    await self._check()
                    check_at = loop.time() + CHECK_EVERY_S
                if await self._follow():
                    continue
            except NotCommitted as fault:
                log.warning("job_waits", extra={"job": "live_feeds", "why": str(fault)})
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def _follow(self) -> bool:
        """One look at all feeds; whether there is more at once."""
        asked = dict(self._places)
        found = await self._reader.run(lambda connection: self.source.read(connection, asked, PAGE_EVENTS))
        last: dict[int, Place] = {}
        read: dict[int, int] = {}
        for event in found:
            last[event.feed] = event.place
            read[event.feed] = read.get(event.feed, 0) + 1
            for listener in self._following.get(event.feed, ()):
                listener.offer(event)
        for feed, place in last.items():
            if self._places.get(feed) == asked[feed]:  # else somebody joined behind it meanwhile: it is read again
                self._places[feed] = place
        return any(count == PAGE_EVENTS for count in read.values())

    async def _check(self) -> None:
        here = self._all()
        problems = await self._reader.run(lambda connection: self.source.look_after(connection, here))
        for position, code in problems.items():
            here[position].end(code)

    def _all(self) -> list[Listener]:
        return [listener for each in self.admitted.values() for listener in each]
