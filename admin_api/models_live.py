"""Event streams as those who listen ask for them.

Source: WHATWG HTML 9.2.5; docs/events.md.
What must not enter: what an event says (docs/webhooks.md), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from admin_api.account_feeds import STREAMED
from admin_api.console_feed import CONSOLE_EVENTS
from admin_api.languages import Words
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault


def _faults(wanted: frozenset[str], known: tuple[str, ...]) -> Iterator[Fault]:
    if not wanted <= set(known):
        listed = ", ".join(known)
        yield Fault(("events",), "choice", Words(f"these are known: {listed}", f"voici les noms connus : {listed}"))


def _named(events: str | None, known: tuple[str, ...]) -> frozenset[str]:
    return frozenset(known if events is None else events.replace(" ", "").split(","))


class AskStream(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """events: names with commas between, all of them without it. last_event_id: where the header cannot be set."""

    events: Annotated[str, Meta(max_length=400)] | None = None
    last_event_id: Cursor | None = None

    def more_faults(self) -> Iterator[Fault]:
        """Names that are none."""
        yield from _faults(self.wanted, STREAMED)

    @property
    def wanted(self) -> frozenset[str]:
        """The events asked for."""
        return _named(self.events, STREAMED)


class AskConsoleStream(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Likewise, of nodes, connectors, queues and alarms."""

    events: Annotated[str, Meta(max_length=400)] | None = None
    last_event_id: Cursor | None = None

    def more_faults(self) -> Iterator[Fault]:
        """Names that are none."""
        yield from _faults(self.wanted, CONSOLE_EVENTS)

    @property
    def wanted(self) -> frozenset[str]:
        """The events asked for."""
        return _named(self.events, CONSOLE_EVENTS)
