"""How fast a login and its account may submit: parts a second, a minute, a day; over all nodes that keep the limits.

Source: smpp-answers (over the account's rate: 0x58); docs/smpp.md says why the day's end is a permanent refusal.
What must not enter: waiting, statuses, SQL (the day's count of former lives is handed in), who lends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gateway.accept.fact_book import FactBook
from gateway.accept.refusals import Refusal
from gateway.ingress.limit_shares import ALONE, SharedPace, SharedQuota, Sharing
from gateway.storage.facts import AccountRow, EsmeRow

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Wish(msgspec.Struct, frozen=True):
    """Parts of one limit that this node wants to borrow; negative: gives back. name: the same on every node."""

    name: str
    bucket: SharedPace | SharedQuota
    parts: float


class AccountRate:
    """What all logins of an account share."""

    __slots__ = ("day", "minute", "pace", "wall_ms")

    def __init__(self, account: AccountRow, now: float, wall_ms: Callable[[], int], sharing: Sharing) -> None:
        self.pace = SharedPace(account.tps, now, sharing)
        self.minute = SharedQuota(account.per_minute, sharing)
        self.day = SharedQuota(account.per_day, sharing)
        self.wall_ms = wall_ms

    def share(self, account: AccountRow, sharing: Sharing, now: float) -> None:
        """Go by other limits, or keep them with others."""
        self.pace.share(account.tps, sharing, now)
        self.minute.share(account.per_minute, sharing)
        self.day.share(account.per_day, sharing)

    def refusal(self, parts: int, now: float) -> Refusal | None:
        """Take so many parts, or tell which limit is in the way."""
        wall_ms = self.wall_ms()
        if not self.day.has(parts, wall_ms // DAY_MS):
            return Refusal.DAY_LIMIT if self.day.is_used_up else Refusal.RATE_EXCEEDED
        if not self.minute.has(parts, wall_ms // MINUTE_MS) or not self.pace.take(parts, now):
            return Refusal.RATE_EXCEEDED
        self.day.take(parts)
        self.minute.take(parts)
        return None

    def not_accepted(self, parts: int) -> None:
        """What passed was refused after all: it does not count against the minute and the day."""
        self.minute.give_back(parts)
        self.day.give_back(parts)


class LoginRate:
    """What one submission has to pass. account None: the account has no limit of its own."""

    __slots__ = ("account", "pace")

    def __init__(self, pace: SharedPace, account: AccountRate | None) -> None:
        self.pace = pace
        self.account = account

    def refusal(self, parts: int, now: float) -> Refusal | None:
        """Take so many parts at `now` (monotonic seconds), or tell which limit is in the way."""
        if not self.pace.take(parts, now):
            return Refusal.RATE_EXCEEDED
        if self.account is None:
            return None
        refusal = self.account.refusal(parts, now)
        if refusal is not None:
            self.pace.put_back(parts)
        return refusal

    def not_accepted(self, parts: int) -> None:
        """What passed was refused after all: it does not count against the minute and the day."""
        if self.account is not None:
            self.account.not_accepted(parts)


class Rates:
    """The rates of all logins that bound to this node."""

    def __init__(self, book: FactBook, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._paces: dict[int, SharedPace] = {}  # by esme_id
        self._accounts: dict[int, AccountRate] = {}
        self._rates: dict[int, LoginRate] = {}  # by esme_id
        self.sharing = ALONE
        self.book = book

    def of(self, esme: EsmeRow, now: float) -> LoginRate:
        """The rate of a login, over all its binds."""
        rate = self._rates.get(esme.esme_id)
        if rate is None:
            pace = self._paces.get(esme.esme_id)
            if pace is None:
                pace = self._paces[esme.esme_id] = SharedPace(esme.tps, now, self.sharing)
            pace.share(esme.tps, self.sharing, now)
            rate = self._rates[esme.esme_id] = LoginRate(pace, self.of_account(esme.account_id, now))
        return rate

    def apply(self, book: FactBook) -> None:
        """Facts changed: ask `of` again. What was used up stays used."""
        self.book = book
        self._rates.clear()

    def of_account(self, account_id: int, now: float) -> AccountRate | None:
        """What all logins of an account share, by whatever door; None: it has no limit."""
        account = self.book.accounts[account_id]
        if not (account.tps or account.per_minute or account.per_day):
            return None
        rate = self._accounts.get(account_id)
        if rate is None:
            rate = self._accounts[account_id] = AccountRate(account, now, self._wall_ms, self.sharing)
        rate.share(account, self.sharing, now)
        return rate

    def limited_by_day(self) -> list[int]:
        """The accounts whose parts of today have to be known."""
        return [account_id for account_id, account in self.book.accounts.items() if account.per_day]

    def counted(self, parts: Mapping[int, int], now: float) -> None:
        """What the database knows of today, from former lives and other nodes too."""
        day = self._wall_ms() // DAY_MS
        for account_id in self.limited_by_day():
            rate = self.of_account(account_id, now)
            if rate is not None:
                rate.day.has(0, day)
                rate.day.counted(parts.get(account_id, 0))

    # -- with other nodes

    def share(self, sharing: Sharing, now: float) -> None:
        """Keep all limits with so many nodes from now on, borrowing or not."""
        if sharing == self.sharing:
            return
        self.sharing = sharing
        for pace in self._paces.values():
            pace.share(pace.limit, sharing, now)
        for rate in self._accounts.values():
            rate.pace.share(rate.pace.limit, sharing, now)
            rate.minute.share(rate.minute.limit, sharing)
            rate.day.share(rate.day.limit, sharing)

    def wishes(self) -> list[Wish]:
        """What is to be borrowed or given back now; nothing of limits that nobody asked since they were whole."""
        wishes = [Wish(f"login:{n}:second", pace, wish) for n, pace in self._paces.items() if (wish := pace.wish())]
        for n, rate in self._accounts.items():
            if wish := rate.pace.wish():
                wishes.append(Wish(f"account:{n}:second", rate.pace, wish))
            for span, quota in (("minute", rate.minute), ("day", rate.day)):
                if wish := quota.wish():
                    wishes.append(Wish(f"account:{n}:{span}:{quota.span}", quota, wish))
        return wishes
