"""Micro-credits: exact reading and writing, and every refusal by its name.

What must not enter: floats, rates, accounts.
"""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.money import LIMIT_MICROS, MICROS_PER_CREDIT, MoneyRefused, format_credits, parse_credits


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("12.5", 12_500_000),
        ("0", 0),
        ("-0", 0),
        ("1", MICROS_PER_CREDIT),
        ("0.000001", 1),
        ("0.0000010", 1),
        (" 7 ", 7_000_000),
        ("007.10", 7_100_000),
        ("9000000000000", LIMIT_MICROS),
    ],
)
def test_decimal_text_is_read_exactly(text: str, micros: int) -> None:
    assert parse_credits(text) == micros


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("1,5", "not_decimal"),
        (".5", "not_decimal"),
        ("5.", "not_decimal"),
        ("1e3", "not_decimal"),
        ("+1", "not_decimal"),
        ("١", "not_decimal"),
        ("1_000", "not_decimal"),
        ("NaN", "not_decimal"),
        ("0.0000001", "too_precise"),
        ("9000000000000.000001", "too_large"),
        ("9" * 5000, "too_large"),
        ("-1", "negative"),
    ],
)
def test_other_text_is_refused_by_name(text: str, reason: str) -> None:
    refused = parse_credits(text)
    assert isinstance(refused, MoneyRefused)
    assert refused.reason == reason


def test_sign_is_read_where_it_is_allowed() -> None:
    assert parse_credits("-12.5", signed=True) == -12_500_000


@given(st.integers(-LIMIT_MICROS, LIMIT_MICROS))
@settings(max_examples=300)
def test_micros_survive_their_text(micros: int) -> None:
    assert parse_credits(format_credits(micros), signed=True) == micros
    assert Decimal(format_credits(micros)) * MICROS_PER_CREDIT == micros


@pytest.mark.parametrize(("micros", "text"), [(12_500_000, "12.5"), (1, "0.000001"), (-1, "-0.000001"), (0, "0")])
def test_text_is_the_shortest(micros: int, text: str) -> None:
    assert format_credits(micros) == text
