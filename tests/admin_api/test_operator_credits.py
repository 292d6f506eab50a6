"""Operators move credit: what one person may do alone, four eyes above it, once whatever is repeated; and resellers.

What must not enter: customers' orders (test_credit_orders.py), the function that moves (tests/gateway/ledger).
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest_asyncio

from admin_api import credit_clock
from admin_api.routes_credits import CREDITS
from gateway.storage import check, facts
from gateway.storage.audit import check_chain
from tests.admin_api.conftest import Api, Reply
from tests.gateway.conftest import Ground

LARGE = "50000"  # credits: beyond what one person moves alone
RACERS = 200
MOVES = "/v1/admin/credits"


@dataclasses.dataclass
class House:
    """A living API and people who are signed in; the account has 1000 credits."""

    customer: Api
    awa: Api  # finance
    ben: Api  # finance
    eve: Api  # read_only

    @property
    def ground(self) -> Ground:
        return self.customer.ground

    def body(self, **given: Any) -> dict[str, Any]:
        account_id = str(self.ground.account_id)
        return {"account_id": account_id, "kind": "top_up", "credits": "5", "reason": "paid in cash"} | given

    async def move(self, who: Api | None = None, headers: dict[str, str] | None = None, **given: Any) -> Reply:
        return await (who or self.awa).ask("POST", MOVES, self.body(**given), **headers or {})

    async def proposed(self, **given: Any) -> str:
        """The path of a move that waits for a second person."""
        reply = await self.move(**{"credits": LARGE, **given})
        assert (reply.status, reply.json["state"]) == (202, "proposed"), reply.text
        return f"{MOVES}/{reply.json['id']}"

    async def balance(self, account_id: int = 0) -> str:
        path = f"/v1/admin/accounts/{account_id or self.ground.account_id}/balance"
        return str((await self.eve.ask("GET", path)).json["balance"])

    async def is_sound(self) -> bool:
        """`passerelle check` of the money, and the audit log's chain."""
        verdicts = await check.run_proofs(self.ground.connection, frozenset(), 0, 0)
        chain = await check_chain(self.ground.connection)
        return not any(each.failed for each in verdicts if each.promise == "P3") and not chain.faults

    async def actions(self) -> list[str]:
        rows = await self.ground.connection.fetch("SELECT action FROM audit ORDER BY seq")
        return [row["action"] for row in rows]


@pytest_asyncio.fixture(loop_scope="module")
async def house(shared_api: Api) -> House:
    return House(
        shared_api,
        await shared_api.sign_in("finance"),
        await shared_api.sign_in("finance"),
        await shared_api.sign_in("read_only"),
    )


async def test_small_moves_are_made_at_once_and_stand_in_the_ledger(house: House) -> None:
    for kind, credits in (("top_up", "10.5"), ("adjustment", "-0.5"), ("refund", "10"), ("credit_limit", "20")):
        reply = await house.move(kind=kind, credits=credits)
        assert (reply.status, reply.json["state"]) == (201, "applied"), reply.text

    path = f"/v1/admin/accounts/{house.ground.account_id}"
    assert (await house.eve.ask("GET", f"{path}/balance")).json == {
        "balance": "1000",
        "credit_limit": "20",
        "available": "1020",
        "currency": "credit",
    }
    postings = (await house.eve.ask("GET", f"{path}/ledger?limit=3")).json
    told = [(each["kind"], each["to_purse"], each["amount"], each["reason"]) for each in postings["postings"]]
    reason = "paid in cash"
    assert told == [
        ("refund", "funding", "10", reason),
        ("adjustment", "funding", "0.5", reason),
        ("top_up", "available", "10.5", reason),
    ]
    rest = (await house.eve.ask("GET", f"{path}/ledger?cursor={postings['next_cursor']}")).json
    assert [each["amount"] for each in rest["postings"]] == ["1000"]
    assert await house.actions() == ["credits.applied"] * 4
    assert await house.is_sound()


async def test_a_large_move_waits_for_somebody_else(house: House) -> None:
    path = await house.proposed()
    own = await house.awa.ask("POST", f"{path}/approve")
    assert (own.status, own.json["code"]) == (403, "second_person_needed")
    assert (await house.awa.ask("POST", f"{path}/decline", {"reason": "x"})).json["code"] == "second_person_needed"
    assert (await house.ben.ask("POST", f"{path}/withdraw")).json["code"] == "not_own_proposal"
    assert await house.balance() == "1000"
    approved = await house.ben.ask("POST", f"{path}/approve")
    assert (approved.status, approved.json["state"]) == (200, "applied")
    assert approved.json["proposed_by"] != approved.json["decided_by"]
    assert await house.balance() == "51000"
    again = await house.ben.ask("POST", f"{path}/approve")
    assert (again.status, again.json["code"], again.json["state"]) == (409, "move_decided", "applied")
    assert await house.actions() == ["credits.proposed", "credits.approved"]
    assert await house.is_sound()


async def test_a_proposal_is_declined_withdrawn_or_expires_and_moves_nothing(house: House) -> None:
    declined = await house.proposed()
    reply = await house.ben.ask("POST", f"{declined}/decline", {"reason": "who asked for this?"})
    assert (reply.json["state"], reply.json["decision"]) == ("declined", "who asked for this?")
    withdrawn = await house.proposed()
    assert (await house.awa.ask("POST", f"{withdrawn}/withdraw")).json["state"] == "withdrawn"
    late = await house.proposed()
    await house.ground.connection.execute("UPDATE credit_moves SET expires_at = now() WHERE state = 'proposed'")
    reply = await house.ben.ask("POST", f"{late}/approve")
    assert (reply.json["code"], reply.json["state"]) == ("move_decided", "expired")
    assert await house.customer.service.writer.run(credit_clock.expire_once) == 1
    for path in (declined, withdrawn, late):
        assert (await house.ben.ask("POST", f"{path}/approve")).status == 409
    page = (await house.eve.ask("GET", MOVES)).json["moves"]
    assert [each["state"] for each in page] == ["expired", "withdrawn", "declined"]
    assert await house.balance() == "1000"


async def test_two_hundred_approvals_at_once_move_the_money_once(house: House) -> None:
    path = await house.proposed()
    carol = await house.customer.sign_in("superadmin")
    askers = [(house.ben, carol)[number % 2] for number in range(RACERS)]
    replies = await asyncio.gather(*(asker.ask("POST", f"{path}/approve") for asker in askers))

    assert sorted(reply.status for reply in replies) == [200] + [409] * (RACERS - 1)
    assert await house.balance() == "51000"
    assert await house.ground.count("ledger") == 2
    assert await house.is_sound()


async def test_sends_and_refunds_at_once_never_spend_the_same_credit(house: House) -> None:
    sends = [house.customer.send(to=f"+22901970{number:05d}") for number in range(100)]
    refunds = [house.move(kind="refund", credits="190") for _ in range(10)]
    statuses = [reply.status for reply in await asyncio.gather(*refunds, *sends)]
    sent, refunded = statuses.count(202), statuses.count(201)
    assert statuses.count(402) == len(statuses) - sent - refunded
    assert await house.balance() == str(1000 - refunded * 190 - sent)
    assert (refunded, sent) in {(5, 50), (4, 100)}, "whoever came first, all that was there was given, and no more"
    assert await house.is_sound()


async def test_what_is_cut_into_small_pieces_is_large_all_the_same(house: House) -> None:
    replies = await asyncio.gather(*(house.move(credits="3000") for _ in range(10)))
    assert sorted(reply.status for reply in replies) == [201] * 3 + [202] * 7
    assert await house.balance() == "10000"


async def test_one_key_moves_once(house: House) -> None:
    key = {"Idempotency_Key": "k1"}
    replies = await asyncio.gather(*(house.move(headers=key) for _ in range(20)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum("Idempotent-Replayed" in reply.headers for reply in replies) == 19
    other = await house.move(headers=key, credits="6")
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
    assert (await house.move(house.ben, headers=key)).status == 201, "another person's key is another"
    assert await house.balance() == "1010"


NO_AMOUNTS = ("-5", "", " ", "NaN", "Infinity", "1e400", "1e3", "0x10", "1,5", "1.0000001", "٥", "9" * 40, "1000000001")


async def test_an_amount_that_is_none_is_refused(house: House) -> None:
    kinds = ("top_up", "refund", "credit_limit")
    asked = [(kind, credits) for credits in NO_AMOUNTS for kind in kinds] + [("adjustment", "0"), ("top_up", "0")]
    for kind, credits in asked:
        reply = await house.move(kind=kind, credits=credits)
        assert (reply.status, reply.json["code"]) == (400, "invalid_request"), (kind, credits)
        assert [fault["loc"] for fault in reply.json["errors"]] == [["body", "credits"]]
    for octets in (b'{"credits": 5}', b'{"credits": 1e400}', b'{"credits": NaN}', b'{"credits": null}'):
        assert (await house.awa.ask("POST", MOVES, octets)).status == 400, octets
    assert await house.ground.count("credit_moves") == 0


async def test_all_faults_are_told_at_once(house: House) -> None:
    reply = await house.move(account_id="x", kind="gift", credits="5", reason="", more=1)
    assert {tuple(fault["loc"]) for fault in reply.json["errors"]} == {
        ("body", name) for name in ("account_id", "kind", "reason", "more")
    }
    french = await house.move(credits="x", reason="a\nb\0")
    assert {fault["loc"][1] for fault in french.json["errors"]} == {"credits", "reason"}


async def test_what_cannot_be_is_refused_and_undone(house: House) -> None:
    assert (await house.move(kind="refund", credits="1001")).json["code"] == "insufficient_credit"
    down = await house.move(kind="refund", credits=LARGE)
    assert down.status == 202
    path = f"{MOVES}/{down.json['id']}/approve"
    assert (await house.ben.ask("POST", path)).json["code"] == "insufficient_credit"
    assert (await house.move(account_id="999999999")).json["code"] == "not_found"
    await house.ground.connection.execute("UPDATE accounts SET state = 'closed'")
    assert (await house.move()).json["code"] == "account_closed"
    assert await house.actions() == ["credits.proposed"]
    assert await house.ground.count("ledger") == 1


async def test_who_only_reads_moves_nothing(house: House) -> None:
    for role in ("read_only", "support", "operator", "reseller"):
        who = await house.customer.sign_in(role, account_id=house.ground.account_id if role == "reseller" else None)
        for route in CREDITS:
            if route.method != "GET" and route.permission != "credits.transfer":
                reply = await who.ask(route.method, route.path.replace("{id}", "1"), {} if route.body else None)
                assert (reply.status, reply.json["code"]) == (403, "permission_missing"), (role, route.path)
        assert (await who.ask("GET", MOVES)).status == 200


async def test_a_customer_s_key_is_no_operator(house: House) -> None:
    for route in CREDITS:
        reply = await house.customer.ask(route.method, route.path.replace("{id}", "1"), {} if route.body else None)
        assert reply.status == 401, route.path


async def test_what_never_was_is_not_found(house: House) -> None:
    for number in ("0", "x", "-1", "9" * 18, "9" * 30, "١"):
        account = f"/v1/admin/accounts/{number}"
        for path in (f"{MOVES}/{number}", f"{account}/balance", f"{account}/ledger"):
            assert (await house.eve.ask("GET", path)).status == 404, path
        assert (await house.ben.ask("POST", f"{MOVES}/{number}/approve")).status == 404


# ---------------------------------------------------------------- resellers


async def below(house: House, name: str, parent_id: int | None) -> int:
    account_id = await facts.add_account(house.ground.connection, name, 0, None)
    assert account_id is not None
    query = "UPDATE accounts SET parent_account_id = $2 WHERE account_id = $1"
    await house.ground.connection.execute(query, account_id, parent_id)
    return account_id


async def test_a_reseller_gives_of_his_own_balance_to_accounts_below_his(house: House) -> None:
    own = house.ground.account_id
    child = await below(house, "child", own)
    grandchild, stranger = await below(house, "grandchild", child), await below(house, "stranger", None)
    await house.ground.connection.execute("UPDATE accounts SET credit_limit_micros = 1000000000000")
    reseller = await house.customer.sign_in("reseller", account_id=own)

    async def give(account_id: int, credits: str, **headers: str) -> Reply:
        body = {"account_id": str(account_id), "credits": credits, "reason": "resold"}
        return await reseller.ask("POST", "/v1/admin/transfers", body, **headers)

    assert (await give(child, "600")).json["state"] == "applied", "his own credit needs no second person"
    assert (await give(grandchild, "400", Idempotency_Key="k")).status == 201
    assert (await give(grandchild, "400", Idempotency_Key="k")).headers["Idempotent-Replayed"] == "true"
    assert (await give(child, "0.000001")).json["code"] == "insufficient_credit", "no limit is given away"
    for other in (stranger, own, 999_999_999):
        assert (await give(other, "1")).json["code"] == "not_found"
    seen = (await reseller.ask("GET", MOVES)).json["moves"]
    assert [(each["account"], each["payer"]) for each in seen] == [("grandchild", "ours"), ("child", "ours")]
    assert [await house.balance(each) for each in (own, child, grandchild, stranger)] == ["0", "600", "400", "0"]
    assert await house.is_sound()
    hidden = await house.move(account_id=str(stranger))
    assert (await reseller.ask("GET", f"{MOVES}/{hidden.json['id']}")).status == 404
    assert (await reseller.ask("GET", f"/v1/admin/accounts/{stranger}/ledger")).status == 404
    assert (await reseller.ask("GET", f"/v1/admin/accounts/{child}/ledger")).status == 200
    assert (await house.awa.ask("POST", "/v1/admin/transfers", {})).json["code"] == "permission_missing"


async def test_transfers_at_once_give_no_more_than_there_is(house: House) -> None:
    own = house.ground.account_id
    child = await below(house, "child", own)
    reseller = await house.customer.sign_in("reseller", account_id=own)
    body = {"account_id": str(child), "credits": "100", "reason": "resold"}
    replies = await asyncio.gather(*(reseller.ask("POST", "/v1/admin/transfers", body) for _ in range(40)))
    assert sorted(reply.status for reply in replies) == [201] * 10 + [402] * 30
    assert (await house.balance(), await house.balance(child)) == ("0", "1000")
    assert await house.is_sound()
