"""Decision 0002: what a value of the hot path costs as msgspec.Struct and as slotted dataclass.

Run: .venv/bin/python docs/decisions/measure/value_types.py. The values have the fields of gateway.message.Message.
What must not enter: the product's own classes changed for the measurement.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import dataclasses
import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.message import Envelope, Message

ROUNDS, VALUES = 5, 100_000
ENVELOPE = Envelope(5, 0, 1, 1)
GIVEN: tuple[Any, ...] = (
    1 << 60,
    1,
    1,
    1,
    1,
    "transactional",
    1,
    0,
    10**6,
    1 << 41,
    0,
    "ACME",
    "2290197123456",
    "route 1",
)
GIVEN = (*GIVEN, b"x" * 160, ENVELOPE)

FIELDS = [
    (each.name, Any) if each.required else (each.name, Any, each.default) for each in msgspec.structs.fields(Message)
]
Slotted: Any = dataclasses.make_dataclass("Slotted", FIELDS, slots=True)
Collected: Any = msgspec.defstruct("Collected", FIELDS)


def median_us(work: Callable[[], object], per: int) -> float:
    """Median microseconds of one of `per` things, over ROUNDS."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) / per * 1e6)
    return statistics.median(found)


def change_all(values: list[Any]) -> None:
    for value in values:
        value.state = "submitted"
        value.attempt_count += 1
        value.final_at_ms = value.expires_at_ms


def main() -> None:
    print(f"Python {sys.version.split()[0]}, msgspec {msgspec.__version__}; {VALUES} values, median of {ROUNDS}")
    print(f"{'':34}{'make':>9}{'change':>9}{'octets':>9}{'gc.collect()':>14}")
    kinds = (
        ("msgspec.Struct(gc=False)", Message),
        ("msgspec.Struct", Collected),
        ("dataclass(slots=True)", Slotted),
    )
    for name, kind in kinds:
        gc.collect()
        make = median_us(lambda kind=kind: [kind(*GIVEN) for _ in range(VALUES)], VALUES)
        alive = [kind(*GIVEN) for _ in range(VALUES)]
        change = median_us(lambda alive=alive: change_all(alive), VALUES)
        octets = sys.getsizeof(alive[0])
        collect = median_us(gc.collect, 1) / 1000
        print(f"{name:34}{make:>6.2f} us{change:>6.2f} us{octets:>9}{collect:>11.1f} ms")
        del alive


if __name__ == "__main__":
    main()
