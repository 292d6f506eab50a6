"""What a one-time code is: made by chance, written into a text, kept as a keyed hash, compared in constant time.

Source: RFC 2104 by way of BLAKE2b (RFC 7693), keyed: without the secret of the API a table of hashes of a million codes
tells nothing. A hash is bound to its account and its id.
What must not enter: rows, limits, HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from admin_api.languages import Language, Words
from admin_api.models_otp import GAP

SENTENCE: Final = Words(
    "{code} is your verification code. Do not share it with anyone.",
    "{code} est votre code de vérification. Ne le communiquez à personne.",
)
_SEPARATORS: Final = str.maketrans("", "", " -\u00a0\u202f")


class OneTimeCodes:
    """Hashes them under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.blake2b(b"one-time code", key=secret, digest_size=32).digest()

    def hash_code(self, account_id: int, otp_id: int, code: str) -> bytes:
        """What is stored of a code."""
        bound = f"{account_id} {otp_id} {code}".encode("utf-8", "replace")
        return hashlib.blake2b(bound, key=self._secret, digest_size=32).digest()

    def fits(self, account_id: int, otp_id: int, typed: str, stored: bytes) -> bool:
        """Whether what was typed is the code; spaces and hyphens, which people put between digits, do not count."""
        return hmac.compare_digest(self.hash_code(account_id, otp_id, typed.translate(_SEPARATORS)), stored)


def make_code(length: int) -> str:
    """So many digits, each as likely as any other."""
    return f"{secrets.randbelow(10**length):0{length}d}"


def template_of(given: str | None, language: Language, origin: str | None) -> str:
    """The text with the code's place in it. With an origin the code stands a second time, where browsers look."""
    text = given if given is not None else SENTENCE.say(language)
    return text if origin is None else f"{text}\n\n@{origin} #{GAP}"


def fill_in(template: str, code: str) -> str:
    """The text that is sent."""
    return template.replace(GAP, code)
