"""One round: the client loads the gateway, both ends' counts are compared, processes and neighbours are metered.

A patient bench waits for a quiet machine before a round, and repeats one that a neighbour disturbed; the quietest
counts.
What must not enter: which figure a round gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bench import load
from tests.bench.figures import Section
from tests.bench.installation import Installation
from tests.bench.processes import QUIET_CORES, Meter, quiet

TRIES = 3  # chosen: of a patient bench, for one round


@dataclass
class Round:
    """What came of it. client: what the load tool counted; *_us: processor time a message; cores: both together."""

    client: dict[str, Any]
    gateway_us: float
    postgres_us: float
    harness_us: float
    cores: float
    other_cpu: float


class Rounds:
    """Rounds against one installation and its carrier; what goes wrong in them is told to the section."""

    def __init__(self, installation: Installation, carrier: load.Sink, section: Section, patience_s: float) -> None:
        self._installation = installation
        self._carrier = carrier
        self._section = section
        self._patience_s = patience_s

    async def run(self, messages: int, **more: Any) -> Round:
        """The quietest of as many tries as patience allows."""
        tried: list[Round] = []
        while not tried or (self._patience_s and len(tried) < TRIES and tried[-1].other_cpu > QUIET_CORES):
            await quiet(self._patience_s)
            tried.append(await self._try(messages, **more))
        best = min(tried, key=lambda each: each.other_cpu)
        self._section.other_cpu.append(best.other_cpu)
        return best

    async def _try(self, messages: int, **more: Any) -> Round:
        await self._carrier.count(forget=True)
        meter = Meter({**self._installation.pids(), "carrier": [self._carrier.child.pid]})
        with meter:
            client = await self._installation.submit(messages, **more)
        self._section.faults += load.complaints(client, await self._carrier.count())
        each_us = 1e6 / max(1, client["sent"])
        return Round(
            client,
            meter.cpu["gateway"] * each_us,
            meter.cpu["postgres"] * each_us,
            (meter.cpu["carrier"] + client["cpu_s"]) * each_us,
            (meter.cpu["gateway"] + meter.cpu["postgres"]) / meter.seconds,
            meter.others(client["cpu_s"]),
        )
