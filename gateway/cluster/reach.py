"""Which connectors can be reached, and through which node: what this node tells the others, and what they told it.

Source: decision 0016. Keeps the health that routes are chosen by true for connectors whose binds are on other nodes,
and the spans that messages for them are handed to at acceptance. Works for a process without connectors, too.
What must not enter: who owns which bind, messages that were accepted already (hand_over.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.connector import Connector, Health
from gateway.storage.cluster import Told, read_reach, tell_reach
from gateway.storage.database import NodeSeat
from gateway.storage.reader import Reader

log = logging.getLogger("passerelle.cluster")

RETURN_S: Final = 600.0  # chosen: a node that ended so long ago may come back; messages wait for it, or for its heir


class Reach:
    """Of one node. health: by connector name; elsewhere: by connector without binds here, the spans to hand to."""

    def __init__(
        self,
        seat: NodeSeat,
        reader: Reader,
        connectors: Iterable[Connector],
        health: dict[str, Health],
        elsewhere: dict[int, tuple[int, ...]],
        tells: bool = True,
    ) -> None:
        """tells False: it only hears, as a process of the HTTP API does."""
        self._seat = seat
        self._reader = reader
        self._connectors = {each.connector_id: each for each in connectors}
        self._health = health
        self._elsewhere = elsewhere
        self._told: dict[int, tuple[int, int]] | None = None if tells else {}
        self._heard: list[Told] = []
        self.bound_elsewhere: dict[int, tuple[int, ...]] = {}  # of `elsewhere`, where a bind stands there now
        self.strangers: set[int] = set()  # connectors that other nodes configure, and this one does not
        self.taken_out: frozenset[str] = (
            frozenset()
        )  # connectors that operators drain or stop: nobody is to choose them
        self.leaving = False  # the node is stopping: nobody is to count on its binds

    @property
    def changed(self) -> bool:
        """Whether the others do not know yet how it stands here."""
        return self._told != self._own()

    def _own(self) -> dict[int, tuple[int, int]]:
        if self.leaving:
            return dict.fromkeys(self._connectors, (0, 0))
        return {connector_id: (each.bound, each.bind_count) for connector_id, each in self._connectors.items()}

    def configured(self, connector_id: int) -> dict[int, int]:
        """How many binds of a connector each living node could hold."""
        found = {e.node_id: e.binds for e in self._heard if e.connector_id == connector_id and e.alive and e.binds}
        if connector_id in self._connectors and not self.leaving:
            found[self._seat.node_id] = self._connectors[connector_id].bind_count
        return found

    async def look(self, names: Mapping[int, str]) -> None:
        """Tell what changed here, hear what the others told. names: of all connectors, by id. Raises NotCommitted."""
        own = self._own()
        if own != self._told:
            await self._reader.run(lambda c: tell_reach(c, self._seat.node_id, self._seat.epoch, own))
            self._told = own
        await self.hear(names)

    async def hear(self, names: Mapping[int, str]) -> None:
        """Read what the others told. Raises NotCommitted."""
        self._heard = await self._reader.run(lambda c: read_reach(c, self._seat.node_id))
        self.apply(names)

    def apply(self, names: Mapping[int, str]) -> None:
        """Draw the conclusions from what is known; to be called too when connectors came or went."""
        for connector_id in set(self._elsewhere) - set(names):
            del self._elsewhere[connector_id]
        self.bound_elsewhere = {}
        for connector_id, name in names.items():
            heard = [each for each in self._heard if each.connector_id == connector_id]
            spans = tuple(each.span_id for each in heard if each.alive for _ in range(each.bound))
            connector = self._connectors.get(connector_id)
            if connector is not None:
                connector.note_elsewhere(bool(spans))
                spans = () if connector.bound else spans
            if spans:
                self.bound_elsewhere[connector_id] = spans
            if connector is None:
                spans = self._stranger(name, heard, spans)
                if spans:
                    self.strangers.add(connector_id)
            if spans:
                self._elsewhere[connector_id] = spans
            else:
                self._elsewhere.pop(connector_id, None)

    def _stranger(self, name: str, heard: list[Told], spans: tuple[int, ...]) -> tuple[int, ...]:
        """A connector that this node does not configure: where no bind of it stands, its messages wait where it may
        come back; one that no node configures takes nothing, for what were routed to it would wait for nobody.
        """
        waiting = tuple(each.span_id for each in heard if each.alive)
        waiting = spans or waiting or tuple(each.span_id for each in heard if each.unseen_s < RETURN_S)
        if not waiting and self._health.get(name) != "suspended":
            log.error("connector_unknown", extra={"connector": name, "remedy": "configure it, or remove its routes"})
        usable: Health = "up" if spans else "down" if waiting else "suspended"
        self._health[name] = "suspended" if name in self.taken_out else usable
        return waiting
