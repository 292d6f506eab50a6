"""The door by TLS: the same rules as without, certificates that change, handshakes that fail or never end.

RFC 8446, RFC 5246; clients are Python's own TLS. What must not enter: binding and submitting as such.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.ingress.tls import CHUNK, CertificateFault, Certificates, TlsChannel, TlsSettings, load_context
from gateway.smpp.pdus import BindTransceiver, EnquireLink, EnquireLinkResp
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.gateway.ingress.conftest import Door, open_door
from tests.gateway.raw_peer import WITHIN_S, RawPeer, raw_peer, submit
from tests.tls_material import Certificate, make_authority, make_certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def own(authority: Certificate, tmp_path: Path) -> Certificate:
    """The door's certificate, where a test may renew it."""
    return make_certificate(tmp_path, authority, "door")


def renew(own: Certificate, authority: Certificate, folder: Path) -> None:
    """Put another pair in its place, file by file, as a renewal does."""
    fresh = make_certificate(folder, authority, "fresh")
    fresh.key.replace(own.key)
    fresh.certificate.replace(own.certificate)


def settings(own: Certificate, **given: Any) -> TlsSettings:
    plain = TlsSettings("127.0.0.1", 0, own.certificate, own.key)
    return msgspec.structs.replace(plain, **given)


def client(authority: Certificate, own: Certificate | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


@contextlib.asynccontextmanager
async def peer_by_tls(door: Door, context: ssl.SSLContext) -> AsyncIterator[RawPeer]:
    async with raw_peer(door.server.tls_port, ssl=context, server_hostname="localhost") as peer:
        yield peer


def serial_of(peer: RawPeer) -> str:
    found: str = peer.writer.get_extra_info("peercert")["serialNumber"]
    return found


# ---------------------------------------------------------------- conversations


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_conversation_by_tls_is_the_same_as_without(
    ground: Ground, authority: Certificate, own: Certificate, version: ssl.TLSVersion
) -> None:
    context = client(authority)
    context.minimum_version = context.maximum_version = version
    async with open_door(ground, tls=settings(own)) as door, peer_by_tls(door, context) as peer:
        assert await peer.bind() == 0
        peer.write(*[submit(b"x" * 200, registered_delivery=0) for _ in range(90)])
        assert {(await peer.read()).command_status for _ in range(90)} == {0}
        async with door.peer() as plain:
            assert await plain.bind(password="wrong") == 0x0D
        assert door.life.tallies.tls_handshakes == {"established": 1}


async def test_limits_count_tls_and_plain_together(ground: Ground, authority: Certificate, own: Certificate) -> None:
    async with open_door(ground, tls=settings(own)) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True), peer_by_tls(door, client(authority)) as second:
            (connection,) = [each for each in door.server.connections if each.esme is not None]
            connection.session.tick(connection.session.heard_at)
            answer = await ask_while_alive(second, door)
            assert answer == 0x0D
            assert await second.is_closed()


async def ask_while_alive(peer: RawPeer, door: Door) -> int:
    """Bind where every silent bind is heard of at once, so none is taken over."""
    door.server.binding._policy = msgspec.structs.replace(door.server.binding._policy, takeover_silence_s=3600.0)
    return await peer.bind()


async def test_any_chunking_of_the_wire_gives_the_same(own: Certificate) -> None:
    """Two channels in memory: a client's octets one at a time, and answers of several records."""
    server = TlsChannel(load_context(settings(own)))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    heard = b""

    def carry() -> bytes:
        plain = b"".join(server.receive_data(bytes([octet])) for octet in outgoing.read())
        incoming.write(server.data_to_send())
        return plain

    while True:
        try:
            peer.do_handshake()
            break
        except ssl.SSLWantReadError:
            carry()
    carry()
    assert server.established
    peer.write(b"question")
    heard += carry()
    server.send(b"a" * (3 * CHUNK + 5))
    incoming.write(server.data_to_send())
    answer = b""
    while len(answer) < 3 * CHUNK + 5:
        answer += peer.read(65_536)
    assert (heard, answer) == (b"question", b"a" * (3 * CHUNK + 5))
    with contextlib.suppress(ssl.SSLWantReadError):
        peer.unwrap()
    carry()
    assert server.ended


# ---------------------------------------------------------------- who is not let in


async def test_a_client_without_the_right_certificate_never_binds(
    ground: Ground, authority: Certificate, own: Certificate, tmp_path: Path
) -> None:
    strangers = make_authority(tmp_path, "strangers")
    known, unknown = (make_certificate(tmp_path, each, f"of {each.key.stem}") for each in (authority, strangers))
    tls = settings(own, client_ca=authority.certificate)
    async with open_door(ground, tls=tls) as door:
        async with peer_by_tls(door, client(authority, known)) as peer:
            assert await peer.bind() == 0
        for pair in (None, unknown):
            with pytest.raises(
                (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
            ):  # 1.3: told at the first read
                async with peer_by_tls(door, client(authority, pair)) as peer:
                    await peer.bind()
        await eventually(lambda: door.life.tallies.tls_handshakes["failed"] == 2, WITHIN_S)


async def test_an_old_version_is_refused(ground: Ground, authority: Certificate, own: Certificate) -> None:
    context = client(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with open_door(ground, tls=settings(own, minimum_version="1.3")) as door:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with peer_by_tls(door, context):
                pass
        await eventually(lambda: door.life.tallies.tls_handshakes["failed"] == 1, WITHIN_S)


async def test_what_is_no_tls_is_closed_and_told(
    ground: Ground, own: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "passerelle.ingress"):
        async with open_door(ground, tls=settings(own)) as door, raw_peer(door.server.tls_port) as plain:
            plain.write(BindTransceiver(system_id="ours1", password="secret"))
            while await plain.reader.read(1000):  # the alert
                pass
            await eventually(lambda: not door.server.connections, WITHIN_S)
    assert "tls_handshake_failed" in [record.message for record in caplog.records]


async def test_a_handshake_that_never_comes_ends_and_counts_as_a_connection_until_then(
    ground: Ground, own: Certificate
) -> None:
    tls = settings(own, handshake_timeout_s=0.5)
    async with open_door(ground, tls=tls, max_sessions=1) as door, raw_peer(door.server.tls_port) as mute:
        await eventually(lambda: door.server.connections or door.life.tallies.tls_handshakes["failed"], WITHIN_S)
        assert await mute.is_closed()
        assert door.life.tallies.tls_handshakes == {"failed": 1}
        async with door.peer(bound=True):
            pass


async def test_handshakes_under_way_fill_the_door(ground: Ground, own: Certificate) -> None:
    async with open_door(ground, tls=settings(own), max_sessions=1) as door, raw_peer(door.server.tls_port):
        await eventually(lambda: len(door.server.connections) == 1, WITHIN_S)
        async with door.peer() as late:
            assert await late.is_closed()
        assert door.life.tallies.refused_connections["max_sessions"] == 1


async def test_a_broken_record_ends_its_connection_only(
    ground: Ground, authority: Certificate, own: Certificate
) -> None:
    async with open_door(ground, tls=settings(own)) as door, contextlib.AsyncExitStack() as stack:
        stack.enter_context(contextlib.suppress(ssl.SSLError))  # the alert, which the peer may still read
        peer = await stack.enter_async_context(peer_by_tls(door, client(authority)))
        assert await peer.bind() == 0
        async with door.peer(bound=True) as other:
            (connection,) = [each for each in door.server.connections if each._tls is not None]
            door.server.read_buffer[:5] = b"\x17\x03\x03\x00\x01"
            connection.buffer_updated(5)
            door.server.read_buffer[:1] = b"\x00"
            connection.buffer_updated(1)
            await eventually(lambda: connection not in door.server.connections, WITHIN_S)
            assert type(await other.ask(EnquireLink())) is EnquireLinkResp


# ---------------------------------------------------------------- certificates that change


async def test_a_new_certificate_serves_new_connections_and_ends_none(
    ground: Ground, authority: Certificate, own: Certificate, tmp_path: Path
) -> None:
    async with open_door(ground, tls=settings(own)) as door, peer_by_tls(door, client(authority)) as before:
        assert await before.bind() == 0
        renew(own, authority, tmp_path)
        assert door.server.certificates is not None
        door.server.certificates.reload_changed()
        async with peer_by_tls(door, client(authority)) as after:
            assert await after.bind() == 0
            assert serial_of(after) != serial_of(before)
            assert (await before.ask(submit())).command_status == 0


def test_a_certificate_is_read_again_only_when_it_changed(
    authority: Certificate, own: Certificate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "passerelle.ingress"):
        certificates = Certificates(settings(own))
        certificates.reload_changed()
        assert not caplog.records
        renew(own, authority, tmp_path)
        certificates.reload_changed()
        certificates.reload_changed()
    assert [record.message for record in caplog.records] == ["tls_certificate_loaded"]


@pytest.mark.parametrize("damage", ["other key", "no certificate", "gone"])
def test_what_cannot_be_used_leaves_the_former_certificate(
    authority: Certificate, own: Certificate, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates(settings(own))
    before = certificates._context
    if damage == "other key":
        make_certificate(tmp_path, authority, "other").key.replace(own.key)
    elif damage == "no certificate":
        own.certificate.write_text("nothing")
    else:
        own.certificate.unlink()
    with caplog.at_level(logging.INFO, "passerelle.ingress"):
        certificates.reload_changed()
    assert [record.message for record in caplog.records] == ["tls_certificate_refused"]
    assert str(own.certificate) in caplog.records[0].why  # type: ignore[attr-defined]
    assert certificates._context is before
    with pytest.raises(CertificateFault, match=own.certificate.name):
        Certificates(settings(own))
