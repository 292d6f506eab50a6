"""What is owed over HTTP is owed in the transaction that stores what it tells of: by real lives on a real database.

Source: architecture section 3 (settle, notify). What must not enter: sending (test_courier.py).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json

import asyncpg
import pytest

from gateway.connector import InboundArrived
from gateway.message import Envelope
from gateway.storage import webhooks as rows
from gateway.storage.messages import encode_envelope
from gateway.storage.settle_batch import SettleBatch
from gateway.webhooks.events import FINAL_EVENTS, INBOUND
from tests.gateway.conftest import HANDSET, Ground
from tests.gateway.webhooks.conftest import SECRET, Hooks
from tests.webhook_receiver import Received, Receiver


def assert_signed(request: Received) -> None:
    """As a receiver checks it by the page of Standard Webhooks."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    mac = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


async def test_a_message_s_life_is_told_and_signed(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add()
    async with hooks.ground.live() as life, hooks.courier():
        message = await hooks.end_one(life, registered_delivery=0)
        first, second = (json.loads(request.body) for request in await receiver.got(2))
    for request in receiver.received:
        assert request.headers["Content-Type"] == "application/json"
        assert_signed(request)
    told = {each["type"]: each["data"] for each in (first, second)}
    assert set(told) == {"message.submitted", "message.delivered"}
    delivered, submitted = told["message.delivered"], told["message.submitted"]
    assert (delivered["id"], delivered["status"]) == (str(message.message_id), "delivered")
    assert (delivered["from"], delivered["to"], delivered["parts"]) == ("ACME", HANDSET, 1)
    assert delivered["final_at"] is not None
    assert (submitted["status"], submitted["final_at"]) == ("submitted", None), "as it was, whenever it is told"


async def test_an_account_without_urls_owes_nothing(ground: Ground, hooks: Hooks) -> None:
    async with ground.live() as life:
        await hooks.end_one(life)
        assert life.lifecycle.book.told_events == {}
    assert await ground.count("webhook_deliveries") == await ground.count("account_events") == 0


async def test_only_wished_events_are_told_and_other_accounts_are_left_alone(hooks: Hooks) -> None:
    await hooks.add(events=["message.undeliverable"])
    async with hooks.ground.live() as life:
        await hooks.end_one(life)
        failed = await hooks.end_one(life, "undeliverable")
    found = await hooks.connection.fetch("SELECT message_id, event FROM webhook_deliveries")
    assert list(map(tuple, found)) == [(failed.message_id, "message.undeliverable")]


async def test_every_end_of_a_message_is_told(hooks: Hooks) -> None:
    await hooks.add(events=FINAL_EVENTS)
    async with hooks.ground.live() as life:
        for state in ("delivered", "undeliverable", "expired", "deleted", "rejected", "unknown"):
            await hooks.end_one(life, state)
        refused = await life.accept_one()
        await life.until(lambda: (refused.message_id, 0) in life.carrier.open)
        life.carrier.rejected(refused)
        await life.until(lambda: refused.state == "rejected")
    found = await hooks.connection.fetch("SELECT event FROM webhook_deliveries ORDER BY delivery_id")
    told = [row["event"].partition(".")[2] for row in found]
    assert told == ["delivered", "undeliverable", "expired", "deleted", "rejected", "unknown", "rejected"]


async def test_a_batch_that_is_split_keeps_each_event_beside_its_state(ground: Ground, hooks: Hooks) -> None:
    async with ground.live() as life:
        messages = await life.accept(5)
        batch = SettleBatch()
        batch.messages = list(messages)
        batch.happened = [(m.account_id, m.message_id, "message.expired", 1, True, "", "", "") for m in messages]
        first, rest = batch.split(2)
    assert rest is not None
    for each in (first, rest):
        assert [row[1] for row in each.happened] == [m.message_id for m in each.messages]


async def test_what_happens_while_an_endpoint_is_disabled_is_kept_to_be_replayed(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint_id = await hooks.add()
    await rows.disable_endpoint(hooks.connection, endpoint_id, "test")
    async with hooks.ground.live() as life:
        await hooks.end_one(life)
    assert await hooks.states() == {"dead": 2}
    assert await rows.remove_endpoint(hooks.connection, endpoint_id)
    async with hooks.ground.live() as life:
        await hooks.end_one(life)
    assert await hooks.states() == {"dead": 2}, "a removed one is owed nothing"


@pytest.mark.parametrize(
    ("form", "method", "events", "told"),
    [
        ("kannel", "GET", "message.delivered message.undeliverable", 1),
        ("kannel", "GET", "message.submitted message.delivered", 2),
        ("jasmin", "POST", "message.rejected", 0),
    ],
)
async def test_a_message_s_own_url_is_told_what_it_asked_for(
    hooks: Hooks, receiver: Receiver, form: str, method: str, events: str, told: int
) -> None:
    receiver.text = "ACK/Jasmin"
    envelope = Envelope(
        source_addr_ton=5, dest_addr_ton=1, callback=(receiver.url + "?s=%d&i=%I", form, method, events)
    )
    async with hooks.ground.live() as life, hooks.courier():
        message = await hooks.end_one(life, envelope=envelope)
        await hooks.until({"done": told} if told else {})
    assert await hooks.ground.count("account_events") == 0, "nobody reads them"
    assert all(f"i={message.message_id}" in request.path for request in receiver.received if form == "kannel")
    stored = await hooks.ground.row(message)
    assert stored["notify"] != "dead"


async def test_a_handset_s_message_is_told_also_where_no_login_takes_it(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add(events=[INBOUND])
    await hooks.connection.execute(
        "INSERT INTO inbound_numbers (address, account_id) VALUES ('36000', $1)", hooks.ground.account_id
    )
    parts = [bytes((5, 0, 3, 7, 2, n)) + text for n, text in ((1, b"long "), (2, b"story"))]
    async with hooks.ground.live() as life, hooks.courier():
        for token, (octets, esm_class) in enumerate([(b"hello", 0), (parts[1], 0x40), (parts[0], 0x40)]):
            envelope = encode_envelope(Envelope(source_addr_ton=1, source_addr_npi=1, esm_class=esm_class))
            life.carrier.tell(InboundArrived(HANDSET, "36000", 0, octets, envelope, token))
        bodies = [json.loads(request.body) for request in await receiver.got(2)]
    assert {body["data"]["text"] for body in bodies} == {"hello", "long story"}
    assert {body["data"]["from"] for body in bodies} == {HANDSET}
    assert {body["type"] for body in bodies} == {INBOUND}
    assert await hooks.ground.value("SELECT count(*) FROM inbound_messages WHERE state = 'done'") == 2
    assert await hooks.ground.count("waiting_notifications") == 0


# ---------------------------------------------------------------- the order of events


async def read_all(connection: asyncpg.Connection, account_id: int, after: tuple[str, int]) -> list[rows.EventRow]:
    """What a reader finds, page by page, until there is no more for now."""
    found: list[rows.EventRow] = []
    while page := await rows.read_events(connection, account_id, after, FINAL_EVENTS, 7):
        found += page
        after = (page[-1].xact, page[-1].event_id)
    return found


async def test_a_reader_misses_nothing_when_transactions_commit_out_of_order(ground: Ground, hooks: Hooks) -> None:
    """A transaction that began first commits last: what committed meanwhile is not read past it."""
    account_id = ground.account_id
    await ground.connection.execute("UPDATE accounts SET keeps_events = true")

    async def owe(connection: asyncpg.Connection, message_id: int) -> None:
        await rows.owe_events(connection, [(account_id, message_id, "message.expired", 1, True, "", "", "")])

    slow = await asyncpg.connect(ground.dsn)
    try:
        await owe(ground.connection, 1)
        transaction = slow.transaction()
        await transaction.start()
        await owe(slow, 2)
        await owe(ground.connection, 3)
        read = await read_all(ground.connection, account_id, rows.FIRST_PLACE)
        assert [row.message_id for row in read] == [1], "3 is committed, and waits for what may stand before it"
        await transaction.commit()
        place = (read[-1].xact, read[-1].event_id)
        assert [row.message_id for row in await read_all(ground.connection, account_id, place)] == [2, 3]
    finally:
        await slow.close()


async def test_a_reader_beside_many_writers_reads_each_event_once(ground: Ground) -> None:
    account_id, writers, each_writes = ground.account_id, 8, 40
    await ground.connection.execute("UPDATE accounts SET keeps_events = true")

    async def write(first: int) -> None:
        connection = await asyncpg.connect(ground.dsn)
        try:
            for n in range(first, first + each_writes):
                async with connection.transaction():
                    await rows.owe_events(connection, [(account_id, n, "message.expired", 1, True, "", "", "")])
                    await connection.execute("SELECT pg_sleep(random() * 0.005)")
        finally:
            await connection.close()

    read: list[int] = []
    place = rows.FIRST_PLACE
    async with asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(write(n * each_writes)) for n in range(writers)]
        ended = False
        while not ended:
            ended = all(task.done() for task in writing)
            for row in await read_all(ground.connection, account_id, place):
                read.append(row.message_id)
                place = (row.xact, row.event_id)
    assert len(read) == len(set(read))
    assert set(read) == set(range(writers * each_writes))


async def test_what_an_account_reads_is_kept_without_any_url(ground: Ground, hooks: Hooks) -> None:
    await ground.connection.execute("UPDATE accounts SET keeps_events = true")
    async with ground.live() as life:
        message = await hooks.end_one(life)
    (event,) = await read_all(ground.connection, ground.account_id, rows.FIRST_PLACE)
    assert (event.message_id, event.event) == (message.message_id, "message.delivered")
    assert await ground.count("webhook_deliveries") == 0
