"""Whether a bind's words are right: argon2id once, a keyed hash afterwards, in equal time for a wrong name and a
wrong word.

Source: defaults.md, Operations (argon2id only off the bind path). Hashing runs beside the loop, one at a time.
What must not enter: what a login may do (bind limits, addresses), sockets.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor

import argon2

from gateway.storage.facts import EsmeRow

REMEMBERED_LIMIT = 20_000  # chosen: logins whose password was proven to this process


class Credentials:
    """Proves passwords. Remembers those proven, under a key that dies with the process."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._proven: dict[str, bytes] = {}  # argon2 hash -> keyed hash of the password
        self._worker = ThreadPoolExecutor(1, "argon2")
        self._nobody = self._hasher.hash(secrets.token_hex())  # what an unknown name is compared with

    def known(self, esme: EsmeRow | None, password: str) -> bool | None:
        """True when this password was proven before; None: it must be proven now."""
        if esme is None:
            return None
        proven = self._proven.get(esme.password_hash)
        if proven is not None and hmac.compare_digest(proven, self._keyed(password)):
            return True
        return None

    async def prove(self, esme: EsmeRow | None, password: str) -> bool:
        """Whether the password is this login's. esme None: an unknown name, false in the same time."""
        stored = self._nobody if esme is None else esme.password_hash
        right = await asyncio.get_running_loop().run_in_executor(self._worker, self._verify, stored, password)
        return right and esme is not None

    def _verify(self, stored: str, password: str) -> bool:
        """In the worker. All binds of a login may come at once: what the first one proved is not proved again."""
        keyed = self._keyed(password)
        proven = self._proven.get(stored)
        if proven is not None and hmac.compare_digest(proven, keyed):
            return True
        try:
            self._hasher.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        if len(self._proven) >= REMEMBERED_LIMIT:
            self._proven.clear()
        self._proven[stored] = keyed
        return True

    def _keyed(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode("utf-8", "surrogatepass"), key=self._key).digest()

    def close(self) -> None:
        """End the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)
