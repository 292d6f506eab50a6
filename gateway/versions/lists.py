"""Lists of routes or rates as wholes, whichever kind: compared, checked, tried out on the last hour's messages.

What command line and HTTP API share of a list before it is in force. The reading of the sample is bounded and off the
hot path: the first so many messages of each minute and connector.
What must not enter: words for people, versions and drafts (storage.versions).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import Final, cast

import asyncpg
import msgspec

from gateway.accept.fact_book import FactBook
from gateway.message import ID_TIME_SHIFT, accepted_at_ms
from gateway.storage import versions
from gateway.storage.facts import FactRows, RateRow, RouteRow
from gateway.storage.versions import Kind, Rows
from gateway.versions.checks import Checked, check_rates, check_routes
from gateway.versions.differences import Differences, Names, compare_rates, compare_routes
from gateway.versions.dry_run import Costs, DryRun, Sampled, dry_run

SAMPLE: Final = 20_000  # chosen: some 0.2 s of one core
HOUR_MINUTES: Final = 60
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000


class Tried(msgspec.Struct, frozen=True):
    """A dry run. each: how many messages of a minute and connector were read; complete: there were no more."""

    told: DryRun
    each: int
    complete: bool


def compare(kind: Kind, before: Rows, after: Rows, names: Names, limit: int) -> Differences:
    """What the second list says differently."""
    if kind == "routes":
        return compare_routes(cast(Sequence[RouteRow], before), cast(Sequence[RouteRow], after), names, limit)
    return compare_rates(cast(Sequence[RateRow], before), cast(Sequence[RateRow], after), names, limit)


def check(kind: Kind, standing: FactRows, wanted: Rows, reachable: Collection[int]) -> Checked:
    """What is wrong with a list that is to stand beside the other facts."""
    if kind == "routes":
        return check_routes(standing, cast(Sequence[RouteRow], wanted), reachable)
    return check_rates(standing, cast(Sequence[RateRow], wanted))


def join_card(
    standing: Sequence[RateRow], card: Sequence[RateRow], account_id: int | None, replace: bool
) -> list[RateRow]:
    """The rates that a card makes of those in force: put over them, or in the place of those of its account."""
    kept: Mapping[tuple[int | None, str], RateRow] = {
        (row.account_id, row.prefix): row for row in standing if not replace or row.account_id != account_id
    }
    return list((dict(kept) | {(row.account_id, row.prefix): row for row in card}).values())


async def try_out(connection: asyncpg.Connection, kind: Kind, standing: FactRows, wanted: Rows, now_ms: int) -> Tried:
    """Read the sample, and ask both lists; the asking runs in a thread."""
    each = ceil(SAMPLE / (HOUR_MINUTES * max(1, len(standing.connectors))))
    first_ms = now_ms - HOUR_MS
    span = first_ms << ID_TIME_SHIFT, now_ms << ID_TIME_SHIFT
    sampled = [Sampled(*row) for row in await versions.sample_messages(connection, *span, each)]
    slices = Counter((accepted_at_ms(message.message_id) - first_ms) // MINUTE_MS for message in sampled)
    told = await asyncio.to_thread(_ask, kind, standing, wanted, sampled)
    return Tried(told, each, max(slices.values(), default=0) < each)


def _ask(kind: Kind, standing: FactRows, wanted: Rows, sampled: Sequence[Sampled]) -> DryRun:
    then = msgspec.structs.replace(standing, **{kind: list(wanted)})
    numbered = [
        msgspec.structs.replace(row, route_id=-place) if row.route_id == versions.NEW else row
        for place, row in enumerate(then.routes, 1)
    ]
    then = msgspec.structs.replace(then, routes=numbered)
    costs = Costs(*({row.route_id: row.cost_micros for row in each.routes} for each in (standing, then)))
    return dry_run(sampled, FactBook(standing), FactBook(then), costs)
