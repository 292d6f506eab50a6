"""Two nodes that share a port are restarted in turn under load: service goes on, nothing is lost, every message ends.

Source: decision 0015 (one port on one machine; takeover); promises P1, P2, P5. The proof is `passerelle check`.
What must not enter: ends without warning (test_several_nodes.py), one node's drain (test_drain.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from simulators.esme import SimulatedEsme
from tests.eventually import eventually
from tests.faults.mixed_load import TEXTS
from tests.faults.road import SOON, Road, road
from tests.running_node import Carrier, Login, RunningNode

WITHIN_S = 60.0  # chosen: far beyond a restart, or a takeover, on a busy machine
LOGINS = (Login(inbound_numbers=["36000"]), Login(system_id="campaign", account="shop", traffic_class="marketing"))
SMSC: dict[str, object] = {"latency_ms": "0..50", "receipt_delay_ms": "0..1500", "inbound_rate": 5}
CLIENT: dict[str, object] = {"messages": 0, "reconnect": True, "resend": True, "retry": True, "characters": 0}


def share_port(node: RunningNode, port: int) -> None:
    """Let a node listen where another one may listen, too."""
    own = f'listen = "127.0.0.1:{node.smpp_port}"\n'
    plain = node.config_file.read_text(encoding="utf-8")
    assert own in plain
    shared = plain.replace(own, f'listen = "127.0.0.1:{port}"\nshared_port = true\n', 1)
    node.config_file.write_text(shared, encoding="utf-8")
    node.smpp_port = port


@contextlib.asynccontextmanager
async def neighbours(folder: Path, dsn: str) -> AsyncIterator[tuple[Road, RunningNode, RunningNode]]:
    """A road whose node has a neighbour on the same port, with the same carrier."""
    async with road(folder, dsn, smsc=SMSC, logins=LOGINS, start=False) as way:
        lines = [Carrier(port=way.carrier.port, name=way.carrier.name, more=SOON)]
        other = RunningNode(folder / "b", lines, dsn, '[node]\nname = "b"\n')
        for node in (way.node, other):
            share_port(node, way.node.smpp_port)
        try:
            for node in (way.node, other):
                await node.start()
            yield way, way.node, other
        finally:
            if other.exit_code is None:
                await other.stop()


async def goes_on(clients: list[SimulatedEsme], after: str) -> None:
    """Each client has 40 more submissions accepted than now."""
    wanted = [client.summary.accepted + 40 for client in clients]
    await eventually(
        lambda: all(client.summary.accepted >= count for client, count in zip(clients, wanted, strict=True)),
        WITHIN_S,
        f"service after {after}",
    )


async def test_nodes_that_are_restarted_in_turn_serve_all_the_while(tmp_path: Path, database: str) -> None:
    async with neighbours(tmp_path, database) as (way, one, other):
        plans: list[dict[str, object]] = [
            {"rate": 60, "binds": 4, "texts": TEXTS},
            {"rate": 20, "binds": 2, "texts": TEXTS[:2], "system_id": "campaign"},
        ]
        async with contextlib.AsyncExitStack() as block:
            clients = [await block.enter_async_context(way.esme(**CLIENT | plan)) for plan in plans]
            for node in (one, other):
                await goes_on(clients, "the start")
                os.kill(node.pid, signal.SIGHUP)  # a careless `reload`: there is nothing to reload
                assert await node.stop() == 0, node.last_words()
                await goes_on(clients, "the end of a node")
                await node.start()
            await goes_on(clients, "both restarts")
            way.smsc.change({"inbound_rate": 0})
            for client in clients:
                client.workload.stop()
            await way.quiet(90)
        assert (one.exit_code, other.exit_code) == (None, None)
        await way.prove()
        accepted = sum(client.summary.accepted for client in clients)
        ended_well = "SELECT count(*) FILTER (WHERE state = 'delivered') + sum(in_doubt_count) FROM messages"
        assert await way.value(ended_well) >= accepted  # a doubt that a drain leaves may end as unknown
        told = json.loads(await way.value("SELECT jsonb_agg(live -> 'listens') FROM nodes"))
        assert [listens.get(f"127.0.0.1:{one.smpp_port}") for listens in told] == [True, True]
