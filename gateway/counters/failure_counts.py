"""Wrong passwords counted over all nodes, so that who guesses cannot begin anew on each of them.

Source: decision 0018. What Redis does not tell is counted by each node for itself.
What must not enter: what a count leads to (gateway/ingress/lockout.py), passwords.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.counters.redis_link import RedisLink

PREFIX = "passerelle:failures:"


class FailureCounts:
    """One node's side; a node alone asks nothing."""

    def __init__(self, link: RedisLink, is_alone: Callable[[], bool], forget_s: float) -> None:
        self._link = link
        self._is_alone = is_alone
        self._forget_s = int(forget_s)

    async def count(self, names: Sequence[str]) -> list[int] | None:
        """One more under each name; how many on all nodes. None: nobody tells."""
        if self._is_alone():
            return None
        told = await self._link.ask("failures", [PREFIX + name for name in names], [self._forget_s])
        return None if told is None else [int(each) for each in told]

    async def forget(self, name: str) -> None:
        """Begin anew under a name."""
        if not self._is_alone():
            await self._link.ask("forget", [PREFIX + name], [])
