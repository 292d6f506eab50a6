"""The client table of smpp-answers, row by row: what each status of a carrier leads to, try after try.

smpp-answers "As a client"; SMPP v3.4 5.1.3. What must not enter: the wire (test of the connector).
"""

from __future__ import annotations

from typing import Any, get_args

import pytest

from gateway.connector import Rejected, TryLater
from gateway.egress.answers import ANSWER_RULES, RULE_OF_WORD, UNMAPPED, AnswerRule, StatusWord, rule_for
from gateway.egress.outcomes import outcome_of, write_as_wanted
from gateway.egress.profile import CarrierProfile
from gateway.message import Envelope, Message
from gateway.smpp.command_status import CommandStatus

PERMANENT_OF_OURS = (0x01, 0x02, 0x03, 0x06, 0x07, 0x15, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104)
ELSEWHERE, ENDS_HERE = "elsewhere", "ends here"

# statuses; what the tries come to (seconds until the next, or the end); the first end's meaning for a second route
ROWS: list[tuple[tuple[int, ...], list[object], str]] = [
    ((0x58,), [0, 0, 0], "throttle"),
    ((0x14,), [30, 120, 300, 300, 300], "queue_full"),
    ((0x08,), [30, 120, 600, ELSEWHERE], "temporary"),
    ((0x64,), [30, 120, 600, 3600, ELSEWHERE], "temporary"),
    ((0x45, 0xFE, 0xFF), [60, ELSEWHERE], "temporary"),
    ((0x61, 0x62), [0, ENDS_HERE], "value"),
    ((0x0B,), [ELSEWHERE], "permanent"),
    ((0x0A, 0x48, 0x49), [ELSEWHERE], "sender"),
    ((0x50, 0x51), [0, ELSEWHERE], "address"),
    (PERMANENT_OF_OURS, [ENDS_HERE], "permanent"),
    ((0x65, 0x66, 0x100, 0x101, 0x102, 0x103), [ELSEWHERE], "permanent"),
    ((0x04, 0x05, 0x0D, 0x0E, 0x0F), [0, 0, 0], "link"),
    ((0x400, 0x4FF, 0x7777, 0xFFFFFFFF), [ELSEWHERE], "permanent"),
]
CASES = [(status, tries, kind) for statuses, tries, kind in ROWS for status in statuses]


def profile(**given: Any) -> CarrierProfile:
    fields: dict[str, Any] = {"name": "carrier-a", "connector_id": 1, "host": "h", "port": 1, "system_id": "gw"}
    fields |= {"password": "gw", "second_route_classes": frozenset({"otp"}), "send_validity": True}
    return CarrierProfile(**{**fields, **given})


def message(**given: Any) -> Message:
    fields: dict[str, Any] = {"attempt_count": 1, "part_states": "Q"} | given
    kind = fields.pop("kind", "otp")
    return Message(1, 1, 1, 1, 1, kind, 1, 0, 1, 9, 0, "ACME", "2290197000001", "", b"x", Envelope(), **fields)


def refused(sent: Message, status: int, of: CarrierProfile | None = None) -> TryLater | Rejected:
    of = of or profile()
    return outcome_of(rule_for(status, of.status_map), sent, 0, "why", of)


def told(outcome: TryLater | Rejected) -> object:
    if isinstance(outcome, TryLater):
        return outcome.after_s
    return ELSEWHERE if outcome.elsewhere else ENDS_HERE


@pytest.mark.parametrize(("status", "tries", "kind"), CASES)
def test_a_status_leads_try_after_try_to_what_the_page_says(status: int, tries: list[object], kind: str) -> None:
    sent = message()
    found = []
    for attempt in range(1, len(tries) + 1):
        sent.attempt_count = attempt if kind in ("temporary", "queue_full") else 1  # the others count no attempt
        write_as_wanted(sent)
        found.append(told(refused(sent, status)))
    assert found == tries
    assert rule_for(status).kind == kind


@pytest.mark.parametrize(("status", "elsewhere"), [(0x0B, False), (0x4FF, False), (0x45, True), (0x0A, True)])
def test_a_destination_and_an_unknown_status_are_tried_on_one_other_route_only(status: int, elsewhere: bool) -> None:
    outcome = refused(message(refused_by=(7,), attempt_count=5), status)
    assert isinstance(outcome, Rejected)
    assert outcome.elsewhere is elsewhere


@pytest.mark.parametrize("status", [0x65, 0x66, 0x100, 0x101, 0x102, 0x103])
def test_a_final_refusal_goes_elsewhere_for_classes_that_are_worth_it(status: int) -> None:
    assert told(refused(message(kind="otp"), status)) == ELSEWHERE
    assert told(refused(message(kind="marketing"), status)) == ENDS_HERE


def test_only_a_sender_s_refusal_blames_the_sender() -> None:
    blamed = set()
    for status in ANSWER_RULES:
        outcome = refused(message(attempt_count=9, dialect=0xFF), status)
        if isinstance(outcome, Rejected) and outcome.sender_refused:
            blamed.add(status)
    assert blamed == {0x0A, 0x48, 0x49}


def test_what_is_exhausted_here_and_wanted_nowhere_waits_only_for_a_passing_fault() -> None:
    waits = {status: rule.last_pause_s for status, rule in ANSWER_RULES.items() if rule.last_pause_s}
    assert waits == {0x08: 600, 0x64: 3600}


def test_parts_of_one_writing_that_are_refused_alike_change_it_once() -> None:
    sent = message()
    assert [told(refused(sent, 0x50)) for _ in range(3)] == [0, 0, 0]
    write_as_wanted(sent)
    assert told(refused(sent, 0x50)) == ELSEWHERE
    sent.dialect = 0
    assert told(refused(sent, 0x51)) == 0


@pytest.mark.parametrize(
    ("status", "given", "end"),
    [
        (0x62, {"send_validity": False}, ENDS_HERE),
        (0x50, {"other_destination": (1, 1)}, ELSEWHERE),
    ],
)
def test_what_cannot_be_written_otherwise_is_not_written_again(status: int, given: dict[str, Any], end: str) -> None:
    assert told(refused(message(), status, profile(**given))) == end


@pytest.mark.parametrize("word", get_args(StatusWord))
def test_a_carrier_s_own_status_has_the_row_of_its_word_and_no_alarm_but_that_row_s(word: StatusWord) -> None:
    of = profile(status_map={0x401: RULE_OF_WORD[word], 0x08: RULE_OF_WORD[word]})
    assert rule_for(0x401, of.status_map) is rule_for(0x08, of.status_map) is RULE_OF_WORD[word]
    assert rule_for(0x402, of.status_map) is UNMAPPED
    assert rule_for(0x58, of.status_map).kind == "throttle"
    assert rule_for(0x401, of.status_map).alarm is (word == "our_fault")


def test_alarms_are_for_our_own_faults_and_what_no_table_knows() -> None:
    assert {status for status, rule in ANSWER_RULES.items() if rule.alarm} == set(PERMANENT_OF_OURS)
    assert UNMAPPED.alarm


def test_success_is_no_refusal_and_has_no_row() -> None:
    assert 0 not in ANSWER_RULES


def test_what_may_be_tried_again_says_when_and_what_may_not_says_nothing() -> None:
    for status, rule in ANSWER_RULES.items():
        assert bool(rule.pauses_s) == (rule.kind in ("temporary", "queue_full")), hex(status)
        assert list(rule.pauses_s) == sorted(rule.pauses_s)


def test_no_status_of_the_specification_raises() -> None:
    for status in CommandStatus:
        assert isinstance(rule_for(status), AnswerRule)
