"""Who asks: an API key becomes a caller, or a problem; and how fast one key may ask.

Source: RFC 6750 (Bearer). What was found is believed for less than a second, so that a key revoked, expired or changed
is so within one, whatever becomes of notifications.
What must not enter: scopes of single routes (routes.py), an account's parts a second (gateway.ingress.rates).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
from time import monotonic
from typing import Final

import msgspec

from admin_api.languages import Words
from admin_api.problems import Problem
from admin_api.wrong_keys import WrongKeys
from gateway.accept.fact_book import FactBook
from gateway.pace import Pace
from gateway.storage.api_keys import KEY_MARK, ApiKeyRow, find_api_key, hash_key
from gateway.storage.facts import AccountRow
from gateway.storage.reader import Reader

log = logging.getLogger("passerelle.api")

BELIEVED_S: Final = 0.8  # the issue: revocation is effective within a second
REMEMBERED: Final = 10_000  # chosen: keys, right and wrong ones, at once
LONGEST_KEY: Final = 128  # chosen: characters


class Caller(msgspec.Struct, frozen=True):
    """Who asks, proven."""

    key: ApiKeyRow
    account: AccountRow


class Keys:
    """Proves keys. Raises NotCommitted where PostgreSQL is away and the key is not known."""

    def __init__(self, secret: bytes, reader: Reader) -> None:
        self._secret = secret
        self._reader = reader
        self._found: dict[bytes, tuple[float, ApiKeyRow | None]] = {}
        self._asking: dict[bytes, asyncio.Lock] = {}  # by hash: of many requests that come at once one asks
        self._paces: dict[int, Pace] = {}
        self._wrong = WrongKeys()

    async def prove(self, header: str, peer: str, book: FactBook, now: float) -> Caller | Problem:
        """The caller of a request with this Authorization header from this address."""
        scheme, _, key = header.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key.startswith(f"{KEY_MARK}_") or len(key) > LONGEST_KEY:
            return Problem("unauthenticated")
        row = await self._find(hash_key(self._secret, key), peer, now)
        if isinstance(row, Problem):
            return row
        account = book.accounts.get(row.account_id) if row is not None else None
        if row is None or not row.valid or account is None:
            return Problem("unauthenticated")
        if row.allow_cidrs and not is_allowed(peer, row.allow_cidrs):
            return Problem("address_not_allowed")
        if account.state == "closed":
            return Problem("account_suspended")
        return Caller(row, account)

    async def _find(self, key_hash: bytes, peer: str, now: float) -> ApiKeyRow | Problem | None:
        """The row of a key; a key that was not right before is not looked for while its address pauses."""
        found = self._found.get(key_hash)
        if found is not None and now - found[0] < BELIEVED_S:
            return found[1]
        if found is None or found[1] is None:
            pause_s = self._wrong.pause_s(peer, now)
            if pause_s > 0:
                return Problem("too_many_tries", retry_after_s=math.ceil(pause_s))
        asking = self._asking.setdefault(key_hash, asyncio.Lock())
        try:
            async with asking:
                found = self._found.get(key_hash)
                if found is not None and now <= found[0]:
                    return found[1]
                asked_at = monotonic()
                row = await self._reader.run(lambda connection: find_api_key(connection, key_hash))
                if row is None:
                    self._count_wrong(peer)
                elif row.valid:
                    self._wrong.right(peer)
                if len(self._found) >= REMEMBERED:
                    self._found.clear()
                self._found[key_hash] = (asked_at, row)
                return row
        finally:
            self._asking.pop(key_hash, None)

    def _count_wrong(self, peer: str) -> None:
        pause_s = self._wrong.wrong(peer, monotonic())
        if pause_s:
            log.warning("wrong_keys", extra={"address": peer, "pause_s": pause_s})

    def refusal(self, row: ApiKeyRow, now: float) -> Problem | None:
        """Count a request against its key's rate, or tell when it may come."""
        if not row.requests_per_s:
            return None
        pace = self._paces.get(row.key_id)
        if pace is None:
            if len(self._paces) >= REMEMBERED:
                self._paces.clear()
            pace = self._paces[row.key_id] = Pace(row.requests_per_s, now)
        pace.rate_per_s = row.requests_per_s
        if pace.take(1, now):
            return None
        return Problem("throttled", retry_after_s=max(1, round(pace.ready_at(1, now) - now)))


def is_allowed(peer: str, cidrs: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address written as IPv6 is the IPv4 one."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(each, strict=False) for each in cidrs)


def scope_missing(scope: str) -> Problem:
    """The problem of a key without a scope."""
    words = Words(f"It needs the scope {scope}.", f"Il faut le droit {scope}.")
    return Problem("scope_missing", words, more={"scope": scope})
