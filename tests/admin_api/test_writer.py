"""The writer of what operators ask: whole or not at all, under their role, honest about what nobody knows.

What must not enter: what single resources write.
"""

from __future__ import annotations

import functools

import asyncpg
import pytest

from admin_api.problems import Problem
from admin_api.writer import OPERATORS_ROLE, Writer, connect_as_operators
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from gateway.storage.reader import Reader
from tests.admin_api.conftest import as_role
from tests.gateway.conftest import Ground

CHANGE = "UPDATE accounts SET language = 'en'"


def writer_of(ground: Ground) -> Writer:
    return Writer(Reader(functools.partial(connect_as_operators, as_role(ground.dsn)), 1, 1, 2))


async def language(ground: Ground) -> str:
    return str(await ground.value("SELECT language FROM accounts"))


async def test_a_problem_undoes_what_was_changed_before_it(ground: Ground) -> None:
    writer = writer_of(ground)

    async def refuse(connection: asyncpg.Connection) -> Problem | str:
        await connection.execute(CHANGE)
        return Problem("not_found")

    async def change(connection: asyncpg.Connection) -> Problem | str:
        await connection.execute(CHANGE)
        return str(await connection.fetchval("SELECT current_user"))

    assert await writer.run(refuse) == Problem("not_found")
    assert await language(ground) == "fr"
    assert await writer.run(change) == OPERATORS_ROLE
    assert await language(ground) == "en"
    await writer.close()


async def test_a_fault_undoes_it_too_and_costs_the_connection_alone(ground: Ground) -> None:
    writer = writer_of(ground)

    async def fail(connection: asyncpg.Connection) -> None:
        await connection.execute(CHANGE)
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await writer.run(fail)
    with pytest.raises(NotCommitted):
        await writer.run(lambda connection: connection.execute("SELECT 1 / 0"))
    assert await writer.read(lambda connection: connection.fetchval("SELECT language FROM accounts")) == "fr"
    await writer.close()


async def test_a_connection_lost_before_the_commit_changed_nothing_and_during_it_nobody_knows(ground: Ground) -> None:
    writer = writer_of(ground)

    async def cut_before(connection: asyncpg.Connection) -> None:
        await connection.execute(CHANGE)
        await ground.cut()
        await connection.execute("SELECT 1")

    async def cut_during(connection: asyncpg.Connection) -> None:
        await connection.execute(CHANGE)
        await ground.cut()

    with pytest.raises(NotCommitted):
        await writer.run(cut_before)
    with pytest.raises(OutcomeUnknown):
        await writer.run(cut_during)
    assert await language(ground) == "fr"
    await writer.close()
