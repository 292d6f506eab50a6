"""Patterns of digits: the early verdict against every completion, tried one by one.

What must not enter: metadata of countries (test_numbers.py).
"""

import itertools
import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.number_patterns import UnknownSyntax, full_match, starts_with_match

DIGIT = st.sampled_from("0123456789")
ATOMS = DIGIT | st.sampled_from(["[2-5]", "[013-68]", r"\d", "[9]"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda choices: f"(?:{'|'.join(choices)})"),
        inner.map(lambda pattern: f"({pattern})?"),
        st.tuples(inner, st.integers(0, 2), st.integers(0, 2)).map(
            lambda given: f"(?:{given[0]}){{{given[1]},{given[1] + given[2]}}}"
        ),
        inner.map(lambda pattern: f"(?:{pattern}){{2}}"),
        inner.map(lambda pattern: f"({pattern}$|0)"),
    ),
    max_leaves=6,
)


def completions(prefix: str, remaining: int) -> list[str]:
    return [prefix + "".join(digits) for digits in itertools.product("0123456789", repeat=remaining)]


def verdict_of(matches: list[bool]) -> str:
    return "all" if all(matches) else "some" if any(matches) else "none"


@given(PATTERNS, st.text("0123456789", max_size=4), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_full_match_verdict_is_that_of_all_completions(pattern: str, prefix: str, remaining: int) -> None:
    expected = verdict_of([re.fullmatch(pattern, digits) is not None for digits in completions(prefix, remaining)])
    assert full_match(pattern, prefix, remaining) == expected


@given(PATTERNS, st.text("0123456789", max_size=4), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_start_verdict_is_that_of_all_completions(pattern: str, prefix: str, remaining: int) -> None:
    """Any accepted beginning counts, of one digit at least, also one that a greedy search would not choose."""
    expected = verdict_of([begins_with_match(pattern, digits) for digits in completions(prefix, remaining)])
    assert starts_with_match(pattern, prefix, remaining) == expected


def begins_with_match(pattern: str, digits: str) -> bool:
    ends = range(1, len(digits) + 1)
    return any(re.match(f"(?:{pattern})(?=.{{{len(digits) - end}}}\\Z)", digits) for end in ends)


@pytest.mark.parametrize("pattern", ["a", "1*", "(?=1)1", "[^1]", "1+", "(1", ".", "1)"])
def test_unknown_syntax_is_said(pattern: str) -> None:
    with pytest.raises(UnknownSyntax):
        full_match(pattern, "1", 0)


def test_every_pattern_of_libphonenumber_is_read() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
        assert plan is not None
        for pattern in (plan.national_prefix_for_parsing, plan.leading_digits):
            if pattern:
                assert starts_with_match(pattern, "1", 1) in ("all", "none", "some")
        for kind in ("general_desc", "mobile", "fixed_line", "toll_free", "premium_rate", "voip", "uan", "pager"):
            description = getattr(plan, kind)
            if description is not None and description.national_number_pattern:
                assert full_match(description.national_number_pattern, "1", 1) in ("all", "none", "some")
