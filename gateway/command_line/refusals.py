"""A command refused: what is wrong, with its culprit, and what to do; and the nearest of what exists.

What belongs here: the one exception that commands raise for an operator's mistake, and its suggestions.
What must not enter: faults of our own making: those keep their traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from gateway.command_line.words import say


class Refusal(Exception):
    """Nothing was done. `complaint` is a sentence for the operator in his language, `remedy` the next step or ""."""

    def __init__(self, complaint: str, remedy: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.remedy = remedy


def unknown(complaint: str, given: str, known: Iterable[str], make: str) -> Refusal:
    """The refusal of a name nobody knows: the nearest known names, else all (at most 20), and how to make one."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    if near:
        return Refusal(complaint, say("did you mean {names}?", names=", ".join(near)))
    if not names:
        return Refusal(complaint, say("there is none yet: {make}", make=make))
    return Refusal(complaint, say("known: {names}; or {make}", names=", ".join(names[:20]), make=make))
