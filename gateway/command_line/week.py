"""Hours of the week as operators write them: `Mon-Fri 08:00-20:00`, also `lun-ven`; UTC, as the routes keep them.

What belongs here: text to pairs of minutes from Monday 00:00 and back.
What must not enter: a clock, a zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say

DAY_MINUTES: Final = 24 * 60
DAYS: Final = {
    name: place
    for names in (("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ("lun", "mar", "mer", "jeu", "ven", "sam", "dim"))
    for place, name in enumerate(names)
}
SHOWN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_WINDOW: Final = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+(?P<from>\d{1,2}:\d\d)-(?P<until>\d{1,2}:\d\d)"
)


def parse_windows(texts: Sequence[str]) -> list[int]:
    """Pairs first minute, one past the last, in order, joined where they touch. Raises Refusal."""
    pairs = sorted(pair for text in texts for pair in _parse_window(text))
    joined: list[int] = []
    for start, end in pairs:
        if joined and start <= joined[-1]:
            joined[-1] = max(joined[-1], end)
        else:
            joined += [start, end]
    return joined


def format_windows(minutes: Sequence[int]) -> str:
    """The pairs, a day each: "Mon 08:00-20:00, Tue 08:00-20:00"; empty for always."""
    shown = []
    for start, end in zip(minutes[::2], minutes[1::2], strict=True):
        day, first = divmod(start, DAY_MINUTES)
        last_day, last = divmod(end - 1, DAY_MINUTES)
        until = _format_minute(last + 1)
        shown.append(f"{SHOWN[day]} {_format_minute(first)}-{'' if last_day == day else SHOWN[last_day] + ' '}{until}")
    return ", ".join(shown)


def _parse_window(text: str) -> list[tuple[int, int]]:
    found = _WINDOW.fullmatch(text.strip().lower())
    if found is not None and found["first"] in DAYS and (found["last"] or found["first"]) in DAYS:
        first = DAYS[found["first"]]
        last = DAYS[found["last"] or found["first"]]
        start, end = _parse_minute(found["from"]), _parse_minute(found["until"])
        if 0 <= start < end <= DAY_MINUTES:
            days = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
            return [(day * DAY_MINUTES + start, day * DAY_MINUTES + end) for day in days]
    raise Refusal(
        say("{text} is not a time window", text=repr(text)),
        say("write it like 'Mon-Fri 08:00-20:00', in UTC; over midnight write two"),
    )


def _parse_minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes) if int(minutes) < 60 else -1


def _format_minute(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
