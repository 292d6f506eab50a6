"""The table of moves, walked whole: every state x every state; final states have none; peers have a word for each.

Architecture, promise P4; SMPP v3.4 5.2.28 and appendix B. The database's list is compared with the table's.
"""

from __future__ import annotations

import re
from typing import get_args

import pytest

from gateway.message_states import FINAL, MOVES, RECEIPT_WORD, SMPP_MESSAGE_STATE, State, may_move
from gateway.receipts.parse import STATE_OF_VALUE, VALUE_OF_WORD
from gateway.storage.migrate import MIGRATIONS

PERMITTED = {
    "queued": {"submitted", "in_doubt", *FINAL},
    "in_doubt": {"queued", "submitted", *FINAL},
    "submitted": set(FINAL),
}


@pytest.mark.parametrize("before", get_args(State))
@pytest.mark.parametrize("after", get_args(State))
def test_a_move_is_permitted_or_not(before: str, after: str) -> None:
    assert may_move(before, after) == (after in PERMITTED.get(before, set()))


def test_the_table_knows_each_state_and_six_are_final() -> None:
    assert set(MOVES) == set(get_args(State))
    assert {"delivered", "undeliverable", "rejected", "expired", "deleted", "unknown"} == FINAL
    assert all(after in MOVES for moves in MOVES.values() for after in moves)


def test_every_state_has_its_number_and_every_final_one_its_word() -> None:
    assert set(SMPP_MESSAGE_STATE) == set(MOVES)
    assert set(RECEIPT_WORD) == FINAL
    for state in FINAL:
        assert STATE_OF_VALUE[SMPP_MESSAGE_STATE[state]] == state
        assert VALUE_OF_WORD[RECEIPT_WORD[state][:5].lower()] == SMPP_MESSAGE_STATE[state]


def test_the_database_draws_the_same_line_between_open_and_final() -> None:
    text = (MIGRATIONS / "0001_the_road.sql").read_text(encoding="utf-8")
    listed = re.search(r"state +text NOT NULL CHECK \(state IN \(('queued'[^)]*)\)\)", text)
    assert listed is not None
    assert set(re.findall(r"'(\w+)'", listed[1])) == set(MOVES)
    trigger = re.search(r"OLD\.state NOT IN \(([^)]*)\)", text)
    assert trigger is not None
    assert set(re.findall(r"''(\w+)''", trigger[1])) == set(MOVES) - FINAL
