"""The permitted moves of a message, as a table (glossary: message, part, hold).

What belongs here: which state may follow which, and what each state is called towards an SMPP peer
(SMPP v3.4 5.2.28 message_state). The database enforces the same rule once more (trigger never_reopened).
What must not enter: why a move happens; that is the lifecycle's.
"""

from __future__ import annotations

from typing import Final, Literal

State = Literal[
    "queued",
    "submitted",
    "in_doubt",
    "delivered",
    "undeliverable",
    "rejected",
    "expired",
    "deleted",
    "unknown",
]

#            from          to, and when
MOVES: Final[dict[str, frozenset[str]]] = {
    "queued": frozenset(
        {
            "submitted",  # every part was taken by the carrier
            "in_doubt",  # written and not answered, or the link was lost
            "delivered",  # a receipt came before its response
            "undeliverable",
            "rejected",  # the carrier, or no route any more
            "expired",
            "deleted",
            "unknown",
        }
    ),
    "in_doubt": frozenset(
        {
            "queued",  # resent by the policy of its class
            "submitted",  # a late response
            "delivered",  # a receipt that fits exactly one attempt
            "undeliverable",
            "rejected",
            "expired",
            "deleted",
            "unknown",  # nobody can tell
        }
    ),
    "submitted": frozenset({"delivered", "undeliverable", "rejected", "expired", "deleted", "unknown"}),
    "delivered": frozenset(),
    "undeliverable": frozenset(),
    "rejected": frozenset(),
    "expired": frozenset(),
    "deleted": frozenset(),
    "unknown": frozenset(),
}

FINAL: Final = frozenset(state for state, after in MOVES.items() if not after)

# SMPP v3.4 5.2.28: message_state values.
SMPP_MESSAGE_STATE: Final[dict[str, int]] = {
    "queued": 1,  # ENROUTE
    "in_doubt": 1,
    "submitted": 1,
    "delivered": 2,
    "expired": 3,
    "deleted": 4,
    "undeliverable": 5,
    "unknown": 7,
    "rejected": 8,
}

# SMPP v3.4 appendix B, table B-2, and v5.0 4.7.15: the word of each value of message_state.
STATE_WORDS: Final[dict[int, str]] = {
    0: "SCHEDLD",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}

# SMPP v3.4 appendix B, table B-2: the word in the text of a receipt.
RECEIPT_WORD: Final[dict[str, str]] = {
    "delivered": "DELIVRD",
    "expired": "EXPIRED",
    "deleted": "DELETED",
    "undeliverable": "UNDELIV",
    "unknown": "UNKNOWN",
    "rejected": "REJECTD",
}


def may_move(before: str, after: str) -> bool:
    """Whether a message in state `before` may be put in state `after`."""
    return after in MOVES[before]
