"""The client table of smpp-answers, row by row: what each status of a carrier means for us.

smpp-answers "As a client"; SMPP v3.4 5.1.3. What must not enter: the doing (test of the connector).
"""

from __future__ import annotations

import pytest

from gateway.egress.answers import ANSWER_RULES, AnswerRule, rule_for
from gateway.smpp.command_status import CommandStatus


@pytest.mark.parametrize(
    ("statuses", "rule"),
    [
        ((0x58,), AnswerRule("throttle")),
        ((0x14,), AnswerRule("queue_full", (30, 120, 300))),
        ((0x08,), AnswerRule("temporary", (30, 120, 600), elsewhere=True, last_pause_s=600)),
        ((0x64,), AnswerRule("temporary", (30, 120, 600, 3600), elsewhere=True, last_pause_s=3600)),
        ((0x45, 0xFE, 0xFF), AnswerRule("temporary", (60,), elsewhere=True)),
        ((0x0B, 0x0A, 0x48, 0x49, 0x50, 0x51), AnswerRule("permanent", elsewhere=True)),
        (
            (0x01, 0x02, 0x06, 0x07, 0x15, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104),
            AnswerRule("permanent", alarm=True),
        ),
        ((0x65, 0x66, 0x100, 0x101, 0x102, 0x103), AnswerRule("permanent", elsewhere=True)),
        ((0x04, 0x05, 0x0D, 0x0E, 0x0F), AnswerRule("link")),
        ((0x400, 0x4FF, 0x7777, 0xFFFFFFFF), AnswerRule("permanent", elsewhere=True, alarm=True)),
    ],
)
def test_a_status_has_the_row_of_the_page(statuses: tuple[int, ...], rule: AnswerRule) -> None:
    for status in statuses:
        assert rule_for(status) == rule, hex(status)


def test_success_is_no_refusal_and_has_no_row() -> None:
    assert 0 not in ANSWER_RULES


def test_what_may_be_tried_again_says_when_and_what_may_not_says_nothing() -> None:
    for status, rule in ANSWER_RULES.items():
        assert bool(rule.pauses_s) == (rule.kind in ("temporary", "queue_full")), hex(status)
        assert list(rule.pauses_s) == sorted(rule.pauses_s)


def test_no_status_of_the_specification_raises() -> None:
    for status in CommandStatus:
        assert isinstance(rule_for(status), AnswerRule)
