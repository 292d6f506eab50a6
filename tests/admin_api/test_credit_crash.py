"""An API process that is killed while it credits an order: nothing is half done, and the next one goes on.

Source: promise P3. A real process and its kill -9, held where the money has moved and nothing is committed.
What must not enter: what the API answers while it lives (test_credit_orders.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import aiohttp
import asyncpg

from gateway.ledger import orders
from gateway.storage.credit_orders import NewOrder
from tests.admin_api.conftest import Api
from tests.admin_api.test_with_nodes import ApiProcess
from tests.eventually import eventually
from tests.gateway.conftest import Ground

WITHIN_S = 60.0
PAID = {"method": "cash", "amount": "1", "currency": "XOF", "paid_on": "2026-01-31"}
OF_THE_API = "FROM pg_stat_activity WHERE usename = 'passerelle_api' AND datname = current_database()"


async def test_kill_9_between_the_posting_and_its_commit_leaves_nothing(tmp_path: Path, ground: Ground) -> None:
    contact = ("Awa", "awa@example.com", "", "", "", "fr")
    async with ground.connection.transaction():
        new = NewOrder(ground.account_id, 500_000_000, *contact, "", b"", 30)
        assert isinstance(await orders.place(ground.connection, new), orders.Placed)
    path = f"/v1/admin/credit-orders/{await ground.value('SELECT order_id FROM credit_orders')}"
    async with aiohttp.ClientSession() as http:
        api = ApiProcess(tmp_path, ground.dsn, http)
        api.key = (await Api(ground, None, "", http).sign_in("finance")).key  # type: ignore[arg-type]  # no service here
        await ground.connection.execute("UPDATE users SET totp_secret = 'enrolled'")
        await api.start()
        try:
            assert (await api.ask("POST", f"{path}/payment", PAID))[0] == 200
            await kill_while_crediting(api, ground, path)
            assert await ground.credits() == (1000, 0, 0)
            assert await ground.value("SELECT state FROM credit_orders") == "paid"
            assert await ground.count("credit_moves") == 0
            await api.start()
            assert (await api.ask("POST", f"{path}/credit"))[0] == 200
            assert await ground.credits() == (1500, 0, 0)
        finally:
            await api.end(signal.SIGKILL)


async def kill_while_crediting(api: ApiProcess, ground: Ground, path: str) -> None:
    """Kill it where it waits for the audit log, the last thing that a change writes."""
    holding = await asyncpg.connect(ground.dsn)
    try:
        await holding.execute("BEGIN; SELECT FROM audit_head FOR UPDATE")
        asking = asyncio.ensure_future(api.ask("POST", f"{path}/credit"))

        async def is_waiting() -> bool:
            return bool(
                await ground.value(
                    f"SELECT count(*) {OF_THE_API} AND query LIKE '-- lock_head%' AND wait_event_type = 'Lock'"
                )
            )

        await eventually(is_waiting, WITHIN_S, "the change has come to its audit row")
        await api.end(signal.SIGKILL)
        with contextlib.suppress(aiohttp.ClientError):
            await asking
    finally:
        await holding.close()

    async def is_gone() -> bool:
        return not await ground.value(f"SELECT count(*) {OF_THE_API}")

    await eventually(is_gone, WITHIN_S, "PostgreSQL has seen that it is gone")
