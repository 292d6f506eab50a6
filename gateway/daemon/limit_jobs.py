"""Customers' limits over several nodes, joined: the way to Redis where one is configured, and who borrows by it.

Source: decision 0018. A node without [redis] imports no client.
What must not enter: what is borrowed and when (gateway/cluster/borrowing.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.cluster.borrowing import Borrowing
from gateway.daemon.configuration_schema import Configuration
from gateway.daemon.rooms import Rooms
from gateway.ingress.bind_counts import BindCounts
from gateway.ingress.lockout import FORGET_S
from gateway.ingress.smpp_server import SmppServer

if TYPE_CHECKING:
    from gateway.counters.failure_counts import FailureCounts
    from gateway.counters.redis_link import RedisLink


def _redis_link(configuration: Configuration) -> RedisLink | None:
    """The way to the configured Redis; it is not asked yet."""
    if configuration.redis.url is None:
        return None
    from gateway.counters.redis_link import RedisLink

    return RedisLink(configuration.redis.url.reveal())


def _failure_counts(link: RedisLink | None, is_alone: Callable[[], bool]) -> FailureCounts | None:
    if link is None:
        return None
    from gateway.counters.failure_counts import FailureCounts

    return FailureCounts(link, is_alone, FORGET_S)


def told(rooms: Rooms) -> dict[str, object]:
    """With how many nodes this one keeps the limits, and how Redis stands: none, idle (a node alone), used, away."""
    nodes = rooms.server.rates.sharing.nodes if rooms.server is not None else 1
    if rooms.redis is None:
        return {"nodes": nodes, "redis": "none"}
    if nodes == 1:
        return {"nodes": nodes, "redis": "idle"}
    return {"nodes": nodes, "redis": "away" if rooms.redis.away else "used"}


async def begin(rooms: Rooms, server: SmppServer, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Find out with whom the limits are kept before anybody comes in, and go on looking."""
    await rooms.keeper.looked.wait()
    rooms.redis = _redis_link(rooms.configuration)
    borrowing = Borrowing(server.rates, lambda: len(rooms.keeper.living), rooms.redis)
    await borrowing.borrow()

    def is_alone() -> bool:
        return not rooms.keeper.living

    counts = BindCounts(rooms.reader, rooms.seat.epoch, is_alone, server.binding.own_binds)
    server.binding.counts = counts
    server.binding.failures = _failure_counts(rooms.redis, is_alone)
    return [tasks.create_task(borrowing.run(), name="limits"), tasks.create_task(counts.run(), name="bind counts")]
