"""The wall clock of a node, and the hook by which a test steps it: PASSERELLE_CLOCK_STEP=path.

What belongs here: the one function that reads it. Validity, ids and what people read go by it; timers never do
(architecture 5). The file holds eight octets: milliseconds to add, little-endian, signed; it is looked at each time.
What must not enter: anything that costs where no step is wished.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable

STEP = struct.Struct("<q")


def _plain_ms() -> int:
    """Unix milliseconds of the wall clock."""
    return time.time_ns() // 1_000_000


def _stepped(path: str) -> Callable[[], int]:
    with open(path, "rb") as file:
        step = mmap.mmap(file.fileno(), STEP.size, access=mmap.ACCESS_READ)

    def stepped_ms() -> int:
        added_ms: int = STEP.unpack_from(step)[0]
        return _plain_ms() + added_ms

    return stepped_ms


_path = os.environ.get("PASSERELLE_CLOCK_STEP", "")
wall_ms: Callable[[], int] = _stepped(_path) if _path else _plain_ms
