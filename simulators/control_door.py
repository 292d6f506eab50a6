"""The control door of a simulator: JSON lines over TCP, so that a fault test steers it while it runs.

One object a line, answered by one line: {"ok": true, ...} or {"ok": false, "error": why}. Format: chosen.
What must not enter: which requests there are; each simulator answers its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from simulators.plain_values import Endpoint

LINE_LIMIT = 64 << 10  # octets of a request; longer ones end the connection; chosen
DOORS_LIMIT = 16  # control connections at a time; chosen

Obey = Callable[[dict[str, object]], dict[str, object]]  # ValueError or TypeError: why not


def answer_line(obey: Obey, line: bytes) -> dict[str, object]:
    """The answer to one request line."""
    try:
        return {"ok": True} | obey(msgspec.json.decode(line, type=dict[str, object]))
    except (ValueError, TypeError) as error:  # msgspec's errors are ValueErrors
        return {"ok": False, "error": str(error)}


class ControlDoor:
    """The listener of the control port. close() ends it and its connections."""

    def __init__(self, obey: Obey) -> None:
        self._obey = obey
        self._server: asyncio.Server | None = None
        self._visitors: set[_Visitor] = set()

    async def open(self, endpoint: Endpoint) -> int:
        """Listen; return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Visitor(self._obey, self._visitors), endpoint.host, endpoint.port
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is None:
            return
        self._server.close()
        visitors = list(self._visitors)
        for visitor in visitors:
            visitor.transport.abort()
        if visitors:
            await asyncio.wait([visitor.gone for visitor in visitors])
        await self._server.wait_closed()


class _Visitor(asyncio.Protocol):
    """One control connection."""

    transport: asyncio.Transport

    def __init__(self, obey: Obey, visitors: set[_Visitor]) -> None:
        self._obey = obey
        self._visitors = visitors
        self._received = b""
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._visitors.add(self)
        if len(self._visitors) > DOORS_LIMIT:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self.transport.write(msgspec.json.encode(answer_line(self._obey, line)) + b"\n")
        if len(self._received) > LINE_LIMIT:
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._visitors.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)
