"""The time formats of SMPP: absolute with a quarter-hour offset, and relative.

Source: SMPP v3.4 7.1.1 (schedule_delivery_time, validity_period) and appendix B (times in receipts).
Pure: the present is passed in. What must not enter: what a time is used for.
"""

from __future__ import annotations

import calendar
import datetime
import functools

QUARTER_MS = 15 * 60 * 1000
# v3.4 7.1.1.2 leaves months and years of a relative time open: chosen 30 and 365 days.
RELATIVE_DAYS = (365, 30, 1)


def parse_time(text: str, now_ms: int) -> int | None:
    """The Unix milliseconds that "YYMMDDhhmmsstnnp" means at now_ms; None when the text is no such time."""
    if len(text) != 16 or not text[:15].isascii() or not text[:15].isdecimal():
        return None
    numbers = [int(text[i : i + 2]) for i in range(0, 12, 2)]
    if text[15] == "R":
        if text[12:15] != "000":
            return None
        days = sum(count * each for count, each in zip(numbers[:3], RELATIVE_DAYS, strict=True))
        hours, minutes, seconds = numbers[3:]
        return now_ms + (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    if text[15] not in "+-":
        return None
    year, month, day, hour, minute, second = numbers
    try:
        moment = datetime.datetime(2000 + year, month, day, hour, minute, second)
    except ValueError:
        return None
    quarters = int(text[13:15])
    if quarters > 48:
        return None
    offset_ms = quarters * QUARTER_MS
    local_ms = calendar.timegm(moment.timetuple()) * 1000 + int(text[12]) * 100
    return local_ms - offset_ms if text[15] == "+" else local_ms + offset_ms


def format_receipt_date(unix_ms: int) -> str:
    """The ten digits YYMMDDhhmm of a receipt's dates, in UTC (appendix B)."""
    return _format_minute(unix_ms // 60_000)


@functools.lru_cache(maxsize=256)  # chosen: the receipts of one moment fall into few minutes
def _format_minute(unix_minutes: int) -> str:
    return datetime.datetime.fromtimestamp(unix_minutes * 60, datetime.UTC).strftime("%y%m%d%H%M")


def format_time(unix_ms: int) -> str:
    """The absolute form "YYMMDDhhmmsstnnp" in UTC (7.1.1.1)."""
    moment = datetime.datetime.fromtimestamp(unix_ms // 1000, datetime.UTC)
    return f"{moment:%y%m%d%H%M%S}{unix_ms % 1000 // 100}00+"
