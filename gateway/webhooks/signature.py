"""Signatures of webhooks by Standard Webhooks: HMAC-SHA256 over id, timestamp and body, one for each secret in force.

Source: the Standard Webhooks specification, "Signature scheme" (symmetric, v1). Pure.
What must not enter: where secrets are kept, what is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

SECRET_PREFIX: Final = "whsec_"
SECRET_OCTETS: Final = 32  # Standard Webhooks: between 24 and 64


def format_secret(octets: bytes) -> str:
    """A secret as customers are given it."""
    return SECRET_PREFIX + base64.b64encode(octets).decode("ascii")


def signature_of(secrets: Iterable[str], webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """The header webhook-signature: `v1,` and base64 for each secret, with spaces between."""
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return " ".join("v1," + base64.b64encode(_mac(secret, signed)).decode("ascii") for secret in secrets)


def _mac(secret: str, signed: bytes) -> bytes:
    return hmac.new(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256).digest()
