"""Moves of credit: what one person may do alone, what needs a second one, and what the ledger has of it afterwards.

What must not enter: HTTP (tests/admin_api/test_operator_credits.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from gateway.ledger import moves
from gateway.ledger.moves import Asked
from gateway.storage import facts
from gateway.storage.credit_moves import MoveRow, NewMove, apply_move
from tests.gateway.ledger.rows import ONE_CREDIT, SOMEBODY, Books

RACERS = 20
HIGHEST = 4_000_000_000_000_000_000  # apply_credit_move: `most`


async def ask(books: Books, **given: Any) -> MoveRow:
    async with books.connection.transaction():
        asked = await moves.ask(books.connection, books.new_move(**given))
    assert isinstance(asked, Asked), asked
    return asked.move


async def refusal(books: Books, **given: Any) -> object:
    """What becomes of a move that one person may do alone; undone as its caller does."""
    transaction = books.connection.transaction()
    await transaction.start()
    answer = await moves.ask(books.connection, books.new_move(whole_alone=True, **given))
    await transaction.rollback()
    return answer


async def test_each_kind_has_its_posting_and_the_books_are_balanced(books: Books) -> None:
    for kind, micros in (("top_up", 9), ("adjustment", 3), ("adjustment", -4), ("refund", -5), ("credit_limit", 7)):
        move = await ask(books, kind=kind, amount_micros=micros, whole_alone=True)
        assert (move.state, move.posting_id is None) == ("applied", kind == "credit_limit")

    assert await books.postings() == [
        ("top_up", "available", 9),
        ("adjustment", "available", 3),
        ("adjustment", "funding", 4),
        ("refund", "funding", 5),
    ]
    limit = await books.connection.fetchval("SELECT credit_limit_micros FROM accounts")
    assert (await books.balance(), limit) == (3, 7)
    assert await books.is_balanced()


async def test_one_person_moves_so_much_alone_in_a_day_however_it_is_cut(books: Books) -> None:
    day = {"alone_up_to_micros": 10}
    states = [(await ask(books, amount_micros=micros, **day)).state for micros in (6, 4, 1)]
    assert states == ["applied", "applied", "proposed"], "ten in all, and what goes beyond them"
    assert (await ask(books, kind="adjustment", amount_micros=-1, **day)).state == "proposed", "downwards, too"
    assert (await ask(books, kind="credit_limit", amount_micros=1, **day)).state == "proposed", "a limit is money"
    other = await ask(books, amount_micros=10, proposed_by_id=2, proposed_by="second", **day)
    assert other.state == "applied", "another person has a day of his own"
    await books.connection.execute("UPDATE credit_moves SET proposed_at = now() - interval '25 hours'")
    assert (await ask(books, amount_micros=10, **day)).state == "applied", "and tomorrow is another day"


async def test_a_limit_that_falls_weighs_nothing(books: Books) -> None:
    await ask(books, kind="credit_limit", amount_micros=5, whole_alone=True)
    assert (await ask(books, kind="credit_limit", amount_micros=0)).state == "applied"


async def test_nothing_moves_until_a_second_person_approves(books: Books) -> None:
    move = await ask(books)
    assert (move.state, await books.balance()) == ("proposed", 0)
    assert await moves.approve(books.connection, move.move_id, SOMEBODY) == "same_person"
    assert await moves.approve(books.connection, move.move_id, (None, "command line")) == "same_person"
    assert await moves.end(books.connection, move, "decline", SOMEBODY, "no") == "same_person"
    assert await moves.end(books.connection, move, "withdraw", (2, "second")) == "same_person"
    assert await books.balance() == 0
    assert await moves.approve(books.connection, move.move_id, (2, "second")) is None
    assert await moves.approve(books.connection, move.move_id, (3, "third")) == "not_proposed"
    assert (await books.balance(), await books.postings()) == (ONE_CREDIT, [("top_up", "available", ONE_CREDIT)])
    done = await books.move(move.move_id)
    assert (done.decided_by, done.proposed_by) == ("second", "somebody")
    events = await books.connection.fetch("SELECT event, account_id FROM notices")
    assert [tuple(row) for row in events] == [("credit.waiting", books.account_id)]


async def test_a_proposal_past_its_time_moves_nothing_also_before_anybody_looked(books: Books) -> None:
    move = await ask(books)
    await books.connection.execute("UPDATE credit_moves SET expires_at = now()")
    assert await moves.approve(books.connection, move.move_id, (2, "second")) == "expired"
    assert await books.balance() == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "refund", "amount_micros": -11}, "insufficient_credit"),
        ({"kind": "adjustment", "amount_micros": -11}, "insufficient_credit"),
        ({"amount_micros": HIGHEST}, "balance_too_high"),
        ({"kind": "credit_limit", "amount_micros": HIGHEST + 1}, "balance_too_high"),
        ({"account_id": 999_999}, "account_unknown"),
    ],
)
async def test_what_cannot_be_moved_is_refused_by_a_word(books: Books, given: dict[str, Any], why: str) -> None:
    await ask(books, amount_micros=10, whole_alone=True)
    assert await refusal(books, **given) == why
    assert (await books.balance(), len(await books.postings())) == (10, 1)


async def test_an_account_goes_down_to_its_limit_and_no_further(books: Books) -> None:
    await ask(books, kind="credit_limit", amount_micros=10, whole_alone=True)
    await ask(books, kind="adjustment", amount_micros=-10, whole_alone=True)
    assert await refusal(books, kind="adjustment", amount_micros=-1) == "insufficient_credit"
    assert await refusal(books, kind="credit_limit", amount_micros=9) == "insufficient_credit"
    assert await books.is_balanced()


async def test_a_closed_account_is_given_nothing_and_may_be_refunded(books: Books) -> None:
    await ask(books, amount_micros=10, whole_alone=True)
    await books.connection.execute("UPDATE accounts SET state = 'closed'")
    assert await refusal(books) == "account_closed"
    assert (await ask(books, kind="refund", amount_micros=-10, whole_alone=True)).state == "applied"


async def test_a_transfer_takes_from_its_payer_what_it_gives(books: Books) -> None:
    below = await facts.add_account(books.connection, "below", 0, None)
    assert below is not None
    await ask(books, amount_micros=10, whole_alone=True)
    await ask(books, kind="credit_limit", amount_micros=100, whole_alone=True)
    given: dict[str, Any] = {"kind": "transfer", "account_id": below, "payer_id": books.account_id}
    move = await ask(books, amount_micros=4, **given)
    assert (move.state, move.payer) == ("applied", "ours"), "his own credit needs nobody else"
    assert (await books.balance(), await books.balance(below)) == (6, 4)
    assert (await books.postings())[1:] == [("top_up", "available", 4), ("adjustment", "funding", 4)]
    assert await refusal(books, amount_micros=7, **given) == "insufficient_credit", "of the balance, never the limit"
    await books.connection.execute("UPDATE accounts SET state = 'suspended' WHERE account_id = $1", books.account_id)
    assert await refusal(books, amount_micros=1, **given) == "payer_not_active"
    assert await books.is_balanced()


async def test_transfers_both_ways_at_once_wait_for_each_other_and_lose_nothing(books: Books, database: str) -> None:
    other = await facts.add_account(books.connection, "other", 0, None)
    assert other is not None
    for account_id in (books.account_id, other):
        await ask(books, account_id=account_id, amount_micros=100, whole_alone=True)

    async def give(number: int) -> None:
        payer, payee = (books.account_id, other) if number % 2 else (other, books.account_id)
        connection = await asyncpg.connect(database)
        try:
            async with connection.transaction():
                by = {"proposed_by_id": number + 10, "proposed_by": "r"}
                new = books.new_move(kind="transfer", account_id=payee, payer_id=payer, amount_micros=3, **by)
                assert isinstance(await moves.ask(connection, new), Asked)
        finally:
            await connection.close()

    await asyncio.gather(*(give(number) for number in range(RACERS)))
    assert (await books.balance(), await books.balance(other)) == (100, 100)
    assert await books.is_balanced()


async def test_one_key_moves_once_whoever_races(books: Books, database: str) -> None:
    async def once(connection: asyncpg.Connection, new: NewMove) -> object:
        async with connection.transaction():
            return await moves.ask(connection, new)

    connections = [await asyncpg.connect(database) for _ in range(RACERS)]
    try:
        new = books.new_move(idempotency_key="k", whole_alone=True, body_hash=b"1")
        asked = await asyncio.gather(*(once(connection, new) for connection in connections))
        assert sorted(each.replayed for each in asked if isinstance(each, Asked)) == [False] + [True] * (RACERS - 1)
        other = books.new_move(idempotency_key="k", whole_alone=True, body_hash=b"2")
        assert await once(connections[0], other) == "key_mismatch"
        assert await books.balance() == ONE_CREDIT
    finally:
        for connection in connections:
            await connection.close()


# ---------------------------------------------------------------- what the roles of the API may do


@pytest.mark.parametrize("role", ["passerelle_api", "passerelle_operators"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credit_moves SET state = 'applied'",
        "UPDATE credit_moves SET amount_micros = 1",
        "UPDATE credit_moves SET posting_id = 1",
        "UPDATE credit_orders SET state = 'credited'",
        "UPDATE credit_orders SET amount_micros = 1",
        "UPDATE accounts SET credit_limit_micros = 1",
        "UPDATE accounts SET balance_micros = balance_micros + 1",
        "INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)"
        " SELECT account_id, 'top_up', 'funding', 'available', 1 FROM accounts",
        "DELETE FROM credit_moves",
        "DELETE FROM credit_orders",
    ],
)
async def test_no_role_of_the_api_gives_credit_but_by_the_function(books: Books, role: str, statement: str) -> None:
    await books.move_in("proposed")
    await books.order_in("placed")
    await books.connection.execute(f"SET ROLE {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await books.connection.execute(statement)


async def test_the_function_is_the_operators_and_asks_for_a_second_person_itself(books: Books) -> None:
    move_id = await books.move_in("proposed")
    await books.connection.execute("SET ROLE passerelle_operators")
    assert await apply_move(books.connection, move_id, *SOMEBODY) == "same_person"
    await books.connection.execute("RESET ROLE; SET ROLE passerelle_api")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await apply_move(books.connection, move_id, 2, "second")
    await books.connection.execute("RESET ROLE; SET ROLE passerelle_operators")
    assert await apply_move(books.connection, move_id, 2, "second") == "applied"


async def test_what_ended_stays_as_it_is_for_the_operators_role(books: Books) -> None:
    for state in ("applied", "declined", "withdrawn", "expired"):
        move_id = await books.move_in(state)
        await books.connection.execute("SET ROLE passerelle_operators")
        assert await books.connection.execute("UPDATE credit_moves SET state = 'proposed'") == "UPDATE 0"
        await books.connection.execute("RESET ROLE")
        assert (await books.move(move_id)).state == state
