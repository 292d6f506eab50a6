"""One at a time, and lanes take turns: who asks a thousand times waits behind himself.

Source: promise P7 (one bad neighbour delays nobody): the one argon2 worker is shared so.
What must not enter: what is done in a turn, how many may wait (binding.py bounds each lane).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Hashable


class Turns:
    """A turn is taken with `async with turns.of(lane)`."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}  # the first lane is the next

    @contextlib.asynccontextmanager
    async def of(self, lane: Hashable) -> AsyncIterator[None]:
        """Wait for this lane's turn, hold it for the block."""
        if self._taken:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(lane, deque()).append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()  # it had come just now
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            lane, queue = next(iter(self._waiting.items()))
            del self._waiting[lane]
            turn = queue.popleft()
            if queue:
                self._waiting[lane] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
