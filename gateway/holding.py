"""Which messages this node holds: only their rows may it change (decision 0015).

What belongs here: the spans this process holds, as values. They grow by a takeover and never shrink in a life: who
loses them is fenced. What must not enter: reading them (gateway/storage/cluster.py), other nodes' spans.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.message import Message, node_of


class Span(msgspec.Struct, frozen=True):
    """The messages of a node's ids from from_id on, below until_id."""

    span_id: int
    of_node: int
    from_id: int
    until_id: int


class Holding:
    """Answers whether a message is this node's. Without spans it is alone and holds them all."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: dict[int, Span] = {}
        self.widen(spans)

    def widen(self, spans: Iterable[Span]) -> None:
        """These are held, too."""
        self._spans = self._spans | {span.span_id: span for span in spans}

    def as_it_is(self) -> Holding:
        """What is held now, whatever is inherited later."""
        now = Holding()
        now._spans = self._spans
        return now

    def has(self, message: Message) -> bool:
        """Whether this node may change the message's row."""
        if not self._spans or message.handed_to in self._spans:
            return True
        if message.handed_to:
            return False
        message_id, of_node = message.message_id, node_of(message.message_id)
        return any(
            span.of_node == of_node and span.from_id <= message_id < span.until_id for span in self._spans.values()
        )
