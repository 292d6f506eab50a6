"""Statistics as customers and operators ask and read them.

Amounts are text of credits, durations milliseconds. What must not enter: counting (gateway.storage.statistics).
Source: docs/statistics, in docs/operate.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from admin_api.languages import Words
from admin_api.models_messages import Price, Time, TrafficClass
from admin_api.models_search import SPAN, AccountId, Name
from admin_api.problems import Fault
from admin_api.reading import NUL

OWN_PARTS: Final = ("day", "hour", "country", "operator", "class")
ALL_PARTS: Final = (*OWN_PARTS, "account", "connector")


def _faults(asked: AskOwnStatistics | AskStatistics, parts: tuple[str, ...]) -> Iterator[Fault]:
    if not set(asked.parts) <= set(parts):
        listed = ", ".join(parts)
        yield Fault(("by",), "choice", Words(f"these are known: {listed}", f"voici les noms connus : {listed}"))
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        yield Fault(("until",), "order", SPAN)
    for name in ("operator", "connector"):
        if "\0" in (getattr(asked, name, None) or ""):
            yield Fault((name,), "nul", NUL)


class AskOwnStatistics(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which time, told apart by what: day, hour, country, operator, class, with commas between. By hours (UTC)."""

    by: Annotated[str, Meta(max_length=100)] = "day"
    since: Time | None = None
    until: Time | None = None
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None
    operator: Name | None = None
    traffic_class: TrafficClass | None = field(name="class", default=None)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is told apart."""
        return tuple(filter(None, self.by.replace(" ", "").split(",")))

    def more_faults(self) -> Iterator[Fault]:
        """Names that are none, spans that end before they begin."""
        yield from _faults(self, OWN_PARTS)


class AskStatistics(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The same over all accounts; also by account and by connector."""

    by: Annotated[str, Meta(max_length=100)] = "day"
    since: Time | None = None
    until: Time | None = None
    account_id: AccountId | None = None
    connector: Name | None = None
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None
    operator: Name | None = None
    traffic_class: TrafficClass | None = field(name="class", default=None)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is told apart."""
        return tuple(filter(None, self.by.replace(" ", "").split(",")))

    def more_faults(self) -> Iterator[Fault]:
        """Names that are none, spans that end before they begin."""
        yield from _faults(self, ALL_PARTS)


class Latency(msgspec.Struct):
    """The durations that a half, 95 and 99 in a hundred stayed below, by steps; null: none, or above a day."""

    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


class Figures(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row; what it is told apart by stands in it. failed: ended without delivery, unknown left out. success: of
    those that ended, unknown among them, in percent; null: none did.
    """

    since: str | None = None
    account_id: str | None = None
    account: str | None = None
    connector: str | None = None
    traffic_class: str | None = field(name="class", default=None)
    country: str | None = None
    operator: str | None = None
    accepted: int
    submitted: int
    delivered: int
    failed: int
    undeliverable: int
    rejected: int
    expired: int
    cancelled: int
    unknown: int
    open: int
    parts: int
    success: float | None
    charged: Price
    held: Price
    to_submit: Latency
    to_deliver: Latency


class Statistics(msgspec.Struct):
    """since, until: whole hours (UTC) by acceptance. counted_at: what came later is counted soon. cut: too many."""

    since: str
    until: str
    counted_at: str | None
    cut: bool
    rows: list[Figures]
