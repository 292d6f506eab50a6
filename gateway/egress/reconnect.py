"""How long a link waits before it connects again, and to which of its addresses.

Source: smpp-answers, "Client link". Pure: chance is passed in.
What must not enter: sockets, the reason why a link ended (carrier_link.py names it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

End = Literal["steady", "failed", "refused", "already_bound"]
"""steady: it stood for a while. failed: no connection, no bind, or lost at once. refused: our credentials are."""

FIRST_S = 1.0  # smpp-answers: 1, 2, 4 ... 60 s with full jitter
REFUSED_FIRST_S, REFUSED_LAST_S = 60.0, 900.0  # smpp-answers: refused credentials, 60 s to 15 min
ALREADY_BOUND_S: Final = (30.0, 60.0)  # smpp-answers: 0x05 waits 30 to 60 s


class Reconnects:
    """One link's pauses and addresses."""

    def __init__(self, addresses: int, last_s: float, sticky: bool) -> None:
        """addresses: how many there are; sticky: the one that stood is asked again, else always the first."""
        self.place = 0
        self._addresses = addresses
        self._sticky = sticky
        self._last_s = last_s
        self._pause_s = FIRST_S
        self._refused_s = REFUSED_FIRST_S

    def after(self, end: End, uniform: Callable[[float, float], float]) -> float:
        """The pause, in seconds, after a connection that ended so; where this address failed, another is next."""
        if end != "steady":
            self.place = (self.place + 1) % self._addresses
        elif not self._sticky:
            self.place = 0
        if end == "refused":  # carriers count these: the whole time, no jitter
            pause_s, self._refused_s = self._refused_s, min(self._refused_s * 2, REFUSED_LAST_S)
            return pause_s
        self._refused_s = REFUSED_FIRST_S
        if end == "already_bound":
            return uniform(*ALREADY_BOUND_S)
        if end == "steady":
            self._pause_s = FIRST_S
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, self._last_s)
        return uniform(0, min(pause_s, self._last_s))
