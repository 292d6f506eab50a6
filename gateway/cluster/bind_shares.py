"""Which binds of each connector this node holds: taken by rows, given back to those who hold too few.

Source: decision 0016; smpp-answers (no second live session). A bind is opened only once its row names this node, and
its row is deleted only once the link has ended. A node's share of a connector's pace is that of its binds.
What must not enter: how many are fair (fair_shares.py), how a link ends (gateway/egress/held_links.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from gateway.cluster.fair_shares import change_of
from gateway.cluster.reach import Reach
from gateway.connector import Connector
from gateway.crash_points import crash_point
from gateway.storage.cluster import BindKey, bind_owners, give_binds_back, take_binds
from gateway.storage.database import NodeSeat
from gateway.storage.group_commit import NotCommitted
from gateway.storage.reader import Reader

log = logging.getLogger("passerelle.cluster")

LEAVE_LOOK_S = 0.02  # chosen: between two looks at links that are ending


class BindShares:
    """Of one node. `look` may be called at any time, and again."""

    def __init__(self, seat: NodeSeat, reader: Reader, reach: Reach, connectors: Iterable[Connector]) -> None:
        self._seat = seat
        self._reader = reader
        self._reach = reach
        self._connectors = list(connectors)
        self._mine: dict[int, frozenset[int]] = {}  # by connector: binds whose rows name this life
        self._kept: dict[int, frozenset[int]] = {}  # of them those that are not to be given back
        self._leaving = False
        self.stopped: frozenset[int] = frozenset()  # connectors whose binds operators ended
        for connector in self._connectors:
            connector.hold(frozenset(), connector.bind_count)

    @property
    def changed(self) -> bool:
        """Whether a link that was to end has ended, so that its row may go."""
        return any(self._ended(connector) for connector in self._connectors)

    def _ended(self, connector: Connector) -> frozenset[int]:
        connector_id = connector.connector_id
        nobodys = self._mine.get(connector_id, frozenset()) - self._kept.get(connector_id, frozenset())
        return nobodys - connector.open_binds

    async def look(self) -> None:
        """Give back what has ended, take what is fair, have links opened and ended. Raises NotCommitted."""
        if self._leaving:
            return
        await self._give_back_ended()
        owners = await self._reader.run(bind_owners)
        me, wanted = self._seat.node_id, list[BindKey]()
        for connector in self._connectors:
            connector_id = connector.connector_id
            of_this = {each.bind_no: each for each in owners if each.connector_id == connector_id}
            living = {number: each.node_id for number, each in of_this.items() if each.is_held}
            configured = self._reach.configured(connector_id)
            changes = [change_of(me, configured, living, numbers) for numbers in connector.bind_groups]
            self._mine[connector_id] = frozenset(number for number, node in living.items() if node == me)
            if connector_id in self.stopped:
                self._keep(connector, frozenset())
                continue
            self._keep(connector, self._mine[connector_id].difference(*(each.give_back for each in changes)))
            free = frozenset[int]().union(*(each.take for each in changes)) - connector.open_binds
            wanted += [(connector_id, number) for number in sorted(free)]
        if wanted:
            await self._take(wanted)

    async def _take(self, wanted: list[BindKey]) -> None:
        node_id, epoch = self._seat.node_id, self._seat.epoch
        taken = await self._reader.run(lambda c: take_binds(c, node_id, epoch, wanted))
        crash_point("start.binds_taken")
        for connector in self._connectors:
            connector_id = connector.connector_id
            fresh = frozenset(number for each, number in taken if each == connector_id)
            if fresh:
                self._mine[connector_id] |= fresh
                self._keep(connector, self._kept[connector_id] | fresh)

    def _keep(self, connector: Connector, numbers: frozenset[int]) -> None:
        connector_id = connector.connector_id
        if self._kept.get(connector_id, frozenset()) != numbers:
            log.info("binds_shared", extra={"connector": connector.name, "binds": len(numbers)})
        self._kept[connector_id] = numbers
        configured = self._reach.configured(connector_id).values()
        connector.hold(numbers, max(configured, default=connector.bind_count))

    async def _give_back_ended(self) -> None:
        ended = [(c.connector_id, number) for c in self._connectors for number in self._ended(c)]
        if ended:
            node_id, epoch = self._seat.node_id, self._seat.epoch
            crash_point("drain.links_ended")
            await self._reader.run(lambda c: give_binds_back(c, node_id, epoch, ended))
            for connector_id, number in ended:
                self._mine[connector_id] -= {number}

    async def leave(self) -> None:
        """End all links and give all binds back: the node is stopping."""
        self._leaving = True
        for connector in self._connectors:
            self._kept[connector.connector_id] = frozenset()
            connector.hold(frozenset(), connector.bind_count)
        while any(connector.open_binds for connector in self._connectors):
            await asyncio.sleep(LEAVE_LOOK_S)
        with contextlib.suppress(NotCommitted):  # else its heir has them, or its next life
            await self._give_back_ended()
