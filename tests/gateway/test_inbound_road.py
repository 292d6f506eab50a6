"""What handsets send, over the whole road: a carrier's wire, a node of its own, an ESME's wire, kill -9 between.

Source: SMPP v3.4 4.6, 4.7; promises P4 and P9. What must not enter: rules (tests/gateway/inbound).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from gateway.smpp.pdus import DeliverSm, DeliverSmResp, SubmitSmResp
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.faults.raw_esme import RawEsme, a_submit, raw_esme
from tests.running_node import Carrier, Login, RunningNode, running_node

WITHIN_S = 30.0
HANDSET, OTHER_HANDSET, SHORT_CODE = "2290197000001", "2290197000002", "36000"
PORTS = bytes.fromhex("0605040b8423f0")


@dataclass
class Road:
    """A carrier whose default alphabet is Latin 1, a node, and an ESME that is bound and owns the short code."""

    smsc: SimulatedSmsc
    node: RunningNode
    esme: RawEsme

    async def delivered(self) -> DeliverSm:
        """The next deliver_sm, acknowledged."""
        pdu = await self.esme.receive(WITHIN_S)
        assert isinstance(pdu, DeliverSm), pdu
        self.esme.send(DeliverSmResp(sequence_number=pdu.sequence_number))
        return pdu

    def part(self, number: int, total: int = 3, source: str = HANDSET, as_data_sm: bool = False) -> None:
        """A part of 100 characters is sent by a handset."""
        octets = bytes((5, 0, 3, 7, total, number)) + b"%d" % number * 100
        self.smsc.deliver_octets(source, SHORT_CODE, octets, esm_class=0x40, as_data_sm=as_data_sm)

    async def acknowledged(self, count: int) -> None:
        """Wait until the carrier heard that so many are stored."""
        await eventually(lambda: self.smsc.statistics.inbound_acked >= count, WITHIN_S, f"{count} acknowledged")


@contextlib.asynccontextmanager
async def bound(node: RunningNode) -> AsyncIterator[RawEsme]:
    async with raw_esme(node.smpp_port) as esme:
        assert await esme.bind() == 0
        yield esme


@pytest_asyncio.fixture
async def road(tmp_path: Path, database: str) -> AsyncIterator[Road]:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        carrier = Carrier(port=smsc.port, more={"default_alphabet": "latin1", "reconnect_max_s": 0.2})
        login = Login(inbound_numbers=(SHORT_CODE,))
        async with running_node(tmp_path, carrier, logins=[login], dsn=database) as node, bound(node) as esme:
            await smsc.until(lambda s: s.bound > 0)
            yield Road(smsc, node, esme)


async def test_alphabets_headers_and_octets_reach_the_esme_by_deliver_sm_and_data_sm(road: Road) -> None:
    text = "Où est mon café ?".encode("latin-1")
    road.smsc.deliver_octets(HANDSET, SHORT_CODE, text)
    first = await road.delivered()
    assert (first.short_message, first.data_coding) == (b"O\x06 est mon caf\x05 ?", 0)
    assert (first.source_addr, first.destination_addr, first.esm_class) == (HANDSET, SHORT_CODE, 0)
    road.smsc.deliver_octets(HANDSET, SHORT_CODE, "fête".encode("latin-1"), as_data_sm=True)
    second = await road.delivered()
    assert (second.short_message.decode("utf-16-be"), second.data_coding) == ("fête", 8)
    octets = PORTS + bytes(range(120))
    tlvs = [(0x1400, b"vendor")]
    for as_data_sm in (False, True):
        road.smsc.deliver_octets(HANDSET, SHORT_CODE, octets, 4, 0x40, tlvs, as_data_sm)
        told = await road.delivered()
        assert (told.short_message, told.data_coding, told.esm_class) == (octets, 4, 0x40)
        assert told.tlvs == ((0x1400, b"vendor"),)
    road.smsc.deliver_octets(HANDSET, SHORT_CODE, b"flash", 0x10)
    told = await road.delivered()
    assert (told.short_message, told.data_coding) == (b"flash", 0x10)
    await road.acknowledged(5)


async def test_parts_out_of_order_survive_kill_9_and_arrive_as_one(road: Road) -> None:
    road.part(3)
    road.part(1, as_data_sm=True)
    road.part(2, total=2, source=OTHER_HANDSET)
    await road.acknowledged(3)
    await road.node.kill()
    await road.node.start()
    await road.smsc.until(lambda s: s.bound > 0)
    async with bound(road.node) as road.esme:
        road.part(2)
        told = await road.delivered()
        assert told.tlv(0x0424) == b"1" * 100 + b"2" * 100 + b"3" * 100
        assert (told.short_message, told.esm_class, told.source_addr) == (b"", 0, HANDSET)
        road.part(2)  # the carrier did not hear that it was stored
        road.part(1, total=2, source=OTHER_HANDSET)
        told = await road.delivered()
        assert (told.source_addr, told.short_message) == (OTHER_HANDSET, b"1" * 100 + b"2" * 100)
    await road.acknowledged(6)
    listed = await road.node.command("inbound", "list", "--json")
    assert len(listed.json["messages"]) == 2


async def test_stop_is_answered_over_the_air_and_refuses_the_next_submit(road: Road) -> None:
    road.smsc.deliver_inbound(HANDSET, SHORT_CODE, "Arrêt")
    assert (await road.delivered()).short_message.decode("utf-16-be") == "Arrêt"
    await eventually(lambda: len(road.smsc.taken) == 1, WITHIN_S, "the answer")
    (line,) = road.smsc.taken
    assert (line.source_addr, line.destination_addr) == (SHORT_CODE, HANDSET)
    assert "ne recevrez plus" in bytes.fromhex(line.short_message).decode("latin-1")
    answer = await road.esme.ask(a_submit(2, to=HANDSET, source=SHORT_CODE))
    assert isinstance(answer, SubmitSmResp)
    assert 0x400 <= answer.command_status <= 0x4FF
    assert (await road.esme.ask(a_submit(3, to=OTHER_HANDSET, source=SHORT_CODE))).command_status == 0
    refused = await road.node.command("inbound", "opt-out", "list", "--json")
    assert [(r["number"], r["opted_out"], r["word"]) for r in refused.json] == [(HANDSET, True, "arret")]


async def test_operators_are_heard_by_the_living_node(road: Road) -> None:
    road.smsc.deliver_inbound(HANDSET, "36999", "Personne")
    await road.acknowledged(1)
    (lost,) = (await road.node.command("inbound", "list", "--unrouted", "--json")).json["messages"]
    assert lost["why"] == "nobody has the number 36999"
    assert (await road.node.command("inbound", "reroute", lost["message_id"], "--esme", "customer")).code == 0
    told = await road.delivered()
    assert (told.short_message, told.destination_addr) == (b"Personne", "36999")
    change = (HANDSET, "--account", "reseller", "--reason", "his letter")
    assert (await road.node.command("inbound", "opt-out", "add", *change)).code == 0

    async def is_refused() -> bool:
        return (await road.esme.ask(a_submit(9, to=HANDSET))).command_status != 0

    await eventually(is_refused, WITHIN_S, "the node heard of it")


async def test_a_stop_that_one_node_hears_holds_at_the_door_of_another(
    road: Road, tmp_path: Path, database: str
) -> None:
    more = '[node]\nname = "b"\n'
    async with running_node(tmp_path / "b", logins=[], dsn=database, more=more) as other, bound(other) as esme:
        before = await esme.ask(a_submit(2, to=HANDSET))
        assert not 0x400 <= before.command_status <= 0x4FF
        road.smsc.deliver_inbound(HANDSET, SHORT_CODE, "STOP")
        await road.acknowledged(1)

        async def is_refused() -> bool:
            return 0x400 <= (await esme.ask(a_submit(3, to=HANDSET))).command_status <= 0x4FF

        await eventually(is_refused, WITHIN_S, "the other node heard of it")
