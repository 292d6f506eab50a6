"""The control door of the SMSC simulator: JSON lines over TCP, so that a fault test steers it while it runs.

One object a line, answered by one line: {"statistics": true}, {"settings": true}, {"set": {"silence": 1.0}},
{"inbound": {"source_addr", "destination_addr", "text", "system_id"}}, {"disconnect": "drop|unbind|half-open"}.
What must not enter: what a change does; SimulatedSmsc knows it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Protocol

import msgspec

from simulators.plain_values import Endpoint
from simulators.smsc.settings import SmscSettings

LINE_LIMIT = 64 << 10  # octets of a request; longer ones end the connection; chosen
DOORS_LIMIT = 16  # control connections at a time; chosen


class Steered(Protocol):
    """What the door needs of a simulator."""

    settings: SmscSettings

    def report(self) -> dict[str, object]:
        """The statistics as plain values."""

    def change(self, plain: Mapping[str, object]) -> None:
        """Change settings; ValueError says why not."""

    def deliver_inbound(self, source_addr: str, destination_addr: str, text: str, system_id: str = "") -> str:
        """Inject a mobile originated message; return its ref."""

    def disconnect(self, how: str = "drop") -> int:
        """End the connections; return how many."""


def answer(steered: Steered, line: bytes) -> dict[str, object]:
    """The answer to one request line: {"ok": true, ...} or {"ok": false, "error": why}."""
    try:
        asked = msgspec.json.decode(line, type=dict[str, object])
        return {"ok": True} | _obey(steered, asked)
    except (ValueError, TypeError) as error:  # msgspec's errors are ValueErrors
        return {"ok": False, "error": str(error)}


def _obey(steered: Steered, asked: dict[str, object]) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, argument in asked.items():
        match name, argument:
            case "statistics", _:
                told["statistics"] = steered.report()
            case "settings", _:
                values = dataclasses.asdict(steered.settings) | {"password": None}
                told["settings"] = {name: str(getattr(steered.settings, name)) for name in values if name != "password"}
            case "set", dict():
                steered.change(argument)
            case "inbound", dict():
                told["ref"] = steered.deliver_inbound(**argument)
            case "disconnect", str():
                told["disconnected"] = steered.disconnect(argument)
            case _:
                raise ValueError(f"unknown request {name!r}")
    return told


class ControlDoor:
    """The listener of the control port. close() ends it and its connections."""

    def __init__(self, steered: Steered) -> None:
        self._steered = steered
        self._server: asyncio.Server | None = None
        self._visitors: set[_Visitor] = set()

    async def open(self, endpoint: Endpoint) -> int:
        """Listen; return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Visitor(self._steered, self._visitors), endpoint.host, endpoint.port
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

    def __init__(self, steered: Steered, visitors: set[_Visitor]) -> None:
        self._steered = steered
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
            self.transport.write(msgspec.json.encode(answer(self._steered, line)) + b"\n")
        if len(self._received) > LINE_LIMIT:
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._visitors.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)
