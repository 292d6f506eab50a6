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
from admin_api.languages import Words
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault


class AskStream(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """events: names with commas between, all of them without it. last_event_id: where the header cannot be set."""

    events: Annotated[str, Meta(max_length=400)] | None = None
    last_event_id: Cursor | None = None

    def more_faults(self) -> Iterator[Fault]:
        """Names that are none."""
        if not self.wanted <= set(STREAMED):
            listed = ", ".join(STREAMED)
            yield Fault(("events",), "choice", Words(f"these are known: {listed}", f"voici les noms connus : {listed}"))

    @property
    def wanted(self) -> frozenset[str]:
        """The events asked for."""
        return frozenset(STREAMED if self.events is None else self.events.replace(" ", "").split(","))
