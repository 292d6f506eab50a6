"""Handsets' messages that a carrier was told to send again although their rows are on the way to PostgreSQL.

Source: smpp-answers ("deliver_sm is acknowledged after its commit; database away: 0x64"). A batch whose commit was not
seen in time is committed all the same once PostgreSQL is back: the carrier's next try is the same message, not another.
Only what was answered 0x64 is known here: a person may well write the same word twice. A deliver_sm whose answer was
lost with its link is not: nobody can tell the carrier's second try from a person's second word.
What must not enter: parts of long messages, which are one row however often they come (their digest says so).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from gateway.connector import InboundArrived

REPEATS_LIMIT: Final = 10_000  # chosen: messages of a carrier that were answered 0x64 and are awaited again
REPEAT_MS: Final = 24 * 3600 * 1000  # chosen: carriers try again for a day at most

_Key = tuple[int, str, str, int, bytes, bytes]


class AwaitedRepeats:
    """What was answered 0x64 and is stored nevertheless, with the time of that answer, oldest first."""

    def __init__(self) -> None:
        self._awaited: dict[_Key, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._awaited)

    def await_again(self, connector_id: int, events: Iterable[InboundArrived], now_ms: int) -> None:
        """The carrier was told to send these again."""
        for event in events:
            self._awaited.setdefault(_key(connector_id, event), []).append(now_ms)
        for oldest in list(itertools.islice(self._awaited, max(0, len(self._awaited) - REPEATS_LIMIT))):
            del self._awaited[oldest]

    def is_repeat(self, connector_id: int, event: InboundArrived, now_ms: int) -> bool:
        """Whether this is the second try of one of them; it is awaited no longer then."""
        key = _key(connector_id, event)
        times_ms = [at_ms for at_ms in self._awaited.pop(key, ()) if now_ms - at_ms <= REPEAT_MS]
        if len(times_ms) > 1:
            self._awaited[key] = times_ms[1:]
        return bool(times_ms)


def _key(connector_id: int, event: InboundArrived) -> _Key:
    return (
        connector_id,
        event.source_addr,
        event.destination_addr,
        event.data_coding,
        event.user_data,
        event.envelope,
    )
