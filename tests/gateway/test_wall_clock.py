"""The wall clock: the machine's, unless a test steps it.

Source: gateway/wall_clock.py. What must not enter: what a step does to messages (tests/faults/test_clocks.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from gateway.wall_clock import STEP, wall_ms

TELL = "from gateway.wall_clock import wall_ms; print(wall_ms())"


def test_it_is_the_machines_clock() -> None:
    before_ms = time.time_ns() // 1_000_000
    assert before_ms <= wall_ms() <= time.time_ns() // 1_000_000


def test_a_step_is_added_where_one_is_wished(tmp_path: Path) -> None:
    step = tmp_path / "clock"
    step.write_bytes(STEP.pack(-86_400_000))
    environment = {**os.environ, "PASSERELLE_CLOCK_STEP": str(step)}
    before_ms = wall_ms()
    told = subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=True)
    assert before_ms - 86_400_000 <= int(told.stdout) <= wall_ms() - 86_400_000
