"""What operators ask, done in one transaction under the operators' role; rows of facts tell all processes of it.

What belongs here: the connection that steps into passerelle_operators, the transaction, a refusal that undoes it.
What must not enter: what is changed (one file a resource); the audit row is written inside by gateway.storage.audit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg

from admin_api.problems import Problem
from gateway.lease import LEASE_S
from gateway.storage.database import CONNECTION_FAULTS, connect
from gateway.storage.group_commit import OutcomeUnknown
from gateway.storage.reader import Reader

OPERATORS_ROLE: Final = "passerelle_operators"  # schema 0028_operators.sql
CONNECTIONS: Final = 4  # chosen: people are slow; what they ask is rare beside customers' requests

Done = TypeVar("Done")


async def connect_as_operators(dsn: str) -> asyncpg.Connection:
    """A connection of the API's role that has stepped into the operators'. Raises DatabaseAway."""
    wait = {"idle_in_transaction_session_timeout": f"{int(LEASE_S * 1000)}"}
    return await connect(dsn, {"role": OPERATORS_ROLE, **wait})


class Writer:
    """Runs what operators ask. Every method raises NotCommitted while PostgreSQL is away."""

    def __init__(self, reader: Reader) -> None:
        """reader: of connections made by connect_as_operators."""
        self._reader = reader

    async def read(self, query: Callable[[asyncpg.Connection], Awaitable[Done]]) -> Done:
        """Run a query that changes nothing."""
        return await self._reader.run(query)

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[Done]]) -> Done:
        """Run `work` in one transaction, undone where it answers a Problem. Raises OutcomeUnknown where nobody knows
        whether it was committed.
        """

        async def whole(connection: asyncpg.Connection) -> Done:
            transaction = connection.transaction()
            await transaction.start()
            done = await work(connection)  # whatever it raises costs the connection, and with it the transaction
            if isinstance(done, Problem):
                await transaction.rollback()
                return done
            try:
                await transaction.commit()
            except CONNECTION_FAULTS as fault:
                raise OutcomeUnknown(str(fault)) from fault
            return done

        return await self._reader.run(whole)

    async def close(self) -> None:
        """Close what is idle."""
        await self._reader.close()
