"""What tests of the desk share: a ground with numbers and a second account, and messages as a carrier brings them.

What must not enter: what one test wants to prove.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest_asyncio

from gateway.accept.refusals import Refusal
from gateway.connector import InboundArrived
from gateway.inbound.desk import InboundPolicy
from gateway.lifecycle import LifePolicy
from gateway.message import Envelope, InboundMessage, Message
from gateway.storage import facts
from gateway.storage.inbound import NewInboundRoute, add_inbound_route
from gateway.storage.messages import encode_envelope
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground, Life

SHORT_CODE = "36000"


@dataclasses.dataclass
class Desk:
    """A ground whose numbers are given away, and lives upon it."""

    ground: Ground
    other_account: int = 0
    other_esme: int = 0
    tokens: int = 0

    async def prepare(self) -> None:
        """A second account with a login, and no number given yet."""
        connection = self.ground.connection
        other = await facts.add_account(connection, "other", 0, None)
        assert other is not None
        self.other_account = other
        ours, self.ground.account_id = self.ground.account_id, other
        self.other_esme = await self.ground.add_esme("other1")
        self.ground.account_id = ours
        await facts.top_up(connection, other, 1_000_000_000, "test")

    async def give(self, address: str, keyword: str | None = None, to_other: bool = False, order: int = 100) -> None:
        """A route of inbound messages; address with * for a prefix."""
        owner = (self.other_account, self.other_esme) if to_other else (self.ground.account_id, self.ground.esme_id)
        route = NewInboundRoute(order, address.rstrip("*"), address.endswith("*"), keyword, *owner)
        assert await add_inbound_route(self.ground.connection, route) is not None

    @contextlib.asynccontextmanager
    async def live(self, **policy: Any) -> AsyncIterator[Life]:
        """A life that knows the routes given so far."""
        async with self.ground.live(LifePolicy(inbound=InboundPolicy(**policy))) as life:
            yield life

    def arrive(
        self, life: Life, text: bytes, source: str = HANDSET, to: str = SHORT_CODE, data_coding: int = 0, **given: Any
    ) -> int:
        """A handset's message arrives at carrier-a; its token."""
        self.tokens += 1
        envelope = encode_envelope(Envelope(source_addr_ton=1, source_addr_npi=1, **given))
        life.carrier.tell(InboundArrived(source, to, data_coding, text, envelope, self.tokens))
        return self.tokens

    def arrive_part(
        self, life: Life, number: int, total: int = 3, reference: int = 7, text: bytes = b"", **given: Any
    ) -> int:
        """A part with an 8-bit reference."""
        body = text or b"<%d>" % number
        return self.arrive(life, bytes((5, 0, 3, reference, total, number)) + body, esm_class=0x40, **given)

    async def send(
        self, life: Life, from_other: bool = False, kind: str = "transactional", to: str = HANDSET
    ) -> Message | Refusal:
        """An account writes to a handset from the short code."""
        submission = self.ground.submission(to=to, kind=kind, envelope=Envelope(dest_addr_ton=1))
        submission.source_addr = SHORT_CODE
        submission.account_id = self.other_account if from_other else self.ground.account_id
        message = life.lifecycle.admit(submission)
        if isinstance(message, Message):
            assert not await life.lifecycle.accept([message])
        return message

    async def acknowledged(self, life: Life, *tokens: int, stored: bool = True) -> None:
        """Wait until the carrier was told."""
        await life.until(
            lambda: all((token, stored) in life.carrier.acknowledged for token in tokens), "the carrier is answered"
        )

    async def told(self, life: Life, count: int = 1) -> list[InboundMessage]:
        """Wait until customers were handed so many messages."""
        await eventually(lambda: len(life.told.inbound) >= count, WITHIN_S, f"{count} messages handed on")
        return life.told.inbound

    async def rows(self) -> list[asyncpg.Record]:
        """What is stored, in order."""
        return await self.ground.connection.fetch("SELECT * FROM inbound_messages ORDER BY message_id")


@pytest_asyncio.fixture
async def desk(ground: Ground) -> Desk:
    """A ground with a second account, and no number given yet."""
    prepared = Desk(ground)
    await prepared.prepare()
    return prepared
