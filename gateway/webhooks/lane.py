"""When a delivery is tried again, and how much one receiver gets at once: a table, and the pause after failures.

Source: defaults page, "Webhooks" (5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h with jitter); promise P7. Pure: time
and chance are arguments. What must not enter: rows, requests.
"""

from __future__ import annotations

from typing import Final

RETRY_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)  # defaults page; then a dead letter
JITTER: Final = 0.1  # chosen: of a pause, so that what failed together does not come back together
WIDEST: Final = 8  # chosen: requests to one receiver at once
AHEAD: Final = 64  # chosen: deliveries that are claimed for a receiver that answers well
FAILURES_TO_PAUSE: Final = 5  # chosen: one after the other, whatever they were about
FORGIVEN_MS: Final = 600_000  # chosen: after the end of a pause in which nothing was due
LANES_KEPT: Final = 1_000  # chosen: receivers that answer well and have nothing due
PAUSES_MS: Final = (5_000, 15_000, 30_000, 60_000)  # chosen: then one delivery asks whether it is back


def retry_ms(tries: int, chance: float) -> int | None:
    """The pause after so many tries (1 and more); None: it was the last. chance: 0 to 1."""
    if tries > len(RETRY_S):
        return None
    return int(RETRY_S[tries - 1] * 1000 * (1 + JITTER * chance))


class Lane:
    """What is known of one receiver: how wide it is, and whether it is left alone for a while."""

    __slots__ = ("busy", "failures", "paused_until_ms", "width")

    def __init__(self) -> None:
        self.width = 1  # requests at once: one more with each success, one after a failure
        self.busy = 0  # requests under way, and deliveries that wait for one
        self.failures = 0  # one after the other
        self.paused_until_ms = 0

    def room(self, now_ms: int) -> int:
        """How many deliveries may be claimed for it now."""
        if self.failures >= FAILURES_TO_PAUSE:
            return 1 if self.busy == 0 and now_ms >= self.paused_until_ms else 0
        return max(0, (AHEAD if self.width == WIDEST else self.width) - self.busy)

    def is_paused(self, now_ms: int) -> bool:
        """Whether it failed so often that what was claimed for it is given back."""
        return self.failures >= FAILURES_TO_PAUSE and now_ms < self.paused_until_ms

    def is_forgettable(self, now_ms: int, lanes: int) -> bool:
        """Whether a new lane would do as well, of so many."""
        if self.busy or (self.width > 1 and lanes <= LANES_KEPT):
            return False
        return not self.failures or now_ms >= self.paused_until_ms + FORGIVEN_MS

    def taken(self) -> None:
        """The receiver took a delivery."""
        self.failures = 0
        self.width = min(WIDEST, self.width + 1)

    def failed(self, now_ms: int) -> None:
        """A try failed."""
        self.failures += 1
        self.width = 1
        self.paused_until_ms = now_ms
        if self.failures >= FAILURES_TO_PAUSE:
            step = min(self.failures - FAILURES_TO_PAUSE, len(PAUSES_MS) - 1)
            self.paused_until_ms += PAUSES_MS[step]
