"""Analysis of numbers against libphonenumber's own words: layouts, national readings, operators, time zones.

The fast ways are judged on neighbours of real numbers of every region. What must not enter: files (gateway).
"""

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, carrier, timezone

from telecom import national_numbers, numbers
from telecom.national_numbers import with_country_code
from telecom.number_analysis import (
    CARRIER_DATA,
    LONGEST_ENTRY,
    SHORTEST_RANGE,
    Analysis,
    Operator,
    analyse_number,
)
from telecom.number_faults import sentence_of
from telecom.number_formats import layouts_of, write_number
from telecom.number_migrations import in_force_since
from telecom.numbers import NumberFault

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def neighbours(region: str, seed: int) -> list[str]:
    """E.164 digits around the examples of a region: real ones, and ones whose last digits are random."""
    chance = random.Random(f"{region} {seed}")
    found = []
    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        digits = phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]
        for tail in (2, 4, 6):
            found.append(digits[:-tail] + f"{chance.randrange(10**tail):0{tail}d}")
        found.append(digits)
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_analysis_says_what_libphonenumber_says(region: str) -> None:
    numbers._memo.clear()
    numbers._openings.clear()
    for digits in neighbours(region, 1):
        found = analyse_number("+" + digits)
        try:
            parsed = phonenumbers.parse("+" + digits)
        except phonenumbers.NumberParseException:
            assert not found.valid
            continue
        if not phonenumbers.is_valid_number(parsed):
            assert not found.valid or found.migrated_from == digits
            continue
        assert found.valid
        assert found.national == phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        assert found.international == phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
        assert found.operator == carrier.name_for_number(parsed, "en")
        zones = tuple(zone for zone in timezone.time_zones_for_number(parsed) if zone != timezone.UNKNOWN_TIMEZONE)
        assert found.time_zones == zones


@pytest.mark.parametrize("region", REGIONS)
def test_national_digits_are_read_as_libphonenumber_reads_them(region: str) -> None:
    chance = random.Random(region)
    prefix = phonenumbers.PhoneMetadata.metadata_for_region(region).national_prefix or ""
    code = str(phonenumbers.country_code_for_region(region))
    for digits in neighbours(region, 2):
        national = digits.removeprefix(code)
        for written in (national, prefix + national, national[:-1], national + str(chance.randrange(10)), digits):
            try:
                parsed = phonenumbers.parse(written, region)
            except phonenumbers.NumberParseException:
                assert with_country_code(written, region) is None
                continue
            expected = f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
            assert with_country_code(written, region) == expected


def test_layout_of_few_digits_is_remembered_and_serves_its_neighbours() -> None:
    layouts_of.cache_clear()
    assert write_number("33612345678", 33) == ("06 12 34 56 78", "+33 6 12 34 56 78")
    asked = layouts_of.cache_info().misses
    assert write_number("33618765432", 33) == ("06 18 76 54 32", "+33 6 18 76 54 32")
    assert layouts_of.cache_info().misses == asked


def test_openings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers._memo.clear()
    numbers._openings.clear()
    monkeypatch.setattr(numbers, "MEMO_LIMIT", 8)
    for operator in range(10, 40):
        analyse_number(f"+229{operator}000000")
        assert len(numbers._openings) <= 8


@pytest.mark.parametrize(
    ("given", "e164", "since"),
    [
        ("+229 97 00 00 00", "2290197000000", "2024-11-30"),
        ("97000000", "2290197000000", "2024-11-30"),
        ("0022507123456", "2250707123456", "2021-01-31"),
    ],
)
def test_number_of_an_old_plan_is_migrated_and_said_so(given: str, e164: str, since: str) -> None:
    found = analyse_number(given, default_region="BJ")
    assert (found.valid, found.e164, found.migrated_since) == (True, e164, since)
    assert found.migrated_from is not None
    assert found.e164.endswith(found.migrated_from[3:])
    assert in_force_since(33) is None


def test_number_of_a_new_plan_is_not_called_migrated() -> None:
    found = analyse_number("+2290197000000")
    assert (found.migrated_from, found.migrated_since, found.operator) == (None, None, "MTN")


def test_ranges_of_the_gateway_go_before_the_plans() -> None:
    own = {"2290197000000": Operator("Celtiis", "616", "06")}
    found = analyse_number("+2290197000000", own_operator=own.get)
    assert (found.operator, found.operator_source, found.mcc, found.mnc) == ("Celtiis", "own", "616", "06")
    other = analyse_number("+2290166000000", own_operator=own.get)
    assert (other.operator, other.operator_source, other.mcc) == ("MTN", "plan", "")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("hello", "not_digits"),
        ("+229 01 97", "not_valid"),
        ("229", "too_short"),
        ("+2290197000000000000", "too_long"),
        ("0197000000", "no_country_code"),
        ("=cmd|' /C calc'!A0", "not_digits"),
        ("1" * 100_000, "too_long"),
        ("+999123456789", "unknown_country_code"),
    ],
)
def test_what_is_no_number_says_why(given: str, reason: NumberFault) -> None:
    assert analyse_number(given) == Analysis(given, False, reason)


@pytest.mark.parametrize("fault", NumberFault.__args__)  # type: ignore[attr-defined]
def test_every_fault_has_its_sentence_in_both_languages(fault: NumberFault) -> None:
    assert sentence_of(fault, "en") != sentence_of(fault, "fr")


def test_limits_hold_against_the_tables() -> None:
    assert min(len(prefix) for prefix in CARRIER_DATA) >= SHORTEST_RANGE
    assert LONGEST_ENTRY == 64
    assert national_numbers.plan_of("BJ") is not None
