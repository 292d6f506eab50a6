"""Fuzzing without coverage: good examples damaged by a seeded sequence, where no atheris is to be had and in tests.

What belongs here: the ways of damaging. The same targets and seeds as atheris gets.
What must not enter: what a target makes of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.fuzz.targets import Target, judge

LONGEST = 600  # octets; chosen: beyond every length octet, and twice the longest single part
INTERESTING = (0x00, 0x01, 0x0F, 0x10, 0x1B, 0x30, 0x7F, 0x80, 0x8C, 0xD8, 0xFE, 0xFF)


def damaged(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One example, damaged a few times."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1 if data:
                data[at % len(data)] = chance.choice(INTERESTING)
            case 2:
                data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 16)))
            case 3:
                del data[at : at + chance.choice((1, 2, 4, 64))]
            case 4:
                other = chance.choice(seeds)
                cut = chance.randrange(len(other) + 1)
                data[at:] = other[cut:]
            case _:
                data[at:at] = data[at : at + chance.choice((2, 8, 32))]
    return bytes(data[:LONGEST])


def campaign(target: Target, seeds: Sequence[bytes], runs: int, seed: int) -> str:
    """Run a target over the seeds and so many damaged inputs; "" or the first find."""
    chance = random.Random(f"{target.__name__}/{seed}")
    for data in seeds:
        if find := judge(target, data):
            return find
    for _ in range(runs):
        if find := judge(target, damaged(chance, seeds)):
            return find
    return ""
