"""`passerelle lookup`: numbers and files, refusals in both languages, the ranges of the database when asked.

What must not enter: what an analysis says (tests/telecom).
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.lookups.low_priority import LOWEST
from tests.gateway.command_line.conftest import Passerelle


def test_numbers_are_told_for_people_and_for_programs(passerelle: Passerelle) -> None:
    (told,) = passerelle("lookup", "97 00 00 00", "--country", "bj", "--json").json
    assert (told["valid"], told["e164"], told["migrated_from"]) == (True, "+2290197000000", "22997000000")
    shown = passerelle("lookup", "97 00 00 00", "--country", "BJ", "--lang", "fr").out
    assert "nouveau_plan_depuis" in shown
    assert "hello" in passerelle("lookup", "hello", "+33612345678").out
    (refused,) = passerelle("lookup", "hello", "--json", "--lang", "fr").json
    assert (refused["valid"], refused["reason"]) == (False, "not_digits")
    assert "chiffres" in refused["explanation"]


def test_ranges_of_the_database_are_asked_when_wished(passerelle: Passerelle) -> None:
    passerelle("range", "add", "2290197", "--network", "616/06", "--operator", "Celtiis")
    (plain,) = passerelle("lookup", "+2290197000000", "--json").json
    (own,) = passerelle("lookup", "+2290197000000", "--own-ranges", "--json").json
    assert (plain["operator"], plain["operator_source"]) == ("MTN", "plan")
    assert (own["operator"], own["operator_source"], own["mcc"]) == ("Celtiis", "own", "616")


@pytest.fixture
def at_our_priority(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The step down is for good, so the tests' own process notes it only."""
    taken: list[str] = []
    monkeypatch.setattr("gateway.command_line.lookup.step_behind_all", lambda: taken.append("lowest"))
    return taken


def test_file_is_analysed_at_low_priority(passerelle: Passerelle, tmp_path: Path, at_our_priority: list[str]) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("phone\n97000000\n97000000\nhello\n", encoding="utf-8")
    words = ("lookup", "--file", str(source), "--out", str(target), "--country", "BJ")
    counted = passerelle(*words, "--json").json
    assert counted == {"rows": 3, "valid": 2, "invalid": 1, "duplicates": 1, "migrated": 2, "out": str(target)}
    assert at_our_priority == ["lowest"]
    assert len(list(csv.reader(target.read_text(encoding="utf-8").splitlines()))) == 4
    again = passerelle(*words)
    assert again.code == 1
    assert "exists" in again.err


def test_refusals_name_the_remedy(passerelle: Passerelle, tmp_path: Path, at_our_priority: list[str]) -> None:
    source = tmp_path / "in.csv"
    source.write_text("name\nAfi\n", encoding="utf-8")
    refused = passerelle("lookup", "--file", str(source), "--out", str(tmp_path / "out.csv"), "--lang", "fr")
    assert refused.code == 1
    assert "aucune colonne" in refused.err
    assert "nommer la colonne" in refused.err
    for words in (("lookup",), ("lookup", "97000000", "--out", "x"), ("lookup", "--file", str(source))):
        assert "--file IN.csv --out OUT.csv" in passerelle(*words).err
    assert passerelle("lookup", "--file", str(tmp_path / "none.csv"), "--out", "x").code == 2
    unwritable = passerelle("lookup", "--file", str(source), "--column", "1", "--out", str(tmp_path / "no" / "out.csv"))
    assert "cannot be written" in unwritable.err


def test_the_step_down_is_the_last_of_all() -> None:
    program = (
        "import os; from gateway.lookups.low_priority import step_behind_all\n"
        "step_behind_all()\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
    )
    stepped = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=os.getcwd()
    )
    assert stepped.stdout.split() == [str(LOWEST), "True"]
