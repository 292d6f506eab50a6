"""The fault proxy between real sockets: what passes, what ends, what waits, and what its control port changes.

Source: simulators/fault_proxy/proxy.py. Waits are for lasting facts: an end of stream, a count reached.
What must not enter: what becomes of octets (test_faults.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.esme import EsmeSettings, SimulatedEsme
from simulators.fault_proxy import FaultProxy, ProxySettings
from simulators.fault_proxy import proxy as proxy_module
from simulators.smsc import SimulatedSmsc, SmscSettings

PATIENCE_S = 20.0


@contextlib.asynccontextmanager
async def echo(path: Path | None = None) -> AsyncIterator[str]:
    """A server that says what it hears; yields its address."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError):
                while octets := await reader.read(4096):
                    writer.write(octets)
                    await writer.drain()
        finally:
            writer.transport.abort()

    if path is not None:
        server = await asyncio.start_unix_server(serve, path)
        address = str(path)
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield address
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@contextlib.asynccontextmanager
async def client(proxy: FaultProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the end, however it ends."""
    told = b""
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(4096):
            told += octets
    return told


def proxy_to(address: str, **plain: object) -> FaultProxy:
    return FaultProxy(ProxySettings.parse(to=address, **plain))


@pytest.mark.parametrize("plain", [{}, {"delay_ms": "1..9"}, {"octet_at_a_time": True}])
async def test_octets_pass_both_ways_unchanged_and_in_order(plain: dict[str, object]) -> None:
    sent = bytes(range(256)) * 8
    async with echo() as address, proxy_to(address, **plain) as proxy, client(proxy) as (reader, writer):
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent


async def test_unix_sockets_are_served_as_well(tmp_path: Path) -> None:
    listen = tmp_path / "proxy.sock"
    async with echo(tmp_path / "echo.sock") as address, proxy_to(address, listen=str(listen)):
        reader, writer = await asyncio.open_unix_connection(listen)
        writer.write(b"Bonjour")
        assert await reader.readexactly(7) == b"Bonjour"
        writer.close()
        await writer.wait_closed()


async def test_a_cut_comes_behind_exactly_so_many_octets() -> None:
    async with echo() as address, proxy_to(address, cut_after=1000) as proxy, client(proxy) as (reader, writer):
        writer.write(bytes(600))
        assert len(await rest(reader)) == 400
        await proxy.conditions.wait(lambda: not proxy.links, PATIENCE_S)
        assert proxy.report() == {
            "connections": 1, "open": 0, "octets": 1000, "pdus": 0, "duplicates": 0, "flips": 0, "cuts": 1,
        }  # fmt: skip


async def test_the_end_of_a_peer_reaches_the_other_behind_what_was_delayed() -> None:
    async with echo() as address, proxy_to(address, delay_ms=30) as proxy:
        async with client(proxy) as (reader, writer):
            writer.write(b"Bonjour")
            assert await reader.readexactly(7) == b"Bonjour"
        await proxy.conditions.wait(lambda: not proxy.links, PATIENCE_S)


@pytest.mark.parametrize("way", ["to-server", "to-client"])
async def test_a_silence_holds_one_way_back_and_its_end_lets_everything_pass(way: str) -> None:
    async with echo() as address, proxy_to(address) as proxy, client(proxy) as (reader, writer):
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        proxy.change({"silence": way})
        writer.write(b"two")
        if way == "to-client":  # the other way goes on
            await proxy.conditions.wait(lambda: proxy.report()["octets"] == 9, PATIENCE_S)
        assert reader.at_eof() is False
        proxy.change({"silence": ""})
        assert await reader.readexactly(3) == b"two"


async def test_an_end_during_a_silence_is_not_heard_until_it_ends() -> None:
    async with echo() as address, proxy_to(address) as proxy:
        async with client(proxy) as (reader, writer):
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            proxy.change({"silence": "to-server"})
        assert proxy.report()["open"] == 1
        proxy.change({"silence": ""})
        await proxy.conditions.wait(lambda: not proxy.links, PATIENCE_S)


async def test_whoever_connects_is_cut_off_while_it_is_away_or_nobody_listens_behind() -> None:
    async with echo() as address, proxy_to(address, away=True) as proxy:
        async with client(proxy) as (reader, _):
            assert await rest(reader) == b""
        proxy.change({"away": False, "to": "127.0.0.1:1"})
        async with client(proxy) as (reader, _):
            assert await rest(reader) == b""


async def test_links_beyond_the_limit_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "LINKS_LIMIT", 1)
    async with echo() as address, proxy_to(address) as proxy, client(proxy) as (reader, writer):
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        async with client(proxy) as (other, _):
            assert await rest(other) == b""


async def test_a_peer_that_does_not_read_stops_the_other_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "QUEUE_LIMIT", 10_000)
    async with echo() as address, proxy_to(address, delay_ms=10_000_000) as proxy, client(proxy) as (_, writer):
        writer.write(bytes(8 << 20))
        await proxy.conditions.wait(lambda: proxy.tally.octets + proxy.report()["octets"] > 10_000, PATIENCE_S)  # type: ignore[operator]
        assert proxy.report()["octets"] < 1 << 20  # type: ignore[operator]  # one read more than the limit


async def test_the_control_port_tells_changes_and_cuts() -> None:
    async with echo() as address, proxy_to(address, control="127.0.0.1:0") as proxy, client(proxy) as (reader, writer):
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        hears, says = await asyncio.open_connection("127.0.0.1", proxy.control_port)

        async def ask(request: object) -> dict[str, object]:
            says.write(json.dumps(request).encode() + b"\n")
            told: dict[str, object] = json.loads(await hears.readline())
            return told

        assert await ask({"set": {"silence": "to-client"}}) == {"ok": True}
        settings = (await ask({"settings": True}))["settings"]
        assert isinstance(settings, dict)
        assert settings["silence"] == "to-client"
        assert await ask({"disconnect": "drop"}) == {"ok": True, "disconnected": 1}
        assert await rest(reader) == b""
        assert await ask({"set": {"seed": 2}}) == {"ok": False, "error": "unknown setting 'seed'"}
        assert (await ask({"dance": 1}))["ok"] is False
        says.close()
        await says.wait_closed()


async def test_its_log_tells_links_cuts_duplicates_and_changes(tmp_path: Path) -> None:
    log = tmp_path / "proxy.jsonl"
    async with echo() as address, proxy_to(address, log=log, duplicate=1.0, only="to-server") as proxy:
        async with client(proxy) as (reader, writer):
            writer.write(bytes((0, 0, 0, 16)) + bytes(12))
            assert len(await reader.readexactly(32)) == 32
            proxy.change({"cut_after": 1})
            writer.write(b"x")
            await rest(reader)
        await proxy.conditions.wait(lambda: not proxy.links, PATIENCE_S)
    events = [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert events[0] == "start"
    assert set(events[1:3]) == {
        "connected",
        "duplicate",
    }  # what is sent at once may be taken in before the server is there
    assert events[3:] == ["change", "cut", "ended"]


@pytest.mark.parametrize(
    "plain",
    [
        {"octet_at_a_time": True},
        {"delay_ms": "0..5"},
        {"cut_at_pdu": 40},
        {"cut_after": 2_500},
        {"duplicate": 0.2, "only": "to-client"},
    ],
)
async def test_simulated_client_and_carrier_come_through_with_everything_answered(plain: dict[str, object]) -> None:
    esme = {"messages": 60, "reconnect": True, "resend": True, "retry": True, "characters": 24, "window": 5}
    async with (
        SimulatedSmsc(SmscSettings.parse()) as smsc,
        proxy_to(f"127.0.0.1:{smsc.port}", **plain) as proxy,
        SimulatedEsme(EsmeSettings.parse(f"127.0.0.1:{proxy.port}", registered_delivery=0, **esme)) as client,
    ):
        await client.conditions.wait(lambda: client.summary.accepted >= 60, PATIENCE_S)
        assert {submit.short_message for submit in smsc.taken}
        assert len(smsc.taken) >= 60


async def test_the_command_says_where_it_listens_and_ends_by_a_signal(tmp_path: Path) -> None:
    words = ("simulate", "proxy", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--cut-after", "5")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.command_line", *words), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        ready = json.loads(await process.stdout.readline())
        assert ready["ready"] == "proxy"
        assert not ready["listen"].endswith(":0")
        process.terminate()
        told = json.loads(await process.stdout.readline())
        assert told["statistics"]["connections"] == 0
        assert await process.wait() == 0
