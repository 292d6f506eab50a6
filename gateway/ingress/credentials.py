"""Whether a bind's words are right: argon2id once, a keyed hash afterwards, in equal time for a wrong name and a
wrong word.

Source: defaults.md, Operations (argon2id only off the bind path). Hashing runs beside the loop, one at a time, at the
loop's own niceness: a thread that steps back holds the interpreter's lock while it waits for a busy processor.
In rotation a login has two words (passerelle esme rotate).
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


def live_hashes(esme: EsmeRow, now_ms: int) -> tuple[str, ...]:
    """The stored hashes that a word may match now, the newest first."""
    if esme.former_password_hash and now_ms < esme.former_until_ms:
        return esme.password_hash, esme.former_password_hash
    return (esme.password_hash,)


class Credentials:
    """Proves passwords. Remembers those proven, under a key that dies with the process."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._proven: dict[str, bytes] = {}  # argon2 hash -> keyed hash of the password
        self._worker = ThreadPoolExecutor(1, "argon2")
        self._nobody = self._hasher.hash(secrets.token_hex())  # what an unknown name is compared with

    def known(self, esme: EsmeRow | None, password: str, now_ms: int) -> str | None:
        """The stored hash that this password was proven against before; None: it must be proven now."""
        if esme is None:
            return None
        keyed = self.keyed(password)
        for stored in live_hashes(esme, now_ms):
            proven = self._proven.get(stored)
            if proven is not None and hmac.compare_digest(proven, keyed):
                return stored
        return None

    async def prove(self, esme: EsmeRow | None, password: str, now_ms: int) -> str | None:
        """The stored hash that this password matches; None: it is wrong. esme None: an unknown name, None in the same
        time: whoever is wrong costs two hashes, as a login in rotation does.
        """
        stored = [] if esme is None else list(live_hashes(esme, now_ms))
        stored += [self._nobody] * (2 - len(stored))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._first_match, stored, password)

    def _first_match(self, stored: list[str], password: str) -> str | None:
        return next((each for each in stored if self._verify(each, password)), None)

    def _verify(self, stored: str, password: str) -> bool:
        """In the worker. All binds of a login may come at once: what the first one proved is not proved again."""
        keyed = self.keyed(password)
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

    def keyed(self, password: str) -> bytes:
        """A password under this process's key: two equal words are known by it, and nothing else is."""
        return hashlib.blake2b(password.encode("utf-8", "surrogatepass"), key=self._key).digest()

    def close(self) -> None:
        """End the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)
