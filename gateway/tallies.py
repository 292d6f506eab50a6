"""Counts and durations that the rooms keep of themselves: plain integers, read by the metrics page.

What belongs here: the cheapest things that can be counted on the hot path (about 0.2 us an observation).
What must not enter: Prometheus' own types, labels with numbers or texts of messages.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

# seconds; chosen around the promises: 2, 8 and 15 ms for answers, a minute to an hour for receipts
ANSWER_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
RECEIPT_BUCKETS_S = (0.01, 0.1, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400, 259200)


class Durations:
    """A histogram of seconds."""

    __slots__ = ("bounds_s", "counts", "total_s")

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self.bounds_s = bounds_s
        self.counts = [0] * (len(bounds_s) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration, in seconds."""
        self.counts[bisect_left(self.bounds_s, seconds)] += 1
        self.total_s += seconds

    def quantile_s(self, share: float) -> float:
        """The upper bound of the bucket in which this share (0..1) of all durations is reached; 0 when nothing was
        counted.
        """
        wanted = share * sum(self.counts)
        reached = 0
        for bound, count in zip((*self.bounds_s, float("inf")), self.counts, strict=True):
            reached += count
            if reached >= wanted and reached:
                return bound
        return 0.0


class Tallies:
    """What a node counts. Keys are small closed sets of words: direction, connector, outcome, status."""

    def __init__(self) -> None:
        self.messages: defaultdict[tuple[str, str], int] = defaultdict(int)  # (direction, outcome)
        self.parts_submitted: defaultdict[str, int] = defaultdict(int)  # by connector
        self.carrier_answers: defaultdict[tuple[str, str], int] = defaultdict(int)  # (connector, outcome)
        self.receipts: defaultdict[tuple[str, str], int] = defaultdict(int)  # (connector, what became of it)
        self.receipt_errors: defaultdict[tuple[str, str], int] = defaultdict(int)  # (connector, kind of error)
        self.dress_changes: defaultdict[str, int] = defaultdict(int)  # by connector
        self.notifications: defaultdict[str, int] = defaultdict(int)  # by outcome
        self.refused_pdus: defaultdict[tuple[str, str], int] = defaultdict(int)  # (side, status name)
        self.refused_connections: defaultdict[str, int] = defaultdict(int)  # by which limit
        self.tls_handshakes: defaultdict[str, int] = defaultdict(int)  # by outcome
        self.accept_latency = Durations(ANSWER_BUCKETS_S)  # submit_sm read to its commit
        self.submit_latency: defaultdict[str, Durations] = defaultdict(lambda: Durations(ANSWER_BUCKETS_S))
        self.receipt_latency: defaultdict[str, Durations] = defaultdict(lambda: Durations(RECEIPT_BUCKETS_S))
        self.loop_lag = Durations(ANSWER_BUCKETS_S)
