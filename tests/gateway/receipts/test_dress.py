"""Ids of carriers, given in one dress and receipted in another: the receipt's keys always name the attempt's.

Architecture, promise P4. The dresses are those of the simulated carrier and of UUIDs without dashes.
What must not enter: where keys are looked up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.message import id_key
from gateway.receipts.dress import keys_by_dress

DRESSES: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "hex": lambda number: f"{number:x}",
    "upper": lambda number: f"{number:X}",
    "padded": lambda number: str(number).zfill(20),
    "padded hex": lambda number: f"{number:016x}",
    "padded upper": lambda number: f"{number:010X}",
}


def dashed(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


UUIDS: dict[str, Callable[[str], str]] = {
    "uuid": dashed,
    "UUID": lambda digits: dashed(digits).upper(),
    "bare": str,
    "BARE": str.upper,
}
PAIRS = list(itertools.product(DRESSES, DRESSES))
UUID_PAIRS = list(itertools.product(UUIDS, UUIDS))


@pytest.mark.parametrize(("given_as", "receipted_as"), PAIRS)
@settings(max_examples=30, deadline=None)
@given(number=st.one_of(st.integers(0, 2**32), st.integers(0, 2**128 - 1)))
@example(number=0)
@example(number=10)
@example(number=2**64 - 1)
@example(number=2**128 - 1)
def test_a_number_is_found_again_in_every_other_dress(given_as: str, receipted_as: str, number: int) -> None:
    submitted, receipted = DRESSES[given_as](number), DRESSES[receipted_as](number)
    assert id_key(submitted) in keys_by_dress(receipted)
    assert id_key(receipted) in keys_by_dress(submitted)  # a receipt that came first is looked for the other way


@pytest.mark.parametrize(("given_as", "receipted_as"), UUID_PAIRS)
@settings(max_examples=20, deadline=None)
@given(number=st.integers(0, 2**128 - 1))
@example(number=1)
def test_a_uuid_is_found_again_with_and_without_dashes(given_as: str, receipted_as: str, number: int) -> None:
    digits = f"{number:032x}"
    assert id_key(UUIDS[given_as](digits)) in keys_by_dress(UUIDS[receipted_as](digits))


def test_the_id_as_it_is_comes_first_and_none_twice() -> None:
    assert list(keys_by_dress("10")) == ["10", "a", "16"]
    assert list(keys_by_dress("7")) == ["7"]
    assert list(keys_by_dress("ABC-1")) == ["abc-1"]
    assert list(keys_by_dress("000")) == [""]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=70))
def test_any_id_has_its_own_key_first(smsc_message_id: str) -> None:
    keys = list(keys_by_dress(smsc_message_id))
    assert keys[0] == id_key(smsc_message_id)
    assert len(keys) == len(set(keys)) <= 4
