"""A door in front of real rooms over PostgreSQL, with a carrier that takes everything.

What belongs here: building the server as daemon.node does. What must not enter: what a test is about.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import argon2
import msgspec
import pytest_asyncio

from gateway.ingress.smpp_server import ServerSettings, SmppServer
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.recall import Recall
from gateway.smpp.pdus import BindTransceiver, Pdu
from gateway.smpp.session import SessionLimits
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import Ground, Life
from tests.gateway.raw_peer import RawPeer, raw_peer

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = CHEAP.hash("secret")
SETTINGS = ServerSettings("127.0.0.1", 0, "passerelle", 20, 1000, SessionLimits(window=3, response_timeout_s=30))


@dataclasses.dataclass
class Door:
    """A server in front of a life's rooms."""

    ground: Ground
    life: Life
    server: SmppServer
    deliveries: EsmeDeliveries

    async def change(self, statement: str, *arguments: object) -> None:
        """Change a fact, and let the node know."""
        await self.ground.connection.execute(statement, *arguments)
        await self.take_facts()

    async def take_facts(self) -> None:
        """What the node does when it is told that facts changed."""
        self.life.lifecycle.book = await self.ground.book()
        self.server.apply_facts(self.life.lifecycle.book)

    @contextlib.asynccontextmanager
    async def peer(
        self, bound: bool = False, kind: type[Pdu] = BindTransceiver, **options: Any
    ) -> AsyncIterator[RawPeer]:
        async with raw_peer(self.server.port, **options) as peer:
            if bound:
                assert await peer.bind(kind) == 0
            yield peer


@contextlib.asynccontextmanager
async def open_door(ground: Ground, node: str = "a", **given: Any) -> AsyncIterator[Door]:
    """A door with some settings replaced; the login of the ground has the password "secret"."""
    await ground.connection.execute("UPDATE esmes SET password_hash = $1", HASH)
    deliveries: list[EsmeDeliveries] = []

    def notifier(*rooms: Any) -> EsmeDeliveries:
        reader, settling, tallies = rooms
        deliveries.append(EsmeDeliveries(reader, settling, ground.clock, tallies))
        return deliveries[0]

    settings = msgspec.structs.replace(SETTINGS, **given)
    async with ground.live(answer=take_all, notifier=notifier, node=node) as life, asyncio.TaskGroup() as tasks:
        recall = Recall(life.lifecycle, life.reader, life.settling, ground.clock)
        server = SmppServer(settings, life.lifecycle, deliveries[0], life.tallies, ground.clock, tasks, recall)
        await server.listen()
        timers = tasks.create_task(server.run())
        try:
            yield Door(ground, life, server, deliveries[0])
        finally:
            timers.cancel()
            await server.stop_accepting()
            server.close()


@pytest_asyncio.fixture
async def door(ground: Ground) -> AsyncIterator[Door]:
    async with open_door(ground) as opened:
        yield opened
