"""Waiting for a condition over values that change, without sleeping: for tests and for a simulator's own end.

What belongs here: conditions that are looked at again after each turn of a simulator (chosen design).
What must not enter: what the conditions are about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Conditions:
    """Conditions awaited by somebody; look() is called after every turn."""

    def __init__(self) -> None:
        self._awaited: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def wait(self, condition: Callable[[], bool], timeout_s: float | None) -> None:
        """Return when the condition holds. TimeoutError: not within timeout_s (None: as long as it takes)."""
        if condition():
            return
        met: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, met)
        self._awaited.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                await met
        finally:
            self._awaited.remove(entry)

    def look(self) -> None:
        """Wake those whose condition now holds."""
        for condition, met in self._awaited:
            if not met.done() and condition():
                met.set_result(None)
