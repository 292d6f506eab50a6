"""How fast a carrier may be sent to that says "throttled" (0x58): the rate is learnt, probed and kept.

Source: smpp-answers, "As a client", 0x58; docs/decisions/0010-adaptive-rate.md, why not +5 % each 10 s.
Pure: time and counts are arguments. What must not enter: sockets, tokens (gateway.pace spends what is decided here).
"""

from __future__ import annotations

from collections import deque
from typing import Final

PAUSES_S: Final = (1.0, 60.0)  # smpp-answers: 1, 2, 4 ... 60 s
HALF: Final = 0.5  # smpp-answers: rate x0.5, where nothing better is known
MEMORY_S: Final = 16.0  # chosen: a limit older than this is not believed
CARRIER_BURST_S: Final = 1.0  # chosen: carriers count by the second, by bucket or by clock
FALLEN: Final = 0.9  # chosen: a rate that stood, by evidence above this share of it, was not too high: the limit fell
KEPT: Final = 0.97  # chosen: of the learnt limit
HOLD_S: Final = 5.0  # chosen: at a learnt rate, before it is asked whether the carrier takes more
HOLD_PARTS: Final = 120  # chosen: and at least so many parts, so that asking stays below 1 %
HOLD_LAST_S: Final = 30.0  # chosen: though not for longer
RAISE_EVERY_S: Final = 1.0
RAISE_STEP, RAISE_LAST = 0.05, 0.5  # chosen: +5 %, then +10 %, +15 % ... of the rate, +50 % at most
USED: Final = 0.8  # chosen: a rate that was not used by this share teaches nothing, and is not raised
SPARED_SHARE, SPARED_MOST = 1 / 200, 5.0  # chosen: of what is taken; carriers that refuse so few do so at any rate
LOWEST_PER_S: Final = 1.0
SMOOTH_BURST_S: Final = 0.1  # chosen: of a learnt rate; a full second at once would be throttled again
SHARED_BURST_S: Final = 0.05  # chosen: of a rate that nodes share: their bursts must not add up at the carrier


class AdaptiveRate:
    """The rate of one connector. rate_per_s: parts a second, 0 for no limit; paused_until: nothing is sent before.

    contract_per_s 0: no contract. taken: parts that the carrier took since ever, counted by the caller.
    """

    __slots__ = (
        "_contract_per_s",
        "_next_raise_at",
        "_pause_s",
        "_refused_after",
        "_samples",
        "_share",
        "_spared",
        "_step",
        "_throttled",
        "paused_until",
        "rate_per_s",
    )

    def __init__(self, contract_per_s: float, now: float) -> None:
        self.rate_per_s = contract_per_s
        self.paused_until = 0.0
        self._contract_per_s = contract_per_s
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])  # when, taken; oldest first
        self._throttled: tuple[float, int] | None = None  # the last throttling
        self._pause_s = 0.0
        self._next_raise_at = 0.0
        self._step = 0.0
        self._share = 1.0
        self._spared = 0.0  # how many refusals teach nothing
        self._refused_after = 0  # how many were taken before the last refusal

    def share(self, share: float) -> None:
        """This node holds such a share of the connector's binds from here on, above 0 and at most 1."""
        factor, self._share = share / self._share, share
        self.rate_per_s *= factor
        self._contract_per_s *= factor

    @property
    def learnt(self) -> bool:
        """Whether the rate is another than the contract's."""
        return self.rate_per_s != self._contract_per_s

    @property
    def burst_s(self) -> float:
        """How much may go at once, in seconds of the rate."""
        if self._share < 1:
            return SHARED_BURST_S
        return SMOOTH_BURST_S if self.learnt else CARRIER_BURST_S

    def throttled(self, taken: int, now: float) -> bool:
        """The carrier said 0x58; False: one more answer of a known throttling, or one too rare to teach."""
        if now < self.paused_until:
            return False
        since, self._refused_after = taken - self._refused_after, taken
        self._spared = min(self._spared + since * SPARED_SHARE, SPARED_MOST)
        if self._spared >= 1 and not self._step:
            self._spared -= 1
            return False
        self._learn(taken, now)
        vain = self._throttled is not None and taken == self._throttled[1]
        self._pause_s = min(self._pause_s * 2, PAUSES_S[1]) if vain else PAUSES_S[0]
        self.paused_until = now + self._pause_s
        self._throttled = now, taken
        self._samples.clear()
        return True

    def forget(self, now: float) -> None:
        """It was not the rate that the carrier refused: the contract stands, and nothing pauses."""
        kept = self._share, self._spared, self._refused_after
        self.__init__(self._contract_per_s, now)  # type: ignore[misc]  # as it began
        self._share, self._spared, self._refused_after = kept

    def _learn(self, taken: int, now: float) -> None:
        limit = self._limit(taken, now)
        rate = self.rate_per_s
        if limit > LOWEST_PER_S and (not rate or limit <= rate * FALLEN):
            self.rate_per_s = max(LOWEST_PER_S, limit * KEPT)
            hold_s = max(HOLD_S, min(HOLD_PARTS / self.rate_per_s, HOLD_LAST_S))
        elif self._step:
            self.rate_per_s = max(LOWEST_PER_S, rate / (1 + self._step))
            hold_s = HOLD_S
        else:
            self.rate_per_s = max(LOWEST_PER_S, rate * HALF)
            hold_s = RAISE_EVERY_S
        self._step = 0.0
        self._next_raise_at = now + PAUSES_S[0] + hold_s

    def _limit(self, taken: int, now: float) -> float:
        """The carrier's limit as far as it shows: what it took in any span that ends in a throttling, over the span.

        Its burst was at most full when the span began, and is spent; after the last throttling it was empty.
        """
        found = 0.0
        if self._throttled is not None and now - self._throttled[0] < MEMORY_S:
            since, before = self._throttled
            found = (taken - before) / max(now - since, CARRIER_BURST_S)
        for since, before in self._samples:
            found = max(found, (taken - before) / (now - since + CARRIER_BURST_S))
        return found

    def tick(self, taken: int, now: float) -> None:
        """Time passes: to be called a few times a second."""
        samples = self._samples
        while samples and now - samples[0][0] > MEMORY_S:
            samples.popleft()
        if self.learnt and now >= self._next_raise_at:
            self._raise(taken, now)
        samples.append((now, taken))

    def _raise(self, taken: int, now: float) -> None:
        self._next_raise_at = now + RAISE_EVERY_S
        since, before = next((s for s in self._samples if now - s[0] <= RAISE_EVERY_S), (now, taken))
        if taken - before < USED * self.rate_per_s * (now - since) or now == since:
            return
        self._step = min(self._step + RAISE_STEP, RAISE_LAST)
        raised = self.rate_per_s * (1 + self._step)
        self.rate_per_s = min(raised, self._contract_per_s) if self._contract_per_s else raised
