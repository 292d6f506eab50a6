"""Orders of credit over HTTP: placed by customers, paid and credited by operators, once; everybody told who must know.

What must not enter: the table of states (tests/gateway/ledger), how notices are sent (tests/gateway/notices).
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import asyncpg
import msgspec
import pytest_asyncio

from admin_api import credit_clock
from gateway.daemon.configuration_schema import Mail, Notices
from gateway.storage import check, facts, notices
from gateway.storage.credit_orders import OPEN_ORDERS, count_waiting
from tests.admin_api.conftest import NODE_LIVES, Api, Reply, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.mail_server import mail_server

OURS = "/v1/credit-orders"
THEIRS = "/v1/admin/credit-orders"
WITHIN_S = 30.0
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE usename = 'passerelle_api' AND datname = current_database() AND query LIKE '-- lock_head%'
   AND wait_event_type = 'Lock'
"""
PAID = {"method": "mobile money", "reference": "MM-77", "amount": "655957", "currency": "XOF", "paid_on": "2026-01-31"}
ORDER = {
    "credits": "500",
    "contact_name": "Awa Dossou",
    "email": "awa@example.com",
    "phone": "+22997000001",
    "note": "before noon\nplease",
    "reference": "PO-9",
}


@dataclasses.dataclass
class Shop:
    """A customer with 1000 credits, and two people of the house."""

    customer: Api
    awa: Api  # finance
    ben: Api  # finance

    @property
    def ground(self) -> Ground:
        return self.customer.ground

    async def place(self, headers: dict[str, str] | None = None, **given: Any) -> Reply:
        body = {name: value for name, value in (ORDER | given).items() if value is not None}
        return await self.customer.ask("POST", OURS, body, **headers or {})

    async def placed(self, **given: Any) -> str:
        reply = await self.place(**given)
        assert reply.status == 201, reply.text
        return str(reply.json["id"])

    async def paid(self, **given: Any) -> str:
        order = await self.placed(**given)
        assert (await self.awa.ask("POST", f"{THEIRS}/{order}/payment", PAID)).json["state"] == "paid"
        return order

    async def state(self, order: str) -> str:
        return str((await self.customer.ask("GET", f"{OURS}/{order}")).json["state"])

    async def balance(self) -> str:
        return str((await self.customer.ask("GET", "/v1/balance")).json["balance"])

    async def told(self) -> list[str]:
        """Events of the outbox of notices, in order."""
        return [row["event"] for row in await self.ground.connection.fetch("SELECT event FROM notices ORDER BY 1")]

    async def is_sound(self) -> bool:
        verdicts = await check.run_proofs(self.ground.connection, frozenset(), 0, 0)
        return not any(each.failed for each in verdicts if each.promise == "P3")


@pytest_asyncio.fixture(loop_scope="module")
async def shop(shared_api: Api) -> Shop:
    return Shop(shared_api, await shared_api.sign_in("finance"), await shared_api.sign_in("finance"))


async def test_an_order_is_placed_paid_and_credited_and_everybody_is_told(shop: Shop) -> None:
    placed = await shop.place(headers={"Accept_Language": "fr"})
    assert placed.status == 201
    order = placed.json["id"]
    told = {"state": "placed", "phone": "+2290197000001", "payment": None, "ended_at": None, "reason": None}
    assert {name: placed.json[name] for name in told} == told
    assert {name: placed.json[name] for name in ("credits", "note", "reference")} == {
        name: ORDER[name] for name in ("credits", "note", "reference")
    }
    early = await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")
    assert (early.status, early.json["code"], early.json["state"]) == (409, "order_state", "placed")
    paid = await shop.awa.ask("POST", f"{THEIRS}/{order}/payment", PAID)
    assert paid.json["payment"] == PAID | {"amount": "655957.00"}
    move = await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")
    assert (move.status, move.json["state"], move.json["order_id"]) == (200, "applied", order)
    assert move.json["reason"] == f"credit order {order}, PO-9"
    assert (await shop.balance(), await shop.state(order)) == ("1500", "credited")
    again = await shop.ben.ask("POST", f"{THEIRS}/{order}/credit")
    assert (again.status, again.json["state"]) == (409, "credited")
    assert await shop.told() == ["order.credited", "order.paid", "order.placed"]
    actions = await shop.ground.connection.fetch("SELECT action, account_id FROM audit ORDER BY seq")
    whose = shop.ground.account_id
    assert [tuple(row) for row in actions] == [("credit_orders.paid", whose), ("credits.applied", whose)]
    assert await shop.is_sound()


async def test_the_house_and_the_customer_are_told_by_letter_and_sms(ground: Ground) -> None:
    await ground.connection.execute(NODE_LIVES)
    house = notices.Preferences(
        owner_kind="house", owner_id=0, language="en", emails=["ops@example.org"], phones=["2290197000009"]
    )
    await notices.save_preferences(ground.connection, house)
    async with mail_server() as server:
        mail = Mail(host="127.0.0.1", port=server.port, tls="none", sender="p@example.net")
        told = {"mail": mail, "notices": Notices(account="ours", sms_sender="ACME")}
        async with running_api(ground, msgspec.structs.replace(api_configuration(ground), **told)) as api:
            shop = Shop(api, await api.sign_in("finance"), await api.sign_in("finance"))
            order = (await shop.place(headers={"Accept_Language": "fr"})).json["id"]
            await server.got(1)
            assert (await shop.awa.ask("POST", f"{THEIRS}/{order}/payment", PAID)).status == 200
            assert (await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")).status == 200
            letters = [(letter["To"], letter["Content-Language"]) for letter in await server.got(3)]

            async def handsets() -> bool:
                rows = await ground.connection.fetch("SELECT destination_addr FROM messages")
                return sorted(row["destination_addr"] for row in rows) == ["2290197000001", "2290197000009"]

            await eventually(handsets, WITHIN_S, "both have an SMS")
    assert letters == [("ops@example.org", "en"), ("awa@example.com", "fr"), ("awa@example.com", "fr")]


async def test_a_large_order_needs_two_people(shop: Shop) -> None:
    order = await shop.paid(credits="50000")
    move = await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")
    assert (move.status, move.json["state"]) == (202, "proposed")
    path = f"/v1/admin/credits/{move.json['id']}/approve"
    assert (await shop.ben.ask("POST", f"{THEIRS}/{order}/credit")).json["code"] == "order_in_approval"
    assert (await shop.awa.ask("POST", path)).json["code"] == "second_person_needed"
    assert (await shop.balance(), await shop.state(order)) == ("1000", "paid")
    assert (await shop.ben.ask("POST", path)).json["state"] == "applied"
    assert (await shop.balance(), await shop.state(order)) == ("51000", "credited")
    assert await shop.told() == ["credit.waiting", "order.credited", "order.paid", "order.placed"]


async def test_what_changes_an_order_withdraws_what_was_proposed_for_it(shop: Shop) -> None:
    order = await shop.paid(credits="50000")
    first = (await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")).json["id"]
    corrected = await shop.ben.ask("POST", f"{THEIRS}/{order}/payment", PAID | {"amount": "1"})
    assert corrected.json["payment"]["amount"] == "1.00"
    assert (await shop.ben.ask("POST", f"/v1/admin/credits/{first}/approve")).json["state"] == "withdrawn"
    second = (await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")).json["id"]
    refused = await shop.ben.ask("POST", f"{THEIRS}/{order}/refuse", {"reason": "the transfer bounced"})
    assert (refused.json["state"], refused.json["reason"]) == ("refused", "the transfer bounced")
    assert (await shop.ben.ask("POST", f"/v1/admin/credits/{second}/approve")).json["code"] == "move_decided"
    assert (await shop.customer.ask("GET", f"{OURS}/{order}")).json["reason"] == "the transfer bounced"
    assert (await shop.balance(), "order.refused" in await shop.told()) == ("1000", True)


async def test_an_order_is_credited_once_however_many_do_it_at_once(shop: Shop) -> None:
    order = await shop.paid()
    askers = [(shop.awa, shop.ben)[number % 2] for number in range(60)]
    replies = await asyncio.gather(*(asker.ask("POST", f"{THEIRS}/{order}/credit") for asker in askers))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 59
    assert await shop.balance() == "1500"
    assert await shop.ground.value("SELECT count(*) FROM ledger WHERE reason LIKE 'credit order%'") == 1
    assert (await shop.told()).count("order.credited") == 1
    assert await shop.is_sound()


async def test_what_dies_between_credit_and_commit_leaves_nothing(shop: Shop) -> None:
    order = await shop.paid()
    audit = await asyncpg.connect(shop.ground.dsn)
    try:
        await audit.execute("BEGIN")
        await audit.execute("SELECT FROM audit_head FOR UPDATE")  # the last thing that a change writes waits here
        asking = asyncio.ensure_future(shop.awa.ask("POST", f"{THEIRS}/{order}/credit"))

        async def is_cut() -> bool:
            return bool(await shop.ground.connection.fetch(CUT))

        await eventually(is_cut, WITHIN_S, "the change has come to its audit row, and no further")
        assert (await asking).status == 503
    finally:
        await audit.close()
    assert (await shop.balance(), await shop.state(order)) == ("1000", "paid")
    assert await shop.told() == ["order.paid", "order.placed"]
    assert (await shop.awa.ask("POST", f"{THEIRS}/{order}/credit")).status == 200
    assert await shop.is_sound()


async def test_a_customer_cancels_what_he_has_not_paid(shop: Shop) -> None:
    open_order, paid = await shop.placed(), await shop.paid()
    cancelled = await shop.customer.ask("POST", f"{OURS}/{open_order}/cancel")
    assert (cancelled.status, cancelled.json["state"], cancelled.json["expires_at"]) == (200, "cancelled", None)
    for order, state in ((open_order, "cancelled"), (paid, "paid")):
        refused = await shop.customer.ask("POST", f"{OURS}/{order}/cancel")
        assert (refused.status, refused.json["code"], refused.json["state"]) == (409, "order_state", state)
    assert (await shop.awa.ask("POST", f"{THEIRS}/{open_order}/payment", PAID)).json["state"] == "cancelled"
    refused = await shop.awa.ask("POST", f"{THEIRS}/{open_order}/refuse", {"reason": "x"})
    assert (refused.status, refused.json["state"]) == (409, "cancelled")


async def test_what_nobody_pays_expires(shop: Shop) -> None:
    order = await shop.placed()
    await shop.ground.connection.execute("UPDATE credit_orders SET expires_at = now()")
    await shop.customer.service.writer.run(credit_clock.expire_once)
    assert await shop.state(order) == "expired"


async def test_what_waits_for_people_is_counted(shop: Shop) -> None:
    await shop.placed()
    await shop.paid()
    large = await shop.paid(credits="50000")
    assert (await shop.awa.ask("POST", f"{THEIRS}/{large}/credit")).status == 202
    waiting = await shop.customer.service.writer.read(count_waiting)
    assert waiting == {"order": 1, "payment": 2, "approval": 1}
    metrics = shop.customer.service.configuration.admin_api.metrics_listen

    async def is_told() -> bool:
        async with shop.customer.http.get(f"http://{metrics}/metrics") as page:
            return 'gw_credit_waiting{what="payment"}' in await page.text()

    await eventually(is_told, WITHIN_S, "the page tells it")


async def test_one_key_orders_once(shop: Shop) -> None:
    key = {"Idempotency_Key": "k1"}
    replies = await asyncio.gather(*(shop.place(headers=key) for _ in range(20)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    other = await shop.place(headers=key, credits="501")
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
    assert (await shop.told()).count("order.placed") == 1


async def test_an_account_has_so_many_open_orders_at_most(shop: Shop) -> None:
    replies = await asyncio.gather(*(shop.place() for _ in range(OPEN_ORDERS + 5)))
    assert sorted(reply.status for reply in replies) == [201] * OPEN_ORDERS + [409] * 5
    refused = await shop.place()
    assert (refused.json["code"], refused.json["limit"]) == ("too_many_orders", OPEN_ORDERS)


async def test_what_is_no_order_is_refused_field_by_field(shop: Shop) -> None:
    wrong = [
        ("credits", each) for each in ("0", "-5", "0.5", "NaN", "1e400", "1e3", "9" * 40, "1000000001", "0x1", 5, None)
    ]
    wrong += [("email", each) for each in ("x", "a@b", "a@b.c\nBcc: x@y.z", "a b@c.d", "a@b.c\0", "é@b.c", "a@b.c\n")]
    wrong += [("phone", each) for each in ("x", "12", "+", "+229 97 \0", "1" * 40)]
    wrong += [("contact_name", each) for each in ("", " ", "A\nB", "A\0", "x" * 101, None)]
    wrong += [("note", "a\0b"), ("note", "x" * 1001), ("reference", "a\r\nb"), ("more", 1)]
    for name, value in wrong:
        reply = await shop.place(**{name: value})
        assert (reply.status, reply.json["code"]) == (400, "invalid_request"), (name, value)
        assert {fault["loc"][1] for fault in reply.json["errors"]} == {name}, (name, value)
    nobody = await shop.place(email=None, phone=None)
    assert [fault["loc"] for fault in nobody.json["errors"]] == [["body", "email"]]
    assert await shop.ground.count("credit_orders") == 0


async def test_what_is_no_payment_is_refused_field_by_field(shop: Shop) -> None:
    order = await shop.placed()
    wrong: list[tuple[str, Any]] = [("amount", each) for each in ("-1", "NaN", "1e400", "1.001", "9" * 16, "", 5)]
    wrong += [("currency", "xof"), ("currency", "XOFF"), ("paid_on", "2026-02-30"), ("paid_on", "yesterday")]
    wrong += [("method", ""), ("method", "a\0"), ("reference", "a\nb"), ("more", 1)]
    for name, value in wrong:
        reply = await shop.awa.ask("POST", f"{THEIRS}/{order}/payment", PAID | {name: value})
        assert (reply.status, reply.json["code"]) == (400, "invalid_request"), (name, value)
        assert {fault["loc"][1] for fault in reply.json["errors"]} == {name}, (name, value)
    assert await shop.state(order) == "placed"


async def test_another_account_s_order_is_unknown(shop: Shop) -> None:
    order = await shop.placed()
    other_id = await facts.add_account(shop.ground.connection, "other", 0, None)
    assert other_id is not None
    await eventually(lambda: other_id in shop.customer.service.book.accounts, WITHIN_S, "the account is known")
    other = dataclasses.replace(shop.customer, key=await shop.customer.give_key(account_id=other_id))
    for number in (order, "0", "x", "-1", "9" * 18, "9" * 30, "١"):
        assert (await other.ask("GET", f"{OURS}/{number}")).status == 404, number
        assert (await other.ask("POST", f"{OURS}/{number}/cancel")).status == 404, number
    assert (await other.ask("GET", OURS)).json == {"orders": [], "next_cursor": None}
    reseller = await shop.customer.sign_in("reseller", account_id=other_id)
    assert (await reseller.ask("GET", f"{THEIRS}/{order}")).status == 404
    assert (await reseller.ask("GET", THEIRS)).json["orders"] == []
    assert await shop.state(order) == "placed"


async def test_lists_come_in_pages_and_by_state(shop: Shop) -> None:
    orders = [await shop.placed() for _ in range(3)]
    await shop.customer.ask("POST", f"{OURS}/{orders[0]}/cancel")
    whose = shop.ground.account_id
    for who, path in ((shop.customer, f"{OURS}?limit=2"), (shop.awa, f"{THEIRS}?limit=2&account_id={whose}")):
        first = (await who.ask("GET", path)).json
        second = (await who.ask("GET", f"{path}&cursor={first['next_cursor']}")).json
        assert [each["id"] for page in (first, second) for each in page["orders"]] == orders[::-1]
        cancelled = (await who.ask("GET", f"{path}&state=cancelled")).json["orders"]
        assert [each["id"] for each in cancelled] == orders[:1]
        assert (await who.ask("GET", f"{path}&state=paid&cursor={first['next_cursor']}")).status == 400
    shown = (await shop.awa.ask("GET", f"{THEIRS}/{orders[0]}")).json
    assert (shown["account"], shown["ended_by"]) == ("ours", f"key {shop.customer.key.split('_')[1]}")


async def test_who_only_reads_changes_no_order(shop: Shop) -> None:
    order = await shop.placed()
    eve = await shop.customer.sign_in("read_only")
    for act, body in (("payment", PAID), ("credit", None), ("refuse", {"reason": "x"})):
        reply = await eve.ask("POST", f"{THEIRS}/{order}/{act}", body)
        assert (reply.status, reply.json["code"]) == (403, "permission_missing"), act
    assert (await eve.ask("GET", f"{THEIRS}/{order}")).status == 200
    key = dataclasses.replace(shop.customer, key=await shop.customer.give_key(scopes=["money:read"]))
    assert (await key.ask("POST", OURS, ORDER)).json["code"] == "scope_missing"
