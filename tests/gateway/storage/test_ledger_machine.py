"""The ledger against a model of it: any sequence of batches, captures, releases and top-ups, over the real tables.

Architecture, promise P3: exact, exclusive, and balance = sum of entries at every instant.
What must not enter: lost connections (test_streams.py), who decides (gateway.receipts.fold has its own machine).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.message import ID_NODE_SHIFT, Message, MessageIds
from gateway.receipts import fold
from gateway.receipts.fold import MoneyPolicy
from gateway.storage import facts
from gateway.storage import messages as rows
from gateway.storage.database import connect, ledger_imbalance_micros, take_seat
from gateway.storage.settle_batch import SettleBatch
from tests.databases import Databases
from tests.gateway.storage.conftest import PRICE_MICROS, House
from tests.gateway.storage.stored_messages import prepare_ground

EXAMPLES, STEPS = 12, 15  # chosen: some 20 s on a busy machine; each example empties the tables
OPENING_MICROS = 1000 * PRICE_MICROS  # prepare_ground
PRICES = st.integers(0, 600 * PRICE_MICROS)  # two or three of them end the credit
Told = TypeVar("Told")


class Ledger(RuleBasedStateMachine):
    """Purses of one account as they should be, beside the tables."""

    dsn = emptying = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.available, self.held, self.spent = OPENING_MICROS, 0, 0
        self.open: list[Message] = []
        self.closed: list[Message] = []
        self.run(self._build())

    def run(self, work: Coroutine[Any, Any, Told]) -> Told:
        return self.runner.run(work)

    async def _build(self) -> None:
        connection = await connect(self.dsn)
        await connection.execute(self.emptying)
        seat = await take_seat(connection, "a")
        self.house = House(self.dsn, connection, seat, await prepare_ground(connection), MessageIds(seat.node_id))
        self.house.ground.first_id |= seat.node_id << ID_NODE_SHIFT
        self.accepting, self.settling = self.house.line("accept"), self.house.line("settle")

    def teardown(self) -> None:
        async def leave() -> None:
            for line in self.house.lines:
                await line.close()
            await self.house.connection.close()

        self.run(leave())
        self.runner.close()

    @rule(prices=st.lists(PRICES, min_size=1, max_size=5))
    def accept(self, prices: list[int]) -> None:
        """Of a batch the affordable prefix passes; a refusal touches nothing."""
        batch = [self.house.message(price_micros=price) for price in prices]
        columns = rows.accept_columns(batch, [False] * len(batch), 0)
        refused = set(self.run(self.accepting.commit(rows.ACCEPT, columns))["refused"])
        before, running = self.available, 0
        for message in batch:
            running += message.price_micros
            passes = running <= before
            assert (message.message_id not in refused) == passes
            if passes:
                self.available -= message.price_micros
                self.held += message.price_micros
                self.open.append(message)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), how=st.sampled_from(["rejected", "delivered", "expired"]), count=st.integers(1, 3))
    def settle(self, data: st.DataObject, how: str, count: int) -> None:
        """Messages end in one batch, each captured or released, once."""
        batch = SettleBatch()
        for _ in range(min(count, len(self.open))):
            message = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
            fold.finish(message, how, "", self.house.ids.next(0) >> 20, MoneyPolicy())
            self.held -= message.price_micros
            if message.hold == "captured":
                self.spent += message.price_micros
            else:
                self.available += message.price_micros
            batch.messages.append(message)
            self.closed.append(message)
        self._commit(batch)

    @precondition(lambda self: self.closed)
    @rule(data=st.data())
    def say_it_again(self, data: st.DataObject) -> None:
        """A second end of the same message moves no money."""
        message = data.draw(st.sampled_from(self.closed))
        fold.close_hold(message, "capture")
        fold.close_hold(message, "release")
        batch = SettleBatch()
        batch.messages.append(message)
        self._commit(batch)

    @rule(amount=st.integers(1, 700 * PRICE_MICROS))
    def top_up(self, amount: int) -> None:
        """Credit is added, whatever is held."""
        self.run(facts.top_up(self.house.connection, self.house.ground.account_id, amount, "test"))
        self.available += amount

    def _commit(self, batch: SettleBatch) -> None:
        columns, extras = batch.columns(), batch.extras()
        self.run(self.settling.commit(rows.SETTLE, columns, extras))
        batch.resolve()

    @invariant()
    def the_purses_are_the_models(self) -> None:
        assert self.run(self.house.balance()) == self.available >= 0
        purses = self.run(self.house.purses())
        assert (purses.get("available", 0), purses.get("held", 0), purses.get("spent", 0)) == (
            self.available,
            self.held,
            self.spent,
        )
        assert self.run(ledger_imbalance_micros(self.house.connection)) == 0


def test_whatever_happens_the_ledger_is_the_model(ground_database: str, databases: Databases) -> None:
    machine = type("LedgerOfThisRun", (Ledger,), {"dsn": ground_database, "emptying": databases.emptying()})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None)
    )
