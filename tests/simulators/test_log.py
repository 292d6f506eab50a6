"""The simulators' log: lines that a reader can rely on, durable before what depends on them leaves.

What must not enter: who writes which line when (smsc, esme).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulators.log
from simulators.log import EsmeReceiptLine, EsmeResponseLine, SimulatorLog, SmscSubmitLine, StartLine


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for seed in (1, 2):
        log = SimulatorLog(path, fsync=True)
        log.append(StartLine(at_ms=5, role="smsc", seed=seed))
        log.close()
    assert lines_of(path) == [{"event": "start", "at_ms": 5, "role": "smsc", "seed": seed} for seed in (1, 2)]


def test_nothing_is_written_before_write_and_all_after(tmp_path: Path) -> None:
    log = SimulatorLog(tmp_path / "log", fsync=True)
    log.append(EsmeReceiptLine(at_ms=1, message_id="a", stat="DELIVRD", err="000"))
    assert log.pending
    assert (tmp_path / "log").read_bytes() == b""
    log.write()
    log.sync()
    assert not log.pending
    assert lines_of(tmp_path / "log")[0]["message_id"] == "a"
    log.close()


def test_buffer_beyond_its_limit_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulators.log, "LOG_BUFFER_LIMIT", 100)
    log = SimulatorLog(tmp_path / "log", fsync=False)
    for ref in range(3):
        log.append(EsmeResponseLine(at_ms=1, ref=str(ref), message_id="0", command_status=0))
    assert len(lines_of(tmp_path / "log")) >= 2
    log.close()
    assert len(lines_of(tmp_path / "log")) == 3


def test_submit_line_has_the_fields_that_check_reads(tmp_path: Path) -> None:
    log = SimulatorLog(tmp_path / "log", fsync=False)
    log.append(
        SmscSubmitLine(
            at_ms=1,
            verdict="taken",
            command_status=0,
            smsc_message_id="9",
            source_addr="A",
            destination_addr="229",
            data_coding=0,
            esm_class=0,
            registered_delivery=1,
            short_message="00ff",
            bind="a#1",
        )
    )
    log.close()
    (line,) = lines_of(tmp_path / "log")
    expected = {"event", "verdict", "command_status", "smsc_message_id", "source_addr", "destination_addr"}
    assert expected | {"data_coding", "esm_class", "short_message", "bind", "at_ms"} <= set(line)
