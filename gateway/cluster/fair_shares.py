"""How nodes share the binds of one connector: as equally as their configurations allow, and moving as few as possible.

Source: decision 0016. Pure: every node draws the same conclusion from the same rows, so that nobody has to decide.
What must not enter: rows, links, time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """Which binds a node is to give back, and which free ones it may take."""

    give_back: frozenset[int]
    take: frozenset[int]


def change_of(me: int, configured: Mapping[int, int], owners: Mapping[int, int], numbers: Sequence[int]) -> Change:
    """What a node is to change among binds of one kind. configured: how many binds, of whatever kind, each living node
    configures; owners: of the binds that are not free.
    """
    owned = {number: owners[number] for number in numbers if number in owners}
    mine = frozenset(number for number, node in owned.items() if node == me)
    if me not in configured:
        return Change(mine, frozenset())
    if len(set(configured.values())) > 1:
        fixed = frozenset(number for number, node in _fixed(configured, numbers).items() if node == me)
        return Change(mine - fixed, fixed - owned.keys())
    held = Counter(owned.values())
    first = sorted(configured, key=lambda node: (-held[node], node))  # who holds more keeps the odd one
    each, odd = divmod(len(numbers), len(configured))
    share = each + (first.index(me) < odd)
    free = [number for number in numbers if number not in owned]
    return Change(frozenset(sorted(mine)[: max(0, len(mine) - share)]), frozenset(free[: max(0, share - len(mine))]))


def _fixed(configured: Mapping[int, int], numbers: Sequence[int]) -> dict[int, int]:
    """Whose each bind is where nodes configure different numbers of them, whoever holds it now: from above, since the
    last ones are what fewest nodes could hold.
    """
    shares = dict.fromkeys(configured, 0)
    whose: dict[int, int] = {}
    for number in sorted(numbers, reverse=True):
        able = [node for node, binds in configured.items() if number < binds]
        if able:
            whose[number] = min(able, key=lambda node: (shares[node], node))
            shares[whose[number]] += 1
    return whose
