"""A certificate authority of one test, by the openssl program: certificates for localhost, and for clients.

What must not enter: TLS itself; a test gives these files to the parts it is about.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path

    def copy_to(self, other: Pair) -> None:
        """Put this pair in another's place, as a renewal does: whole files, the key first."""
        for source, target in ((self.key, other.key), (self.certificate, other.certificate)):
            fresh = target.with_suffix(".fresh")
            shutil.copy(source, fresh)
            fresh.replace(target)


class Authority:
    """Signs for as long as a test lasts (two days)."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._own = self._pair("authority")
        _openssl("req", "-x509", *_new_key(self._own), "-days", "2", "-subj", f"/CN={name}")

    @property
    def certificate(self) -> Path:
        """What others trust."""
        return self._own.certificate

    def sign(self, name: str = "localhost") -> Pair:
        """A new certificate for `name`, which is also its DNS name, and for 127.0.0.1."""
        pair = self._pair(f"{name}-{len(list(self._folder.iterdir()))}")
        names = f"subjectAltName=DNS:{name},IP:127.0.0.1"
        issuer = ("-CA", str(self._own.certificate), "-CAkey", str(self._own.key))
        _openssl("req", "-x509", *_new_key(pair), *issuer, "-days", "2", "-subj", f"/CN={name}", "-addext", names)
        return pair

    def _pair(self, name: str) -> Pair:
        return Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")


def _new_key(pair: Pair) -> tuple[str, ...]:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
    return (*curve, "-keyout", str(pair.key), "-out", str(pair.certificate))


def _openssl(*words: str) -> None:
    done = subprocess.run(("openssl", *words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
