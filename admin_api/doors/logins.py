"""Who asks at a drop-in door: a name and a password, proven once by argon2id and known by a keyed hash from there on.

Source: defaults page, Operations; what a wrong word costs is as at the SMPP door (gateway.ingress.lockout). A row is
believed for less than a second, so a revoked login is out within one.
What must not enter: what a login may send, a product's words for a refusal.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from admin_api.keys import BELIEVED_S, REMEMBERED, is_allowed
from admin_api.login_pauses import LoginPauses
from gateway.accept.fact_book import FactBook
from gateway.ingress.credentials import Credentials
from gateway.ingress.password_process import PasswordsAway
from gateway.storage.door_logins import LONGEST_PASSWORD, LONGEST_USERNAME, DoorLoginRow, find_door_login
from gateway.storage.reader import Reader

MOST_PROOFS: Final = 20  # chosen: passwords that wait for their proof; each takes 0.2 s of a core


class DoorBusy(Exception):
    """Nobody can be proven now; the client may come again."""


class DoorLogins:
    """Proves logins. Raises NotCommitted where PostgreSQL is away and the login is not known."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._credentials = Credentials()
        self._pauses = LoginPauses()
        self._found: dict[str, tuple[float, DoorLoginRow | None]] = {}
        self._finding: dict[str, asyncio.Lock] = {}
        self._asking: dict[tuple[str, bytes], asyncio.Lock] = {}
        self._proofs = 0

    async def prove(self, username: str, password: str, peer: str, book: FactBook, now_ms: int) -> DoorLoginRow | None:
        """The login of these words from this address; None: they are wrong. Raises DoorBusy."""
        if (
            not username
            or len(username.encode()) > LONGEST_USERNAME
            or len(password.encode()) > LONGEST_PASSWORD
            or "\0" in username
        ):
            return None
        row = await self._find(username)
        usable = row is not None and row.valid and (not row.allow_cidrs or is_allowed(peer, row.allow_cidrs))
        login = row if usable else None
        if self._credentials.known(login, password, now_ms) is None:
            login = await self._prove_once(login, username, password, peer, now_ms)
        account = None if login is None else book.accounts.get(login.account_id)
        return None if account is None or account.state == "closed" else login

    async def _prove_once(
        self, login: DoorLoginRow | None, username: str, password: str, peer: str, now_ms: int
    ) -> DoorLoginRow | None:
        """Of many requests that come at once with the same words, one has them proven."""
        words = (username, self._credentials.keyed(password))
        asking = self._asking.setdefault(words, asyncio.Lock())
        try:
            async with asking:
                if self._credentials.known(login, password, now_ms) is not None:
                    return login
                return await self._prove(login, username, password, peer, now_ms)
        finally:
            self._asking.pop(words, None)

    async def _prove(
        self, login: DoorLoginRow | None, username: str, password: str, peer: str, now_ms: int
    ) -> DoorLoginRow | None:
        """By argon2id; after wrong words from this address nothing is proven for a while, and no request waits."""
        if self._proofs >= MOST_PROOFS or self._pauses.begin(peer, username, monotonic()) > 0:
            raise DoorBusy
        self._proofs += 1
        try:
            proven = await self._credentials.prove(login, password, now_ms)
        except PasswordsAway as fault:
            self._pauses.forgive(peer, username, monotonic())
            raise DoorBusy from fault
        finally:
            self._proofs -= 1
        if proven is None:
            return None
        self._pauses.succeeded(peer, username, monotonic())
        return login

    async def _find(self, username: str) -> DoorLoginRow | None:
        came_at = monotonic()
        found = self._found.get(username)
        if found is not None and came_at - found[0] < BELIEVED_S:
            return found[1]
        asking = self._finding.setdefault(username, asyncio.Lock())
        try:
            async with asking:  # of many requests that come at once one asks
                found = self._found.get(username)
                if found is not None and came_at <= found[0]:
                    return found[1]
                asked_at = monotonic()
                row = await self._reader.run(lambda connection: find_door_login(connection, username))
                if len(self._found) >= REMEMBERED:
                    self._found.clear()
                self._found[username] = (asked_at, row)
                return row
        finally:
            self._finding.pop(username, None)

    def close(self) -> None:
        """End the process that computes."""
        self._credentials.close()
