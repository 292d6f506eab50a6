"""Wrong passwords over two nodes and one real Valkey: counted together, forgotten after a success, alone without it.

Source: decision 0018. What must not enter: how long an answer waits (tests/gateway/ingress/test_lockout.py).
"""

from __future__ import annotations

from gateway.counters.failure_counts import FailureCounts
from gateway.counters.redis_link import MISSES_LIMIT, RedisLink
from gateway.ingress.lockout import FREE_PAIR, Lockout, names_of
from tests.valkey import Valkey

NAMES = names_of("192.0.2.7", "acme")


async def test_who_guesses_on_two_nodes_is_slowed_as_on_one(valkey: Valkey) -> None:
    links = [RedisLink(valkey.url) for _ in "ab"]
    nodes = [(FailureCounts(link, lambda: False, 900.0), Lockout()) for link in links]
    delays = []
    for n in range(FREE_PAIR + 3):
        counts, lockout = nodes[n % 2]
        delays.append(lockout.failed("192.0.2.7", "acme", 0.0, await counts.count(NAMES)))
    assert delays == [0.0] * FREE_PAIR + [1.0, 2.0, 4.0]
    assert nodes[0][1].is_slowed("192.0.2.7", "acme", 0.0)
    await nodes[0][0].forget(NAMES[0])
    assert await nodes[1][0].count(NAMES) == [1, FREE_PAIR + 4]
    for link in links:
        await link.close()


async def test_without_valkey_each_node_counts_for_itself_and_alone_nothing_is_asked(valkey: Valkey) -> None:
    link = RedisLink(valkey.url)
    assert await FailureCounts(link, lambda: True, 900.0).count(NAMES) is None
    counts, lockout = FailureCounts(link, lambda: False, 900.0), Lockout()
    assert await counts.count(NAMES) == [1, 1]
    valkey.kill()
    for _ in range(MISSES_LIMIT):
        assert await counts.count(NAMES) is None
    assert link.away
    delays = [lockout.failed("192.0.2.7", "acme", 0.0, await counts.count(NAMES)) for _ in range(FREE_PAIR + 1)]
    assert delays == [0.0] * FREE_PAIR + [1.0]
    await link.close()
