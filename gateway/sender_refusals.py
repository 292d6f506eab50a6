"""Senders that a carrier refuses again and again: after five refusals in a row the pair is to be disabled.

Source: smpp-answers, "As a client", 0x0A, 0x48, 0x49. Counted in memory; the disabled pair is a row (refused_senders)
that nodes read as a fact, and that only an operator takes away.
What must not enter: routing, storage.
"""

from __future__ import annotations

from typing import Final

REFUSALS: Final = 5  # smpp-answers: after 5
PAIRS_LIMIT: Final = 10_000  # chosen: pairs counted at a time; the oldest count begins anew


class SenderRefusals:
    """Refusals in a row, by connector and sender."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], int] = {}

    def refused(self, connector_id: int, sender: str) -> bool:
        """Count one; True: it was the last that is taken from this pair."""
        key = connector_id, sender.casefold()
        count = self._counts.pop(key, 0) + 1
        if count >= REFUSALS:
            return True
        if len(self._counts) >= PAIRS_LIMIT:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = count
        return False

    def taken(self, connector_id: int, sender: str) -> None:
        """The carrier takes this sender after all."""
        if self._counts:
            self._counts.pop((connector_id, sender.casefold()), None)
