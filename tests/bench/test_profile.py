"""Samples are added to the right room.

What must not enter: sampling a node.
"""

from __future__ import annotations

import pytest

from tests.bench.profile import room_of

SITE = "/somewhere/lib/python3.11/site-packages/"


@pytest.mark.parametrize(
    ("file", "near", "room"),
    [
        ("gateway/smpp/session.py", "gateway/smpp/session.py", "gateway.smpp"),
        ("gateway/lifecycle.py", "gateway/lifecycle.py", "gateway.lifecycle"),
        ("<SubmitSm from fields.py>", "<SubmitSm from fields.py>", "gateway.smpp"),
        ("telecom/parts.py", "telecom/parts.py", "telecom"),
        ("/usr/lib/python3.11/heapq.py", "gateway/storage/group_commit.py", "gateway.storage"),
        ("<frozen abc>", "gateway/storage/group_commit.py", "gateway.storage"),
        (SITE + "asyncpg/pool.py", "gateway/storage/reader.py", "asyncpg"),
        ("event loop", "event loop", "event loop"),
        ("/usr/lib/python3.11/asyncio/events.py", "/usr/lib/python3.11/asyncio/events.py", "standard library"),
    ],
)
def test_room_of_a_sample(file: str, near: str, room: str) -> None:
    assert room_of(file, near) == room
