"""The process that computes argon2id: what it answers, and what becomes of questions when it dies, hangs, cannot begin.

Promise P7; defaults.md, Operations. A real process, killed as the system kills it. What must not enter: who may ask.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest

from gateway.ingress import argon2_process, binding
from gateway.ingress import password_process as room
from gateway.ingress.password_process import PasswordProcess, PasswordsAway
from tests.gateway.ingress.conftest import CHEAP, Door

RIGHT, OTHER = CHEAP.hash("right"), CHEAP.hash("other")


@pytest.fixture
def process() -> Iterator[PasswordProcess]:
    begun = PasswordProcess()
    yield begun
    begun.close()
    begun.end()


def pid_of(process: PasswordProcess) -> int:
    assert process.pid is not None
    return process.pid


@pytest.mark.parametrize(
    ("password", "stored", "place"),
    [
        (b"right", [RIGHT, OTHER], 0),
        (b"right", [OTHER, RIGHT], 1),
        (b"wrong", [OTHER, RIGHT], -1),
        (b"right", ["!", RIGHT], 1),
        (b"", [RIGHT], -1),
        (b"", [CHEAP.hash("")], 0),
        (b"right\n0 a", [RIGHT], -1),
        ("m\u00e9\udcff".encode("utf-8", "surrogatepass"), [RIGHT], -1),
        (b"right", [""], -1),
        (b"right", [], -1),
    ],
)
def test_the_place_of_the_first_hash_that_matches(
    process: PasswordProcess, password: bytes, stored: list[str], place: int
) -> None:
    assert process.first_match(password, stored) == place


def test_hashes_of_any_cost_match_and_of_another_kind_never(process: PasswordProcess) -> None:
    assert process.first_match(b"right", [argon2.PasswordHasher().hash("right")]) == 0
    other_kind = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=argon2.low_level.Type.I)
    assert process.first_match(b"right", [other_kind.hash("right")]) == -1


def test_one_process_answers_all_questions_and_steps_back_behind_the_node(process: PasswordProcess) -> None:
    process.first_match(b"right", [RIGHT])
    first = pid_of(process)
    process.first_match(b"wrong", [RIGHT])
    assert pid_of(process) == first
    wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + argon2_process.NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, first) == wanted


def test_a_killed_process_is_begun_again_by_the_next_question(
    process: PasswordProcess, caplog: pytest.LogCaptureFixture
) -> None:
    process.first_match(b"right", [RIGHT])
    first = pid_of(process)
    os.kill(first, signal.SIGKILL)
    assert process.first_match(b"right", [RIGHT]) == 0
    assert pid_of(process) != first
    assert [record.message for record in caplog.records] == ["password_process_lost"]


def test_a_process_that_hangs_is_ended_and_begun_again(
    process: PasswordProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.first_match(b"right", [RIGHT])
    first = pid_of(process)
    os.kill(first, signal.SIGSTOP)
    looked = room.select.poll

    class Impatient:
        """A look that waits for nothing while the stopped process is asked."""

        def __init__(self) -> None:
            self.real = looked()

        def register(self, *of: object) -> None:
            self.real.register(*of)  # type: ignore[arg-type]

        def poll(self, patience_ms: float) -> object:
            return self.real.poll(0 if pid_of(process) == first else patience_ms)

    monkeypatch.setattr(room.select, "poll", Impatient)
    assert process.first_match(b"right", [RIGHT]) == 0
    assert pid_of(process) != first


def test_a_process_that_cannot_begin_is_told_and_nothing_is_proven(
    process: PasswordProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in (tmp_path / "nowhere.py", Path(os.devnull)):
        monkeypatch.setattr(room, "PROGRAM", program)
        with pytest.raises(PasswordsAway):
            process.first_match(b"right", [RIGHT])
    monkeypatch.setattr(room.sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(PasswordsAway):
        process.first_match(b"right", [RIGHT])


def test_a_closed_one_begins_none(process: PasswordProcess) -> None:
    process.close()
    with pytest.raises(PasswordsAway):
        process.first_match(b"right", [RIGHT])
    assert process.pid is None


def test_it_ends_with_the_node_however_that_ends() -> None:
    node = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from gateway.ingress.password_process import PasswordProcess; p = PasswordProcess();"
            f"p.first_match(b'right', [{RIGHT!r}]); print(p.pid, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with node:
        assert node.stdout is not None
        child = os.pidfd_open(int(node.stdout.readline()))
        try:
            node.kill()
            node.wait()
            looked = room.select.poll()
            looked.register(child, room.select.POLLIN)
            assert looked.poll(30_000), "the process outlives its node"
        finally:
            os.close(child)


async def test_binds_go_on_after_the_process_was_killed(door: Door) -> None:
    async with door.peer() as peer:
        assert await peer.bind(password="wrong") == 0x0D
    process = door.server.binding._credentials._process
    os.kill(pid_of(process), signal.SIGKILL)
    async with door.peer() as peer:
        assert await peer.bind() == 0


async def test_while_no_password_can_be_proven_a_bind_is_told_to_come_again_and_is_no_failure_of_its_own(
    door: Door, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(room, "PROGRAM", tmp_path / "nowhere.py")
    for _ in range(binding.SLOWED_PROOFS_PER_LANE + 2):
        async with door.peer() as peer:
            assert await peer.bind() == 0x08
            assert await peer.is_closed()
    assert not door.server.binding._lockout._failures
    monkeypatch.undo()
    async with door.peer() as peer:
        assert await peer.bind() == 0
