"""A client of event streams, as the HTML standard (9.2.6) has it: lines become events, the last id stays.

What belongs here: one stream over HTTP, read piece by piece. What must not enter: what a test expects of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tests.admin_api.conftest import Api
from tests.eventually import PATIENCE_S


class Heard(NamedTuple):
    """One event."""

    event: str
    data: Any
    last_id: str


class EventSource:
    """A stream that is open."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""
        self.retry_ms = 0
        self.comments = 0

    async def begin(self) -> None:
        """The head, which is no event: how long to wait before coming back, and from where on."""
        async with asyncio.timeout(PATIENCE_S):
            retry, last_id, end = [await self.answer.content.readline() for _ in range(3)]
        self.retry_ms = int(retry.removeprefix(b"retry: "))
        self.last_id = last_id.decode().strip().removeprefix("id: ")
        assert end == b"\n"

    async def line(self) -> bytes:
        """The next line; what has a meaning by itself is taken up."""
        async with asyncio.timeout(PATIENCE_S):
            line = await self.answer.content.readline()
        if line.startswith(b"id: "):
            self.last_id = line.decode().strip().removeprefix("id: ")
        self.comments += line.startswith(b":")
        return line

    async def next(self) -> Heard | None:
        """The next event; None: the stream ended."""
        event, data = "", ""
        while line := (await self.line()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n" and data:
                return Heard(event, msgspec.json.decode(data), self.last_id)
            if line == "\n":
                event = ""  # 9.2.6: without data there is no event, but its id counts
            elif name == "event":
                event = value
            elif name == "data":
                data += value
        return None

    async def take(self, count: int) -> list[Heard]:
        """So many events."""
        found = []
        for _ in range(count):
            heard = await self.next()
            assert heard is not None, "the stream ended"
            assert heard.event != "stream.closed", heard
            found.append(heard)
        return found


@contextlib.asynccontextmanager
async def listening(
    api: Api, query: str = "", last_id: str = "", path: str = "/v1/events/stream"
) -> AsyncIterator[EventSource]:
    """A stream of the key's account, from when it is open; left in the middle at the end."""
    headers = {"Authorization": f"Bearer {api.key}"} | ({"Last-Event-ID": last_id} if last_id else {})
    async with api.http.get(
        f"{api.url}{path}{query}", headers=headers, timeout=aiohttp.ClientTimeout(total=None)
    ) as answer:
        assert answer.status == 200, await answer.text()
        stream = EventSource(answer)
        await stream.begin()
        yield stream
