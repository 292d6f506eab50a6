"""Two nodes over one PostgreSQL and one Valkey: a login's rate holds over both, and Valkey's end holds up nobody.

Source: issue (global TPS within 1.1 of the limit), promise P8, decision 0018. The rate is the one figure asserted.
What must not enter: values and rooms (tests/gateway/ingress/test_limit_shares.py, tests/gateway/counters).
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from simulators.esme import EsmeSettings, SimulatedEsme
from tests.eventually import eventually
from tests.faults.road import SOON, Road, road
from tests.running_node import PASSWORD, SYSTEM_ID, Carrier, Login, RunningNode
from tests.valkey import Valkey

WITHIN_S = 60.0  # chosen: far beyond what a busy machine needs
TPS = 50
FLOOD = {"rate": 2 * TPS, "messages": 0, "window": 100, "registered_delivery": 0}
STRETCH_S = 4.0  # chosen: over which the rate is reached, sooner or later, however busy the machine is
WHOLE_S = 12.0  # chosen: a burst of one second is less than a tenth of it
LIMITS_TOLD = (
    "SELECT count(*) FROM nodes WHERE (live -> 'limits' ->> 'nodes')::int = 2 AND live -> 'limits' ->> 'redis' = $1"
)


class Pair:
    """The road's own node is a; b stands beside it, and both know the same Valkey."""

    def __init__(self, way: Road, b: RunningNode) -> None:
        self.way = way
        self.a, self.b = way.node, b

    def esme_at(self, node: RunningNode, **plain: object) -> SimulatedEsme:
        log = self.way.folder / f"esme-{len(self.way.esme_logs)}.jsonl"
        self.way.esme_logs.append(log)
        settings: dict[str, object] = {"system_id": SYSTEM_ID, "password": PASSWORD, "characters": 24}
        settings |= {"log": log, "log_fsync": False, "seed": len(self.way.esme_logs)} | plain
        return SimulatedEsme(EsmeSettings.parse(f"127.0.0.1:{node.smpp_port}", **settings))

    async def redis_is(self, word: str) -> None:
        """Wait until both nodes say that they keep limits together, and how Redis stands."""

        async def is_told() -> bool:
            return await self.way.value(LIMITS_TOLD, word) == 2

        await eventually(is_told, WITHIN_S, f"both nodes say of Redis: {word}")


@contextlib.asynccontextmanager
async def pair(folder: Path, dsn: str, valkey: Valkey, login: Login) -> AsyncIterator[Pair]:
    redis = f"[redis]\nurl = {{ value = {json.dumps(valkey.url)} }}\n"
    async with road(folder, dsn, logins=[login], more=redis) as way:
        lines = [Carrier(port=way.carrier.port, name=way.carrier.name, more=SOON)]
        b = RunningNode(folder / "b", lines, dsn, f'[node]\nname = "b"\n{redis}')
        await b.start()
        try:
            two = Pair(way, b)
            await two.redis_is("used")
            yield two
        finally:
            if b.exit_code is None:
                await b.stop()


async def test_a_flood_of_both_nodes_and_then_of_one_gets_the_logins_rate(
    tmp_path: Path, database: str, valkey: Valkey
) -> None:
    async with pair(tmp_path, database, valkey, Login(tps=TPS)) as two:
        async with two.esme_at(two.a, **FLOOD) as at_a, two.esme_at(two.b, **FLOOD) as at_b:

            def accepted() -> int:
                return at_a.summary.accepted + at_b.summary.accepted

            began = time.monotonic()
            await eventually(lambda: accepted() >= 2 * TPS, WITHIN_S, "the burst is over")
            over_both = await reached(accepted)
            shares = sorted((at_a.summary.accepted, at_b.summary.accepted))
            at_b.workload.stop()
            over_one = await reached(lambda: at_a.summary.accepted)
            await eventually(lambda: time.monotonic() - began >= WHOLE_S, WITHIN_S)
            whole = accepted() / (time.monotonic() - began)
        print(f"limit {TPS}: {whole:.1f} a second, both {over_both:.1f} {shares}, one {over_one:.1f}")  # noqa: T201
        assert whole <= 1.1 * TPS
        assert shares[0] >= sum(shares) / 10, "neither starves the other"


async def reached(accepted: Callable[[], int]) -> float:
    """Wait for a stretch in which 0.8 of the rate is accepted; how much that was a second."""
    seen: deque[tuple[float, int]] = deque()
    rate = 0.0

    def is_reached() -> bool:
        nonlocal rate
        seen.append((time.monotonic(), accepted()))
        while seen[-1][0] - seen[0][0] >= STRETCH_S:
            (since, before), (now, after) = seen.popleft(), seen[-1]
            rate = (after - before) / (now - since)
        return rate >= 0.8 * TPS

    await eventually(is_reached, WITHIN_S, f"{0.8 * TPS:g} a second over {STRETCH_S:g} s")
    return rate


async def test_a_valkey_that_hangs_or_dies_holds_up_nobody(tmp_path: Path, database: str, valkey: Valkey) -> None:
    async with pair(tmp_path, database, valkey, Login(tps=1000)) as two:
        load = {"rate": 50, "messages": 0}
        async with two.esme_at(two.a, **load) as at_a, two.esme_at(two.b, **load) as at_b:
            for take_away, give_back in ((valkey.freeze, valkey.thaw), (valkey.kill, None)):
                take_away()
                await two.redis_is("away")
                for client in (at_a, at_b):
                    await two.way.goes_on(client, WITHIN_S, "Valkey's end", 50)
                if give_back is None:
                    await valkey.start()
                else:
                    give_back()
                await two.redis_is("used")
            at_a.workload.stop()
            at_b.workload.stop()
            await two.way.quiet(WITHIN_S)
        assert not at_a.summary.refused
        assert not at_b.summary.refused
        await two.way.prove()
        for node in (two.a, two.b):
            told = [line["event"] for line in node.log_lines() if str(line.get("event")).startswith("redis_")]
            assert told == ["redis_away", "redis_back"] * 2
