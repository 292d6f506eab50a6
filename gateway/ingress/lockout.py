"""How long the answer to a wrong password waits: it grows with the failures of one address, and harms nobody else.

Source: smpp-answers (equal time for a wrong name and a wrong word). Counted for a pair (address, system_id) and for an
address; never for a system_id alone, so nobody can lock a customer out by failing in his name from elsewhere.
Pure: the present is passed in. What must not enter: passwords, waiting, whether a name exists.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence

FREE_PAIR = 2  # chosen: wrong words of one login from one address answered without delay
FREE_SOURCE = 20  # chosen: of all logins from one address; behind one there may be many customers
FIRST_DELAY_S, LAST_DELAY_S = 1.0, 60.0  # chosen: doubled each time; a guess a minute finds nothing
FORGET_S = 900.0  # chosen: after so long without a failure an address starts anew
REMEMBERED_LIMIT = 50_000  # chosen: sources and pairs in memory; the oldest goes first
V6_SITE = 64  # RFC 4291 2.5.4: one site's smallest prefix, all of which one sender can use

Pair = tuple[str, str]


def source_of(address: str) -> str:
    """Whose failures count together: an IPv4 address, or the /64 of an IPv6 one. address: as the socket says it."""
    plain = address.partition("%")[0]
    if ":" not in plain:
        return plain
    mapped = ipaddress.IPv6Address(plain)
    if mapped.ipv4_mapped is not None:
        return str(mapped.ipv4_mapped)
    return str(ipaddress.ip_network((mapped, V6_SITE), strict=False))


def names_of(source: str, system_id: str) -> tuple[str, str]:
    """Under what all nodes count a wrong word: the pair and the address."""
    return f"{source} {system_id}", source


class Lockout:
    """Failures and first successes of one node's life."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str | Pair, tuple[int, float]] = OrderedDict()  # -> how many, when the last one was
        self._trusted: OrderedDict[Pair, None] = OrderedDict()

    def lane(self, source: str, system_id: str) -> str | Pair:
        """Where this login queues for its proof: with its address, or by itself once it bound from there."""
        pair = (source, system_id)
        return pair if pair in self._trusted else source

    def is_slowed(self, source: str, system_id: str, now: float) -> bool:
        """Whether one more wrong word would wait for its answer."""
        pair = (source, system_id)
        slowed = self._failures_of(pair, now) >= FREE_PAIR
        return slowed or (pair not in self._trusted and self._failures_of(source, now) >= FREE_SOURCE)

    def failed(self, source: str, system_id: str, now: float, on_all_nodes: Sequence[int] | None = None) -> float:
        """Count a wrong word; for how many seconds its answer waits. on_all_nodes: the counts under names_of."""
        pair = (source, system_id)
        pair_count, source_count = on_all_nodes or (0, 0)
        by_pair = self._count(pair, now, pair_count) - FREE_PAIR
        by_source = self._count(source, now, source_count) - FREE_SOURCE
        worst = by_pair if pair in self._trusted else max(by_pair, by_source)
        return min(FIRST_DELAY_S * 2.0 ** min(worst - 1, 60), LAST_DELAY_S) if worst > 0 else 0.0

    def succeeded(self, source: str, system_id: str) -> None:
        """This login bound from there: its failures are forgotten, and those of others no longer slow it."""
        pair = (source, system_id)
        self._failures.pop(pair, None)
        self._trusted[pair] = None
        self._trusted.move_to_end(pair)
        if len(self._trusted) > REMEMBERED_LIMIT:
            self._trusted.popitem(last=False)

    def has_failed(self, source: str, system_id: str, now: float) -> bool:
        """Whether wrong words of this login from there are remembered."""
        return self._failures_of((source, system_id), now) > 0

    def _count(self, key: str | Pair, now: float, at_least: int) -> int:
        count = max(self._failures_of(key, now) + 1, at_least)
        self._failures.pop(key, None)
        self._failures[key] = (count, now)  # the last in order: what is forgotten first is the oldest
        if len(self._failures) > REMEMBERED_LIMIT:
            self._failures.popitem(last=False)
        return count

    def _failures_of(self, key: str | Pair, now: float) -> int:
        count, last = self._failures.get(key, (0, now))
        return 0 if now - last > FORGET_S else count
