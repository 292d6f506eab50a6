"""Shares: a flood has half of an empty room, and those who come later still find a place.

Promise P7. What must not enter: what waits, and where.
"""

from __future__ import annotations

from gateway.shares import Shares

LIMIT = 120


def fill(shares: Shares, account_id: int) -> int:
    """Enter one by one until the share is full; how many."""
    entered = 0
    while not shares.is_over(account_id, LIMIT):
        shares.enter(account_id, 1)
        entered += 1
    return entered


def test_each_flood_leaves_room_for_one_more_account() -> None:
    shares = Shares()
    assert [fill(shares, account_id) for account_id in (1, 2, 3)] == [60, 40, 30]
    assert shares.is_over(1, LIMIT), "who came first has no more than before"


def test_what_left_is_room_again() -> None:
    shares = Shares()
    fill(shares, 1)
    shares.leave(1, 60)
    assert not shares._held
    assert fill(shares, 2) == 60
