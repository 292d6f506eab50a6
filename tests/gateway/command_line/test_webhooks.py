"""`passerelle webhook`: what is refused, an endpoint's life as an operator leads it, a courier that is killed.

What must not enter: what receivers may do to a courier (tests/gateway/webhooks).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.storage import webhooks as rows
from tests.eventually import eventually
from tests.gateway.command_line.conftest import Passerelle
from tests.webhook_receiver import Receiver, webhook_receiver

WITHIN_S = 60.0
URL = "https://hooks.example.com/x"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", URL, "--account", "nobody"], "account nobody is unknown"),
        (["add", "ftp://x.example", "--account", "ours"], "url_scheme"),
        (["add", "http://127.0.0.1/", "--account", "ours"], "url_address"),
        (["add", URL, "--account", "ours", "--events", "message.lost"], "event message.lost is unknown"),
        (["add", URL, "--account", "ours", "--format", "xml"], "format xml by POST is unknown"),
        (["add", URL, "--account", "ours", "--method", "GET"], "format native by GET is unknown"),
        (["test", "7"], "there is no webhook 7"),
        (["disable", "7"], "there is no webhook 7"),
        (["replay", "1", "--since", "1h", "--state", "lost"], "state lost is unknown"),
        (["replay", "1", "--since", "1h", "--until", "2h"], "--since is not before --until"),
        (["deliveries", "--state", "lost"], "state lost is unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(passerelle: Passerelle, words: list[str], said: str) -> None:
    assert passerelle("account", "add", "ours").code == 0
    outcome = passerelle("webhook", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 2
    assert passerelle("webhook", "list", "--json").json == []


def test_an_endpoint_is_made_changed_and_ended(passerelle: Passerelle) -> None:
    assert passerelle("account", "add", "ours").code == 0
    made = passerelle("webhook", "add", URL, "--account", "ours", "--events", "message", "--json").json
    assert made["secret"].startswith("whsec_")
    (shown,) = passerelle("webhook", "list", "--account", "ours", "--json").json
    assert (shown["endpoint"], shown["url"], shown["state"]) == (made["endpoint"], URL, "active")
    assert "inbound.received" not in shown["events"]
    assert made["secret"] not in passerelle("webhook", "list").out
    number = str(made["endpoint"])
    assert "no courier runs here" in passerelle("webhook", "test", number, "--wait", "0").out
    assert passerelle("webhook", "set", number, "--events", "inbound", "--url", URL + "2").code == 0
    rotated = passerelle("webhook", "rotate", number, "--overlap", "1", "--json").json
    assert rotated["secret"] != made["secret"]
    assert passerelle("webhook", "disable", number).code == 0
    assert "passerelle webhook enable" in passerelle("webhook", "test", number).err
    (shown,) = passerelle("webhook", "list", "--json").json
    assert (shown["state"], shown["events"], shown["due"]) == ("disabled", ["inbound.received"], 1)
    assert passerelle("webhook", "enable", number).code == 0
    page = passerelle("webhook", "deliveries", "--endpoint", number, "--limit", "1", "--json").json
    (delivery,) = page["deliveries"]
    assert (delivery["event"], delivery["state"], page["cursor"]) == ("webhook.test", "due", delivery["delivery"])
    assert passerelle("webhook", "remove", number).code == 0
    assert passerelle("webhook", "list", "--json").json == []
    assert passerelle("webhook", "enable", number).code == 1


def test_a_number_may_belong_to_an_account_without_login(passerelle: Passerelle) -> None:
    assert passerelle("account", "add", "ours").code == 0
    assert "whose number?" in passerelle("number", "add", "36000").err
    assert passerelle("number", "add", "36000", "--account", "ours").code == 0
    (shown,) = passerelle("number", "list", "--json").json
    assert shown == {"address": "36000", "account": "ours", "system_id": None}


async def start_courier(config_file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.command_line", "webhook", "send", "--config", str(config_file)),
        env=dict(os.environ),
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_kill_9_between_sending_and_storing_repeats_the_same_id(config_file: Path, database: str) -> None:
    with config_file.open("a", encoding="utf-8") as file:
        file.write('[webhooks]\nallow_networks = ["127.0.0.0/8"]\n')
    connection = await asyncpg.connect(database)
    courier: asyncio.subprocess.Process | None = None
    try:
        async with webhook_receiver() as receiver:
            receiver.answer = "hang"
            endpoint_id = await make_endpoint(connection, receiver)
            assert await rows.owe_test(connection, endpoint_id, time.time_ns() // 1_000_000) is not None
            courier = await start_courier(config_file)
            await eventually(lambda: receiver.received, WITHIN_S, "the first try")
            courier.kill()
            assert await courier.wait() == -9
            assert await connection.fetchval("SELECT state FROM webhook_deliveries") == "due"
            await connection.execute("UPDATE webhook_deliveries SET due_at_ms = 1")  # the claim's end has passed
            receiver.answer = 200
            courier = await start_courier(config_file)

            async def done() -> Any:
                return await connection.fetchval("SELECT state FROM webhook_deliveries") == "done"

            await eventually(done, WITHIN_S, "the second try is stored")
            courier.terminate()
            assert await courier.wait() == 0
            assert len(receiver.ids()) == 2
            assert len(set(receiver.ids())) == 1
    finally:
        if courier is not None and courier.returncode is None:
            courier.kill()
            await courier.wait()
        await connection.close()


async def make_endpoint(connection: asyncpg.Connection, receiver: Receiver) -> int:
    account_id = await connection.fetchval("INSERT INTO accounts (name) VALUES ('ours') RETURNING account_id")
    form: Any = ("native", "POST")
    return await rows.add_endpoint(connection, account_id, receiver.url, ["inbound.received"], form, "whsec_QUFB", 1)
