"""What customers read: messages, estimates, explanations, balance, ledger; and what describes the API.

What must not enter: sending (test_messages.py), the frame (test_frame.py).
"""

from __future__ import annotations

import asyncio

import pytest

from admin_api.routes import ROUTES
from tests.admin_api.conftest import HANDSET, Api


async def test_one_message_is_shown_with_its_timeline(api: Api) -> None:
    told = (await api.send(client_ref="order-1", **{"class": "otp"})).json

    now = (await api.ask("GET", f"/v1/messages/{told['id']}")).json

    assert (now["status"], now["charge"], now["class"], now["client_ref"]) == ("accepted", "held", "otp", "order-1")
    assert now["timeline"] == [{"at": told["created_at"], "event": "accepted"}]
    assert "text" not in now


@pytest.mark.parametrize("message_id", ["0", "1", "x", "9" * 30, "-1", "%00", "1e3", "9223372036854775807"])
async def test_an_id_that_is_none_is_not_found(api: Api, message_id: str) -> None:
    assert (await api.ask("GET", f"/v1/messages/{message_id}")).status == 404
    assert (await api.ask("DELETE", f"/v1/messages/{message_id}")).status == 404


async def test_pages_hold_every_message_once_newest_first(api: Api) -> None:
    sent = [(await api.send(client_ref=f"r{n}")).json["id"] for n in range(7)]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await api.ask("GET", f"/v1/messages?limit=3{cursor and f'&cursor={cursor}'}")).json
        found += [each["id"] for each in page["messages"]]
        cursor = page["next_cursor"]

    assert found == sent[::-1]


async def test_a_list_is_narrowed_by_state_number_and_time(api: Api) -> None:
    first = (await api.send()).json
    await api.send(to="+2290197000002")

    async def ids(query: str) -> list[str]:
        return [each["id"] for each in (await api.ask("GET", f"/v1/messages?{query}")).json["messages"]]

    assert await ids("to=%2B2290197000001") == [first["id"]]
    assert await ids("status=delivered") == []
    assert len(await ids("status=accepted")) == 2
    assert await ids("since=9999-12-31T00:00:00Z") == []
    assert len(await ids("until=9999-12-31T00:00:00Z&since=0001-01-01T00:00:00Z")) == 2
    assert await ids("until=2001-01-01T00:00:00Z") == []


async def test_a_cursor_is_good_for_its_account_and_list_only(api: Api) -> None:
    for _ in range(3):
        await api.send()
    cursor = (await api.ask("GET", "/v1/messages?limit=2")).json["next_cursor"]
    assert cursor

    for query in (f"cursor={cursor}&status=accepted", f"cursor={cursor}x", "cursor=AAAA", "cursor=%00"):
        reply = await api.ask("GET", f"/v1/messages?{query}")
        assert (reply.status, reply.json["errors"][0]["loc"]) == (400, ["query", "cursor"]), query
    assert (await api.ask("GET", f"/v1/ledger?cursor={cursor}")).status == 400
    assert len((await api.ask("GET", f"/v1/messages?cursor={cursor}")).json["messages"]) == 1


async def test_the_balance_is_the_sum_of_the_ledger(api: Api) -> None:
    await api.send(to=[HANDSET, "+2290197000002"])

    balance = (await api.ask("GET", "/v1/balance")).json
    postings = (await api.ask("GET", "/v1/ledger")).json["postings"]

    assert (balance["balance"], balance["available"]) == ("998", "998")
    assert [(each["kind"], each["amount"], each.get("messages", 0)) for each in postings] == [
        ("hold", "2", 2),
        ("top_up", "1000", 0),
    ]
    assert len((await api.ask("GET", "/v1/ledger?kind=top_up")).json["postings"]) == 1


async def test_an_estimate_shows_both_prices_and_what_offends(api: Api) -> None:
    told = (await api.ask("POST", "/v1/messages/estimate", {"text": "ça va… " + "a" * 70, "to": HANDSET})).json

    assert (told["as_written"]["encoding"], told["as_written"]["parts"]) == ("ucs2", 2)
    assert (told["gsm_mode"]["encoding"], told["gsm_mode"]["parts"]) == ("gsm7", 1)
    assert told["offending"] == ["ç", "…"]
    assert told["gsm_mode_text"].startswith("ca va...")
    assert (told["as_written"]["price"]["amount"], told["credit_left"], told["affordable"]) == ("2", "1000", True)
    assert (await api.ask("POST", "/v1/messages/estimate", {"text": "x", "to": "12"})).json[
        "code"
    ] == "recipient_invalid"


async def test_an_explanation_says_what_would_become_of_a_message(api: Api) -> None:
    asked = {"to": "97000001", "from": "ACME", "text": "hello"}
    told = (await api.ask("POST", "/v1/explain", {**asked, "to": HANDSET})).json
    assert (told["accepted"], told["number"], told["country"], told["routes"]) == (True, HANDSET, "BJ", 1)
    old = (await api.ask("POST", "/v1/explain", {**asked, "to": "+22997000001"})).json
    assert (old["number"], old["number_changed_from"]) == (HANDSET, "22997000001")
    told = (await api.ask("POST", "/v1/explain", {**asked, "from": "STRANGER"})).json
    assert (told["accepted"], told["sender_approved"]) == (False, False)
    assert told["problem"]["code"] == "sender_not_approved"
    assert await api.ground.count("messages") == 0


async def test_openapi_and_docs_tell_every_route_and_need_no_other_host(api: Api) -> None:
    api.key = ""
    for language in ("en", "fr"):
        document = (await api.ask("GET", f"/openapi.json?lang={language}")).json
        assert document["openapi"] == "3.1.0"
        page = (await api.ask("GET", f"/docs?lang={language}")).text
        for route in ROUTES:
            operation = document["paths"][route.path][route.method.lower()]
            assert operation["summary"] == route.summary.say(language)  # type: ignore[arg-type]  # one of ours
            assert f"id='{operation['operationId']}'" in page
        for reference in ("<script", "<link", "<img", "url(", "@import", "href='http", 'href="http', "src="):
            assert reference not in page


async def test_a_hundred_readers_at_once_are_served(api: Api) -> None:
    await api.send()
    replies = await asyncio.gather(*(api.ask("GET", "/v1/messages?limit=200") for _ in range(100)))
    assert {reply.status for reply in replies} == {200}
