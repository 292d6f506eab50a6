"""What tests of webhooks share: a ground whose account has URLs, couriers on it, and receivers.

What must not enter: what one test wants to prove.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest_asyncio

from gateway.message import Message
from gateway.storage import webhooks as rows
from gateway.storage.database import connect
from gateway.webhooks.addresses import parse_networks
from gateway.webhooks.courier import Courier
from gateway.webhooks.events import EVENTS
from gateway.webhooks.outgoing import GuardedClient
from gateway.webhooks.tallies import WebhookTallies
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground, Life
from tests.webhook_receiver import Receiver, webhook_receiver

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
HERE = parse_networks(["127.0.0.0/8"])


@dataclasses.dataclass
class Hooks:
    """A ground, and short words for what tests do with URLs."""

    ground: Ground
    receiver: Receiver

    @property
    def connection(self) -> asyncpg.Connection:
        return self.ground.connection

    async def add(self, url: str = "", events: Sequence[str] = EVENTS, form: Any = ("native", "POST")) -> int:
        """An endpoint of the ground's account, at the receiver unless another URL is named."""
        given = (self.ground.account_id, url or self.receiver.url, events, form, SECRET, self.ground.clock.ms)
        return await rows.add_endpoint(self.connection, *given)

    async def owe(self, count: int, endpoint_id: int) -> None:
        """So many test events."""
        for _ in range(count):
            assert await rows.owe_test(self.connection, endpoint_id, self.ground.clock.ms) is not None

    @contextlib.asynccontextmanager
    async def courier(self, timeout_s: float = 15.0, chance: float = 0.0) -> AsyncIterator[Courier]:
        """A courier at work, on the ground's clock, stopped at the end."""
        async with GuardedClient(HERE, timeout_s=timeout_s) as client:
            courier = Courier(
                lambda: connect(self.ground.dsn), client, self.ground.clock, lambda: chance, WebhookTallies()
            )
            task = asyncio.get_running_loop().create_task(courier.run())
            try:
                yield courier
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def states(self, endpoint_id: int | None = None) -> dict[str, int]:
        """How many deliveries stand in each state."""
        found = await self.connection.fetch(
            "SELECT state, count(*) FROM webhook_deliveries WHERE $1::integer IS NULL OR endpoint_id = $1 GROUP BY 1",
            endpoint_id,
        )
        return dict(map(tuple, found))

    async def until(self, states: dict[str, int], endpoint_id: int | None = None) -> None:
        """Wait until so many deliveries stand in these states, and in no other."""

        async def reached() -> bool:
            return await self.states(endpoint_id) == states

        await eventually(reached, WITHIN_S, f"deliveries {states}")

    async def pass_s(self, seconds: float, courier: Courier) -> None:
        """Time passes, and the courier looks again."""
        self.ground.clock.pass_s(seconds)
        courier.look_again()

    async def end_one(self, life: Life, state: str = "delivered", **given: Any) -> Message:
        """A message that is taken and receipted; the endpoint's account is known to the life by now."""
        message = await life.accept_one(**given)
        await life.until(lambda: (message.message_id, 0) in life.carrier.open)
        life.carrier.taken(message, f"id-{message.message_id}")
        life.carrier.receipt(f"id-{message.message_id}", state, HANDSET)
        await life.until(lambda: message.state == state)
        return message


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as opened:
        yield opened


@pytest_asyncio.fixture
async def hooks(ground: Ground, receiver: Receiver) -> Hooks:
    return Hooks(ground, receiver)
