"""The outbox: a notice is there with what happened, or not at all; its facts are its row's.

What must not enter: who is told, and how.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec
import pytest

from gateway.notice_events import NOTICE_EVENTS, NoticeFault, check_notice
from gateway.storage import facts
from gateway.storage import webhooks as hooks
from gateway.storage.notices import tell

DECIDED = {"sender": "ACME", "decision": "refused", "reason": "the proof is unreadable"}
SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


async def add_account(connection: asyncpg.Connection, name: str = "ours") -> int:
    account_id = await facts.add_account(connection, name, 0, None)
    assert account_id is not None
    return account_id


async def test_a_notice_is_stored_with_what_happened_or_not_at_all(connection: asyncpg.Connection) -> None:
    account_id = await add_account(connection)

    async def decide(query: str) -> None:
        async with connection.transaction():
            await tell(connection, event="sender.decided", account_id=account_id, facts=DECIDED)
            await connection.execute(query)

    await decide("SELECT 1")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await decide("SELECT 1 / 0")

    (row,) = await connection.fetch("SELECT event, account_id, facts, addressed FROM notices")
    assert msgspec.json.decode(row["facts"]) == DECIDED
    assert (row["event"], row["account_id"], row["addressed"]) == ("sender.decided", account_id, False)


async def test_what_is_told_under_one_word_is_told_once(connection: asyncpg.Connection) -> None:
    told: dict[str, Any] = {"event": "node.dead", "account_id": None, "facts": {"node": "b", "since": 1}}

    first = await tell(connection, **told, once="node 2 life 7")
    assert first is not None
    assert await tell(connection, **told, once="node 2 life 7") is None
    assert await tell(connection, **told, once="node 2 life 8") is not None
    assert await tell(connection, **told) is not None
    assert await connection.fetchval("SELECT count(*) FROM notices") == 3


@pytest.mark.parametrize(
    ("event", "account_id", "given"),
    [
        ("sender.dreamt", 1, DECIDED),
        ("sender.decided", None, DECIDED),
        ("sender.decided", 1, {"sender": "ACME", "decision": "refused"}),
        ("sender.decided", 1, DECIDED | {"more": "x"}),
        ("sender.decided", 1, DECIDED | {"decision": "perhaps"}),
        ("order.paid", 1, {"order": "seven", "credits": 1}),
    ],
    ids=["event", "account", "fact missing", "fact unknown", "choice", "number"],
)
def test_what_is_not_its_row_is_our_fault(event: str, account_id: int | None, given: dict[str, str | int]) -> None:
    with pytest.raises(NoticeFault):
        check_notice(event, account_id, given)


def test_a_value_begins_no_line_and_has_an_end() -> None:
    stored = check_notice("sender.decided", 1, DECIDED | {"reason": "no\r\nBcc: all@example.net\0\ud800 " + "x" * 600})

    assert str(stored["reason"]).startswith("no Bcc: all@example.net xx")
    assert len(str(stored["reason"])) == 500


async def test_the_urls_that_asked_for_it_are_owed_an_account_s_notice(connection: asyncpg.Connection) -> None:
    ours, theirs = await add_account(connection), await add_account(connection, "theirs")
    for account_id, events in ((ours, ["sender.decided"]), (ours, ["balance.low"]), (theirs, ["sender.decided"])):
        url = "https://example.net/hook"
        await hooks.add_endpoint(connection, account_id, url, events, ("native", "POST"), SECRET, 1)

    notice_id = await tell(connection, event="sender.decided", account_id=ours, facts=DECIDED)
    about = {"sender": "ACME", "account": "ours"}
    await tell(connection, event="sender.requested", account_id=ours, facts=about)

    owed = await connection.fetch("SELECT account_id, message_id, event, state FROM webhook_deliveries")
    assert [tuple(row) for row in owed] == [(ours, notice_id, "sender.decided", "due")]


def test_every_event_has_facts_and_a_channel() -> None:
    for name, row in NOTICE_EVENTS.items():
        assert row.facts, name
        assert row.channels, name
