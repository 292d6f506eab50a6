"""Credits as integers: a millionth of a credit is the smallest amount, and text is read and written exactly.

Amounts are plain int, named `*_micros`; the limit is that of a PostgreSQL BIGINT. Chosen in the defaults of the
house: 1 part is 1 credit unless a rate says otherwise. No float and no currency may enter.
"""

import re
from typing import Final, Literal

from msgspec import Struct

MICROS_PER_CREDIT: Final = 1_000_000
DECIMALS: Final = 6
"""Digits after the point that a credit has: log10 of MICROS_PER_CREDIT."""

LIMIT_MICROS: Final = 9_000_000_000_000 * MICROS_PER_CREDIT
"""Largest amount on either side of zero; chosen: round, and a few of them still add up within a BIGINT's range."""

_TEXT_LIMIT: Final = 40  # chosen: no amount within the limit needs more; keeps int() of a hostile text short
_DECIMAL: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")

MoneyFault = Literal["empty", "not_decimal", "too_precise", "too_large", "negative"]


class MoneyRefused(Struct, frozen=True):
    """The text is no amount of credits. too_precise: below a millionth; too_large: beyond LIMIT_MICROS."""

    reason: MoneyFault


def parse_credits(text: str, *, signed: bool = False) -> int | MoneyRefused:
    """Micros of a decimal text: "12.5" is 12_500_000. The point is the only separator; no sign unless `signed`.

    Digits beyond the sixth decimal are refused unless they are zeros: nothing is rounded.
    """
    text = text.strip()
    if not text:
        return MoneyRefused("empty")
    if len(text) > _TEXT_LIMIT:
        return MoneyRefused("too_large")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return MoneyRefused("not_decimal")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > DECIMALS:
        return MoneyRefused("too_precise")
    micros = int(whole) * MICROS_PER_CREDIT + int(fraction.ljust(DECIMALS, "0"))
    if micros > LIMIT_MICROS:
        return MoneyRefused("too_large")
    if sign and micros and not signed:
        return MoneyRefused("negative")
    return -micros if sign else micros


def format_credits(micros: int) -> str:
    """The shortest decimal text that `parse_credits(..., signed=True)` reads back as the same micros."""
    whole, fraction = divmod(abs(micros), MICROS_PER_CREDIT)
    sign = "-" if micros < 0 else ""
    decimals = f"{fraction:0{DECIMALS}d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
