"""Who wants to hear nothing more from an account, by his own word: a set in memory that changes row by row.

Source: promise P9; defaults.md, "Opt-out words". It stands beside the book of facts because it is large and changes by
itself: one opt-out must not make a node read everything again. Rows are the truth (storage.inbound.read_opt_outs).
What must not enter: texts, clocks, an operator's blocks (fact_book).
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.storage.inbound import OptOutChange

OUR_OWN = 0  # esme_id of what the gateway itself sends: the answer to STOP must reach who said it


class OptOuts:
    """Some 70 octets each, as integers by account: a million of them in 70 MB."""

    def __init__(self, spared_classes: frozenset[str] = frozenset({"otp"})) -> None:
        self.spared_classes = spared_classes
        self.mark: str | None = None  # up to which transaction rows were read; None: not yet
        self._by_account: dict[int, set[int]] = {}

    def change(self, account_id: int, number: str, opted_out: bool) -> None:
        """A person's last word. number: E.164 digits."""
        if opted_out:
            self._by_account.setdefault(account_id, set()).add(int(number))
        else:
            self._by_account.get(account_id, set()).discard(int(number))

    def apply(self, changes: Iterable[OptOutChange]) -> None:
        """Several, in any order: one of a person and account."""
        for each in changes:
            self.change(each.account_id, each.number, each.opted_out)

    def forbid(self, account_id: int, destination: str, traffic_class: str, esme_id: int) -> bool:
        """Whether this account may not write to this number (digits)."""
        numbers = self._by_account.get(account_id)
        if not numbers:
            return False
        return int(destination) in numbers and traffic_class not in self.spared_classes and esme_id != OUR_OWN

    def __len__(self) -> int:
        return sum(map(len, self._by_account.values()))


NOBODY = OptOuts()
"""Where nobody opted out; it is never changed."""
