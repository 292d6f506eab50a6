"""`python -m tests.bench` (make bench): every figure of the road, side by side in one run, medians of the rounds.

Options: --rounds N, --quick (one round, under 90 s, without the HTTP API), --million (a million queued messages too),
--profile (where the microseconds go), --only SECTION ..., --no-kannel. Results: tables here, JSON in build/bench.
What must not enter: how something is measured; each table has its module.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import datetime
import os
import platform
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway.storage.postgres_programs import PostgresFault, find_programs
from tests.bench import binds, footprint, http_api, inbound, latency, load, lookups, nodes, profile, streams, throughput
from tests.bench.figures import MISSED, Section, save, table
from tests.bench.processes import BenchFault
from tests.bench.scale import QUICK, WHOLE, Scale

FOLDER = Path("build") / "bench"
SECTIONS = (
    "throughput",
    "nodes",
    "latency",
    "slow-flush",
    "inbound",
    "start",
    "recovery",
    "binds",
    "lookups",
    "api",
    "streams",
    "million",
    "profile",
)
PATIENCE_S = 30.0  # chosen: what others start here ends in less, mostly
FLUSHES = 200  # chosen: enough for a median of this disk

Measure = Callable[[], Awaitable[Section | list[Section]]]


def say(text: str = "") -> None:
    """A line for the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def read_options(words: list[str] | None = None) -> argparse.Namespace:
    """The options of this run."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description="The figures of the road.")
    options.add_argument("--rounds", type=int, metavar="N", help="rounds of everything (default 5; --quick: 1)")
    options.add_argument("--quick", action="store_true", help="one round of less, under 90 s")
    options.add_argument("--million", action="store_true", help="a million messages for a dead carrier, too")
    options.add_argument("--profile", action="store_true", help="where the microseconds of a message go, by room")
    options.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    options.add_argument(
        "--patient", action="store_true", help="rounds wait for a quiet machine, and are repeated when disturbed"
    )
    options.add_argument("--no-kannel", action="store_true", help="leave Kannel out")
    options.add_argument("--keep", action="store_true", help="leave the databases and logs of the run in build/bench")
    return options.parse_args(words)


def plan(options: argparse.Namespace, folder: Path, tools: Path) -> dict[str, Measure]:
    """What is measured, in order."""
    scale: Scale = QUICK if options.quick else WHOLE
    if options.rounds:
        scale = dataclasses.replace(scale, rounds=options.rounds)
    if options.patient:
        scale = dataclasses.replace(scale, patience_s=PATIENCE_S)
    measures: dict[str, Measure] = {
        "throughput": lambda: throughput.measure(folder, tools, scale, not options.no_kannel),
        "nodes": lambda: nodes.measure(folder, tools, scale, not options.no_kannel),
        "latency": lambda: latency.measure(folder, tools, scale),
        "slow-flush": lambda: latency.measure_slow_flush(folder, tools, scale),
        "inbound": lambda: inbound.measure(folder, tools, scale),
        "start": lambda: footprint.measure_rest(folder, tools, scale),
        "recovery": lambda: footprint.measure_recovery(folder, tools, scale),
        "binds": lambda: binds.measure(folder, tools, scale),
        "lookups": lambda: lookups.measure(folder, tools, scale),
        "api": lambda: http_api.measure(folder, tools, scale, options.quick),
        "streams": lambda: streams.measure(folder, tools, scale),
        "million": lambda: footprint.measure_million(folder, tools),
        "profile": lambda: profile.measure(folder, tools, scale),
    }
    wished = options.only or [
        name
        for name in SECTIONS
        if (name != "million" or options.million)
        and (name != "profile" or options.profile)
        and (name != "api" or not options.quick)
    ]
    return {name: measures[name] for name in SECTIONS if name in wished}


def describe_machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on, without the machine's name."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": find_programs().major,
        "flush_us": round(_flush_us(folder), 1),
        "load_before": os.getloadavg()[0],
    }


def _flush_us(folder: Path) -> float:
    """Median time of writing one page and flushing it."""
    file = folder / "flushed"
    samples = []
    with file.open("wb", buffering=0) as written:
        for _ in range(FLUSHES):
            before = time.perf_counter()
            written.write(b"\0" * 8192)
            os.fdatasync(written.fileno())
            samples.append((time.perf_counter() - before) * 1e6)
    file.unlink()
    return sorted(samples)[FLUSHES // 2]


async def run(options: argparse.Namespace) -> int:
    """Measure, tell, save; 1 when something was wrong whatever its speed."""
    tools = FOLDER.absolute()
    tools.mkdir(parents=True, exist_ok=True)
    load.build(tools)
    folder = tools / f"run-{os.getpid()}"
    folder.mkdir()
    began = time.monotonic()
    machine = describe_machine(folder)
    say(", ".join(f"{name} {value}" for name, value in machine.items()) + "\n")
    sections: list[Section] = []
    try:
        for name, measure in plan(options, folder, tools).items():
            measured = await _measured(name, measure)
            sections += measured
            say("\n".join(section.text() for section in measured))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    _tell_missed(sections)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    results = tools / f"results-{stamp}.json"
    save(results, machine, sections)
    say(f"\n{time.monotonic() - began:.0f} s; all samples in {results.relative_to(Path.cwd())}")
    return 1 if any(section.faults for section in sections) else 0


async def _measured(name: str, measure: Measure) -> list[Section]:
    try:
        measured = await measure()
    except (BenchFault, PostgresFault) as fault:
        return [Section(name, faults=[str(fault)])]
    return measured if isinstance(measured, list) else [measured]


def _tell_missed(sections: list[Section]) -> None:
    missed = [figure.row() for section in sections for figure in section.figures if figure.verdict == MISSED]
    say(("Missed:\n\n" + table(missed)) if missed else "Every target that was measured is met.")
    faults = [fault for section in sections for fault in section.faults]
    if faults:
        say("\nFaults:\n" + "\n".join(f"- {fault}" for fault in faults))


def main() -> int:
    """The exit code."""
    options = read_options()
    try:
        return asyncio.run(run(options))
    except (BenchFault, PostgresFault) as fault:
        say(f"bench: {fault}")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
