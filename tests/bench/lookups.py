"""A file of a million numbers: how long it takes and how much memory, and what it does to messages beside it.

`passerelle lookup --file`, the process as operators start it. p99 is of an honest client at a calm rate, measured alone
and beside the file in turn, so that what the machine does changes both. The file mixes what customers' files mix.
What must not enter: what a result says (tests/gateway/lookups).
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from pathlib import Path

from tests.bench.figures import Section
from tests.bench.installation import Installation
from tests.bench.processes import BenchFault, Child, cpu_s, read, start
from tests.bench.rounds import Rounds
from tests.bench.scale import Scale

NUMBERS = 1_000_000
CALM = 1000  # messages a second of the honest client
WARM_UP = 5000
LOOK_EVERY_S = 0.1
ENDS_WITHIN_S = 900.0  # chosen: past it something is wrong, whatever the target
SEED = 7


def write_numbers(file: Path, count: int = NUMBERS) -> None:
    """Numbers of Benin in old, new, national and spaced form, of France, Cote d'Ivoire and America; one in 20 wrong."""
    chance = random.Random(SEED)
    with file.open("w", encoding="utf-8") as written:
        written.write("name;phone;city\n")
        for row in range(count):
            operator, rest = chance.choice((61, 62, 66, 96, 97)), f"{chance.randrange(10**6):06d}"
            number = (
                f"+229 01 {operator} {rest[:2]} {rest[2:4]} {rest[4:]}",
                f"229{operator}{rest}",
                f"01{operator}{rest}",
                f"336{chance.randrange(10**7, 10**8)}",
                f"22507{chance.randrange(10**8):08d}",
                f"+1{chance.randrange(2 * 10**9, 10**10)}",
            )[row % 6]
            written.write(f"Kossi {row};{number if row % 20 else number[:-3]};Cotonou\n")


async def measure(folder: Path, tools: Path, scale: Scale) -> Section:
    """Alone, then beside messages."""
    section = Section("A file of 1,000,000 numbers")
    alone_s = section.figure("seconds alone", "s", most=60, decimals=1)
    processor_s = section.figure("processor seconds alone", "s", decimals=1)
    memory = section.figure("most memory of its process", "MiB", most=300)
    p99 = section.figure("messages at 1,000/s, p99 without the file", "ms", decimals=2)
    beside_p99 = section.figure("messages at 1,000/s, p99 beside the file", "ms", decimals=2)
    change = section.figure("change of that p99", "%", most=10, decimals=1)
    installation = Installation(folder / "lookups", tools)
    source = folder / "numbers.csv"
    write_numbers(source)
    try:
        await installation.prepare()
        for _ in range(scale.rounds):
            child, began = await _begin(source, folder)
            most_mib, cpu = await _most_memory_and_cpu(child)
            alone_s.add(time.monotonic() - began)
            memory.add(most_mib)
            processor_s.add(cpu)
        async with installation.carrier() as carrier:
            await installation.start_node()
            await installation.submit(WARM_UP)
            rounds = Rounds(installation, carrier, section, 0.0)
            for _ in range(max(3, scale.rounds)):
                p99.add((await rounds.run(int(CALM * scale.rate_s), rate=CALM)).client["response_us"]["p99"] / 1000)
                child, _ = await _begin(source, folder)
                beside = await rounds.run(int(CALM * scale.rate_s), rate=CALM)
                if child.exit_code is not None:
                    section.notes.append("the file ended before the round beside it")
                beside_p99.add(beside.client["response_us"]["p99"] / 1000)
                await child.end()
        change.add((statistics.median(beside_p99.samples) / statistics.median(p99.samples) - 1) * 100)
        section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section


async def _begin(source: Path, folder: Path) -> tuple[Child, float]:
    result = folder / "result.csv"
    result.unlink(missing_ok=True)
    words = (
        sys.executable,
        "-m",
        "gateway.command_line",
        "lookup",
        "--file",
        source,
        "--out",
        result,
        "--country",
        "BJ",
    )
    return await start(words, folder / "lookup.log"), time.monotonic()


async def _most_memory_and_cpu(child: Child) -> tuple[float, float]:
    """VmHWM and processor seconds shortly before it ended. Raises BenchFault when it failed."""
    most = spent = 0.0
    async with asyncio.timeout(ENDS_WITHIN_S):
        while child.exit_code is None:
            for line in read(Path(f"/proc/{child.pid}/status")).splitlines():
                if line.startswith("VmHWM:"):
                    most = max(most, int(line.split()[1]) / 1024)
            spent = max(spent, cpu_s([child.pid]))
            await asyncio.sleep(LOOK_EVERY_S)
    if child.exit_code:
        raise BenchFault(f"lookup failed: {read(child.log)[-400:]}")
    return most, spent
