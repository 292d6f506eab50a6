"""Opens trunks: connectors bound to simulated carriers, closed with the test. What must not enter: tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.connector import Health
from gateway.egress import reconnect, smpp_connector
from gateway.egress.profile import CarrierProfile
from gateway.egress.smpp_connector import SmppConnector
from gateway.tallies import Tallies
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, Trunk


@pytest_asyncio.fixture
async def trunk_to(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens trunks, bound: smsc=settings of the simulator (no receipts unless told), the rest as CarrierProfile."""
    monkeypatch.setattr(reconnect, "FIRST_S", 0.01)
    monkeypatch.setattr(smpp_connector, "TICK_S", 0.02)
    async with contextlib.AsyncExitStack() as stack:

        async def open_(smsc: dict[str, Any] | None = None, bound: bool = True, **given: Any) -> Trunk:
            simulator = await stack.enter_async_context(
                SimulatedSmsc(SmscSettings.parse(**{"no_receipt": 1, **(smsc or {})}))
            )
            profile = CarrierProfile(
                **{
                    "name": "carrier-a",
                    "connector_id": 1,
                    "host": simulator.host,
                    "port": simulator.port,
                    "system_id": "gw",
                    "password": "gw",
                    "reconnect_max_s": 0.05,
                    **given,
                }
            )
            health: dict[str, Health] = {}
            connector = SmppConnector(profile, health, Tallies())
            trunk = Trunk(connector, simulator, health)
            for coroutine in (connector.run(), trunk.listen()):
                stack.push_async_callback(end, asyncio.ensure_future(coroutine))
            if bound:
                await eventually(lambda: all(link.bound for link in connector.links), WITHIN_S, "bound")
            return trunk

        yield open_


async def end(task: asyncio.Future[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
