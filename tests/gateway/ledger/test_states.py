"""Orders and moves of credit in every state, and every event on them: rows do what the two tables say, nothing else.

What must not enter: who may cause an event (tests/admin_api).
"""

from __future__ import annotations

import asyncpg
import pytest

from gateway.ledger import move_states, moves, order_states, orders
from gateway.storage import credit_moves, credit_orders
from tests.gateway.ledger.rows import ONE_CREDIT, SOMEBODY, Books, payment

INSERTED = """
INSERT INTO credit_moves (account_id, kind, amount_micros, order_id, reason, weight_micros, alone, proposed_by,
                          expires_at, idempotency_key, body_hash)
VALUES ($1, 'top_up', $2, $3, 'x', 0, true, 'x', now(), '', '')
"""


async def test_an_order_moves_as_its_table_says(books: Books) -> None:
    found = {}
    for state in order_states.STATES:
        for event in order_states.EVENTS:
            order_id = await books.order_in(state, expired=event == "expire")
            async with books.connection.transaction():
                await cause_on_order(books, order_id, event)
            after = await books.state_of("credit_orders", "order_id", order_id)
            if after != state or (state, event) in order_states.MOVES:
                found[state, event] = after

    assert found == order_states.MOVES
    assert await books.is_balanced()


async def cause_on_order(books: Books, order_id: int, event: str) -> None:
    connection = books.connection
    order = await credit_orders.find_order(connection, order_id, None)
    assert order is not None
    if event == "pay":
        await orders.pay(connection, order, payment(), SOMEBODY)
    elif event == "credit":
        await orders.credit(connection, order, books.credit_of(order))
    elif event == "refuse":
        await orders.refuse(connection, order, SOMEBODY, "no")
    elif event == "cancel":
        await orders.cancel(connection, order_id, "key")
    else:
        await orders.expire(connection)


async def test_a_move_moves_as_its_table_says(books: Books) -> None:
    found = {}
    for state in move_states.STATES:
        for event in move_states.EVENTS:
            move_id = await books.move_in(state, expired=event == "expire")
            async with books.connection.transaction():
                await cause_on_move(books, move_id, event)
            after = await books.state_of("credit_moves", "move_id", move_id)
            if after != state or (state, event) in move_states.MOVES:
                found[state, event] = after

    assert found == move_states.MOVES
    assert await books.is_balanced()


async def cause_on_move(books: Books, move_id: int, event: str) -> None:
    connection = books.connection
    move = await credit_moves.find_move(connection, move_id, None)
    assert move is not None
    if event == "approve":
        await moves.approve(connection, move_id, (2, "second"))
    elif event == "decline":
        await moves.end(connection, move, "decline", (2, "second"), "no")
    elif event == "withdraw":
        await moves.end(connection, move, "withdraw", SOMEBODY)
    else:
        await moves.expire(connection)


async def test_the_database_credits_an_order_once_whoever_writes_it(books: Books) -> None:
    order_id = await books.order_in("credited")
    order = await credit_orders.find_order(books.connection, order_id, None)
    assert order is not None
    again = books.credit_of(order)

    assert await orders.credit(books.connection, order, again) == "order_not_paid"
    assert await credit_moves.propose_move(books.connection, again) is None
    with pytest.raises(asyncpg.UniqueViolationError, match="order_is_credited_once"):
        await books.connection.execute(INSERTED, books.account_id, ONE_CREDIT, order_id)
