"""How many connections the door holds: in all, and from one address while they have not bound.

Source: promise P7; smpp-answers (no bind within 10 s: close) bounds how long an unbound one stays.
What must not enter: binds (binding.py), octets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import msgspec

Why = Literal["max_sessions", "unbound_per_address", "draining"]


class ConnectionLimits(msgspec.Struct):
    """Counts of one door, TLS and plain together. unbound_per_address: a handshake under way counts too."""

    max_sessions: int
    unbound_per_address: int
    held: int = 0
    unbound: defaultdict[str, int] = msgspec.field(default_factory=lambda: defaultdict(int))

    def admit(self, source: str) -> Why | None:
        """Count one more connection from a source; or why not."""
        if self.held >= self.max_sessions:
            return "max_sessions"
        if self.unbound[source] >= self.unbound_per_address:
            return "unbound_per_address"
        self.held += 1
        self.unbound[source] += 1
        return None

    def bound(self, source: str) -> None:
        """An admitted connection bound."""
        self.unbound[source] -= 1
        if self.unbound[source] <= 0:
            del self.unbound[source]

    def gone(self, source: str, was_bound: bool) -> None:
        """An admitted connection ended."""
        self.held -= 1
        if not was_bound:
            self.bound(source)
