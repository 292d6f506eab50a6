"""What a list of routes or rates would have done with messages that were sent: elsewhere, refused, dearer, cheaper.

Both books choose for the same messages with every connector up, so that only what was edited shows. Pure.
What must not enter: reading the sample (storage.versions), the hot path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.message import accepted_at_ms
from router.choose import choose
from router.facts import Facts, RouteChoice

MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 24 * 60
MONDAY_OFFSET_MINUTES = 3 * 24 * 60  # 1970-01-01 was a Thursday


class Sampled(msgspec.Struct, frozen=True):
    """A message as far as its route and price go."""

    message_id: int
    account_id: int
    source_addr: str
    destination_addr: str
    traffic_class: str
    part_count: int


class DryRun(msgspec.Struct):
    """What would become of a sample. moved: by connector before and after; cost: of messages where both are known."""

    messages: int = 0
    same: int = 0
    refused: int = 0
    newly_taken: int = 0
    moved: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    price_before_micros: int = 0
    price_after_micros: int = 0
    cost_before_micros: int = 0
    cost_after_micros: int = 0
    cost_known: int = 0


class _Choice(msgspec.Struct, frozen=True):
    connector: str | None
    cost_micros: int | None


def dry_run(messages: Sequence[Sampled], now: FactBook, then: FactBook, costs: Costs) -> DryRun:
    """Ask both books for every message. costs: of a part by route, of each book."""
    told = DryRun(messages=len(messages))
    health: Mapping[str, Literal["up"]] = dict.fromkeys({*now.connector_ids, *then.connector_ids}, "up")
    for message in messages:
        before, after = _choice(message, now, health, costs.now), _choice(message, then, health, costs.then)
        if after.connector is None:
            told.refused += before.connector is not None
            told.same += before.connector is None
            continue
        if before.connector is None:
            told.newly_taken += 1
        elif before.connector == after.connector:
            told.same += 1
        else:
            told.moved[before.connector, after.connector] += 1
        parts, destination = message.part_count, message.destination_addr
        told.price_before_micros += parts * now.price_micros(message.account_id, destination)
        told.price_after_micros += parts * then.price_micros(message.account_id, destination)
        if before.cost_micros is not None and after.cost_micros is not None:
            told.cost_known += 1
            told.cost_before_micros += parts * before.cost_micros
            told.cost_after_micros += parts * after.cost_micros
    return told


class Costs(msgspec.Struct, frozen=True):
    """What a part costs by route, before and after."""

    now: Mapping[int, int | None]
    then: Mapping[int, int | None]


def _choice(
    message: Sampled, book: FactBook, health: Mapping[str, Literal["up"]], costs: Mapping[int, int | None]
) -> _Choice:
    network = book.networks.lookup(message.destination_addr) if book.networks is not None else None
    minute = (accepted_at_ms(message.message_id) // MINUTE_MS + MONDAY_OFFSET_MINUTES) % WEEK_MINUTES
    facts = Facts(
        message.destination_addr,
        network.mcc if network else None,
        network.mnc if network else None,
        message.account_id,
        message.source_addr,
        message.traffic_class,
        minute,
        message.message_id,
        book.refused_senders.get(message.source_addr.casefold(), frozenset()),
    )
    choice = choose(facts, book.routes, health)
    if not isinstance(choice, RouteChoice):
        return _Choice(None, None)
    return _Choice(choice.connector, costs.get(choice.route_id))
