"""How long somebody waits who signed in wrongly: a growing pause for a user name from an address, and for an address.

Source: gateway.ingress.lockout, whose numbers these are. Never for a name alone: nobody can lock an operator out by
failing in his name from elsewhere. A try counts as wrong while it is being proven, so that many at once gain nothing.
Pure: the present is passed in. What must not enter: passwords, whether a name exists.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from gateway.ingress.lockout import (
    FIRST_DELAY_S,
    FORGET_S,
    FREE_PAIR,
    FREE_SOURCE,
    LAST_DELAY_S,
    REMEMBERED_LIMIT,
    source_of,
)

Key = tuple[str, str]  # source and name; name "": the source alone


class Wrong(msgspec.Struct):
    """How many wrong tries, when the last was, and until when the next waits."""

    count: int = 0
    last: float = 0.0
    until: float = 0.0


class LoginPauses:
    """Wrong tries of this process's life."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[Key, Wrong] = OrderedDict()
        self._trusted: OrderedDict[Key, None] = OrderedDict()

    def begin(self, address: str, name: str, now: float) -> float:
        """Count a try as wrong, until succeeded() or forgive() says otherwise. Seconds it must wait, or 0."""
        wait_s = max(self._of(key, now).until - now for key, _ in self._keys(address, name))
        if wait_s > 0:
            return wait_s
        for key, free in self._keys(address, name):
            wrong = self._of(key, now)
            wrong.count, wrong.last = wrong.count + 1, now
            over = wrong.count - free
            wrong.until = now + min(FIRST_DELAY_S * 2.0 ** min(over - 1, 60), LAST_DELAY_S) if over > 0 else 0.0
            self._keep(key, wrong)
        return 0.0

    def forgive(self, address: str, name: str, now: float) -> None:
        """The try just counted was not wrong, and proves nothing either."""
        for key, _ in self._keys(address, name):
            wrong = self._of(key, now)
            wrong.count, wrong.until = max(0, wrong.count - 1), 0.0

    def succeeded(self, address: str, name: str, now: float) -> None:
        """He signed in: his wrong tries are forgotten, and those of others at his address no longer slow him."""
        self.forgive(address, name, now)
        pair = (source_of(address), name)
        self._wrong.pop(pair, None)
        self._trusted[pair] = None
        self._trusted.move_to_end(pair)
        if len(self._trusted) > REMEMBERED_LIMIT:
            self._trusted.popitem(last=False)

    def _keys(self, address: str, name: str) -> list[tuple[Key, int]]:
        source = source_of(address)
        pair = (source, name)
        return [(pair, FREE_PAIR)] if pair in self._trusted else [(pair, FREE_PAIR), ((source, ""), FREE_SOURCE)]

    def _of(self, key: Key, now: float) -> Wrong:
        wrong = self._wrong.get(key)
        return Wrong() if wrong is None or now - wrong.last > FORGET_S else wrong

    def _keep(self, key: Key, wrong: Wrong) -> None:
        self._wrong.pop(key, None)
        self._wrong[key] = wrong  # the last in order: what is forgotten first is the oldest
        if len(self._wrong) > REMEMBERED_LIMIT:
            self._wrong.popitem(last=False)
