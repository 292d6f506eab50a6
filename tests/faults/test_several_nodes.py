"""Two nodes as processes over one PostgreSQL and one carrier: receipts cross, one is killed or stopped, all is kept.

Source: decision 0015; promises P1 to P5. The proof is `passerelle check` over the rows and all logs.
What must not enter: single nodes (test_kills.py), rooms (tests/gateway/cluster).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

from simulators.esme import EsmeSettings, SimulatedEsme
from tests.eventually import eventually
from tests.faults.road import SOON, Road, road
from tests.running_node import PASSWORD, SYSTEM_ID, Carrier, RunningNode

WITHIN_S = 40.0  # chosen: far beyond a takeover on a busy machine
HELD_BY_B = "SELECT count(*) FROM held_spans s JOIN nodes n ON n.node_id = s.holder_node WHERE n.name = 'b'"


class Pair:
    """The road's own node is a; b stands beside it."""

    def __init__(self, way: Road, b: RunningNode) -> None:
        self.way = way
        self.a = way.node
        self.b = b

    def esme_at_b(self, **plain: object) -> SimulatedEsme:
        log = self.way.folder / f"esme-b-{len(self.way.esme_logs)}.jsonl"
        self.way.esme_logs.append(log)
        settings: dict[str, object] = {"system_id": SYSTEM_ID, "password": PASSWORD, "characters": 24}
        settings |= {"log": log, "log_fsync": False, "seed": 77} | plain
        return SimulatedEsme(EsmeSettings.parse(f"127.0.0.1:{self.b.smpp_port}", **settings))

    async def taken_over(self, since: float) -> None:
        async def is_held() -> bool:
            return bool(await self.way.value(HELD_BY_B) >= 2)

        await eventually(is_held, WITHIN_S, "b holds what a held")
        print(f"taken over after {time.monotonic() - since:.1f} s")  # noqa: T201 - a figure, not a condition


@contextlib.asynccontextmanager
async def pair(
    folder: Path,
    dsn: str,
    smsc: dict[str, object],
    carriers_of_b: int = 1,
    connector: dict[str, object] | None = None,
) -> AsyncIterator[Pair]:
    async with road(folder, dsn, smsc=smsc, connector=connector) as way:
        more = SOON | (connector or {})
        lines = [Carrier(port=way.carrier.port, name=way.carrier.name, more=more)] * carriers_of_b
        b = RunningNode(folder / "b", lines, dsn, '[node]\nname = "b"\n')
        await b.start()
        try:
            yield Pair(way, b)
        finally:
            if b.exit_code is None:
                await b.stop()


async def test_receipts_cross_between_two_nodes(tmp_path: Path, database: str) -> None:
    async with pair(tmp_path, database, {"receipt_delay_ms": "0..50"}) as two:
        async with two.way.esme(rate=100, messages=150) as at_a, two.esme_at_b(rate=100, messages=150) as at_b:
            await eventually(lambda: at_a.summary.accepted + at_b.summary.accepted >= 300, WITHIN_S, "300 accepted")
            await two.way.quiet(WITHIN_S)
        await two.way.prove()
        assert await two.way.states() == {"delivered": 300}
        assert two.a.exit_code is None
        assert two.b.exit_code is None


async def test_a_node_without_carriers_hands_its_customers_messages_to_the_one_that_has_them(
    tmp_path: Path, database: str
) -> None:
    async with pair(tmp_path, database, {"receipt_delay_ms": "0..50"}, carriers_of_b=0) as two:
        async with two.esme_at_b(rate=100, messages=150, retry=True) as at_b:
            await eventually(lambda: at_b.summary.accepted >= 150, WITHIN_S, "150 accepted")
            await two.way.quiet(WITHIN_S)
        await two.way.prove()
        assert await two.way.states() == {"delivered": 150}


async def test_a_receipt_reaches_its_customer_on_the_other_node(tmp_path: Path, database: str) -> None:
    async with pair(tmp_path, database, {"receipt_delay_ms": "1500..2500"}) as two:
        async with two.way.esme(rate=100, messages=20) as at_a:
            await eventually(lambda: at_a.summary.accepted >= 20, WITHIN_S, "20 accepted by a")
        async with two.esme_at_b(rate=1, messages=1):
            await two.way.quiet(WITHIN_S)
        assert await two.way.value("SELECT count(*) FROM messages WHERE notify = 'done'") == 21
        await two.way.prove()  # among other things: what is told was heard, and b's client is the only one left


async def test_a_killed_node_is_taken_over_and_comes_back(tmp_path: Path, database: str) -> None:
    smsc: dict[str, object] = {"receipt_delay_ms": "10..300", "latency_ms": "0..50"}
    async with pair(tmp_path, database, smsc) as two:
        client = {"rate": 100, "messages": 0, "reconnect": True, "resend": True, "retry": True}
        async with two.way.esme(**client) as at_a, two.esme_at_b(rate=50, messages=0) as at_b:
            await eventually(lambda: min(at_a.summary.accepted, at_b.summary.accepted) > 50, WITHIN_S, "traffic")
            since = time.monotonic()
            await two.a.kill()
            await two.taken_over(since)
            await two.a.start()
            await two.way.goes_on(at_a, WITHIN_S, "the return of a", 20)
            at_a.workload.stop()
            at_b.workload.stop()
            await two.way.quiet(90)
        await two.way.prove()


async def test_a_stopped_node_that_goes_on_sends_nothing_stale(tmp_path: Path, database: str) -> None:
    async with pair(tmp_path, database, {"receipt_delay_ms": "10..300"}) as two:
        client = {"rate": 100, "messages": 0, "reconnect": True, "resend": True, "retry": True}
        async with two.way.esme(**client) as at_a:
            await eventually(lambda: at_a.summary.accepted > 100, WITHIN_S, "traffic")
            since = time.monotonic()
            os.kill(two.a.pid, signal.SIGSTOP)
            try:
                await two.taken_over(since)
            finally:
                os.kill(two.a.pid, signal.SIGCONT)
            assert await two.a.until_ended() != 0
            assert [line for line in two.a.log_lines() if line.get("event") == "node_fenced"]
            at_a.workload.stop()
            await two.a.start()
            await two.way.quiet(90)
        await two.way.prove()
