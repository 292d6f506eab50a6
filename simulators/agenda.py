"""What is to be done later: items by the time they are due.

What belongs here: one bounded heap of (due, order of arrival, item), for delayed answers and receipts (chosen design).
What must not enter: a clock; the caller says what time it is, in seconds of any monotonic origin.
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Agenda(Generic[Item]):
    """Items due at a time; equal times keep their order of arrival."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._heap: list[tuple[float, int, Item]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def full(self) -> bool:
        """Whether add() would refuse."""
        return len(self._heap) >= self.limit

    def add(self, due_s: float, item: Item) -> None:
        """Keep an item until due_s. OverflowError: the agenda is full (look at `full` first)."""
        if self.full:
            raise OverflowError(f"more than {self.limit} items wait for their time")
        self._arrivals += 1
        heapq.heappush(self._heap, (due_s, self._arrivals, item))

    def take_due(self, now_s: float) -> list[Item]:
        """The items whose time has come, earliest first; they are no longer kept."""
        due = []
        while self._heap and self._heap[0][0] <= now_s:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def next_due_s(self) -> float | None:
        """When take_due() next gives something; None: nothing is kept."""
        return self._heap[0][0] if self._heap else None
