"""`passerelle admin-api` killed while its letter is being taken: the next process sends it once more, by the same name.

What must not enter: refusals and retries (tests/gateway/notices).
"""

from __future__ import annotations

import signal
from pathlib import Path

import aiohttp
import asyncpg

from gateway.storage import facts
from gateway.storage import notices as rows
from tests.admin_api.test_with_nodes import WITHIN_S, ApiProcess
from tests.eventually import eventually
from tests.mail_server import TAKEN, mail_server


async def test_a_killed_process_costs_one_duplicate_at_most(database: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(database)
    account_id = await facts.add_account(connection, "ours", 0, None)
    assert account_id is not None
    wished = rows.Preferences(owner_kind="account", owner_id=account_id, language="fr", emails=["you@example.org"])
    await rows.save_preferences(connection, wished)
    told: dict[str, str | int] = {"order": 1, "credits": 5_000_000, "balance": 6_000_000}
    await rows.tell(connection, event="order.credited", account_id=account_id, facts=told)
    async with mail_server() as server, aiohttp.ClientSession() as http:
        api = ApiProcess(tmp_path, database, http)
        with api.config_file.open("a", encoding="utf-8") as file:
            file.write(f'[mail]\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\nsender = "p@example.net"\n')
        server.to_letter = "hang"  # it has the letter, and its answer never comes
        await api.start()
        await server.got(1)
        assert await api.end(signal.SIGKILL) == -signal.SIGKILL

        server.to_letter = TAKEN
        await connection.execute("UPDATE notice_sendings SET due_at_ms = 0")  # the dead one's claim ends
        await api.start()

        async def done() -> bool:
            return await connection.fetchval("SELECT state FROM notice_sendings") == "done"

        await eventually(done, WITHIN_S, "it is sent")
        assert await api.end(signal.SIGTERM) == 0
        first, second = await server.got(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert await connection.fetchval("SELECT doubts FROM notice_sendings") == 1
    await connection.close()
