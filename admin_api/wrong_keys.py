"""How long an address waits that asked with wrong API keys: a growing pause, during which it may try no unknown key.

Source: gateway.ingress.lockout, whose numbers these are. Counted for an address (IPv4, or the /64 of an IPv6 one),
never for a key: 256 bits are not guessed, but each guess costs a question to PostgreSQL. A key that is known to be
right is not asked about here, so nobody is locked out by a neighbour behind the same address, nor from elsewhere.
Pure: the present is passed in. What must not enter: keys, waiting.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.ingress.lockout import (
    FIRST_DELAY_S,
    FORGET_S,
    FREE_SOURCE,
    LAST_DELAY_S,
    REMEMBERED_LIMIT,
    source_of,
)


class WrongKeys:
    """Wrong keys by the source they came from: how many, when the last came, when the next may."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def pause_s(self, address: str, now: float) -> float:
        """For how long this address may try no key; 0.0: it may."""
        _, last, until = self._wrong.get(source_of(address), (0, now, now))
        return 0.0 if now - last > FORGET_S else max(0.0, until - now)

    def wrong(self, address: str, now: float) -> float:
        """A key from there was none; the pause that begins. Those that were asked about together begin one."""
        source = source_of(address)
        count, last, until = self._wrong.pop(source, (0, now, now))
        if now < until:
            self._wrong[source] = (count, now, until)
            return 0.0
        count = 1 if now - last > FORGET_S else count + 1
        over = count - FREE_SOURCE
        pause_s = min(FIRST_DELAY_S * 2.0 ** min(over - 1, 60), LAST_DELAY_S) if over > 0 else 0.0
        self._wrong[source] = (count, now, now + pause_s)  # the last in order: what is forgotten first is the oldest
        if len(self._wrong) > REMEMBERED_LIMIT:
            self._wrong.popitem(last=False)
        return pause_s

    def right(self, address: str) -> None:
        """A key from there was right: it begins anew, lest one mistyped key a day add up."""
        self._wrong.pop(source_of(address), None)
