"""TLS towards a carrier: whom we believe, and by which key we know it.

Source: RFC 8446, RFC 6125 (host names), RFC 7469 2.4 (pins: base64 of the SHA-256 of the SubjectPublicKeyInfo); X.690.
What must not enter: connecting (carrier_link.py), reading the TOML.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
from pathlib import Path
from typing import Final

import msgspec

PIN_OCTETS: Final = 32
SEQUENCE, CONTEXT_0 = 0x30, 0xA0  # X.690 8.9; RFC 5280 4.1: the version stands there
FIELDS_BEFORE_KEY: Final = 5  # RFC 5280 4.1.2: serialNumber, signature, issuer, validity, subject


class TlsFault(Exception):
    """What TLS was configured with cannot be used; the text names the file and the remedy."""


class TlsClient(msgspec.Struct, frozen=True):
    """What a link needs to speak TLS. server_name "": the host that it connects to."""

    context: ssl.SSLContext
    server_name: str
    pins: frozenset[bytes]


def load_tls_client(
    ca: Path | None,
    server_name: str = "",
    pins: tuple[str, ...] = (),
    certificate: Path | None = None,
    key: Path | None = None,
) -> TlsClient:
    """ca: PEM of whom to believe, None for those of the system; certificate and key: ours, where the carrier asks.

    Raises TlsFault.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as fault:
        raise TlsFault(f"tls_ca {ca}: {_reason(fault)}; put the carrier's CA there, as PEM") from fault
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except OSError as fault:
            raise TlsFault(f"tls_certificate {certificate} with tls_key {key}: {_reason(fault)}") from fault
    return TlsClient(context, server_name, frozenset(_pin(each) for each in pins))


def _pin(text: str) -> bytes:
    try:
        octets = base64.b64decode(text.removeprefix("sha256/"), validate=True)
    except binascii.Error:
        octets = b""
    if len(octets) != PIN_OCTETS:
        raise TlsFault(f"tls_pins: {text!r} is no base64 of a SHA-256; write sha256/...=")
    return octets


def pin_of(certificate: bytes) -> bytes:
    """The SHA-256 of the public key in a DER certificate. ValueError: it is none."""
    _, tbs, _ = _element(_element(certificate)[1])
    kind, _, end = _element(tbs)
    at = end if kind == CONTEXT_0 else 0
    for _ in range(FIELDS_BEFORE_KEY):
        at += _element(tbs[at:])[2]
    return hashlib.sha256(tbs[at : at + _element(tbs[at:])[2]]).digest()


def _element(octets: bytes) -> tuple[int, bytes, int]:
    """Tag, content and whole length of the first element."""
    if len(octets) < 2:
        raise ValueError("no certificate: it ends early")
    length, start = octets[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(octets[2:start], "big")
    if start + length > len(octets):
        raise ValueError("no certificate: it ends early")
    return octets[0], octets[start : start + length], start + length


def pin_fault(certificate: bytes | None, tls: TlsClient) -> str:
    """Why a peer is not the one we know; "": it is, or nobody asked."""
    if not tls.pins:
        return ""
    found = pin_of(certificate or b"")
    if found in tls.pins:
        return ""
    shown = base64.b64encode(found).decode()
    return f"the carrier's key is sha256/{shown}, which is not in tls_pins: ask the carrier, then add it or stay away"


def why_not(fault: OSError) -> str:
    """A failed handshake in words that name the culprit and the remedy; other faults as they are."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the carrier's certificate is not accepted: {fault.verify_message}; see tls_ca and tls_server_name"
    if isinstance(fault, ssl.SSLError):
        return f"no TLS with the carrier: {_reason(fault)}; is it a TLS port, of version 1.2 or newer?"
    return str(fault)


def _reason(fault: OSError) -> str:
    reason = fault.reason if isinstance(fault, ssl.SSLError) else fault.strerror
    return reason or str(fault)
