"""Who is told of what, and what was told, over HTTP: an account's own side, and the operators'.

What must not enter: sending (tests/gateway/notices).
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from admin_api.models_webhooks import Event
from admin_api.roles import ROLES
from gateway.notice_events import ACCOUNT_EVENTS, NOTICE_EVENTS
from gateway.storage import facts, users
from gateway.storage import notices as rows
from gateway.webhooks.events import ASKABLE
from tests.admin_api.conftest import Api

OWN = "/v1/notification-preferences"
HOUSE = "/v1/admin/notification-preferences/house"
WISHED: dict[str, Any] = {
    "language": "fr",
    "emails": ["compta@Example.ORG", "compta@example.org"],
    "phones": ["+229 01 97 00 00 01"],
    "low_balance": "12.5",
    "events": [{"event": "order.paid", "channels": []}],
}


DEAD = """
INSERT INTO notice_sendings (channel, address, language, event, account_id, notice_ids, state, why, tries, made_at_ms,
                             due_at_ms, give_up_at_ms, ended_at_ms)
SELECT 'email', 'you@example.org', 'fr', 'sender.decided', $1, '{1}', 'dead', 'mail_off', 1, now, now, now, now
  FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now) clock RETURNING sending_id
"""


async def dead_letters(api: Api, *accounts: int) -> list[int]:
    """One of each account; their ids."""
    return [await api.ground.value(DEAD, account_id) for account_id in accounts]


async def test_an_account_says_where_it_is_told_of_what(api: Api) -> None:
    before = (await api.ask("GET", OWN)).json
    assert (before["emails"], before["phones"], before["low_balance"]) == ([], [], None)
    assert [each["event"] for each in before["events"]] == list(ACCOUNT_EVENTS)

    reply = await api.ask("PUT", OWN, WISHED)

    assert reply.status == 200, reply.text
    assert reply.json == (await api.ask("GET", OWN)).json
    assert reply.json["emails"] == ["compta@example.org"]
    assert reply.json["phones"] == ["+2290197000001"]
    assert reply.json["low_balance"] == "12.5"
    channels = {each["event"]: each["channels"] for each in reply.json["events"]}
    assert channels["order.paid"] == []
    assert channels["order.credited"] == ["email", "sms"]
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    assert await rows.load_preferences(api.ground.connection, "account", other) is None


async def test_every_fault_is_told_at_once_in_the_language_asked_for(api: Api) -> None:
    wrong = {
        "language": "de",
        "emails": ["a@example.org\r\nBcc: b@example.org", "x"],
        "phones": ["0197000001"],
        "low_balance": "much",
        "events": [{"event": "order.dreamt", "channels": ["fax"]}],
    }
    reply = await api.ask("PUT", OWN, wrong, Accept_Language="fr")
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert {tuple(each["loc"]) for each in reply.json["errors"]} == {
        ("body", "language"),
        ("body", "events", 0, "channels", 0),
    }
    wrong |= {"language": "fr", "events": []}
    reply = await api.ask("PUT", OWN, wrong, Accept_Language="fr")
    told = {tuple(each["loc"]): each["msg"] for each in reply.json["errors"]}
    assert told[("body", "emails", 0)] == "ceci n'est pas une adresse e-mail"
    assert set(told) == {("body", "emails", 0), ("body", "emails", 1), ("body", "phones", 0), ("body", "low_balance")}
    reply = await api.ask("PUT", OWN, {"language": "fr", "events": [{"event": "bind.down", "channels": []}]})
    assert [each["loc"] for each in reply.json["errors"]] == [["body", "events", 0, "event"]]
    reply = await api.ask("PUT", OWN, {"language": "fr", "emails": [f"a{n}@example.org" for n in range(6)]})
    assert reply.json["errors"][0]["type"] == "length"


async def test_an_account_sees_its_own_notices_alone_by_pages(api: Api) -> None:
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    assert other is not None
    ours = api.ground.account_id
    first, _, second = await dead_letters(api, ours, other, ours)

    page = (await api.ask("GET", "/v1/notices?limit=1")).json
    rest = (await api.ask("GET", f"/v1/notices?limit=1&cursor={page['next_cursor']}")).json
    end = (await api.ask("GET", f"/v1/notices?cursor={rest['next_cursor']}")).json

    assert [each["id"] for each in page["notices"] + rest["notices"]] == [str(second), str(first)]
    assert (end["notices"], end["next_cursor"]) == ([], None)
    assert page["notices"][0]["why"] == "mail_off"
    assert (await api.ask("GET", "/v1/notices?state=done")).json["notices"] == []
    assert (await api.ask("GET", "/v1/notices?cursor=x")).json["code"] == "invalid_request"


async def test_an_operator_sends_again_what_has_ended_and_that_is_told(api: Api) -> None:
    (sending_id,) = await dead_letters(api, api.ground.account_id)
    operator, reader = await api.sign_in("operator"), await api.sign_in("read_only")
    path = f"/v1/admin/notices/{sending_id}/resend"

    shown = (await reader.ask("GET", f"/v1/admin/notices?state=dead&account_id={api.ground.account_id}")).json
    assert [each["id"] for each in shown["notices"]] == [str(sending_id)]
    assert (await reader.ask("POST", path)).json["code"] == "permission_missing"
    assert (await operator.ask("POST", f"/v1/admin/notices/{sending_id + 1}/resend")).status == 404
    assert (await operator.ask("POST", "/v1/admin/notices/x/resend")).status == 404
    reply = await operator.ask("POST", path)
    assert (reply.status, reply.json["state"]) == (200, "due")
    row = await api.ground.connection.fetchrow("SELECT action, subject, account_id, before FROM audit")
    assert row is not None
    assert (row["action"], row["subject"]) == ("notice.resent", f"notice:{sending_id}")
    assert row["account_id"] == api.ground.account_id
    assert msgspec.json.decode(row["before"])["why"] == "mail_off"


async def test_operators_set_the_house_s_addresses_their_own_and_an_account_s(api: Api) -> None:
    operator, finance = await api.sign_in("operator"), await api.sign_in("finance")
    wished = {
        "language": "en",
        "emails": ["ops@example.org"],
        "events": [{"event": "bind.down", "channels": ["email"]}],
    }
    assert (await operator.ask("PUT", HOUSE, wished)).status == 200
    assert (await finance.ask("GET", HOUSE)).json["emails"] == ["ops@example.org"]
    assert (await finance.ask("PUT", HOUSE, wished)).json["code"] == "permission_missing"

    mine = "/v1/admin/notification-preferences"
    seen = {each["event"] for each in (await finance.ask("GET", mine)).json["events"]}
    assert "order.placed" in seen
    assert "bind.down" not in seen, "another role's matter"
    assert (await finance.ask("PUT", mine, wished)).json["errors"][0]["loc"] == ["body", "events", 0, "event"]
    assert (await finance.ask("PUT", mine, {"language": "fr", "low_balance": "5"})).json["errors"][0]["loc"] == [
        "body",
        "low_balance",
    ]
    assert (await finance.ask("PUT", mine, {"language": "fr", "phones": ["+2290197000001"]})).status == 200
    theirs = f"/v1/admin/accounts/{api.ground.account_id}/notification-preferences"
    assert (await operator.ask("PUT", theirs, WISHED)).json["low_balance"] == "12.5"
    assert (await operator.ask("GET", theirs)).json == (await api.ask("GET", OWN)).json
    assert (await operator.ask("GET", "/v1/admin/accounts/999999/notification-preferences")).status == 404
    assert (await operator.ask("PUT", "/v1/admin/accounts/0/notification-preferences", WISHED)).status == 404
    told = [
        tuple(row)
        for row in await api.ground.connection.fetch(
            "SELECT action, split_part(subject, ':', 1) FROM audit ORDER BY seq"
        )
    ]
    assert told == [("notice_preferences.changed", each) for each in ("house", "user", "account")]


async def test_who_said_nothing_is_told_at_his_user_s_addresses_of_his_role_s_matters(api: Api) -> None:
    for name, role in (("ann", "finance"), ("bob", "operator"), ("eve", "support")):
        new = users.NewUser(
            name=name,
            role=role,
            password_hash="none",
            email=f"{name}@example.org",
            phone="+2290197000001",
            language="en",
        )
        assert await users.add_user(api.ground.connection, new) is not None

    found = {
        each.emails[0]: (role, each)
        for role, each in await rows.load_administrators(api.ground.connection)
        if each.emails
    }

    assert {name: role for name, (role, _) in found.items()} == {
        "ann@example.org": "finance",
        "bob@example.org": "operator",
        "eve@example.org": "support",
    }
    assert found["ann@example.org"][1].phones == ["2290197000001"]
    assert found["ann@example.org"][1].language == "en"


@pytest.mark.parametrize("event", NOTICE_EVENTS)
def test_whoever_is_told_of_the_house_s_matters_may_read_notices(event: str) -> None:
    row = NOTICE_EVENTS[event]
    assert bool(row.roles) == (row.audience == "administrators")
    assert all("notices.read" in ROLES[role] for role in row.roles)


def test_webhooks_may_ask_for_every_event_of_an_account() -> None:
    assert get_args(Event) == ASKABLE
