"""Numbers as people write them, nationally and internationally, by libphonenumber's formats.

Formatting one number there costs some 25 microseconds, so the layout of the fewest digits that decide it is
remembered, where number_patterns.py shows that they do: fixed pieces between fixed slices of digits.
What must not enter: whether a number is valid (numbers.py).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import phonenumbers
from msgspec import Struct
from phonenumbers import NumberFormat, PhoneMetadata, PhoneNumberFormat

from telecom.number_patterns import UnknownSyntax, full_match, starts_with_match

MOST_DIGITS: Final = 9  # chosen: where so many first digits do not decide the layout, the number is asked by itself
FEWEST_DIGITS: Final = 4
LAYOUT_LIMIT: Final = 65536  # remembered layouts; chosen

_LETTERS: Final = "abcdefghijklmno"  # stand for the digits of a national number while its layout is read
_FIRST_GROUP: Final = re.compile(r"(\\\d)")
_BLIND_TO_DIGITS: Final = re.compile(r"(?:\((?:\\d(?:\{\d+(?:,\d+)?\})?)+\))+")
_ANY_DIGIT: Final = re.compile(r"\[[0-9-]+\]|\\d|(?<![\d{,])\d(?![\d,]*\})")


class Layout(Struct, frozen=True, gc=False):
    """Where the digits of a number stand. pieces: a text with one %s a slice; slices: of the digits from the country
    code on.
    """

    pieces: str
    slices: tuple[slice, ...]

    def write(self, digits: str) -> str:
        """The number in this layout."""
        return self.pieces % tuple([digits[place] for place in self.slices])


class Layouts(Struct, frozen=True, gc=False):
    """Both ways to write the numbers of one prefix and length."""

    national: Layout
    international: Layout


@lru_cache(maxsize=LAYOUT_LIMIT)
def layouts_of(opening: str, length: int, country_code: int) -> Layouts | None:
    """The layouts of all numbers of these first digits and this length; None where further digits matter."""
    region = phonenumbers.region_code_for_country_code(country_code)
    plan = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    if plan is None:
        return None
    code = len(str(country_code))
    remaining = length - len(opening)
    try:
        national = _layout(plan.number_format, opening[code:], remaining, code, True)
        abroad = _layout(plan.intl_number_format or plan.number_format, opening[code:], remaining, code)
    except UnknownSyntax:
        return None
    if national is None or abroad is None:
        return None
    return Layouts(national, Layout(f"+{country_code} {abroad.pieces}", abroad.slices))


def write_number(digits: str, country_code: int) -> tuple[str, str]:
    """A valid number nationally and internationally. digits: E.164 without plus."""
    length = len(digits)
    for count in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        layouts = layouts_of(digits[:count], length, country_code)
        if layouts is not None:
            return layouts.national.write(digits), layouts.international.write(digits)
    parsed = phonenumbers.parse("+" + digits)
    return (
        phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL),
    )


def _layout(
    formats: Sequence[NumberFormat], national: str, remaining: int, code: int, within: bool = False
) -> Layout | None:
    """By the first format that takes all such numbers; None where one takes some. within: inside the country."""
    length = len(national) + remaining
    for chosen in formats:
        verdict = _takes(chosen, national, remaining)
        if verdict == "none":
            continue
        return _read_layout(chosen, length, code, within) if verdict == "all" else None
    return Layout("%s", (slice(code, code + length),))


def _takes(chosen: NumberFormat, national: str, remaining: int) -> str:
    if chosen.leading_digits_pattern:
        leading = starts_with_match(chosen.leading_digits_pattern[-1], national, remaining)
        if leading != "all":
            return leading
    return full_match(chosen.pattern or "", national, remaining)


def _read_layout(chosen: NumberFormat, length: int, code: int, within: bool) -> Layout | None:
    """The layout that a format gives to numbers of this length; None where their digits could change it."""
    pattern, rule = chosen.pattern or "", chosen.format or ""
    if not _BLIND_TO_DIGITS.fullmatch(pattern) and re.search(r"[,?|]", pattern):
        return None
    if within and chosen.national_prefix_formatting_rule:
        rule = _FIRST_GROUP.sub(chosen.national_prefix_formatting_rule, rule, count=1)
    written = re.sub(f"^{_ANY_DIGIT.sub('.', pattern)}$", rule, _LETTERS[:length])
    pieces, slices = "", []
    for run in re.findall(r"[a-o]+|[^a-o]+", written):
        if run[0] in _LETTERS:
            if run not in _LETTERS:  # groups that change places without anything between them
                return None
            start = code + _LETTERS.index(run[0])
            slices.append(slice(start, start + len(run)))
            pieces += "%s"
        else:
            pieces += run.replace("%", "%%")
    return Layout(pieces, tuple(slices))
