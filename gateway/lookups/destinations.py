"""Which country and operator a number is of, by its first digits and its length, as statistics ask it.

Eight digits and the length decide nearly every plan (telecom.numbers remembers rulings by them); the rest is zeros.
What must not enter: SQL; what is counted (gateway.storage.statistics).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.lookups.operators import own_operator
from gateway.storage.facts import NumberRangeRow
from telecom.numbers import Number, parse_number

REMEMBERED: Final = 100_000  # chosen: openings in memory


def destinations(rows: Sequence[NumberRangeRow]) -> Callable[[str, int], tuple[str, str]]:
    """The question: a number's first digits and its length; country (ISO 3166) and operator, "" where unknown."""
    ask_operator = own_operator(rows)
    known: dict[tuple[str, int], tuple[str, str]] = {}

    def ask(opening: str, length: int) -> tuple[str, str]:
        found = known.get((opening, length))
        if found is None:
            digits = opening.ljust(length, "0")
            number = parse_number(digits, ton=1) if digits.isascii() and digits.isdecimal() else None
            operator = ask_operator(digits) if ask_operator is not None else None
            country = number.region or "" if isinstance(number, Number) else ""
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[opening, length] = country, "" if operator is None else operator.name
        return found

    return ask
