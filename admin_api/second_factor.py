"""The second factor: codes of an authenticator app, and the recovery codes behind it.

Source: RFC 6238 (TOTP: six digits, 30 s, SHA-1, as every app has it), RFC 4226; one step of drift either way. Pure: the
present is passed in.
What must not enter: rows, whether a user must have one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Final

import pyotp

STEP_S: Final = 30  # RFC 6238 5.2
DRIFT_STEPS: Final = 1  # RFC 6238 6
ISSUER: Final = "Passerelle"
RECOVERY_CODES: Final = 10  # chosen
RECOVERY_OCTETS: Final = 8  # chosen: 64 bits, guessed through pauses
DIGITS: Final = re.compile(r"[0-9]{6}")


def make_secret() -> str:
    """A new secret, base32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, name: str) -> str:
    """What an authenticator app reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now_s: float, after_step: int) -> int | None:
    """The time step whose code this is, among the present and its neighbours, if it is later than one used before."""
    if not DIGITS.fullmatch(code):
        return None
    present = int(now_s) // STEP_S
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).at(step * STEP_S), code) and step > after_step:
            found = step
    return found


def make_recovery_codes() -> list[str]:
    """Codes to be written down; each serves once."""
    made = [secrets.token_hex(RECOVERY_OCTETS) for _ in range(RECOVERY_CODES)]
    return ["-".join(re.findall("....", each)) for each in made]


def plain_recovery_code(code: str) -> str:
    """A recovery code as it was hashed, however it was typed."""
    return code.replace("-", "").replace(" ", "").lower()
