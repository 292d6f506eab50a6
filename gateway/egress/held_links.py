"""The links of a carrier that this node keeps up: opened while they are ours, ended politely once they are not.

Source: smpp-answers (no second live session; unbind with nothing in doubt). A link that is to end takes nothing new,
waits for the answers it is owed, unbinds, and only then counts as ended.
What must not enter: who owns which bind (gateway/cluster/bind_shares.py), what an answer means.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from gateway.egress.carrier_link import CarrierLink

UNBIND_PATIENCE_S: Final = 3.0  # chosen: a carrier that does not answer an unbind by then is left
LOOK_S: Final = 0.02  # chosen: between two looks at what a link is owed


class HeldLinks:
    """Of one connector. numbers: the links to be kept up; all, until somebody says otherwise."""

    def __init__(self, links: Sequence[CarrierLink], patience_s: float) -> None:
        """patience_s: how long a link that is to end waits for answers."""
        self._links = links
        self._patience_s = patience_s
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.numbers = frozenset(range(len(links)))
        self._changed = asyncio.Event()

    @property
    def open(self) -> frozenset[int]:
        """Links that run, or have not ended yet."""
        return frozenset(number for number, task in self._tasks.items() if not task.done())

    def hold(self, numbers: frozenset[int]) -> None:
        """Keep these up, and no others."""
        if numbers != self.numbers:
            self.numbers = numbers
            for number in self.open - numbers:  # one that began to leave does so, whatever is wished meanwhile
                self._links[number].leaving = True
            self._changed.set()

    def renew(self) -> None:
        """End those that are open; what is ours is opened anew."""
        for number in self.open:
            self._links[number].leaving = True
        self._changed.set()

    def look(self, tasks: asyncio.TaskGroup) -> None:
        """Open what is ours and closed."""
        for number in self.numbers - self.open:
            self._links[number].leaving = False
            self._tasks[number] = tasks.create_task(self._live(self._links[number]))

    async def _live(self, link: CarrierLink) -> None:
        """A link from its opening until it is ours no more."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(link.run())
            while not link.leaving:
                self._changed.clear()
                await self._changed.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    while link.owed:
                        await asyncio.sleep(LOOK_S)
            await link.unbind(UNBIND_PATIENCE_S)
            running.cancel()
