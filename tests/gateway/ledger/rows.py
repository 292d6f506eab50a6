"""Accounts, orders and moves as rows of a real database, in the state a test wants; and whether the books are balanced.

What must not enter: what a test is about; doubles of our own classes.
"""

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg

from gateway.ledger import moves, orders
from gateway.storage import check, credit_moves, credit_orders, facts
from gateway.storage.credit_moves import NewMove
from gateway.storage.credit_orders import NewOrder, OrderRow, Payment

ONE_CREDIT: Final = 1_000_000
SOMEBODY: Final = (1, "somebody")


def payment() -> Payment:
    """In cash."""
    return Payment("cash", "R-1", Decimal("655957.00"), "XOF", datetime.date(2026, 1, 31))


@dataclasses.dataclass
class Books:
    """One account, and short words for its orders and moves."""

    connection: asyncpg.Connection
    account_id: int

    def new_order(self, **given: Any) -> NewOrder:
        fields: dict[str, Any] = {"amount_micros": ONE_CREDIT, "contact_name": "Awa", "email": "awa@example.com"}
        fields |= {"phone": "2290197000001", "note": "", "reference": "", "language": "fr", "idempotency_key": ""}
        return NewOrder(**{"account_id": self.account_id, **fields, "body_hash": b"", "expires_in_days": 30, **given})

    def new_move(self, **given: Any) -> NewMove:
        fields: dict[str, Any] = {"account_id": self.account_id, "kind": "top_up", "amount_micros": ONE_CREDIT}
        fields |= {"reason": "test", "proposed_by_id": SOMEBODY[0], "proposed_by": SOMEBODY[1]}
        return NewMove(**(fields | given))

    def credit_of(self, order: OrderRow) -> NewMove:
        """The move that credits an order, which one person may do."""
        return self.new_move(amount_micros=order.amount_micros, order_id=order.order_id, whole_alone=True)

    async def order_in(self, state: str, *, expired: bool = False) -> int:
        """An order that came to a state by the verbs, and may be past its time."""
        connection = self.connection
        await connection.execute("UPDATE credit_orders SET state = 'cancelled' WHERE state IN ('placed', 'paid')")
        placed = await orders.place(connection, self.new_order())
        assert isinstance(placed, orders.Placed)
        order = placed.order
        if expired or state == "expired":
            await connection.execute("UPDATE credit_orders SET expires_at = now() WHERE order_id = $1", order.order_id)
        if state == "expired":
            assert await orders.expire(connection)
        if state in ("paid", "credited"):
            assert await orders.pay(connection, order, payment(), SOMEBODY) is None
        if state == "credited":
            paid = await credit_orders.find_order(connection, order.order_id, None)
            assert paid is not None
            assert isinstance(await orders.credit(connection, paid, self.credit_of(paid)), moves.Asked)
        if state == "refused":
            assert await orders.refuse(connection, order, SOMEBODY, "no") is None
        if state == "cancelled":
            assert await orders.cancel(connection, order.order_id, "key") is None
        assert await self.state_of("credit_orders", "order_id", order.order_id) == state
        return order.order_id

    async def move_in(self, state: str, *, expired: bool = False) -> int:
        """A move that came to a state by the verbs, and may be past its time."""
        connection = self.connection
        asked = await moves.ask(connection, self.new_move())
        assert isinstance(asked, moves.Asked)
        move = asked.move
        if state == "applied":
            assert await moves.approve(connection, move.move_id, (2, "second")) is None
        if state == "declined":
            assert await moves.end(connection, move, "decline", (2, "second"), "no") is None
        if state == "withdrawn":
            assert await moves.end(connection, move, "withdraw", SOMEBODY) is None
        if expired or state == "expired":
            await connection.execute("UPDATE credit_moves SET expires_at = now() WHERE move_id = $1", move.move_id)
        if state == "expired":
            assert await moves.expire(connection)
        assert await self.state_of("credit_moves", "move_id", move.move_id) == state
        return move.move_id

    async def move(self, move_id: int) -> credit_moves.MoveRow:
        found = await credit_moves.find_move(self.connection, move_id, None)
        assert found is not None
        return found

    async def state_of(self, table: str, key: str, number: int) -> str:
        return str(await self.connection.fetchval(f"SELECT state FROM {table} WHERE {key} = $1", number))

    async def balance(self, account_id: int = 0) -> int:
        """Micros."""
        query = "SELECT balance_micros FROM accounts WHERE account_id = $1"
        return int(await self.connection.fetchval(query, account_id or self.account_id))

    async def postings(self) -> list[tuple[str, str, int]]:
        """Kind, purse they lead to, micros; of all accounts, in order."""
        rows = await self.connection.fetch("SELECT kind, to_purse, amount_micros FROM ledger ORDER BY posting_id")
        return [tuple(row) for row in rows]

    async def is_balanced(self) -> bool:
        """Whether `passerelle check` finds nothing in the rows."""
        verdicts = await check.run_proofs(self.connection, frozenset(), 0, 0)
        return not any(verdict.failed for verdict in verdicts if verdict.promise == "P3")


async def open_books(connection: asyncpg.Connection) -> Books:
    """Books of an account without credit."""
    account_id = await facts.add_account(connection, "ours", 0, None)
    assert account_id is not None
    return Books(connection, account_id)
