"""The load tool, client against carrier with nothing between: it loses nothing, and tells when something is lost.

Where no C compiler is, the bench says so in a sentence: that is proven instead.
What must not enter: a gateway.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bench import load
from tests.bench.processes import BenchFault, call

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@pytest_asyncio.fixture
async def tools(tmp_path: Path) -> Path:
    """A folder with the load tool in it."""
    if COMPILER is None:
        pytest.skip("no C compiler here; that the bench says so is proven by test_missing_compiler_is_said")
    load.build(tmp_path)
    return tmp_path


def test_missing_compiler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchFault, match="no C compiler.*install one"):
        load.build(tmp_path)


async def test_every_message_is_answered_and_receipted_once(tools: Path) -> None:
    async with load.sink(tools) as carrier:
        client = await load.submit(tools, carrier.port, 3000)
        counted = await carrier.count()
    assert load.complaints(client, counted) == []
    assert (client["responses"], client["receipts"], counted["submits"]) == (3000, 3000, 3000)
    assert client["response_us"]["count"] == 3000


async def test_rate_is_kept(tools: Path) -> None:
    async with load.sink(tools) as carrier:
        client = await load.submit(tools, carrier.port, 500, rate=1000)
    assert 0.45 < client["seconds"] < 5


async def test_missing_receipts_are_told(tools: Path) -> None:
    async with load.sink(tools, "-n") as carrier:
        client = await load.submit(tools, carrier.port, 100, receipts=False)
        counted = await carrier.count()
    assert load.complaints(client, counted) == ["100 receipts never came"]


async def test_messages_that_come_twice_are_told(tools: Path) -> None:
    async with load.sink(tools) as carrier:
        await load.submit(tools, carrier.port, 10)
        client = await load.submit(tools, carrier.port, 20, first=5)
        counted = await carrier.count(forget=True)
        assert counted["twice"] == 5
        assert "the carrier counts 5 twice" in load.complaints(client, counted)
        assert (await carrier.count())["submits"] == 0


async def test_web_client_and_web_server_agree(tools: Path) -> None:
    async with load.sink(tools, mode="hsink") as web:
        client = await load.request(tools, web.port, 300, 4, "/d?n={N}&to={TO}&text={TEXT}")
        counted = await web.count()
    assert (client["responses"], client["refused"], counted["requests"]) == (300, 0, 300)


async def test_client_against_a_closed_port_is_a_fault(tools: Path) -> None:
    with pytest.raises(BenchFault, match="Connection refused"):
        await load.submit(tools, 1, 1)


async def test_slow_flush_waits_after_each_flush(tools: Path, tmp_path: Path) -> None:
    library = load.build(tools, "slow_flush.c", "-shared", "-fPIC", "-ldl")
    program = "import os, sys, time; f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); b = time.monotonic(); "
    program += "[(os.write(f, b'x'), os.fsync(f), os.fdatasync(f)) for _ in range(5)]; print(time.monotonic() - b)"
    words = ["env", f"LD_PRELOAD={library}", "SLOW_FLUSH_US=20000", sys.executable, "-c", program]
    code, wrote, complained = await call([*words, str(tmp_path / "flushed")])
    assert code == 0, complained
    assert float(wrote) >= 10 * 0.02
