"""smpp34, a Rust implementation of both roles: its client as a customer of a real node, its server as a carrier.

Its API tells whether an answer was good, its message_id, and what came in; the rest is on the taps.
What must not enter: our session or codec on its side.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import smpp34

from simulators.esme import EsmeSettings, SimulatedEsme
from tests.interop.road import ARRIVAL_TIMEOUT_S, judge_taps, road, tapped
from tests.interop.wire_taps import TO_CLIENT
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID, Carrier, free_port, running_node

HANDSET = "2290197000001"
FRENCH = "Ça coûte 5 € à l'œil nu, même en août"
TON_ALPHANUMERIC, TON_INTERNATIONAL, NPI_E164 = 5, 1, 1
UCS2, RECEIPT_CLASS, ESME_RINVSRCADR, ESME_RBINDFAIL = 8, 0x04, 0x0A, 0x0D
CONNECT_TIMEOUT_MS = 3_000  # chosen


@contextlib.asynccontextmanager
async def bound_customer(port: int, password: str = PASSWORD) -> AsyncIterator[smpp34.Smsc]:
    """A client bound as a transceiver, ended with the block. Refused, it tries again until its time is over."""
    client = smpp34.Client(
        host="127.0.0.1",
        port=port,
        system_id=SYSTEM_ID,
        password=password,
        bind_type="TRX",
        connect_timeout_ms=CONNECT_TIMEOUT_MS,
    )
    try:
        yield await client.connect()
    finally:
        await client.stop()


async def submit(smsc: smpp34.Smsc, text: bytes, source: str = SENDER, data_coding: int = 0) -> smpp34.SubmitSmResp:
    """Submit one text that fits one part."""
    return await smsc.submit_sm(
        destination_addr=HANDSET,
        short_message=text,
        source_addr=source,
        source_addr_ton=TON_ALPHANUMERIC,
        dest_addr_ton=TON_INTERNATIONAL,
        dest_addr_npi=NPI_E164,
        registered_delivery=1,
        data_coding=data_coding,
    )


async def test_client_submits_and_hears_of_each_delivery(database: str, tmp_path: Path) -> None:
    async with road(tmp_path, database) as way, bound_customer(way.port) as smsc, asyncio.timeout(ARRIVAL_TIMEOUT_S):
        answers = [await submit(smsc, b"bonjour %d" % number) for number in range(5)]
        answers.append(await submit(smsc, FRENCH.encode("utf-16-be"), data_coding=UCS2))
        assert all(answer.is_success for answer in answers)
        told = []
        while len(told) < len(answers):
            event = await smsc.next()
            assert isinstance(event, smpp34.DeliverSmEvent)
            found = re.match(rb"id:(\d+) .* stat:DELIVRD", event.short_message)
            assert found is not None
            assert event.esm_class == RECEIPT_CLASS
            told.append(found[1].decode())
        assert sorted(told) == sorted(answer.message_id or "" for answer in answers)
        taken = await way.until_taken(6)
        (french,) = [each for each in taken if each.data_coding == UCS2]  # no order is promised
        assert bytes.fromhex(french.short_message).decode("utf-16-be") == FRENCH
        await smsc.unbind()
        await way.prove()


async def test_client_is_refused_with_a_wrong_password(database: str, tmp_path: Path) -> None:
    async with road(tmp_path, database) as way:
        with pytest.raises(smpp34.SmppError):
            async with asyncio.timeout(ARRIVAL_TIMEOUT_S), bound_customer(way.port, "wrong"):
                pass
        answers = [connection.stream(TO_CLIENT) for connection in way.taps[0].connections]
        assert {answer[8:12] for answer in answers} == {ESME_RBINDFAIL.to_bytes(4, "big")}
        await way.prove()


async def test_client_is_refused_a_sender_name_of_nobody(database: str, tmp_path: Path) -> None:
    async with road(tmp_path, database) as way, bound_customer(way.port) as smsc:
        answer = await submit(smsc, b"not mine", source="Stranger")
        assert (answer.is_success, answer.command_status) == (False, ESME_RINVSRCADR)
        assert (await submit(smsc, b"mine")).is_success
        await way.until_taken(1)
        await smsc.unbind()
        await way.prove()


async def serve(server: smpp34.Server, texts: list[bytes]) -> None:
    """A carrier: takes every submit_sm under a hexadecimal id, keeps its text, sends its receipt."""
    sessions: dict[str, smpp34.Esme] = {}
    async with asyncio.TaskGroup() as receipts:
        while True:
            event = await server.next()
            match event:
                case smpp34.Esme():
                    sessions[event.session_id] = event
                case smpp34.SubmitSmEvent():
                    texts.append(event.short_message)
                    message_id = f"{0xABC000 + len(texts):x}"
                    event.accept(message_id)
                    receipts.create_task(send_receipt(sessions[event.session_id], event, message_id))


async def send_receipt(esme: smpp34.Esme, submitted: smpp34.SubmitSmEvent, message_id: str) -> None:
    """A receipt by text alone, as many carriers send it: no TLV, the id in upper case."""
    text = f"id:{message_id.upper()} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000"
    answer = await esme.deliver_sm(
        destination_addr=submitted.source_addr,
        source_addr=submitted.destination_addr,
        esm_class=RECEIPT_CLASS,
        short_message=text.encode(),
    )
    assert answer.is_success


@contextlib.asynccontextmanager
async def running_carrier(port: int, texts: list[bytes]) -> AsyncIterator[None]:
    """smpp34's server on this port, ended with the block."""
    server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
    await server.start()
    serving = asyncio.create_task(serve(server, texts))
    try:
        yield
        assert not serving.done(), serving.exception()
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await server.stop()


async def test_server_is_a_carrier_whose_receipts_come_home(database: str, tmp_path: Path) -> None:
    texts: list[bytes] = []
    port = free_port()
    async with (
        running_carrier(port, texts),
        tapped(port) as tap,
        running_node(tmp_path / "node", Carrier(port=tap.port, more={"binds": 2}), dsn=database) as node,
    ):
        settings = EsmeSettings.parse(
            f"127.0.0.1:{node.smpp_port}",
            system_id=SYSTEM_ID,
            password=PASSWORD,
            messages=40,
            verify_receipts=True,
            receipt_timeout_s=ARRIVAL_TIMEOUT_S,
            log=tmp_path / "esme.jsonl",
        )
        async with SimulatedEsme(settings) as esme:
            summary = await esme.finish()
        assert (summary.accepted, summary.verified, summary.problem) == (40, True, "")
        assert len(texts) >= 40  # some texts have several parts
        await node.check(esme_logs=[tmp_path / "esme.jsonl"])
        judge_taps([tap], tmp_path)


async def test_server_that_went_away_is_bound_again_and_gets_what_waited(database: str, tmp_path: Path) -> None:
    texts: list[bytes] = []
    port = free_port()
    async with (
        tapped(port) as tap,
        running_node(tmp_path / "node", Carrier(port=tap.port, more={"reconnect_max_s": 1}), dsn=database) as node,
        bound_customer(node.smpp_port) as smsc,
        asyncio.timeout(ARRIVAL_TIMEOUT_S),
    ):
        for number in range(5):
            assert (await submit(smsc, b"waits %d" % number)).is_success
        async with running_carrier(port, texts):
            for _ in range(5):
                assert isinstance(await smsc.next(), smpp34.DeliverSmEvent)
            assert sorted(texts) == [b"waits %d" % number for number in range(5)]
        await smsc.unbind()
        await node.check()
        judge_taps([tap], tmp_path)
