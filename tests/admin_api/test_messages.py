"""Sending by HTTP: durable before 202, by the same rules as every door, once per Idempotency-Key and client_ref.

What must not enter: the frame (test_frame.py), reading (test_message_reading.py).
"""

from __future__ import annotations

import asyncio
import datetime

import pytest

from gateway.storage import facts
from tests.admin_api.conftest import HANDSET, Api, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground

SECOND = "+2290197000002"


async def test_a_message_is_stored_with_its_hold_before_it_is_answered(api: Api) -> None:
    reply = await api.send(text="Bonjour", client_ref="order-1")

    assert reply.status == 202
    told = reply.json
    assert (told["status"], told["to"], told["from"], told["parts"]) == ("accepted", HANDSET, "ACME", 1)
    assert (told["encoding"], told["price"], told["credits"]) == ("gsm7", {"amount": "1", "currency": "credit"}, "1")
    row = await api.ground.connection.fetchrow("SELECT * FROM messages WHERE message_id = $1", int(told["id"]))
    assert row is not None
    assert (row["state"], row["hold"], row["esme_id"], row["notify"]) == ("queued", "held", -1, "no")
    assert await api.ground.credits() == (999, 1, 0)


async def test_a_long_text_becomes_parts_and_ucs2_where_gsm7_lacks_a_character(api: Api) -> None:
    assert (await api.send(text="a" * 161)).json["parts"] == 2
    ucs2 = await api.send(text="ç" * 71)
    assert (ucs2.json["encoding"], ucs2.json["parts"]) == ("ucs2", 2)
    gsm = await api.send(text="ç" * 71, encoding="gsm7")
    assert (gsm.json["encoding"], gsm.json["parts"]) == ("gsm7", 1)


async def test_several_recipients_are_told_one_by_one(api: Api) -> None:
    reply = await api.send(to=[HANDSET, "12", SECOND])

    assert reply.status == 202
    assert (reply.json["accepted"], reply.json["refused"]) == (2, 1)
    assert [each["status"] for each in reply.json["messages"]] == ["accepted", "refused", "accepted"]
    assert reply.json["messages"][1]["problem"]["code"] == "recipient_invalid"
    assert await api.ground.count("messages") == 2


async def test_where_all_are_refused_alike_that_is_the_answer(api: Api) -> None:
    reply = await api.send(to=["12", "13"])

    assert (reply.status, reply.json["code"]) == (422, "recipient_invalid")
    assert len(reply.json["messages"]) == 2


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"from": "STRANGER"}, 403, "sender_not_approved"),
        ({"to": "not a number"}, 422, "recipient_invalid"),
        ({"from": "1"}, 422, "sender_invalid"),
        ({"text": "é" * 1600 + ""}, 422, "text_too_long"),
        ({"text": "日本", "encoding": "gsm7"}, 422, "text_not_encodable"),
        ({"from": "22990", "no_reply": True}, 422, "no_reply_impossible"),
    ],
)
async def test_a_refusal_is_its_problem(api: Api, given: dict[str, object], status: int, code: str) -> None:
    reply = await api.send(**given)

    assert (reply.status, reply.json["code"]) == (status, code)
    assert await api.ground.count("messages") == 0


async def test_without_credit_nothing_is_stored(api: Api) -> None:
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = 0")

    reply = await api.send(client_ref="a", headers={"Idempotency_Key": "k"})

    assert (reply.status, reply.json["code"]) == (402, "insufficient_credit")
    for table in ("messages", "client_refs", "idempotency_keys"):
        assert await api.ground.count(table) == 0


async def test_two_hundred_at_once_on_credit_for_one_hundred_make_exactly_one_hundred(api: Api) -> None:
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = 100000000")

    replies = await asyncio.gather(*(api.send(client_ref=f"r{n}") for n in range(200)))

    assert sorted(reply.status for reply in replies) == [202] * 100 + [402] * 100
    assert await api.ground.count("messages") == 100
    assert await api.ground.count("client_refs") == 100


async def test_a_client_ref_is_used_once(api: Api) -> None:
    first = await api.send(client_ref="order-1")
    second = await api.send(client_ref="order-1")

    assert (second.status, second.json["code"]) == (409, "client_ref_taken")
    assert second.json["message_id"] == first.json["id"]
    together = await asyncio.gather(*(api.send(client_ref="order-2") for _ in range(5)))
    assert sorted(reply.status for reply in together) == [202, 409, 409, 409, 409]
    assert await api.ground.count("messages") == 2


async def test_a_request_repeated_under_its_key_acts_once_and_answers_the_same(api: Api) -> None:
    key = {"Idempotency_Key": "order-7"}
    first = await api.send(to=[HANDSET, "12"], headers=key)
    again = await api.send(to=[HANDSET, "12"], headers=key)

    assert (again.status, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await api.ground.count("messages") == 1
    other = await api.send(to=HANDSET, headers=key)
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")


async def test_a_replay_tells_of_those_that_could_not_be_paid(api: Api) -> None:
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = 1000000")
    key = {"Idempotency_Key": "k"}

    first = await api.send(to=[HANDSET, SECOND], headers=key)
    again = await api.send(to=[HANDSET, SECOND], headers=key)

    assert [each["status"] for each in first.json["messages"]] == ["accepted", "refused"]
    assert [each["status"] for each in again.json["messages"]] == ["accepted", "refused"]
    assert again.json["messages"][1]["problem"]["code"] == "insufficient_credit"


async def test_the_same_key_in_flight_is_told_to_wait(api: Api) -> None:
    place = (api.ground.account_id, "POST /v1/messages", "k")
    api.service.in_flight.add(place)

    reply = await api.send(headers={"Idempotency_Key": "k"})

    assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (409, "idempotency_in_flight", "1")


async def test_of_two_processes_with_one_key_one_sends(own_api: Api) -> None:
    api = own_api
    api.service.in_flight = _Forgetful()  # as if the second were another process

    replies = await asyncio.gather(*(api.send(headers={"Idempotency_Key": "k"}) for _ in range(8)))

    assert {reply.status for reply in replies} == {202}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert await api.ground.count("messages") == 1


class _Forgetful(set[tuple[int, str, str]]):
    def add(self, place: tuple[int, str, str]) -> None:
        """Another process's set."""


async def test_a_scheduled_message_waits_as_a_row(api: Api) -> None:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)

    reply = await api.send(schedule_at=at.isoformat(), validity_s=3600)

    assert reply.status == 202
    assert reply.json["scheduled_at"].startswith(at.strftime("%Y-%m-%dT%H:%M"))
    row = await api.ground.connection.fetchrow(
        "SELECT d.why, m.expires_at_ms - m.not_before_ms AS validity_ms"
        " FROM delayed d JOIN messages m USING (account_id, message_id)"
    )
    assert row is not None
    assert (row["why"], row["validity_ms"]) == ("schedule", 3_600_000)


# ---------------------------------------------------------------- batches


def batch(count: int, **more: object) -> dict[str, object]:
    messages = [{"to": f"+22901970{n:05d}", "from": "ACME", "text": f"number {n}"} for n in range(count)]
    return {"messages": messages, **more}


async def test_a_batch_is_answered_item_by_item(api: Api) -> None:
    given = batch(3)
    given["messages"][1]["from"] = "STRANGER"  # type: ignore[index]

    reply = await api.ask("POST", "/v1/messages/batch", given)

    assert reply.status == 202
    assert [each["status"] for each in reply.json["messages"]] == ["accepted", "refused", "accepted"]


async def test_an_atomic_batch_is_accepted_whole_or_not_at_all(api: Api) -> None:
    given = batch(3, atomic=True)
    given["messages"][1]["from"] = "STRANGER"  # type: ignore[index]
    reply = await api.ask("POST", "/v1/messages/batch", given)
    codes = [each["problem"]["code"] for each in reply.json["messages"]]
    assert (reply.status, codes) == (422, ["batch_undone", "sender_not_approved", "batch_undone"])
    assert await api.ground.count("messages") == 0

    assert (await api.ask("POST", "/v1/messages/batch", batch(3, atomic=True))).json["accepted"] == 3


async def test_an_atomic_batch_beyond_the_credit_takes_nothing(api: Api) -> None:
    await api.ground.connection.execute("UPDATE accounts SET balance_micros = 5000000")

    replies = await asyncio.gather(*(api.ask("POST", "/v1/messages/batch", batch(3, atomic=True)) for _ in range(4)))

    assert sorted(reply.status for reply in replies) == [202, 402, 402, 402]
    assert await api.ground.count("messages") == 3


async def test_a_name_taken_undoes_an_atomic_batch(api: Api) -> None:
    await api.send(client_ref="taken")
    given = batch(2, atomic=True)
    given["messages"][0]["client_ref"] = "fresh"  # type: ignore[index]
    given["messages"][1]["client_ref"] = "taken"  # type: ignore[index]

    reply = await api.ask("POST", "/v1/messages/batch", given)

    assert (reply.status, await api.ground.count("messages"), await api.ground.count("client_refs")) == (422, 1, 1)


# ---------------------------------------------------------------- limits of accounts


async def limit_account(api: Api, **limits: int) -> None:
    """Set limits of the ground's account, and wait until the process goes by them."""
    words = ", ".join(f"{name} = {value}" for name, value in limits.items())
    await api.ground.connection.execute(f"UPDATE accounts SET {words}")
    account_id = api.ground.account_id

    def is_known() -> bool:
        account = api.service.book.accounts[account_id]
        return all(getattr(account, name) == value for name, value in limits.items())

    await eventually(is_known, 10, "the limits are known")


async def test_an_accounts_parts_a_minute_hold_over_http_too(api: Api) -> None:
    await limit_account(api, per_minute=1000)
    recipients = [f"+22901970{n:05d}" for n in range(600)]
    assert (await api.send(to=recipients)).status == 202

    replies = [await api.send(to=recipients) for _ in range(3)]  # a minute may end between two of them, not three

    throttled = [reply for reply in replies if reply.json.get("refused") or reply.status == 429]
    assert throttled
    assert throttled[0].json["messages"][-1]["problem"]["code"] == "throttled"


async def test_a_days_parts_that_are_used_up_are_told_so(api: Api) -> None:
    await limit_account(api, per_day=1)
    replies = [await api.send() for _ in range(3)]  # midnight (UTC) may pass between two of them

    assert "day_limit" in [reply.json.get("code") for reply in replies]


async def test_a_batch_that_is_undone_uses_up_no_limit(api: Api) -> None:
    await limit_account(api, per_day=8)  # half of it is the share of the node beside it
    given = batch(3, atomic=True)
    given["messages"][2]["from"] = "STRANGER"  # type: ignore[index]
    for _ in range(3):
        assert (await api.ask("POST", "/v1/messages/batch", given)).status == 422
    assert (await api.ask("POST", "/v1/messages/batch", batch(2, atomic=True))).json["accepted"] == 2


# ---------------------------------------------------------------- without a node


async def test_without_any_node_nothing_is_accepted_and_the_customer_comes_again(ground: Ground) -> None:
    async with running_api(ground, api_configuration(ground)) as api:
        reply = await api.send()
        assert (reply.status, reply.json["code"], reply.json["permanent"]) == (503, "node_away", False)
        assert await ground.count("messages") == 0


async def test_what_must_not_be_replied_to_takes_only_ways_that_carry_the_name(api: Api) -> None:
    connection = api.ground.connection
    assert (await api.send(no_reply=True)).status == 202
    connector_id = await connection.fetchval("SELECT connector_id FROM connectors")
    await facts.say_connector_senders(connection, connector_id, False)
    await eventually(lambda: api.service.book.numeric_only == {"carrier-a"}, 10, "the connector's senders are known")

    reply = await api.send(no_reply=True)
    assert (reply.status, reply.json["code"]) == (422, "no_reply_impossible")
    assert (await api.send()).status == 202
