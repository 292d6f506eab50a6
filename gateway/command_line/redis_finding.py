"""What `passerelle doctor` finds of Redis: whether it answers, and which one it is; nothing of it is ever an error.

Source: promise P8 (Redis may vanish), decision 0018.
What must not enter: what is counted there.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration

OLDEST = 5  # Redis 5: scripts that ask for the time may write (effects replication)


class RedisFinding(msgspec.Struct, frozen=True):
    """severity, finding and remedy of doctor's row."""

    severity: Literal["ok", "warning"]
    finding: str
    remedy: str = ""


async def look_at_redis(configuration: Configuration) -> RedisFinding:
    """Whether the configured one answers."""
    if configuration.redis.url is None:
        return RedisFinding("ok", say("none is configured, and a single node needs none"))
    from gateway.counters.redis_link import FAULTS, server_of

    try:
        name, version = await server_of(configuration.redis.url.reveal())
    except (*FAULTS, ValueError) as fault:
        why = str(fault) or type(fault).__name__
        found = say("does not answer: {why}; until it does, each node keeps its share of customers' limits", why=why)
        return RedisFinding("warning", found, say("start it, or correct [redis] url"))
    if int(version.partition(".")[0]) < OLDEST:
        return RedisFinding("warning", f"{name} {version}", say("upgrade it: {oldest} is the oldest", oldest=OLDEST))
    return RedisFinding("ok", f"{name} {version}")


def look_at_shares(configuration: Configuration, living: int) -> RedisFinding | None:
    """Several nodes without a Redis: each keeps its share, also while the others are idle."""
    if configuration.redis.url is not None or living < 2:
        return None
    found = say("{nodes} nodes without Redis: each keeps its share of customers' limits", nodes=living)
    return RedisFinding("warning", found, '[redis] url = "redis://..."')
