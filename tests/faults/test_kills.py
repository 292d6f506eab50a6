"""kill -9 of the node and of PostgreSQL, at random, under load: the proof finds nothing lost or paid twice.

Source: issue, "Bad input and faults"; promises P1 to P5. 6 cycles here, 50 by `make faults`; the seed is printed.
PASSERELLE_FAULT_CYCLES and PASSERELLE_FAULT_SEED repeat a run; the moments of the machine they cannot repeat.
What must not enter: named moments (test_crash_points.py).
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import time
from pathlib import Path

from tests.eventually import eventually
from tests.faults.postgres import cluster, postmaster, send
from tests.faults.road import Road, road
from tests.running_node import Login

CYCLES = int(os.environ.get("PASSERELLE_FAULT_CYCLES", "6"))
RATE = float(os.environ.get("PASSERELLE_FAULT_RATE", "200"))  # messages a second; chosen for two busy cores
CALM_S = (0.3, 1.5)  # between a start and the next kill; chosen: before, at and after the peak of a recovery
CARRIER = {"latency_ms": "0..30", "receipt_delay_ms": "10..600", "receipt_early": 0.05, "receipt_duplicate": 0.05}


def _seed() -> int:
    seed = int(os.environ.get("PASSERELLE_FAULT_SEED") or secrets.randbits(32))
    print(f"PASSERELLE_FAULT_SEED={seed} PASSERELLE_FAULT_CYCLES={CYCLES} PASSERELLE_FAULT_RATE={RATE:g}")  # noqa: T201 - how to run it again
    return seed


async def _campaign(way: Road, kill_database: object, seed: int) -> None:
    """Kill one or the other or both, CYCLES times; then quiet and the proof."""
    chance = random.Random(seed)
    killed = {"node": 0, "database": 0}
    started = time.monotonic()
    smsc = {"inbound_rate": 5}
    way.smsc.change(smsc)
    client = {"rate": RATE, "messages": 0, "binds": 2, "window": 20, "reconnect": True, "resend": True, "retry": True}
    async with way.esme(**client) as esme:
        for cycle in range(CYCLES):
            await asyncio.sleep(chance.uniform(*CALM_S))  # the moment of the kill is what is drawn
            victim = chance.choice(("node", "database", "both"))
            if victim in ("database", "both"):
                killed["database"] += 1
                await kill_database()  # type: ignore[operator]  # a coroutine function
            if victim in ("node", "both"):
                killed["node"] += 1
                await way.node.kill()
                await way.node.start(wait=False)
            await way.goes_on(esme, 40, f"cycle {cycle} ({victim})")
        way.smsc.change({"inbound_rate": 0})
        esme.workload.stop()
        await way.quiet(60)
        await way.prove()
        states = await way.states()
        copies = await way.value("SELECT coalesce(sum(in_doubt_count), 0) FROM messages")
    assert esme.summary.contradictions == 0
    taken_s = time.monotonic() - started
    print(f"{killed} {esme.summary.accepted} accepted, {states}, {copies} in doubt, {taken_s:.0f} s")  # noqa: T201 - the figures


async def test_node_and_embedded_postgres_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    seed = _seed()
    data = tmp_path / "node" / ".passerelle" / "postgres"

    async def kill_database() -> None:
        before = postmaster(data)
        send(data, signal.SIGKILL)
        if way.node.exit_code is None:
            await eventually(lambda: postmaster(data) not in (before, None), 30, "PostgreSQL started again by the node")

    async with road(tmp_path, None, smsc=CARRIER, logins=[Login(inbound_numbers=["36000"])]) as way:
        await _campaign(way, kill_database, seed)


async def test_node_and_configured_postgres_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    seed = _seed()

    async def kill_database() -> None:
        postgres.kill()
        await postgres.start()

    logins = [Login(inbound_numbers=["36000"])]
    async with (
        cluster(tmp_path / "pg" / "data") as postgres,
        road(tmp_path, postgres.dsn, smsc=CARRIER, logins=logins) as way,
    ):
        await _campaign(way, kill_database, seed)
