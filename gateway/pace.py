"""Pace: how many parts a second may pass to a carrier, as a token bucket with a burst of one second.

Source: smpp-answers (throttle). Pure: the present, on any monotonic clock, is passed in.
What must not enter: waiting; whoever is refused asks `ready_at`.
"""

from __future__ import annotations

BURST_S = 1.0  # smpp-answers: burst of one second


class Pace:
    """A token bucket. rate_per_s 0: no limit; burst_s: how much may pass at once, in seconds of the rate."""

    __slots__ = ("_at", "_tokens", "burst_s", "rate_per_s")

    def __init__(self, rate_per_s: float, now: float) -> None:
        self.rate_per_s = rate_per_s
        self.burst_s = BURST_S
        self._tokens = max(rate_per_s * BURST_S, 1.0)
        self._at = now

    def take(self, parts: int, now: float, spare: float = 0.0) -> bool:
        """Whether so many parts may pass now; takes them if so. More than a burst may pass when the bucket is full.

        spare: the share of a burst that must be left beside them.
        """
        if not self.rate_per_s:
            return True
        burst = max(self.rate_per_s * self.burst_s, 1.0)
        self._tokens = min(burst, self._tokens + (now - self._at) * self.rate_per_s)
        self._at = now
        if self._tokens >= min(parts + spare * burst, burst):
            self._tokens -= parts
            return True
        return False

    def start_over(self, at: float) -> None:
        """Nothing may pass from now on that was not earned after `at`."""
        self._tokens = 0.0
        self._at = at

    def put_back(self, parts: int) -> None:
        """Return what was taken and not used."""
        self._tokens += parts

    def ready_at(self, parts: int, now: float, spare: float = 0.0) -> float:
        """When so many parts may pass, on the caller's clock."""
        if not self.rate_per_s:
            return now
        burst = max(self.rate_per_s * self.burst_s, 1.0)
        missing = min(parts + spare * burst, burst) - self._tokens
        return now + max(0.0, missing / self.rate_per_s)
