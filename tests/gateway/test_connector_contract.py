"""The numbered sentences of gateway.connector, asked of every kind of connector, and of the one tests steer by hand.

A kind is one entry of WAYS: how to build it, and a far end that answers, keeps silent, leaves and comes back.
What must not enter: what only one kind does (egress).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest

from gateway.connector import (
    Connector,
    ConnectorEvent,
    Doubtful,
    Health,
    InboundArrived,
    ReceiptArrived,
    Rejected,
    Taken,
    TryLater,
)
from gateway.egress.profile import CarrierProfile
from gateway.egress.smpp_connector import SmppConnector
from gateway.message import Envelope, Message
from gateway.tallies import Tallies
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import CarrierAtHand, take_all

WITHIN_S = 10.0
WINDOW = 4
SILENCE_S = 0.8  # how long a far end may be silent before the way says Doubtful; a busy machine is, for half of it


class FarEnd(Protocol):
    """Who is on the other side of a way."""

    def copies(self) -> list[tuple[str, int]]:
        """What it took: destination and how often, in order of arrival."""
        ...

    def takes(self) -> None: ...
    def refuses(self) -> None: ...
    def is_silent(self) -> None: ...
    def answers_late(self) -> None: ...
    def leaves(self) -> None: ...
    def sends_receipt(self, message: Message) -> None: ...
    def acknowledged(self) -> int: ...


class HandEnd:
    """The far end of CarrierAtHand: what it has not answered when it is silent is in doubt after a while."""

    def __init__(self, carrier: CarrierAtHand) -> None:
        self._carrier = carrier
        carrier.answer = take_all

    def copies(self) -> list[tuple[str, int]]:
        return [(str(message_id), part_no) for message_id, part_no in self._carrier.written]

    def takes(self) -> None:
        self._carrier.answer = take_all

    def refuses(self) -> None:
        self._carrier.answer = lambda m, n: Rejected(m, n, "ESME_RINVDSTADR", True)

    def is_silent(self) -> None:
        self._carrier.answer = None
        asyncio.get_running_loop().call_later(SILENCE_S, self._doubt)

    def _doubt(self) -> None:
        for message_id, part_no in list(self._carrier.open):
            self._carrier.doubtful(self._carrier.open[message_id, part_no], part_no)

    def answers_late(self) -> None:
        def late(message: Message, part_no: int) -> ConnectorEvent:
            asyncio.get_running_loop().call_soon(self._carrier.taken, message, "late-1", part_no, True)
            return Doubtful(message, part_no, "no answer in time")

        self._carrier.answer = late

    def leaves(self) -> None:
        self._carrier.health = "down"
        self._doubt()

    def sends_receipt(self, message: Message) -> None:
        self._carrier.receipt("id-1", "delivered", message.destination_addr)

    def acknowledged(self) -> int:
        return len(self._carrier.acknowledged)


class SmscEnd:
    """The far end of an SMPP connector: the SMSC simulator."""

    def __init__(self, smsc: SimulatedSmsc) -> None:
        self._smsc = smsc

    def copies(self) -> list[tuple[str, int]]:
        return [(line.destination_addr, 0) for line in self._smsc.taken]

    def takes(self) -> None:
        self._smsc.change({"silence": 0, "error_mix": "", "latency_ms": 0})

    def refuses(self) -> None:
        self._smsc.change({"error_mix": "0x0B=1"})

    def is_silent(self) -> None:
        self._smsc.change({"silence": 1})

    def answers_late(self) -> None:
        self._smsc.change({"latency_ms": int(SILENCE_S * 3000)})

    def leaves(self) -> None:
        self._smsc.change({"away": True})
        self._smsc.disconnect("drop")

    def sends_receipt(self, message: Message) -> None:
        self._smsc.change({"receipt_hold": False})

    def acknowledged(self) -> int:
        return self._smsc.statistics.receipts_acked


class OpenWay:
    def __init__(self, connector: Connector, far: FarEnd) -> None:
        self.connector = connector
        self.far = far
        self.told: list[ConnectorEvent] = []

    async def listen(self) -> None:
        async for events in self.connector.events():
            assert events, "a list of events is never empty"
            self.told += events

    def outcomes(self) -> list[ConnectorEvent]:
        return [e for e in self.told if not isinstance(e, ReceiptArrived | InboundArrived)]

    async def send(self, *messages: Message) -> None:
        """Reserve, as the lifecycle does, and submit."""
        for message in messages:
            await eventually(lambda m=message: self.connector.reserve(m.part_count), WITHIN_S, "room")  # type: ignore[misc]
            assert self.connector.submit([message]) == []


@contextlib.asynccontextmanager
async def at_hand() -> AsyncIterator[OpenWay]:
    health: dict[str, Health] = {}
    carrier = CarrierAtHand("carrier-a", 1, health, WINDOW)
    yield OpenWay(carrier, HandEnd(carrier))


@contextlib.asynccontextmanager
async def by_smpp() -> AsyncIterator[OpenWay]:
    async with SimulatedSmsc(SmscSettings.parse(receipt_hold=True)) as smsc:
        profile = CarrierProfile(
            name="carrier-a",
            connector_id=1,
            host=smsc.host,
            port=smsc.port,
            system_id="gw",
            password="gw",
            window=WINDOW,
            response_timeout_s=SILENCE_S,
            in_doubt_grace_s=SILENCE_S,
            reconnect_max_s=0.1,
        )
        connector = SmppConnector(profile, {}, Tallies())
        running = asyncio.ensure_future(connector.run())
        try:
            await eventually(lambda: connector.health == "up", WITHIN_S, "bound")
            yield OpenWay(connector, SmscEnd(smsc))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


WAYS: dict[str, Callable[[], AbstractAsyncContextManager[OpenWay]]] = {"at hand": at_hand, "smpp": by_smpp}


@pytest.fixture(params=list(WAYS))
async def way(request: Any) -> AsyncIterator[OpenWay]:
    async with WAYS[request.param]() as opened:
        listening = asyncio.ensure_future(opened.listen())
        try:
            yield opened
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


def message(number: int = 1, parts: int = 1) -> Message:
    text = b"a" * (10 if parts == 1 else 153 * parts)
    return Message(
        number, 1, 1, 1, 1, "otp", parts, 0, 1, 9, 0, "ACME", f"229019700{number:04d}", "why", text,
        Envelope(source_addr_ton=5), part_states="Q" * parts,
    )  # fmt: skip


async def test_1_nothing_is_written_that_was_not_submitted_and_what_has_no_room_comes_back(way: OpenWay) -> None:
    one = message()
    assert way.connector.reserve(1)
    way.far.leaves()
    await eventually(lambda: way.connector.health != "up", WITHIN_S, "down")
    assert way.connector.submit([one]) == [one]
    assert way.far.copies() == []
    assert way.outcomes() == []


async def test_2_every_part_gets_exactly_one_outcome(way: OpenWay) -> None:
    messages = [message(n) for n in range(1, 30)]
    for each in messages:
        await way.send(each)
    await eventually(lambda: len(way.outcomes()) >= 29, WITHIN_S, "all outcomes")
    assert [(e.message, e.part_no) for e in way.outcomes()] == [(m, 0) for m in messages]  # type: ignore[union-attr]
    assert all(isinstance(e, Taken) and e.smsc_message_id and not e.late for e in way.outcomes())


async def test_2_each_part_of_a_long_message_gets_its_own_outcome(way: OpenWay) -> None:
    long = message(parts=3)
    await way.send(long)
    await eventually(lambda: len(way.outcomes()) == 3, WITHIN_S, "three outcomes")
    assert sorted(e.part_no for e in way.outcomes() if isinstance(e, Taken)) == [0, 1, 2]
    assert len(way.far.copies()) == 3


async def test_2_a_refusal_is_an_outcome_and_says_whether_another_may_carry_it(way: OpenWay) -> None:
    way.far.refuses()
    await way.send(message())
    await eventually(lambda: way.outcomes(), WITHIN_S, "an outcome")
    (outcome,) = way.outcomes()
    assert isinstance(outcome, Rejected)
    assert outcome.elsewhere


async def test_2_a_doubt_may_get_one_late_answer(way: OpenWay) -> None:
    way.far.answers_late()
    await way.send(message())
    await eventually(lambda: len(way.outcomes()) == 2, WITHIN_S, "a doubt and a late answer")
    doubt, late = way.outcomes()
    assert isinstance(doubt, Doubtful)
    assert isinstance(late, Taken)
    assert late.late


async def test_3_doubtful_means_written_and_not_answered(way: OpenWay) -> None:
    way.far.is_silent()
    await way.send(message())
    await eventually(lambda: way.outcomes(), WITHIN_S, "an outcome")
    (outcome,) = way.outcomes()
    assert isinstance(outcome, Doubtful)
    assert len(way.far.copies()) == 1


async def test_3_what_is_open_when_the_far_end_leaves_is_in_doubt_not_refused(way: OpenWay) -> None:
    way.far.is_silent()
    messages = [message(n) for n in range(1, 4)]
    await way.send(*messages)
    await eventually(lambda: len(way.far.copies()) == 3, WITHIN_S, "written")
    way.far.leaves()
    await eventually(lambda: len(way.outcomes()) == 3, WITHIN_S, "outcomes")
    assert all(isinstance(e, Doubtful) for e in way.outcomes())


async def test_4_room_that_was_given_back_is_there_again(way: OpenWay) -> None:
    assert all(way.connector.reserve(1) for _ in range(WINDOW))
    assert not way.connector.reserve(1)
    way.connector.room.clear()
    way.connector.give_back(1)
    assert way.connector.room.is_set()
    assert way.connector.reserve(1)
    assert not way.connector.reserve(1)


async def test_5_a_receipt_is_acknowledged_only_when_told_so(way: OpenWay) -> None:
    one = message()
    await way.send(one)
    await eventually(lambda: way.outcomes(), WITHIN_S, "taken")
    way.far.sends_receipt(one)
    await eventually(lambda: len(way.told) == 2, WITHIN_S, "the receipt")
    receipt = way.told[1]
    assert isinstance(receipt, ReceiptArrived)
    assert receipt.receipt is not None
    assert receipt.receipt.state == "delivered"
    assert way.far.acknowledged() == 0
    way.connector.acknowledge([receipt.token], True)
    await eventually(lambda: way.far.acknowledged() == 1, WITHIN_S, "acknowledged")


async def test_6_the_window_is_never_exceeded_and_room_is_told_of(way: OpenWay) -> None:
    way.far.is_silent()
    messages = [message(n) for n in range(1, WINDOW + 1)]
    await way.send(*messages)
    assert not way.connector.reserve(1)
    way.connector.room.clear()
    await asyncio.wait_for(way.connector.room.wait(), WITHIN_S)
    await eventually(lambda: way.connector.reserve(1), WITHIN_S, "room after the doubts")


async def test_6_room_to_spare_is_left_and_taken_only_by_whoever_spares_nothing(way: OpenWay) -> None:
    kept = math.ceil(WINDOW * 0.25)
    assert 0 < kept < WINDOW
    assert all(way.connector.reserve(1, 0.25) for _ in range(WINDOW - kept))
    assert not way.connector.reserve(1, 0.25)
    assert all(way.connector.reserve(1) for _ in range(kept))
    assert not way.connector.reserve(1)


async def test_6_a_message_wider_than_the_window_passes_when_nothing_else_is_open(way: OpenWay) -> None:
    wide = message(parts=WINDOW + 2)
    await way.send(wide)
    await eventually(lambda: len(way.outcomes()) == WINDOW + 2, WITHIN_S, "all parts")
    assert not any(isinstance(e, TryLater | Doubtful) for e in way.outcomes())


async def test_7_a_way_that_is_down_holds_up_no_other(way: OpenWay) -> None:
    async with by_smpp() as other:
        listening = asyncio.ensure_future(other.listen())
        way.far.leaves()
        await other.send(message(7))
        await eventually(lambda: other.outcomes(), WITHIN_S, "the other's outcome")
        assert isinstance(other.outcomes()[0], Taken)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
