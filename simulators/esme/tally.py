"""What the simulated ESME expects and what came: answers, receipts in any order, and the summary of a run.

SMPP v3.4 2.11 and appendix B: each accepted message with registered_delivery owes one final receipt.
What must not enter: binds, clocks, sockets; latencies and chance are arguments.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from simulators.plain_values import Chance
from simulators.receipt_text import NOT_FINAL

IDS_LIMIT = 2_000_000  # message ids remembered in each role; beyond it the oldest is forgotten; chosen
LATENCIES_LIMIT = 100_000  # answers sampled for the percentiles; chosen
SHOWN_IDS_LIMIT = 20  # missing ids named in a summary; chosen


class LatencySample:
    """An even sample of latencies, in milliseconds (reservoir sampling, Vitter 1985, algorithm R)."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._kept = array("d")
        self._seen = 0

    def add(self, latency_ms: float) -> None:
        """Take one latency into account."""
        self._seen += 1
        if len(self._kept) < LATENCIES_LIMIT:
            self._kept.append(latency_ms)
        elif (place := int(self._chance() * self._seen)) < LATENCIES_LIMIT:
            self._kept[place] = latency_ms

    def percentiles(self) -> dict[str, float]:
        """p50, p95, p99 and max in milliseconds; {} when nothing was seen."""
        if not self._kept:
            return {}
        ordered = sorted(self._kept)
        last = len(ordered) - 1
        named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {name: round(ordered[round(last * share)], 3) for name, share in named.items()}


@dataclass(slots=True)
class EsmeSummary:
    """What came of a run. submitted counts submit_sm, repetitions included; rates are per second of sending."""

    submitted: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by command_status
    unanswered: int = 0  # neither answered in time nor late
    late: int = 0  # answered after the timeout
    again: int = 0  # submitted once more
    receipts: dict[str, int] = field(default_factory=dict)  # first final receipts, by stat
    intermediate: int = 0
    duplicates: int = 0  # further final receipts of the same message
    contradictions: int = 0  # duplicates with another stat
    unexpected: int = 0  # receipts of ids that no answer named
    missing: int = 0  # accepted, receipt asked for, none came
    missing_ids: list[str] = field(default_factory=list)
    inbound: int = 0
    binds: int = 0
    seconds: float = 0.0
    accepted_per_s: float = 0.0
    receipts_per_s: float = 0.0
    latency_ms: dict[str, float] = field(default_factory=dict)
    verified: bool | None = None  # None: not asked for
    problem: str = ""


class Tally:
    """The books of one run. expects_receipts: whether an accepted message owes a receipt."""

    def __init__(self, expects_receipts: bool, chance: Chance) -> None:
        self.summary = EsmeSummary()
        self.latencies = LatencySample(chance)
        self.awaited: dict[str, None] = {}  # accepted, receipt not come
        self._expects = expects_receipts
        self._final: dict[str, str] = {}  # message id -> stat of its final receipt
        self._early: dict[str, str] = {}  # receipt came, answer not

    def answered(self, message_id: str, refusal: str, latency_ms: float, late: bool) -> None:
        """A submit was answered. refusal: the name of its status, "" when it was accepted."""
        summary = self.summary
        self.latencies.add(latency_ms)
        if late:
            summary.late += 1
            summary.unanswered -= 1
        if refusal:
            summary.refused[refusal] = summary.refused.get(refusal, 0) + 1
            return
        summary.accepted += 1
        if not self._expects:
            return
        stat = self._early.pop(message_id, None)
        if stat is None:
            _remember(self.awaited, message_id, None)
        else:
            self._finish(message_id, stat)

    def receipt(self, message_id: str, stat: str) -> None:
        """A receipt came, perhaps before the answer, perhaps again."""
        summary = self.summary
        if stat in NOT_FINAL:
            summary.intermediate += 1
        elif message_id in self.awaited:
            del self.awaited[message_id]
            self._finish(message_id, stat)
        elif (known := self._final.get(message_id) or self._early.get(message_id)) is not None:
            summary.duplicates += 1
            summary.contradictions += known != stat
        else:
            _remember(self._early, message_id, stat)

    def _finish(self, message_id: str, stat: str) -> None:
        _remember(self._final, message_id, stat)
        self.summary.receipts[stat] = self.summary.receipts.get(stat, 0) + 1

    def close(self, seconds: float, verify: bool, complete: bool) -> EsmeSummary:
        """The summary after the run. seconds: of sending; complete: everything was submitted and settled."""
        summary = self.summary
        summary.seconds = round(seconds, 3)
        if seconds > 0:
            summary.accepted_per_s = round(summary.accepted / seconds, 1)
            summary.receipts_per_s = round(sum(summary.receipts.values()) / seconds, 1)
        summary.latency_ms = self.latencies.percentiles()
        summary.missing = len(self.awaited)
        summary.missing_ids = list(self.awaited)[:SHOWN_IDS_LIMIT]
        summary.unexpected = len(self._early)
        if verify:
            # Unexpected receipts are told, not blamed: of submits whose answer was lost, or kept since an earlier run.
            summary.verified = complete and not summary.missing and not summary.contradictions
        return summary


def _remember(ids: dict[str, str] | dict[str, None], message_id: str, value: object) -> None:
    if len(ids) >= IDS_LIMIT:
        ids.pop(next(iter(ids)))
    ids[message_id] = value  # type: ignore[assignment]
