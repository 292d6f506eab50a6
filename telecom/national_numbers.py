"""National digits with their country code before them, as libphonenumber would read them in a region.

Follows libphonenumber's order (country code given after all, national prefix, possible lengths) for the plans whose
national prefix is plain digits: a few comparisons instead of some 40 microseconds. Everything else is asked there.
What must not enter: whether the number is valid (numbers.py).
"""

import re
from functools import lru_cache

import phonenumbers
from msgspec import Struct
from phonenumbers import NumberParseException, PhoneMetadata


class NationalPlan(Struct, frozen=True, gc=False):
    """What is needed of a region's plan. prefixes: dialled before national numbers, the first that fits counts."""

    country_code: str
    prefixes: tuple[str, ...]
    exit_codes: re.Pattern[str] | None
    general: re.Pattern[str]
    lengths: frozenset[int]


def with_country_code(digits: str, region: str) -> str | None:
    """International digits; None where libphonenumber makes no number of them. region: one it supports."""
    plan = plan_of(region)
    if plan is not None:
        found = _read(digits, plan)
        if found is not None:
            return found
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


@lru_cache(maxsize=1024)  # there are some 250 regions
def plan_of(region: str) -> NationalPlan | None:
    """The plan of a region; None where its national prefix is more than digits."""
    metadata = PhoneMetadata.metadata_for_region(region)
    general = None if metadata is None else metadata.general_desc
    if metadata is None or general is None or metadata.national_prefix_transform_rule:
        return None
    pattern = metadata.national_prefix_for_parsing
    prefixes = tuple(pattern.split("|")) if pattern else ()
    if not all(prefix.isdecimal() for prefix in prefixes):
        return None
    exit_codes = metadata.international_prefix
    return NationalPlan(
        str(metadata.country_code),
        prefixes,
        re.compile(exit_codes) if exit_codes else None,
        re.compile(general.national_number_pattern or ""),
        frozenset(general.possible_length),
    )


def _read(digits: str, plan: NationalPlan) -> str | None:
    """The usual cases; None: ask libphonenumber."""
    if digits.startswith(plan.country_code) or (plan.exit_codes is not None and plan.exit_codes.match(digits)):
        return None
    national = digits
    prefix = next((each for each in plan.prefixes if digits.startswith(each)), None)
    if prefix is not None:
        national = digits[len(prefix) :]
        if plan.general.fullmatch(digits) and not plan.general.fullmatch(national):
            national = digits  # the digits of the prefix belong to the number
    return plan.country_code + national if len(national) in plan.lengths else None
