"""`passerelle credit-order`: orders listed, shown, credited once with their payment, refused with a reason.

What must not enter: the table of states (tests/gateway/ledger), HTTP (tests/admin_api).
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from gateway.ledger import orders
from gateway.storage.audit import check_chain
from gateway.storage.credit_orders import NewOrder
from tests.gateway.command_line.conftest import Passerelle

PAID = ("--method", "cash", "--amount", "32500", "--currency", "XOF", "--paid-on", "2026-01-31", "--reference", "R1")


@pytest.fixture
def ordered(passerelle: Passerelle, database: str) -> Passerelle:
    """Account acme with the orders 1 and 2, of 500 credits each."""
    passerelle("account", "add", "acme")

    async def place(connection: asyncpg.Connection) -> None:
        account_id = await connection.fetchval("SELECT account_id FROM accounts")
        contact = ("Awa", "awa@example.com", "2290197000001", "", "PO-9", "fr")
        for _ in range(2):
            await orders.place(connection, NewOrder(account_id, 500_000_000, *contact, "", b"", 30))

    run(database, place)
    return passerelle


def run(database: str, work: Any) -> Any:
    async def connected() -> Any:
        connection = await asyncpg.connect(database)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def test_an_order_is_paid_and_credited_once(ordered: Passerelle, database: str) -> None:
    unpaid = ordered("credit-order", "credit", "1")
    assert (unpaid.code, "no payment is recorded" in unpaid.err) == (1, True)
    done = ordered("credit-order", "credit", "1", *PAID, "--lang", "fr")
    assert "commande 1 : 500 crédits pour le compte acme" in done.out
    again = ordered("credit-order", "credit", "1", *PAID)
    assert (again.code, "order not paid" in again.err) == (1, True)
    shown = ordered("credit-order", "show", "1", "--json").json
    told = {"state": "credited", "paid": "32500.00 XOF", "payment_reference": "R1", "paid_on": "2026-01-31"}
    assert {name: shown[name] for name in told} == told
    (account,) = ordered("account", "list", "--json").json
    assert account["balance"] == "500"

    async def chained(connection: asyncpg.Connection) -> tuple[list[str], int]:
        rows = await connection.fetch("SELECT action FROM audit")
        return [row["action"] for row in rows], len((await check_chain(connection)).faults)

    assert run(database, chained) == (["credit_orders.credited"], 0)


def test_an_order_is_refused_and_both_are_listed(ordered: Passerelle) -> None:
    assert ordered("credit-order", "refuse", "2", "--reason", "twice").code == 0
    again = ordered("credit-order", "refuse", "2", "--reason", "twice", "--lang", "fr")
    assert (again.code, "commande 2" in again.err) == (1, True)
    states = [row["state"] for row in ordered("credit-order", "list", "--account", "acme", "--json").json]
    assert states == ["refused", "placed"]
    (one,) = ordered("credit-order", "list", "--state", "refused", "--limit", "1", "--json").json
    assert (one["order_id"], one["reason"]) == (2, "twice")


def test_a_wrong_word_is_refused_and_nothing_changes(ordered: Passerelle) -> None:
    wrong: list[tuple[str, ...]] = [("show", "3"), ("list", "--state", "gone"), ("refuse", "1", "--reason", " ")]
    for amount in ("NaN", "1e400", "-1", "0.001", "x"):
        wrong.append(("credit", "1", "--method", "cash", "--amount", amount, "--currency", "XOF"))
    wrong.append(("credit", "1", "--method", "cash", "--amount", "1", "--currency", "xof"))
    wrong.append(("credit", "1", *PAID, "--paid-on", "2026-02-30"))
    wrong.append(("credit", "1", *PAID, "--reference", "a\nb"))
    for words in wrong:
        assert ordered("credit-order", *words).code == 1, words
    assert [row["state"] for row in ordered("credit-order", "list", "--json").json] == ["placed", "placed"]
