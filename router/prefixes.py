"""Longest-prefix lookup over digit strings: one dict, and the lengths worth trying, longest first.

E.164 (ITU-T, 6.1) bounds a number to 15 digits, so a lookup never tries more than 15 slices; the lengths
are kept per leading digits because a numbering plan uses one or two lengths inside one country, whatever
the world does. No validation may enter here: who builds the map has checked its prefixes.
"""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

PREFIX_DIGITS_LIMIT: Final = 15
"""ITU-T E.164, 6.1: an international number has at most 15 digits."""

_HEAD_DIGITS: Final = 3
"""A country code has at most 3 digits (E.164, 6.2.1): lengths are kept per country."""


def is_prefix(text: str) -> bool:
    """Whether text is 1 to 15 ASCII digits that can open an E.164 number (no country code begins with 0)."""
    return text.isascii() and text.isdigit() and len(text) <= PREFIX_DIGITS_LIMIT and text[0] != "0"


class PrefixMap(Generic[Value]):
    """An unchanging map from prefixes to values, asked with whole numbers."""

    __slots__ = ("_lengths", "_short_lengths", "_values")

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)
        short = {len(prefix) for prefix in values if len(prefix) < _HEAD_DIGITS}
        self._short_lengths = tuple(sorted(short, reverse=True))
        lengths: dict[str, set[int]] = {}
        for prefix in values:
            if len(prefix) >= _HEAD_DIGITS:
                lengths.setdefault(prefix[:_HEAD_DIGITS], set(short)).add(len(prefix))
        self._lengths = {head: tuple(sorted(found, reverse=True)) for head, found in lengths.items()}

    def longest(self, number: str) -> Value | None:
        """The value of the longest prefix that opens number, or None."""
        values = self._values
        for length in self._lengths.get(number[:_HEAD_DIGITS], self._short_lengths):
            prefix = number[:length]
            if prefix in values:
                return values[prefix]
        return None
