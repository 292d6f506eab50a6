"""Numbers: E.164 as libphonenumber has it, with and without the memo; migrations; leniency; refusals.

The memo is judged by libphonenumber itself on random numbers of every country. What must not enter: networks.
"""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom import numbers
from telecom.mobile_country_codes import mcc_of, mccs_of
from telecom.numbers import E164_DIGITS, MEMO_LIMIT, MEMO_PREFIX, Number, NumberRefused, parse_number

COUNTRY_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
EXAMPLES = sorted(
    {
        phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in range(11)
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    }
)


def judged(digits: str) -> tuple[bool, str, str | None, str]:
    """libphonenumber's own word on international digits: valid, E.164 digits, region, kind."""
    try:
        parsed = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return False, digits, None, "unknown"
    if not phonenumbers.is_valid_number(parsed):
        return False, digits, None, "unknown"
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    region = phonenumbers.region_code_for_number(parsed)
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(parsed)).lower()
    return True, e164, None if region == "001" else region, kind


def assert_as_judged(digits: str) -> None:
    valid, e164, region, kind = judged(digits)
    found = parse_number(digits, ton=1, strict=True)
    if valid:
        assert found == Number(e164, region, found.country_code if isinstance(found, Number) else 0, kind)  # type: ignore[arg-type]
    else:
        assert isinstance(found, NumberRefused) or found.migrated_from == digits
    lenient = parse_number(digits, ton=1)
    assert lenient == found or (isinstance(lenient, Number) == (len(digits) >= 6 and digits[0] != "0"))


@pytest.mark.parametrize("country_code", COUNTRY_CODES)
def test_memo_says_what_libphonenumber_says(country_code: int) -> None:
    """Neighbours of real numbers that share their first digits, so that most answers come from the memo."""
    numbers._memo.clear()
    code = str(country_code)
    roots = [example for example in EXAMPLES if example.startswith(code)][:12] or [code + "1234567"]
    step = 7_919  # a prime: the tails of neighbours differ in every digit
    for index, root in enumerate(roots):
        tail = len(root) - MEMO_PREFIX
        for turn in range(12):
            digits = (
                root[:MEMO_PREFIX] + f"{(index + 1) * turn * step * 104_729 % 10**tail:0{tail}d}" if tail > 0 else root
            )
            assert_as_judged(digits)
        assert_as_judged(root)


@given(st.sampled_from(COUNTRY_CODES), st.integers(0, 10**12), st.integers(4, 12))
@settings(max_examples=400)
def test_any_number_is_read_as_libphonenumber_reads_it(country_code: int, tail: int, length: int) -> None:
    digits = f"{country_code}{tail:0{length}d}"[:E164_DIGITS]
    assert_as_judged(digits)
    assert_as_judged(digits[:MEMO_PREFIX] + digits[MEMO_PREFIX:][::-1])


@given(st.sampled_from(EXAMPLES), st.integers(0, 999_999))
@settings(max_examples=400)
def test_neighbour_of_a_real_number_is_read_as_libphonenumber_reads_it(example: str, tail: int) -> None:
    assert_as_judged(example[:-3] + f"{tail:06d}"[-3:])
    assert_as_judged((example[:-6] + f"{tail:06d}")[:E164_DIGITS])


def test_national_prefix_behind_a_country_code_is_taken_off() -> None:
    assert parse_number("4407400123456", ton=1) == Number("447400123456", "GB", 44, "mobile")


def test_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers._memo.clear()
    monkeypatch.setattr(numbers, "MEMO_LIMIT", 8)
    for operator in range(10, 40):
        parse_number(f"33{operator}0000000", ton=1)
        assert len(numbers._memo) <= 8
    assert MEMO_LIMIT == 65_536


def test_memo_is_not_fooled_by_what_follows_the_digits() -> None:
    assert isinstance(parse_number("33612345678", ton=1), Number)
    assert parse_number("3361234567x", ton=1) == NumberRefused("not_digits")
    assert parse_number("3361234567٣", ton=1) == NumberRefused("not_digits")


# --- ways of writing ---


@pytest.mark.parametrize(
    "raw", ["+2290197123456", "002290197123456", "229 01 97 12 34 56", "+229-01.97/12(34)56", "2290197123456"]
)
def test_one_number_written_in_many_ways(raw: str) -> None:
    assert parse_number(raw) == Number("2290197123456", "BJ", 229, "mobile")


@pytest.mark.parametrize(
    ("raw", "ton", "region", "e164"),
    [
        ("0612345678", 0, "FR", "33612345678"),
        ("0612345678", 2, "FR", "33612345678"),
        ("612345678", 4, "FR", "33612345678"),
        ("0197123456", 0, "BJ", "2290197123456"),
        ("33612345678", 2, "BJ", "33612345678"),  # a client that sends TON 2 for everything
        ("33612345678", 0, "BJ", "33612345678"),
        ("+33612345678", 2, "BJ", "33612345678"),
        ("2025550123", 2, "US", "12025550123"),
    ],
)
def test_type_of_number_and_default_region_say_how_to_read(raw: str, ton: int, region: str, e164: str) -> None:
    found = parse_number(raw, ton=ton, default_region=region)
    assert isinstance(found, Number)
    assert found.e164 == e164


@pytest.mark.parametrize(
    ("raw", "ton", "region", "reason"),
    [
        ("", 1, None, "empty"),
        ("+", 1, None, "empty"),
        ("00", 1, None, "empty"),
        ("12a", 1, None, "not_digits"),
        ("Info", 0, None, "not_digits"),
        ("Info", 5, None, "alphanumeric"),
        ("1234567890123456", 1, None, "too_long"),
        ("12345", 1, None, "too_short"),
        ("0612345678", 1, None, "no_country_code"),
        ("0612345678", 0, None, "no_country_code"),
        ("0612345678", 2, None, "national_without_region"),
        ("0612345678", 2, "ZZ", "unknown_region"),
    ],
)
def test_refusal_has_a_name(raw: str, ton: int, region: str | None, reason: str) -> None:
    found = parse_number(raw, ton=ton, default_region=region)
    assert isinstance(found, NumberRefused)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("raw", "region", "country_code", "reason"),
    [
        ("447700900123", "GB", 44, "not_valid"),  # kept for plays and tests by the British regulator
        ("15550100123", "US", 1, "not_valid"),
        ("33000000000", "FR", 33, "not_valid"),
        ("99912345678", None, 0, "unknown_country_code"),
        ("336123", "FR", 33, "not_valid"),
    ],
)
def test_test_numbers_pass_unless_strict(raw: str, region: str | None, country_code: int, reason: str) -> None:
    assert parse_number(raw) == Number(raw, region, country_code, "unknown")
    refused = parse_number(raw, strict=True)
    assert isinstance(refused, NumberRefused)
    assert refused.reason == reason


@given(st.text(max_size=24), st.integers(0, 7), st.sampled_from([None, "FR", "BJ", "US", "ZZ"]), st.booleans())
@settings(max_examples=300)
def test_any_text_is_a_number_or_a_named_refusal(raw: str, ton: int, region: str | None, strict: bool) -> None:
    found = parse_number(raw, ton=ton, default_region=region, strict=strict)
    if isinstance(found, Number):
        assert found.e164.isdecimal()
        assert found.e164.isascii()
        assert len(found.e164) <= E164_DIGITS


@given(st.text("0123456789", min_size=1, max_size=16), st.sampled_from([None, "FR", "BJ", "US", "CI"]), st.booleans())
@settings(max_examples=300)
def test_digits_read_once_read_the_same_again(raw: str, region: str | None, strict: bool) -> None:
    found = parse_number(raw, default_region=region, strict=strict)
    if isinstance(found, Number):
        again = parse_number(found.e164, ton=1, strict=strict)
        assert isinstance(again, Number)
        assert (again.e164, again.region, again.kind) == (found.e164, found.region, found.kind)
        assert again.migrated_from is None


# --- migrations ---


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("22997123456", "2290197123456"),  # Benin: 01 before everything
        ("22921301234", "2290121301234"),
        ("22501234567", "2250101234567"),  # Cote d'Ivoire: Moov
        ("22540123456", "2250140123456"),
        ("22505123456", "2250505123456"),  # MTN
        ("22564123456", "2250564123456"),
        ("22507123456", "2250707123456"),  # Orange
        ("22549123456", "2250749123456"),
        ("22520212345", "2252720212345"),  # fixed, Orange
        ("22520012345", "2252520012345"),  # fixed, MTN
        ("22521812345", "2252121812345"),  # fixed, Moov
        ("22530612345", "2252730612345"),
    ],
)
def test_old_number_comes_back_in_its_new_form(old: str, new: str) -> None:
    for raw, region in ((old, None), ("+" + old, None), (old[3:], {"229": "BJ", "225": "CI"}[old[:3]])):
        found = parse_number(raw, default_region=region, strict=True)
        assert isinstance(found, Number), raw
        assert (found.e164, found.migrated_from) == (new, old)


@pytest.mark.parametrize("raw", ["22513123456", "22580012345", "229971234567", "2290997123456"])
def test_what_was_no_old_number_is_not_migrated(raw: str) -> None:
    found = parse_number(raw, ton=1)
    assert isinstance(found, Number)
    assert (found.e164, found.migrated_from, found.kind) == (raw, None, "unknown")


# --- mobile country codes ---


def test_regions_have_mobile_country_codes() -> None:
    """ITU-T E.212: some that the gateway meets every day, and regions with several."""
    assert {region: mcc_of(region) for region in ("BJ", "CI", "FR", "TG", "NG", "US", "IN")} == {
        "BJ": "616",
        "CI": "612",
        "FR": "208",
        "TG": "615",
        "NG": "621",
        "US": "310",
        "IN": "404",
    }
    assert mccs_of("IN") == ("404", "405", "406")
    assert mcc_of(None) is None
    assert mcc_of("ZZ") is None
    assert mccs_of("ZZ") == ()


def test_every_region_with_numbers_has_a_mobile_country_code() -> None:
    without = {region for region in phonenumbers.SUPPORTED_REGIONS if mcc_of(region) is None}
    assert without == {"IO"}, "E.212 gives the Indian Ocean territory none"
    codes = [code for region in phonenumbers.SUPPORTED_REGIONS for code in mccs_of(region)]
    assert all(len(code) == 3 and "202" <= code <= "750" for code in codes)
