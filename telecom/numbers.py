"""Subscriber numbers: what a customer wrote, as E.164 digits with region and kind, or a named refusal.

Follows ITU-T E.164 and the national plans as libphonenumber has them. Reading one number there costs about 40
microseconds, so rulings are remembered by (first digits, length), but only where number_patterns.py shows that the
remaining digits change nothing: 8 digits for the hot path, the fewest that decide for everything else.
Networks and portability may not enter: a prefix does not know them.
"""

from typing import Final, Literal

import phonenumbers
from msgspec import Struct
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType

from telecom.national_numbers import with_country_code
from telecom.number_migrations import migrate
from telecom.number_patterns import UnknownSyntax, full_match, starts_with_match

NumberKind = Literal[
    "fixed_line",
    "mobile",
    "fixed_line_or_mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "unknown",
]
"""Kinds of line as libphonenumber tells them apart; unknown: the plan knows no such number."""

NumberFault = Literal[
    "empty",
    "not_digits",
    "alphanumeric",
    "too_short",
    "too_long",
    "no_country_code",
    "unknown_country_code",
    "national_without_region",
    "unknown_region",
    "not_valid",
]

E164_DIGITS: Final = 15  # ITU-T E.164, 6.1
SHORTEST_DIGITS: Final = 6  # chosen: below, digits with a country code are somebody's short code

MEMO_PREFIX: Final = 8  # chosen and measured: country code, operator and the first digits of its ranges
MEMO_LIMIT: Final = 65536
"""Remembered rulings; chosen: some 20 MB. Beyond it the memo starts anew."""


class Number(Struct, frozen=True, gc=False):
    """A number to reach. e164: digits without plus. region: ISO 3166 alpha-2, None where the number has none.

    country_code: 0 where libphonenumber knows none. kind: "unknown" when only possible, not valid; region is then
    the country code's main one. migrated_from: the old digits, international, that were given instead, else None.
    """

    e164: str
    region: str | None
    country_code: int
    kind: NumberKind
    migrated_from: str | None = None


class NumberRefused(Struct, frozen=True):
    """No number can be made of what was given.

    no_country_code: it begins with 0 where a country code must stand. not_valid: the plan has no such number.
    national_without_region: digits of a national plan, and no default region says which.
    """

    reason: NumberFault


_KINDS: Final[dict[int, NumberKind]] = {
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
    PhoneNumberType.UNKNOWN: "unknown",
}
_NO_REGION: Final = "001"  # libphonenumber's word for country codes of no country (800, 870, 88x, 979)

_TON_INTERNATIONAL: Final = 1  # SMPP v3.4, 5.2.5
_TON_NATIONAL: Final = 2
_TON_SUBSCRIBER: Final = 4
_TON_ALPHANUMERIC: Final = 5

_SEPARATORS: Final = dict.fromkeys(map(ord, " \t-./()\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"), "")


class Ruling(Struct, frozen=True, gc=False):
    """What the plans say of international digits. e164: without a national prefix written by mistake (44 0 7...)."""

    e164: str
    country_code: int
    region: str | None
    kind: NumberKind


_memo: dict[tuple[str, int], Ruling | None] = {}
"""(first digits, length) to the ruling of each such number (its e164 apart); None: the further digits matter."""
_openings: dict[tuple[str, int], Ruling | None] = {}
"""The same by fewer digits, for numbers of more prefixes than _memo holds; None: not decided by so few."""
FEWEST_DIGITS: Final = 3  # chosen: country codes have at most so many


def parse_number(
    raw: str, *, ton: int = 0, default_region: str | None = None, strict: bool = False
) -> Number | NumberRefused:
    """The number that `raw` names, or why it names none.

    raw: digits, with "+", "00" and separators as people write them. ton: SMPP type of number; 1 is international,
    2 and 4 are national, others are international digits if those are valid, else digits of `default_region` (ISO
    3166 alpha-2). Old numbers of Benin and Cote d'Ivoire come back in their new form. strict: only numbers valid
    in a known plan; otherwise any 6 to 15 digits that do not begin with 0 pass as international.
    """
    if ton <= _TON_INTERNATIONAL:
        ruling = _memo.get((raw[:MEMO_PREFIX], len(raw)))
        if ruling is not None and ruling.kind != "unknown" and raw.isdecimal() and raw.isascii():
            return Number(raw, ruling.region, ruling.country_code, ruling.kind)
    return _parse_written(raw, ton, default_region, strict)


def _parse_written(raw: str, ton: int, default_region: str | None, strict: bool) -> Number | NumberRefused:
    if ton == _TON_ALPHANUMERIC:
        return NumberRefused("alphanumeric")
    digits = raw.translate(_SEPARATORS)
    marked = digits.startswith(("+", "00"))
    digits = digits[1:] if digits.startswith("+") else digits
    digits = digits[2:] if digits.startswith("00") else digits
    if not digits:
        return NumberRefused("empty")
    if not (digits.isascii() and digits.isdecimal()):
        return NumberRefused("not_digits")
    if len(digits) > E164_DIGITS:
        return NumberRefused("too_long")
    if marked or ton == _TON_INTERNATIONAL:
        found = _valid_international(digits)
        return found if isinstance(found, Number) else _possible(digits, found, strict)
    return _parse_unmarked(digits, ton in (_TON_NATIONAL, _TON_SUBSCRIBER), default_region, strict)


def _parse_unmarked(digits: str, national_first: bool, region: str | None, strict: bool) -> Number | NumberRefused:
    """Digits that nobody marked as international: both readings, the likelier first, valid ones before possible."""
    first = _valid_national(digits, region) if national_first else _valid_international(digits)
    if isinstance(first, Number):
        return first
    second = _valid_international(digits) if national_first else _valid_national(digits, region)
    if isinstance(second, Number):
        return second
    if national_first:
        return first
    return _possible(digits, first if region is None else second, strict)


def _possible(digits: str, refused: NumberRefused, strict: bool) -> Number | NumberRefused:
    """What lenient reading makes of international digits that are not valid."""
    if strict:
        return refused
    if len(digits) < SHORTEST_DIGITS:
        return NumberRefused("too_short")
    if digits[0] == "0":
        return NumberRefused("no_country_code")
    ruling = _rule(digits)
    return Number(digits, ruling.region, ruling.country_code, "unknown")


def _valid_international(digits: str) -> Number | NumberRefused:
    if digits[0] == "0":
        return NumberRefused("no_country_code")
    ruling = _rule(digits)
    if ruling.kind != "unknown":
        return Number(ruling.e164, ruling.region, ruling.country_code, ruling.kind)
    migrated = migrate(digits)
    if migrated is not None:
        ruling = _rule(migrated)
        if ruling.kind != "unknown":
            return Number(ruling.e164, ruling.region, ruling.country_code, ruling.kind, digits)
    if not ruling.country_code:
        return NumberRefused("unknown_country_code")
    return NumberRefused("too_short" if len(digits) < SHORTEST_DIGITS else "not_valid")


def _valid_national(digits: str, region: str | None) -> Number | NumberRefused:
    if region is None:
        return NumberRefused("national_without_region")
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return NumberRefused("unknown_region")
    international = with_country_code(digits, region)
    if international is None:
        return NumberRefused("too_short")
    return _valid_international(international) if len(international) <= E164_DIGITS else NumberRefused("too_long")


def _rule(digits: str) -> Ruling:
    """The plans' ruling on international digits, from the memo where the first digits decide it."""
    key = (digits[:MEMO_PREFIX], len(digits))
    remembered = _memo.get(key)
    if remembered is not None:
        return Ruling(digits, remembered.country_code, remembered.region, remembered.kind)
    ruling, decided = _rule_by_opening(digits)
    if key not in _memo:
        if len(_memo) >= MEMO_LIMIT:
            _memo.clear()
        _memo[key] = ruling if decided else None
    return ruling


def _rule_by_opening(digits: str) -> tuple[Ruling, bool]:
    """The ruling, and whether the first 8 digits decide it; remembered under the fewest digits that do."""
    asked: Ruling | None = None
    for count in range(FEWEST_DIGITS, MEMO_PREFIX + 1):
        opening = (digits[:count], len(digits))
        if opening not in _openings:
            if asked is None:
                asked = _look_up(digits)
            if len(_openings) >= MEMO_LIMIT:
                _openings.clear()
            _openings[opening] = asked if _is_decided(digits, asked, count) else None
        ruling = _openings[opening]
        if ruling is not None:
            return Ruling(digits, ruling.country_code, ruling.region, ruling.kind), True
    return asked or _look_up(digits), False


def _look_up(digits: str) -> Ruling:
    """libphonenumber's own word, at its own price."""
    try:
        parsed = phonenumbers.parse("+" + digits)
    except NumberParseException:
        return Ruling(digits, _country_code(digits), None, "unknown")
    country_code = parsed.country_code or 0
    region = phonenumbers.region_code_for_number(parsed)
    kind = _KINDS[phonenumbers.number_type(parsed)]
    if kind == "unknown":
        return Ruling(digits, country_code, _named(phonenumbers.region_code_for_country_code(country_code)), kind)
    e164 = f"{country_code}{phonenumbers.national_significant_number(parsed)}"
    return Ruling(e164, country_code, _named(region), kind)


def _named(region: str | None) -> str | None:
    return None if region == _NO_REGION else region


def _country_code(digits: str) -> int:
    """The country code at the front, 0 for none known; country codes are no prefixes of each other."""
    for length in (1, 2, 3):
        if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return int(digits[:length])
    return 0


def _is_decided(digits: str, ruling: Ruling, count: int) -> bool:
    """Whether every number of the same first `count` digits and length has this ruling, and its digits as e164."""
    if ruling.e164 != digits:
        return False
    if not ruling.country_code:
        return True
    national = digits[len(str(ruling.country_code)) : count]
    remaining = max(len(digits) - count, 0)
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[ruling.country_code]
    try:
        # a national prefix that may be taken off the front: the rest would be another number
        stripping = _plan(ruling.country_code, regions[0]).national_prefix_for_parsing
        if stripping and starts_with_match(stripping, national, remaining) != "none":
            return False
        decided = _decided_region(ruling.country_code, regions, national, remaining)
    except UnknownSyntax:
        return False
    if decided is None:
        return False
    region, kind = decided
    if kind == "unknown":
        return ruling.kind == "unknown"
    return kind == ruling.kind and _named(region) == ruling.region


def _plan(country_code: int, region: str) -> PhoneMetadata:
    plan = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    assert plan is not None, "both come from libphonenumber's own table"
    return plan


def _decided_region(
    country_code: int, regions: tuple[str, ...], national: str, remaining: int
) -> tuple[str | None, NumberKind] | None:
    """Region and kind of all such numbers, by libphonenumber's order of questions; None where they differ."""
    for region in regions:
        metadata = _plan(country_code, region)
        if len(regions) > 1 and metadata.leading_digits:
            verdict = starts_with_match(metadata.leading_digits, national, remaining)
            if verdict == "some":
                return None
            if verdict == "none":
                continue
            kind = _decided_kind(metadata, national, remaining)
            return None if kind is None else (region, kind)
        kind = _decided_kind(metadata, national, remaining)
        if kind is None:
            return None
        if kind != "unknown" or len(regions) == 1:
            return region, kind
    return None, "unknown"


def _decided_kind(metadata: PhoneMetadata, national: str, remaining: int) -> NumberKind | None:
    """Kind of all such numbers in one region's plan, or None where they differ."""

    def verdict(description: phonenumbers.PhoneNumberDesc | None) -> str:
        if description is None or description.national_number_pattern is None:
            return "none"
        possible = description.possible_length
        if possible and len(national) + remaining not in possible:
            return "none"
        return full_match(description.national_number_pattern, national, remaining)

    general = verdict(metadata.general_desc)
    if general != "all":
        return "unknown" if general == "none" else None
    kinds: tuple[NumberKind, ...] = (
        "premium_rate",
        "toll_free",
        "shared_cost",
        "voip",
        "personal_number",
        "pager",
        "uan",
        "voicemail",
    )
    for kind in kinds:
        found = verdict(getattr(metadata, kind))
        if found != "none":
            return kind if found == "all" else None
    fixed, mobile = verdict(metadata.fixed_line), verdict(metadata.mobile)
    if "some" in (fixed, mobile):
        return None
    if fixed == "all":
        return "fixed_line_or_mobile" if mobile == "all" else "fixed_line"
    return "mobile" if mobile == "all" else "unknown"
