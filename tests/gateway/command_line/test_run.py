"""`passerelle run` and `demo` whole: a carrier, a client, a node and a PostgreSQL of our own, from an empty folder.

What belongs here: the command as a newcomer types it, in a process of its own, and the parts it is made of.
What must not enter: knowledge of the node.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.command_line.children import find_free_port, running_child
from gateway.command_line.logs import JsonLines
from gateway.command_line.looping import run_on_loop
from tests.usual_ports import usual_ports_taken

COMMAND = (sys.executable, "-m", "gateway.command_line")
TIMEOUT_S = 240  # chosen: ends what would wait for ever


@pytest.fixture(autouse=True)
def ports() -> Iterator[None]:
    """Each demonstration on ports of its own."""
    with usual_ports_taken():
        yield


def environment() -> dict[str, str]:
    """Ours, without what would lead to another configuration or language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8"}


def test_the_demonstration_passes_its_messages_and_proves_it(tmp_path: Path) -> None:
    words = (*COMMAND, "demo", "--messages", "10", "--rate", "0", "--json")
    done = subprocess.run(
        words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["ok"], answer["accepted"], answer["delivered"], answer["receipts"]) == (True, 10, 10, 10)
    assert not (tmp_path / ".passerelle" / "postgres" / "postmaster.pid").exists()


def test_the_demonstration_s_curl_sends_an_sms_and_ctrl_c_ends_everything_in_order(tmp_path: Path) -> None:
    running = subprocess.Popen(
        (*COMMAND, "run", "--rate", "20"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    seen: list[str] = []
    answer = b""
    for line in running.stdout:
        seen.append(line)
        if line.startswith("curl "):  # the first SMS by HTTP, as it is to be copied: two lines
            seen.append(next(running.stdout))
            answer = subprocess.run(["bash", "-c", "".join(seen[-2:])], capture_output=True, check=True).stdout
        if answer and line.split()[1:2] == ["delivered"] and json.loads(answer)["id"] in line:
            break
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 0, "".join(seen) + rest
    assert any("receipt back" in line for line in seen)
    assert "receipts back" in rest
    assert "FAILED" not in rest
    assert not (tmp_path / ".passerelle" / "postgres" / "postmaster.pid").exists()


async def test_a_child_that_fails_leaves_its_words(tmp_path: Path) -> None:
    async with running_child("client", ["simulate", "esme", "--no-such-word"], tmp_path / "words") as child:
        async with asyncio.timeout(TIMEOUT_S):
            assert await child.wait() == 2
    assert "--no-such-word" in child.last_words()


def test_a_taken_port_is_left_to_its_owner() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert find_free_port(port) != port


def test_a_line_of_the_log_is_json_with_its_facts() -> None:
    record = logging.makeLogRecord(
        {"name": "passerelle.egress", "levelname": "WARNING", "msg": "carrier_link_down", "connector": "carrier-a"}
    )
    line = json.loads(JsonLines().format(record))
    assert (line["event"], line["room"], line["level"]) == ("carrier_link_down", "egress", "warning")
    assert line["connector"] == "carrier-a"
    assert set(line) == {"at", "level", "room", "event", "connector"}


def test_the_one_fault_of_nested_groups_comes_out_as_itself() -> None:
    async def fail() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail_below())

    async def fail_below() -> None:
        async with asyncio.TaskGroup():
            raise LookupError("the reason")

    with pytest.raises(LookupError, match="the reason"):
        run_on_loop(fail())
