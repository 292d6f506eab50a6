"""The gateway's own ranges, asked as number analysis asks: E.164 digits in, an operator or nothing out.

What belongs here: the way from rows of number_ranges to that question.
What must not enter: rules about ranges (router).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.storage.facts import NumberRangeRow
from router.number_ranges import Network, NumberRange, NumberRanges
from telecom.number_analysis import Operator


def own_operator(rows: Sequence[NumberRangeRow]) -> Callable[[str], Operator | None] | None:
    """The question; None where there is no range to ask, or where the router could not use them either."""
    ranges = NumberRanges.compile(NumberRange(row.prefix, Network(row.mcc, row.mnc, row.operator)) for row in rows)
    if isinstance(ranges, list) or not rows:
        return None

    def ask(digits: str) -> Operator | None:
        network = ranges.lookup(digits)
        return None if network is None else Operator(network.operator, network.mcc, network.mnc)

    return ask
