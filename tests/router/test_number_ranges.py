"""Numbering ranges: the longest prefix names the network, wrong rows are refused with culprit and remedy.

Judged against a plain scan of all rows on any ranges and any number.
No choice of routes may enter.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.number_ranges import Network, NumberRange, NumberRanges, RangeFault
from router.prefixes import PrefixMap

MTN = Network("616", "03", "MTN Benin")
MOOV = Network("616", "02", "Moov Benin")


def ranges(**rows: Network) -> NumberRanges:
    compiled = NumberRanges.compile(NumberRange(name.removeprefix("p"), network) for name, network in rows.items())
    assert isinstance(compiled, NumberRanges), compiled
    return compiled


def test_longest_range_names_the_network() -> None:
    known = ranges(p229=MOOV, p2290197=MTN)
    assert known.lookup("2290197000001") == MTN
    assert known.lookup("2290160000001") == MOOV
    assert known.lookup("33600000001") is None


def test_number_shorter_than_every_range_has_no_network() -> None:
    assert ranges(p22997=MTN).lookup("229") is None
    assert ranges(p22997=MTN).lookup("") is None


@pytest.mark.parametrize("prefix", ["", "+229", "0229", "22a", "1234567890123456", "\u0661"])
def test_prefix_that_opens_no_number_is_refused(prefix: str) -> None:
    (fault,) = _faults(NumberRange(prefix, MTN))
    assert fault.prefix == prefix
    assert "is not the opening of an E.164 number" in fault.fault
    assert "from the country code on" in fault.remedy


@pytest.mark.parametrize("network", [Network("61", "03", "x"), Network("616", "3", "x"), Network("6l6", "03", "x")])
def test_network_code_of_wrong_shape_is_refused(network: Network) -> None:
    (fault,) = _faults(NumberRange("229", network))
    assert fault.fault == f"range 229 names network {network.mcc!r}/{network.mnc!r}"


def test_range_given_to_two_networks_is_refused_and_a_repeated_row_is_not() -> None:
    (fault,) = _faults(NumberRange("229", MTN), NumberRange("229", MOOV))
    assert fault.fault == "range 229 is given to MTN Benin and to Moov Benin"
    assert isinstance(NumberRanges.compile([NumberRange("229", MTN)] * 2), NumberRanges)


def _faults(*rows: NumberRange) -> list[RangeFault]:
    compiled = NumberRanges.compile(rows)
    assert isinstance(compiled, list)
    return compiled


@settings(max_examples=300, deadline=None)
@given(
    prefixes=st.sets(st.text("129", min_size=1, max_size=7), max_size=25),
    numbers=st.lists(st.text("1239", max_size=10), min_size=1, max_size=20),
)
def test_lookup_answers_like_a_scan_of_all_prefixes(prefixes: set[str], numbers: list[str]) -> None:
    known = PrefixMap({prefix: prefix for prefix in prefixes})
    for number in numbers:
        opening = [prefix for prefix in prefixes if number.startswith(prefix)]
        assert known.longest(number) == max(opening, key=len, default=None)
