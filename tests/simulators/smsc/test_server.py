"""The SMSC simulator alone on the wire, with smpplib as a client that is not ours.

What must not enter: our ESME simulator (tests/simulators/test_together.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import smpplib.client
import smpplib.exceptions
import smpplib.pdu
import smpplib.smpp

from simulators.smsc import SimulatedSmsc, SmscSettings


class Peer:
    """smpplib, bound as transceiver; events: what came, in order."""

    def __init__(self, port: int, password: str = "secret") -> None:
        self.events: list[tuple[str, int, str]] = []
        self.client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True, timeout=60)
        self.client.set_message_sent_handler(self._sent)
        self.client.set_message_received_handler(self._received)
        self.client.set_error_pdu_handler(self._refused)
        self.client.connect()
        try:
            self.client.bind_transceiver(system_id="peer", password=password)
        except smpplib.exceptions.PDUError:
            self.client.disconnect()
            raise

    def _sent(self, pdu: smpplib.pdu.PDU) -> None:
        self.events.append(("response", pdu.status, (pdu.message_id or b"").decode()))

    def _refused(self, pdu: smpplib.pdu.PDU) -> None:
        self.events.append(("response", pdu.status, ""))

    def _received(self, pdu: smpplib.pdu.PDU) -> int:
        self.events.append(("deliver", pdu.esm_class, pdu.short_message.decode("latin-1")))
        return 0

    def submit(self, count: int = 1, **fields: object) -> None:
        """Send submits without waiting for their answers."""
        plain = {"source_addr": "peer", "destination_addr": "22997000000", "short_message": b"hello"}
        for _ in range(count):
            self.client.send_message(registered_delivery=1, **plain | fields)

    def read(self, wanted: int) -> list[tuple[str, int, str]]:
        """Read PDUs until so many events are there."""
        while len(self.events) < wanted:
            self.client.read_once(auto_send_enquire_link=False)
        return self.events

    def hear_the_end(self) -> bool:
        """Whether the connection is gone before anything else is understood."""
        with contextlib.suppress(smpplib.exceptions.ConnectionError, ConnectionError):
            while True:
                self.client.read_once(auto_send_enquire_link=False)
        return True


@contextlib.contextmanager
def peer_at(port: int, password: str = "secret") -> Iterator[Peer]:
    peer = Peer(port, password)
    try:
        yield peer
    finally:
        with contextlib.suppress(Exception):  # the boundary to smpplib: its client may be in any state after a fault
            peer.client.unbind()
        peer.client.disconnect()


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def exchange(smsc: SimulatedSmsc, submits: int, events: int, **fields: object) -> list[tuple[str, int, str]]:
    """What smpplib saw after so many submits, until so many events."""

    def talk() -> list[tuple[str, int, str]]:
        with peer_at(smsc.port) as peer:
            peer.submit(submits, **fields)
            return list(peer.read(events))

    return await asyncio.to_thread(talk)


async def test_submit_is_answered_and_its_receipt_follows() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        response, receipt = await exchange(smsc, 1, 2)
        assert response[:2] == ("response", 0)
        assert receipt[:2] == ("deliver", 4)
        assert receipt[2].startswith(f"id:{response[2]} sub:001 dlvrd:001 ")
        (taken,) = smsc.taken
        assert (taken.smsc_message_id, bytes.fromhex(taken.short_message)) == (response[2], b"hello")
        await smsc.until(lambda statistics: statistics.receipts_acked == 1 and statistics.bound == 0)


async def test_log_has_the_submit_before_its_answer_and_both_phases_of_the_receipt(tmp_path: Path) -> None:
    log = tmp_path / "smsc.log"
    async with SimulatedSmsc(SmscSettings.parse(log=log, error_mix="0x0B=1")) as smsc:

        def talk() -> list[dict[str, object]]:
            with peer_at(smsc.port) as peer:
                peer.submit()
                peer.read(1)
                return lines_of(log)

        at_answer = await asyncio.to_thread(talk)
        assert [line["event"] for line in at_answer] == ["start", "bind", "submit"]
        assert (at_answer[-1]["verdict"], at_answer[-1]["command_status"]) == ("refused", 0x0B)
        smsc.change({"error_mix": ""})
        await exchange(smsc, 1, 2)
        await smsc.until(lambda statistics: statistics.bound == 0)
    events = [(line["event"], line.get("phase")) for line in lines_of(log)]
    assert events.index(("receipt", "sent")) < events.index(("receipt", "acked"))
    assert events[-1] == ("close", None)


async def test_wrong_password_is_refused() -> None:
    async with SimulatedSmsc(SmscSettings.parse(password="right", system_id="peer")) as smsc:
        with pytest.raises(smpplib.exceptions.PDUError, match="Bind Failed"):
            await asyncio.to_thread(Peer, smsc.port, "wrong")
        await smsc.until(lambda statistics: statistics.binds_refused == 1)


async def test_receipt_precedes_the_answer_when_early() -> None:
    async with SimulatedSmsc(SmscSettings.parse(receipt_early=1.0, latency_ms=5)) as smsc:
        receipt, response = await exchange(smsc, 1, 2)
        assert (receipt[0], response[0]) == ("deliver", "response")
        assert f"id:{response[2]} " in receipt[2]


async def test_receipt_comes_twice_and_after_a_notification() -> None:
    settings = SmscSettings.parse(receipt_duplicate=1.0, receipt_intermediate=True)
    async with SimulatedSmsc(settings) as smsc:
        _, notification, first, second = await exchange(smsc, 1, 4)
        assert notification[1] == 0x20
        assert "stat:ENROUTE" in notification[2]
        assert first == second


async def test_receipt_wears_another_dress_than_the_answer() -> None:
    settings = SmscSettings.parse(id_dress="decimal", receipt_id_dress="HEX", first_id=48879)
    async with SimulatedSmsc(settings) as smsc:
        response, receipt = await exchange(smsc, 1, 2)
        assert response[2] == "48879"
        assert "id:BEEF " in receipt[2]


async def test_silent_message_is_taken_and_delivered_and_its_bind_still_ends() -> None:
    async with SimulatedSmsc(SmscSettings.parse(silence=1.0)) as smsc:
        (receipt,) = await exchange(smsc, 1, 1)
        assert receipt[0] == "deliver"
        assert [line.verdict for line in smsc.taken] == ["silent"]
        await smsc.until(lambda statistics: statistics.bound == 0)


async def test_held_receipts_leave_when_they_are_let_go() -> None:
    async with SimulatedSmsc(SmscSettings.parse(receipt_hold=True)) as smsc:
        await exchange(smsc, 3, 3)
        assert smsc.statistics.receipts_sent == 0
        smsc.change({"receipt_hold": False})
        receipts = await exchange(smsc, 0, 3)
        assert [receipt[0] for receipt in receipts] == ["deliver"] * 3


async def test_receipts_without_acknowledgement_come_again_on_the_next_bind() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:

        def leave_unread() -> None:
            peer = Peer(smsc.port)
            peer.submit()
            peer.client.disconnect()

        await asyncio.to_thread(leave_unread)
        await smsc.until(lambda statistics: statistics.taken == 1 and statistics.bound == 0)
        (receipt,) = await exchange(smsc, 0, 1)
        assert receipt[0] == "deliver"


async def test_link_is_reset_after_so_many_requests_and_the_last_one_is_taken() -> None:
    async with SimulatedSmsc(SmscSettings.parse(drop_after=2, no_receipt=1.0)) as smsc:

        def talk() -> tuple[list[tuple[str, int, str]], bool]:
            with peer_at(smsc.port) as peer:
                peer.submit(2)
                peer.read(2)
                peer.submit(1)
                return peer.events, peer.hear_the_end()

        events, ended = await asyncio.to_thread(talk)
        assert (len(events), ended) == (2, True)
        assert [line.verdict for line in smsc.taken] == ["taken", "taken", "silent"]


async def test_smsc_unbinds_after_so_many_requests() -> None:
    async with SimulatedSmsc(SmscSettings.parse(unbind_after=1, no_receipt=1.0)) as smsc:

        def talk() -> list[str]:
            with peer_at(smsc.port) as peer:
                peer.submit(1)
                heard = [peer.client.read_pdu(), peer.client.read_pdu()]
                answer = smpplib.smpp.make_pdu("unbind_resp", client=peer.client)
                answer.sequence = heard[1].sequence
                peer.client.send_pdu(answer)
                assert peer.hear_the_end()
                return [pdu.command for pdu in heard]

        assert await asyncio.to_thread(talk) == ["submit_sm_resp", "unbind"]
        await smsc.until(lambda statistics: statistics.bound == 0)
        assert len(smsc.taken) == 1


async def test_half_open_link_stays_and_says_nothing() -> None:
    async with SimulatedSmsc(SmscSettings.parse(half_open_after=1, no_receipt=1.0)) as smsc:

        def talk() -> int:
            with peer_at(smsc.port) as peer:
                peer.submit(1)
                peer.read(1)
                peer.submit(3)
                peer.client._socket.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    peer.client._socket.recv(1)
                return len(peer.events)

        assert await asyncio.to_thread(talk) == 1
        assert len(smsc.taken) == 1


async def test_inbound_messages_come_at_their_rate_and_on_request() -> None:
    async with SimulatedSmsc(SmscSettings.parse(inbound_to="36000")) as smsc:
        with pytest.raises(ValueError, match="nobody bound"):
            smsc.deliver_inbound("22997000000", "36000", "STOP")
        await exchange(smsc, 0, 0)
        smsc.deliver_inbound("22997000000", "36000", "STOP")
        smsc.change({"inbound_rate": 200})
        inbound = await exchange(smsc, 0, 5)
        assert inbound[0] == ("deliver", 0, "STOP")
        assert {esm_class for _, esm_class, _ in inbound} == {0}
        smsc.change({"inbound_rate": 0})


async def test_long_text_is_found_in_message_payload() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        await exchange(smsc, 1, 2, short_message=b"", message_payload=b"x" * 300)
        assert bytes.fromhex(smsc.taken[0].short_message) == b"x" * 300


async def test_control_port_answers_and_steers() -> None:
    async with SimulatedSmsc(SmscSettings.parse(control="127.0.0.1:0")) as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.control_port)

        async def ask(request: str) -> dict[str, object]:
            writer.write(request.encode() + b"\n")
            answer: dict[str, object] = json.loads(await reader.readline())
            return answer

        assert (await ask('{"set": {"silence": 1.0, "latency_ms": "5..10"}}')) == {"ok": True}
        assert smsc.settings.silence == 1.0
        refused = await ask('{"set": {"silense": 1.0}}')
        assert refused["ok"] is False
        assert "silence" in str(refused["error"])
        for wrong in ("no json", "[]", '{"shutdown": true}', '{"disconnect": "gently"}', '{"inbound": {"x": 1}}'):
            assert (await ask(wrong))["ok"] is False
        settings = (await ask('{"settings": true}'))["settings"]
        assert isinstance(settings, dict)
        assert settings["latency_ms"] == "5..10"
        assert "password" not in settings
        told = await ask('{"statistics": true, "disconnect": "drop"}')
        assert told["disconnected"] == 0
        writer.close()
        await writer.wait_closed()


async def test_octets_that_are_no_smpp_end_their_connection_only() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(await reader.read()) == 16, "generic_nack, then the end"
        writer.close()
        await writer.wait_closed()
        assert len(await exchange(smsc, 1, 2)) == 2


async def test_log_that_cannot_be_kept_stops_all_answers(tmp_path: Path) -> None:
    async with SimulatedSmsc(SmscSettings.parse(log=tmp_path / "log")) as smsc:
        assert smsc._log is not None
        await smsc.conditions.wait(lambda: (tmp_path / "log").stat().st_size > 0, 5.0)
        full = OSError(28, "No space left on device")

        def refuse() -> None:
            raise full

        smsc._log.sync = refuse  # type: ignore[method-assign] # the one thing that only a full disk could show
        with socket.create_connection(("127.0.0.1", smsc.port)) as plug:
            plug.sendall(bytes.fromhex("00000017 00000009 00000000 00000001 0000 00 34 00 00 00"))
            await smsc.conditions.wait(lambda: smsc.failure is full, 5.0)
            plug.setblocking(False)
            with pytest.raises(BlockingIOError):
                plug.recv(1)
        del smsc._log.sync
