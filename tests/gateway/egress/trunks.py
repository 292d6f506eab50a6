"""A connector and its simulated carrier on a socket, for the tests of this room: a trunk. The fixtures are conftest's.

What must not enter: what a test is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.connector import ConnectorEvent, Health
from gateway.egress.smpp_connector import SmppConnector
from gateway.message import Envelope, Message
from simulators.log import SmscSubmitLine
from simulators.smsc import SimulatedSmsc
from tests.eventually import eventually

WITHIN_S = 10.0
HANDSET = "2290197000001"


class Trunk:
    """A connector, its carrier, and what it told."""

    def __init__(self, connector: SmppConnector, smsc: SimulatedSmsc, health: dict[str, Health]) -> None:
        self.connector = connector
        self.smsc = smsc
        self.health = health
        self.told: list[ConnectorEvent] = []

    async def listen(self) -> None:
        async for events in self.connector.events():
            self.told += events

    def send(self, *messages: Message) -> None:
        for message in messages:
            assert self.connector.reserve(message.part_count)
        assert self.connector.submit(list(messages)) == []

    async def outcomes(self, count: int = 1) -> list[ConnectorEvent]:
        """Wait for so many events in all."""
        await eventually(lambda: len(self.told) >= count, WITHIN_S, f"{count} outcomes")
        return self.told

    async def sent(self, message: Message) -> SmscSubmitLine:
        """Send one, and see it as the carrier took it."""
        self.send(message)
        await eventually(lambda: self.smsc.taken, WITHIN_S, "taken")
        return self.smsc.taken[-1]


Open = Callable[..., Any]


def message(number: int = 1, text: bytes = b"hello", parts: int = 1, **given: Any) -> Message:
    fields: dict[str, Any] = {"attempt_count": 1, "part_states": "Q" * parts, "data_coding": 0}
    fields |= {"envelope": Envelope(source_addr_ton=5, dest_addr_ton=1, dest_addr_npi=1)} | given
    coding = fields.pop("data_coding")
    return Message(
        number << 20, 1, 1, 1, 1, "otp", parts, coding, 1, 9, 0, "ACME", HANDSET, "why", text, **fields
    )  # fmt: skip
