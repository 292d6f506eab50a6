"""A node's lease: until when it may believe that nobody took its place.

Source: architecture section 4 (leases with fencing epochs); decision 0015. PostgreSQL fences what a stale node stores;
this value fences what it writes to sockets. Pure: the clock is passed in, and must go on while a process is stopped.
What must not enter: renewing (gateway/cluster/lease_keeper.py), what is done without a lease.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEASE_S: Final = 4.0  # chosen: a dead node is taken over within 5 s, a busy database may be slow for four renewals


class Lease:
    """Valid while its last renewal began less than LEASE_S ago, by a clock that counts a stopped process's time too."""

    __slots__ = ("_failed_at", "_now", "_renewed_at", "alone")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._renewed_at = now()
        self._failed_at = 0.0
        self.alone = True  # whether no other node was there at the last renewal

    def is_valid(self) -> bool:
        """Whether nobody else can have taken this node's place.

        A node alone stays at work while PostgreSQL is away, as long as it keeps asking: nobody else can ask either.
        """
        now = self._now()
        return now - self._renewed_at < LEASE_S or (self.alone and now - self._failed_at < LEASE_S)

    def begin(self) -> float:
        """The moment at which a renewal begins, for `renewed`."""
        return self._now()

    def renewed(self, began: float, alone: bool) -> None:
        """The renewal that began then was heard by the database."""
        self._renewed_at = began
        self.alone = alone

    def unheard(self) -> None:
        """A renewal found no database to hear it."""
        self._failed_at = self._now()
