"""Everything a number alone tells: validity, country, operator by range, kind of line, time zones, how it is written.

Follows the numbering plans as libphonenumber has them (its carrier and time zone tables). What all numbers of a prefix
have alike is remembered in numbers.py and number_formats.py. What must not enter: whether a subscriber exists or which
network serves him after porting (no number tells), files, other tables of operators than the one handed in.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import phonenumbers
from msgspec import Struct
from phonenumbers.carrierdata import CARRIER_DATA, CARRIER_LONGEST_PREFIX
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from telecom.number_formats import write_number
from telecom.number_migrations import in_force_since
from telecom.numbers import NumberFault, NumberKind, NumberRefused, parse_number

LONGEST_ENTRY: Final = 64
"""Characters of one entry that are looked at; chosen: an E.164 number with every separator fits twice."""

SHORTEST_RANGE: Final = 3
"""Digits of the shortest range of an operator that libphonenumber has; a test holds it against its table."""

_MOBILE: Final = phonenumbers.PhoneNumberType.MOBILE
_OF_AN_OPERATOR: Final = frozenset({"mobile", "fixed_line_or_mobile", "pager"})
"""Kinds of line for which libphonenumber answers an operator; fixed ranges are shared by many."""


class Operator(Struct, frozen=True, gc=False):
    """A network as the gateway's own table of ranges names it: mcc 3 digits, mnc 2 or 3 (ITU-T E.212)."""

    name: str
    mcc: str
    mnc: str


class Analysis(Struct, frozen=True, gc=False):
    """What is known of one entry. Where valid is false, reason says why and all further fields are empty.

    e164: digits without plus. region: ISO 3166 alpha-2, None for numbers of no country. operator: to whom the range
    was assigned, "" where no table says; operator_source: "own" (the gateway's ranges) or "plan" (libphonenumber's);
    portable: subscribers of the country may have taken the number to another operator. time_zones: IANA names.
    migrated_from: the digits of the old plan that were given; migrated_since: the day of the new plan.
    """

    given: str
    valid: bool
    reason: NumberFault | None = None
    e164: str = ""
    region: str | None = None
    country_code: int = 0
    kind: NumberKind = "unknown"
    operator: str = ""
    operator_source: str = ""
    mcc: str = ""
    mnc: str = ""
    portable: bool = False
    time_zones: tuple[str, ...] = ()
    national: str = ""
    international: str = ""
    migrated_from: str | None = None
    migrated_since: str | None = None


def analyse_number(
    raw: str, *, default_region: str | None = None, own_operator: Callable[[str], Operator | None] | None = None
) -> Analysis:
    """What `raw` tells. default_region: whose national numbers are meant, ISO 3166 alpha-2.

    own_operator: the gateway's ranges, asked with E.164 digits; its word goes before libphonenumber's.
    """
    number = parse_number(raw[:LONGEST_ENTRY], default_region=default_region, strict=True)
    if isinstance(number, NumberRefused):
        return Analysis(raw, False, number.reason)
    digits, region, country_code, kind = number.e164, number.region, number.country_code, number.kind
    national, international = write_number(digits, country_code)
    operator = _operator(digits) if kind in _OF_AN_OPERATOR else ""
    source, mcc, mnc = "plan" if operator else "", "", ""
    own = None if own_operator is None else own_operator(digits)
    if own is not None:
        operator, source, mcc, mnc = own.name, "own", own.mcc, own.mnc
    return Analysis(
        raw,
        True,
        None,
        digits,
        region,
        country_code,
        kind,
        operator,
        source,
        mcc,
        mnc,
        region is not None and _is_portable(region),
        _time_zones(digits) if _tells_its_area(kind, country_code) else _zones_of_country(country_code),
        national,
        international,
        number.migrated_from,
        None if number.migrated_from is None else in_force_since(country_code),
    )


def _operator(digits: str) -> str:
    """The English name of the longest range; ranges that have none in English have it in no script we print."""
    for length in range(CARRIER_LONGEST_PREFIX, SHORTEST_RANGE - 1, -1):
        names = CARRIER_DATA.get(digits[:length])
        if names is not None and "en" in names:
            return str(names["en"])
    return ""


def _time_zones(digits: str) -> tuple[str, ...]:
    """Those of the longest opening; () where no table says."""
    for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        zones = TIMEZONE_DATA.get(digits[:length])
        if zones is not None:
            return zones
    return ()


@lru_cache(maxsize=1024)  # there are some 230 country codes
def _zones_of_country(country_code: int) -> tuple[str, ...]:
    return _time_zones(str(country_code))


@lru_cache(maxsize=1024)  # there are some 250 regions
def _is_portable(region: str) -> bool:
    return bool(phonenumbers.is_mobile_number_portable_region(region))


@lru_cache(maxsize=8192)  # some 230 country codes by 12 kinds
def _tells_its_area(kind: NumberKind, country_code: int) -> bool:
    """As libphonenumber asks: fixed lines do, mobile numbers in a few countries."""
    if kind in ("fixed_line", "fixed_line_or_mobile"):
        return True
    return kind == "mobile" and bool(phonenumbers.is_number_type_geographical(_MOBILE, country_code))
