"""A crash point ends the process as a power cut would, the n-th time, and only the one that was wished.

Architecture section 5. Each case is a process of its own. What must not enter: what is lost then (tests/faults).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.crash_points import CRASH_POINTS

TREE = Path(__file__).parents[2] / "gateway"
WALK = """
import atexit, sys
from gateway.crash_points import CRASH_POINTS, crash_point
atexit.register(print, "tidied up")
for turn in range(3):
    for name in CRASH_POINTS:
        print(turn, name, flush=True)
        crash_point(name)
"""


def walk(wish: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PASSERELLE_CRASH_AT": wish}
    return subprocess.run(
        [sys.executable, "-c", WALK], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("wish", "turn"), [("settle.committed", 0), ("settle.committed:1", 0), ("send.written:3", 2)])
def test_the_process_ends_at_the_named_point_at_once(wish: str, turn: int) -> None:
    ended = walk(wish)
    assert ended.returncode == 137
    assert ended.stdout.splitlines()[-1] == f"{turn} {wish.partition(':')[0]}"  # nothing was tidied up


def test_without_a_wish_nothing_ends() -> None:
    ended = walk("")
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "tidied up"


def test_a_name_that_is_none_is_refused_with_the_list() -> None:
    ended = walk("settle.comitted")
    assert ended.returncode == 1
    assert "settle.committed" in ended.stderr


def test_each_point_stands_in_production_code_once_and_no_other_does() -> None:
    named = [
        name
        for path in TREE.rglob("*.py")
        for name in re.findall(r'\bcrash_point\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert sorted(named) == sorted(CRASH_POINTS)
