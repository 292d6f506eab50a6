"""What a channel tells its shell: one small value per thing that happened.

Source: ITU-T V.250 5.7 (result codes); 3GPP TS 27.005 3.1 and 27.007 9 (+CMS ERROR, +CME ERROR).
What must not enter: what an answer means for a SIM or a message, rules of the conversation (channel.py).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from modem_pool.at.commands import Command

Verdict = Literal["ok", "error", "cme", "cms", "call_ended"]


class Information(msgspec.Struct, frozen=True):
    """A line of an answer. pdu: the hexadecimal line that belongs to it, "" for none."""

    text: str
    pdu: str = ""


class Answered(msgspec.Struct, frozen=True):
    """A command got its final result. code: of +CME or +CMS ERROR, -1 where there is no number; said: the words."""

    command: Command
    verdict: Verdict
    lines: tuple[Information, ...] = ()
    code: int = -1
    said: str = ""


class TimedOut(msgspec.Struct, frozen=True):
    """A command got none in time. is_written: its payload was, so nobody can tell what became of it (promise P2)."""

    command: Command
    is_written: bool


class LateAnswer(msgspec.Struct, frozen=True):
    """A line that the command which timed out declared as its own, before the channel was synchronous again."""

    command: Command
    line: Information


class Unsolicited(msgspec.Struct, frozen=True):
    """A line nobody asked for. pdu: what belongs to it; is_cut: its end never came."""

    text: str
    pdu: str = ""
    is_cut: bool = False


class Noise(msgspec.Struct, frozen=True):
    """Octets that were no line, or a result nobody waits for."""

    why: Literal["no_line_end", "stray_result", "too_many_lines"]
    octets: int


class Synchronised(msgspec.Struct, frozen=True):
    """Commands may be asked again."""


class Unresponsive(msgspec.Struct, frozen=True):
    """It answered no AT however often it was tried; only a reset or the port helps (the ladder)."""


Event: TypeAlias = Answered | TimedOut | LateAnswer | Unsolicited | Noise | Synchronised | Unresponsive
