"""Waiting for a fact with a deadline: what another process does has no event to await.

What belongs here: the one loop that looks again. What must not enter: a pause whose length a test depends on.
A deadline here ends a test that would wait for ever; it proves no speed (tests/bench does), and so it is never short.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

LOOK_AGAIN_S = 0.02  # chosen: below what a reader of the test's duration would notice
PATIENCE_S = 60.0  # chosen: the least there is: a machine that does four other things takes 30 times as long


async def eventually(condition: Callable[[], object | Awaitable[object]], within_s: float, what: str = "") -> None:
    """Return once condition() is true (it may be async). AssertionError naming `what` after the longer of within_s
    and PATIENCE_S.
    """
    loop = asyncio.get_running_loop()
    within_s = max(within_s, PATIENCE_S)
    deadline_s = loop.time() + within_s
    while True:
        told = condition()
        if inspect.isawaitable(told):
            told = await told
        if told:
            return
        assert loop.time() < deadline_s, f"not within {within_s:g} s: {what or condition}"
        await asyncio.sleep(LOOK_AGAIN_S)
