"""Two nodes over one PostgreSQL and one shared port, beside one node and Kannel, in turn and under the same load.

The load: as throughput.py's, but from 8 binds of window 50, so that the kernel gives each node some. Both installations
stand all the time; who is not measured rests.
What must not enter: what happens when a node dies (tests/faults/test_several_nodes.py prints the time of a takeover).
"""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

from tests.bench import kannel
from tests.bench.figures import Section
from tests.bench.installation import NODE_PROGRAM, READY_TIMEOUT_S, Installation
from tests.bench.processes import BenchFault, Child, cpu_s, free_ports, quiet, start
from tests.bench.rounds import Round, Rounds
from tests.bench.scale import Scale

BINDS = 8
WARM_UP = 10_000  # messages before the count begins, over both nodes
NAMES = ("a", "b")
SHARED = "[smpp_server]\nshared_port = true\n"
MORE = '[node]\nname = "{name}"\n[storage]\ndsn = {{ value = {dsn} }}\n'


class TwoNodes(Installation):
    """An installation with a neighbour: `node` is a, `neighbour` is b, on one port of one machine."""

    def __init__(self, folder: Path, tools: Path) -> None:
        super().__init__(folder, tools)
        self.neighbour: Child | None = None
        text = self.toml.read_text(encoding="utf-8").replace("[smpp_server]\n", SHARED)
        metrics = text.split("[metrics]\nlisten = ")[1].splitlines()[0]
        dsn = json.dumps(self.postgres.dsn)
        for name, listen in zip(NAMES, (metrics, f'"127.0.0.1:{free_ports(1)[0]}"'), strict=True):
            own = text.replace(metrics, listen) + MORE.format(name=name, dsn=dsn)
            self._toml_of(name).write_text(own, encoding="utf-8")
        self.toml = self._toml_of("a")

    def _toml_of(self, name: str) -> Path:
        return self.folder / f"passerelle-{name}.toml"

    async def prepare(self) -> None:
        """The tables first: a PostgreSQL that is named by its DSN gets them by hand."""
        await self.postgres.start()
        code, said = await self.cli("migrate")
        if code:
            raise BenchFault(f"passerelle migrate: {said}")
        await super().prepare()

    async def start_neighbour(self) -> None:
        """Start b; a runs."""
        words = [*NODE_PROGRAM, "--config", self._toml_of("b")]
        self.neighbour = await start(words, self.folder / "b.jsonl")
        await self.neighbour.said('"event":"ready"', READY_TIMEOUT_S)

    async def end_node(self, number: int = signal.SIGTERM) -> None:
        """End both."""
        if self.neighbour is not None:
            await self.neighbour.end(number)
            self.neighbour = None
        await super().end_node(number)

    def node_pids(self) -> list[int]:
        return [each.pid for each in (self.node, self.neighbour) if each is not None]

    def pids(self) -> dict[str, list[int]]:
        """The families that work; both nodes are the gateway."""
        return super().pids() | {"gateway": self.node_pids()}

    async def leftovers(self) -> list[str]:
        """As one node's, and b must live."""
        gone = self.neighbour is None or self.neighbour.exit_code is not None
        return (["node b ended by itself"] if gone else []) + await super().leftovers()


async def measure(folder: Path, tools: Path, scale: Scale, with_kannel: bool) -> Section:
    """Rounds of two nodes, one node, Kannel without store, in turn."""
    section = Section("Two nodes over one PostgreSQL, with receipts")
    rate = section.figure("messages a second, two nodes", "1/s", least=12_000)
    gateway_us = section.figure("CPU of both nodes", "us a message")
    postgres_us = section.figure("CPU of PostgreSQL, all its processes", "us a message")
    busier = section.figure("of the nodes' CPU, the busier one's", "%")
    one_rate = section.figure("messages a second, one node", "1/s")
    one_us = section.figure("CPU of the one node", "us a message")
    gain = section.figure("times one node", "x", decimals=2)
    ratio = section.figure("times Kannel without store", "x", least=2.7, decimals=2)
    plain_rate = section.figure("Kannel, no store", "1/s")
    beside = with_kannel and kannel.is_installed()
    if not beside:
        ratio.absent = plain_rate.absent = "Kannel is not installed" if with_kannel else "left out as wished"
    one, two = Installation(folder / "one", tools), TwoNodes(folder / "two", tools)
    try:
        await one.prepare()
        await two.prepare()
        async with one.carrier() as first, two.carrier() as second:
            await one.start_node()
            await two.start_node()
            await two.start_neighbour()
            await one.submit(WARM_UP, binds=BINDS)
            await two.submit(WARM_UP, binds=BINDS)
            alone = Rounds(one, first, section, scale.patience_s)
            together = Rounds(two, second, section, scale.patience_s)
            for _ in range(scale.rounds):
                shared, share = await _round_of_two(two, together, scale.messages)
                section.faults += await two.leftovers()
                single = await alone.run(scale.messages, binds=BINDS)
                section.faults += await one.leftovers()
                rate.add(shared.client["receipt_rate"])
                gateway_us.add(shared.gateway_us)
                postgres_us.add(shared.postgres_us)
                busier.add(share)
                one_rate.add(single.client["receipt_rate"])
                one_us.add(single.gateway_us)
                gain.add(shared.client["receipt_rate"] / single.client["receipt_rate"])
                if beside:
                    await quiet(scale.patience_s)
                    plain = await kannel.run(folder / "kannel", tools, "none", scale.kannel_messages)
                    section.faults += plain.faults
                    section.other_cpu.append(plain.other_cpu)
                    ratio.add(shared.client["receipt_rate"] / plain.rate)
                    plain_rate.add(plain.rate)
    finally:
        await two.close()
        await one.close()
        shutil.rmtree(folder / "kannel", ignore_errors=True)
    return section


async def _round_of_two(two: TwoNodes, together: Rounds, messages: int) -> tuple[Round, float]:
    """A round, and the busier node's share of both nodes' processor time, in %."""
    before = [cpu_s([pid]) for pid in two.node_pids()]
    measured = await together.run(messages, binds=BINDS)
    used = [cpu_s([pid]) - earlier for pid, earlier in zip(two.node_pids(), before, strict=True)]
    return measured, 100 * max(used) / max(0.01, sum(used))
