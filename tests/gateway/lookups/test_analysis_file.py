"""Files of numbers and their results: what is counted, neutralised, kept; and what a cut leaves behind: nothing.

A process of its own is killed by a signal. What must not enter: shapes (test_table_shape.py).
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.lookups.analysis_file import PROGRESS_ROWS, FileUnfit, FileWish, Progress, analyse_file
from gateway.lookups.operators import own_operator
from gateway.lookups.result_table import COLUMNS, FORMULA_OPENINGS
from gateway.storage.facts import NumberRangeRow

BENIN = FileWish(default_region="BJ")


def analysed(folder: Path, octets: bytes, wish: FileWish = BENIN) -> tuple[list[dict[str, str]], Progress]:
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_bytes(octets)
    last = list(analyse_file(source, target, wish))[-1]
    assert sorted(each.name for each in folder.iterdir()) == ["in.csv", "out.csv"]
    text = target.read_bytes().decode("utf-8-sig")
    delimiter = next(each for each in text.split("\n")[0] if each in ",;\t|")
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter)), last


def test_each_row_is_told_and_counted(tmp_path: Path) -> None:
    rows, last = analysed(
        tmp_path, "nom;téléphone\nAfi;97000000\nKoffi;+229 01 97 00 00 00\nYao;hello\n;\nSènan;\n".encode()
    )
    counts = last.counts
    assert (counts.rows, counts.valid, counts.invalid, counts.duplicates, counts.migrated) == (4, 2, 2, 1, 1)
    assert last.octets_done == last.octets
    assert [row["valid"] for row in rows] == ["yes", "yes", "no", "no"]
    assert [row["duplicate"] for row in rows] == ["no", "yes", "", ""]
    assert [row["reason"] for row in rows] == ["", "", "not_digits", "empty"]
    assert [row["nom"] for row in rows] == ["Afi", "Koffi", "Yao", "Sènan"]
    first = rows[0]
    assert (first["e164"], first["country"], first["type"], first["operator"]) == (
        "2290197000000",
        "BJ",
        "mobile",
        "MTN",
    )
    assert (first["migrated_from"], first["migrated_since"]) == ("22997000000", "2024-11-30")
    assert (first["national"], first["international"]) == ("01 97 00 00 00", "229 01 97 00 00 00")
    assert (first["time_zone"], first["portable"]) == ("Africa/Porto-Novo", "yes")


def test_reasons_are_told_in_the_language_wished(tmp_path: Path) -> None:
    rows, _ = analysed(tmp_path, b"phone\n97000000\nhello\n", FileWish(default_region="BJ", language="fr"))
    assert "chiffres" in rows[1]["explanation"]


@pytest.mark.parametrize("opening", FORMULA_OPENINGS)
def test_no_cell_is_a_formula(tmp_path: Path, opening: str) -> None:
    cell = f"\"{opening}cmd|' /C calc'!A0\""
    analysed(tmp_path, f"{cell},phone\n{cell},+22901970000{{n}}\nx,97000000\n".encode())
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as text:
        cells = [cell for row in csv.reader(text) for cell in row]
    assert any(cell == f"'{opening}cmd|' /C calc'!A0" for cell in cells)
    assert not [cell for cell in cells if cell.startswith(FORMULA_OPENINGS)]


def test_windows_1252_comes_back_as_utf8_with_a_mark(tmp_path: Path) -> None:
    rows, _ = analysed(tmp_path, "prénom;téléphone\nZoé;97000000\n".encode("cp1252"))
    assert rows[0]["prénom"] == "Zoé"
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_plain_utf8_comes_back_without_a_mark(tmp_path: Path) -> None:
    analysed(tmp_path, b"97000000\n")
    assert not (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_our_columns_give_way_to_the_customers(tmp_path: Path) -> None:
    rows, _ = analysed(tmp_path, b"phone,Country\n97000000,his\n")
    assert (rows[0]["Country"], rows[0]["lookup_country"]) == ("his", "BJ")


def test_rows_of_any_width_lose_nothing(tmp_path: Path) -> None:
    analysed(tmp_path, b"name,phone\nA,97000000,more,and more\nB\n")
    rows = list(csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[1][len(COLUMNS) :] == ["A", "97000000", "more", "and more"]
    assert rows[2][len(COLUMNS) :] == ["B"]


def test_ranges_of_the_gateway_name_the_operator(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"2290197000000\n2290166000000\n")
    ask = own_operator([NumberRangeRow("229019700", "616", "06", "=Celtiis")])
    list(analyse_file(source, target, BENIN, ask))
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert [(row["operator"], row["operator_source"], row["mnc"]) for row in rows] == [
        ("'=Celtiis", "own", "06"),
        ("MTN", "plan", ""),
    ]
    assert own_operator([]) is None


def test_open_quote_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"phone\n97000000\n" * 60 + b'"97000000\n' + b"97000000\n" * 20_000)
    with pytest.raises(FileUnfit) as fault:
        list(analyse_file(source, target, BENIN))
    assert fault.value.refused.reason == "open_quote"
    assert list(tmp_path.iterdir()) == [source]


def test_stopped_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"97000000\n" * (PROGRESS_ROWS * 3))
    running = analyse_file(source, target, BENIN)
    assert next(running).counts.rows == PROGRESS_ROWS
    running.close()
    assert list(tmp_path.iterdir()) == [source]


def test_killed_on_the_way_leaves_no_result_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"97000000\n" * (PROGRESS_ROWS * 3))
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from gateway.lookups.analysis_file import FileWish, analyse_file\n"
        "for _ in analyse_file(Path(sys.argv[1]), Path(sys.argv[2]), FileWish()):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, source, target], check=False, cwd=os.getcwd())
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    last = list(analyse_file(source, target, BENIN))[-1]
    assert last.counts.rows == PROGRESS_ROWS * 3
    assert len(target.read_text(encoding="utf-8").splitlines()) == PROGRESS_ROWS * 3 + 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.csv", "out.csv"]
