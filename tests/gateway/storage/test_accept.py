"""The accept statement: the affordable prefix of each account passes, and all that belongs to it, or nothing.

Architecture, promises P1 and P3, section 4. What must not enter: streams and lost connections (test_commit_line.py).
"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.message import Message
from gateway.storage import facts
from gateway.storage.database import connect, take_seat
from gateway.storage.group_commit import AcceptStream, FencedOut
from gateway.storage.messages import ACCEPT, accept_columns, load_messages
from tests.gateway.storage.conftest import PRICE_MICROS, House


async def accept(house: House, messages: list[Message], opened: list[bool] | None = None, journal: int = 0) -> set[int]:
    """Commit one batch; the ids refused."""
    line = house.line("accept")
    line.batch = await house.value("SELECT batch FROM node_streams WHERE stream = 'accept'")
    row = await line.commit(ACCEPT, accept_columns(messages, opened or [False] * len(messages), journal))
    return set(row["refused"])


async def poor_account(house: House, name: str, micros: int, limit_micros: int = 0) -> int:
    account_id = await facts.add_account(house.connection, name, limit_micros, None)
    assert account_id is not None
    if micros:
        await facts.top_up(house.connection, account_id, micros, "test")
    return account_id


async def test_a_message_is_stored_as_it_was_handed_over(house: House) -> None:
    message = house.message(part_count=3, user_data=b"\x00\xff", price_micros=7, destination_addr="33612345678")
    assert await accept(house, [message]) == set()
    loaded = await load_messages(house.connection, [(message.account_id, message.message_id)])
    assert loaded == {message.message_id: message}


async def test_the_hold_and_the_ledger_move_with_the_messages(house: House) -> None:
    await accept(house, [house.message(), house.message(part_count=2)])
    assert await house.balance() == 997 * PRICE_MICROS
    assert await house.purses() == {
        "funding": -1000 * PRICE_MICROS,
        "available": 997 * PRICE_MICROS,
        "held": 3 * PRICE_MICROS,
    }
    posted = await house.connection.fetch("SELECT amount_micros, message_count FROM ledger WHERE kind = 'hold'")
    assert [tuple(each) for each in posted] == [(3 * PRICE_MICROS, 2)]  # one posting an account and batch


async def test_the_affordable_prefix_passes_in_order_of_arrival(house: House) -> None:
    poor = await poor_account(house, "poor", 5 * PRICE_MICROS)
    prices = [2, 2, 3, 1, 1]
    batch = [house.message(account_id=poor, price_micros=price * PRICE_MICROS) for price in prices]
    assert await accept(house, batch) == {m.message_id for m in batch[2:]}  # 2 + 2 fit, 3 does not, nothing overtakes
    assert await house.value("SELECT balance_micros FROM accounts WHERE account_id = $1", poor) == PRICE_MICROS


async def test_one_account_without_credit_sinks_no_neighbour(house: House) -> None:
    poor = await poor_account(house, "poor", 0)
    batch = [house.message(account_id=account_id) for account_id in (poor, house.ground.account_id, poor)]
    assert await accept(house, batch) == {batch[0].message_id, batch[2].message_id}
    assert await house.rows() == 1


async def test_a_credit_limit_may_be_used_to_its_end(house: House) -> None:
    trusted = await poor_account(house, "trusted", 0, limit_micros=2 * PRICE_MICROS)
    batch = [house.message(account_id=trusted) for _ in range(3)]
    assert await accept(house, batch) == {batch[2].message_id}
    assert await house.value("SELECT balance_micros FROM accounts WHERE account_id = $1", trusted) == -2 * PRICE_MICROS


@pytest.mark.parametrize("state", ["suspended", "closed"])
async def test_an_account_suspended_since_admission_passes_nothing(house: House, state: str) -> None:
    await house.connection.execute("UPDATE accounts SET state = $1", state)
    message = house.message()
    assert await accept(house, [message]) == {message.message_id}
    assert await house.rows() == 0


async def test_messages_that_cost_nothing_pass_without_credit_and_without_posting(house: House) -> None:
    poor = await poor_account(house, "poor", 0)
    batch = [house.message(account_id=poor, price_micros=price) for price in (0, 1, 0)]
    assert await accept(house, batch) == {batch[1].message_id, batch[2].message_id}  # the prefix ends at the first
    assert await house.value("SELECT count(*) FROM ledger WHERE account_id = $1", poor) == 0
    assert await house.rows() == 1


async def test_only_what_was_opened_and_passed_stands_in_the_journal(house: House) -> None:
    poor = await poor_account(house, "poor", 0)
    batch = [house.message(), house.message(account_id=poor), house.message()]
    await accept(house, batch, [True, True, False], journal=7)
    journals = await house.connection.fetch("SELECT batch_id, account_ids, message_ids FROM open_attempts")
    assert [tuple(j) for j in journals] == [(7, [house.ground.account_id], [batch[0].message_id])]


async def test_a_batch_without_opened_attempts_writes_no_journal(house: House) -> None:
    await accept(house, [house.message()], [False], journal=7)
    poor = await poor_account(house, "poor", 0)
    await accept(house, [house.message(account_id=poor)], [True], journal=8)
    assert await house.value("SELECT count(*) FROM open_attempts") == 0


async def test_a_schedule_is_a_row_of_delayed(house: House) -> None:
    at_ms = 1_999_999_999_999
    scheduled, at_once = house.message(not_before_ms=at_ms), house.message()
    await accept(house, [scheduled, at_once])
    rows = await house.connection.fetch("SELECT due_at_ms, account_id, message_id, why, claimed_epoch FROM delayed")
    assert [tuple(row) for row in rows] == [(at_ms, scheduled.account_id, scheduled.message_id, "schedule", 0)]


async def test_two_hundred_at_once_on_credit_for_one_hundred_in_one_batch(house: House) -> None:
    poor = await poor_account(house, "poor", 100 * PRICE_MICROS)
    batch = [house.message(account_id=poor) for _ in range(200)]
    assert await accept(house, batch) == {m.message_id for m in batch[100:]}


async def test_two_hundred_at_once_on_credit_for_one_hundred_through_two_nodes(house: House) -> None:
    poor = await poor_account(house, "poor", 100 * PRICE_MICROS)
    other = await connect(house.dsn)
    seats = [house.seat, await take_seat(other, "b")]
    streams = [AcceptStream(house.line("accept", seat=seat), most_rows=7) for seat in seats]
    messages = [house.message(account_id=poor) for _ in range(200)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(stream.run()) for stream in streams]
        answers = [streams[n % 2].append([message], [False]) for n, message in enumerate(messages)]
        outcomes = await asyncio.gather(*answers)
        for each in running:
            each.cancel()
    refused = sum(m.message_id in o.refused for m, o in zip(messages, outcomes, strict=True))
    assert refused == 100
    assert await house.rows() == 100
    assert await house.value("SELECT balance_micros FROM accounts WHERE account_id = $1", poor) == 0
    held = "SELECT sum(amount_micros)::bigint FROM ledger WHERE kind = 'hold' AND account_id = $1"
    assert await house.value(held, poor) == 100 * PRICE_MICROS
    await other.close()


# ---------------------------------------------------------------- fencing


async def test_a_former_life_of_the_node_writes_nothing(house: House) -> None:
    line = house.line("accept")
    await house.connection.execute("SELECT pg_advisory_unlock_all()")  # the former process lost its connection
    newer = await connect(house.dsn)
    await take_seat(newer, "a")
    with pytest.raises(FencedOut):
        await line.commit(ACCEPT, accept_columns([house.message()], [True], 7))
    await newer.close()
    assert await house.rows() == 0
    assert await house.balance() == 1000 * PRICE_MICROS
    assert await house.value("SELECT count(*) FROM open_attempts") == 0
    assert await house.value("SELECT count(*) FROM ledger WHERE kind = 'hold'") == 0


@pytest.mark.parametrize("number", [-1, 1])
async def test_a_batch_out_of_its_turn_writes_nothing(house: House, number: int) -> None:
    await accept(house, [house.message()])
    line = house.line("accept")
    line.batch = 1 + number
    with pytest.raises(FencedOut):
        await line.commit(ACCEPT, accept_columns([house.message()], [False], 0))
    assert await house.rows() == 1


async def test_the_same_id_twice_ends_the_process_and_charges_once(house: House) -> None:
    message = house.message()
    await accept(house, [message])
    with pytest.raises(FencedOut):
        await accept(house, [message])
    assert await house.balance() == 999 * PRICE_MICROS


async def test_captures_do_not_wait_for_a_batch_that_is_being_accepted(house: House) -> None:
    """Postings point to their account: that look must not queue behind the hold's lock, nor deadlock with it."""
    accepting = await asyncpg.connect(house.dsn)
    transaction = accepting.transaction()
    await transaction.start()
    await accepting.fetchrow(
        ACCEPT, 1, house.seat.node_id, house.seat.epoch, *accept_columns([house.message()], [False], 0)
    )
    await house.connection.execute("SET lock_timeout = '2s'")
    await house.connection.execute(
        "INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)"
        " VALUES ($1, 'capture', 'held', 'spent', 1)",
        house.ground.account_id,
    )
    await transaction.rollback()
    await accepting.close()
