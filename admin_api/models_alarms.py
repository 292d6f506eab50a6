"""Alarms as operators read and acknowledge them.

Times are RFC 3339, ids text.
What must not enter: when an alarm is raised (alarm_rules.py), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault
from admin_api.reading import NUL


class ListAlarms(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which alarms, newest first."""

    state: Literal["standing", "cleared", "all"] = "standing"
    kind: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AcknowledgeAlarm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say that one knows of it. note: what is done about it."""

    note: Annotated[str, Meta(max_length=500)] = ""

    def more_faults(self) -> Iterator[Fault]:
        """NUL has no place in a text of PostgreSQL."""
        if "\0" in self.note:
            yield Fault(("note",), "nul", NUL)


class Alarm(msgspec.Struct, kw_only=True):
    """One alarm. subject: what it is about; detail: what was seen as it was raised."""

    id: str
    kind: str
    title: str
    subject: str
    severity: Literal["warning", "critical"]
    detail: str
    state: Literal["standing", "cleared"]
    raised_at: str
    cleared_at: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None
    note: str


class Alarms(msgspec.Struct):
    """A page. next_cursor null: the end."""

    alarms: list[Alarm]
    next_cursor: str | None
