"""A customer's HTTP server that receives webhooks, and fails on purpose where a test says so.

What belongs here: answers by word or status, what was received. What must not enter: what one test wants to prove.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.eventually import eventually

WITHIN_S = 30.0  # chosen: far beyond what a busy machine needs
PIECE = b"x" * 65_536


@dataclass(frozen=True)
class Received:
    """One request, whole."""

    method: str
    path: str  # with its query, as it was written
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """answer: a status, or hang, drip, huge, close, redirect; text: the body of a plain answer."""

    port: int = 0
    answer: int | str = 200
    text: str = "thank you"
    location: str = ""  # where redirect points to
    received: list[Received] = field(default_factory=list)
    hanging: int = 0  # requests that wait for `released`
    released: asyncio.Event = field(default_factory=asyncio.Event)  # ends what hangs
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        """webhook-id of every request, in order."""
        return [request.headers["webhook-id"] for request in self.received]

    async def got(self, count: int) -> list[Received]:
        """Wait for so many requests."""
        await eventually(lambda: len(self.received) >= count, WITHIN_S, f"{count} requests")
        return self.received

    async def respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.received.append(Received(request.method, request.raw_path, dict(request.headers), body))
        if isinstance(self.answer, int):
            return web.Response(status=self.answer, text=self.text)
        if self.answer == "redirect":
            return web.Response(status=302, headers={"Location": self.location})
        if self.answer == "hang":
            self.hanging += 1
            await self.released.wait()
            return web.Response(text=self.text)
        if self.answer == "close":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return await self._stream(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            while not self.released.is_set():
                await response.write(PIECE if self.answer == "huge" else b".")
                if self.answer == "drip":
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await self.released.wait()
        return response


@contextlib.asynccontextmanager
async def webhook_receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver(scheme="https" if tls else "http")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()
