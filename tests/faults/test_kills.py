"""kill -9 of node, PostgreSQL and Redis, at random, under mixed load: the proof finds nothing lost or paid twice.

Source: issue, "Bad input and faults"; promises P1 to P5. 50 cycles of each campaign here, 1,000 by `make soak`; the
seed is printed. PASSERELLE_FAULT_CYCLES, _SEED and _RATE repeat a run; the moments of the machine they cannot repeat.
What must not enter: named moments (test_crash_points.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.eventually import eventually
from tests.faults.mixed_load import CONNECTOR, mixed_load, mixed_road
from tests.faults.postgres import cluster, postmaster, send
from tests.faults.road import SOON, Road
from tests.running_node import Carrier, RunningNode
from tests.valkey import Valkey

RESTART_WITHIN_S = 120.0  # embedded.READY_TIMEOUT_S and STOP_TIMEOUT_S, and a slow machine
CYCLES = int(os.environ.get("PASSERELLE_FAULT_CYCLES", "50"))
RATE = float(os.environ.get("PASSERELLE_FAULT_RATE", "120"))  # submissions a second; chosen for two busy cores
CALM_S = (0.2, 1.2)  # between service and the next kill; chosen: before, at and after the peak of a recovery
SERVICE_WITHIN_S = 60.0  # chosen: a recovery takes 2 s; the rest is for a busy machine
PROGRESS_EVERY = 25  # cycles; chosen
QUIET_S_PER_CYCLE = 2  # chosen
PROOF_EVERY = 100  # cycles; chosen: the proof reads all rows and logs

BESIDE = 10  # chosen: one cycle beside a neighbour for so many of a node alone; a takeover takes seconds
LIMIT_TPS = 300  # of each account; chosen: above what passes, so that limits are borrowed and seldom felt

Kill = Callable[[], Awaitable[None]]


def _seed() -> int:
    seed = int(os.environ.get("PASSERELLE_FAULT_SEED") or secrets.randbits(32))
    print(f"PASSERELLE_FAULT_SEED={seed} PASSERELLE_FAULT_CYCLES={CYCLES} PASSERELLE_FAULT_RATE={RATE:g}", flush=True)  # noqa: T201 - how to run it again
    return seed


async def _campaign(way: Road, kills: Mapping[str, Kill], seed: int, cycles: int = CYCLES) -> None:
    """Kill one or several of these at once, so many times; then quiet and the proof."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    started = time.monotonic()
    async with mixed_load(way, RATE) as load:
        for cycle in range(1, cycles + 1):
            await way.goes_on(load.customer, SERVICE_WITHIN_S, f"cycle {cycle}: {dict(killed)}")
            await asyncio.sleep(chance.uniform(*CALM_S))  # the moment of the kill is what is drawn
            victims = chance.sample(sorted(kills), chance.choice((1, 1, len(kills))))
            for victim in victims:
                killed[victim] += 1
                await kills[victim]()
            if way.node.exit_code is not None:
                await way.node.start(wait=False)
            if cycle % PROGRESS_EVERY == 0:
                print(f"cycle {cycle}: {dict(killed)}, {load.accepted} accepted", flush=True)  # noqa: T201 - progress
            if cycle % PROOF_EVERY == 0:
                await way.prove()
        await way.goes_on(load.customer, SERVICE_WITHIN_S, "the last cycle")
        load.stop()
        await way.quiet(180 + QUIET_S_PER_CYCLE * cycles)  # lives of seconds leave a queue behind
        await way.prove()
        states = await way.states()
        copies = await way.value("SELECT coalesce(sum(in_doubt_count), 0) FROM messages")
        assert sum(client.summary.contradictions for client in load.clients.values()) == 0
    taken_s = time.monotonic() - started
    print(f"{dict(killed)} {load.accepted} accepted, {states}, {copies} in doubt, {taken_s:.0f} s", flush=True)  # noqa: T201 - the figures


async def test_node_and_embedded_postgres_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    seed = _seed()
    data = tmp_path / "node" / ".passerelle" / "postgres"

    async def kill_database() -> None:
        before = postmaster(data)
        send(data, signal.SIGKILL)

        def is_over() -> bool:
            return postmaster(data) not in (before, None) or way.node.exit_code is not None

        if way.node.exit_code is None:
            await eventually(is_over, RESTART_WITHIN_S, "PostgreSQL started again by the node")
            assert way.node.exit_code is None, way.node.last_words()

    async def kill_node() -> None:
        await way.node.kill()

    async with mixed_road(tmp_path, None) as way:
        await _campaign(way, {"database": kill_database, "node": kill_node}, seed)


async def test_node_and_configured_postgres_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    seed = _seed()

    async def kill_database() -> None:
        postgres.kill()
        await postgres.start()

    async def kill_node() -> None:
        await way.node.kill()

    async with cluster(tmp_path / "pg" / "data") as postgres, mixed_road(tmp_path, postgres.dsn) as way:
        await _campaign(way, {"database": kill_database, "node": kill_node}, seed)


async def test_node_postgres_and_redis_killed_at_random_beside_a_neighbour_lose_nothing(
    tmp_path: Path, valkey: Valkey
) -> None:
    seed = _seed()
    redis = f"[redis]\nurl = {{ value = {json.dumps(valkey.url)} }}\n"

    async def kill_database() -> None:
        postgres.kill()
        await postgres.start()

    async def kill_node() -> None:
        await way.node.kill()

    async def kill_redis() -> None:
        valkey.kill()
        await valkey.start()

    kills = {"database": kill_database, "node": kill_node, "redis": kill_redis}
    async with (
        cluster(tmp_path / "pg" / "data") as postgres,
        mixed_road(tmp_path, postgres.dsn, start=False, more=redis) as way,
    ):
        async with way.node.database() as connection:
            await connection.execute("UPDATE accounts SET tps = $1, per_minute = 100 * $1", LIMIT_TPS)
        carriers = [Carrier(port=each.port, name=each.name, more=SOON | CONNECTOR) for each in way.carriers]
        neighbour = RunningNode(tmp_path / "b", carriers, postgres.dsn, f'[node]\nname = "b"\n{redis}')
        await way.node.start()
        await neighbour.start()
        try:
            await _campaign(way, kills, seed, max(1, CYCLES // BESIDE))
            assert neighbour.exit_code is None, neighbour.last_words()
        finally:
            if neighbour.exit_code is None:
                await neighbour.stop()
