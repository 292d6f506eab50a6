"""Decision 0017: what a webhook costs in the courier's processor time, and how fast one courier is beside its receiver.

Run: .venv/bin/python docs/decisions/measure/webhooks.py. An embedded PostgreSQL of its own, fsync on; the receiver is a
child process, asked as ten endpoints. What must not enter: a request that the courier could not make.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import asyncio
import functools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.storage import facts
from gateway.storage import webhooks as rows
from gateway.storage.database import connect
from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.migrate import apply_migrations
from gateway.wall_clock import wall_ms
from gateway.webhooks.addresses import parse_networks
from gateway.webhooks.courier import Courier
from gateway.webhooks.outgoing import GuardedClient
from gateway.webhooks.tallies import WebhookTallies

ENDPOINTS, EACH = 10, 500
RECEIVER = """
from aiohttp import web
async def take(request):
    await request.read()
    return web.Response(status=204)
app = web.Application()
app.router.add_post("/", take)
import socket
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
web.run_app(app, sock=listening, print=None, access_log=None)
"""


async def measure(dsn: str, port: int) -> None:
    """Owe, send, print."""
    connection = await connect(dsn)
    await apply_migrations(connection)
    account_id = await facts.add_account(connection, "ours", 0, None)
    assert account_id is not None
    form: Any = ("native", "POST")
    for _ in range(ENDPOINTS):
        url, now_ms = f"http://127.0.0.1:{port}/", wall_ms()
        given = (account_id, url, ["inbound.received"], form, "whsec_" + "QUFB" * 8, now_ms)
        endpoint_id = await rows.add_endpoint(connection, *given)
        for _ in range(EACH):
            await rows.owe_test(connection, endpoint_id, now_ms)
    async with GuardedClient(parse_networks(["127.0.0.0/8"])) as client:
        courier = Courier(functools.partial(connect, dsn), client, wall_ms, lambda: 0.0, WebhookTallies())
        began, spent = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(courier.run())
            while await connection.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'due'"):
                await asyncio.sleep(0.05)
            seconds, processor = time.monotonic() - began, time.process_time() - spent
            running.cancel()
    count = ENDPOINTS * EACH
    print(f"{count} deliveries in {seconds:.1f} s: {count / seconds:.0f}/s; {processor / count * 1000:.2f} ms each")
    await connection.close()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", die_with_owner=True)
        pipe = asyncio.subprocess.PIPE
        receiver = await asyncio.create_subprocess_exec(sys.executable, "-c", RECEIVER, stdout=pipe)
        try:
            assert receiver.stdout is not None
            await measure(await postgres.start(), int(await receiver.stdout.readline()))
        finally:
            receiver.terminate()
            await receiver.wait()
            await postgres.stop()


asyncio.run(main())
