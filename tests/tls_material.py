"""Keys and certificates for tests, made by the openssl command: an authority, and certificates it signed.

What must not enter: what is tested with them.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

DAYS = "2"


class Certificate(NamedTuple):
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path

    @property
    def pin(self) -> str:
        """As a browser, or a connector's tls_pins, knows its key."""
        public = _openssl("x509", "-in", self.certificate, "-pubkey", "-noout")
        octets = _openssl("pkey", "-pubin", "-outform", "DER", given=public)
        return "sha256/" + base64.b64encode(hashlib.sha256(octets).digest()).decode()


def make_authority(folder: Path, name: str = "authority") -> Certificate:
    """A CA of one's own."""
    return _make(folder, name, ["-addext", "basicConstraints=critical,CA:TRUE"])


def make_certificate(
    folder: Path, authority: Certificate, name: str = "peer", subjects: str = "DNS:localhost,IP:127.0.0.1"
) -> Certificate:
    """A certificate for these subjectAltNames, signed by the authority."""
    signer = ["-CA", str(authority.certificate), "-CAkey", str(authority.key)]
    return _make(folder, name, [*signer, "-addext", f"subjectAltName={subjects}"])


def _make(folder: Path, name: str, more: list[str]) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    _openssl("req", "-x509", *kind, *files, "-days", DAYS, "-subj", f"/CN={name}", *more)
    return made


def _openssl(*words: object, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, check=True).stdout
