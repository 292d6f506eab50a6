"""What a desk counts of itself, and these counts as a family for a metrics page.

Source: compatibility page, "Metrics".
What must not enter: labels with addresses, accounts or ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, Metric


class NoticeTallies:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self.tries: defaultdict[tuple[str, str], int] = defaultdict(int)  # by channel and outcome

    def families(self) -> Iterable[Metric]:
        """The family of a metrics page."""
        family = CounterMetricFamily("gw_notice_tries", "Tries of notices", labels=["channel", "outcome"])
        for (channel, outcome), count in self.tries.items():
            family.add_metric([channel, outcome], count)
        yield family
