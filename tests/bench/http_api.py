"""The HTTP API under load: messages accepted durably, one at a time and in hundreds; pages among millions; mixed reads.

`passerelle admin-api` and a node with its carrier, over one PostgreSQL, everything on the machine's cores together with
the client. What is accepted is sent on at the same time; at the end nothing may be lost and `passerelle check` holds.
What must not enter: the client (http_load.py), what an answer says.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from tests.bench.figures import Figure, Section
from tests.bench.http_load import Task, Told
from tests.bench.installation import NODE_PROGRAM, READY_TIMEOUT_S, Installation
from tests.bench.processes import BenchFault, Child, Meter, call, free_ports, quiet, start
from tests.bench.scale import Scale

MESSAGES, QUICK_MESSAGES = 10_000_000, 100_000  # for one account, among which a page is read
CONNECTIONS: Final = 32  # of a client as fast as it is answered
CALM: Final = 300  # single messages a second whose p99 is told
READS: Final = 1000  # mixed reads a second
ENDS_WITHIN_S: Final = 120.0  # chosen: what was accepted has left by then
TOML = """
[admin_api]
listen = "127.0.0.1:{port}"
metrics_listen = "127.0.0.1:{metrics_port}"
"""
FILL = """
INSERT INTO messages (account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count, data_coding,
    price_micros, expires_at_ms, source_addr, destination_addr, route_why, user_data, envelope, state, hold, notify,
    part_states, submitted_at_ms, final_at_ms)
SELECT a.account_id, $1::bigint + n * $2::bigint, -1, c.connector_id, 1, 'transactional', 1, 0, 0, 0, '1000',
       '229019' || lpad(n::text, 8, '0'), 'the only route', 'hello', $3, 'delivered', 'captured', 'no', 'D', 1, 1
  FROM generate_series($4::bigint, $5::bigint) n, accounts a, connectors c
 WHERE a.name = 'reader' AND c.name = 'carrier-a'
"""
PIECE = 500_000  # rows of one transaction


class Api:
    """The process, and two customers' keys: one sends, one has many messages."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.port, metrics_port = free_ports(2)
        with installation.toml.open("a", encoding="utf-8") as toml:
            toml.write(TOML.format(port=self.port, metrics_port=metrics_port))
        self.keys: dict[str, str] = {}
        self.child: Child | None = None
        self._asked = 0
        self.cpu_us = 0.0  # of its process, for an answer of the last load

    async def start(self) -> None:
        for account in ("reseller", "reader"):
            code, said = await self._installation.cli("api-key", "add", account, "bench", "--rate", "0")
            if code:
                raise BenchFault(f"api-key add: {said}")
            self.keys[account] = said["key"]
        words = (NODE_PROGRAM[0], "admin-api", "--config", self._installation.toml)
        self.child = await start(words, self._installation.folder / "api.jsonl")
        await self.child.said('"event":"ready"', READY_TIMEOUT_S)

    def get(self, path: str, account: str = "reader") -> bytes:
        """A GET as octets."""
        return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.keys[account]}\r\n\r\n".encode()

    def post(self, path: str, body: dict[str, Any], account: str = "reseller") -> bytes:
        """A POST as octets."""
        octets = msgspec.json.encode(body)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.keys[account]}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(octets)}\r\n\r\n".encode() + octets

    async def load(self, section: Section, requests: list[bytes], seconds: float, **more: Any) -> Told:
        """A client's round. Answers but 2xx are a fault of the run."""
        task = Task(self.port, requests, more.pop("connections", CONNECTIONS), seconds, first=self._asked, **more)
        assert self.child is not None
        meter = Meter({**self._installation.pids(), "api": [self.child.pid]})
        with meter:
            code, wrote, complained = await call(
                (sys.executable, "-m", "tests.bench.http_load"), msgspec.json.encode(task).decode()
            )
        if code:
            raise BenchFault(f"the client failed: {complained[-400:]}")
        told = msgspec.json.decode(wrote.encode(), type=Told)
        self._asked += sum(told.statuses.values())
        if set(told.statuses) - {"200", "202"}:
            section.faults.append(f"answers {told.statuses}: {told.first_fault}")
        section.other_cpu.append(meter.others(told.cpu_s))
        self.cpu_us = meter.cpu["api"] * 1e6 / max(1, sum(told.statuses.values()))
        return told


def p99(told: Told) -> float:
    """Milliseconds."""
    return statistics.quantiles(told.answer_ms, n=100)[98]


async def measure(folder: Path, tools: Path, scale: Scale, quick: bool) -> Section:
    """All of it, one round after the other."""
    section = Section("The HTTP API")
    messages = QUICK_MESSAGES if quick else MESSAGES
    singles = section.figure("POST /v1/messages, accepted durably", "1/s", least=2000)
    cpu_us = section.figure("CPU of the API's process for one of these", "us")
    hundreds = section.figure("the same to 100 recipients each", "recipients/s", least=5000)
    calm = section.figure(f"single ones at {CALM}/s, p99", "ms", most=30, decimals=1)
    pages = section.figure(f"a page of 200 among {messages:,}, p99", "ms", most=50, decimals=1)
    reads = section.figure("mixed reads, as many as are answered", "1/s", least=READS)
    reads_p99 = section.figure(f"mixed reads at {READS}/s, p99", "ms", decimals=1)
    if quick:
        section.notes.append(f"pages among {messages:,} messages instead of {MESSAGES:,}: --quick")
    installation = Installation(folder / "http_api", tools)
    api = Api(installation)
    try:
        await installation.prepare()
        await installation.cli("account", "add", "reader", "--credits", "1000")
        async with installation.carrier():
            await installation.start_node()
            await api.start()
            section.notes.append(f"{messages:,} messages written in {await fill(installation, messages):.0f} s")
            for _ in range(scale.rounds):
                await quiet(scale.patience_s)
                await _round(api, section, scale, (singles, cpu_us, hundreds, calm, pages, reads, reads_p99))
                await _sent_on(installation)
            section.faults += await installation.leftovers()
    finally:
        if api.child is not None:
            await api.child.end()
        await installation.close()
    return section


async def _round(api: Api, section: Section, scale: Scale, figures: tuple[Figure, ...]) -> None:
    singles, cpu_us, hundreds, calm, pages, reads, reads_p99 = figures
    one = {"to": "+22901@@@@@@@@", "from": "1000", "text": "Your code is 123456."}
    many = {**one, "to": [f"+229019{n:07d}" for n in range(100)]}
    told = await api.load(section, [api.post("/v1/messages", one)], scale.rate_s)
    singles.add(sum(told.statuses.values()) / told.seconds)
    cpu_us.add(api.cpu_us)
    told = await api.load(section, [api.post("/v1/messages", many)], scale.rate_s, connections=8)
    hundreds.add(100 * sum(told.statuses.values()) / told.seconds)
    await asyncio.sleep(2.0)  # what was accepted is on its way
    told = await api.load(section, [api.post("/v1/messages", one)], scale.rate_s, rate=CALM)
    calm.add(p99(told))
    told = await api.load(section, [api.get("/v1/messages?limit=200")], scale.rate_s, connections=1)
    pages.add(p99(told))
    mixed = [
        api.get("/v1/balance"),
        api.get("/v1/messages?limit=20"),
        api.get("/v1/ledger?limit=20"),
        api.get("/v1/delivery-reports?limit=20"),
        api.post("/v1/messages/estimate", {"to": "+2290197000001", "text": "Bonjour à tous"}),
        api.post("/v1/lookups", {"numbers": ["97000001", "+33612345678"], "country": "BJ"}),
    ]
    told = await api.load(section, mixed, scale.rate_s)
    reads.add(sum(told.statuses.values()) / told.seconds)
    reads_p99.add(p99(await api.load(section, mixed, scale.rate_s, rate=READS)))


async def fill(installation: Installation, count: int) -> float:
    """So many delivered messages of the account `reader` since midnight; how many seconds it took."""
    began = time.monotonic()
    now_ms = int(time.time() * 1000)
    midnight_ms = now_ms // 86_400_000 * 86_400_000
    step = ((now_ms - midnight_ms) << 20) // (count + 1)
    connection = await asyncpg.connect(installation.postgres.dsn)
    try:
        envelope = msgspec.msgpack.encode([])
        for first in range(0, count, PIECE):
            last = min(first + PIECE, count) - 1
            await connection.execute(FILL, midnight_ms << 20, step, envelope, first, last, timeout=600)
        await connection.execute("ANALYZE messages", timeout=600)
    finally:
        await connection.close()
    return time.monotonic() - began


async def _sent_on(installation: Installation) -> None:
    """Wait until the carrier has what was accepted."""
    until = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < until and await installation.waiting():
        await asyncio.sleep(0.5)
