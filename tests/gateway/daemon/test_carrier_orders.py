"""What operators ask of ways out, with two living nodes: in force everywhere, done once by each, kept over a restart.

Source: decision 0005. Two nodes in this process over one PostgreSQL, two carriers with two binds each.
What must not enter: other ways for what waits (tests/gateway/test_rerouting.py), words for people.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from gateway.daemon.configuration import Endpoint, Secret, SmppConnector
from gateway.daemon.configuration_schema import Configuration, Limits, Metrics, Node, SmppServer, Storage
from gateway.daemon.node import run_node
from gateway.smpp.pdus import Pdu, SubmitSmResp, Unbind
from gateway.storage import carriers, commands, facts, inspection, versions
from gateway.wall_clock import wall_ms
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.conftest import CREDIT
from tests.gateway.ingress.conftest import HASH
from tests.gateway.raw_peer import RawPeer, raw_peer, submit
from tests.running_node import free_port

WITHIN_S = 60.0
BINDS = 2
WORTH_MS = 3_600_000
LIKE_A_CRASH = """
WITH gone AS (UPDATE nodes SET seen_at = now() - interval '1 minute' WHERE name = 'b' RETURNING node_id)
UPDATE connector_reach r SET binds = 2 FROM gone WHERE r.node_id = gone.node_id
"""


class Nodes:
    """Nodes of this process that come and go, and their carriers."""

    def __init__(self, dsn: str, connection: asyncpg.Connection, smscs: dict[str, SimulatedSmsc], folder: Path) -> None:
        self.connection = connection
        self.smscs = smscs
        self.ids: dict[str, int] = {}
        self.smpp_port = {"a": free_port(), "b": free_port()}
        self._dsn = dsn
        self._folder = folder

    def _configuration(self, name: str) -> Configuration:
        return Configuration(
            node=Node(name, self._folder / name),
            storage=Storage(Secret(self._dsn)),
            smpp_server=SmppServer(Endpoint("127.0.0.1", self.smpp_port[name])),
            metrics=Metrics(Endpoint("127.0.0.1", free_port())),
            connectors=tuple(
                SmppConnector(each, "smpp", (Endpoint(smsc.host, smsc.port),), "gw", Secret("gw"), binds=BINDS)
                for each, smsc in self.smscs.items()
            ),
            limits=Limits(drain_timeout_s=5.0),
        )

    @contextlib.asynccontextmanager
    async def living(self, *names: str) -> AsyncIterator[None]:
        """These nodes, ready; drained with the block."""
        async with asyncio.TaskGroup() as tasks:
            running = []
            try:
                for name in names:
                    ready = asyncio.Event()
                    running.append(tasks.create_task(run_node(self._configuration(name), ready)))
                    async with asyncio.timeout(WITHIN_S):
                        await ready.wait()
                yield
            finally:
                for task in running:
                    task.cancel()

    async def owners(self, connector: str) -> int:
        """How many nodes hold binds of a connector, by their rows."""
        found: int = await self.connection.fetchval(
            "SELECT count(DISTINCT node_id) FROM bind_owners WHERE connector_id = $1", self.ids[connector]
        )
        return found

    async def ended(self, command_id: int) -> carriers.Order:
        """The order, once every node has closed its part."""

        async def is_over() -> bool:
            found = await carriers.find_order(self.connection, command_id)
            return found is not None and found.state in ("done", "failed")

        await eventually(is_over, WITHIN_S, "the nodes did it")
        found = await carriers.find_order(self.connection, command_id)
        assert found is not None
        return found

    async def wish(self, connector: str, wish: carriers.Wish) -> carriers.Order:
        async with self.connection.transaction():
            command_id = await carriers.order_wish(self.connection, self.ids[connector], wish, "somebody")
        return await self.ended(command_id)


async def hears(peer: RawPeer, kind: type[Pdu]) -> None:
    """Read until such a PDU came; on a busy machine the node may ask for a sign of life before."""
    while not isinstance(await peer.read(), kind):
        pass


@pytest_asyncio.fixture
async def nodes(database: str, connection: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Facts for two nodes: a login, two carriers, a route to each, carrier-a's first."""
    account_id = await facts.add_account(connection, "ours", 0, None)
    assert account_id is not None
    await facts.top_up(connection, account_id, 100 * CREDIT, "test")
    await facts.add_esme(connection, facts.NewEsme("ours1", account_id, HASH, 10, 100, 0, [], "transactional"))
    await facts.add_sender_name(connection, account_id, "ACME", "approved")
    async with SimulatedSmsc(SmscSettings()) as first, SimulatedSmsc(SmscSettings()) as second:
        made = Nodes(database, connection, {"carrier-a": first, "carrier-b": second}, tmp_path)
        for order, name in enumerate(made.smscs):
            made.ids[name] = await facts.ensure_connector(connection, name, "smpp")
            route = facts.NewRoute(order, "*", None, None, None, None, None, [], made.ids[name], 1)
            await facts.add_route(connection, route)
        yield made


async def test_a_stopped_connector_has_no_bind_and_no_message_on_any_node_and_stays_so_over_a_restart(
    nodes: Nodes,
) -> None:
    first, second = nodes.smscs.values()
    async with nodes.living("a", "b"):

        async def all_share() -> bool:
            return [await nodes.owners(name) for name in nodes.smscs] == [2, 2] and first.statistics.bound == BINDS

        await eventually(all_share, WITHIN_S, "both nodes hold binds of both carriers")
        order = await nodes.wish("carrier-a", "stop")
        assert order.state == "done"
        assert [part.node for part in order.parts] == ["a", "b"]
        await eventually(lambda: first.statistics.bound == 0, WITHIN_S, "its binds are ended")

        async def is_nobodys() -> bool:
            return await nodes.owners("carrier-a") == 0

        await eventually(is_nobodys, WITHIN_S, "its rows are given back")
        assert second.statistics.bound == BINDS

        async with raw_peer(nodes.smpp_port["b"]) as peer:
            assert await peer.bind() == 0
            peer.write(submit())
            await hears(peer, SubmitSmResp)
        await eventually(lambda: second.statistics.taken == 1, WITHIN_S, "the other carrier has it")
        seen = carriers.carriers_seen(await inspection.load_nodes(nodes.connection))
        assert {each.node for each in seen["carrier-a"]} == {"a", "b"}

    assert first.statistics.submits == 0
    binds = first.statistics.binds
    async with nodes.living("a"):
        await eventually(lambda: second.statistics.bound == BINDS, WITHIN_S, "the other carrier is bound")
        assert (await nodes.owners("carrier-a"), first.statistics.binds) == (0, binds)

        order = await nodes.wish("carrier-a", "run")
        assert [(part.node, part.state) for part in order.parts] == [("a", "done")]
        await eventually(lambda: first.statistics.bound == BINDS, WITHIN_S, "bound again")


async def test_a_node_that_is_away_is_told_so_and_does_it_when_it_is_back(nodes: Nodes) -> None:
    connection = nodes.connection
    async with nodes.living("a", "b"):
        pass
    await connection.execute(LIKE_A_CRASH)
    async with nodes.living("a"):
        async with connection.transaction():
            command_id = await carriers.order_wish(connection, nodes.ids["carrier-a"], "drain", "somebody")

        async def a_did_it() -> bool:
            order = await carriers.find_order(connection, command_id)
            return order is not None and "done" in {part.state for part in order.parts}

        await eventually(a_did_it, WITHIN_S, "the living node did it")
        order = await carriers.find_order(connection, command_id)
        assert order is not None
        assert [(part.node, part.state, part.away) for part in order.parts] == [
            ("a", "done", False),
            ("b", "asked", True),
        ]
        assert order.state == "asked"
    async with nodes.living("b"):
        assert (await nodes.ended(command_id)).state == "done"


async def test_rebind_and_unbind_end_what_is_bound_once_and_are_refused_when_they_are_late(nodes: Nodes) -> None:
    connection, first = nodes.connection, nodes.smscs["carrier-a"]
    connector_id = nodes.ids["carrier-a"]
    async with nodes.living("a"):
        await eventually(lambda: first.statistics.bound == BINDS, WITHIN_S, "bound to the carrier")
        binds = first.statistics.binds
        async with connection.transaction():
            command_id = await carriers.order_rebind(connection, connector_id, wall_ms() + WORTH_MS, "somebody")
        order = await nodes.ended(command_id)
        assert order.state == "done"
        await eventually(lambda: first.statistics.binds == binds + BINDS, WITHIN_S, "bound anew")
        await eventually(lambda: first.statistics.bound == BINDS, WITHIN_S, "and no more than before")

        async with raw_peer(nodes.smpp_port["a"]) as peer:
            assert await peer.bind() == 0
            async with connection.transaction():
                late_id = await carriers.order_unbind(connection, "ours1", 0, "somebody")
            order = await nodes.ended(late_id)
            assert (order.state, [part.why for part in order.parts]) == ("failed", ["too_late"])
            async with connection.transaction():
                command_id = await carriers.order_unbind(connection, "ours1", wall_ms() + WORTH_MS, "somebody")
            await hears(peer, Unbind)
        order = await nodes.ended(command_id)
        assert [part.result for part in order.parts] == [{"ended": 1}]


async def test_a_version_of_the_routes_is_taken_up_whole_by_every_node(nodes: Nodes) -> None:
    first, second = nodes.smscs.values()
    connection = nodes.connection
    async with nodes.living("a", "b"):
        await eventually(lambda: first.statistics.bound + second.statistics.bound == 2 * BINDS, WITHIN_S, "bound")
        (former, latter) = await facts.load_routes(connection)
        async with connection.transaction():
            applied = await versions.put_in_force(connection, "routes", [latter])
        assert (applied.removed, applied.version) == (1, applied.former + 1)
        for name in nodes.smpp_port:
            async with raw_peer(nodes.smpp_port[name]) as peer:
                assert await peer.bind() == 0
                before = second.statistics.taken

                async def goes_by_the_new_one(peer: RawPeer = peer, before: int = before) -> bool:
                    peer.write(submit(registered_delivery=0))
                    await hears(peer, SubmitSmResp)
                    return second.statistics.taken > before

                await eventually(goes_by_the_new_one, WITHIN_S, f"node {name} chooses by the new version")
        async with connection.transaction():
            rows = await versions.routes_of_version(connection, applied.former)
            await versions.put_in_force(connection, "routes", rows, equal_to=applied.former)
    assert await facts.load_routes(connection) == [former, latter]


async def test_what_any_node_may_do_is_done_by_one(nodes: Nodes) -> None:
    connection = nodes.connection
    async with nodes.living("a", "b"):
        asked = [
            await commands.ask(connection, "esme_unbind", {"system_id": "ours1", "until_ms": 0}, "somebody")
            for _ in range(20)
        ]
        for command_id in asked:
            await nodes.ended(command_id)
    ended = await connection.fetch("SELECT result FROM node_commands WHERE command_id = ANY ($1)", asked)
    assert [row["result"] for row in ended] == ['{"why": "too_late"}'] * 20
