"""Moments as operators write them: `2026-01-31T08:00` in UTC, or so long ago: `90m`, `2d`.

What belongs here: text to Unix milliseconds.
What must not enter: a clock; the present is passed in.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say

_SPAN: Final = re.compile(r"(\d+)\s*([smhd])")
_SPAN_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_since(text: str, now: datetime.datetime) -> int:
    """Unix milliseconds of an ISO 8601 time (UTC unless it says otherwise) or of a span before now. Raises Refusal."""
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return max(0, int(now.timestamp() * 1000) - int(span[1]) * _SPAN_S[span[2]] * 1000)
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError as fault:
        raise Refusal(
            say("{text} is not a time", text=text), say("write it like 2026-01-31T08:00 in UTC, or 90m, 12h, 2d")
        ) from fault
    return max(0, int((time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp() * 1000))
