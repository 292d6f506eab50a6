"""What holds long enough to be told: a balance that is low, a carrier without binds, a node without a sign of life.

Three watches, one table of rows (notice_watches): a row begins when something holds, is told of once when it held for
its time, and ends when it holds no more. A balance's row ends with a top-up only. Off the hot path: it reads rows.
What must not enter: sending; a rule that a node must follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import asyncpg
import msgspec

from gateway.storage import notices as rows
from gateway.storage.notices import tell

BALANCE: Final = "balance"
CARRIER: Final = "carrier"
NODE: Final = "node"


class WatchTimes(msgspec.Struct, frozen=True):
    """How long something holds before it is told of."""

    bind_down_ms: int
    node_dead_ms: int


async def look(connection: asyncpg.Connection, times: WatchTimes, now_ms: int) -> None:
    """Look once at everything, in one transaction; nothing where another process is just looking."""
    async with connection.transaction():
        if not await rows.may_watch(connection):
            return
        await _look_at_balances(connection, now_ms)
        await _look_at_carriers(connection, times, now_ms)
        await _look_at_nodes(connection, times, now_ms)


async def _look_at_balances(connection: asyncpg.Connection, now_ms: int) -> None:
    low = {str(each.account_id): each for each in await rows.low_balances(connection)}
    held = {subject: (now_ms, f'{{"posting": {each.posting_id}}}') for subject, each in low.items()}
    await rows.hold_watches(connection, BALANCE, held)
    for subject, _ in await rows.ripen_watches(connection, BALANCE, now_ms, now_ms):
        account = low[subject]
        facts: dict[str, str | int] = {
            "balance": account.available_micros,
            "threshold": account.threshold_micros,
            "account": account.name,
        }
        await tell(connection, event="balance.low", account_id=account.account_id, facts=facts)
    await rows.end_watches(connection, BALANCE, low, those=False)


async def _look_at_carriers(connection: asyncpg.Connection, times: WatchTimes, now_ms: int) -> None:
    """What no living node configures any more stays as it is: a node that dies has not mended its carrier."""
    seen = {row["name"]: row for row in await rows.carriers_seen(connection)}
    down = [name for name, row in seen.items() if not row["bound"]]
    await rows.hold_watches(connection, CARRIER, dict.fromkeys(down, (now_ms, "{}")))
    await _end(connection, CARRIER, "bind.up", "connector", seen.keys() - set(down))
    for name, since_ms in await rows.ripen_watches(connection, CARRIER, now_ms - times.bind_down_ms, now_ms):
        binds = seen[name]["binds"] if name in seen else 0
        facts: dict[str, str | int] = {"connector": name, "binds": binds, "since": since_ms}
        await tell(connection, event="bind.down", account_id=None, facts=facts)


async def _look_at_nodes(connection: asyncpg.Connection, times: WatchTimes, now_ms: int) -> None:
    seen = await rows.nodes_seen(connection)
    silent = {row["name"]: (row["seen_at_ms"], "{}") for row in seen if not row["is_alive"]}
    await rows.hold_watches(connection, NODE, silent)
    await _end(connection, NODE, "node.back", "node", [row["name"] for row in seen if row["is_alive"]])
    for name, since_ms in await rows.ripen_watches(connection, NODE, now_ms - times.node_dead_ms, now_ms):
        await tell(connection, event="node.dead", account_id=None, facts={"node": name, "since": since_ms})


async def _end(
    connection: asyncpg.Connection, watch: str, event: str, subject: str, those_that_stand: Iterable[str]
) -> None:
    """End watches; of what was told, tell that it is over."""
    for ended in await rows.end_watches(connection, watch, those_that_stand, those=True):
        if ended.told_at_ms is not None:
            facts: dict[str, str | int] = {subject: ended.subject, "since": ended.since_ms}
            await tell(connection, event=event, account_id=None, facts=facts)
