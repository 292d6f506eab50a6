"""What the simulated SMSC decides about each submit_sm, by its settings and its seed: the rules, without the wire.

SMPP v3.4 5.1.3 (statuses), 5.2.17 (registered_delivery). Chance and time are arguments.
What must not enter: sockets, clocks, sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.smpp.command_status import CommandStatus
from simulators.plain_values import Chance, parse_status
from simulators.smsc.settings import SmscSettings
from simulators.token_bucket import TokenBucket

SHUFFLE_SPREAD_MS = 200.0  # chosen: at 1,000 receipts a second each may overtake two hundred others
DUPLICATE_SPREAD_MS = 50.0  # chosen: a duplicate follows soon, behind some others
SYSTEM_IDS_LIMIT = 10_000  # buckets kept; beyond it the oldest is forgotten; chosen

RECEIPT_MODE_BITS = 0x03  # registered_delivery, v3.4 5.2.17
ALWAYS, ON_FAILURE, ON_SUCCESS = 1, 2, 3


class Judgement(StrEnum):
    """What becomes of a submit; the words of the log."""

    TAKEN = "taken"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class PlannedReceipt:
    """One receipt to come. delay_ms: from the answer (from the submit, for one that is early or never answered)."""

    stat: str
    err: str
    delay_ms: float
    intermediate: bool = False
    early: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one submit. number: of the message, 0 when refused; latency_ms: until the answer."""

    judgement: Judgement
    command_status: int
    number: int
    latency_ms: float
    receipts: tuple[PlannedReceipt, ...] = ()


DELIVERED_AT_ONCE = (PlannedReceipt("DELIVRD", "000", 0.0),)


class SmscBehaviour:
    """The rules of one simulated SMSC. The same seed, settings and submits give the same verdicts.

    settings may be replaced while running. chance: the next number of the seeded sequence, 0 <= x < 1.
    """

    def __init__(self, settings: SmscSettings, chance: Chance, first_id: int) -> None:
        self.settings = settings
        self._chance = chance
        self._next_id = first_id
        self._buckets: dict[str, TokenBucket] = {}

    def judge(
        self, registered_delivery: int, unanswered: int, system_id: str, now_s: float, destination_addr: str = ""
    ) -> Verdict:
        """Decide about a submit. unanswered: submits that its bind took and has not answered."""
        settings = self.settings
        status = self._refusal(unanswered, system_id, now_s, destination_addr)
        latency_ms = settings.latency_ms.draw(self._chance)
        if settings.queue_ms and not status:
            latency_ms += settings.queue_ms * unanswered
        if status:
            return Verdict(Judgement.REFUSED, status, 0, latency_ms)
        judgement = Judgement.SILENT if self._happens(settings.silence) else Judgement.TAKEN
        number = self._next_id
        self._next_id += 1
        receipts = self._plan_receipts(registered_delivery & RECEIPT_MODE_BITS)
        return Verdict(judgement, 0, number, latency_ms, receipts)

    def _happens(self, rate: float) -> bool:
        return rate > 0.0 and self._chance() < rate

    def _refusal(self, unanswered: int, system_id: str, now_s: float, destination_addr: str) -> int:
        """The command_status of a refusal; 0: none."""
        settings = self.settings
        if settings.congested:
            return CommandStatus.ESME_RMSGQFUL
        if settings.window and unanswered >= settings.window:
            return settings.window_status
        if settings.tps and not self._bucket(system_id, now_s).take(now_s):
            return CommandStatus.ESME_RTHROTTLED
        for prefix, status in settings.error_for:
            if destination_addr.startswith(prefix):
                return status
        if settings.error_mix.shares:
            picked = settings.error_mix.pick(self._chance())
            if picked is not None:
                return parse_status(picked)
        return 0

    def _bucket(self, system_id: str, now_s: float) -> TokenBucket:
        """The bucket of a system_id, made anew when the contract changed; its burst is one second."""
        bucket = self._buckets.get(system_id)
        if bucket is None or bucket.rate != self.settings.tps:
            if len(self._buckets) >= SYSTEM_IDS_LIMIT:
                self._buckets.pop(next(iter(self._buckets)))
            bucket = self._buckets[system_id] = TokenBucket(self.settings.tps, self.settings.tps, now_s)
        return bucket

    def _plan_receipts(self, mode: int) -> tuple[PlannedReceipt, ...]:
        settings = self.settings
        if mode == 0 or self._happens(settings.no_receipt):
            return ()
        stat, err = self._final_state()
        if (mode == ON_FAILURE and stat == "DELIVRD") or (mode == ON_SUCCESS and stat != "DELIVRD"):
            return ()
        delay_ms = settings.receipt_delay_ms.draw(self._chance)
        if settings.receipt_shuffle:
            delay_ms += SHUFFLE_SPREAD_MS * self._chance()
        early = self._happens(settings.receipt_early)
        duplicate = self._happens(settings.receipt_duplicate)
        if not (delay_ms or early or duplicate or settings.receipt_intermediate) and stat == "DELIVRD":
            return DELIVERED_AT_ONCE
        planned = []
        if settings.receipt_intermediate:
            planned.append(
                PlannedReceipt("ENROUTE", "000", 0.0 if early else delay_ms / 2, intermediate=True, early=early)
            )
        planned.append(PlannedReceipt(stat, err, 0.0 if early else delay_ms, early=early))
        if duplicate:
            planned.append(PlannedReceipt(stat, err, delay_ms + DUPLICATE_SPREAD_MS * self._chance()))
        return tuple(planned)

    def _final_state(self) -> tuple[str, str]:
        """stat and err of the receipt to come."""
        mix = self.settings.receipt_mix
        picked = mix.pick(self._chance()) if mix.shares else None
        if picked is None:
            return "DELIVRD", "000"
        stat, _, err = picked.partition("/")
        return stat, err or ("000" if stat == "DELIVRD" else "001")
