"""Final result codes: what ends the answer to a command line.

Source: ITU-T V.250 table 1; 3GPP TS 27.005 3.1 (+CMS ERROR) and 27.007 9.2 (+CME ERROR); COMMAND NOT SUPPORT and TOO
MANY PARAMETERS of Huawei and ZTE. What must not enter: what an error means (causes.py).
"""

from __future__ import annotations

from typing import Final

import msgspec

from modem_pool.at.events import Verdict

_PLAIN: Final[dict[str, Verdict]] = {
    "OK": "ok",
    "ERROR": "error",
    "COMMAND NOT SUPPORT": "error",
    "TOO MANY PARAMETERS": "error",
}
_OF_CALLS: Final = frozenset(("NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE"))
_NUMBERED: Final[tuple[tuple[str, Verdict], ...]] = (("+CME ERROR:", "cme"), ("+CMS ERROR:", "cms"))


class Result(msgspec.Struct, frozen=True):
    """verdict; code: of a numbered error, else -1; said: the modem's words."""

    verdict: Verdict
    code: int
    said: str


def result_of(text: str, dials: bool) -> Result | None:
    """The final result that a line is; dials: whether a call's end may be one."""
    verdict = _PLAIN.get(text)
    if verdict is not None:
        return Result(verdict, -1, text)
    if text in _OF_CALLS:
        return Result("call_ended", -1, text) if dials else None
    for prefix, numbered in _NUMBERED:
        if text.startswith(prefix):
            code = text[len(prefix) :].strip()
            return Result(numbered, int(code) if code.isascii() and code.isdigit() else -1, text)
    return None
