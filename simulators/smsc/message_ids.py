"""The SMSC's message ids and the dresses carriers give them, in the answer and again, differently, in the receipt.

SMPP v3.4 section 5.2.23 (message_id, 65 octets with NUL) leaves the form to the SMSC; these forms are met in the field.
What must not enter: which dress is worn when.
"""

from __future__ import annotations

from enum import StrEnum

PADDED_DIGITS = 20  # chosen: longer than any decimal id here, as carriers with fixed columns do
UUID_BITS = 128
UUID_STEP = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, 2**128 over the golden ratio: neighbours look unrelated


class Dress(StrEnum):
    """How a number is written as message_id."""

    DECIMAL = "decimal"
    HEX = "hex"
    HEX_UPPER = "HEX"
    PADDED = "padded"
    UUID = "uuid"
    NONE = "none"  # answers without an id; receipts have one of their own


def dress_id(number: int, dress: Dress) -> str:
    """The message_id of the number-th message; distinct numbers below 2**128 give distinct ids, but for NONE."""
    if dress is Dress.DECIMAL:
        return str(number)
    if dress is Dress.NONE:
        return ""
    if dress is Dress.HEX:
        return f"{number:x}"
    if dress is Dress.HEX_UPPER:
        return f"{number:X}"
    if dress is Dress.PADDED:
        return str(number).zfill(PADDED_DIGITS)
    digits = f"{number * UUID_STEP % (1 << UUID_BITS):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
