"""Whose a message from a handset is: by the number it was sent to and its first word, laid out for looking up.

Source: architecture section 3, "MO". The most particular place decides: the number itself before its prefixes, longer
prefixes first; within a place a keyword before no keyword, then the lower order. Pure: rows in, values out.
What must not enter: texts (the caller gives the folded first word), conversations (rows), opt-out words.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gateway.storage.facts import InboundRouteRow


class InboundChoice(msgspec.Struct, frozen=True):
    """An owner and why. shared: the routes of all accounts that use the number, where no keyword decided."""

    route: InboundRouteRow
    why: str
    shared: tuple[InboundRouteRow, ...] = ()


class InboundTable:
    """The routes of one instant."""

    def __init__(self, routes: list[InboundRouteRow]) -> None:
        self._numbers: dict[str, list[InboundRouteRow]] = {}
        self._prefixes: dict[str, list[InboundRouteRow]] = {}
        for route in sorted(routes, key=lambda r: (r.order, r.route_id)):
            places = self._prefixes if route.is_prefix else self._numbers
            places.setdefault(route.address, []).append(route)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes}, reverse=True)
        self.numbers = frozenset(self._numbers)  # our own: what we send from
        self.has_shared = any(_accounts(r) > 1 for places in (self._numbers, self._prefixes) for r in places.values())

    def _places(self, number: str) -> Iterator[tuple[str, list[InboundRouteRow]]]:
        exact = self._numbers.get(number)
        if exact is not None:
            yield f"number {number}", exact
        for length in self._lengths:
            routes = self._prefixes.get(number[:length])
            if routes is not None and length <= len(number):
                yield (f"prefix {number[:length]}" if length else "any number"), routes

    def choose(self, number: str, keyword: str) -> InboundChoice | None:
        """The owner of a message to a number (without plus) with this first word; None: nobody's."""
        for place, routes in self._places(number):
            for route in routes:
                if route.keyword is not None and route.keyword == keyword:
                    return InboundChoice(route, f"{place}, keyword {keyword}")
            for route in routes:
                if route.keyword is None:
                    shared = tuple(routes) if _accounts(routes) > 1 else ()
                    return InboundChoice(route, f"{place}, whatever the word", shared)
        return None

    def sharers(self, number: str) -> tuple[InboundRouteRow, ...]:
        """The routes of the accounts that use a number, at its most particular place; the best of an account first."""
        for _, routes in self._places(number):
            return tuple(sorted(routes, key=lambda r: r.keyword is not None))
        return ()

    def is_shared(self, number: str) -> bool:
        """Whether several accounts use a number."""
        return self.has_shared and _accounts(self.sharers(number)) > 1


def _accounts(routes: list[InboundRouteRow] | tuple[InboundRouteRow, ...]) -> int:
    return len({route.account_id for route in routes})
