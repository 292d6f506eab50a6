"""Both simulators against each other: what the ESME sent, what the SMSC took, and what both logs say agree.

What must not enter: the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulators.esme import EsmeSettings, SimulatedEsme
from simulators.esme.tally import EsmeSummary
from simulators.smsc import SimulatedSmsc, SmscSettings
from simulators.wire import WRITE_BUFFER_LIMIT


async def send(smsc: SimulatedSmsc, **plain: object) -> EsmeSummary:
    async with SimulatedEsme(EsmeSettings.parse(smsc.endpoint, **plain)) as esme:
        return await esme.finish()


def lines_of(path: Path, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line["event"] == event]


async def test_everything_sent_is_taken_answered_and_delivered() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        summary = await send(smsc, messages=300, binds=3, verify_receipts=True)
        assert (summary.accepted, summary.receipts, summary.verified) == (300, {"DELIVRD": 300}, True)
        assert summary.problem == ""
        assert len(smsc.taken) == 300


async def test_faults_of_all_kinds_at_once_still_reconcile(tmp_path: Path) -> None:
    faults = SmscSettings.parse(
        log=tmp_path / "smsc",
        latency_ms="0..3",
        error_mix="0x08=0.1,0x45=0.1",
        receipt_delay_ms="0..20",
        receipt_mix="UNDELIV/001=0.2",
        receipt_early=0.3,
        receipt_duplicate=0.2,
        receipt_intermediate=True,
        receipt_tlv=False,
        inbound_rate=100,
    )
    async with SimulatedSmsc(faults) as smsc:
        summary = await send(smsc, messages=200, binds=2, long_texts="udh", verify_receipts=True, log=tmp_path / "esme")
    assert summary.verified
    taken = {line["smsc_message_id"] for line in lines_of(tmp_path / "smsc", "submit") if line["verdict"] == "taken"}
    answered = [line for line in lines_of(tmp_path / "esme", "response") if line["command_status"] == 0]
    assert taken == {line["message_id"] for line in answered}
    sent = Counter(line["short_message"] for line in lines_of(tmp_path / "esme", "submit"))
    assert sent == Counter(line["short_message"] for line in lines_of(tmp_path / "smsc", "submit"))
    assert taken <= {line["message_id"] for line in lines_of(tmp_path / "esme", "receipt")}
    assert set(summary.refused) == {"ESME_RSYSERR", "ESME_RSUBMITFAIL"}
    assert summary.inbound == len(lines_of(tmp_path / "esme", "inbound"))


async def test_missing_receipts_fail_the_verification() -> None:
    async with SimulatedSmsc(SmscSettings.parse(no_receipt=1.0)) as smsc:
        summary = await send(smsc, messages=5, verify_receipts=True, receipt_timeout_s=0.1)
        assert (summary.verified, summary.missing) == (False, 5)


async def test_shuffled_receipts_are_all_verified() -> None:
    async with SimulatedSmsc(SmscSettings.parse(receipt_shuffle=True, id_dress="uuid")) as smsc:
        assert (await send(smsc, messages=100, verify_receipts=True)).verified


async def test_octet_at_a_time_means_the_same() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        summary = await send(smsc, messages=12, octet_at_a_time=True, verify_receipts=True)
        assert (summary.accepted, summary.verified) == (12, True)


async def test_pair_submits_on_one_bind_and_receives_on_the_other() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        summary = await send(smsc, messages=20, bind_type="pair", verify_receipts=True)
        assert (summary.binds, summary.verified) == (2, True)


async def test_refused_bind_and_absent_server_are_problems() -> None:
    async with SimulatedSmsc(SmscSettings.parse(password="right")) as smsc:
        assert (await send(smsc, password="wrong")).problem == "bind refused: ESME_RBINDFAIL"
        port = smsc.port
    async with SimulatedEsme(EsmeSettings.parse(f"127.0.0.1:{port}")) as esme:
        assert (await esme.finish()).problem.startswith("cannot connect")


async def test_unanswered_submits_are_told_and_not_sent_again(tmp_path: Path) -> None:
    async with SimulatedSmsc(SmscSettings.parse(silence=1.0)) as smsc:
        summary = await send(smsc, messages=5, response_timeout_s=0.1, log=tmp_path / "esme")
        assert (summary.submitted, summary.unanswered, len(smsc.taken)) == (5, 5, 5)
    assert [line["why"] for line in lines_of(tmp_path / "esme", "unanswered")] == ["overdue"] * 5


async def test_unanswered_submits_are_sent_again_when_asked() -> None:
    async with SimulatedSmsc(SmscSettings.parse(silence=1.0)) as smsc:
        settings = EsmeSettings.parse(smsc.endpoint, messages=5, response_timeout_s=0.1, resend=True)
        async with SimulatedEsme(settings) as esme:
            await esme.until(lambda summary: summary.again >= 5)
            smsc.change({"silence": 0})
            summary = await esme.finish()
            assert (summary.accepted, summary.unanswered) == (5, summary.again)


async def test_late_answer_is_told_as_late() -> None:
    async with SimulatedSmsc(SmscSettings.parse(latency_ms=300)) as smsc:
        settings = EsmeSettings.parse(smsc.endpoint, messages=3, response_timeout_s=0.1, reconnect=True)
        async with SimulatedEsme(settings) as esme:
            await esme.until(lambda summary: summary.late == 3)
            assert esme.summary.unanswered == 0


async def test_esme_comes_back_after_every_reset_and_loses_only_what_was_on_the_wire() -> None:
    async with SimulatedSmsc(SmscSettings.parse(drop_after=20)) as smsc:
        summary = await send(smsc, messages=100, reconnect=True, verify_receipts=True, receipt_timeout_s=5)
        assert summary.submitted == 100
        assert summary.accepted + summary.unanswered == 100
        assert summary.binds > 3
        assert summary.verified


async def test_without_reconnect_a_reset_ends_the_run_with_a_problem() -> None:
    async with SimulatedSmsc(SmscSettings.parse(drop_after=5)) as smsc:
        summary = await send(smsc, messages=100)
        assert summary.problem.startswith("connection")
        assert summary.accepted + summary.unanswered == summary.submitted < 100


async def test_esme_gives_up_after_its_time_without_a_bind() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        endpoint = smsc.endpoint
    async with SimulatedEsme(EsmeSettings.parse(endpoint, reconnect=True, connect_timeout_s=0.2)) as esme:
        assert (await esme.finish()).problem == "no bind for 0.2 s"


async def test_temporary_refusals_are_tried_again_when_asked() -> None:
    async with (
        SimulatedSmsc(SmscSettings.parse(congested=True)) as smsc,
        SimulatedEsme(EsmeSettings.parse(smsc.endpoint, messages=4, retry=True)) as esme,
    ):
        await esme.until(lambda summary: summary.refused.get("ESME_RMSGQFUL", 0) >= 4)
        smsc.change({"congested": False})
        assert (await esme.finish()).accepted == 4


async def test_rate_is_kept() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        summary = await send(smsc, messages=50, rate=200, binds=2)
        assert 0.2 < summary.seconds < 2.0


async def test_throttle_refuses_what_is_beyond_the_rate() -> None:
    async with SimulatedSmsc(SmscSettings.parse(tps=20)) as smsc:
        summary = await send(smsc, messages=200)
        assert summary.refused["ESME_RTHROTTLED"] >= 100
        assert summary.accepted >= 20


async def test_receiver_listens_until_its_time_is_over() -> None:
    async with SimulatedSmsc(SmscSettings.parse(inbound_rate=50)) as smsc:
        summary = await send(smsc, bind_type="receiver", seconds=0.3)
        assert (summary.submitted, summary.problem) == (0, "")
        assert summary.inbound > 0


async def test_sending_ends_after_its_time_and_receipts_are_still_verified() -> None:
    async with SimulatedSmsc(SmscSettings.parse(receipt_delay_ms=100)) as smsc:
        summary = await send(smsc, messages=0, seconds=0.2, rate=200, verify_receipts=True)
        assert summary.verified
        assert 5 < summary.accepted < 100


async def test_stopped_run_tells_what_came_until_then() -> None:
    async with (
        SimulatedSmsc(SmscSettings()) as smsc,
        SimulatedEsme(EsmeSettings.parse(smsc.endpoint, messages=0, rate=500, verify_receipts=True)) as esme,
    ):
        await esme.until(lambda summary: summary.accepted > 10)
        esme.stop()
        summary = await esme.finish()
        assert summary.verified
        assert summary.accepted == summary.submitted


async def test_smsc_that_unbinds_or_goes_deaf_is_left_and_found_again() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        settings = EsmeSettings.parse(
            smsc.endpoint, messages=0, rate=500, reconnect=True, response_timeout_s=0.2, window=2
        )
        async with SimulatedEsme(settings) as esme:
            await esme.until(lambda summary: summary.accepted > 10)
            assert smsc.disconnect("unbind") == 1
            await esme.until(lambda summary: summary.binds == 2)
            assert smsc.disconnect("half-open") == 1
            await esme.until(lambda summary: summary.unanswered >= 2)
            assert smsc.disconnect("drop") == 1
            await esme.until(lambda summary: summary.binds == 3)
            with pytest.raises(ValueError, match="gently"):
                smsc.disconnect("gently")


async def test_client_that_never_reads_is_read_no_more_and_everybody_else_is_served() -> None:
    async with SimulatedSmsc(SmscSettings.parse(deliver_window=100_000, no_receipt=0)) as smsc:
        deaf = EsmeSettings.parse(
            smsc.endpoint, system_id="deaf", messages=0, characters=160, never_read=True, response_timeout_s=300
        )
        async with SimulatedEsme(deaf) as esme:
            await esme.until(lambda summary: summary.submitted > 1000)
            await smsc.conditions.wait(lambda: any(wire.paused for wire in smsc._wires.values()), 20.0)
            assert (await send(smsc, messages=50, verify_receipts=True)).verified
            wire = next(wire for wire in smsc._wires.values() if wire.paused)
            assert wire._transport is not None
            assert wire._transport.get_write_buffer_size() < 4 * WRITE_BUFFER_LIMIT


async def test_same_seed_sends_the_same_messages() -> None:
    async with SimulatedSmsc(SmscSettings()) as smsc:
        await send(smsc, messages=30, seed=9)
        first = [(line.destination_addr, line.short_message) for line in smsc.taken]
        smsc.taken.clear()
        await send(smsc, messages=30, seed=9)
        assert first == [(line.destination_addr, line.short_message) for line in smsc.taken]


@contextlib.asynccontextmanager
async def process(*words: str):  # type: ignore[no-untyped-def] # an asyncio process, ended with the test
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from simulators.command import app; app(sys.argv[1:])",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": "100"},
    )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.wait()


async def test_both_work_as_commands(tmp_path: Path) -> None:
    async with process("smsc", "--listen", "127.0.0.1:0", "--password", "x", "--log", str(tmp_path / "log")) as smsc:
        ready = json.loads(await smsc.stdout.readline())
        assert ready["ready"] == "smsc"
        words = ("--connect", ready["listen"], "--password-stdin", "--messages", "20", "--verify-receipts", "--json")
        async with process("esme", *words) as esme:
            told, _ = await esme.communicate(b"x\n")
            assert esme.returncode == 0
            assert json.loads(told)["verified"] is True
        smsc.send_signal(signal.SIGTERM)
        told, _ = await smsc.communicate()
        assert smsc.returncode == 0
        assert json.loads(told)["statistics"]["taken"] == 20
    assert len(lines_of(tmp_path / "log", "submit")) == 20


@pytest.mark.parametrize(
    "words", [["smsc", "--silence", "2"], ["esme", "--binds", "0"], ["smsc", "--receipt-mix", "?"]]
)
async def test_bad_option_is_a_usage_error(words: list[str]) -> None:
    async with process(*words) as command:
        await command.communicate()
        assert command.returncode == 2
