"""What two lists of routes, or of rates, say differently: added, removed, changed, and in words.

A route is the same by its number; a rate by its account and prefix. Pure: rows in, values out.
What must not enter: which list is in force, rows of a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from gateway.storage.facts import FactRows, RateRow, RouteRow
from telecom.money import format_credits

Language = Literal["en", "fr"]
What = Literal["added", "removed", "changed"]
Values = dict[str, str | None]

_WORDS: Final[dict[What, tuple[str, str]]] = {
    "added": ("added: {subject}: {after}", "ajouté : {subject} : {after}"),
    "removed": ("removed: {subject}: {before}", "retiré : {subject} : {before}"),
    "changed": ("changed: {subject}: {changes}", "modifié : {subject} : {changes}"),
}
_FIELDS_FR: Final = {
    "order": "ordre",
    "to": "vers",
    "account": "compte",
    "sender": "expéditeur",
    "traffic_class": "classe",
    "windows": "plages",
    "connector": "connecteur",
    "weight": "poids",
    "enabled": "active",
    "cost": "coût",
    "price": "prix",
    "yes": "oui",
    "no": "non",
    "all": "tous",
}


class Names(msgspec.Struct, frozen=True):
    """What people call accounts and connectors, by their numbers."""

    accounts: Mapping[int, str]
    connectors: Mapping[int, str]


def names_of(rows: FactRows) -> Names:
    """What people call them, by the facts."""
    accounts = {row.account_id: row.name for row in rows.accounts}
    return Names(accounts, {row.connector_id: row.name for row in rows.connectors})


class Change(msgspec.Struct, frozen=True):
    """One difference. subject: a route's number (0: it has none yet), or account and prefix of a rate."""

    what: What
    subject: str
    before: Values
    after: Values

    @property
    def fields(self) -> list[str]:
        """What is said differently."""
        return [key for key in {**self.before, **self.after} if self.before.get(key) != self.after.get(key)]


class Differences(msgspec.Struct, frozen=True):
    """All counts, and the first changes."""

    added: int
    removed: int
    changed: int
    changes: list[Change]


def compare_routes(before: Sequence[RouteRow], after: Sequence[RouteRow], names: Names, limit: int) -> Differences:
    """What the second list says differently. limit: changes that are told one by one."""
    new = [row for row in after if row.route_id == 0]
    numbered = {row.route_id: row for row in after if row.route_id != 0}
    found = _compare({row.route_id: row for row in before}, numbered, limit)
    changes = [_route_change(*each, names) for each in found.changes]
    changes += [_route_change("added", None, row, names) for row in new][: max(0, limit - len(changes))]
    return Differences(found.added + len(new), found.removed, found.changed, changes)


def compare_rates(before: Sequence[RateRow], after: Sequence[RateRow], names: Names, limit: int) -> Differences:
    """The same of rates."""

    def keyed(rows: Iterable[RateRow]) -> dict[tuple[int, str], int]:
        return {(row.account_id or 0, row.prefix): row.price_micros for row in rows}

    former, latter = keyed(before), keyed(after)
    gone = [key for key in former if key not in latter]
    fresh = [key for key in latter if key not in former]
    other = [key for key, price in latter.items() if former.get(key, price) != price]
    changes: list[Change] = []
    kinds: tuple[tuple[What, list[tuple[int, str]]], ...] = (("removed", gone), ("changed", other), ("added", fresh))
    for what, keys in kinds:
        for key in keys[: max(0, limit - len(changes))]:
            who = f"{names.accounts.get(key[0], key[0])} " if key[0] else ""
            changes.append(Change(what, f"{who}{key[1]}", _price(former.get(key)), _price(latter.get(key))))
    return Differences(len(fresh), len(gone), len(other), changes)


class _Found(msgspec.Struct):
    added: int
    removed: int
    changed: int
    changes: list[tuple[What, RouteRow | None, RouteRow | None]]


def _compare(before: Mapping[int, RouteRow], after: Mapping[int, RouteRow], limit: int) -> _Found:
    gone = [row for route_id, row in before.items() if route_id not in after]
    fresh = [row for route_id, row in after.items() if route_id not in before]
    other = [(before[i], row) for i, row in after.items() if i in before and before[i] != row]
    changes: list[tuple[What, RouteRow | None, RouteRow | None]] = [("removed", row, None) for row in gone]
    changes += [("changed", former, latter) for former, latter in other]
    changes += [("added", None, row) for row in fresh]
    return _Found(len(fresh), len(gone), len(other), changes[:limit])


def _route_change(what: What, before: RouteRow | None, after: RouteRow | None, names: Names) -> Change:
    row = after or before
    assert row is not None
    subject = f"route {row.route_id}" if row.route_id else "route"
    return Change(what, subject, _values(before, names), _values(after, names))


def _values(row: RouteRow | None, names: Names) -> Values:
    """A route as people read it."""
    if row is None:
        return {}
    return {
        "order": str(row.order),
        "to": row.match,
        "connector": names.connectors.get(row.connector_id, str(row.connector_id)),
        "weight": str(row.weight),
        "account": None if row.account_id is None else names.accounts.get(row.account_id, str(row.account_id)),
        "sender": row.sender,
        "traffic_class": row.traffic_class,
        "windows": " ".join(f"{start}-{end}" for start, end in row.window or ()) or None,
        "enabled": "yes" if row.enabled else "no",
        "cost": None if row.cost_micros is None else format_credits(row.cost_micros),
    }


def _price(micros: int | None) -> Values:
    return {} if micros is None else {"price": format_credits(micros)}


def sentence(change: Change, language: Language) -> str:
    """A change as people read it: `changed: route 3: weight 1 -> 2`."""
    french = language == "fr"
    word: Callable[[str], str] = (lambda text: _FIELDS_FR.get(text, text)) if french else str

    def told(values: Values) -> str:
        return ", ".join(f"{word(key)} {word(value)}" for key, value in values.items() if value is not None)

    changes = ", ".join(
        f"{word(key)} {word(change.before.get(key) or '-')} -> {word(change.after.get(key) or '-')}"
        for key in change.fields
    )
    words = _WORDS[change.what][french]
    return words.format(subject=change.subject, before=told(change.before), after=told(change.after), changes=changes)
