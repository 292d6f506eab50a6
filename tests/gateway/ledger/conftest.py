"""Books of one account without credit, in a database of this test alone.

What belongs here: the fixture. What it consists of: rows.py.
What must not enter: what a test is about.
"""

from __future__ import annotations

import asyncpg
import pytest_asyncio

from tests.gateway.ledger.rows import Books, open_books


@pytest_asyncio.fixture
async def books(connection: asyncpg.Connection) -> Books:
    """An account without credit."""
    return await open_books(connection)
