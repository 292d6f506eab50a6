"""Processes of a run: started so that they end with it, ended one by one, and what they cost by /proc.

Source: proc(5), /proc/PID/stat and /proc/stat; times there are ticks of sysconf(_SC_CLK_TCK).
What must not enter: what the processes do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.005  # chosen: the resolution of what is waited for by looking again
QUIET_CORES, QUIET_LOOK_S = 0.2, 0.5  # chosen: busy cores that disturb no figure here; a node at rest takes 0.02
END_TIMEOUT_S = 40.0  # the drain of a node has 30 s


class BenchFault(Exception):
    """The bench itself cannot go on; the text names the culprit and the remedy."""


class Child:
    """A process of ours; its output goes to `log`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self.began = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def end(self, number: int = signal.SIGTERM) -> None:
        """Send the signal and wait; insist when that takes too long."""
        for each in (number, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                if self._process.returncode is None:
                    self._process.send_signal(each)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_TIMEOUT_S):
                    await self._process.wait()
                    return

    async def said(self, words: str, patience_s: float) -> float:
        """Seconds from its start until its log holds `words`. Raises BenchFault when it ends or stays silent."""
        while time.monotonic() - self.began < patience_s:
            if words in read(self.log):
                return time.monotonic() - self.began
            if self.exit_code is not None:
                break
            await asyncio.sleep(LOOK_S)
        raise BenchFault(f"{self.log} does not say {words!r} within {patience_s:.0f} s: {read(self.log)[-600:]}")


async def start(words: Sequence[str | Path], log: Path, environment: dict[str, str] | None = None) -> Child:
    """A child that dies with us."""
    die_with_us = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *die_with_us,
            *map(str, words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )
    return Child(process, log)


@contextlib.asynccontextmanager
async def running(words: Sequence[str | Path], log: Path) -> AsyncIterator[Child]:
    """A child for the time of a block."""
    child = await start(words, log)
    try:
        yield child
    finally:
        await child.end()


async def call(words: Sequence[str | Path], given: str = "", patience_s: float = 300.0) -> tuple[int, str, str]:
    """Run a program to its end: exit code, what it wrote, what it complained."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(patience_s):
            wrote, complained = await process.communicate(given.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise BenchFault(f"{' '.join(map(str, words))} takes longer than {patience_s:.0f} s") from None
    return process.returncode or 0, wrote.decode(), complained.decode(errors="replace")


async def until_open(port: int, child: Child, patience_s: float = 20.0) -> None:
    """Wait until a child listens. Raises BenchFault."""
    while time.monotonic() - child.began < patience_s:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if child.exit_code is not None:
            break
        await asyncio.sleep(LOOK_S * 4)
    raise BenchFault(f"port {port} does not open: {read(child.log)[-600:]}")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 where nobody listens now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def read(file: Path) -> str:
    """A log's text, empty where it is not there."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


# ---------------------------------------------------------------- cost


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    members = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            children = read(Path(f"/proc/{pid}/task/{task}/children")).split()
            members += [each for child in children for each in family(int(child))]
    return members


def cpu_s(pids: Iterable[int]) -> float:
    """Processor seconds of families; those of members that ended and were waited for are in their parents'."""
    ticks = 0
    for pid in {member for each in pids for member in family(each)}:
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return ticks / TICKS


def resident_mib(pid: int) -> float:
    """VmRSS of one process."""
    for line in read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchFault(f"process {pid} is gone")


def machine_busy_s() -> float:
    """Processor seconds that the machine spent on anything, stolen time included."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS  # without idle and iowait


async def quiet(patience_s: float) -> None:
    """Wait until the machine does little else than us, who are at rest; not longer than patience_s."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        busy, began = machine_busy_s(), time.monotonic()
        await asyncio.sleep(QUIET_LOOK_S)
        if machine_busy_s() - busy < QUIET_CORES * (time.monotonic() - began):
            return


@dataclass
class Meter:
    """What groups of processes cost while a block ran, and what everybody else did meanwhile."""

    groups: dict[str, list[int]]
    cpu: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    _before: dict[str, float] = field(default_factory=dict)
    _busy: float = 0.0

    def __enter__(self) -> Meter:
        self._before = {name: cpu_s(pids) for name, pids in self.groups.items()}
        self._busy = machine_busy_s()
        self.seconds = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self.seconds
        self._busy = machine_busy_s() - self._busy
        self.cpu = {name: cpu_s(pids) - self._before[name] for name, pids in self.groups.items()}

    def others(self, ours_s: float) -> float:
        """Cores used by processes that are not of this run; ours_s: what the generator used, which ended by itself."""
        return max(0.0, self._busy - sum(self.cpu.values()) - ours_s) / self.seconds
