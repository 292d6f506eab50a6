"""How fast a login and its account may submit: parts a second, a minute, a day.

Source: smpp-answers (over the account's rate: 0x58); docs/smpp.md says why the day's end is a permanent refusal.
What must not enter: waiting, statuses, SQL (the day's count of former lives is handed in).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.accept.fact_book import FactBook
from gateway.accept.refusals import Refusal
from gateway.pace import Pace, Quota
from gateway.storage.facts import AccountRow, EsmeRow

MINUTE_S = 60
DAY_MS = 86_400_000


class AccountRate:
    """What all logins of an account share."""

    __slots__ = ("day", "minute", "pace", "wall_ms")

    def __init__(self, account: AccountRow, now: float, wall_ms: Callable[[], int]) -> None:
        self.pace = Pace(account.tps, now)
        self.minute = Quota(account.per_minute)
        self.day = Quota(account.per_day)
        self.wall_ms = wall_ms

    def refusal(self, parts: int, now: float) -> Refusal | None:
        """Take so many parts, or tell which limit is in the way."""
        day, minute = self.wall_ms() // DAY_MS, int(now) // MINUTE_S
        if not self.day.has(parts, day):
            return Refusal.DAY_LIMIT
        if not self.minute.has(parts, minute) or not self.pace.take(parts, now):
            return Refusal.RATE_EXCEEDED
        self.day.used += parts
        self.minute.used += parts
        return None


class LoginRate:
    """What one submission has to pass. account None: the account has no limit of its own."""

    __slots__ = ("account", "pace")

    def __init__(self, pace: Pace, account: AccountRate | None) -> None:
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
            self.account.minute.give_back(parts)
            self.account.day.give_back(parts)


class Rates:
    """The rates of all logins that bound to this node."""

    def __init__(self, book: FactBook, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._paces: dict[int, Pace] = {}  # by esme_id
        self._accounts: dict[int, AccountRate] = {}
        self._rates: dict[int, LoginRate] = {}  # by esme_id
        self.book = book

    def of(self, esme: EsmeRow, now: float) -> LoginRate:
        """The rate of a login, over all its binds."""
        rate = self._rates.get(esme.esme_id)
        if rate is None:
            pace = self._paces.get(esme.esme_id) or self._paces.setdefault(esme.esme_id, Pace(esme.tps, now))
            pace.rate_per_s = esme.tps
            rate = self._rates[esme.esme_id] = LoginRate(pace, self._account(esme.account_id, now))
        return rate

    def apply(self, book: FactBook) -> None:
        """Facts changed: ask `of` again. What was used up stays used."""
        self.book = book
        self._rates.clear()

    def _account(self, account_id: int, now: float) -> AccountRate | None:
        account = self.book.accounts[account_id]
        if not (account.tps or account.per_minute or account.per_day):
            return None
        rate = self._accounts.get(account_id)
        if rate is None:
            rate = self._accounts[account_id] = AccountRate(account, now, self._wall_ms)
        rate.pace.rate_per_s, rate.minute.limit, rate.day.limit = account.tps, account.per_minute, account.per_day
        return rate

    def limited_by_day(self) -> list[int]:
        """The accounts whose parts of today have to be known."""
        return [account_id for account_id, account in self.book.accounts.items() if account.per_day]

    def counted(self, parts: Mapping[int, int], now: float) -> None:
        """What the database knows of today, from former lives and other nodes too."""
        day = self._wall_ms() // DAY_MS
        for account_id in self.limited_by_day():
            rate = self._account(account_id, now)
            if rate is not None:
                rate.day.has(0, day)
                rate.day.used = max(rate.day.used, parts.get(account_id, 0))
