"""Cursors: where a list goes on, as a word that customers keep and cannot make.

What belongs here: packing the place into base64url with a MAC over it (BLAKE2b, RFC 7693), and unpacking. A cursor is
bound to its account, its list and the list's filters: elsewhere it is refused.
What must not enter: what a place means to a statement.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final, TypeVar

import msgspec

MAC_OCTETS: Final = 16  # chosen: 128 bits
LONGEST: Final = 256  # chosen: characters
MOST_ROWS: Final = 200  # defaults page, HTTP


Place = TypeVar("Place")


class Cursors:
    """Makes and reads them under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.blake2b(b"cursor", key=secret, digest_size=32).digest()

    def make(self, account_id: int, list_name: str, filters: object, place: object) -> str:
        """The cursor of a place in this list."""
        packed = msgspec.msgpack.encode(place)
        return base64.urlsafe_b64encode(self._mac(account_id, list_name, filters, packed) + packed).decode().rstrip("=")

    def read(
        self,
        account_id: int,
        list_name: str,
        filters: object,
        cursor: str,
        kind: type[Place] = int,  # type: ignore[assignment]  # a list's places are numbers unless it says otherwise
    ) -> Place | None:
        """The place, of the type it was made of; None when it is no cursor of this list."""
        if len(cursor) > LONGEST or not cursor.isascii():
            return None
        try:
            octets = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, packed = octets[:MAC_OCTETS], octets[MAC_OCTETS:]
        if not hmac.compare_digest(mac, self._mac(account_id, list_name, filters, packed)):
            return None
        return msgspec.msgpack.decode(packed, type=kind)

    def _mac(self, account_id: int, list_name: str, filters: object, packed: bytes) -> bytes:
        told = msgspec.msgpack.encode((account_id, list_name, filters, packed))
        return hashlib.blake2b(told, key=self._secret, digest_size=MAC_OCTETS).digest()
