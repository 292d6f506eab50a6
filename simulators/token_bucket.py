"""A rate per second, kept by tokens: what throttles the SMSC simulator and paces the ESME simulator.

Source: the token bucket of ITU-T I.371 annex A, with its clock as an argument.
What must not enter: waiting, or what happens to the one who finds the bucket empty.
"""

from __future__ import annotations


class TokenBucket:
    """`rate` tokens a second, at most `burst` kept. Starts full."""

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self.rate = rate
        self.burst = max(burst, 1.0)
        self._tokens = self.burst
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one token if there is one."""
        if now_s > self._at_s:
            self._tokens = min(self.burst, self._tokens + (now_s - self._at_s) * self.rate)
            self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait_s(self) -> float:
        """Seconds from the last take() until one token is there."""
        return max(0.0, (1.0 - self._tokens) / self.rate)
