"""Customers' limits that several nodes keep together: parts a second as a token bucket, parts a span as a quota.

Source: decision 0018. A node is alone and has the whole limit; or it borrows slices ahead of need from a count that all
nodes share; or, when that count cannot be reached, it is apart and has its share. What passes is a subtraction here.
Pure: the present is passed in. What must not enter: waiting, who is asked for a slice (gateway/cluster/borrowing.py).
"""

from __future__ import annotations

import math

import msgspec

BURST_S = 1.0  # smpp-answers: burst of one second, over all nodes
HELD_S = 0.5  # chosen: of it the nodes hold half between them, the other half waits to be lent (counters/borrow.lua)
AHEAD = 1.5  # chosen: a slice is what was asked since the last one, and half as much again
ADVANCE = (
    0.05  # chosen: what all nodes together may pass of a span before they borrowed; below the tenth that is allowed
)
ENOUGH = 0.01  # chosen: parts; a smaller difference is not worth a question


class Sharing(msgspec.Struct, frozen=True):
    """How many nodes keep the limits, and whether they borrow from one count."""

    nodes: int = 1
    borrowing: bool = False


ALONE = Sharing()


class SharedPace:
    """Parts a second over all nodes. limit 0: none."""

    kind = "pace"
    __slots__ = ("_asked", "_at", "_earned_per_s", "_kept", "_most", "_tokens", "limit")

    def __init__(self, limit: float, now: float, sharing: Sharing = ALONE) -> None:
        self._tokens = math.inf
        self._at = now
        self._asked = 0
        self._earned_per_s = 0.0
        self.share(limit, sharing, now)
        self._tokens = self._kept

    def share(self, limit: float, sharing: Sharing, now: float) -> None:
        """Go by another limit, or keep it with others; what was used up stays used."""
        self._earn(now)
        self.limit = limit
        part = limit / sharing.nodes
        self._earned_per_s = 0.0 if sharing.borrowing else part
        self._most = max(limit * HELD_S if sharing.borrowing else part * BURST_S, 1.0)
        self._kept = max(part * HELD_S, 1.0) if sharing.borrowing else self._most
        self._tokens = min(self._tokens, self._most)

    def take(self, parts: int, now: float) -> bool:
        """Whether so many parts may pass now; takes them if so. More than a bucket may pass when it is full."""
        if not self.limit:
            return True
        self._asked += parts
        if self._earned_per_s:
            self._earn(now)
        if self._tokens >= parts or self._tokens >= self._most:
            self._tokens -= parts
            return True
        return False

    def put_back(self, parts: int) -> None:
        """Return what was taken and not used."""
        self._tokens += parts

    def _earn(self, now: float) -> None:
        if self._earned_per_s:
            self._tokens = min(self._most, self._tokens + (now - self._at) * self._earned_per_s)
        self._at = now

    def wish(self) -> float:
        """How many parts to borrow for the time until the next question; negative: to give back; 0: no question."""
        asked, self._asked = self._asked, 0
        if not self.limit:
            return 0.0
        wish = max(self._kept, min(asked * AHEAD, self._most)) - self._tokens
        return wish if abs(wish) > ENOUGH else 0.0

    @property
    def paid(self) -> float:
        """A pace remembers no use."""
        return 0.0

    def lend(self, wished: float, lent: float, total: float) -> None:
        """What was lent, as answer to a wish."""
        self._tokens += lent


class SharedQuota:
    """So many parts in each span (a minute, a day) over all nodes, counted from its start. limit 0: none."""

    kind = "quota"
    __slots__ = ("_advance", "_asked", "_left", "_lent", "_sharing", "_used_up", "_wished", "limit", "span", "used")

    def __init__(self, limit: int, sharing: Sharing = ALONE) -> None:
        self.limit = limit
        self._sharing = sharing
        self.begin(0)

    def begin(self, span: int) -> None:
        """A span begins: nothing of it is used."""
        self.span = span  # which minute, which day
        self.used = 0  # here, or as many as the database knows of
        self._asked = 0
        self._lent = 0.0  # to all nodes in this span
        self._used_up = False
        self._wished = False
        self._divide()

    def _divide(self) -> None:
        """What may pass here without a question."""
        rest = self.limit - self.used
        self._left = 0.0 if self._sharing.borrowing else float(math.ceil(rest / self._sharing.nodes))
        self._set_advance(rest)

    def _set_advance(self, rest: float) -> None:
        """Passing before borrowing is for spans of which enough is left, so that all nodes' advances fit in."""
        advance = max(self.limit * ADVANCE / self._sharing.nodes, 1.0) if self._sharing.borrowing else 0.0
        self._advance = advance if rest >= 2 * self._sharing.nodes * advance else 0.0

    def share(self, limit: int, sharing: Sharing) -> None:
        """Go by another limit, or keep it with others; what was used up stays used."""
        if limit == self.limit and sharing == self._sharing:
            return
        if self._sharing.borrowing:
            self.used = max(self.used, int(self._lent - self._left))
        stays = self._sharing.borrowing and sharing.borrowing
        self.limit, self._sharing = limit, sharing
        self._used_up = False
        if stays:
            self._set_advance(limit - self._lent)
        else:
            self._divide()

    def has(self, parts: int, span: int) -> bool:
        """Whether so many parts are left in this span; the caller takes them when nothing else is in the way."""
        if not self.limit:
            return True
        if span != self.span:
            self.begin(span)
        self._asked += parts
        return self._left + self._advance >= parts

    def take(self, parts: int) -> None:
        """Use so many."""
        self.used += parts
        self._left -= parts

    def give_back(self, parts: int) -> None:
        """What was taken and not used."""
        self.used = max(0, self.used - parts)
        self._left += parts

    def counted(self, parts: int) -> None:
        """So many were used in this span by all nodes together, as the database knows."""
        if parts > self.used:
            self.used = parts
            if not self._sharing.borrowing:
                self._divide()

    @property
    def is_used_up(self) -> bool:
        """Whether it is known that nothing is left of this span anywhere; else a later try may pass."""
        return self._used_up if self._sharing.borrowing else self._sharing.nodes == 1 or self.used >= self.limit

    @property
    def paid(self) -> float:
        """What is surely used of this span, without what is still to be borrowed for it."""
        return max(0.0, self.used + min(self._left, 0.0))

    def wish(self) -> float:
        """How many parts to borrow for the time until the next question; negative: to give back; 0: no question."""
        asked, self._asked = self._asked, 0
        self._wished = True
        return math.ceil(asked * AHEAD) - self._left if self.limit else 0.0

    def lend(self, wished: float, lent: float, total: float) -> None:
        """What was lent, as answer to a wish; total: to all nodes in this span. What comes after its span is void."""
        if not self._wished:
            return
        self._wished = False
        self._left += lent
        self._lent = total
        self._used_up = lent < wished
        self._set_advance(self.limit - total)
