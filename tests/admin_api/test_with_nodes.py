"""The API as operators run it, beside a node and a carrier: what is accepted over HTTP leaves, whoever dies.

Source: promises P1, P2, P5; decisions 0015, 0016, 0019. Real processes, one PostgreSQL, one simulated carrier.
What must not enter: the rooms of the API (the other files of this folder).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from gateway.storage import api_keys
from tests.admin_api.conftest import as_role
from tests.eventually import eventually
from tests.faults.road import Road, road
from tests.running_node import ACCOUNT, SENDER, ask_page, free_port

WITHIN_S = 60.0  # chosen: far beyond a takeover on a busy machine
HELD_BY_NODE = """
SELECT count(*) FROM held_spans s JOIN nodes o ON o.node_id = s.of_node JOIN nodes h ON h.node_id = s.holder_node
 WHERE o.name = 'api' AND h.kind = 'node'
"""


class ApiProcess:
    """`passerelle admin-api` as a process, and one customer's key."""

    def __init__(self, folder: Path, dsn: str, http: aiohttp.ClientSession) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self.config_file, self.log_file = folder / "api.toml", folder / "api.jsonl"
        self.key = ""
        self._http = http
        lines = [
            "[admin_api]",
            f'listen = "127.0.0.1:{self.port}"',
            f'metrics_listen = "127.0.0.1:{self.metrics_port}"',
        ]
        self.config_file.write_text("\n".join([*lines, f"dsn = {{ value = {json.dumps(as_role(dsn))} }}", ""]))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.command_line", "admin-api", "--config", str(self.config_file)),
                stdout=log,
                stderr=log,
            )
        await eventually(self._is_ready, WITHIN_S, f"the API is ready: {self.log_file.read_text()}")

    async def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.log_file.read_text()
        return await ask_page(self.metrics_port, "/readyz") == 200

    async def end(self, kind: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(kind)
        async with asyncio.timeout(WITHIN_S):
            return await self._process.wait()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def send(self, count: int, **given: Any) -> list[str]:
        """So many messages in one request; their ids."""
        recipients = [f"+22901970{n:05d}" for n in range(count)]
        status, told = await self.ask(
            "POST", "/v1/messages", {"to": recipients, "from": SENDER, "text": "hello", **given}
        )
        assert status == 202, told
        return [each["id"] for each in told["messages"]]


@contextlib.asynccontextmanager
async def api_beside_a_node(folder: Path, dsn: str) -> AsyncIterator[tuple[Road, ApiProcess]]:
    async with road(folder, dsn, smsc={"receipt_delay_ms": "0..50"}) as way, aiohttp.ClientSession() as http:
        api = ApiProcess(folder, dsn, http)
        async with way.node.database() as connection:
            account_id = await connection.fetchval("SELECT account_id FROM accounts WHERE name = $1", ACCOUNT)
            new = api_keys.NewApiKey(account_id, "test", api_keys.SCOPES, [], 0, "transactional", None)
            api.key = await api_keys.add_api_key(connection, new)
        await api.start()
        try:
            yield way, api
        finally:
            await api.end(signal.SIGKILL)


async def test_what_is_accepted_over_http_is_delivered_or_taken_back_before_whoever_is_killed(
    tmp_path: Path, database: str
) -> None:
    async with api_beside_a_node(tmp_path, database) as (way, api):
        ids = await api.send(20, client_ref=None)
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=3)
        (scheduled,) = await api.send(1, schedule_at=later.isoformat())

        async def is_delivered() -> bool:
            return (await api.ask("GET", f"/v1/messages/{ids[-1]}"))[1]["status"] == "delivered"

        await eventually(is_delivered, WITHIN_S, "the last one is delivered")
        now = (await api.ask("GET", f"/v1/messages/{ids[-1]}"))[1]
        assert (now["charge"], now["parts_delivered"]) == ("charged", 1)
        assert [event["event"] for event in now["timeline"]][0] == "accepted"

        status, told = await api.ask("DELETE", f"/v1/messages/{scheduled}")
        assert (status, told["status"], told["charge"]) == (200, "cancelled", "released")
        assert (await api.ask("DELETE", f"/v1/messages/{scheduled}"))[0] == 200
        status, told = await api.ask("DELETE", f"/v1/messages/{ids[-1]}")
        assert (status, told["code"]) == (409, "too_late")

        await api.send(200)
        await api.end(signal.SIGKILL)

        async def is_held() -> bool:
            return bool(await way.value(HELD_BY_NODE))

        await eventually(is_held, WITHIN_S, "the node holds the dead process's span")
        await way.quiet(WITHIN_S)
        assert await way.states() == {"delivered": 220, "deleted": 1}

        await api.start()
        await api.send(5)
        assert await api.end(signal.SIGTERM) == 0
        await way.quiet(WITHIN_S)
        await way.prove()
        assert await way.states() == {"delivered": 225, "deleted": 1}
