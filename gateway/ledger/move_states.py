"""A move of credit that somebody proposed: which event leads from which state to which, as a table.

Source: decision 0021. Only `proposed` is open; credit moves with `approve` alone, and what ended stays as it is.
What must not enter: who may cause an event, and the postings (function apply_credit_move).
"""

from __future__ import annotations

from typing import Final, Literal

MoveState = Literal["proposed", "applied", "declined", "withdrawn", "expired"]
MoveEvent = Literal["approve", "decline", "withdraw", "expire"]

STATES: Final[tuple[MoveState, ...]] = ("proposed", "applied", "declined", "withdrawn", "expired")
EVENTS: Final[tuple[MoveEvent, ...]] = ("approve", "decline", "withdraw", "expire")

MOVES: Final[dict[tuple[MoveState, MoveEvent], MoveState]] = {
    ("proposed", "approve"): "applied",  # by somebody else, unless it was small enough to need nobody
    ("proposed", "decline"): "declined",  # by somebody else
    ("proposed", "withdraw"): "withdrawn",  # by its proposer, or since its order changed
    ("proposed", "expire"): "expired",
}


def ends(event: MoveEvent) -> tuple[list[str], str]:
    """From which states an event leads on, and to which one."""
    (after,) = {after for (_, each), after in MOVES.items() if each == event}
    return [state for state, each in MOVES if each == event], after
