"""Running a coroutine to its end: on uvloop where it is present, with the known faults brought out of their groups.

What belongs here: the one place where a loop is born.
What must not enter: what runs on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def run_on_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What `work` returns. A fault that came alone out of task groups is raised as itself."""
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(work)
    except BaseExceptionGroup as group:
        only = _only_fault(group)
        if only is None:
            raise
        raise only from group


def _only_fault(fault: BaseException) -> BaseException | None:
    """The one fault inside groups of groups; None where there are several."""
    while isinstance(fault, BaseExceptionGroup):
        if len(fault.exceptions) != 1:
            return None
        fault = fault.exceptions[0]
    return fault
