"""Memory and start: what a node takes at rest and with a million messages for a dead carrier, and how soon it is ready.

Start is from exec to the log line `ready`, ports open: with PostgreSQL to be started, with PostgreSQL there, and after
kill -9 under load with 100,000 open messages, of which half wait for a receipt and half for the carrier.
What must not enter: throughput, latency.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

from tests.bench import load
from tests.bench.figures import Section
from tests.bench.installation import Installation
from tests.bench.processes import resident_mib
from tests.bench.scale import Scale

REST_S = 2.0  # chosen: after ready, so that what is only needed to start is over
MILLION = 1_000_000
LOOK_S = 0.5
KILLED_LOAD = 200_000  # more than passes before the kill
KILL_AFTER_S = 1.5  # chosen: the load is in full swing
EMPTY_TIMEOUT_S = 120.0  # chosen: doubts wait 60 s for evidence before they are resent


async def measure_rest(folder: Path, tools: Path, scale: Scale) -> Section:
    """A node with a carrier and nothing to do; its starts."""
    section = Section("Start, and memory at rest")
    cold = section.figure("ready, PostgreSQL to be started", "s", most=3, decimals=2)
    warm = section.figure("ready, PostgreSQL there", "s", most=3, decimals=2)
    rest = section.figure("resident at rest", "MiB", most=120, decimals=1)
    used = section.figure("resident after load", "MiB", decimals=1)
    installation = Installation(folder / "rest", tools)
    try:
        await installation.prepare()
        async with installation.carrier():
            for turn in range(scale.starts):
                await installation.postgres.stop()
                cold.add(await installation.start_node())
                await installation.postgres.start()  # it is there: from now on it outlives the node
                await installation.end_node()
                warm.add(await installation.start_node())
                await asyncio.sleep(REST_S)
                assert installation.node is not None
                rest.add(resident_mib(installation.node.pid))
                if turn == scale.starts - 1:
                    await installation.submit(scale.messages)
                    used.add(resident_mib(installation.node.pid))
                    section.faults += await installation.leftovers()
                await installation.end_node()
    finally:
        await installation.close()
    return section


async def measure_million(folder: Path, tools: Path) -> Section:
    """Nobody listens where the carrier should be; the client sends a million messages."""
    section = Section("A million messages for a dead carrier")
    most = section.figure("resident, at most", "MiB", most=400, decimals=1)
    last = section.figure("resident, at the end", "MiB", decimals=1)
    rate = section.figure("accepted", "1/s")
    ready = section.figure("ready after kill -9 then", "s", decimals=2)
    installation = Installation(folder / "million", tools)
    try:
        await installation.prepare()
        await installation.start_node()
        assert installation.node is not None
        samples = []
        client_task = asyncio.ensure_future(installation.submit(MILLION, receipts=False))
        try:
            while not client_task.done():
                samples.append(resident_mib(installation.node.pid))
                await asyncio.wait((client_task,), timeout=LOOK_S)
        finally:
            client_task.cancel()
        client = client_task.result()
        most.add(max(samples))
        last.add(resident_mib(installation.node.pid))
        rate.add(client["rate"])
        section.faults += _unanswered(client) + await installation.check()
        waiting = await installation.waiting()
        section.notes.append(f"{waiting:,} messages wait in PostgreSQL")
        await installation.end_node(signal.SIGKILL)
        ready.add(await installation.start_node())
    finally:
        await installation.close()
    return section


async def measure_recovery(folder: Path, tools: Path, scale: Scale) -> Section:
    """Open messages of every kind, kill -9 under load, start; then the carrier comes back and all must leave."""
    section = Section(f"Start after kill -9 with {scale.open_messages:,} open messages")
    ready = section.figure("ready", "s", most=3, decimals=2)
    emptied = section.figure("queue empty after the carrier came back", "s", decimals=1)
    installation = Installation(folder / "recovery", tools)
    half = scale.open_messages // 2
    try:
        await installation.prepare()
        async with installation.carrier("-n"):
            await installation.start_node()
            client = await installation.submit(half, receipts=False)
            section.faults += _unanswered(client)
        client = await installation.submit(half, first=half, receipts=False)
        section.faults += _unanswered(client)
        for turn in range(scale.starts):
            first = 2 * half + turn * KILLED_LOAD
            await _kill_under_load(installation, first)
            ready.add(await installation.start_node())
        section.notes.append(f"{await installation.waiting():,} messages queued, {half:,} without their receipt")
        section.faults += await installation.check()
        async with installation.carrier() as carrier:
            began = time.monotonic()
            while await installation.waiting() and time.monotonic() - began < EMPTY_TIMEOUT_S:
                await asyncio.sleep(LOOK_S)
            emptied.add(time.monotonic() - began)
            counted = await carrier.count()
        section.notes.append(f"the carrier that came back got {counted['submits']:,}, {counted['twice']} of them twice")
        section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section


async def _kill_under_load(installation: Installation, first: int) -> None:
    """kill -9 while a client sends; it sees its connections fall."""
    client = asyncio.ensure_future(installation.submit(KILLED_LOAD, first=first, receipts=False))
    await asyncio.wait((client,), timeout=KILL_AFTER_S)
    await installation.end_node(signal.SIGKILL)
    await client


def _unanswered(client: dict[str, Any]) -> list[str]:
    return [each for each in load.complaints(client) if "receipts" not in each]
