"""A gateway under test: a folder with its TOML, an embedded PostgreSQL, facts by the command line, a node as a process.

It is driven only as an operator drives it: `passerelle`, the TOML, SMPP. PostgreSQL is held by the bench as well, so
that it outlives nodes and its processes are known.
What must not enter: measuring, knowledge of tables (but for the proof that a slow flush acts).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from gateway.storage.embedded import EmbeddedPostgres
from tests.bench import load
from tests.bench.processes import BenchFault, Child, call, free_ports, start

PASSWORD = "secret"
READY_TIMEOUT_S = 60.0  # chosen: past it a start has failed, whatever the target
COMMITS_TRIED = 60  # chosen: enough for a median
NODE_PROGRAM = (Path(sys.executable).with_name("passerelle"), "node")

TOML = """\
[smpp_server]
listen = "127.0.0.1:{smpp_port}"
[metrics]
listen = "127.0.0.1:{metrics_port}"
[[connector]]
name = "carrier-a"
kind = "smpp"
address = "127.0.0.1:{carrier_port}"
system_id = "gw"
password = {{ value = "gw" }}
binds = 4
window = 50
reconnect_max_s = 1
"""

FACTS = (
    "account add reseller --credits 1000000000",
    "esme add bench --account reseller --password-stdin --max-binds 100 --window 1000",
    "sender add 1000 --account reseller --approved",
    "route add --to * --connector carrier-a",
    "rate add --to * --credits 1",
)


class Installation:
    """One gateway. `node` is None while it does not run."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.tools = tools  # where the load tool is built
        self.smpp_port, metrics_port, self.carrier_port = free_ports(3)
        self.node: Child | None = None
        folder.mkdir(parents=True)
        ports = {"smpp_port": self.smpp_port, "metrics_port": metrics_port, "carrier_port": self.carrier_port}
        self.toml = folder / "passerelle.toml"
        self.toml.write_text(TOML.format(**ports), encoding="utf-8")
        self.postgres = EmbeddedPostgres(folder / ".passerelle" / "postgres", die_with_owner=True)

    async def cli(self, *words: str, given: str = "") -> tuple[int, Any]:
        """A command of the operator: exit code and its JSON. Raises BenchFault when it says none."""
        program = NODE_PROGRAM[0]
        code, wrote, complained = await call(
            [program, *words, "--config", self.toml, "--json"], given, patience_s=READY_TIMEOUT_S * 5
        )
        try:
            return code, json.loads(wrote)
        except ValueError:
            raise BenchFault(f"passerelle {' '.join(words)}: {complained.strip()[-800:]} {wrote[-200:]}") from None

    async def prepare(self) -> None:
        """Everything a node needs."""
        await self.postgres.start()
        for fact in FACTS:
            given = PASSWORD + "\n" if "stdin" in fact else ""
            code, said = await self.cli(*fact.split(), given=given)
            if code:
                raise BenchFault(f"passerelle {fact}: {said}")

    # -- the node's life

    async def start_node(self, *program: str | Path) -> float:
        """Seconds from exec to its `ready`; program: instead of `passerelle node`."""
        words = [*(program or NODE_PROGRAM), "--config", self.toml]
        self.node = await start(words, self.folder / "node.jsonl")
        return await self.node.said('"event":"ready"', READY_TIMEOUT_S)

    async def end_node(self, number: int = signal.SIGTERM) -> None:
        """End it, in order or not."""
        if self.node is not None:
            await self.node.end(number)
            self.node = None

    async def restart_postgres(self, environment: dict[str, str] | None = None) -> None:
        """End the server and start it with other variables."""
        await self.postgres.stop()
        kept = dict(os.environ)
        os.environ.update(environment or {})
        try:
            await self.postgres.start()
        finally:
            os.environ.clear()
            os.environ.update(kept)

    async def close(self) -> None:
        """End everything."""
        await self.end_node()
        await self.postgres.stop()

    # -- questions

    def pids(self) -> dict[str, list[int]]:
        """The families that work: gateway and PostgreSQL."""
        server = self.postgres.server_pid()
        if self.node is None or server is None:
            raise BenchFault("the node or PostgreSQL does not run")
        return {"gateway": [self.node.pid], "postgres": [server]}

    async def check(self) -> list[str]:
        """What `passerelle check` has against this installation; empty when every promise holds."""
        code, said = await self.cli("check")
        failed = [
            f"check: {proof['promise']} {proof['proof']}: {proof['failed']} of {proof['checked']} failed"
            for proof in said["proofs"]
            if proof["failed"]
        ]
        return failed or ([f"check: exit code {code}"] if code else [])

    async def leftovers(self) -> list[str]:
        """What a run must not leave behind: a dead node, broken promises, waiting messages. Empty when all is well."""
        told = []
        if self.node is None or self.node.exit_code is not None:
            told.append(f"the node ended by itself: {self.node.exit_code if self.node else 'never started'}")
        told += await self.check()
        waiting = await self.waiting()
        if waiting:
            told.append(f"{waiting} messages still wait for the carrier")
        return told

    async def waiting(self) -> int:
        """Messages stored as queued, by `passerelle queue`."""
        _, said = await self.cli("queue")
        return sum(row["queued"] for row in said["connectors"])

    async def commit_ms(self) -> float:
        """Median time of a one-row commit: what a flush of this disk costs, with all else beside it."""
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            await connection.execute("CREATE TABLE IF NOT EXISTS bench_commits (n integer)")
            samples = []
            for number in range(COMMITS_TRIED):
                before = time.perf_counter()
                await connection.execute("INSERT INTO bench_commits VALUES ($1)", number)
                samples.append((time.perf_counter() - before) * 1000)
            await connection.execute("DROP TABLE bench_commits")
        finally:
            await connection.close()
        return statistics.median(samples)

    @contextlib.asynccontextmanager
    async def carrier(self, *more: str) -> AsyncIterator[load.Sink]:
        """A carrier where the TOML says it is."""
        async with load.sink(self.tools, *more, port=self.carrier_port) as running_sink:
            yield running_sink

    async def submit(self, messages: int, **more: Any) -> dict[str, Any]:
        """Load this gateway."""
        return await load.submit(self.tools, self.smpp_port, messages, **more)
