"""Five hundred listeners to events: how late they hear, from the commit on, and what memory they take.

Over one account, whose events all of them hear, and over five hundred, one each. `passerelle admin-api` is a process of
its own; events are written by the statement that nodes use; the listeners are this process, whose own haste counts.
What must not enter: what an event says (tests/gateway/webhooks).
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import aiohttp
import asyncpg

from gateway.storage import api_keys, facts
from gateway.storage.webhooks import owe_events
from tests.bench.figures import Section
from tests.bench.installation import READY_TIMEOUT_S, Installation
from tests.bench.processes import BenchFault, Child, free_ports, resident_mib, start
from tests.bench.scale import Scale

LISTENERS = 500
EVENTS_A_SECOND = 10  # of one account; of five hundred each hears one a second
SETTINGS = """
[admin_api]
listen = "127.0.0.1:{port}"
metrics_listen = "127.0.0.1:{metrics_port}"
streams_per_account = 600
"""
_ID = re.compile(rb'"id":"(\d+)"')


async def measure(folder: Path, tools: Path, scale: Scale) -> Section:
    """One table."""
    section = Section("500 listeners to events")
    one = section.figure("one account: commit to listener, p99", "ms", most=500.0)
    many = section.figure("500 accounts: commit to listener, p99", "ms", most=500.0)
    memory = section.figure("memory a listener", "KiB", decimals=1)
    installation = Installation(folder / "streams", tools)
    port, metrics_port = free_ports(2)
    with installation.toml.open("a", encoding="utf-8") as toml:
        toml.write(SETTINGS.format(port=port, metrics_port=metrics_port))
    try:
        await installation.prepare()
        connection = await asyncpg.connect(installation.postgres.dsn)
        keys = [await _account(connection, n) for n in range(LISTENERS)]
        words = (sys.executable, "-m", "admin_api", "--config", installation.toml)
        api = await start(words, installation.folder / "api.jsonl")
        await api.said('"event":"ready"', READY_TIMEOUT_S)
        for _ in range(scale.rounds):
            for figure, of in ((one, [keys[0]] * LISTENERS), (many, keys)):
                p99_ms, used_kib = await _round(connection, api, port, of, scale.rate_s)
                figure.add(p99_ms)
                memory.add(used_kib)
        await api.end()
        await connection.close()
    finally:
        await installation.close()
    return section


async def _account(connection: asyncpg.Connection, number: int) -> tuple[int, str]:
    account_id = await facts.add_account(connection, f"listener{number}", 0, None)
    assert account_id is not None
    given = api_keys.NewApiKey(account_id, "bench", ["messages:read"], [], 0, "transactional", None)
    return account_id, await api_keys.add_api_key(connection, given)


async def _round(
    connection: asyncpg.Connection, api: Child, port: int, of: list[tuple[int, str]], seconds: float
) -> tuple[float, float]:
    """p99 in milliseconds over all that was heard, and KiB of resident memory a listener."""
    committed: dict[int, float] = {}
    took_s: list[float] = []
    before_mib, opened = resident_mib(api.pid), asyncio.Semaphore(0)
    accounts = sorted({account_id for account_id, _ in of})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http, asyncio.TaskGroup() as tasks:
        url = f"http://127.0.0.1:{port}/v1/events/stream"
        heard = [tasks.create_task(_listen(http, url, key, opened, committed, took_s)) for _, key in of]
        for _ in of:
            await opened.acquire()
        used_kib = (resident_mib(api.pid) - before_mib) * 1024 / len(of)
        first = time.time_ns()
        for turn in range(int(seconds * EVENTS_A_SECOND)):
            share = accounts[turn % EVENTS_A_SECOND :: EVENTS_A_SECOND] if len(accounts) > 1 else accounts
            ids = [first + turn * LISTENERS + n for n in range(len(share))]
            rows = [
                (a, n, "message.delivered", first // 10**6, True, "", "", "") for a, n in zip(share, ids, strict=True)
            ]
            await owe_events(connection, rows)
            now = time.perf_counter()
            committed.update(dict.fromkeys(ids, now))
            await asyncio.sleep(1 / EVENTS_A_SECOND)
        wanted = len(committed) * (LISTENERS if len(accounts) == 1 else 1)
        async with asyncio.timeout(READY_TIMEOUT_S):
            while len(took_s) < wanted:
                await asyncio.sleep(0.05)
        for each in heard:
            each.cancel()
    if len(took_s) != wanted:
        raise BenchFault(f"{len(took_s)} events were heard of {wanted}")
    return sorted(took_s)[int(len(took_s) * 0.99)] * 1000, used_kib


async def _listen(
    http: aiohttp.ClientSession,
    url: str,
    key: str,
    opened: asyncio.Semaphore,
    committed: dict[int, float],
    took_s: list[float],
) -> None:
    async with http.get(
        url, headers={"Authorization": f"Bearer {key}"}, timeout=aiohttp.ClientTimeout(total=None)
    ) as answer:
        if answer.status != 200:
            raise BenchFault(f"a listener was refused: {await answer.text()}")
        opened.release()
        async for line in answer.content:
            found = _ID.search(line) if line.startswith(b"data: ") else None
            if found is not None:  # heard before the commit was answered: it took no time
                now = time.perf_counter()
                took_s.append(max(0.0, now - committed.get(int(found[1]), now)))
