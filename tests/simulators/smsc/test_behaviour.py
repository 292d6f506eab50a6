"""The SMSC's rules: same seed same verdicts, each fault as often as asked, receipts as registered_delivery asks.

What must not enter: the wire (test_server.py).
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.smsc import SmscSettings
from simulators.smsc.behaviour import Judgement, SmscBehaviour, Verdict
from simulators.smsc.message_ids import Dress, dress_id


def verdicts(count: int, registered_delivery: int = 1, unanswered: int = 0, **plain: object) -> list[Verdict]:
    """The verdicts over so many submits at the same moment."""
    settings_here = SmscSettings.parse(**plain)
    behaviour = SmscBehaviour(settings_here, random.Random(settings_here.seed).random, 1)
    return [behaviour.judge(registered_delivery, unanswered, "esme", 0.0) for _ in range(count)]


def test_without_faults_everything_is_taken_and_delivered_at_once() -> None:
    for number, verdict in enumerate(verdicts(3), 1):
        assert (verdict.judgement, verdict.number, verdict.latency_ms) == (Judgement.TAKEN, number, 0.0)
        assert [(receipt.stat, receipt.delay_ms) for receipt in verdict.receipts] == [("DELIVRD", 0.0)]


def test_same_seed_gives_the_same_verdicts_and_another_seed_others() -> None:
    faults = {"error_mix": "0x08=0.2", "silence": 0.2, "latency_ms": "1..9", "receipt_delay_ms": "1..9"}
    assert verdicts(50, **faults) == verdicts(50, **faults)
    assert verdicts(50, **faults) != verdicts(50, **faults, seed=2)


def test_each_fault_comes_as_often_as_asked() -> None:
    taken = verdicts(4000, error_mix="0x45=0.1", silence=0.25, receipt_mix="UNDELIV/011=0.5", no_receipt=0.2)
    refused = [verdict for verdict in taken if verdict.judgement is Judgement.REFUSED]
    assert {verdict.command_status for verdict in refused} == {0x45}
    assert 320 < len(refused) < 480
    silent = sum(verdict.judgement is Judgement.SILENT for verdict in taken)
    assert 780 < silent < 1020
    receipts = [receipt for verdict in taken for receipt in verdict.receipts]
    assert 2700 < len(receipts) < 3060
    undelivered = [receipt for receipt in receipts if receipt.stat == "UNDELIV"]
    assert 1250 < len(undelivered) < 1650
    assert {receipt.err for receipt in undelivered} == {"011"}


def test_refused_message_has_no_id_and_no_receipt() -> None:
    (verdict,) = verdicts(1, congested=True)
    assert (verdict.command_status, verdict.number, verdict.receipts) == (0x14, 0, ())


def test_an_answer_waits_for_those_of_its_bind_before_it_and_a_refusal_for_none() -> None:
    for unanswered, latency_ms in ((0, 3), (1, 8), (10, 53)):
        assert verdicts(1, unanswered=unanswered, latency_ms="3", queue_ms=5)[0].latency_ms == latency_ms
    assert verdicts(1, unanswered=10, latency_ms="3", queue_ms=5, window=10)[0].latency_ms == 3


def test_beyond_the_window_and_the_rate_it_throttles() -> None:
    assert verdicts(1, unanswered=5, window=5)[0].command_status == 0x58
    assert verdicts(1, unanswered=4, window=5)[0].command_status == 0
    assert verdicts(1, unanswered=5, window=5, window_status="0x14")[0].command_status == 0x14
    statuses = [verdict.command_status for verdict in verdicts(12, tps=10)]
    assert statuses == [0] * 10 + [0x58] * 2


def test_each_system_id_has_a_rate_of_its_own_and_a_changed_rate_counts_anew() -> None:
    behaviour = SmscBehaviour(SmscSettings.parse(tps=1), random.Random(1).random, 1)
    assert behaviour.judge(0, 0, "a", 0.0).command_status == 0
    assert behaviour.judge(0, 0, "a", 0.0).command_status == 0x58
    assert behaviour.judge(0, 0, "b", 0.0).command_status == 0
    assert behaviour.judge(0, 0, "a", 1.0).command_status == 0
    behaviour.settings = behaviour.settings.changed({"tps": 0})
    assert behaviour.judge(0, 0, "a", 1.0).command_status == 0


@pytest.mark.parametrize(
    ("registered_delivery", "stat", "expected"),
    [(0, "DELIVRD", 0), (1, "DELIVRD", 1), (1, "UNDELIV", 1), (2, "DELIVRD", 0), (2, "UNDELIV", 1), (3, "DELIVRD", 1)]
    + [(3, "UNDELIV", 0), (0x11, "DELIVRD", 1), (0x10, "DELIVRD", 0)],
)
def test_receipts_follow_registered_delivery(registered_delivery: int, stat: str, expected: int) -> None:
    mix = "" if stat == "DELIVRD" else f"{stat}=1"
    assert len(verdicts(1, registered_delivery, receipt_mix=mix)[0].receipts) == expected


def test_receipts_come_early_twice_late_and_after_a_notification() -> None:
    (early,) = verdicts(1, receipt_early=1.0)[0].receipts
    assert early.early
    first, second = verdicts(1, receipt_duplicate=1.0)[0].receipts
    assert first.stat == second.stat
    assert first.delay_ms <= second.delay_ms
    notification, final = verdicts(1, receipt_intermediate=True, receipt_delay_ms=10)[0].receipts
    assert notification.intermediate
    assert notification.delay_ms < final.delay_ms
    delays = [verdict.receipts[0].delay_ms for verdict in verdicts(20, receipt_shuffle=True)]
    assert delays != sorted(delays)


@given(
    st.integers(1, 2**62), st.integers(1, 2**62), st.sampled_from([dress for dress in Dress if dress is not Dress.NONE])
)
@settings(max_examples=80)
def test_ids_differ_in_every_dress_and_fit_the_field(one: int, other: int, dress: Dress) -> None:
    assert (dress_id(one, dress) == dress_id(other, dress)) == (one == other)
    assert len(dress_id(one, dress)) <= 64


def test_dresses_are_those_of_the_field() -> None:
    assert dress_id(48879, Dress.DECIMAL) == "48879"
    assert dress_id(48879, Dress.HEX) == "beef"
    assert dress_id(48879, Dress.HEX_UPPER) == "BEEF"
    assert dress_id(48879, Dress.PADDED) == "00000000000000048879"
    assert len(dress_id(48879, Dress.UUID)) == 36


def test_a_destination_is_refused_by_the_first_prefix_that_fits_before_anything_is_drawn() -> None:
    behaviour = SmscBehaviour(SmscSettings.parse(error_for="22901=0x0B,229=0x0401", error_mix="0x45=1"), lambda: 0.0, 1)
    statuses = [behaviour.judge(1, 0, "esme", 0.0, to).command_status for to in ("22901", "22902", "33")]
    assert statuses == [0x0B, 0x401, 0x45]


def test_an_answer_without_id_has_none() -> None:
    assert dress_id(7, Dress.NONE) == ""
