"""How outcomes of parts fold into the state of their message, and close its hold exactly once.

Source: architecture, promises P2 to P4; smpp-answers, "Receipts". The rows of message_states.MOVES are obeyed here.
Pure: functions over Message, times passed in. What must not enter: storage, links, the reason why an outcome was found.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.message import (
    PART_DELIVERED,
    PART_FAILED,
    PART_IN_DOUBT,
    PART_QUEUED,
    PART_SUBMITTED,
    PART_UNKNOWN,
    SMSC_ID_SEPARATOR,
    Message,
)
from gateway.message_states import FINAL, MOVES

Folded = Literal["changed", "repeated", "conflict"]


class MoneyPolicy(msgspec.Struct, frozen=True):
    """When a hold is captured, and what becomes of it when nobody can tell (defaults.md, Credits)."""

    capture_at: Literal["acceptance", "delivery"] = "acceptance"
    unknown_outcome: Literal["capture", "release"] = "capture"


def _put_letter(message: Message, part_no: int, letter: str) -> None:
    letters = message.part_states
    if len(letters) == 1:
        message.part_states = letter
    else:
        message.part_states = letters[:part_no] + letter + letters[part_no + 1 :]


def _put_id(message: Message, part_no: int, smsc_message_id: str) -> None:
    if message.part_count == 1:
        message.smsc_message_ids = smsc_message_id
    else:
        ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
        ids += [""] * (message.part_count - len(ids))
        ids[part_no] = smsc_message_id
        message.smsc_message_ids = SMSC_ID_SEPARATOR.join(ids)
    message.fresh_parts = (*message.fresh_parts, part_no)


def close_hold(message: Message, how: Literal["capture", "release"]) -> None:
    """Capture or release, once: a hold already closed stays as it is."""
    if message.hold == "held":
        message.hold = "captured" if how == "capture" else "released"
        message.posting = how


def part_taken(message: Message, part_no: int, smsc_message_id: str, now_ms: int, policy: MoneyPolicy) -> Folded:
    """The carrier took a part and named it (perhaps late, when it was in doubt)."""
    letter = message.part_states[part_no]
    if letter not in (PART_QUEUED, PART_IN_DOUBT):
        return "repeated"
    _put_id(message, part_no, smsc_message_id)
    if message.state in FINAL:
        return "conflict"
    _put_letter(message, part_no, PART_SUBMITTED)
    _submitted_when_whole(message, now_ms, policy)
    return "changed"


def _submitted_when_whole(message: Message, now_ms: int, policy: MoneyPolicy) -> None:
    """Once no part is queued or in doubt, the carrier has the message; once none is in doubt, the rest is only
    queued.
    """
    if PART_IN_DOUBT in message.part_states:
        return
    if PART_QUEUED in message.part_states:
        message.state = "queued"
        return
    if message.state != "submitted":
        message.state = "submitted"
        message.submitted_at_ms = now_ms
    if policy.capture_at == "acceptance":
        close_hold(message, "capture")


def part_in_doubt(message: Message, part_no: int) -> Folded:
    """A part was written and its answer did not come."""
    if message.part_states[part_no] != PART_QUEUED or message.state in FINAL:
        return "repeated"
    _put_letter(message, part_no, PART_IN_DOUBT)
    message.in_doubt_count += 1
    message.state = "in_doubt"
    return "changed"


def resend(message: Message) -> Folded:
    """Queue the parts in doubt once more, as the policy of their class says."""
    if message.state != "in_doubt":
        return "repeated"
    message.part_states = message.part_states.replace(PART_IN_DOUBT, PART_QUEUED)
    message.state = "queued"
    return "changed"


def part_receipted(message: Message, part_no: int, state: str, error: str, now_ms: int, policy: MoneyPolicy) -> Folded:
    """A receipt decided a part. Delivered when all parts are, failed when one finally failed; never out of a final
    state.
    """
    letter = PART_DELIVERED if state == "delivered" else PART_UNKNOWN if state == "unknown" else PART_FAILED
    before = message.part_states[part_no]
    if before == letter:
        return "repeated"
    if before in (PART_DELIVERED, PART_FAILED):
        return "conflict"
    if message.state in FINAL:
        return "repeated" if message.state == state else "conflict"
    _put_letter(message, part_no, letter)
    if letter == PART_FAILED:
        finish(message, state, error, now_ms, policy)
    elif message.part_states == PART_DELIVERED * message.part_count:
        finish(message, "delivered", error, now_ms, policy)
    elif not set(message.part_states) & {PART_QUEUED, PART_SUBMITTED, PART_IN_DOUBT}:
        finish(message, "unknown", error, now_ms, policy)
    else:
        _submitted_when_whole(message, now_ms, policy)  # the last doubt was resolved by this receipt
    return "changed"


def rest_receipted(message: Message, covered: str, state: str, error: str, now_ms: int, policy: MoneyPolicy) -> None:
    """The one receipt of a message speaks of all its parts that stand in one of these letters."""
    for part_no, letter in enumerate(message.part_states):
        if letter in covered and message.state not in FINAL:
            part_receipted(message, part_no, state, error, now_ms, policy)


def finish(message: Message, state: str, error: str, now_ms: int, policy: MoneyPolicy) -> None:
    """Put a message in a final state and close its hold. A move that MOVES forbids is our fault: ValueError."""
    if state not in MOVES[message.state]:
        raise ValueError(f"message {message.message_id}: {message.state} may not become {state}")
    taken = message.hold == "held" and not (set(message.part_states) & {PART_QUEUED, PART_IN_DOUBT})
    message.state = state
    message.error = error
    message.final_at_ms = now_ms
    if state == "delivered":
        close_hold(message, "capture")
    elif state == "unknown":
        close_hold(message, policy.unknown_outcome)
    elif taken and policy.capture_at == "acceptance":
        close_hold(message, "capture")
    else:
        close_hold(message, "release")
