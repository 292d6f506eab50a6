"""The load tool (smppload.c): built at first use, started, asked, and the words it answers with.

One process a role: a carrier or a web server that lives for a while, a client that runs to its end.
What must not enter: what is behind the ports.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.bench.processes import BenchFault, Child, call, free_ports, start, until_open

SOURCES = Path(__file__).parent
CLIENT_PATIENCE_S = 300.0  # chosen: the longest run of a client is a million messages
IDLE_S = 10  # chosen: a client gives up what has not come so long after anything last came


def build(folder: Path, source: str = "smppload.c", *more: str) -> Path:
    """The program of a source here, compiled unless it is newer than it. Raises BenchFault."""
    file = SOURCES / source
    program = folder / (file.stem + (".so" if "-shared" in more else ""))
    if program.exists() and program.stat().st_mtime > file.stat().st_mtime:
        return program
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BenchFault("there is no C compiler, and the load tool is C: install one (Debian: apt install gcc)")
    words = [compiler, "-O2", "-Wall", *more, "-o", str(program), str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFault(f"{source} does not compile: {done.stderr.strip()[-800:]}")
    return program


class Sink:
    """A carrier or a web server that counts; `port` is where it listens."""

    def __init__(self, child: Child, port: int, control_port: int) -> None:
        self.child = child
        self.port = port
        self._control_port = control_port

    async def count(self, forget: bool = False) -> dict[str, Any]:
        """Its statistics; forget: begin anew after them."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._control_port)
        writer.write(b"r" if forget else b"s")
        answer = await reader.read()
        writer.close()
        counted: dict[str, Any] = json.loads(answer)
        return counted


@contextlib.asynccontextmanager
async def sink(folder: Path, *more: str, mode: str = "sink", port: int = 0) -> AsyncIterator[Sink]:
    """A sink for the time of a block; more: options of smppload."""
    chosen, control_port = free_ports(2)
    port = port or chosen
    words: list[str | Path] = [build(folder), mode, "-p", str(port), "-c", str(control_port), *more]
    child = await start(words, folder / f"{mode}.out")
    try:
        await until_open(port, child)
        yield Sink(child, port, control_port)
    finally:
        await child.end()


async def submit(
    folder: Path,
    port: int,
    messages: int,
    *,
    binds: int = 4,
    window: int = 50,
    rate: float = 0,
    first: int = 0,
    receipts: bool = True,
) -> dict[str, Any]:
    """Submit messages over SMPP as bench/secret; returns what the client counted.

    first: the number of the first message, in its text; receipts: wait for all of them.
    """
    words: list[str | Path] = [build(folder), "gen", "-p", str(port), "-b", str(binds), "-W", str(window)]
    words += ["-m", str(messages), "-f", str(first), "-T", str(IDLE_S)]
    words += ["-r", str(rate)] if rate else []
    return await _counted([*words, *(["-D"] if receipts else [])])


async def request(folder: Path, port: int, messages: int, connections: int, path: str) -> dict[str, Any]:
    """The same over HTTP, one request at a time on each connection."""
    words: list[str | Path] = [build(folder), "hgen", "-p", str(port), "-b", str(connections), "-m", str(messages)]
    return await _counted([*words, "-U", path, "-T", str(IDLE_S)])


async def _counted(words: list[str | Path]) -> dict[str, Any]:
    code, wrote, complained = await call(words, patience_s=CLIENT_PATIENCE_S)
    if code or not wrote:
        raise BenchFault(f"the load tool ended with {code}: {complained.strip()} {wrote.strip()}")
    counted: dict[str, Any] = json.loads(wrote)
    return counted


def complaints(client: dict[str, Any], carrier: dict[str, Any] | None = None) -> list[str]:
    """What both ends' counts say against the gateway; empty when every message and receipt came, once."""
    told = []
    if client["refused"]:
        told.append(f"{client['refused']} submit_sm refused, the last with 0x{client['last_refusal']:02X}")
    if client["responses"] < client["sent"]:
        told.append(f"{client['sent'] - client['responses']} submit_sm never answered")
    for what, words in (
        ("receipts_missing", "receipts never came"),
        ("receipts_unknown", "receipts of unknown messages"),
        ("receipts_twice", "receipts came twice"),
    ):
        if client[what]:
            told.append(f"{client[what]} {words}")
    if carrier is not None:
        expected = client["responses"] - client["refused"]
        if carrier["submits"] - carrier["twice"] != expected:
            told.append(f"the carrier got {carrier['submits'] - carrier['twice']} of {expected} messages")
        for what in ("twice", "untagged", "refused"):
            if carrier[what]:
                told.append(f"the carrier counts {carrier[what]} {what}")
    return told
