"""Binds: what five thousand cost to hold, how soon they are back after a drop, what bad neighbours do to the others.

The binds are idle ESMEs of one process here; the neighbours are a slow reader, floods of garbage and of enquire_link,
PDUs that drip, and wrong passwords, each over and over. p99 is of an honest client at a calm rate.
What must not enter: throughput, what the door answers (tests/gateway/ingress).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import BindTransceiver, EnquireLink
from tests.bench.figures import Section
from tests.bench.installation import PASSWORD, Installation
from tests.bench.processes import BenchFault, resident_mib
from tests.bench.scale import Scale

BINDS, LOGINS = 5000, 5
AT_ONCE = 500  # chosen: connections begun together, as many customers' programs do within a second
BOUND_WITHIN_S = 120.0  # chosen: past it something is wrong, whatever the target
SETTLED_S = 2.0  # chosen: after the last bind, so that what is only needed to bind is over
CALM = 1000  # messages a second of the honest client
ENQUIRE_LINK, RESPONSE = 0x15, 0x80000000
OPEN_FILES = 20_000
AGAIN_S = 0.1  # chosen: between two tries of a bad neighbour
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
    beside = section.figure("the same with bad neighbours, p99", "ms", decimals=2)
    worse = section.figure("bad neighbours change the p99 by", "%", most=10, decimals=1)
    _allow_open_files()
    installation = Installation(folder / "binds", tools)
    installation.toml.write_text(installation.toml.read_text(encoding="utf-8").replace("[smpp_server]\n", TOML))
    try:
        await installation.prepare()
        for number in range(LOGINS):
            words = f"esme add crowd{number} --account reseller --password-stdin --max-binds 1000"
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
                alone.add(await _p99(installation, scale))
                async with bad_neighbours(installation.smpp_port):
                    beside.add(await _p99(installation, scale))
            if alone.median is not None and beside.median is not None:
                worse.add(100 * (beside.median / alone.median - 1))
            section.faults += await installation.leftovers()
    finally:
        await installation.close()
    return section


async def _p99(installation: Installation, scale: Scale) -> float:
    client = await installation.submit(int(CALM * scale.rate_s), rate=CALM)
    return float(client["response_us"]["p99"]) / 1000


def _allow_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if wanted < BINDS + 1000:
        raise BenchFault(f"{wanted} open files are allowed and {BINDS + 1000} are needed: raise ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# ---------------------------------------------------------------- bad neighbours


@contextlib.asynccontextmanager
async def bad_neighbours(port: int) -> AsyncIterator[None]:
    """All of them at once, for the time of a block."""
    links = encode_pdu(EnquireLink(sequence_number=1)) * 500
    unknown = bytes.fromhex("00000010 00000999 00000000 00001234") * 500
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_flood(port, "crowd0", links, reads=False)),
            tasks.create_task(_flood(port, "crowd1", unknown, reads=True)),
            tasks.create_task(_flood(port, "crowd2", links, reads=True)),
            tasks.create_task(_flood(port, "", bytes(range(256)) * 64, reads=True)),
            *(tasks.create_task(_drip(port)) for _ in range(20)),
            *(tasks.create_task(_guess(port, number)) for number in range(4)),
        ]
        await asyncio.sleep(1)  # they are in full swing
        try:
            yield
        finally:
            for task in running:
                task.cancel()


@contextlib.asynccontextmanager
async def _connected(port: int, system_id: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, bound when it has a name; from an address of its own, so that it is nobody's neighbour there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.66", 0))
    try:
        if system_id:
            writer.write(encode_pdu(BindTransceiver(sequence_number=1, system_id=system_id, password=PASSWORD)))
            await reader.readexactly(16)
        yield reader, writer
    finally:
        writer.transport.abort()


async def _flood(port: int, system_id: str, octets: bytes, reads: bool) -> None:
    """Write as fast as it is taken; read what comes, or never."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, system_id) as (reader, writer):
                if not reads:
                    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a slow reader
                while not writer.is_closing():
                    writer.write(octets)
                    await writer.drain()
                    if reads and not await reader.read(1 << 16):
                        break
        await asyncio.sleep(AGAIN_S)


async def _drip(port: int) -> None:
    """An octet now and then of a PDU that never ends."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, "crowd3") as (_, writer):
                writer.write(b"\0\0\xff\xff")
                while not writer.is_closing():
                    writer.write(b"\0")
                    await asyncio.sleep(AGAIN_S)
        await asyncio.sleep(AGAIN_S)


async def _guess(port: int, number: int) -> None:
    """Wrong passwords, each a new one."""
    guesses = 0
    while True:
        guesses += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, "") as (reader, writer):
                password = f"{number}{guesses}"
                writer.write(encode_pdu(BindTransceiver(sequence_number=1, system_id="crowd4", password=password)))
                await reader.read()
        await asyncio.sleep(AGAIN_S)
