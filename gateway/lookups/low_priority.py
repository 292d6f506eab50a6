"""This process behind all others: a file of a million numbers takes what messages leave of the processors.

What belongs here: the one step down, taken for good.
What must not enter: a way back up, other processes' priorities.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

LOWEST: Final = 19  # nice(2)


def step_behind_all() -> None:
    """Run only while nobody else wants to (sched(7), SCHED_IDLE); where the system knows no such class, nice 19."""
    with contextlib.suppress(OSError):
        os.nice(LOWEST)
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
