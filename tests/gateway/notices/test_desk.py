"""What was told reaches those who want it, once or again, whatever the server does; the clock is in the test's hand.

What must not enter: words (test_wording.py), one conversation with a server (test_mailer.py).
"""

from __future__ import annotations

import pytest

from gateway.ledger import orders
from gateway.notices.desk import AT_ONCE, RETRY_S
from gateway.notices.text_messages import Texter
from gateway.storage import facts, users
from gateway.storage import notices as rows
from gateway.storage.credit_orders import NewOrder
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S, Life
from tests.gateway.notices.conftest import Notices
from tests.mail_server import TAKEN, MailServer

PLACED: dict[str, str | int] = {"order": 7, "account": "ours", "credits": 5_000_000, "contact": "Awa, +22901970000"}


async def test_an_account_and_the_house_are_told_of_what_is_theirs(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    await notices.prefer("house", emails=["ops@example.org", "finance@example.org"], language="en")
    await notices.tell()
    await notices.tell("order.placed", facts=PLACED)
    async with notices.desk():
        sendings = await notices.until(done=3)

    assert {(row["address"], row["account_id"]) for row in sendings} == {
        ("account@example.org", notices.ground.account_id),
        ("ops@example.org", None),
        ("finance@example.org", None),
    }
    told = {letter["To"]: letter["Subject"] for letter in await server.got(3)}
    assert told["account@example.org"] == "Nom d'expéditeur ACMÉ : refusé"
    assert told["ops@example.org"] == "Order 7: 5 credits for ours"


async def test_operators_are_told_of_their_role_s_matters_while_they_are_active(notices: Notices) -> None:
    for name, role in (("ann", "finance"), ("bob", "operator"), ("eve", "finance")):
        new = users.NewUser(name=name, role=role, password_hash="none", email=f"{name}@example.org")
        user_id = await users.add_user(notices.connection, new)
    await notices.connection.execute("UPDATE users SET state = 'suspended' WHERE user_id = $1", user_id)
    await notices.tell("order.placed", facts=PLACED)
    async with notices.desk():
        (sending,) = await notices.until(done=1)

    assert sending["address"] == "ann@example.org"


async def test_only_channels_that_were_chosen_are_used(notices: Notices) -> None:
    await notices.prefer(phones=["22901970001"], channels={"sender.decided": [], "order.paid": ["email"]})
    await notices.tell()
    notice_id = await notices.tell("order.paid", facts={"order": 1, "credits": 1})
    async with notices.desk():
        (sending,) = await notices.until(done=1)

    assert (sending["notice_ids"], sending["channel"]) == ([notice_id], "email")


async def test_what_is_refused_for_now_goes_again_under_its_name_until_it_is_given_up(
    notices: Notices, server: MailServer
) -> None:
    await notices.prefer()
    await notices.tell()
    server.to_letter = "451 later"
    async with notices.desk() as desk:
        for tries, pause_s in enumerate(RETRY_S, start=1):
            row = await notices.tried(tries)
            assert (row["state"], row["why"]) == ("due", "451 later")
            assert row["due_at_ms"] == notices.ground.clock.ms + pause_s * 1000
            notices.pass_s(pause_s, desk)
        await notices.tried(len(RETRY_S) + 1)
        notices.pass_s(rows.GIVE_UP_MS / 1000, desk)
        (dead,) = await notices.until(dead=1)

    assert dead["why"] == "too_late"
    assert {letter["Message-ID"] for letter in await server.got(1)} == {
        read["Message-ID"] for read in await server.got(8)
    }
    assert len({letter["Message-ID"] for letter in await server.got(8)}) == 1


async def test_what_is_refused_for_good_waits_for_a_person(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    await notices.tell()
    server.to_recipient = "550 no such user"
    async with notices.desk() as desk:
        (dead,) = await notices.until(dead=1)
        assert (dead["why"], dead["tries"]) == ("550 no such user", 1)
        server.to_recipient = TAKEN
        assert await rows.resend(notices.connection, dead["sending_id"], notices.ground.clock.ms)
        assert not await rows.resend(notices.connection, dead["sending_id"] + 1, notices.ground.clock.ms)
        desk.look_again()
        await notices.until(done=1)

    (letter,) = await server.got(1)
    assert f"<notice-{dead['sending_id']}-2-" in letter["Message-ID"], "a receiver must not take it for a duplicate"


async def test_an_answer_that_was_lost_costs_one_duplicate_at_most(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    await notices.tell()
    server.to_letter = "drop"
    async with notices.desk() as desk:
        row = await notices.tried(1)
        assert (row["state"], row["why"], row["doubts"]) == ("due", "connection_lost", 1)
        notices.pass_s(RETRY_S[0], desk)
        (dead,) = await notices.until(dead=1)

    assert (dead["tries"], dead["doubts"], dead["why"]) == (2, 2, "connection_lost")
    first, second = await server.got(2)
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_claim_that_was_never_closed_is_in_doubt(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    await notices.tell()
    assert await rows.address_notices(notices.connection, notices.ground.clock.ms, 6) == 1
    for doubts in (0, 1):
        (lost,) = await rows.claim_sendings(notices.connection, notices.ground.clock.ms, 1, 0)
        assert lost.doubts == doubts
    async with notices.desk():
        (dead,) = await notices.until(dead=1)

    assert (dead["why"], server.letters) == ("answer_lost", [])


async def test_a_stop_in_the_middle_of_a_letter_is_written(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    await notices.tell()
    server.to_letter = "hang"
    async with notices.desk():
        await server.got(1)

    (row,) = await notices.sendings()
    assert (row["state"], row["why"], row["doubts"]) == ("due", "stopped", 1)
    assert await notices.connection.fetchval("SELECT NOT is_open FROM notice_sendings")


async def test_a_flood_of_one_event_becomes_a_digest(notices: Notices, server: MailServer) -> None:
    await notices.prefer("house")
    for number in range(100):
        await notices.tell("bind.up", account_id=None, facts={"connector": f"c{number}", "since": 1})
    await notices.tell("bind.down", account_id=None, facts={"connector": "c", "binds": 1, "since": 1})
    async with notices.desk(most_an_hour=3) as desk:
        sendings = await notices.until(done=4, due=1)
        gathered = sendings[-1] if sendings[-1]["state"] == "due" else sendings[-2]
        assert (gathered["notice_count"], len(gathered["notice_ids"])) == (97, rows.DIGEST_NAMES)
        await notices.tell("bind.up", account_id=None, facts={"connector": "late", "since": 1})
        notices.pass_s(rows.DIGEST_AFTER_MS / 1000 - 1, desk)

        async def joined() -> bool:
            return bool(await notices.connection.fetchval("SELECT count(*) = 0 FROM notices WHERE NOT addressed"))

        await eventually(joined, WITHIN_S, "the late one is addressed")
        assert len(server.letters) == 4
        notices.pass_s(1, desk)
        await notices.until(done=5)

    assert "98 avis" in (await server.got(5))[-1]["Subject"]


async def test_one_account_s_flood_delays_no_other_account_at_the_same_address(notices: Notices) -> None:
    other = await facts.add_account(notices.connection, "other", 0, None)
    assert other is not None
    for account_id in (notices.ground.account_id, other):
        wished = rows.Preferences(owner_kind="account", owner_id=account_id, language="fr", emails=["you@example.org"])
        await rows.save_preferences(notices.connection, wished)
    for account_id in (notices.ground.account_id,) * 3 + (other,) * 2:
        await notices.tell(account_id=account_id)
    await rows.address_notices(notices.connection, notices.ground.clock.ms, 1)

    found = await notices.connection.fetch(
        "SELECT account_id, is_digest, notice_count FROM notice_sendings ORDER BY sending_id"
    )
    ours = notices.ground.account_id
    assert [tuple(row) for row in found] == [(ours, False, 1), (ours, True, 2), (other, False, 1), (other, True, 1)]


async def test_without_a_server_or_an_account_each_sending_says_so(notices: Notices) -> None:
    await notices.prefer(phones=["22901970001"])
    await notices.tell()
    async with notices.desk(mail=False):
        sendings = await notices.until(dead=2)

    assert {(row["channel"], row["why"]) for row in sendings} == {("email", "mail_off"), ("sms", "sms_off")}


async def test_no_more_are_on_their_way_than_a_crash_may_leave_in_doubt(notices: Notices, server: MailServer) -> None:
    await notices.prefer()
    server.to_letter = "hang"
    for _ in range(AT_ONCE + 2):
        await notices.tell()
    async with notices.desk():
        await server.got(AT_ONCE)
        assert await notices.connection.fetchval("SELECT count(*) FROM notice_sendings WHERE is_open") == AT_ONCE
        assert len(server.letters) == AT_ONCE


async def test_an_event_that_only_a_newer_version_knows_waits_for_it(notices: Notices) -> None:
    await notices.prefer()
    unknown = "INSERT INTO notices (event, account_id, facts, told_at_ms) VALUES ('moon.full', $1, '{}', 1)"
    await notices.connection.execute(unknown, notices.ground.account_id)
    await notices.tell()
    async with notices.desk():
        await notices.until(done=1)

    assert await notices.connection.fetch("SELECT event FROM notices WHERE NOT addressed") == [("moon.full",)]


async def test_old_notices_are_forgotten(notices: Notices) -> None:
    await notices.prefer()
    await notices.tell()
    async with notices.desk():
        await notices.until(done=1)
    await rows.forget_notices(notices.connection, notices.ground.clock.ms + 60_000, 10)

    assert await notices.ground.count("notices") == 0
    assert await notices.ground.count("notice_sendings") == 0


async def test_whom_an_order_names_is_told_of_it_beside_its_account(notices: Notices, server: MailServer) -> None:
    await notices.prefer(channels={"order.paid": []})
    contact = ("Awa", "awa@example.org", "2290197000001", "", "", "en")
    placed = await orders.place(
        notices.connection, NewOrder(notices.ground.account_id, 5_000_000, *contact, "", b"", 30)
    )
    assert isinstance(placed, orders.Placed)
    told = {"order": placed.order.order_id, "credits": 5_000_000}
    await notices.tell("order.paid", facts=told)  # which its account does not want to hear of
    await notices.tell("order.refused", facts=told | {"reason": "the transfer bounced"})
    await notices.tell("order.refused", facts={"order": 999, "credits": 1, "reason": "of nobody"})
    async with notices.desk():
        sendings = await notices.until(done=3, dead=1)

    places = [("email", "account@example.org"), ("email", "account@example.org"), ("email", "awa@example.org")]
    assert sorted((row["channel"], row["address"]) for row in sendings) == [*places, ("sms", "2290197000001")]
    assert {row["event"] for row in sendings} == {"order.refused"}
    letters = {letter["To"]: letter for letter in await server.got(3)}
    assert letters["awa@example.org"]["Content-Language"] == "en"


# ---------------------------------------------------------------- SMS


async def test_an_account_s_wishes_cost_the_house_so_many_sms_a_day(notices: Notices) -> None:
    for number in range(rows.SMS_A_DAY + 1):
        await notices.prefer(emails=[], phones=[f"2290197{number:06d}"])
        await notices.tell()
        assert await rows.address_notices(notices.connection, notices.ground.clock.ms, 6) == 1

    states = [(row["state"], row["why"]) for row in await notices.sendings()]
    assert states == [("due", "")] * rows.SMS_A_DAY + [("dead", "day_limit")]


async def test_an_sms_is_a_message_of_the_house_s_account_and_accepted_once(notices: Notices, life: Life) -> None:
    await notices.prefer(emails=[], phones=["2290197000001"])
    await notices.tell()
    texter = Texter(life.lifecycle, life.reader, "ours", "ACME")
    async with notices.desk(texter) as desk:
        (sending,) = await notices.until(done=1)
        await life.written(1)
        await notices.connection.execute("UPDATE notice_sendings SET state = 'due', is_open = true, due_at_ms = 0")
        desk.look_again()

        async def again() -> bool:
            return await notices.connection.fetchval("SELECT tries FROM notice_sendings") == 2

        await eventually(again, WITHIN_S, "what was lost is tried again")
        await notices.until(done=1)

    row = await notices.connection.fetchrow("SELECT * FROM messages")
    assert row is not None
    assert await notices.ground.count("messages") == 1, "its name is taken: it was accepted before"
    assert (row["message_id"], row["traffic_class"], row["source_addr"]) == (
        sending["message_id"],
        "transactional",
        "ACME",
    )
    assert (await notices.ground.credits())[1] == 1, "charged like any message"


@pytest.mark.parametrize(
    ("account", "sender", "state", "why"),
    [
        ("nobody", "ACME", "dead", "account_unknown"),
        ("ours", "STRANGER", "dead", "sender_not_owned"),
        ("poor", "POOR", "due", "no_credit"),
    ],
)
async def test_an_sms_that_cannot_be(notices: Notices, account: str, sender: str, state: str, why: str) -> None:
    poor = await facts.add_account(notices.connection, "poor", 0, None)
    assert poor is not None
    await facts.add_sender_name(notices.connection, poor, "POOR", "approved")
    await notices.prefer(emails=[], phones=["2290197000001"])
    await notices.tell()
    async with notices.ground.live() as life, notices.desk(Texter(life.lifecycle, life.reader, account, sender)):
        row = await notices.tried(1)

    assert (row["state"], row["why"]) == (state, why)
