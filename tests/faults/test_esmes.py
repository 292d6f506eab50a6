"""Clients that never read, go away, flood, send rubbish or dribble: each hurts itself only.

Source: issue, "Bad input and faults"; smpp-answers, "As a server"; promises P5, P6 and P7.
What must not enter: each status of the table (tests/gateway/smpp); here a whole node has to bear it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from gateway.smpp.pdus import EnquireLink, SubmitSmResp, Unbind, UnbindResp
from tests.eventually import eventually
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import road
from tests.running_node import Login

NEIGHBOURS = [Login(), Login(system_id="bad", account="bad", tps=10)]
CALM_P99_MS = 10_000.0  # chosen: who waited for the bad one would wait for ever; tests/bench/binds.py has the figure
RECEIPTS_OWED = "SELECT count(*) FROM waiting_notifications"


def _heard(log: Path) -> list[int]:
    """The message ids of the receipts that a client heard, in order."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [int(line["message_id"]) for line in lines if line["event"] == "receipt"]


async def test_a_client_that_never_reads_slows_nobody_and_stays_bounded(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database, logins=NEIGHBOURS) as way,
        way.esme(messages=30, rate=100, verify_receipts=True) as first,
    ):
        assert (await first.finish()).verified
        before_mib = way.resident_mib()
        async with raw_esme(way.node.smpp_port, receive_buffer=4096) as bad:
            assert await bad.bind("bad") == 0
            sent = await bad.send_until_stuck(a_submit(2), within_s=30)
            async with way.esme(messages=300, rate=100, verify_receipts=True) as good:
                summary = await good.finish()
            assert summary.verified
            assert summary.latency_ms["p99"] < CALM_P99_MS, f"beside {sent} unread answers"
            assert way.resident_mib() - before_mib < 64
        await way.prove()


async def test_receipts_owed_to_an_absent_client_come_in_order_and_once(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, smsc={"receipt_hold": True}) as way:
        async with way.esme(messages=700) as esme:
            await esme.finish()
        way.smsc.change({"receipt_hold": False})

        async def are_kept() -> bool:
            return await way.value(RECEIPTS_OWED) == 700

        await eventually(are_kept, 15, "700 receipts kept as rows")
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        heard = _heard(way.esme_logs[-1])
        assert heard == sorted(set(heard))
        assert len(heard) == 700
        assert await way.value(RECEIPTS_OWED) == 0
        await way.prove()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_receipts_owed_over_a_restart_are_delivered(end: str, empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database) as way:
        async with way.esme(messages=100, bind_type="transmitter") as esme:
            await esme.finish()

        async def are_final() -> bool:
            return await way.value("SELECT count(*) FROM messages WHERE state = 'delivered'") == 100

        await eventually(are_final, 15, "100 delivered")
        await (way.node.stop() if end == "stop" else way.node.kill())
        await way.node.start()
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        assert len(_heard(way.esme_logs[-1])) == len(set(_heard(way.esme_logs[-1]))) == 100
        await way.prove()


async def test_a_client_cut_off_amid_its_receipts_hears_only_unacknowledged_ones_again(
    empty_database: str, tmp_path: Path
) -> None:
    async with road(tmp_path, empty_database, smsc={"receipt_hold": True}) as way:
        async with way.esme(messages=300) as esme:
            await esme.finish()
        async with raw_esme(way.node.smpp_port) as mute:
            assert await mute.bind() == 0
            way.smsc.change({"receipt_hold": False})
            told = [await mute.receive() for _ in range(50)]  # a whole delivery_window, and no answer
        assert len({pdu.sequence_number for pdu in told}) == 50
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        heard = _heard(way.esme_logs[-1])
        assert len(heard) == len(set(heard)) == 300
        await way.prove()


async def test_a_flood_beyond_the_window_is_throttled_and_answered_whole(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database, logins=[Login(window=10)]) as way,
        way.esme(messages=500, window=200) as esme,
    ):
        summary = await esme.finish()
        assert set(summary.refused) == {"ESME_RTHROTTLED"}
        assert summary.accepted + summary.refused["ESME_RTHROTTLED"] == 500
        assert summary.accepted >= 10
        assert summary.unanswered == 0
        await way.prove()


async def test_a_client_beyond_its_rate_is_throttled(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database, logins=[Login(tps=20)]) as way,
        way.esme(messages=200, window=50) as esme,
    ):
        summary = await esme.finish()
        assert set(summary.refused) == {"ESME_RTHROTTLED"}
        assert 20 <= summary.accepted <= 20 + 20 * (summary.seconds + 1)
        await way.prove()


async def test_rubbish_ends_its_own_connection_only(empty_database: str, tmp_path: Path) -> None:
    chance = random.Random(2775)
    async with road(tmp_path, empty_database) as way, way.esme(messages=200, rate=100, verify_receipts=True) as good:
        for attempt in range(60):
            octets = chance.randbytes(chance.randrange(16, 2000))
            async with raw_esme(way.node.smpp_port) as bad:
                if attempt % 2:
                    assert await bad.bind() == 0
                bad.send(octets)
                if int.from_bytes(octets[:4], "big") > 70_000 or octets[0] & 0x80:
                    await bad.closed()
        assert (await good.finish()).verified
        assert way.node.exit_code is None
        await way.quiet()
        await way.prove()


async def test_pdus_that_come_one_octet_at_a_time_are_served(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database) as way,
        way.esme(messages=20, octet_at_a_time=True, verify_receipts=True) as esme,
    ):
        assert (await esme.finish()).verified
        await way.prove()


async def test_a_header_that_never_ends_is_closed_in_time(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, start=False) as way:
        file = way.node.config_file
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("[smpp_server]", "[smpp_server]\nbind_timeout_s = 3"), encoding="utf-8")
        await way.node.start()
        async with raw_esme(way.node.smpp_port) as slow, raw_esme(way.node.smpp_port) as idle:
            slow.send(b"\x00\x00\x00")
            assert await slow.closed() == b""
            assert await idle.closed() == b""
        async with raw_esme(way.node.smpp_port) as bound:
            assert await bound.bind() == 0
            assert (await bound.ask(EnquireLink(sequence_number=2))).command_status == 0


async def test_an_unbind_waits_for_the_answers_that_are_owed(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database) as way:
        async with raw_esme(way.node.smpp_port) as esme:
            assert await esme.bind() == 0
            esme.send(*[a_submit(number) for number in range(2, 42)], Unbind(sequence_number=42))
            answers = [await esme.receive() for _ in range(41)]
            assert await esme.closed() == b""
        submitted, last = answers[:-1], answers[-1]
        assert {type(pdu) for pdu in submitted} == {SubmitSmResp}
        assert {pdu.command_status for pdu in submitted} == {0}
        assert sorted(pdu.sequence_number for pdu in submitted) == list(range(2, 42))
        assert isinstance(last, UnbindResp)
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        await way.prove()
