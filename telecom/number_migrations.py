"""Numbers that got longer: the old form that still comes in from address books, and its new form.

Facts of the national regulators: Benin went from 8 to 10 digits on 2024-11-30 ("01" before every number), Cote
d'Ivoire on 2021-01-31 (a prefix by operator and kind of line). One function a country; whether the new number
exists is asked in numbers.py. Nothing that guesses may enter: where the old plan had no such number, None.
"""

from collections.abc import Callable
from typing import Final


def _benin(old: str) -> str | None:
    """ARCEP Benin: every 8-digit number of the plan gets 01 before."""
    return f"01{old}" if len(old) == 8 else None


def _cote_divoire(old: str) -> str | None:
    """ARTCI: mobiles by the old operator digit (the second): 0-3 Moov 01, 4-6 MTN 05, 7-9 Orange 07.

    Fixed lines began with 2 or 3: the third digit says Moov (8: 21, in Abidjan only), MTN (0: 25) or Orange (27).
    Services (800, 900) and numbers that began with 1 kept their form.
    """
    if len(old) != 8 or old[0] == "1" or old.startswith(("800", "900")):
        return None
    if old[0] in "23":
        if old[2] == "8" and old[0] == "2":
            return f"21{old}"
        return f"25{old}" if old[2] == "0" else f"27{old}"
    return f"{_COTE_DIVOIRE_MOBILE[int(old[1])]}{old}"


_COTE_DIVOIRE_MOBILE: Final = ("01", "01", "01", "01", "05", "05", "05", "07", "07", "07")

_COUNTRIES: Final[dict[str, Callable[[str], str | None]]] = {"229": _benin, "225": _cote_divoire}
"""Country code to its rule; the rule takes and gives national digits."""


def migrate(international: str) -> str | None:
    """International digits in the new form, or None when there is nothing to migrate."""
    rule = _COUNTRIES.get(international[:3])
    if rule is None:
        return None
    national = rule(international[3:])
    return None if national is None else international[:3] + national


_IN_FORCE_SINCE: Final = {"229": "2024-11-30", "225": "2021-01-31"}


def in_force_since(country_code: int) -> str | None:
    """The day (ISO 8601) from which a country's longer numbers are the valid ones; None where none got longer."""
    return _IN_FORCE_SINCE.get(str(country_code))
