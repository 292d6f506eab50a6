"""One at a time, and lanes take turns: who asks a thousand times waits behind himself.

A lane is an address. A thousand addresses may ask for one login; so every other turn goes to a login that had none
lately, if one waits, and the turns between go round the lanes: neither kind of flood keeps others waiting.
Source: promise P7 (one bad neighbour delays nobody): the one argon2 process is shared so.
What must not enter: what is done in a turn, how many may wait (binding.py bounds each lane).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Hashable

SERVED_LIMIT = 10_000  # chosen: logins remembered while nobody stops asking in new names; then all are new again

_Waiting = tuple[asyncio.Future[None], str]  # what ends the waiting, and the login


class Turns:
    """A turn is taken with `async with turns.of(lane, login)`."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[Hashable, deque[_Waiting]] = {}  # the first lane is the next
        self._served: set[str] = set()  # logins that had a turn while others waited
        self._by_login = False  # whether the next turn looks for a login that had none

    @contextlib.asynccontextmanager
    async def of(self, lane: Hashable, login: str) -> AsyncIterator[None]:
        """Wait for the turn of this lane, hold it for the block."""
        if self._taken:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(lane, deque()).append((turn, login))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()  # it had come just now
                raise
        self._taken = True
        if len(self._served) >= SERVED_LIMIT:
            self._served.clear()
        self._served.add(login)
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            lane = self._next_lane()
            queue = self._waiting.pop(lane)
            turn, _ = queue.popleft()
            if queue:
                self._waiting[lane] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
        self._served.clear()

    def _next_lane(self) -> Hashable:
        first = next(iter(self._waiting))
        self._by_login = not self._by_login
        if not self._by_login:
            return first
        for lane, queue in self._waiting.items():
            if queue[0][1] not in self._served:
                return lane
        self._served.clear()
        return first
