"""Crash points: PASSERELLE_CRASH_AT=name[:nth] ends the process, as a power cut would, at a named point of a
message's life.

What belongs here: the list of names, and the one function that production code calls at each of them.
What must not enter: anything that would make a point behave differently when no crash is wished.
"""

from __future__ import annotations

import os

# In the order of a message's life; a test walks them all and runs `passerelle check` after each.
CRASH_POINTS = (
    "migrate.before_commit",  # a start
    "start.seated",
    "start.binds_taken",
    "recover.found",
    "recover.stored",
    "accept.reserved",  # a message on its way in
    "accept.before_commit",
    "accept.committed",
    "accept.answered",
    "send.refilled",  # and out
    "send.before_journal",
    "send.journalled",
    "send.written",
    "settle.response_read",  # what became of it
    "settle.setback",
    "settle.doubted",
    "settle.final",
    "settle.before_commit",
    "settle.committed",
    "settle.postponed",
    "receipt.parked",
    "receipt.joined",
    "settle.receipt_acknowledged",
    "notify.left_to_rows",  # its customer is told
    "notify.read_back",
    "notify.offered",
    "notify.written",
    "notify.acknowledged",
    "inbound.received",  # what handsets send
    "inbound.committed",
    "claim.taken",  # what time brings
    "doubt.resent",
    "expire.found",
    "marks.moved",
    "handover.told",  # what nodes hand each other
    "handover.stored",
    "drain.begun",  # an end
    "drain.links_ended",
    "drain.stored",
)


class UnknownCrashPoint(ValueError):
    """PASSERELLE_CRASH_AT names no crash point; the text lists them."""


def _wished(setting: str) -> tuple[str, int]:
    name, _, nth = setting.partition(":")
    if name and name not in CRASH_POINTS:
        raise UnknownCrashPoint(f"PASSERELLE_CRASH_AT={setting!r}: the names are {', '.join(CRASH_POINTS)}")
    return name, int(nth or 1)


_name, _left = _wished(os.environ.get("PASSERELLE_CRASH_AT", ""))


def crash_point(name: str) -> None:
    """End the process at once (exit status 137) when this is the wished point for the wished time."""
    global _left
    if name == _name:
        _left -= 1
        if _left <= 0:
            os._exit(137)
