"""What may become of a sender name: one table, states by events.

Source: glossary, "sender name"; withdrawn is a customer's own. Pure. Who may cause an event is the door's to know: a
customer requests and withdraws, an operator approves, refuses and suspends.
What must not enter: rows, what an approval says besides (countries, connectors, until when).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

SenderState = Literal["requested", "approved", "refused", "suspended", "withdrawn"]
SenderEvent = Literal["request", "approve", "refuse", "suspend", "withdraw"]

# What is absent is refused. A suspended name stays in operators' hands: its customer cannot begin anew with it.
MOVES: Final[Mapping[SenderState, Mapping[SenderEvent, SenderState]]] = {
    "requested": {"approve": "approved", "refuse": "refused", "suspend": "suspended", "withdraw": "withdrawn"},
    "approved": {"approve": "approved", "refuse": "refused", "suspend": "suspended", "withdraw": "withdrawn"},
    "refused": {"request": "requested", "approve": "approved", "suspend": "suspended", "withdraw": "withdrawn"},
    "suspended": {"approve": "approved", "refuse": "refused"},
    "withdrawn": {"request": "requested"},
}


def next_state(state: SenderState, event: SenderEvent) -> SenderState | None:
    """Where an event leads; None: it is not permitted in this state."""
    return MOVES[state].get(event)
