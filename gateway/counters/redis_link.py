"""The one way to Redis: short questions with a bound, an answer or None; away, it is asked again at growing pauses.

Source: promise P8; decision 0018. Redis carries what may be lost, so nobody waits for it longer than PATIENCE_S, and a
question while it is away costs nothing. Imported only by a node whose TOML names one.
What must not enter: what is counted (the rooms above), anything that has to survive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from importlib import resources
from time import monotonic
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("passerelle.counters")

PATIENCE_S = 0.2  # chosen: a hundred times what a healthy one needs; reserves of borrowers last as long
MISSES_LIMIT = 2  # chosen: questions without answer in a row; one is no more than a busy machine
FIRST_PAUSE_S, LAST_PAUSE_S = 0.25, 5.0  # chosen: doubled; how late its return may be noticed
LOOK_S = 3.0  # chosen: how long an operator who asks waits
CONNECTIONS = 4  # chosen: one question of the loop, and those of wrong passwords beside it
FAULTS = (RedisError, OSError, TimeoutError)


class RedisLink:
    """Asks, and knows whether Redis answers. url as redis-py reads it: redis://, rediss://, unix://."""

    def __init__(self, url: str, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE_S,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            client_name="passerelle",
        )
        self._redis = redis.asyncio.Redis(connection_pool=pool)
        self.ask_again_at = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._misses = 0
        self.away = False
        self.times_away = 0

    async def ask(self, script: str, keys: Sequence[str], arguments: Sequence[str | float]) -> Any | None:
        """What a script of this room answers; None: no answer in time, or not asked since Redis is away."""
        if self.away and self._clock() < self.ask_again_at:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._redis.eval(SCRIPTS[script], len(keys), *keys, *arguments)
        except FAULTS as fault:
            await self._missed(fault)
            return None
        self._misses = 0
        if self.away:
            self.away = False
            self._pause_s = FIRST_PAUSE_S
            log.warning("redis_back")
        return answer

    def forget_pause(self) -> None:
        """Ask at once again."""
        self.ask_again_at = 0.0

    async def _missed(self, fault: BaseException) -> None:
        self._misses += 1
        if self._misses < MISSES_LIMIT:
            return
        if not self.away:
            self.away = True
            self.times_away += 1
            why = str(fault) or f"no answer in {PATIENCE_S:g} s"
            log.warning("redis_away", extra={"why": why, "remedy": "start Redis, or correct [redis] url"})
        self.ask_again_at = self._clock() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LAST_PAUSE_S)
        with contextlib.suppress(*FAULTS):
            await self._redis.connection_pool.disconnect()

    async def close(self) -> None:
        """Give the connections up."""
        with contextlib.suppress(*FAULTS):
            async with asyncio.timeout(PATIENCE_S):
                await self._redis.aclose(close_connection_pool=True)


async def server_of(url: str) -> tuple[str, str]:
    """Which server answers: its name and version. Raises one of FAULTS, ValueError for a URL that cannot be."""
    client = redis.asyncio.Redis.from_url(url, socket_timeout=LOOK_S, socket_connect_timeout=LOOK_S, protocol=2)
    try:
        told = await client.info("server")
    finally:
        await client.aclose()
    valkey = told.get("valkey_version")
    return ("Valkey", str(valkey)) if valkey else ("Redis", str(told["redis_version"]))


SCRIPTS = {
    name: resources.files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
    for name in ("borrow", "failures", "forget")
}
