"""The ESME's books: receipts before and after their answers, twice, contradicting, missing; the summary.

What must not enter: the wire.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.esme.report import summary_json, summary_table
from simulators.esme.tally import LATENCIES_LIMIT, EsmeSummary, LatencySample, Tally


def new_tally(expects_receipts: bool = True) -> Tally:
    return Tally(expects_receipts, random.Random(1).random)


def closed(tally: Tally, verify: bool = True, complete: bool = True) -> EsmeSummary:
    return tally.close(2.0, verify, complete)


@given(st.permutations(["answer", "receipt", "receipt"]))
@settings(max_examples=10)
def test_receipt_is_counted_once_whatever_the_order(order: list[str]) -> None:
    tally = new_tally()
    for fact in order:
        if fact == "answer":
            tally.answered("7", "", 1.0, late=False)
        else:
            tally.receipt("7", "DELIVRD")
    summary = closed(tally)
    assert (summary.receipts, summary.duplicates, summary.missing, summary.unexpected) == ({"DELIVRD": 1}, 1, 0, 0)
    assert summary.verified


def test_missing_receipt_fails_the_verification_and_is_named() -> None:
    tally = new_tally()
    tally.answered("7", "", 1.0, late=False)
    summary = closed(tally)
    assert (summary.verified, summary.missing_ids) == (False, ["7"])


def test_contradiction_fails_the_verification() -> None:
    tally = new_tally()
    tally.answered("7", "", 1.0, late=False)
    tally.receipt("7", "DELIVRD")
    tally.receipt("7", "UNDELIV")
    assert closed(tally).verified is False


def test_what_was_not_submitted_fails_the_verification() -> None:
    assert closed(new_tally(), complete=False).verified is False


def test_unverified_run_says_neither_yes_nor_no() -> None:
    assert closed(new_tally(), verify=False).verified is None


def test_intermediate_notification_is_no_receipt() -> None:
    tally = new_tally()
    tally.answered("7", "", 1.0, late=False)
    tally.receipt("7", "ENROUTE")
    summary = closed(tally)
    assert (summary.intermediate, summary.missing) == (1, 1)


def test_refusal_owes_no_receipt_and_late_answer_is_an_answer() -> None:
    tally = new_tally()
    tally.answered("", "ESME_RTHROTTLED", 1.0, late=False)
    tally.summary.unanswered += 1
    tally.answered("7", "", 61_000.0, late=True)
    tally.receipt("7", "DELIVRD")
    summary = closed(tally)
    assert (summary.refused, summary.unanswered, summary.late) == ({"ESME_RTHROTTLED": 1}, 0, 1)
    assert summary.verified
    assert summary.accepted_per_s == 0.5


def test_unexpected_receipt_is_told() -> None:
    tally = new_tally()
    tally.receipt("of another run", "DELIVRD")
    assert closed(tally).unexpected == 1


def test_percentiles_are_those_of_the_sample() -> None:
    sample = LatencySample(random.Random(1).random)
    assert sample.percentiles() == {}
    for latency in range(1, 102):
        sample.add(float(latency))
    assert sample.percentiles() == {"p50": 51.0, "p95": 96.0, "p99": 100.0, "max": 101.0}


def test_sample_keeps_to_its_limit() -> None:
    sample = LatencySample(random.Random(1).random)
    for latency in range(LATENCIES_LIMIT + 1000):
        sample.add(float(latency))
    assert len(sample._kept) == LATENCIES_LIMIT


def test_summary_is_shown_as_json_and_as_a_table() -> None:
    tally = new_tally()
    tally.answered("7", "", 1.0, late=False)
    summary = closed(tally)
    assert '"missing_ids":["7"]' in summary_json(summary)
    shown = list(summary_table(summary).columns[0].cells)
    assert "  missing receipt of" in shown
    assert "receipts verified" in shown
    assert "late" not in shown
