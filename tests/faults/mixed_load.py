"""Everything at once, as a node meets it: classes, long messages, flaky customers, refusals, doubts, expiry, handsets.

What belongs here: the carriers' habits, the logins, the clients, and the proxy of the flaky one. Rates are for two
busy cores. Used by the crash points, the kills and the soak, so that each finds every path under way.
What must not enter: what is broken meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from gateway.storage import facts
from simulators.esme import SimulatedEsme
from simulators.fault_proxy import FaultProxy, ProxySettings
from tests.faults.road import SOON, Road, road
from tests.running_node import PASSWORD, SENDER, Login

HOPELESS = "33612"  # numbers below it go to the carrier that takes nothing
FIRST: dict[str, object] = {
    "latency_ms": "0..30",
    "receipt_delay_ms": "0..400",
    "receipt_early": 0.1,
    "receipt_duplicate": 0.05,
    "receipt_intermediate": True,
    "receipt_mix": "UNDELIV/011=0.05",
    "error_mix": "0x58=0.005,0x14=0.002,0x0B=0.05",
    "silence": 0.01,
    "inbound_rate": 20,
}
SECOND: dict[str, object] = {"latency_ms": "0..30", "receipt_delay_ms": "0..400", "id_dress": "hex"}
TAKES_NOTHING: dict[str, object] = {"congested": True}
CARRIERS: Sequence[dict[str, object]] = (FIRST, SECOND, TAKES_NOTHING)
# response_timeout_s: what carriers keep silent about is in doubt soon
CONNECTOR = SOON | {"window": 4, "response_timeout_s": 3.0}
SMALL_QUEUE = "[limits]\nconnector_queue = 10"  # so that bursts wait as rows and are read back
LOGINS = (
    Login(inbound_numbers=["36000"]),
    Login(system_id="campaign", account="shop", traffic_class="marketing"),
    Login(system_id="flaky", account="bank", traffic_class="otp"),
    Login(system_id="hasty", account="shop", traffic_class="service"),
)
TEXTS = ("Bonjour", "Votre code est 123456", "é" * 200, "ș" * 150)  # one part, one, two, three
COMES_BACK = {"messages": 0, "reconnect": True, "resend": True, "retry": True, "connect_timeout_s": 600.0}


class MixedLoad:
    """The clients of one road; `customer` is the one by which service is judged."""

    def __init__(self, way: Road, clients: dict[str, SimulatedEsme], network: FaultProxy) -> None:
        self.way = way
        self.clients = clients
        self.network = network
        self.customer = clients["customer"]

    @property
    def accepted(self) -> int:
        """Submissions accepted so far, of all clients."""
        return sum(client.summary.accepted for client in self.clients.values())

    def stop(self) -> None:
        """Nothing new from clients and handsets, and no more faults of carriers and network."""
        self.way.smsc.change({"inbound_rate": 0, "error_mix": "", "silence": 0.0})
        self.network.change({"cut_at_pdu": 0})
        for client in self.clients.values():
            client.workload.stop()


@contextlib.asynccontextmanager
async def mixed_road(folder: Path, dsn: str | None, start: bool = True, more: str = "") -> AsyncIterator[Road]:
    """Three carriers (good, second choice, hopeless), four logins; numbers below HOPELESS go to the third."""
    async with road(
        folder, dsn, smsc=CARRIERS, connector=CONNECTOR, logins=LOGINS, more=f"{SMALL_QUEUE}\n{more}", start=False
    ) as way:
        async with way.node.database() as connection:
            hopeless = await facts.ensure_connector(connection, way.carriers[2].name, "smpp")
            await connection.execute("DELETE FROM routes WHERE connector_id = $1", hopeless)  # nobody's second choice
            await facts.add_route(
                connection, facts.NewRoute(10, HOPELESS, None, None, None, None, None, [], hopeless, 1)
            )
        if start:
            await way.node.start()
        yield way


@contextlib.asynccontextmanager
async def mixed_load(way: Road, rate: float) -> AsyncIterator[MixedLoad]:
    """The clients, at about `rate` submissions a second in all; they end with the block."""
    settings = ProxySettings.parse(
        to=f"127.0.0.1:{way.node.smpp_port}", delay_ms="0..3", cut_at_pdu=60, octet_at_a_time=True
    )
    async with contextlib.AsyncExitStack() as block:
        network = await block.enter_async_context(FaultProxy(settings))
        plans: dict[str, dict[str, object]] = {
            "customer": {"rate": rate * 0.6, "binds": 2, "window": 20, "texts": TEXTS},
            "campaign": {"rate": rate * 0.25, "long_texts": "udh", "texts": TEXTS, "bind_type": "pair"},
            "flaky": {"rate": rate * 0.1, "texts": TEXTS[:2], "connect": f"127.0.0.1:{network.port}"},
            "hasty": {"rate": rate * 0.05, "texts": TEXTS[:1], "validity_s": 2, "to": f"{HOPELESS}######"},
        }
        clients = {}
        for name, plan in plans.items():
            plain = {"characters": 0, "source": SENDER, "password": PASSWORD} | COMES_BACK | plan
            clients[name] = await block.enter_async_context(way.esme(system_id=name, **plain))
        yield MixedLoad(way, clients, network)
