"""The SMPP door, octet by octet over a socket: what it answers, keeps and closes.

Source: smpp-answers, "As a server". Behind the door: real rooms over PostgreSQL and a carrier that takes everything.
What must not enter: values of fields (test_submissions.py), the session's own states (smpp).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.ingress import esme_connection
from gateway.ingress.credentials import Credentials
from gateway.ingress.esme_connection import WRITE_LIMIT
from gateway.smpp.pdus import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from gateway.storage import facts
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET
from tests.gateway.ingress.conftest import Door
from tests.gateway.raw_peer import WITHIN_S, RawPeer, submit

# ---------------------------------------------------------------- binding


@pytest.mark.parametrize("kind", [BindTransmitter, BindReceiver, BindTransceiver])
async def test_a_bind_is_answered_with_our_name_and_version(door: Door, kind: type[Pdu]) -> None:
    async with door.peer() as peer:
        answer = await peer.ask(kind(sequence_number=7, system_id="ours1", password="secret"))  # type: ignore[call-arg]
        assert (answer.command_id, answer.command_status) == (kind.command_id | 0x80000000, 0)
        assert (answer.sequence_number, answer.system_id, answer.tlv(0x0210)) == (7, "passerelle", b"\x34")


async def test_interface_version_3_3_is_answered_without_tlvs(door: Door) -> None:
    async with door.peer() as peer:
        answer = await peer.ask(BindTransceiver(system_id="ours1", password="secret", interface_version=0x33))
        assert (answer.command_status, answer.tlvs) == (0, ())


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"system_id": "nobody"}])
async def test_a_wrong_name_and_a_wrong_password_look_the_same(door: Door, fields: dict[str, str]) -> None:
    async with door.peer() as peer:
        assert await peer.bind(**fields) == 0x0D
        assert await peer.is_closed()


async def test_a_proven_password_is_not_hashed_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async with door.peer(bound=True):
        monkeypatch.setattr(Credentials, "prove", None)
        async with door.peer() as second:
            assert await second.bind() == 0


async def test_the_option_v34_names_the_password(door: Door) -> None:
    await door.change("UPDATE esmes SET v34_bind_errors = true")
    async with door.peer() as peer:
        assert await peer.bind(password="wrong") == 0x0E


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET state = 'closed'",
        "UPDATE esmes SET state = 'suspended'",
        "UPDATE esmes SET allow_cidrs = '{10.0.0.0/8,192.168.1.1/32}'",
    ],
)
async def test_who_may_not_come_in_is_refused_and_closed(door: Door, change: str) -> None:
    await door.change(change)
    async with door.peer() as peer:
        assert await peer.bind() == 0x0D
        assert await peer.is_closed()


async def test_an_allowed_address_comes_in(door: Door) -> None:
    await door.change("UPDATE esmes SET allow_cidrs = '{10.0.0.0/8,127.0.0.0/8}'")
    async with door.peer(bound=True):
        assert len(door.server.connections) == 1


async def test_the_bind_limit_counts_living_binds(door: Door) -> None:
    await door.change("UPDATE esmes SET max_binds = 2")
    async with door.peer(bound=True):
        async with door.peer(bound=True), door.peer() as third:
            assert await third.bind() == 0x0D
            assert await third.is_closed()
        await eventually(lambda: len(door.server.connections) == 1, WITHIN_S)
        async with door.peer() as again:
            assert await again.bind() == 0


async def test_a_draining_door_binds_nobody_and_takes_no_connection(door: Door) -> None:
    async with door.peer() as peer:
        assert (await peer.ask(EnquireLink())).command_status == 0
        await door.server.stop_accepting()
        assert await peer.bind() == 0x08
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", door.server.port)


async def test_beyond_the_limit_of_connections_they_are_closed(door: Door) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(door.server.settings.max_sessions):
            await stack.enter_async_context(door.peer())
        await eventually(lambda: len(door.server.connections) == 20, WITHIN_S)
        async with door.peer() as one_more:
            assert await one_more.is_closed()


async def test_a_second_bind_is_refused_and_the_session_stays(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        assert await peer.bind() == 0x05
        assert (await peer.ask(submit())).command_status == 0


# ---------------------------------------------------------------- in any state


async def test_enquire_link_is_answered_in_any_state(door: Door) -> None:
    async with door.peer() as peer:
        for _ in range(2):
            answer = await peer.ask(EnquireLink())
            assert (type(answer), answer.command_status) == (EnquireLinkResp, 0)
            if not door.server.connections.copy().pop().esme:
                assert await peer.bind(BindReceiver) == 0


@pytest.mark.parametrize("kind", [None, BindReceiver])
async def test_an_operation_in_the_wrong_state_is_refused_by_its_own_response(
    door: Door, kind: type[Pdu] | None
) -> None:
    async with door.peer(bound=kind is not None, kind=kind or BindReceiver) as peer:
        answer = await peer.ask(submit())
        assert (type(answer), answer.command_status) == (SubmitSmResp, 0x04)
        answer = await peer.ask(DeliverSm(short_message=b"x"))
        assert (type(answer), answer.command_status) == (DeliverSmResp, 0x04)
        assert (await peer.ask(EnquireLink())).command_status == 0


async def test_an_unknown_command_is_nacked_with_its_number_and_the_session_stays(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        peer.writer.write(bytes.fromhex("00000010 00000999 00000000 00001234"))
        answer = await peer.read()
        assert (type(answer), answer.command_status, answer.sequence_number) == (GenericNack, 0x03, 0x1234)
        assert (await peer.ask(submit())).command_status == 0


@pytest.mark.parametrize("length", ["00000000", "0000000f", "00011171", "80000010", "ffffffff"])
async def test_an_impossible_length_is_nacked_and_closed(door: Door, length: str) -> None:
    async with door.peer(bound=True) as peer:
        peer.writer.write(bytes.fromhex(length + "00000015 00000000 00000009"))
        answer = await peer.read()
        assert (type(answer), answer.command_status) == (GenericNack, 0x02)
        assert await peer.is_closed()


async def test_a_whole_conversation_one_octet_at_a_time(door: Door) -> None:
    async with door.peer() as peer:
        bind = BindTransceiver(system_id="ours1", password="secret")
        for octet in peer.octets(bind, EnquireLink()):
            peer.writer.write(bytes([octet]))
            await peer.writer.drain()
        assert {type(await peer.read()), type(await peer.read())} >= {EnquireLinkResp}
        for octet in peer.octets(submit(), Unbind()):
            peer.writer.write(bytes([octet]))
            await peer.writer.drain()
        answer = await peer.read()
        assert (type(answer), answer.command_status) == (SubmitSmResp, 0)
        assert type(await peer.read()) is UnbindResp


# ---------------------------------------------------------------- submitting


async def test_rok_comes_after_the_commit_with_our_id(door: Door) -> None:
    async with door.peer(bound=True, kind=BindTransmitter) as peer:
        answer = await peer.ask(submit(sequence_number=0x7FFFFFFF))
        assert (answer.command_status, answer.sequence_number) == (0, 0x7FFFFFFF)
        ids = await door.ground.connection.fetch("SELECT message_id FROM messages")
        assert [str(row["message_id"]) for row in ids] == [answer.message_id]


async def test_many_in_one_write_are_answered_each_by_its_number(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        peer.write(*[submit(registered_delivery=0, sequence_number=1000 + n) for n in range(50)])
        answers = [await peer.read() for _ in range(50)]
        assert {a.sequence_number for a in answers} == set(range(1000, 1050))
        assert {a.command_status for a in answers} == {0}
        assert len({a.message_id for a in answers}) == 50


async def test_data_sm_is_a_submission_and_needs_its_payload(door: Door) -> None:
    fields: dict[str, Any] = {"source_addr_ton": 5, "source_addr": "ACME", "dest_addr_ton": 1, "dest_addr_npi": 1}
    async with door.peer(bound=True) as peer:
        answer = await peer.ask(DataSm(destination_addr=HANDSET, tlvs=((0x0424, b"hello"),), **fields))
        assert (type(answer), answer.command_status) == (DataSmResp, 0)
        assert await door.ground.value("SELECT user_data FROM messages") == b"hello"
        answer = await peer.ask(DataSm(destination_addr=HANDSET, **fields))
        assert (type(answer), answer.command_status) == (DataSmResp, 0xC3)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"source_addr": "OTHER"}, 0x0A),
        ({"source_addr": ""}, 0x0A),
        ({"destination_addr": ""}, 0x0B),
        ({"destination_addr": "12"}, 0x0B),
        ({"dest_addr_ton": 7}, 0x50),
        ({"data_coding": 0x80}, 0x45),
        ({"validity_period": "x"}, 0x62),
        ({"esm_class": 0x40, "short_message": b"\xff"}, 0x01),
    ],
)
async def test_a_refused_submission_has_its_fields_status_and_stores_nothing(
    door: Door, fields: dict[str, Any], status: int
) -> None:
    async with door.peer(bound=True) as peer:
        assert (await peer.ask(submit(**fields))).command_status == status
        assert (await peer.ask(submit())).command_status == 0
    assert await door.ground.count("messages") == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("DELETE FROM routes", 0x0B),
        ("INSERT INTO blocks (prefix, kind, reason) VALUES ('229', 'destination', 'law')", 0x0402),
        ("UPDATE accounts SET state = 'suspended'", 0x0401),
        ("UPDATE accounts SET balance_micros = 0", 0x0400),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
async def test_a_permanent_refusal_is_a_vendor_status_or_masked(
    door: Door, change: str, status: int, masked: bool
) -> None:
    async with door.peer(bound=True) as peer:
        await door.change(change)
        await door.change("UPDATE accounts SET masked_refusals = $1", masked)
        expected = 0x45 if masked and status >= 0x400 else status
        assert (await peer.ask(submit())).command_status == expected


async def test_over_the_logins_rate_is_throttled_over_all_its_binds_and_kept(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.change("UPDATE esmes SET tps = 3")
    async with door.peer(bound=True) as peer, door.peer(bound=True) as other:
        now = time.monotonic()
        monkeypatch.setattr(esme_connection, "monotonic", lambda: now)  # else a slow machine earns a part meanwhile
        peer.write(submit(), submit())
        assert [(await peer.read()).command_status for _ in range(2)] == [0, 0]
        other.write(submit(), submit())
        assert sorted([(await other.read()).command_status for _ in range(2)]) == [0, 0x58]
        assert (await peer.ask(EnquireLink())).command_status == 0


async def test_the_rate_is_counted_in_parts(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await door.change("UPDATE esmes SET tps = 3")
    async with door.peer(bound=True) as peer:
        now = time.monotonic()
        monkeypatch.setattr(esme_connection, "monotonic", lambda: now)  # else a slow machine earns a part meanwhile
        payload = ((0x0424, b"a" * 400),)
        assert (await peer.ask(submit(b"", tlvs=payload))).command_status == 0
        assert (await peer.ask(submit())).command_status == 0x58


async def test_beyond_the_window_is_throttled_and_kept(door: Door) -> None:
    await door.change("UPDATE esmes SET window_size = 4")
    async with door.peer(bound=True) as peer:
        peer.write(*[submit() for _ in range(10)])
        statuses = [(await peer.read()).command_status for _ in range(10)]
        assert sorted(statuses) == [0] * 4 + [0x58] * 6
        await eventually(lambda: not door.life.accepting.waiting, WITHIN_S)
        assert (await peer.ask(submit(registered_delivery=0))).command_status == 0


async def test_database_away_before_the_commit_is_a_temporary_refusal(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        await door.ground.cut()
        answers = [await peer.ask(submit())]
        while answers[-1].command_status == 0:
            answers.append(await peer.ask(submit()))
        assert answers[-1].command_status == 0x08
        door.ground.away = False
        assert (await peer.ask(submit())).command_status == 0


# ---------------------------------------------------------------- unbinding, receipts, slow readers


async def test_unbind_waits_for_the_answers_owed(door: Door) -> None:
    async with door.peer(bound=True, kind=BindTransmitter) as peer:
        peer.write(submit(), submit(), Unbind(sequence_number=99))
        kinds = [type(await peer.read()) for _ in range(2)]
        assert kinds == [SubmitSmResp, SubmitSmResp]
        last = await peer.read()
        assert (type(last), last.sequence_number, last.command_status) == (UnbindResp, 99, 0)
        assert await peer.is_closed()
    await eventually(lambda: not door.server.connections, WITHIN_S)


async def test_a_receipt_comes_to_a_receiving_bind_within_its_window(door: Door) -> None:
    async with door.peer(bound=True, kind=BindReceiver) as receiver, door.peer(bound=True, kind=BindTransmitter) as tx:
        await door.deliveries.run_due()  # the clock's job: no rows wait for it
        tx.write(*[submit() for _ in range(5)])
        ids = {(await tx.read()).message_id for _ in range(5)}
        await eventually(lambda: len(door.life.carrier.written) == 5, WITHIN_S)
        for message in list(door.life.lifecycle.active):
            await eventually(lambda m=message: m.smsc_message_ids, WITHIN_S)  # type: ignore[misc]
            door.life.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        first = [await receiver.read() for _ in range(3)]
        (connection,) = [c for c in door.server.connections if c.session.bind_type == "receiver"]
        await eventually(lambda: connection.session.unanswered == 3, WITHIN_S, "the window is full")
        told = set()
        for pdu in first:
            assert (type(pdu), pdu.esm_class, pdu.source_addr) == (DeliverSm, 0x04, HANDSET)
            told.add(pdu.tlv(0x001E).rstrip(b"\0").decode())
            receiver.writer.write(receiver.octets(DeliverSmResp(sequence_number=pdu.sequence_number)))
        for _ in range(2):
            pdu = await receiver.read()
            told.add(pdu.tlv(0x001E).rstrip(b"\0").decode())
            receiver.writer.write(receiver.octets(DeliverSmResp(sequence_number=pdu.sequence_number)))
        assert told == ids

        async def all_done() -> bool:
            return bool(await door.ground.value("SELECT count(*) FROM messages WHERE notify = 'done'") == 5)

        await eventually(all_done, WITHIN_S)


async def test_who_never_reads_is_bounded_and_holds_up_nobody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esme_connection, "CHATTER_LIMIT", 1_000_000)  # the other bound, which would be met first
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", door.server.port))
    async with raw_peer_on(narrow) as deaf:
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]  # it never reads
        flood = deaf.octets(BindTransceiver(system_id="ours1", password="secret"))
        deaf.writer.write(flood)
        await eventually(lambda: any(c.esme for c in door.server.connections), WITHIN_S)
        (connection,) = door.server.connections
        links = b"".join(deaf.octets(EnquireLink()) for _ in range(2000))
        for _ in range(400):
            deaf.writer.write(links)
            await asyncio.sleep(0)
            if connection.slow:
                break
        await eventually(lambda: connection.slow, WITHIN_S, "its connection is no longer read")
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < WRITE_LIMIT
        async with door.peer(bound=True) as other:
            assert (await other.ask(submit())).command_status == 0


@contextlib.asynccontextmanager
async def raw_peer_on(connected: socket.socket) -> AsyncIterator[RawPeer]:
    reader, writer = await asyncio.open_connection(sock=connected)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_facts_for_inbound_numbers_reach_the_right_bind(door: Door) -> None:
    await facts.add_inbound_number(door.ground.connection, "36000", door.ground.account_id, door.ground.esme_id)
    door.life.lifecycle.book = await door.ground.book()
    async with door.peer(bound=True, kind=BindReceiver) as receiver:
        await door.deliveries.run_due()
        door.life.carrier.inbound(HANDSET, "36000", b"yes")
        pdu = await receiver.read()
        assert (type(pdu), pdu.short_message, pdu.destination_addr) == (DeliverSm, b"yes", "36000")
        receiver.writer.write(receiver.octets(DeliverSmResp(sequence_number=pdu.sequence_number)))

        async def done() -> bool:
            return bool(await door.ground.value("SELECT state FROM inbound_messages") == "done")

        await eventually(done, WITHIN_S)
