"""How many requests a carrier may be owed answers for on one bind: what it refuses beyond is learnt, what only queues
there is found out, and both are asked again.

Source: smpp-answers, "As a client", 0x58 and 0x14; docs/decisions/0010-adaptive-rate.md, The window.
Pure: time and counts are arguments. What must not enter: sockets, the rate (adaptive_rate.py).
"""

from __future__ import annotations

from collections import deque
from typing import Final

FLOOR: Final = 1
WATCH_S: Final = 2.0  # chosen: how long requests are noted after a start or a calm: the first burst shows the window
WATCH_REFUSED_S: Final = 120.0  # chosen: and after a refusal
PROVEN_S: Final = 5.0  # chosen: a refusal within a narrowed window so soon says that the window was not the reason
DISPROVEN_S: Final = 60.0  # chosen: then it is not believed to be for so long
TAKEN_KEPT: Final = 500  # chosen: requests that a judgement looks back upon
JUDGE_S: Final = 10.0  # chosen: answers that do not come by then are not waited for with a judgement
HOLD_S: Final = 5.0  # chosen: at a learnt window, before it is asked whether the carrier takes more
HOLD_WINDOWS: Final = 150  # chosen: and at least so many windows of parts: a question costs one window, so below 1 %
ASK_EVERY_S: Final = 1.0
ROUND_S: Final = 1.0  # chosen: what throughput is measured over, where answers come faster
ROUND_ANSWERS: Final = 20  # chosen: fewer answers in a round prove nothing
SLOW_S: Final = 0.3  # chosen: answers that come sooner are no queue that is worth a question
SAME: Final = 0.95  # chosen: of the throughput; half a window that keeps so much is window enough
HALVE_AGAIN_S: Final = 600.0  # chosen: a question costs half the throughput of two rounds where the answer is no
DOUBLE_AGAIN_S: Final = 60.0  # chosen: how often a window that was found enough is tried at twice its width


Noted = tuple[int, int]  # a request: which one in order of sending, and its place


class AdaptiveWindow:
    """The window of each bind of one connector. window: requests without answer on a bind, FLOOR to `configured`.

    A request's place is how many were without answer once it was sent, itself included. While `watching` the caller
    notes each request, and tells it with its answer.
    """

    __slots__ = (
        "_ask_at",
        "_ask_from",
        "_disproven_until",
        "_double_at",
        "_first_refused",
        "_halve_at",
        "_judge_by",
        "_narrowed_at",
        "_order",
        "_probe_from",
        "_quiet_at",
        "_round",
        "_skipped",
        "_step",
        "_stood",
        "_taken",
        "_taken_lately",
        "configured",
        "watching",
        "window",
    )

    def __init__(self, configured: int, now: float) -> None:
        self.configured = self.window = configured
        self.watching = True
        self._order = 0
        self._taken_lately: deque[Noted] = deque(maxlen=TAKEN_KEPT)  # since the last judgement
        self._first_refused: Noted | None = None  # since then; what was sent after it had refused ones beside it
        self._judge_by = 0.0
        self._quiet_at = now + WATCH_S
        self._disproven_until = 0.0
        self._narrowed_at = float("-inf")
        self._stood = 0  # the widest window in which nothing was refused for its place; 0: refusals taught nothing
        self._ask_at, self._ask_from, self._step = 0.0, 0, 1
        self._taken = 0
        self._round: tuple[float, int, float] | None = None  # since when windows are full; parts taken, their waiting
        self._halve_at, self._double_at = 0.0, 0.0
        self._probe_from: tuple[int, float] | None = None  # the window of before, and parts a second in it
        self._skipped = False  # the round in which a probe's window was still the former one

    # -- refusals

    def note(self, place: int) -> Noted:
        """A request is sent."""
        self._order += 1
        return self._order, place

    def taken(self, noted: Noted) -> None:
        """It was taken."""
        self._taken_lately.append(noted)

    def refused(self, noted: Noted | None, now: float) -> bool:
        """The carrier said 0x58 or 0x14 to a request (None: not noted). True: for its place, which is wider than
        what is known to stand. False: nobody knows yet; `judge` tells once all answers of its time are there.
        """
        self._quiet_at = now + WATCH_REFUSED_S
        if noted is None:
            if self._first_refused is None:
                self.watching = True
                self._taken_lately.clear()  # what was taken before the refusal says nothing of now
            return False
        _, place = noted
        if place > (self._stood or self.configured):
            if place <= self.window:
                self._narrow(place - 1, now)
            return True  # or it was sent before the window was narrowed
        if self.watching:
            self.watching = False
            self._judge_by = now + JUDGE_S
        self._first_refused = min(noted, self._first_refused or noted)
        return False

    def judge(self, awaited: bool, now: float) -> bool:
        """awaited: whether answers to noted requests are still to come. True: the carrier refused what lay beyond a
        place, and took what was sent before it: that is its window.
        """
        if self._first_refused is None or (awaited and now < self._judge_by):
            return False
        order, place = self._first_refused
        taken_at = max((at for before, at in self._taken_lately if before < order), default=0)
        self._first_refused = None
        self._taken_lately.clear()
        self.watching = True
        if place > taken_at > 0 and now >= self._disproven_until:
            self._narrow(place - 1, now)
            return True
        if self._stood and now - self._narrowed_at < PROVEN_S:
            self._disproven_until = now + DISPROVEN_S
            self.window = self.configured
            self._stood = 0
        return False

    def _narrow(self, window: int, now: float) -> None:
        self.window = self._stood = max(FLOOR, window)
        self._narrowed_at = now
        self._probe_from = None
        self._step = 1
        self._ask_at, self._ask_from = now + HOLD_S, self._taken + HOLD_WINDOWS * self.window

    # -- time

    def tick(self, taken: int, waited_s: float, full: bool, now: float) -> None:
        """Time passes: to be called a few times a second. taken: parts that the carrier took since ever; waited_s: the
        sum of their answers' times; full: whether somebody lately wanted more than the windows had room for.
        """
        if taken == self._taken and self._first_refused is None:
            self.watching = True
            self._quiet_at = max(self._quiet_at, now + WATCH_S)
        self._taken = taken
        if self._stood:
            if full and now >= self._ask_at and taken >= self._ask_from:
                self._ask(taken, now)
        elif self.watching and now >= self._quiet_at:
            self.watching = False
        if full and not self._stood:
            self._measure(taken, waited_s, now)
        else:
            self._round = None

    def _ask(self, taken: int, now: float) -> None:
        """One more, then two, four ...: a refusal says how far."""
        self._stood = self.window
        if self.window >= self.configured:
            self._stood = 0
            return
        self.window = min(self.configured, self.window + self._step)
        self._step *= 2
        self._ask_at, self._ask_from = now + ASK_EVERY_S, taken + self.window

    # -- answers that only wait for each other

    def _measure(self, taken: int, waited_s: float, now: float) -> None:
        """A round is over once it is long enough for its answers; then a probe begins or ends, if it is time."""
        since, before, waited_before_s = self._round = self._round or (now, taken, waited_s)
        count = taken - before
        if now - since < ROUND_S or count < ROUND_ANSWERS:
            return
        mean_s = (waited_s - waited_before_s) / count
        if now - since < 2 * mean_s:
            return
        self._round = None
        a_second = count / (now - since)
        if self._probe_from is None:
            self._begin_probe(a_second, mean_s, now)
        elif self._skipped:
            self._judge(a_second, mean_s, now)
        else:
            self._skipped = True

    def _begin_probe(self, a_second: float, mean_s: float, now: float) -> None:
        if mean_s >= SLOW_S and self.window > FLOOR and now >= self._halve_at:
            self._try(max(FLOOR, self.window // 2), a_second)
        elif self.window < self.configured and now >= self._double_at:
            self._try(min(self.configured, self.window * 2 + 1), a_second)

    def _try(self, window: int, a_second: float) -> None:
        self._probe_from = self.window, a_second
        self._skipped = False
        self.window = window

    def _judge(self, a_second: float, mean_s: float, now: float) -> None:
        """The smallest window that keeps the throughput, by halves and doubles."""
        assert self._probe_from is not None
        before, a_second_before = self._probe_from
        self._probe_from = None
        if self.window < before:
            self._double_at = now + DOUBLE_AGAIN_S
            good, a_second = a_second >= a_second_before * SAME, max(a_second, a_second_before)
            self._halve_at = now if good else now + HALVE_AGAIN_S
        else:
            good = a_second > a_second_before / SAME
            self._double_at = now if good else now + DOUBLE_AGAIN_S
        if good:
            self._begin_probe(a_second, mean_s, now)
        else:
            self.window = before
