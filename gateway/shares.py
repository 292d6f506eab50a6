"""Shares: how much of a room that all accounts use may be one account's.

Source: promise P7 (one bad neighbour delays nobody), P6. While less than half of the room is taken, anybody may have it
(lifecycle.admit asks from there on); then an account may have what is fair if one more account came. Pure.
What must not enter: what waits in the room, how long.
"""

from __future__ import annotations


class Shares:
    """Counts by account, in one room."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[int, int] = {}

    def enter(self, account_id: int, count: int) -> None:
        """So many more of an account are in the room."""
        self._held[account_id] = self._held.get(account_id, 0) + count

    def leave(self, account_id: int, count: int) -> None:
        """They left."""
        left = self._held[account_id] - count
        if left:
            self._held[account_id] = left
        else:
            del self._held[account_id]

    def is_over(self, account_id: int, limit: int) -> bool:
        """Whether one more of this account goes beyond its fair share of `limit` places."""
        return self._held.get(account_id, 0) * (len(self._held) + 1) >= limit
