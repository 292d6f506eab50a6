"""Attempts without a carrier's id: in doubt, or taken with an empty message_id. Their receipts fit by handset alone.

Source: smpp-answers ("an empty message_id is accepted, its receipt matched by fallback"); promise P2: evidence is a
receipt that fits exactly one attempt, whichever node wrote it (decision 0015): other nodes' stand in their journals.
Bounded: what was taken beyond the limit is found by its row.
What must not enter: lookups by id (waiting_room.py), what becomes of a doubt.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.message import PART_IN_DOUBT, PART_SUBMITTED, SMSC_ID_SEPARATOR, Message
from gateway.storage.reader import Reader

UNNAMED_LIMIT: Final = 20_000  # chosen: messages in memory that wait without an id; older ones are found by their rows


class Awaited(msgspec.Struct):
    """The part that a receipt speaks about."""

    message: Message
    part_no: int


class Rivals(msgspec.Struct, frozen=True):
    """What other nodes wrote to handsets, by these: parts in doubt, and who still answers. asked: for which handsets
    it is known; None: for all, since there is no other node.
    """

    doubtful: dict[str, list[Awaited]] = {}
    awaited: frozenset[str] = frozenset()
    asked: frozenset[str] | None = None

    def may_answer(self, handset: str) -> bool:
        """Whether an attempt elsewhere may turn out to be the one meant."""
        return handset in self.awaited or (self.asked is not None and handset not in self.asked)


NO_RIVALS: Final = Rivals()


async def rivals_elsewhere(reader: Reader, connector_id: int, handsets: Iterable[str]) -> Rivals:
    """What the journals of other nodes say of a connector and these handsets. Raises NotCommitted."""
    wanted = frozenset(handset.lstrip("+") for handset in handsets)
    doubtful: dict[str, list[Awaited]] = {}
    awaited = set()
    for message in await reader.attempts_elsewhere(connector_id, sorted(wanted)) if wanted else ():
        in_doubt = [n for n, letter in enumerate(message.part_states) if letter == PART_IN_DOUBT]
        doubtful.setdefault(message.destination_addr, []).extend(Awaited(message, n) for n in in_doubt)
        if not in_doubt:
            awaited.add(message.destination_addr)
    return Rivals(doubtful, frozenset(awaited), wanted)


class UnnamedAttempts:
    """Parts that no id leads to, by connector and handset, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], list[Awaited]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connector_id: int, message: Message, part_no: int) -> list[Message]:
        """Remember one; returns the oldest messages, to leave memory, when there are too many."""
        self._waiting.setdefault((connector_id, message.destination_addr), []).append(Awaited(message, part_no))
        if len(self._waiting) <= UNNAMED_LIMIT:
            return []
        gone: list[Message] = []
        for place in list(itertools.islice(self._waiting, UNNAMED_LIMIT // 10)):
            waiting = self._waiting.pop(place)
            if all(_found_by_row(each.message) for each in waiting):
                gone += [each.message for each in waiting]
            else:
                self._waiting[place] = waiting  # to the end of the line
        return gone

    def forget(self, message: Message) -> None:
        """It ended, or is named now."""
        place = (message.connector_id, message.destination_addr)
        left = [each for each in self._waiting.get(place, ()) if each.message is not message]
        if left:
            self._waiting[place] = left
        else:
            self._waiting.pop(place, None)

    def fitting(self, connector_id: int, handset: str) -> list[Awaited]:
        """Those that a receipt from this handset may speak about."""
        return [each for each in self._waiting.get((connector_id, handset), ()) if is_unnamed(each)]


def is_unnamed(awaited: Awaited) -> bool:
    """Whether a part still lacks a carrier's id: in doubt, or taken without one."""
    message = awaited.message
    letter = message.part_states[awaited.part_no]
    if letter == PART_IN_DOUBT:
        return True
    ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
    return letter == PART_SUBMITTED and not (awaited.part_no < len(ids) and ids[awaited.part_no])


def _found_by_row(message: Message) -> bool:
    """Whether all that is known of it is stored, so that its row leads to it again."""
    return message.state == "submitted" and not (message.dirty or message.fresh_parts or message.in_doubt_count)
