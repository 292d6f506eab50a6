"""Requests to URLs that customers name: made only to addresses that were resolved, checked and pinned.

Source: defaults page, "Webhooks" (server-side request forgery). Every address a name has is checked, and the socket
itself once more: no name, no spelling, no later answer of a DNS server leads to another one. No redirect is followed,
no proxy of the environment asked, no cookie kept, no body unpacked.
What must not enter: what is told to whom, retries, a log of URLs (they may hold tokens).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Final, Literal

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.webhooks.addresses import Network, is_permitted
from gateway.webhooks.targets import FILLED_CHARACTERS, Target, TargetFault, read_target

TIMEOUT_S: Final = 15.0  # defaults page: from the first packet of DNS to the last octet of the answer
ANSWER_OCTETS: Final = 4_096  # chosen: read of a body; the log keeps its beginning
RESOLVER_THREADS: Final = 16  # chosen: names asked at once; a DNS server that hangs holds one each
SOCKETS_LIMIT: Final = 400  # chosen: over all receivers
IDLE_S: Final = 10.0  # chosen: a socket is used again for the next delivery, below what servers keep it open
USER_AGENT: Final = "passerelle-webhooks/1"

Fault = (
    Literal["timeout", "unresolved", "forbidden_address", "tls", "connect", "closed", "not_http", "unwritable"]
    | TargetFault
)
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Outgoing(msgspec.Struct, frozen=True):
    """One request."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Found(msgspec.Struct, frozen=True):
    """What a request found: a status with the beginning of its body, or the word of a fault."""

    status: int | None
    body: bytes
    fault: Fault | Literal[""]
    took_ms: int


class ForbiddenAddress(OSError):
    """A name led to an address that a customer's URL may not lead to."""


class _CheckedAddresses(AbstractResolver):
    """Resolves a name and hands on its addresses only when all of them are permitted."""

    def __init__(self, resolve: Resolve, allowed: Sequence[Network]) -> None:
        self._resolve = resolve
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolve(host, port)
        if not addresses:
            raise OSError(f"{host} has no address")
        if not all(is_permitted(address, self._allowed) for address in addresses):
            raise ForbiddenAddress(f"{host} leads to an address that is not permitted")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class GuardedClient:
    """Sends requests to customers' URLs. One a process; used as an async context manager."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """allowed: private networks that URLs may lead to; resolve: (host, port) to its addresses, else the system."""
        self._allowed = tuple(allowed)
        self._tls = tls
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, "webhook names")
        self._resolve = resolve or self._ask_system
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> GuardedClient:
        connector = aiohttp.TCPConnector(
            resolver=_CheckedAddresses(self._resolve, self._allowed),
            use_dns_cache=False,
            limit=SOCKETS_LIMIT,
            keepalive_timeout=IDLE_S,
            socket_factory=self._open_socket,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),  # one deadline over all of it stands in send
            headers={"User-Agent": USER_AGENT},
            skip_auto_headers=("Accept-Encoding",),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask_system(self, host: str, port: int) -> list[str]:
        """The system's resolver, in threads of our own: nobody else waits behind a name server that hangs."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(info[4][0]) for info in found))

    def _open_socket(self, address: Any) -> socket.socket:
        """The last look, at the very address that is connected to: it also sees addresses that stood in the URL."""
        family, kind, protocol, _, place = address
        if not is_permitted(str(place[0]), self._allowed):
            raise ForbiddenAddress(f"{place[0]} is not permitted")
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        return opened

    async def send(self, request: Outgoing) -> Found:
        """Make one request. Never raises for what a receiver, its name server or its network does."""
        began = time.monotonic()

        def found(fault: Fault | Literal[""], status: int | None = None, body: bytes = b"") -> Found:
            return Found(status, body, fault, int((time.monotonic() - began) * 1000))

        target = read_target(request.url, self._allowed, FILLED_CHARACTERS)
        if not isinstance(target, Target):
            return found(target)
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await self._ask(request)
        except TimeoutError:
            return found("timeout")
        except aiohttp.ClientConnectorError as fault:
            return found(_why_not_connected(fault))
        except aiohttp.ClientSSLError:
            return found("tls")
        except (aiohttp.ClientConnectionError, ConnectionError):
            return found("closed")
        except (aiohttp.ClientError, ValueError):  # ValueError: aiohttp's word for some URLs and headers it cannot read
            return found("not_http")
        return found("", status, body)

    async def _ask(self, request: Outgoing) -> tuple[int, bytes]:
        assert self._session is not None
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            body = b""
            while len(body) < ANSWER_OCTETS and (piece := await response.content.read(ANSWER_OCTETS - len(body))):
                body += piece
            if not response.content.at_eof():
                response.close()  # the rest is not wanted, nor is the socket it comes on
            return response.status, body


def _why_not_connected(fault: aiohttp.ClientConnectorError) -> Fault:
    causes: list[BaseException | None] = [fault.os_error, fault.__cause__, fault.os_error.__cause__]
    if any(isinstance(cause, ForbiddenAddress) for cause in causes):
        return "forbidden_address"
    if isinstance(fault, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        return "tls"
    return "unresolved" if isinstance(fault, aiohttp.ClientConnectorDNSError) else "connect"
