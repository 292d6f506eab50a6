"""The ports for customers: who is at the other end, how many connections there may be, how long a silent one stays.

A connection whose request's head is not there after IDLE_S is closed (aiohttp's keep-alive timer runs from the start),
and of one address there are so many: slow heads cost bounded time and a bounded share. X-Forwarded-For is believed of
proxies that the TOML names, and of nobody else.
What must not enter: requests (application.py, doors).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from gateway.daemon.configuration_schema import AdminApi, Endpoint
from gateway.ingress.lockout import source_of

IDLE_S: Final = 75.0  # chosen: above the 60 s for which nginx keeps a connection to us
HEAD_FIELDS: Final = 100  # chosen: header fields; clients write some 20, proxies add 10
LONGEST_CHAIN: Final = 20  # chosen: addresses of X-Forwarded-For that are looked at, from the nearest
BACKLOG: Final = 1024  # chosen: connections that wait to be taken

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def plain_address(text: str) -> Address | None:
    """An address without its scope; an IPv4 one written as IPv6 is the IPv4 one. None: it is none."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class Peers:
    """Who asks, where proxies stand before us. Raises ValueError for what is no network."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._proxies = tuple(ipaddress.ip_network(each) for each in proxies)

    def is_proxy(self, address: str) -> bool:
        """Whether an address is one of our proxies."""
        found = plain_address(address) if self._proxies else None
        return found is not None and any(found in network for network in self._proxies)

    def address_of(self, request: web.Request) -> str:
        """The address of the socket; behind our proxies the nearest that they tell and that is none of them."""
        address = request.remote or ""
        if not self.is_proxy(address):
            return address
        told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for each in reversed(told[-LONGEST_CHAIN:]):
            found = plain_address(each)
            if found is None:
                break
            address = str(found)
            if not self.is_proxy(address):
                break
        return address


class Room:
    """How many connections there are over all ports, and of each source."""

    def __init__(self, most: int, most_of_one: int, peers: Peers) -> None:
        self._most, self._most_of_one, self._peers = most, most_of_one, peers
        self._of: Counter[str] = Counter()
        self.count = self.refused = 0

    def enter(self, address: str) -> bool:
        """Count one in, unless it is too many; proxies bring everybody's."""
        source = source_of(address)
        full = self._of[source] >= self._most_of_one and not self._peers.is_proxy(address)
        if full or self.count >= self._most:
            self.refused += 1
            return False
        self._of[source] += 1
        self.count += 1
        return True

    def leave(self, address: str) -> None:
        """Count one out."""
        source = source_of(address)
        self.count -= 1
        self._of[source] -= 1
        if not self._of[source]:
            del self._of[source]


class _Counted(asyncio.Protocol):
    """One connection: counted, then aiohttp's; closed at once where there is no room."""

    def __init__(self, inner: asyncio.Protocol, room: Room) -> None:
        self._inner, self._room = inner, room
        self._address: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        address = str(transport.get_extra_info("peername", ("",))[0])
        if not self._room.enter(address):
            transport.abort()  # type: ignore[attr-defined]  # a stream's transport
            return
        self._address = address
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._address is not None:
            self._room.leave(self._address)
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._address is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._address is not None else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


class Listener:
    """Every port of one process that customers reach. Raises ValueError for trusted_proxies."""

    def __init__(self, settings: AdminApi) -> None:
        self.peers = Peers(settings.trusted_proxies)
        self.room = Room(settings.connections, settings.connections_per_address, self.peers)
        self._runners: list[web.AppRunner] = []
        self._servers: list[asyncio.Server] = []

    async def open(self, app: web.Application, listen: Endpoint, context: ssl.SSLContext | None) -> None:
        """Serve an application at a port. Raises OSError when it is taken.

        Nothing is unpacked, and what aiohttp cannot read as HTTP it answers with 400 by itself: no event for a log.
        """
        silent = logging.getLogger("passerelle.unreadable")
        silent.setLevel(logging.CRITICAL)
        bounds: dict[str, Any] = {"keepalive_timeout": IDLE_S, "max_headers": HEAD_FIELDS}
        bounds |= {"auto_decompress": False, "access_log": None, "logger": silent, "shutdown_timeout": 1.0}
        runner = web.AppRunner(app, **bounds)
        await runner.setup()
        self._runners.append(runner)
        server = runner.server
        assert server is not None
        opened = await asyncio.get_running_loop().create_server(
            lambda: _Counted(server(), self.room), listen.host, listen.port, ssl=context, backlog=BACKLOG
        )
        self._servers.append(opened)

    def stop(self) -> None:
        """Take no new connection."""
        for server in self._servers:
            server.close()

    async def close(self) -> None:
        """End what is left."""
        self.stop()
        for runner in self._runners:
            await runner.cleanup()
