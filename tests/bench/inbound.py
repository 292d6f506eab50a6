"""Latency of what handsets send: from the carrier's deliver_sm to the customer's, on one node, and where he is bound on
another node than the carrier.

The carrier is the simulator, the customer a plain client, both in this process, so that one clock times both ends.
What must not enter: throughput, what the gateway answers (tests/gateway/inbound).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import BindTransceiver, DeliverSmResp
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.bench.figures import Section
from tests.bench.installation import PASSWORD, Installation
from tests.bench.nodes import TwoNodes
from tests.bench.processes import BenchFault, free_ports
from tests.bench.scale import Scale

CALM = 50  # handsets' messages a second
WARM_UP = 50
LAST_S = 10.0  # chosen: what has not come by then never will
SHORT_CODE = "36000"
DELIVER_SM = 5
NUMBERED = re.compile(rb"message (\d+)")


class Customer:
    """An ESME that notes when each handset's message came."""

    def __init__(self) -> None:
        self.came: dict[int, float] = {}

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the connection ends: take everything."""
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                frame = await reader.readexactly(4)
                frame += await reader.readexactly(int.from_bytes(frame, "big") - 4)
                if int.from_bytes(frame[4:8], "big") != DELIVER_SM:
                    continue
                found = NUMBERED.search(frame)
                if found is not None:
                    self.came.setdefault(int(found[1]), time.perf_counter())
                writer.write(encode_pdu(DeliverSmResp(sequence_number=int.from_bytes(frame[12:16], "big"))))


@contextlib.asynccontextmanager
async def bound(port: int) -> AsyncIterator[Customer]:
    """The customer, bound there for the time of a block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode_pdu(BindTransceiver(sequence_number=1, system_id="bench", password=PASSWORD)))
    answer = await reader.readexactly(16)
    if answer[8:12] != b"\0\0\0\0":
        raise BenchFault(f"the customer's bind is refused: 0x{answer[8:12].hex()}")
    await reader.readexactly(int.from_bytes(answer[:4], "big") - 16)
    customer = Customer()
    listening = asyncio.create_task(customer.listen(reader, writer))
    try:
        yield customer
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.transport.abort()


async def measure(folder: Path, tools: Path, scale: Scale) -> Section:
    """One node, then two."""
    section = Section("Latency of handsets' messages, at 50/s")
    await _measure_one(section, "on one node", Installation(folder / "inbound", tools), scale)
    two = TwoNodes(folder / "inbound-two", tools)
    far = free_ports(1)[0]
    _bind_elsewhere(two, far)
    await _measure_one(section, "where the customer is bound on another node", two, scale, far)
    return section


def _bind_elsewhere(two: TwoNodes, port: int) -> None:
    """Node b has no carrier, and a port of its own."""
    file = two.folder / "passerelle-b.toml"
    before, _, rest = file.read_text(encoding="utf-8").partition("[[connector]]")
    own = before.replace(f":{two.smpp_port}", f":{port}") + rest[rest.index("[node]") :]
    file.write_text(own, encoding="utf-8")


async def _measure_one(section: Section, words: str, installation: Installation, scale: Scale, far: int = 0) -> None:
    p50 = section.figure(f"{words}, p50", "ms", decimals=2)
    p99 = section.figure(f"{words}, p99", "ms", most=1000, decimals=2)
    settings = SmscSettings.parse(listen=f"127.0.0.1:{installation.carrier_port}", log_fsync=False)
    try:
        await installation.prepare()
        code, said = await installation.cli("inbound", "route", "add", SHORT_CODE, "--esme", "bench")
        if code:
            raise BenchFault(f"passerelle inbound route add: {said}")
        async with SimulatedSmsc(settings) as carrier:
            await installation.start_node()
            if isinstance(installation, TwoNodes):
                await installation.start_neighbour()
            await carrier.until(lambda statistics: statistics.bound >= 4, LAST_S)
            async with bound(far or installation.smpp_port) as customer:
                await _send(carrier, customer, 0, WARM_UP)
                for number in range(scale.rounds):
                    took = await _send(carrier, customer, (number + 1) * 1_000_000, int(CALM * scale.rate_s))
                    p50.add(statistics.median(took))
                    p99.add(sorted(took)[int(len(took) * 0.99)])
            section.faults += await installation.leftovers()
    except TimeoutError:
        section.faults.append(f"{words}: a handset's message never came, or the carrier was not bound")
    finally:
        await installation.close()


async def _send(carrier: SimulatedSmsc, customer: Customer, first: int, count: int) -> list[float]:
    """So many at a calm rate; how long each took, in milliseconds."""
    began, sent = time.perf_counter(), {}
    for number in range(first, first + count):
        await asyncio.sleep(max(0.0, began + (number - first) / CALM - time.perf_counter()))
        sent[number] = time.perf_counter()
        carrier.deliver_inbound(f"2290197{number % 1_000_000:06d}", SHORT_CODE, f"message {number}")
    async with asyncio.timeout(LAST_S):
        while not sent.keys() <= customer.came.keys():
            await asyncio.sleep(0.01)
    return [(customer.came[number] - at) * 1000 for number, at in sent.items()]
