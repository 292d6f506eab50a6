"""Parts fold into messages: whatever happens in whatever order, nothing leaves a final state and money moves once.

Architecture, promises P2 to P4; the moves are those of message_states. What must not enter: who tells what happened.
"""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.message import SMSC_ID_SEPARATOR, Envelope, Message
from gateway.message_states import FINAL, MOVES
from gateway.receipts import fold
from gateway.receipts.fold import MoneyPolicy

RECEIPT_STATES = sorted(FINAL)
AT_ONCE = MoneyPolicy()


def message_of(parts: int) -> Message:
    return Message(
        1,
        1,
        1,
        1,
        1,
        "otp",
        parts,
        0,
        parts * 10,
        9_000,
        0,
        "ACME",
        "229",
        "",
        b"",
        Envelope(),
        part_states="Q" * parts,
    )


class MessageLife(RuleBasedStateMachine):
    """Any sequence of what carriers, timers and operators may bring about."""

    message: Message
    policy: MoneyPolicy

    @initialize(
        parts=st.integers(1, 4),
        capture_at=st.sampled_from(["acceptance", "delivery"]),
        unknown=st.sampled_from(["capture", "release"]),
    )
    def accepted(
        self, parts: int, capture_at: Literal["acceptance", "delivery"], unknown: Literal["capture", "release"]
    ) -> None:
        self.policy = MoneyPolicy(capture_at, unknown)
        self.message = message_of(parts)
        self.postings: list[str] = []
        self.seen = ("queued", "held", self.message.part_states)
        self.clock = 1_000

    def _did(self, folded: str) -> None:
        state, hold, letters = self.seen
        message = self.message
        if message.posting:
            self.postings.append(message.posting)
            message.posting = ""
        if state in FINAL:
            assert (message.state, message.hold) == (state, hold)
        if folded != "changed":
            assert (message.state, message.hold, message.part_states) == self.seen
        if message.state != state:
            assert message.state in MOVES[state]
        self.seen = (message.state, message.hold, message.part_states)
        self.clock += 1

    @rule(part=st.integers(0, 3), name=st.sampled_from(["", "1a", "77"]))
    def taken(self, part: int, name: str) -> None:
        part %= self.message.part_count
        before = self.message.part_states[part]
        folded = fold.part_taken(self.message, part, name, self.clock, self.policy)
        assert (folded == "changed") == (before in "QI" and self.seen[0] not in FINAL)
        if folded == "changed":
            assert self.message.smsc_message_ids.split(SMSC_ID_SEPARATOR)[part] == name
        self._did(folded)

    @rule(part=st.integers(0, 3))
    def unanswered(self, part: int) -> None:
        count = self.message.in_doubt_count
        folded = fold.part_in_doubt(self.message, part % self.message.part_count)
        assert self.message.in_doubt_count == count + (folded == "changed")
        self._did(folded)

    @rule()
    def resent(self) -> None:
        self._did(fold.resend(self.message))

    @rule(part=st.integers(0, 3), state=st.sampled_from(RECEIPT_STATES))
    def receipted(self, part: int, state: str) -> None:
        part %= self.message.part_count
        before = self.message.part_states[part]
        folded = fold.part_receipted(self.message, part, state, "", self.clock, self.policy)
        opposite = (before == "D" and state != "delivered") or (before == "F" and state == "delivered")
        if opposite:
            assert folded == "conflict"
        self._did(folded)

    @precondition(lambda self: self.message.state not in FINAL)
    @rule(state=st.sampled_from(RECEIPT_STATES))
    def finished(self, state: str) -> None:
        fold.finish(self.message, state, "why", self.clock, self.policy)
        self._did("changed")

    @precondition(lambda self: self.message.state in FINAL)
    @rule(state=st.sampled_from(RECEIPT_STATES))
    def finished_again(self, state: str) -> None:
        with pytest.raises(ValueError, match="may not become"):
            fold.finish(self.message, state, "why", self.clock, self.policy)
        self._did("repeated")

    @invariant()
    def the_hold_is_closed_once_and_by_the_end(self) -> None:
        message = self.message
        closed = {"held": [], "captured": ["capture"], "released": ["release"]}[message.hold]
        assert self.postings == closed
        if message.state in FINAL:
            assert message.hold != "held"
            assert message.final_at_ms
        else:
            assert message.final_at_ms == 0
            assert message.hold != "released"
            if self.policy.capture_at == "delivery":
                assert message.hold == "held"
        if message.state == "delivered":
            assert message.hold == "captured"

    @invariant()
    def the_letters_agree_with_the_state(self) -> None:
        message = self.message
        letters = message.part_states
        assert len(letters) == message.part_count
        assert set(letters) <= set("QSIDFU")
        if message.state == "submitted":
            assert not set(letters) & set("QI")
            assert message.submitted_at_ms
            assert self.policy.capture_at == "delivery" or message.hold == "captured"
        if message.state == "queued":
            assert "Q" in letters
            assert "I" not in letters
        if "I" in letters and message.state not in FINAL:
            assert message.state == "in_doubt"
        if message.state == "in_doubt":
            assert "I" in letters
        if "F" in letters:
            assert message.state in FINAL
        if set(letters) == {"D"}:
            assert message.state == "delivered"


MessageLife.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestMessageLife = MessageLife.TestCase


def test_two_parts_are_delivered_when_both_are() -> None:
    message = message_of(2)
    for part in (0, 1):
        fold.part_taken(message, part, f"id{part}", 5, AT_ONCE)
    assert (message.state, message.hold, message.submitted_at_ms) == ("submitted", "captured", 5)
    assert fold.part_receipted(message, 1, "delivered", "", 6, AT_ONCE) == "changed"
    assert message.state == "submitted"
    assert fold.part_receipted(message, 0, "delivered", "", 7, AT_ONCE) == "changed"
    assert (message.state, message.part_states, message.final_at_ms) == ("delivered", "DD", 7)
    assert message.fresh_parts == (0, 1)
    assert message.smsc_message_ids == f"id0{SMSC_ID_SEPARATOR}id1"


def test_one_part_that_failed_fails_the_message_and_a_late_opposite_moves_no_money() -> None:
    message = message_of(2)
    for part in (0, 1):
        fold.part_taken(message, part, str(part), 5, AT_ONCE)
    message.posting = ""
    assert fold.part_receipted(message, 0, "expired", "34", 6, AT_ONCE) == "changed"
    assert (message.state, message.error, message.hold, message.posting) == ("expired", "34", "captured", "")
    assert fold.part_receipted(message, 0, "delivered", "", 7, AT_ONCE) == "conflict"
    assert fold.part_receipted(message, 1, "delivered", "", 7, AT_ONCE) == "conflict"
    assert fold.part_receipted(message, 0, "expired", "", 7, AT_ONCE) == "repeated"
    assert (message.state, message.posting) == ("expired", "")


@pytest.mark.parametrize(
    ("capture_at", "hold"), [("acceptance", "captured"), ("delivery", "released")], ids=["acceptance", "delivery"]
)
def test_a_failure_after_the_carrier_took_it_is_paid_as_agreed(
    capture_at: Literal["acceptance", "delivery"], hold: str
) -> None:
    message, policy = message_of(1), MoneyPolicy(capture_at=capture_at)
    fold.part_taken(message, 0, "1", 5, policy)
    fold.part_receipted(message, 0, "undeliverable", "", 6, policy)
    assert message.hold == hold


def test_a_message_refused_before_any_part_was_taken_is_released() -> None:
    message = message_of(1)
    fold.finish(message, "rejected", "ESME_RINVDSTADR", 6, AT_ONCE)
    assert (message.hold, message.posting) == ("released", "release")


@pytest.mark.parametrize(("rule", "hold"), [("capture", "captured"), ("release", "released")])
def test_an_unknown_outcome_is_paid_by_the_rule(rule: Literal["capture", "release"], hold: str) -> None:
    message = message_of(1)
    fold.part_in_doubt(message, 0)
    fold.finish(message, "unknown", "no evidence", 6, MoneyPolicy(unknown_outcome=rule))
    assert message.hold == hold


def test_a_receipt_that_says_deleted_ends_a_message_in_doubt() -> None:
    message = message_of(2)
    fold.part_in_doubt(message, 0)
    fold.part_taken(message, 1, "1", 5, AT_ONCE)
    assert fold.part_receipted(message, 1, "deleted", "", 6, AT_ONCE) == "changed"
    assert message.state == "deleted"


def test_a_receipt_that_resolves_the_last_doubt_leaves_the_message_submitted() -> None:
    message = message_of(2)
    fold.part_taken(message, 1, "1", 5, AT_ONCE)
    fold.part_in_doubt(message, 0)
    assert fold.part_receipted(message, 0, "delivered", "", 6, AT_ONCE) == "changed"
    assert (message.state, message.part_states, message.hold) == ("submitted", "DS", "captured")


def test_a_late_response_resolves_a_doubt() -> None:
    message = message_of(1)
    assert fold.part_in_doubt(message, 0) == "changed"
    assert fold.part_in_doubt(message, 0) == "repeated"
    assert fold.part_taken(message, 0, "9", 5, AT_ONCE) == "changed"
    assert (message.state, message.in_doubt_count) == ("submitted", 1)


def test_a_response_after_the_end_is_a_conflict_that_keeps_the_id() -> None:
    message = message_of(1)
    fold.part_in_doubt(message, 0)
    fold.finish(message, "unknown", "no evidence", 6, AT_ONCE)
    assert fold.part_taken(message, 0, "9", 7, AT_ONCE) == "conflict"
    assert (message.state, message.smsc_message_ids) == ("unknown", "9")


def test_nothing_in_doubt_is_not_resent() -> None:
    message = message_of(1)
    fold.part_taken(message, 0, "9", 5, AT_ONCE)
    assert fold.resend(message) == "repeated"
    assert message.state == "submitted"


def test_parts_of_unknown_outcome_make_the_message_unknown_and_better_news_counts() -> None:
    message = message_of(2)
    for part in (0, 1):
        fold.part_taken(message, part, str(part), 5, AT_ONCE)
    assert fold.part_receipted(message, 0, "unknown", "", 6, AT_ONCE) == "changed"
    assert fold.part_receipted(message, 0, "unknown", "", 6, AT_ONCE) == "repeated"
    assert fold.part_receipted(message, 0, "delivered", "", 7, AT_ONCE) == "changed"
    assert fold.part_receipted(message, 1, "unknown", "", 8, AT_ONCE) == "changed"
    assert (message.state, message.part_states) == ("unknown", "DU")


def test_one_receipt_speaks_for_the_parts_that_stand_in_its_letters() -> None:
    message = message_of(3)
    for part in (1, 2):
        fold.part_taken(message, part, str(part), 5, AT_ONCE)
    fold.part_receipted(message, 2, "delivered", "", 6, AT_ONCE)
    fold.rest_receipted(message, "S", "delivered", "", 6, AT_ONCE)
    assert (message.part_states, message.state) == ("QDD", "queued")
    fold.rest_receipted(message, "QS", "delivered", "", 6, AT_ONCE)
    assert (message.part_states, message.state) == ("DDD", "delivered")


def test_a_failure_ends_the_message_whatever_the_receipt_covers() -> None:
    message = message_of(2)
    fold.part_taken(message, 0, "1", 5, AT_ONCE)
    fold.part_taken(message, 1, "2", 5, AT_ONCE)
    fold.part_receipted(message, 1, "undeliverable", "011", 6, AT_ONCE)
    fold.rest_receipted(message, "S", "undeliverable", "011", 6, AT_ONCE)
    assert (message.part_states, message.state, message.error) == ("SF", "undeliverable", "011")
