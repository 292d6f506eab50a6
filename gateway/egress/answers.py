"""What we do with a carrier's answer to submit_sm: the client table of smpp-answers, as data.

Source: SMPP v3.4 5.1.3 (command_status) and the habits of carriers noted there. A carrier's own statuses are words of
its profile ([connector.status_map]), each of which stands for a row.
What must not enter: the doing; SmppConnector turns a row into an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

AnswerClass = Literal["throttle", "queue_full", "temporary", "permanent", "value", "address", "sender", "link"]
Elsewhere = Literal["no", "once", "class", "yes"]


class AnswerRule(msgspec.Struct, frozen=True):
    """One row: its class, the pauses before each further try on this route (seconds), and whether another may
    carry it: no; once (the second route's word is the last); class (if the traffic class is worth it); yes.
    """

    kind: AnswerClass
    pauses_s: tuple[float, ...] = ()
    elsewhere: Elsewhere = "no"
    alarm: bool = False
    last_pause_s: float = 0.0  # where no other route carries it: again after this, while it is valid; 0: never


_THROTTLE = AnswerRule("throttle")
_QUEUE_FULL = AnswerRule("queue_full", (30, 120, 300))
_TEMPORARY = AnswerRule("temporary", (30, 120, 600), elsewhere="yes", last_pause_s=600)
_AMBIGUOUS = AnswerRule("temporary", (60,), elsewhere="yes")
_VALUE = AnswerRule("value")  # once without the field that is refused, if it was sent
_DESTINATION = AnswerRule("permanent", elsewhere="once")  # portability is never sure: nobody asked the network
_SENDER = AnswerRule("sender", elsewhere="yes")
_ADDRESS = AnswerRule("address", elsewhere="yes")  # once with the profile's other TON and NPI, then another route
_OUR_FAULT = AnswerRule("permanent", alarm=True)
_CLASS = AnswerRule("permanent", elsewhere="class")
_LINK = AnswerRule("link")
UNMAPPED = AnswerRule("permanent", elsewhere="once", alarm=True)

ANSWER_RULES: Final[dict[int, AnswerRule]] = {
    0x58: _THROTTLE,
    0x14: _QUEUE_FULL,
    0x08: _TEMPORARY,
    0x64: AnswerRule("temporary", (30, 120, 600, 3600), elsewhere="yes", last_pause_s=3600),
    **dict.fromkeys((0x45, 0xFE, 0xFF), _AMBIGUOUS),
    **dict.fromkeys((0x61, 0x62), _VALUE),
    0x0B: _DESTINATION,
    **dict.fromkeys((0x0A, 0x48, 0x49), _SENDER),
    **dict.fromkeys((0x50, 0x51), _ADDRESS),
    **dict.fromkeys((0x01, 0x02, 0x03, 0x06, 0x07, 0x15, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104), _OUR_FAULT),
    **dict.fromkeys((0x65, 0x66, 0x100, 0x101, 0x102, 0x103), _CLASS),
    **dict.fromkeys((0x04, 0x05, 0x0D, 0x0E, 0x0F), _LINK),
}

StatusWord = Literal[
    "throttle",
    "queue_full",
    "temporary",
    "ambiguous",
    "value",
    "destination",
    "sender",
    "address",
    "our_fault",
    "permanent",
    "elsewhere",
]

RULE_OF_WORD: Final[dict[StatusWord, AnswerRule]] = {
    "throttle": _THROTTLE,
    "queue_full": _QUEUE_FULL,
    "temporary": _TEMPORARY,
    "ambiguous": _AMBIGUOUS,
    "value": _VALUE,
    "destination": _DESTINATION,
    "sender": _SENDER,
    "address": _ADDRESS,
    "our_fault": _OUR_FAULT,
    "permanent": AnswerRule("permanent"),
    "elsewhere": AnswerRule("permanent", elsewhere="yes"),
}


def rule_for(command_status: int, of_carrier: Mapping[int, AnswerRule] | None = None) -> AnswerRule:
    """The row of a status, the carrier's own first; one that no table knows is permanent here, may go elsewhere once,
    and raises an alarm.
    """
    own = of_carrier.get(command_status) if of_carrier else None
    return own or ANSWER_RULES.get(command_status, UNMAPPED)
