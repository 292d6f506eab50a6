"""The API by TLS of its own: what it presents, what browsers are told, a renewal that ends no connection.

The client is Python's own TLS. What must not enter: what is answered, the files as such (tests/gateway/ingress).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from admin_api.process import ApiFault
from gateway.daemon.configuration_schema import AdminApiTls, Endpoint, FileReference
from tests.admin_api.conftest import api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.running_node import free_port
from tests.tls_material import Certificate, make_authority, make_certificate


class Peer:
    """One connection by TLS that is kept, and asked by HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.tls: ssl.SSLObject = writer.get_extra_info("ssl_object")

    @property
    def serial(self) -> object:
        """Of the certificate that was presented."""
        certificate = self.tls.getpeercert()
        assert certificate is not None
        return certificate["serialNumber"]

    async def ask(self, path: str) -> dict[str, str]:
        """The headers of the answer; its body is read and forgotten."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        _, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        await self._reader.readexactly(int(headers["Content-Length"]))
        return headers


@contextlib.asynccontextmanager
async def peer(endpoint: Endpoint, authority: Certificate, newest: ssl.TLSVersion | None = None) -> AsyncIterator[Peer]:
    context = ssl.create_default_context(cafile=authority.certificate)
    if newest is not None:
        context.maximum_version = newest
    reader, writer = await asyncio.open_connection(
        endpoint.host, endpoint.port, ssl=context, server_hostname="localhost"
    )
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_renewed_certificate_serves_new_connections_and_ends_none(ground: Ground, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    own = make_certificate(tmp_path, authority, "api")
    door = Endpoint("127.0.0.1", free_port())
    tls = AdminApiTls(FileReference(own.certificate), FileReference(own.key), minimum_version="1.3")
    configuration = api_configuration(ground, tls=tls, jasmin_listen=door)
    listen = configuration.admin_api.listen
    async with running_api(ground, configuration), peer(listen, authority) as before:
        for path in ("/docs", "/errors", "/v1/nothing", "/v1/balance"):
            told = await before.ask(path)
            assert told["Strict-Transport-Security"] == "max-age=31536000"
            assert "default-src 'none'" in told["Content-Security-Policy"]
        async with peer(door, authority) as jasmin:
            assert "Strict-Transport-Security" in await jasmin.ask("/ping")
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            async with peer(listen, authority, ssl.TLSVersion.TLSv1_2):
                pass

        fresh = make_certificate(tmp_path, authority, "fresh")
        fresh.key.replace(own.key)
        fresh.certificate.replace(own.certificate)
        os.kill(os.getpid(), signal.SIGHUP)

        async def is_presented() -> bool:
            async with peer(listen, authority) as after:
                return after.serial != before.serial

        await eventually(is_presented, 30, "new connections get the new certificate")
        assert (await before.ask("/docs"))["Server"] == "passerelle", "the former connection lives on"


async def test_a_certificate_that_cannot_be_used_is_named_at_start(ground: Ground, tmp_path: Path) -> None:
    own = make_certificate(tmp_path, make_authority(tmp_path), "api")
    own.key.write_text("nothing")
    tls = AdminApiTls(FileReference(own.certificate), FileReference(own.key))
    with pytest.raises(BaseExceptionGroup) as caught:
        async with running_api(ground, api_configuration(ground, tls=tls)):
            pass
    assert caught.group_contains(ApiFault, match="api.pem")


async def test_without_tls_no_browser_is_told_to_insist_on_it(ground: Ground) -> None:
    async with running_api(ground, api_configuration(ground)) as api:
        assert "Strict-Transport-Security" not in (await api.ask("GET", "/docs")).headers
