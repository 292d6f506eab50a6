"""Whether a bind's words are right: argon2id once, a keyed hash afterwards, in equal time for a wrong name and a
wrong word.

Source: defaults.md, Operations (argon2id only off the bind path). Hashing runs in a process of its own, one at a time:
a thread of ours would take the interpreter's lock and the memory of a core from messages.
In rotation a login has two words (passerelle esme rotate).
What must not enter: what a login may do (bind limits, addresses), sockets.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from gateway.ingress.password_process import PasswordProcess

REMEMBERED_LIMIT = 20_000  # chosen: logins whose password was proven to this process
COST = "$argon2id$v=19$m=65536,t=3,p=4"  # RFC 9106, section 4, as `passerelle esme add` stores it


class StoredWords(Protocol):
    """A login's password as it is stored, and the one before while that still counts."""

    @property
    def password_hash(self) -> str: ...
    @property
    def former_password_hash(self) -> str: ...
    @property
    def former_until_ms(self) -> int: ...


def live_hashes(esme: StoredWords, now_ms: int) -> tuple[str, ...]:
    """The stored hashes that a word may match now, the newest first."""
    if esme.former_password_hash and now_ms < esme.former_until_ms:
        return esme.password_hash, esme.former_password_hash
    return (esme.password_hash,)


class Credentials:
    """Proves passwords. Remembers those proven, under a key that dies with the process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._proven: dict[str, bytes] = {}  # argon2 hash -> keyed hash of the password
        self._process = PasswordProcess()
        self._asking = ThreadPoolExecutor(1, "passwords")  # waits for the process; computes nothing
        self._nobody = _hash_of_nothing()  # what an unknown name is compared with

    def known(self, esme: StoredWords | None, password: str, now_ms: int) -> str | None:
        """The stored hash that this password was proven against before; None: it must be proven now."""
        if esme is None:
            return None
        return self._known_among(live_hashes(esme, now_ms), self.keyed(password))

    def _known_among(self, stored: Iterable[str], keyed: bytes) -> str | None:
        for each in stored:
            proven = self._proven.get(each)
            if proven is not None and hmac.compare_digest(proven, keyed):
                return each
        return None

    async def prove(self, esme: StoredWords | None, password: str, now_ms: int) -> str | None:
        """The stored hash that this password matches; None: it is wrong. esme None: an unknown name, None in the same
        time: whoever is wrong costs two hashes, as a login in rotation does. Raises PasswordsAway.
        """
        stored = [] if esme is None else list(live_hashes(esme, now_ms))
        stored += [self._nobody] * (2 - len(stored))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._asking, self._first_match, stored, password)

    def _first_match(self, stored: list[str], password: str) -> str | None:
        """In the thread. All binds of a login may come at once: what the first one proved is not proved again."""
        keyed = self.keyed(password)
        known = self._known_among(stored, keyed)
        if known is not None:
            return known
        place = self._process.first_match(password.encode("utf-8", "surrogatepass"), stored)
        if place < 0:
            return None
        if len(self._proven) >= REMEMBERED_LIMIT:
            self._proven.clear()
        self._proven[stored[place]] = keyed
        return stored[place]

    def keyed(self, password: str) -> bytes:
        """A password under this process's key: two equal words are known by it, and nothing else is."""
        return hashlib.blake2b(password.encode("utf-8", "surrogatepass"), key=self._key).digest()

    def close(self) -> None:
        """End the process."""
        self._process.close()
        self._asking.shutdown(wait=True, cancel_futures=True)
        self._process.end()


def _hash_of_nothing() -> str:
    """A stored hash that no word matches and that costs as much as any."""
    salt, tag = (base64.b64encode(secrets.token_bytes(octets)).rstrip(b"=").decode() for octets in (16, 32))
    return f"{COST}${salt}${tag}"
