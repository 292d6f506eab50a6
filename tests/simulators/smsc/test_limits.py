"""The SMSC simulator's limits, each with its name: connections, deliveries, mailboxes, control lines and doors.

What must not enter: faults that are settings (test_server.py, test_behaviour.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import simulators.control_door
import simulators.smsc.postman
import simulators.smsc.server
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.events import Event, RequestReceived, ResponseReceived
from gateway.smpp.pdus import CancelSm, DataSm, DataSmResp, DeliverSm, DeliverSmResp, Pdu, QuerySm, SubmitSm
from gateway.smpp.session import Session
from gateway.smpp.session_states import BindType, Role
from simulators.esme import EsmeSettings, SimulatedEsme
from simulators.smsc import SimulatedSmsc, SmscSettings


class RawEsme:
    """A bound session whose octets the test itself reads and writes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session = Session(Role.ESME)
        self._reader = reader
        self._writer = writer

    async def events(self) -> list[Event]:
        """Send what waits, then read until something is said."""
        while True:
            self._writer.write(self.session.data_to_send())
            data = await self._reader.read(65536)
            assert data, "the SMSC closed the connection"
            if events := self.session.receive_data(data):
                return events

    async def ask(self, pdu: Pdu) -> Pdu:
        """The answer to one request."""
        self.session.request(pdu)
        (event,) = await self.events()
        assert isinstance(event, ResponseReceived)
        return event.pdu


@asynccontextmanager
async def raw_esme(port: int) -> AsyncIterator[RawEsme]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        raw = RawEsme(reader, writer)
        raw.session.bind(BindType.TRANSCEIVER, "raw", "")
        await raw.events()
        yield raw
    finally:
        writer.close()
        await writer.wait_closed()


async def ended(port: int) -> bool:
    """Whether a new connection is closed at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True
    finally:
        writer.close()


async def test_connections_beyond_their_limit_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators.smsc.server, "CONNECTIONS_LIMIT", 1)
    async with SimulatedSmsc(SmscSettings()) as smsc, raw_esme(smsc.port):
        assert await ended(smsc.port)


async def test_submits_beyond_the_deliveries_limit_meet_a_full_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators.smsc.server, "DELIVERIES_LIMIT", 2)
    async with SimulatedSmsc(SmscSettings.parse(receipt_hold=True)) as smsc, raw_esme(smsc.port) as raw:
        statuses = [(await raw.ask(SubmitSm(registered_delivery=1))).command_status for _ in range(3)]
        assert statuses == [0, 0, CommandStatus.ESME_RMSGQFUL]
        with pytest.raises(ValueError, match="wait already"):
            smsc.deliver_inbound("229", "36000", "STOP")


async def test_binds_of_too_many_names_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators.smsc.postman, "SYSTEM_IDS_LIMIT", 1)
    async with (
        SimulatedSmsc(SmscSettings()) as smsc,
        raw_esme(smsc.port),
        SimulatedEsme(EsmeSettings.parse(smsc.endpoint, system_id="other")) as esme,
    ):
        assert (await esme.finish()).problem == "bind refused: ESME_RBINDFAIL"


async def test_control_connections_and_lines_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators.control_door, "DOORS_LIMIT", 1)
    monkeypatch.setattr(simulators.control_door, "LINE_LIMIT", 10)
    async with SimulatedSmsc(SmscSettings.parse(control="127.0.0.1:0")) as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.control_port)
        writer.write(b"{}\n")
        assert await reader.readline() == b'{"ok":true}\n'
        assert await ended(smsc.control_port)
        writer.write(b"x" * 11)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_temporarily_refused_receipt_comes_again_and_a_refused_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulators.smsc.server, "DELIVER_AGAIN_S", 0.01)
    async with SimulatedSmsc(SmscSettings()) as smsc, raw_esme(smsc.port) as raw:
        raw.session.request(SubmitSm(registered_delivery=1))
        texts = []
        for status in (CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RX_P_APPN):
            deliveries: list[Pdu] = []
            while not deliveries:
                events = await raw.events()
                deliveries = [event.pdu for event in events if isinstance(event, RequestReceived)]
            (deliver,) = deliveries
            assert isinstance(deliver, DeliverSm)
            texts.append(deliver.short_message)
            raw.session.respond(deliver, DeliverSmResp(command_status=status))
        assert texts[0] == texts[1]
        raw.session.enquire_link()
        raw._writer.write(raw.session.data_to_send())
        await smsc.until(lambda statistics: (statistics.receipts_again, statistics.receipts_refused) == (1, 1))


async def test_data_sm_is_a_submit_and_what_is_not_kept_cannot_be_asked_about() -> None:
    async with SimulatedSmsc(SmscSettings.parse(no_receipt=1.0)) as smsc, raw_esme(smsc.port) as raw:
        answer = await raw.ask(DataSm(destination_addr="229", tlvs=((0x0424, b"text"),)))
        assert isinstance(answer, DataSmResp)
        assert answer.message_id == smsc.taken[0].smsc_message_id
        assert bytes.fromhex(smsc.taken[0].short_message) == b"text"
        assert (await raw.ask(QuerySm(message_id="1"))).command_status == CommandStatus.ESME_RQUERYFAIL
        assert (await raw.ask(CancelSm(message_id="1"))).command_status == CommandStatus.ESME_RCANCELFAIL
