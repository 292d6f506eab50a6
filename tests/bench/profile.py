"""Where the microseconds of a message go: the node's, by room and by function, and PostgreSQL's, by process.

Shares come from samples of a node under full load (sampled_node.py), microseconds from the processor time of the same
load on a node that is not sampled. Some hundred samples a second of load: single per cents are noise.
What must not enter: targets; a profile is there to be read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import asyncpg

from tests.bench import load
from tests.bench.figures import Section
from tests.bench.installation import Installation
from tests.bench.processes import Meter, cpu_s, family, read
from tests.bench.sampled_node import COMPILED
from tests.bench.scale import Scale

WARM_UP = 10_000
FUNCTIONS = 25  # rows of the second table
LEAST_US = 0.3  # chosen: a room or process below it is not told


def room_of(file: str, near: str) -> str:
    """The room that a sample belongs to: our own package, a foreign package, or whoever called the standard library."""
    if near.endswith(COMPILED):
        return "gateway.smpp"
    if "site-packages/" in file:
        return file.rpartition("site-packages/")[2].split("/")[0].removesuffix(".py")
    parts = (file if file.startswith(("gateway/", "telecom/", "router/", "event loop")) else near).split("/")
    if parts[0] == "gateway":
        return f"gateway.{parts[1].removesuffix('.py')}" if parts[1:] else "gateway"
    return parts[0] if parts[0] in ("telecom", "router", "event loop") else "standard library"


async def measure(folder: Path, tools: Path, scale: Scale) -> list[Section]:
    """Full load twice: not sampled, then sampled. Three sections: rooms, functions, PostgreSQL."""
    rooms = Section("Where a message's microseconds go: the node, by room")
    functions = Section("The node, by function")
    postgres = Section("PostgreSQL, by process")
    installation = Installation(folder / "profile", tools)
    out = folder / "samples.json"
    try:
        await installation.prepare()
        async with installation.carrier() as carrier:
            await installation.start_node()
            await installation.submit(WARM_UP)
            names = await _process_names(installation)
            before = {pid: cpu_s_alone(pid) for pid in names}
            await carrier.count(forget=True)
            meter = Meter({**installation.pids(), "carrier": [carrier.child.pid]})
            with meter:
                client = await installation.submit(scale.messages)
            rooms.faults += load.complaints(client, await carrier.count())
            spent = {pid: (cpu_s_alone(pid) - before[pid]) / client["sent"] * 1e6 for pid in names}
            rooms.other_cpu.append(meter.others(client["cpu_s"]))
            for pid, name in names.items():
                if spent[pid] > 0:
                    _add(postgres, name, spent[pid])
            gateway_us = meter.cpu["gateway"] / client["sent"] * 1e6
            await installation.end_node()
            sampled_us = await _sample(installation, out, scale.messages)
            rooms.faults += await installation.leftovers()
            await installation.end_node()
    finally:
        await installation.close()
    rooms.notes.append(f"the node took {gateway_us:.1f} us a message, {sampled_us:.1f} us while it was sampled")
    _add_rooms(rooms, functions, json.loads(out.read_text(encoding="utf-8")), gateway_us)
    return [rooms, functions, postgres]


async def _sample(installation: Installation, out: Path, messages: int) -> float:
    """Load a sampled node; microseconds of its processor time a message."""
    await installation.start_node(sys.executable, "-m", "tests.bench.sampled_node", out)
    await installation.submit(WARM_UP)
    assert installation.node is not None
    pid = installation.node.pid
    os.kill(pid, signal.SIGUSR2)
    before = cpu_s([pid])
    client = await installation.submit(messages)
    spent_s = cpu_s([pid]) - before
    return spent_s / int(client["sent"]) * 1e6


async def _process_names(installation: Installation) -> dict[int, str]:
    """PostgreSQL's processes of now, told apart by what they last did."""
    connection = await asyncpg.connect(installation.postgres.dsn)
    try:
        rows = await connection.fetch(
            "SELECT pid, backend_type, query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    names = dict.fromkeys(family(installation.pids()["postgres"][0]), "other processes")
    for row in rows:
        stream = next((each for each in ("accept", "settle") if f"stream = '{each}' AND epoch" in row["query"]), "")
        client = f"{stream} stream" if stream else "other connections"
        names[row["pid"]] = client if row["backend_type"] == "client backend" else row["backend_type"]
    return names


def cpu_s_alone(pid: int) -> float:
    """Processor seconds of one process, without its children's."""
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _add(section: Section, name: str, us: float) -> None:
    """Add to the figure of this name."""
    figure = next((each for each in section.figures if each.name == name), None)
    figure = figure or section.figure(name, "us a message", samples=[0.0], decimals=1)
    figure.samples[0] += us
    section.figures.sort(key=lambda each: -each.samples[0])


def _add_rooms(rooms: Section, functions: Section, samples: list[list[str | int]], gateway_us: float) -> None:
    by_room: Counter[str] = Counter()
    by_function: Counter[str] = Counter()
    for file, name, near, function, count in samples:
        by_room[room_of(str(file), str(near))] += int(count)
        foreign = "" if near == file else f", in {Path(str(file)).name} {name}"
        by_function[f"{near}: {function}{foreign}"] += int(count)
    total = sum(by_room.values())
    rooms.notes.append(f"{total} samples; {LEAST_US} us and more is told")
    for section, counted in ((rooms, by_room), (functions, by_function)):
        for name, count in counted.most_common(FUNCTIONS):
            if count / total * gateway_us >= LEAST_US:
                _add(section, name, count / total * gateway_us)
