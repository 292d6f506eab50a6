"""The binds of a login on all nodes: a node that is not alone asks PostgreSQL before it lets one more in.

Source: decision 0018; smpp-answers (bind limit: 0x0D; database away at bind: 0x08). A node alone asks nothing, and
stores beside the path of a bind how many it has, for a neighbour that may come.
What must not enter: limits (binding.py), SQL, what a message does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable

from gateway.smpp.session_states import BindType
from gateway.storage import bind_counts as rows
from gateway.storage.bind_counts import Counts
from gateway.storage.group_commit import NotCommitted
from gateway.storage.reader import Reader

log = logging.getLogger("passerelle.ingress")

PLACE = {BindType.TRANSMITTER: 0, BindType.RECEIVER: 1, BindType.TRANSCEIVER: 2}  # in Counts
CLAIMS_AT_ONCE = 4  # chosen: connections to PostgreSQL; thousands of binds may come back in one second
CLAIM_PATIENCE_S = 5.0  # chosen: an ESME that waits longer for its bind gives up
LOOKS_S = (0.0, 0.3)  # chosen: a login that changes nodes has just unbound there: the row says so within that time
TELL_EVERY_S = 0.5  # chosen: how late a node alone stores its binds
TOLD_AT_ONCE = 1_000  # chosen: logins of one statement


class BindCounts:
    """One node's side. own: how many binds of each type a login has here."""

    def __init__(self, reader: Reader, epoch: int, is_alone: Callable[[], bool], own: Callable[[int], Counts]) -> None:
        self._reader = reader
        self._node = (reader.node_id, epoch)
        self._own = own
        self.is_alone = is_alone
        self._claims = asyncio.Semaphore(CLAIMS_AT_ONCE)
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)  # by esme_id: its binds come one by one
        self._changed: dict[int, None] = {}  # esme_ids whose row is not true any more
        self._woken = asyncio.Event()

    def changed(self, esme_id: int) -> None:
        """A login's binds here are others than before."""
        self._changed[esme_id] = None
        self._woken.set()

    def turn(self, esme_id: int) -> asyncio.Lock:
        """Held from the question until the bind is in."""
        return self._turns[esme_id]

    async def claim(self, esme_id: int, bind_type: BindType, most: tuple[int, int]) -> bool | None:
        """Whether all nodes together have room for one more bind here; None: PostgreSQL does not tell in time."""
        place = PLACE[bind_type]
        try:
            async with asyncio.timeout(CLAIM_PATIENCE_S), self._claims:
                own = self._own(esme_id)
                counts = (own[0] + (place == 0), own[1] + (place == 1), own[2] + (place == 2))
                return await self._reader.run(
                    lambda c: rows.claim_bind(c, esme_id, self._node, counts, place, most),
                )
        except (NotCommitted, TimeoutError):
            return None

    async def run(self) -> None:
        """Store what changed, until cancelled."""
        while True:
            await self._woken.wait()
            if self.is_alone():
                await asyncio.sleep(TELL_EVERY_S)
            with contextlib.suppress(NotCommitted):
                await self._tell()
                continue
            await asyncio.sleep(TELL_EVERY_S)

    async def _tell(self) -> None:
        self._woken.clear()
        esme_ids = list(self._changed)[:TOLD_AT_ONCE]
        if not esme_ids:
            return
        for esme_id in esme_ids:
            del self._changed[esme_id]
        try:
            async with contextlib.AsyncExitStack() as turns:
                for esme_id in esme_ids:  # nothing older than a claim is stored after it
                    await turns.enter_async_context(self.turn(esme_id))
                counts = {esme_id: self._own(esme_id) for esme_id in esme_ids}
                await self._reader.run(lambda c: rows.tell_binds(c, self._node, counts))
        except NotCommitted:
            self._changed |= dict.fromkeys(esme_ids)
            raise
        finally:
            if self._changed:
                self._woken.set()
