"""Other ways for what waits before a connector that operators took out (drain, stop).

Source: router.facts.Health (suspended is never chosen). A message of which no part was sent yet chooses again; one that
finds no other way stays where it is, until its connector runs again or its validity ends.
What must not enter: what is wished of a connector (rows), the choice of a route (router).
"""

from __future__ import annotations

from typing import Final

from gateway.lifecycle import Lifecycle
from gateway.message import PART_QUEUED, Message
from gateway.outbox import Outbox
from router.facts import NoRoute

MOVE_AT_ONCE: Final = 800  # chosen: messages of one batch of the settle stream


class Rerouting:
    """Of one node. `look` may be called at any time, and again."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._life = lifecycle

    async def look(self) -> None:
        """Move what can be moved. Raises NotCommitted."""
        book = self._life.book
        for connector_id, outbox in self._life.outboxes.items():
            if book.connector_names.get(connector_id) in book.taken_out:
                while await self._move_some(outbox):
                    pass

    async def _move_some(self, outbox: Outbox) -> int:
        """Move the next batch; how many went. What stays is in its place again before anybody else looks."""
        moved, kept = 0, list[Message]()
        while (message := outbox.peek()) is not None and moved < MOVE_AT_ONCE:
            outbox.take(message)
            if message.state != "queued":
                continue  # it became final while it waited
            if set(message.part_states) == {PART_QUEUED} and self._choose_again(message):
                moved += 1
            else:
                kept.append(message)
        for message in reversed(kept):
            outbox.put_first(message)
        if moved:
            await self._life.publish()
        return moved

    def _choose_again(self, message: Message) -> bool:
        now_ms = self._life.now_ms()
        if isinstance(self._life.route(message, now_ms), NoRoute):
            return False
        message.dialect = 0  # the next one is written to in its own way
        message.attempt_count = 0
        self._life.note(message, "rerouted", message.route_why)
        self._life.store(message)
        self._life.postpone(message, now_ms, "another route")
        return True
