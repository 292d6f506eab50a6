"""The metrics page of a node in this process: families, labels without numbers, and what supervisors are told.

Source: issue 2 (Prometheus metrics from the first day; no number or text in a label), defaults page.
What must not enter: counting (test_tallies.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from gateway.daemon.configuration import Endpoint, Secret, SmppConnector
from gateway.daemon.configuration_schema import Configuration, Limits, Metrics, Node, SmppServer, Storage
from gateway.daemon.node import run_node
from gateway.lanes import LANE_NAMES
from gateway.smpp.pdus import DeliverSm, DeliverSmResp, SubmitSmResp, Unbind
from gateway.storage import facts
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.conftest import CREDIT, HANDSET
from tests.gateway.ingress.conftest import HASH
from tests.gateway.raw_peer import raw_peer, submit
from tests.running_node import free_port

WITHIN_S = 15.0
FAMILIES = {
    "gw_build_info",
    "gw_messages",
    "gw_message_parts",
    "gw_carrier_answers",
    "gw_receipts",
    "gw_notifications",
    "gw_refused_pdus",
    "gw_accept_latency_seconds",
    "gw_submit_latency_seconds",
    "gw_dlr_latency_seconds",
    "gw_event_loop_lag_seconds",
    "gw_queue_depth",
    "gw_queue_oldest_seconds",
    "gw_smpp_window_in_flight",
    "gw_smpp_sessions",
    "gw_ledger_imbalance",
    "gw_database_away",
    "gw_limits_shared_by",
}


class LivingNode:
    """A node in this process, and its two ports."""

    def __init__(self, smpp_port: int, metrics_port: int) -> None:
        self.smpp_port = smpp_port
        self.metrics_port = metrics_port

    async def page(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.metrics_port}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample of the page, by name and labels."""
        status, text = await self.page("/metrics")
        assert status == 200
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest_asyncio.fixture
async def node(database: str, connection: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[LivingNode]:
    """A node with one ESME and a carrier that takes everything."""
    account_id = await facts.add_account(connection, "ours", 0, None)
    assert account_id is not None
    await facts.top_up(connection, account_id, 10 * CREDIT, "test")
    esme = facts.NewEsme("ours1", account_id, HASH, 10, 100, 0, [], "transactional")
    await facts.add_esme(connection, esme)
    await facts.add_sender_name(connection, account_id, "ACME", "approved")
    connector_id = await facts.ensure_connector(connection, "carrier-a", "smpp")
    route = facts.NewRoute(100, "*", None, None, None, None, None, [], connector_id, 1)
    await facts.add_route(connection, route)
    async with SimulatedSmsc(SmscSettings()) as smsc:
        living = LivingNode(free_port(), free_port())
        connector = SmppConnector("carrier-a", "smpp", (Endpoint(smsc.host, smsc.port),), "gw", Secret("gw"))
        configuration = Configuration(
            node=Node("a", tmp_path),
            storage=Storage(Secret(database)),
            smpp_server=SmppServer(Endpoint("127.0.0.1", living.smpp_port)),
            metrics=Metrics(Endpoint("127.0.0.1", living.metrics_port)),
            connectors=(connector,),
            limits=Limits(drain_timeout_s=5.0),
        )
        ready = asyncio.Event()
        running = asyncio.ensure_future(run_node(configuration, ready))
        try:
            async with asyncio.timeout(WITHIN_S):
                await ready.wait()
            await eventually(lambda: smsc.statistics.bound, WITHIN_S, "bound to the carrier")
            yield living
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def test_a_node_counts_a_messages_way_on_its_page(node: LivingNode, connection: asyncpg.Connection) -> None:
    assert (await node.page("/readyz"))[0] == 200
    assert (await node.page("/healthz"))[0] == 200
    async with raw_peer(node.smpp_port) as peer:
        assert await peer.bind() == 0
        peer.write(submit(), submit(source_addr="OTHER"))
        refused, accepted, receipt = sorted([await peer.read() for _ in range(3)], key=_kind)
        assert (refused.command_status, accepted.command_status) == (0x0A, 0)
        peer.writer.write(peer.octets(DeliverSmResp(sequence_number=receipt.sequence_number)))

        async def told() -> bool:
            return bool(await connection.fetchval("SELECT count(*) FROM messages WHERE notify = 'done'"))

        await eventually(told, WITHIN_S, "the receipt is closed")
        samples = await node.samples()
    for name, labels, value in (
        ("gw_messages_total", {"direction": "mt", "outcome": "accepted"}, 1),
        ("gw_messages_total", {"direction": "mt", "outcome": "delivered"}, 1),
        ("gw_messages_total", {"direction": "mt", "outcome": "sender_not_owned"}, 1),
        ("gw_message_parts_total", {"connector": "carrier-a"}, 1),
        ("gw_carrier_answers_total", {"connector": "carrier-a", "outcome": "taken"}, 1),
        ("gw_receipts_total", {"connector": "carrier-a", "outcome": "changed"}, 1),
        ("gw_notifications_total", {"outcome": "done"}, 1),
        ("gw_refused_pdus_total", {"side": "esme", "status": "0x0A"}, 1),
        ("gw_accept_latency_seconds_count", {}, 1),
        ("gw_submit_latency_seconds_count", {"connector": "carrier-a"}, 1),
        ("gw_dlr_latency_seconds_count", {"connector": "carrier-a"}, 1),
        *(("gw_queue_depth", {"queue": "carrier-a", "lane": lane}, 0) for lane in LANE_NAMES),
        ("gw_queue_depth", {"queue": "accept", "lane": ""}, 0),
        ("gw_smpp_window_in_flight", {"connector": "carrier-a"}, 0),
        ("gw_smpp_sessions", {"role": "esme", "peer": "ours1", "bind_type": "transceiver"}, 1),
        ("gw_smpp_sessions", {"role": "carrier", "peer": "carrier-a", "bind_type": "transceiver"}, 1),
        ("gw_ledger_imbalance", {}, 0),
        ("gw_database_away", {}, 0),
    ):
        assert samples[name, tuple(sorted(labels.items()))] == value, (name, labels)


def _kind(pdu: object) -> tuple[bool, bool]:
    """The refused answer, the good one, the receipt."""
    return isinstance(pdu, DeliverSm), isinstance(pdu, SubmitSmResp) and pdu.command_status == 0


async def test_a_node_that_is_told_to_end_drains_first(
    node: LivingNode, connection: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_peer(node.smpp_port) as peer:
        assert await peer.bind() == 0
        caplog.set_level(logging.INFO)
        os.kill(os.getpid(), signal.SIGTERM)
        while not isinstance(await peer.read(), Unbind):
            pass
        peer.writer.close()
    await eventually(lambda: "stopped" in caplog.messages, WITHIN_S, "drained")


async def test_every_family_is_there_and_no_label_holds_a_number_or_a_text(node: LivingNode) -> None:
    async with raw_peer(node.smpp_port) as peer:
        assert await peer.bind() == 0
        peer.write(submit(b"a secret text"))
        await peer.read()
        status, text = await node.page("/metrics")
    assert status == 200
    families = {family.name for family in text_string_to_metric_families(text)}
    assert families >= FAMILIES
    assert HANDSET not in text
    assert "secret text" not in text
    assert "ACME" not in text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label not in ("le", "version"):
                    assert not re.search(r"\d{6}", value), (sample.name, label, value)


async def test_without_its_database_a_node_lives_and_is_not_ready_until_it_is_back(
    node: LivingNode, connection: asyncpg.Connection, postgres_dsn: str
) -> None:
    name = await connection.fetchval("SELECT current_database()")
    server = await asyncpg.connect(postgres_dsn)
    try:
        await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)

        async def ready(status: int) -> bool:
            return (await node.page("/readyz"))[0] == status

        await eventually(lambda: ready(503), WITHIN_S, "not ready")
        assert (await node.page("/healthz"))[0] == 200
        assert (await node.samples())["gw_database_away", ()] == 1
        await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await eventually(lambda: ready(200), WITHIN_S, "ready again")
    finally:
        await server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await server.close()


@pytest.mark.parametrize("path", ["/", "/metrics/x"])
async def test_other_pages_are_not_there(node: LivingNode, path: str) -> None:
    assert (await node.page(path))[0] == 404
