"""Figures say what they must: medians, targets, verdicts, tables.

What must not enter: anything that measures.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import figures
from tests.bench.figures import Figure, Section


def test_median_decides_not_the_worst_round() -> None:
    figure = Figure("rate", "1/s", [9000, 8500, 100], least=8000)
    assert figure.median == 8500
    assert figure.verdict == figures.MET


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("rate", "1/s", [7999], least=8000), figures.MISSED),
        (Figure("p99", "ms", [8.0], most=8), figures.MET),
        (Figure("p99", "ms", [8.1], most=8), figures.MISSED),
        (Figure("anything", "1/s", [1]), figures.KNOWN),
        (Figure("rate", "1/s", least=8000), figures.ABSENT),
    ],
)
def test_verdict(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_a_round_without_value_leaves_no_sample() -> None:
    figure = Figure("rate", "1/s")
    figure.add(None)
    assert figure.row() == ("rate", "1/s", "-", "-", figures.ABSENT)


def test_absent_figure_says_why() -> None:
    assert "Kannel is not installed" in Figure("ratio", "x", absent="Kannel is not installed").row()


def test_row_shows_the_span_of_several_rounds() -> None:
    assert Figure("p99", "ms", [1, 3, 2], most=8, decimals=1).row()[2:] == ("<= 8.0", "2.0 (1.0 to 3.0)", figures.MET)


def test_columns_line_up() -> None:
    lines = figures.table([("a", "long cell")], headings=("heading", "b")).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_results_keep_samples_verdicts_and_faults(tmp_path: Path) -> None:
    section = Section("Throughput", faults=["2 receipts never came"])
    section.figure("rate", "1/s", least=8000, samples=[1, 2, 3])
    file = tmp_path / "results.json"
    figures.save(file, {"cores": 2}, [section])
    read = json.loads(file.read_text())
    assert read["machine"] == {"cores": 2}
    assert read["sections"][0]["figures"][0]["samples"] == [1, 2, 3]
    assert read["sections"][0]["figures"][0]["verdict"] == figures.MISSED
    assert read["sections"][0]["faults"] == ["2 receipts never came"]
    assert "FAULT: 2 receipts never came" in section.text()
