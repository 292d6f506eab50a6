"""Latency of submit_sm_resp: at rates a customer lives with, on one narrow bind, and on a disk that flushes slowly.

At a rate, the time of an answer begins when its message was due, so that holding the client up counts against us.
What must not enter: the most that passes (throughput.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench import load
from tests.bench.figures import Figure, Section
from tests.bench.installation import Installation
from tests.bench.rounds import Round, Rounds
from tests.bench.scale import Scale

WARM_UP = 5000
CALM, BUSY = 1000, 5000  # messages a second
NARROW_WINDOW, NARROW_MESSAGES = 10, 12_000
ADDED_FLUSH_MS = 2.0  # what a flush of a plain SSD or a network volume takes longer than one of this kind of disk
ACTS_FROM = 0.8  # chosen: a commit must take at least so much of what was added, or nothing is measured


def _add(figure: Figure, done: Round, which: str, of: str = "response_us") -> None:
    latencies = done.client[of]
    figure.add(latencies[which] / 1000 if latencies else None)


async def measure(folder: Path, tools: Path, scale: Scale) -> Section:
    """On the disk as it is."""
    section = Section("Latency of submit_sm_resp")
    calm_p50 = section.figure("at 1,000/s, p50", "ms", most=2, decimals=2)
    calm_p99 = section.figure("at 1,000/s, p99", "ms", most=8, decimals=2)
    busy_p50 = section.figure("at 5,000/s, p50", "ms", decimals=2)
    busy_p99 = section.figure("at 5,000/s, p99", "ms", most=15, decimals=2)
    narrow = section.figure("one bind of window 10", "1/s", least=3000)
    receipt = section.figure("receipt back, at 1,000/s, p99", "ms", decimals=2)
    calm_cores = section.figure("gateway and PostgreSQL at 1,000/s", "cores", decimals=2)
    busy_cores = section.figure("gateway and PostgreSQL at 5,000/s", "cores", decimals=2)
    installation = Installation(folder / "latency", tools)
    try:
        await installation.prepare()
        section.notes.append(f"a one-row commit takes {await installation.commit_ms():.2f} ms here")
        async with installation.carrier() as carrier:
            await installation.start_node()
            await installation.submit(WARM_UP)
            rounds = Rounds(installation, carrier, section, scale.patience_s)
            for _ in range(scale.rounds):
                calm = await rounds.run(int(CALM * scale.rate_s), rate=CALM)
                calm_cores.add(calm.cores)
                _add(calm_p50, calm, "p50")
                _add(calm_p99, calm, "p99")
                _add(receipt, calm, "p99", "receipt_us")
                busy = await rounds.run(int(BUSY * scale.rate_s / 2), rate=BUSY)
                busy_cores.add(busy.cores)
                _add(busy_p50, busy, "p50")
                _add(busy_p99, busy, "p99")
                narrow.add((await rounds.run(NARROW_MESSAGES, binds=1, window=NARROW_WINDOW)).client["rate"])
                section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section


async def measure_slow_flush(folder: Path, tools: Path, scale: Scale) -> Section:
    """The same calm load, with 2 ms added to each flush of PostgreSQL, by a library preloaded into it alone."""
    section = Section(f"Latency of submit_sm_resp with {ADDED_FLUSH_MS:g} ms added to each flush")
    p50 = section.figure("at 1,000/s, p50", "ms", decimals=2)
    p99 = section.figure("at 1,000/s, p99", "ms", most=20, decimals=2)
    throughput = section.figure("most that passes, with receipts", "1/s")
    installation = Installation(folder / "slow-flush", tools)
    try:
        await installation.prepare()
        plain_ms = await installation.commit_ms()
        library = load.build(tools, "slow_flush.c", "-shared", "-fPIC", "-ldl")
        preload = f"{library} {os.environ.get('LD_PRELOAD', '')}".strip()
        await installation.restart_postgres({"LD_PRELOAD": preload, "SLOW_FLUSH_US": str(int(ADDED_FLUSH_MS * 1000))})
        slow_ms = await installation.commit_ms()
        section.notes.append(f"a one-row commit takes {plain_ms:.2f} ms without, {slow_ms:.2f} ms with it")
        if slow_ms - plain_ms < ADDED_FLUSH_MS * ACTS_FROM:
            for figure in (p50, p99, throughput):
                figure.absent = "the added delay does not act"
            return section
        async with installation.carrier() as carrier:
            await installation.start_node()
            await installation.submit(WARM_UP)
            rounds = Rounds(installation, carrier, section, scale.patience_s)
            for _ in range(scale.rounds):
                calm = await rounds.run(int(CALM * scale.rate_s), rate=CALM)
                _add(p50, calm, "p50")
                _add(p99, calm, "p99")
                throughput.add((await rounds.run(scale.messages // 3)).client["receipt_rate"])
                section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section
