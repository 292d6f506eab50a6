"""A carrier that calls: outbind brings it a bind as receiver, and nothing brings a stranger our password.

SMPP v3.4 2.2.1. What must not enter: what is delivered over the bind otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import pytest

from gateway.connector import InboundArrived
from gateway.egress import outbind
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, Trunk

CARRIER: dict[str, Any] = {"outbind_system_id": "centre", "outbind_password": "secret08"}


async def open_trunk(trunk_to: Open) -> Trunk:
    trunk: Trunk = await trunk_to(bound=False, bind_types=("transmitter",), outbind_listen=("127.0.0.1", 0), **CARRIER)
    await eventually(lambda: trunk.connector.outbind_door and trunk.connector.outbind_door.port, WITHIN_S, "listening")
    await eventually(lambda: trunk.connector.links[0].bound, WITHIN_S, "bound")
    return trunk


def port_of(trunk: Trunk) -> int:
    assert trunk.connector.outbind_door is not None
    return trunk.connector.outbind_door.port


async def test_a_carrier_that_calls_gets_a_bind_as_receiver_again_and_again(trunk_to: Open) -> None:
    trunk = await open_trunk(trunk_to)
    for calls in range(1, 3):
        async with SimulatedSmsc(SmscSettings.parse(system_id="gw", password="gw")) as centre:
            await centre.outbind("127.0.0.1", port_of(trunk), "centre", "secret08")
            await eventually(lambda: trunk.connector.links[1].bound, WITHIN_S, "bound over its connection")
            centre.deliver_inbound("2290197000001", "36000", "bonjour")
            arrived = await trunk.outcomes(calls)
            assert isinstance(arrived[-1], InboundArrived)
            trunk.connector.acknowledge([arrived[-1].token], stored=True)
            await centre.until(lambda statistics: statistics.inbound_acked == 1)
            assert trunk.connector.links[1].free() == 0
        await eventually(lambda: not trunk.connector.links[1].bound, WITHIN_S, "gone")


@pytest.mark.parametrize(("system_id", "password"), [("centre", "other"), ("other", "secret08"), ("", "")])
async def test_who_does_not_know_the_carrier_s_words_is_hung_up_on(
    trunk_to: Open, system_id: str, password: str
) -> None:
    trunk = await open_trunk(trunk_to)
    async with SimulatedSmsc(SmscSettings.parse()) as stranger:
        await stranger.outbind("127.0.0.1", port_of(trunk), system_id, password)
        await eventually(lambda: not stranger._wires, WITHIN_S, "hung up")
        assert stranger.statistics.binds == 0
    assert not trunk.connector.links[1].bound


async def test_a_second_call_beside_a_living_bind_is_refused(trunk_to: Open) -> None:
    trunk = await open_trunk(trunk_to)
    async with SimulatedSmsc(SmscSettings.parse()) as centre:
        for _ in range(2):
            await centre.outbind("127.0.0.1", port_of(trunk), "centre", "secret08")
            await eventually(lambda: trunk.connector.links[1].bound, WITHIN_S)
        await eventually(lambda: len(centre._wires) == 1, WITHIN_S, "the second is hung up on")
        assert centre.statistics.bound_most == 1


@pytest.mark.parametrize(
    "words", [b"GET / HTTP/1.0\r\n\r\n", b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00\x01"]
)
async def test_who_says_anything_else_is_hung_up_on(trunk_to: Open, words: bytes) -> None:
    trunk = await open_trunk(trunk_to)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(trunk))
    writer.write(words)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
    writer.close()


async def test_no_more_callers_wait_than_the_limit(trunk_to: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbind, "CALLERS_LIMIT", 2)
    trunk = await open_trunk(trunk_to)
    callers = [await asyncio.open_connection("127.0.0.1", port_of(trunk)) for _ in range(3)]
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(WITHIN_S):
            assert await callers[2][0].read() == b""
    assert trunk.connector.outbind_door is not None
    assert len(trunk.connector.outbind_door.callers) == 2
    for _, writer in callers:
        writer.close()


async def test_a_port_that_is_taken_is_told_and_opened_once_it_is_free(
    trunk_to: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbind, "PORT_PAUSE_S", 0.05)
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with caplog.at_level(logging.ERROR, "passerelle.egress"):
        trunk = await trunk_to(bound=False, outbind_listen=("127.0.0.1", port), **CARRIER)
        await eventually(lambda: any(r.msg == "outbind_deaf" for r in caplog.records), WITHIN_S, "told")
    taken.close()
    await taken.wait_closed()
    await eventually(lambda: port_of(trunk) == port, WITHIN_S, "listening")
