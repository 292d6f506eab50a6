"""Decision 0008: what a destination costs, by phonenumbers alone and behind the memo of telecom.numbers.

Run: .venv/bin/python docs/decisions/measure/destinations.py. Numbers of one country, all different, as in a campaign.
What must not enter: numbers that were asked before the clock runs.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import sys
import time

import phonenumbers

from telecom.numbers import Number, parse_number

COUNT = 20_000


def main() -> None:
    asked = [f"22901{97_000_000 + 7 * n}" for n in range(COUNT)]
    began = time.perf_counter()
    alone = sum(phonenumbers.is_valid_number(phonenumbers.parse(f"+{each}")) for each in asked[:2000])
    alone_us = (time.perf_counter() - began) / 2000 * 1e6
    began = time.perf_counter()
    memo = sum(isinstance(parse_number(each, ton=1, default_region="BJ"), Number) for each in asked)
    memo_us = (time.perf_counter() - began) / COUNT * 1e6
    print(f"Python {sys.version.split()[0]}, phonenumbers {phonenumbers.__version__}")
    print(f"phonenumbers.parse and is_valid_number   {alone_us:6.2f} us a number ({alone} of 2000 valid)")
    print(f"telecom.numbers.parse_number             {memo_us:6.2f} us a number ({memo} of {COUNT} numbers)")


if __name__ == "__main__":
    main()
