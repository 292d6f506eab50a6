"""Every state of a sender name by every event, against a second writing of the table.

What must not enter: rows, doors.
"""

from __future__ import annotations

from typing import get_args

import pytest

from gateway.sender_states import MOVES, SenderEvent, SenderState, next_state

EVENTS = ("request", "approve", "refuse", "suspend", "withdraw")
TABLE = {
    #             request      approve     refuse     suspend      withdraw
    "requested": (None, "approved", "refused", "suspended", "withdrawn"),
    "approved": (None, "approved", "refused", "suspended", "withdrawn"),
    "refused": ("requested", "approved", None, "suspended", "withdrawn"),
    "suspended": (None, "approved", "refused", None, None),
    "withdrawn": ("requested", None, None, None, None),
}


@pytest.mark.parametrize("state", get_args(SenderState))
@pytest.mark.parametrize("event", get_args(SenderEvent))
def test_every_state_by_every_event(state: SenderState, event: SenderEvent) -> None:
    assert next_state(state, event) == TABLE[state][EVENTS.index(event)]


def test_the_table_names_every_state() -> None:
    assert set(MOVES) == set(get_args(SenderState)) == set(TABLE)
    assert set(EVENTS) == set(get_args(SenderEvent))
