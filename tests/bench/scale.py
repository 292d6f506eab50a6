"""How much one run of the bench does: the whole of it, or a quick look.

What must not enter: anything that measures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """rounds: of everything, medians are taken over them; the rest: messages, or seconds, of one round."""

    rounds: int
    messages: int
    kannel_messages: int
    spool_messages: int
    rate_s: float
    starts: int
    open_messages: int = 100_000
    patience_s: float = 0.0  # how long a round may wait for others to be quiet


WHOLE = Scale(5, messages=60_000, kannel_messages=20_000, spool_messages=10_000, rate_s=8.0, starts=5)
QUICK = Scale(1, messages=30_000, kannel_messages=10_000, spool_messages=5_000, rate_s=3.0, starts=1)
