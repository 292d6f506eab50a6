"""Times of SMPP: absolute with quarters of an hour, relative, and the dates in receipts.

Vectors of v3.4 7.1.1.1 and 7.1.1.2; appendix B. What must not enter: what a time is used for.
"""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp.times import format_receipt_date, parse_time

NOW_MS = 1_790_000_000_000
DAY_MS = 24 * 3600 * 1000


def utc_ms(*moment: int) -> int:
    return int(datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "unix_ms"),
    [
        ("261121050000000+", utc_ms(2026, 11, 21, 5)),
        ("261121050000000-", utc_ms(2026, 11, 21, 5)),
        ("261121050000004+", utc_ms(2026, 11, 21, 4)),  # local time one hour ahead of UTC
        ("261121050000004-", utc_ms(2026, 11, 21, 6)),
        ("261121050000048+", utc_ms(2026, 11, 20, 17)),
        ("261121050000048-", utc_ms(2026, 11, 21, 17)),
        ("261121050000700+", utc_ms(2026, 11, 21, 5) + 700),
        ("280229000000000+", utc_ms(2028, 2, 29)),
        ("991231235959900+", utc_ms(2099, 12, 31, 23, 59, 59) + 900),
    ],
)
def test_absolute_times_count_from_utc_by_quarters(text: str, unix_ms: int) -> None:
    assert parse_time(text, NOW_MS) == unix_ms


@pytest.mark.parametrize(
    ("text", "after_ms"),
    [
        ("020610233429000R", (2 * 365 + 6 * 30 + 10) * DAY_MS + (23 * 3600 + 34 * 60 + 29) * 1000),  # 7.1.1.2
        ("000000000000000R", 0),
        ("000000000001000R", 1000),
        ("000007000000000R", 7 * DAY_MS),
        ("000000990000000R", 99 * 3600 * 1000),
    ],
)
def test_relative_times_count_from_now(text: str, after_ms: int) -> None:
    assert parse_time(text, NOW_MS) == NOW_MS + after_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "261121050000000",  # no sign
        "261121050000000 ",
        "261121050000000r",
        "2611210500000000+",
        "261321050000000+",  # month 13
        "261100050000000+",
        "260229000000000+",  # no leap year
        "261121240000000+",
        "261121056000000+",
        "261121050060000+",
        "261121050000049+",  # v3.4: 00 to 48 quarters
        "26112105000000x+",
        "\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661R",
        "000000000001100R",  # tenths and difference must be 0
        "000000000001004R",
    ],
)
def test_what_is_no_such_time_is_none(text: str) -> None:
    assert parse_time(text, NOW_MS) is None


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=20), st.text("0123456789+-R", min_size=16, max_size=16)))
def test_any_text_gives_a_time_or_none(text: str) -> None:
    moment = parse_time(text, NOW_MS)
    assert moment is None or isinstance(moment, int)


@pytest.mark.parametrize("quarters", range(49))
def test_the_two_signs_lie_twice_the_difference_apart(quarters: int) -> None:
    ahead = parse_time(f"2611210500000{quarters:02d}+", NOW_MS)
    behind = parse_time(f"2611210500000{quarters:02d}-", NOW_MS)
    assert ahead is not None
    assert behind is not None
    assert behind - ahead == 2 * quarters * 15 * 60 * 1000


def test_a_receipts_date_has_ten_digits_in_utc() -> None:
    assert format_receipt_date(utc_ms(2026, 1, 2, 3, 4, 59)) == "2601020304"
