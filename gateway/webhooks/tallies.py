"""What a courier counts of itself, and these counts as families for a metrics page.

Source: compatibility page, "Metrics" (app prefix, seconds, `_total`).
What must not enter: labels with URLs, accounts or ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from gateway.tallies import RECEIPT_BUCKETS_S, Durations


class WebhookTallies:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self.deliveries: defaultdict[str, int] = defaultdict(int)  # by outcome: done, again, dead, given_up
        self.faults: defaultdict[str, int] = defaultdict(int)  # by kind
        self.latency = Durations(RECEIPT_BUCKETS_S)  # from the event to its being taken

    def tell(self, state: str, fault: str, late_ms: int) -> None:
        """Count one try. fault: of outgoing.Found, or status_NNN, of which the first digit is kept."""
        self.deliveries["again" if state == "due" else state] += 1
        if fault:
            self.faults[f"{fault[:8]}xx" if fault.startswith("status_") else fault] += 1
        else:
            self.latency.observe(late_ms / 1000)

    def families(self) -> Iterable[Metric]:
        """The families of a metrics page."""
        outcomes = CounterMetricFamily("gw_webhook_deliveries", "Tries of webhooks", labels=["outcome"])
        for outcome, count in self.deliveries.items():
            outcomes.add_metric([outcome], count)
        yield outcomes
        faults = CounterMetricFamily("gw_webhook_faults", "Why tries failed", labels=["fault"])
        for fault, count in self.faults.items():
            faults.add_metric([fault], count)
        yield faults
        family = HistogramMetricFamily("gw_webhook_latency_seconds", "From an event until its URL took it", labels=[])
        reached, buckets = 0, []
        for bound, count in zip((*self.latency.bounds_s, float("inf")), self.latency.counts, strict=True):
            reached += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), reached))
        family.add_metric([], buckets, self.latency.total_s)
        yield family
