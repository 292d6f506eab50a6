"""Two machines that answer each other: how often one wrote to the other in this minute.

A loop costs both sides money until somebody looks; a person does not write twenty times a minute. Bounded memory: of
more pairs than the limit the oldest are forgotten. Pure: times are passed in. What must not enter: what is done then.
"""

from __future__ import annotations

from typing import Final

PAIRS_LIMIT: Final = 20_000  # chosen: pairs of one minute that are remembered, some 4 MB
MINUTE_MS: Final = 60_000


class LoopGuard:
    """Counts messages of each (source, destination) by windows of a minute that begin with their first."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._pairs: dict[tuple[str, str], tuple[int, int]] = {}  # began at, count; oldest window first

    def count(self, source: str, destination: str, now_ms: int) -> int:
        """How many too many this one is: 0 for none, 1 for the first one of its minute, and so on."""
        pair = (source, destination)
        began_ms, count = self._pairs.get(pair, (now_ms, 0))
        if now_ms - began_ms >= MINUTE_MS or now_ms < began_ms:
            began_ms, count = now_ms, 0
            self._pairs.pop(pair, None)
        self._pairs[pair] = (began_ms, count + 1)
        if len(self._pairs) > PAIRS_LIMIT:
            del self._pairs[next(iter(self._pairs))]
        return max(0, count + 1 - self._a_minute)

    def __len__(self) -> int:
        return len(self._pairs)
