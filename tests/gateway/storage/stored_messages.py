"""Messages put into the tables for tests, with the money that belongs to them, by the shortest way.

What belongs here: rows as the gateway would have left them. What must not enter: what a test is about.
"""

from __future__ import annotations

import time
from typing import Any

import asyncpg
import msgspec

from gateway.message import Envelope
from gateway.storage import facts

PRICE_MICROS = 1_000_000
BEFORE_MS = 1000  # chosen: so much older than ids that a test makes itself, which are never the same then

INSERT = """
INSERT INTO messages (account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count, data_coding,
    price_micros, expires_at_ms, source_addr, destination_addr, route_why, user_data, envelope, state, hold, notify,
    part_states, smsc_message_ids, in_doubt_count, submitted_at_ms, final_at_ms, notified_at_ms)
VALUES ($1, $2, $3, $4, 1, 'transactional', $5, 0, $6, $7, 'ACME', $8, 'the only route', $9, $10, $11, $12, $13, $14,
    $15, $16, $17, $18, $19)
"""
HOLD = """
INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros) VALUES ($1, 'hold', 'available', 'held', $2)
"""
CAPTURE = """
INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros) VALUES ($1, 'capture', 'held', 'spent', $2)
"""
RELEASE = """
INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)
VALUES ($1, 'release', 'held', 'available', $2)
"""
MOVE_BALANCE = "UPDATE accounts SET balance_micros = balance_micros + $2 WHERE account_id = $1"


class Ground(msgspec.Struct):
    """The account, login and connector that stored messages point to; and the number of the next message."""

    account_id: int
    esme_id: int
    connector_id: int
    first_id: int
    count: int = 0


async def prepare_ground(connection: asyncpg.Connection) -> Ground:
    """An account with 1000 credits, its login `demo` and the connector `carrier-a`."""
    account_id = await facts.add_account(connection, "demo", 0, None)
    assert account_id is not None
    await facts.top_up(connection, account_id, 1000 * PRICE_MICROS, "test")
    esme_id = await facts.add_esme(
        connection, facts.NewEsme("demo", account_id, "no hash", 10, 100, 0, [], "transactional")
    )
    assert esme_id is not None
    connector_id = await facts.ensure_connector(connection, "carrier-a", "smpp")
    return Ground(account_id, esme_id, connector_id, int(time.time() * 1000) - BEFORE_MS << 20)


async def store_message(connection: asyncpg.Connection, ground: Ground, state: str, **given: Any) -> int:
    """Store one message in a state, its hold and postings fitting it; `given` overrides columns. Returns its id."""
    now_ms = int(time.time() * 1000)
    message_id = ground.first_id + ground.count
    ground.count += 1
    final = state not in ("queued", "submitted", "in_doubt")
    hold = given.get("hold") or {"submitted": "captured", "delivered": "captured"}.get(
        state, "released" if final else "held"
    )
    parts = given.get("part_count", 1)
    letter = {"queued": "Q", "submitted": "S", "in_doubt": "I", "delivered": "D", "unknown": "U"}.get(state, "F")
    await connection.execute(
        INSERT,
        ground.account_id,
        message_id,
        ground.esme_id,
        ground.connector_id,
        parts,
        PRICE_MICROS * parts,
        given.get("expires_at_ms", now_ms + 3_600_000),
        given.get("destination_addr", f"22901970000{ground.count:02d}"),
        given.get("user_data", b"hello"),
        msgspec.msgpack.encode(Envelope()),
        state,
        hold,
        given.get("notify", "no"),
        given.get("part_states", letter * parts),
        given.get("smsc_message_ids", ""),
        given.get("in_doubt_count", 0),
        given.get("submitted_at_ms", now_ms if state in ("submitted", "delivered") else 0),
        given.get("final_at_ms", now_ms if final else 0),
        given.get("notified_at_ms", 0),
    )
    await post_for(connection, ground, hold, PRICE_MICROS * parts)
    return message_id


async def post_for(connection: asyncpg.Connection, ground: Ground, hold: str, amount_micros: int) -> None:
    """The postings and the balance of one message in this hold."""
    await connection.execute(HOLD, ground.account_id, amount_micros)
    if hold == "captured":
        await connection.execute(CAPTURE, ground.account_id, amount_micros)
    if hold == "released":
        await connection.execute(RELEASE, ground.account_id, amount_micros)
    else:
        await connection.execute(MOVE_BALANCE, ground.account_id, -amount_micros)
