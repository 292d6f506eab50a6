"""When something wrong becomes an alarm, and when the alarm is over: a table of kinds, and the memory of how long.

What is wrong must be so without a break for `raise_after_s`, and right without a break for `clear_after_s`: so nothing
flaps, and between two alarms of one subject lie at least both. Pure: time is passed in.
What must not enter: how something is seen (gateway.storage.alarms), rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, Literal

import msgspec

from admin_api.languages import Words

Subject = tuple[str, str]  # kind, subject
Severity = Literal["warning", "critical"]


class AlarmKind(msgspec.Struct, frozen=True):
    """One row. is_told: by a notice, where no other notice tells of the same."""

    severity: Severity
    raise_after_s: float
    clear_after_s: float
    words: Words
    is_told: bool = True


# chosen: a carrier that rebinds, a node that starts again and a clock that is put right raise nothing
ALARM_KINDS: Final[Mapping[str, AlarmKind]] = {
    "node_dead": AlarmKind("critical", 15, 30, Words("A node is dead", "Un nœud est mort"), is_told=False),
    "connector_down": AlarmKind(
        "critical", 30, 60, Words("A carrier cannot be reached", "Un opérateur est injoignable"), is_told=False
    ),
    "binds_missing": AlarmKind("warning", 120, 60, Words("Binds are down", "Des liens sont tombés")),
    "queue_old": AlarmKind("warning", 60, 60, Words("Messages wait for long", "Des messages attendent trop longtemps")),
    "no_receipts": AlarmKind("warning", 300, 300, Words("No receipts come", "Aucun accusé n'arrive")),
    "webhook_disabled": AlarmKind(
        "warning", 10, 10, Words("A webhook was disabled", "Un webhook est désactivé"), is_told=False
    ),
    "clock_off": AlarmKind("warning", 60, 60, Words("A clock is wrong", "Une horloge est fausse")),
    "disk_full": AlarmKind("critical", 10, 60, Words("The disk is full", "Le disque est plein")),
}


class AlarmMoves(msgspec.Struct, frozen=True):
    """What a look decides."""

    raised: list[Subject]
    cleared: list[Subject]


class AlarmMemory:
    """Since when each subject is wrong, or right again."""

    def __init__(self) -> None:
        self._wrong_since: dict[Subject, float] = {}
        self._right_since: dict[Subject, float] = {}

    def look(self, now: float, wrong: Set[Subject], standing: Set[Subject]) -> AlarmMoves:
        """What is to be raised and cleared, now that this is wrong and these alarms stand."""
        self._wrong_since = {each: self._wrong_since.get(each, now) for each in wrong}
        self._right_since = {each: self._right_since.get(each, now) for each in standing - wrong}
        raised = [
            each
            for each, since in self._wrong_since.items()
            if each not in standing and now - since >= ALARM_KINDS[each[0]].raise_after_s
        ]
        cleared = [
            each
            for each, since in self._right_since.items()
            if each[0] not in ALARM_KINDS or now - since >= ALARM_KINDS[each[0]].clear_after_s
        ]
        return AlarmMoves(sorted(raised), sorted(cleared))
