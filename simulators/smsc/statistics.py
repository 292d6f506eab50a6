"""What the SMSC simulator counts, and what it says to those who ask.

What belongs here: plain counters; they only grow (chosen, as Prometheus counters do).
What must not enter: rules and the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SmscStatistics:
    """Counts since the start. submits = taken + sum(refused) + silent."""

    connections: int = 0
    binds: int = 0
    binds_refused: int = 0
    bound: int = 0  # now
    bound_most: int = 0  # at any one time
    submits: int = 0
    taken: int = 0
    silent: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by command_status, 0x%08X
    answers: int = 0
    answers_lost: int = 0  # owed to a connection that ended
    receipts_sent: int = 0
    receipts_acked: int = 0
    receipts_refused: int = 0
    receipts_again: int = 0
    inbound_sent: int = 0
    inbound_acked: int = 0
    inbound_refused: int = 0
    inbound_again: int = 0
    inbound_dropped: int = 0
    pdus_refused: int = 0

    def count_refusal(self, command_status: int) -> None:
        """One more submit refused with this status."""
        name = f"0x{command_status:08X}"
        self.refused[name] = self.refused.get(name, 0) + 1

    def count_receipt(self, phase: str) -> None:
        """One more receipt that was acked, refused, or goes out again."""
        name = f"receipts_{phase}"
        setattr(self, name, getattr(self, name) + 1)

    def count_inbound(self, phase: str) -> None:
        """One more inbound message that was acked, refused, or goes out again."""
        name = f"inbound_{phase}"
        setattr(self, name, getattr(self, name) + 1)
