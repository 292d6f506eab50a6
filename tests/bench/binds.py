"""Binds: what five thousand cost to hold, how soon they are back after a drop, what bad neighbours do to the others.

The binds are idle ESMEs of one process here, the neighbours another (neighbours.py). p99 is of an honest client at a
calm rate; each round measures it alone and beside neighbours in turn, so that what the machine does changes both.
What must not enter: throughput, what the door answers (tests/gateway/ingress).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import BindTransceiver
from tests.bench.figures import Section
from tests.bench.installation import PASSWORD, Installation
from tests.bench.processes import BenchFault, resident_mib, start
from tests.bench.scale import Scale

BINDS, LOGINS = 5000, 5
AT_ONCE = 500  # chosen: connections begun together, as many customers' programs do within a second
BOUND_WITHIN_S = 120.0  # chosen: past it something is wrong, whatever the target
SETTLED_S = 2.0  # chosen: after the last bind, so that what is only needed to bind is over
CALM = 1000  # messages a second of the honest client
KINDS = {"floods": "floods and drips", "guesses": "wrong passwords", "all": "all bad neighbours"}
IN_SWING_S = 1.5  # chosen: until all of them are at it
ENQUIRE_LINK, RESPONSE = 0x15, 0x80000000
OPEN_FILES = 20_000
TOML = "[smpp_server]\nmax_sessions = 6000\nunbound_per_address = 6000\n"


class IdleBind(asyncio.Protocol):
    """An ESME that binds and answers enquire_link."""

    def __init__(self, system_id: str, bound: asyncio.Future[bool]) -> None:
        self._system_id = system_id
        self._bound = bound
        self._partial = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(encode_pdu(BindTransceiver(sequence_number=1, system_id=self._system_id, password=PASSWORD)))

    def data_received(self, data: bytes) -> None:
        data = self._partial + data
        while len(data) >= 16 and len(data) >= (length := int.from_bytes(data[:4], "big")):
            command_id, status = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
            if command_id == ENQUIRE_LINK and self.transport is not None:
                self.transport.write(b"\0\0\0\x10\x80\0\0\x15\0\0\0\0" + data[12:16])
            elif command_id == RESPONSE | BindTransceiver.command_id and not self._bound.done():
                self._bound.set_result(status == 0)
            data = data[length:]
        self._partial = data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._bound.done():
            self._bound.set_result(False)


class Crowd:
    """All idle binds of a run."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._binds: list[IdleBind] = []

    async def bind_all(self) -> float:
        """Seconds until every one is bound; whoever is refused comes again. Raises BenchFault."""
        began = time.monotonic()
        wanted = [f"crowd{number % LOGINS}" for number in range(BINDS)]
        try:
            async with asyncio.timeout(BOUND_WITHIN_S):
                while wanted:
                    now, wanted = wanted[:AT_ONCE], wanted[AT_ONCE:]
                    done = await asyncio.gather(*(self._bind(system_id) for system_id in now))
                    wanted += [system_id for system_id, bound in zip(now, done, strict=True) if not bound]
        except TimeoutError as fault:
            raise BenchFault(f"{len(wanted)} of {BINDS} binds never came in") from fault
        return time.monotonic() - began

    async def _bind(self, system_id: str) -> bool:
        loop = asyncio.get_running_loop()
        bound: asyncio.Future[bool] = loop.create_future()
        try:
            _, bind = await loop.create_connection(lambda: IdleBind(system_id, bound), "127.0.0.1", self._port)
        except OSError:
            return False
        if await bound:
            self._binds.append(bind)
            return True
        return False

    def drop(self) -> None:
        """End every connection at once, without a word."""
        for bind in self._binds:
            if bind.transport is not None:
                bind.transport.abort()
        self._binds.clear()


async def measure(folder: Path, tools: Path, scale: Scale) -> Section:
    """Memory and return of the crowd, then the honest client with and without bad neighbours."""
    section = Section(f"{BINDS:,} binds")
    memory = section.figure("resident, each idle bind", "KiB", most=40, decimals=1)
    first = section.figure("all bound for the first time", "s", decimals=1)
    again = section.figure("all bound again after a drop", "s", most=15, decimals=1)
    alone = section.figure("submit_sm_resp at 1,000/s beside them, p99", "ms", decimals=2)
    beside = {kind: section.figure(f"the same with {words}, p99", "ms", decimals=2) for kind, words in KINDS.items()}
    worse = {kind: section.figure(f"{words} change it by", "%", most=10, decimals=1) for kind, words in KINDS.items()}
    _allow_open_files()
    installation = Installation(folder / "binds", tools)
    installation.toml.write_text(installation.toml.read_text(encoding="utf-8").replace("[smpp_server]\n", TOML))
    try:
        await installation.prepare()
        logins = [f"crowd{number} --max-binds {BINDS // LOGINS}" for number in range(LOGINS)]
        for login in [*logins, *(f"hostile{number} --max-binds 30" for number in range(4))]:
            words = f"esme add {login} --account reseller --password-stdin"
            await installation.cli(*words.split(), given=PASSWORD + "\n")
        async with installation.carrier():
            await installation.start_node()
            assert installation.node is not None
            await installation.submit(CALM)  # what the first messages need is there
            empty = resident_mib(installation.node.pid)
            crowd = Crowd(installation.smpp_port)
            first.add(await crowd.bind_all())
            await asyncio.sleep(SETTLED_S)
            memory.add((resident_mib(installation.node.pid) - empty) * 1024 / BINDS)
            for _ in range(scale.rounds):
                crowd.drop()
                again.add(await crowd.bind_all())
            await asyncio.sleep(SETTLED_S)
            for _ in range(scale.rounds):
                before = await _p99(installation, scale)
                for kind in KINDS:
                    async with bad_neighbours(folder, installation.smpp_port, kind):
                        beside[kind].add(await _p99(installation, scale))
                    after = await _p99(installation, scale)
                    alone.add(after)
                    worse[kind].add(100 * (2 * beside[kind].samples[-1] / (before + after) - 1))
                    before = after
            section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section


async def _p99(installation: Installation, scale: Scale) -> float:
    client = await installation.submit(int(CALM * scale.rate_s), rate=CALM)
    return float(client["response_us"]["p99"]) / 1000


@contextlib.asynccontextmanager
async def bad_neighbours(folder: Path, port: int, kind: str) -> AsyncIterator[None]:
    """A process of them, for the time of a block."""
    words = [sys.executable, "-m", "tests.bench.neighbours", str(port), kind]
    neighbours = await start(words, folder / "neighbours.log")
    try:
        await asyncio.sleep(IN_SWING_S)
        yield
    finally:
        await neighbours.end()
    if neighbours.exit_code != 0:
        raise BenchFault(f"the bad neighbours ended by themselves: {neighbours.log.read_text()[-800:]}")


def _allow_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if wanted < BINDS + 1000:
        raise BenchFault(f"{wanted} open files are allowed and {BINDS + 1000} are needed: raise ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
