"""TLS at the door: one channel a connection as a conversation between values; certificates that change meanwhile.

Source: RFC 8446, RFC 5246; Python's ssl over memory buffers (SSLObject), because asyncio's own TLS keeps 256 KiB for
each connection and does not tell of a connection before its handshake ended.
What must not enter: sockets, and any rule about who may bind: behind TLS and without it the same ones hold.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Final, Literal

import msgspec

log = logging.getLogger("passerelle.ingress")

CHUNK: Final = 16_384  # RFC 8446 5.1: the most plaintext a record holds
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsSettings(msgspec.Struct, frozen=True):
    """From configuration [smpp_server.tls]."""

    host: str
    port: int
    certificate: Path
    key: Path
    client_ca: Path | None = None
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    handshake_timeout_s: float = 10.0


class CertificateFault(Exception):
    """The certificate, its key or the client CA cannot be used; the text names the file."""


class TlsChannel:
    """The server's side of one TLS connection: octets of the wire in and out, plaintext in and out."""

    __slots__ = ("_incoming", "_outgoing", "_ssl", "established", "ended")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.ended = False  # the peer said goodbye

    def receive_data(self, data: bytes) -> bytes:
        """Take octets of the wire; the plaintext in them, b"" while the handshake goes on. Raises ssl.SSLError."""
        self._incoming.write(data)
        plain: list[bytes] = []
        try:
            if not self.established:
                self._ssl.do_handshake()
                self.established = True
            while chunk := self._ssl.read(CHUNK):
                plain.append(chunk)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        return plain[0] if len(plain) == 1 else b"".join(plain)

    def send(self, plain: bytes) -> None:
        """Encrypt; data_to_send() has it."""
        view = memoryview(plain)
        while view:
            view = view[self._ssl.write(view) :]

    def close(self) -> None:
        """Say goodbye (close_notify) to a peer that may not answer."""
        if self.established:
            try:
                self._ssl.unwrap()
            except ssl.SSLError:
                return  # it wants the peer's goodbye, which nobody waits for

    def data_to_send(self) -> bytes:
        """Take the octets that wait for the wire."""
        return self._outgoing.read()


class Certificates:
    """The certificate in force. Living connections keep the one they began with."""

    def __init__(self, settings: TlsSettings) -> None:
        """Raises CertificateFault."""
        self.settings = settings
        self._seen = self._stamps()
        self._context = load_context(settings)

    def channel(self) -> TlsChannel:
        """For one more connection."""
        return TlsChannel(self._context)

    def server_context(self) -> ssl.SSLContext:
        """For a server that wraps its sockets itself: each of its connections begins with the certificate in force."""
        context = load_context(self.settings)
        context.sni_callback = (
            self._present
        )  # OpenSSL asks it of every ClientHello, also without a name (Python docs, ssl)
        return context

    def _present(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._context

    def reload_changed(self) -> None:
        """Read the files again when one of them changed."""
        if self._stamps() != self._seen:
            self.reload()

    def reload(self) -> None:
        """Read the files again; what cannot be used leaves the former certificate in force."""
        self._seen = self._stamps()
        try:
            self._context = load_context(self.settings)
        except CertificateFault as fault:
            log.error("tls_certificate_refused", extra={"why": str(fault), "remedy": "the former one stays in force"})
        else:
            log.info("tls_certificate_loaded", extra={"file": str(self.settings.certificate)})

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [
            _stamp(file) for file in (self.settings.certificate, self.settings.key, self.settings.client_ca) if file
        ]


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def load_context(settings: TlsSettings) -> ssl.SSLContext:
    """The server's context. Raises CertificateFault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[settings.minimum_version]
    context.options |= ssl.OP_NO_RENEGOTIATION  # a peer may make us compute only once
    context.num_tickets = 0  # binds live for days: nothing to resume, and each ticket is kept in memory
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as fault:
        raise CertificateFault(f"certificate {settings.certificate} with key {settings.key}: {_why(fault)}") from fault
    if settings.client_ca is not None:
        try:
            context.load_verify_locations(settings.client_ca)
        except (OSError, ssl.SSLError) as fault:
            raise CertificateFault(f"client CA {settings.client_ca}: {_why(fault)}") from fault
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _why(fault: OSError) -> str:
    reason = fault.reason if isinstance(fault, ssl.SSLError) else fault.strerror
    return reason or str(fault)
