"""Reading beside the writing streams: a few connections for look-ups, journals and claims.

What belongs here: borrowing a connection, turning a lost one into NotCommitted, the typed reads that rooms above use.
What must not enter: writes of the hot path (group_commit.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import asyncpg

from gateway.message import InboundMessage, Message, ParkedReceipt
from gateway.storage import messages as rows
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway
from gateway.storage.group_commit import NotCommitted

IDLE_CONNECTIONS = 3  # chosen: look-ups are rare; more at once are opened and closed again

NODE_BITS = 6  # schema 0001: node_id is at most 63

Connect = Callable[[], Awaitable[asyncpg.Connection]]
Answer = TypeVar("Answer")


class Reader:
    """Borrows connections. Every method raises NotCommitted when PostgreSQL is away."""

    def __init__(self, connect: Connect, epoch: int, node_id: int, most: int = 0) -> None:
        """most: connections at once, all kept; 0: as many as are asked for, few of them kept."""
        self._connect = connect
        self._kept = most or IDLE_CONNECTIONS
        self._room = asyncio.Semaphore(most) if most else None
        self._epoch = epoch
        self.node_id = node_id
        self._claim = epoch << NODE_BITS | node_id  # no other life of any node claims by this number
        self._idle: list[asyncpg.Connection] = []

    async def run(self, query: Callable[[asyncpg.Connection], Awaitable[Answer]]) -> Answer:
        """Run a query on a connection of its own."""
        if self._room is None:
            return await self._run(query)
        async with self._room:
            return await self._run(query)

    async def _run(self, query: Callable[[asyncpg.Connection], Awaitable[Answer]]) -> Answer:
        connection: asyncpg.Connection | None = None
        try:
            while self._idle and self._idle[-1].is_closed():
                self._idle.pop()  # PostgreSQL was away while it was idle
            connection = self._idle.pop() if self._idle else await self._connect()
            answer = await query(connection)
        except (DatabaseAway, *CONNECTION_FAULTS) as fault:
            self._drop()
            if connection is not None:
                connection.terminate()
            raise NotCommitted(str(fault)) from fault
        except BaseException:  # cancelled, or a fault of ours: nobody else closes it
            if connection is not None:
                connection.terminate()
            raise
        if len(self._idle) < self._kept and not connection.is_closed():
            self._idle.append(connection)
        else:
            connection.terminate()
        return answer

    def _drop(self) -> None:
        """Connections that were idle while one broke are not to be trusted either."""
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()

    async def load_messages(self, keys: Iterable[tuple[int, int]]) -> dict[int, Message]:
        """Messages by (account_id, message_id), as a mapping by message_id."""
        wanted = list(keys)
        return await self.run(lambda c: rows.load_messages(c, wanted))

    async def queued_accounts(self, connector_id: int, lane: int, from_id: int) -> list[tuple[int, int]]:
        """Accounts with messages that wait for a connector in a lane, and the first id of each from an id on."""
        return await self.run(lambda c: rows.queued_accounts(c, connector_id, lane, from_id, self.node_id))

    async def queued_rows(
        self, connector_id: int, lane: int, account_ids: list[int], from_ids: list[int], most: list[int]
    ) -> list[Message]:
        """Messages of a connector and lane that wait to be sent: of each account so many, from its id on, in order."""
        return await self.run(
            lambda c: rows.queued_rows(c, connector_id, lane, account_ids, from_ids, most, self.node_id)
        )

    async def find_smsc_ids(self, connector_id: int, keys: list[str], from_id: int) -> list[asyncpg.Record]:
        """Rows of smsc_ids by key."""
        return await self.run(lambda c: rows.find_smsc_ids(c, connector_id, keys, from_id))

    async def load_parked(self, since_ms: int, limit: int) -> list[ParkedReceipt]:
        """Parked receipts, oldest first."""
        return await self.run(lambda c: rows.load_parked(c, since_ms, limit, self.node_id))

    async def parked_after(self, connector_id: int, after_id: int, limit: int) -> list[ParkedReceipt]:
        """Parked receipts of a connector after a parked id, oldest first."""
        return await self.run(lambda c: rows.parked_after(c, connector_id, after_id, limit, self.node_id))

    async def load_dresses(self) -> dict[int, str]:
        """What was learnt of the dress of each connector's ids."""
        return await self.run(rows.load_dresses)

    async def claim_delayed(self, now_ms: int, limit: int) -> list[tuple[int, int]]:
        """Keys of postponed messages whose time has come, claimed for this life of the node."""
        return await self.run(lambda c: rows.claim_delayed(c, now_ms, self._claim, limit, self.node_id))

    async def overdue(self, after_ms: int, until_ms: int, states: tuple[str, ...], limit: int) -> list[Message]:
        """Messages in these states although their validity ended in this span."""
        return await self.run(lambda c: rows.overdue(c, after_ms, until_ms, states, limit, self.node_id))

    async def release_claims(self, is_held: Callable[[int], bool]) -> int:
        """Give back claims of this life that memory does not hold."""
        return await self.run(lambda c: rows.release_claims(c, self._claim, is_held))

    async def open_journals(self, node_id: int) -> list[rows.Journal]:
        """Journals of attempts that former lives of this node left, oldest first."""
        return await self.run(lambda c: rows.open_journals(c, node_id, self._epoch << 32))

    async def owed_receipts(self, account_ids: list[int], from_id: int, limit: int) -> list[Message]:
        """Final messages from an id on whose receipt nobody has taken or keeps."""
        return await self.run(lambda c: rows.owed_receipts(c, account_ids, from_id, limit, self.node_id))

    async def due_inbound(self, after_id: int, limit: int) -> list[InboundMessage]:
        """Handsets' messages that nobody has taken or keeps."""
        return await self.run(lambda c: rows.due_inbound(c, after_id, limit, self.node_id))

    async def attempts_elsewhere(self, connector_id: int, handsets: list[str]) -> list[Message]:
        """What other nodes may have on a connector's wire to these handsets, by no id known."""
        return await self.run(lambda c: rows.attempts_elsewhere(c, self.node_id, connector_id, handsets))

    async def forwarded(self, limit: int) -> list[asyncpg.Record]:
        """Receipts that other nodes received for messages of this one, oldest first."""
        return await self.run(lambda c: rows.forwarded_to(c, self.node_id, limit))

    async def bury_parked(self, before_ms: int, forget_before_ms: int) -> int:
        """Give up parked receipts older than a time, and forget those older than another; how many were given up."""
        return await self.run(lambda c: rows.bury_parked(c, before_ms, forget_before_ms))

    async def waiting_of_esme(
        self, esme_id: int, edge_id: int, limit: int, newest_first: bool = False
    ) -> list[asyncpg.Record]:
        """What an ESME is owed, oldest first after a message id, or newest first before it."""
        return await self.run(lambda c: rows.waiting_of_esme(c, esme_id, edge_id, limit, self.node_id, newest_first))

    async def esmes_with_rows(self, esme_ids: list[int]) -> list[int]:
        """Which of these ESMEs this node owes something that is a row."""
        return await self.run(lambda c: rows.esmes_with_rows(c, esme_ids, self.node_id)) if esme_ids else []

    async def waiting_overdue(self, now_ms: int, limit: int) -> list[asyncpg.Record]:
        """What ESMEs were owed for too long."""
        return await self.run(lambda c: rows.waiting_overdue(c, now_ms, limit, self.node_id))

    async def load_inbound(self, ids: list[int]) -> dict[int, InboundMessage]:
        """Handsets' messages by id."""
        return await self.run(lambda c: rows.load_inbound(c, ids)) if ids else {}

    async def close(self) -> None:
        """Close what is idle."""
        self._drop()
