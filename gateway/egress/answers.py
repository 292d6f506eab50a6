"""What we do with a carrier's answer to submit_sm: the client table of smpp-answers, as data.

Source: SMPP v3.4 5.1.3 (command_status) and the habits of carriers noted there.
What must not enter: the doing; SmppConnector turns a row into an outcome.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

AnswerClass = Literal["throttle", "queue_full", "temporary", "permanent", "link"]


class AnswerRule(msgspec.Struct, frozen=True):
    """One row: its class, the pauses before each further try on this route (seconds), and whether another may
    carry it.
    """

    kind: AnswerClass
    pauses_s: tuple[float, ...] = ()
    elsewhere: bool = False
    alarm: bool = False
    last_pause_s: float = 0.0  # where no other route carries it: again after this, while it is valid; 0: never


_THROTTLE = AnswerRule("throttle")
_QUEUE_FULL = AnswerRule("queue_full", (30, 120, 300))
_TEMPORARY = AnswerRule("temporary", (30, 120, 600), elsewhere=True, last_pause_s=600)
_AMBIGUOUS = AnswerRule("temporary", (60,), elsewhere=True)
_OTHER_ROUTE = AnswerRule("permanent", elsewhere=True)
_OUR_FAULT = AnswerRule("permanent", alarm=True)
_LINK = AnswerRule("link")
_UNMAPPED = AnswerRule("permanent", elsewhere=True, alarm=True)

ANSWER_RULES: Final[dict[int, AnswerRule]] = {
    0x58: _THROTTLE,
    0x14: _QUEUE_FULL,
    0x08: _TEMPORARY,
    0x64: AnswerRule("temporary", (30, 120, 600, 3600), elsewhere=True, last_pause_s=3600),
    0x45: _AMBIGUOUS,
    0xFE: _AMBIGUOUS,
    0xFF: _AMBIGUOUS,
    0x0B: _OTHER_ROUTE,  # another route once, where portability is unsure
    0x0A: _OTHER_ROUTE,
    0x48: _OTHER_ROUTE,
    0x49: _OTHER_ROUTE,
    0x50: _OTHER_ROUTE,
    0x51: _OTHER_ROUTE,
    0x61: AnswerRule("permanent"),
    0x62: AnswerRule("permanent"),
    **dict.fromkeys((0x01, 0x02, 0x03, 0x06, 0x07, 0x15, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104), _OUR_FAULT),
    **dict.fromkeys((0x65, 0x66, 0x100, 0x101, 0x102, 0x103), _OTHER_ROUTE),
    **dict.fromkeys((0x04, 0x05, 0x0D, 0x0E, 0x0F), _LINK),
}


def rule_for(command_status: int) -> AnswerRule:
    """The row of a status; one that no table knows is permanent here, may go elsewhere, and raises an alarm."""
    return ANSWER_RULES.get(command_status, _UNMAPPED)
