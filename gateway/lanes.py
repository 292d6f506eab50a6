"""Who is served next: lanes by traffic class, shared 8:3:1, and inside a lane the accounts, turn by turn.

Source: start-time fair queueing (Goyal, Vin, Cheng 1996) between lanes, deficit round robin
(Shreedhar, Varghese 1995) between accounts. Parts are what is shared: they are what is paced and paid.
Pure: the same puts and takes give the same order. What must not enter: rows, connectors, time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from gateway.message import Message

OTP, TRANSACTIONAL, MARKETING = LANES = range(3)  # the most urgent first
LANE_OF_CLASS: Final = {"otp": OTP, "transactional": TRANSACTIONAL, "service": TRANSACTIONAL, "marketing": MARKETING}
LANE_NAMES: Final = ("otp", "transactional", "marketing")
PART_COSTS: Final = (3, 8, 24)  # shares 8:3:1 while all wait: what a part of each lane costs, 24 over its share
QUANTUM_PARTS: Final = 10  # telecom.parts.MAX_PARTS: so every turn of an account serves a message at least
SPARE_OF_CLASS: Final = {"otp": 0.0, "transactional": 0.0, "service": 0.0, "marketing": 0.25}
"""The share of a window, and of a burst, that marketing leaves free for what is more urgent and may come (chosen)."""


class LaneTurns:
    """Whose turn it is among the lanes that wait.

    Each lane has the virtual time at which its next message is due. A lane that begins to wait is due now: it saved
    nothing up.
    """

    __slots__ = ("_due", "_now", "_waiting")

    def __init__(self) -> None:
        self._due = [0, 0, 0]
        self._now = 0
        self._waiting: list[int] = []

    @property
    def waiting(self) -> int:
        """How many lanes wait."""
        return len(self._waiting)

    def begin(self, lane: int) -> bool:
        """A message waits in this lane; whether it is the first."""
        if lane in self._waiting:
            return False
        self._waiting.append(lane)
        self._waiting.sort()
        self._due[lane] = max(self._due[lane], self._now)
        return True

    def next(self) -> int | None:
        """The lane whose turn it is; where several are due at once, the most urgent."""
        waiting = self._waiting
        if len(waiting) < 2:
            return waiting[0] if waiting else None
        return min(waiting, key=self._due.__getitem__)

    def next_past(self, stuck: int, parts: int) -> int | None:
        """The lane that may pass a stuck one, whose next message of so many parts finds no room.

        Only more urgent lanes may, and by no more than their share of what the stuck message takes: so a wide message
        holds up nobody, and finds its room in the end.
        """
        due = self._due
        limit = due[stuck] + parts * PART_COSTS[stuck]
        passing = [lane for lane in self._waiting if lane < stuck and due[lane] < limit]
        return min(passing, key=due.__getitem__, default=None)

    def charge(self, lane: int, parts: int) -> None:
        """A message of so many parts of this lane was taken."""
        due = self._due
        if due[lane] > self._now:
            self._now = due[lane]
        due[lane] += parts * PART_COSTS[lane]

    def end(self, lane: int) -> None:
        """Nothing waits in this lane any more."""
        self._waiting.remove(lane)


class _Account:
    """One account's messages of a lane, in order, and how many parts it may still send in its turn."""

    __slots__ = ("allowance", "messages")

    def __init__(self) -> None:
        self.allowance = QUANTUM_PARTS
        self.messages: deque[Message] = deque()


class FairQueue:
    """The messages of one lane: of each account in order, between accounts in turns of QUANTUM_PARTS parts."""

    __slots__ = ("_accounts", "_first", "_turns", "count")

    def __init__(self) -> None:
        self.count = 0
        self._first: deque[Message] = deque()
        self._accounts: dict[int, _Account] = {}
        self._turns: deque[_Account] = deque()  # the first has the turn

    def __iter__(self) -> Iterator[Message]:
        yield from self._first
        for account in self._turns:
            yield from account.messages

    def held(self, account_id: int) -> int:
        """How many messages of an account wait here; those put first are not counted."""
        account = self._accounts.get(account_id)
        return 0 if account is None else len(account.messages)

    def put(self, message: Message) -> None:
        """Queue a message behind its account's others."""
        account = self._accounts.get(message.account_id)
        if account is None:
            account = self._accounts[message.account_id] = _Account()
            self._turns.append(account)
        account.messages.append(message)
        self.count += 1

    def put_first(self, message: Message) -> None:
        """Queue a message before all others: it had its turn."""
        self._first.appendleft(message)
        self.count += 1

    def head(self) -> Message:
        """The next message, left where it is. Asked again, it is the same."""
        if self._first:
            return self._first[0]
        while True:
            account = self._turns[0]
            message = account.messages[0]
            if message.part_count <= account.allowance:
                return message
            account.allowance += QUANTUM_PARTS
            self._turns.rotate(-1)

    def take(self) -> Message:
        """The next message."""
        message = self.head()
        self.count -= 1
        if self._first:
            return self._first.popleft()
        account = self._turns[0]
        messages = account.messages
        messages.popleft()
        account.allowance -= message.part_count
        if not messages:
            self._turns.popleft()
            del self._accounts[message.account_id]
        return message

    def withdraw(self, message: Message) -> bool:
        """Take this very message out, wherever it stands; False: it is not here."""
        account = self._accounts.get(message.account_id)
        for waiting in (self._first, account.messages if account is not None else ()):
            for place, each in enumerate(waiting):
                if each is message:
                    del waiting[place]  # type: ignore[union-attr]  # an empty tuple has no place
                    self.count -= 1
                    if account is not None and not account.messages:
                        self._turns.remove(account)
                        del self._accounts[message.account_id]
                    return True
        return False
