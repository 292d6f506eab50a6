"""The fuzz targets themselves: they take good input, find nothing in a short campaign, and would find something.

The long campaigns are `make fuzz`. What must not enter: expectations about particular inputs.
"""

from __future__ import annotations

import pytest

from tests.fuzz.mutator import campaign
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

RUNS = 3_000  # chosen: a second or two a target
SEED = 1


@pytest.mark.parametrize("name", list(TARGETS))
def test_a_short_campaign_finds_nothing(name: str) -> None:
    assert campaign(TARGETS[name], SEEDS[name], RUNS, SEED) == ""


def test_a_planted_fault_is_found_and_told_as_a_call_that_repeats_it() -> None:
    def planted(data: bytes) -> None:
        if data[:1] == b"\x04" and b"stat" not in data:
            raise IndexError("planted")

    found = campaign(planted, SEEDS["receipt"], RUNS, SEED)
    assert found.startswith("planted(bytes.fromhex('04")
    assert found.endswith("IndexError: planted")
