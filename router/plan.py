"""A plan: the groups of routes that fit one kind of message, in the order asked, with their reasons written.

Weighing is by hash, so that equal sticky keys choose alike in every process: each key has one home in a
group, drawn by weight; keys whose home is out choose among the rest by weighted rendezvous (highest random
weight, Thaler and Ravishankar 1998), so only the traffic of the missing member moves. Chance must not
enter: the key is all there is.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby
from math import log
from typing import Final

from msgspec import Struct

from router.facts import WHY_LIMIT, Facts, NoRoute, RouteChoice
from router.route import Route, described

SITUATIONS_LIMIT: Final = 256
"""Remembered combinations of health per plan; chosen: eight connectors in every mix of up and down."""

NO_MATCH: Final = NoRoute("no_match", "no route fits this destination, account, sender, class and time")

_TRIED: Final = "tried"
_NEVER: Final = frozenset({"suspended", _TRIED})
_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_STEP: Final = 0x9E37_79B9_7F4A_7C15  # 2**64 over the golden ratio, the step of a Weyl sequence
_STIR: Final = 0xBF58_476D_1CE4_E5B9  # first multiplier of splitmix64 (Steele, Lea, Flood 2014)


def draw(key: int, salt: int) -> int:
    """An even 32-bit number that depends on both arguments and on nothing else."""
    mixed = ((key + salt) * _STEP) & _MASK
    return (((mixed ^ (mixed >> 32)) * _STIR) & _MASK) >> 32


def _salt(number: int) -> int:
    return (draw(number, 1) << 32) | draw(number, 2)


class Member(Struct, frozen=True):
    """A route inside its group; choice is what it answers when it is its turn and its connector is up."""

    route: Route
    connector: str
    weight: int
    salt: int
    choice: RouteChoice


class Group:
    """Routes of one order and match that fit the same message; `only` is the single member, if single."""

    __slots__ = ("_marks", "_salt", "_total", "members", "only")

    def __init__(self, routes: Sequence[Route]) -> None:
        self._marks = list(accumulate(route.weight for route in routes))
        self._total = self._marks[-1]
        self._salt = _salt(2 * routes[0].order)
        self.members = tuple(_member(route, _shared(routes, route)) for route in routes)
        self.only = self.members[0] if len(routes) == 1 else None

    def home(self, sticky_key: int) -> Member:
        """The member this key goes to while that member is usable."""
        return self.members[bisect_right(self._marks, (draw(sticky_key, self._salt) * self._total) >> 32)]


class Situation(Struct, frozen=True):
    """What a plan comes to under one combination of health: the group whose turn it is, and who is usable."""

    group: Group
    usable: tuple[Member, ...]
    choices: dict[int, RouteChoice]

    def pick(self, sticky_key: int) -> RouteChoice:
        """The usable member of this key, by its home or by rendezvous."""
        if len(self.usable) == 1:
            return self.choices[self.usable[0].route.route_id]
        home = self.choices.get(self.group.home(sticky_key).route.route_id)
        if home is not None:
            return home
        times = [_race_time(member, sticky_key) for member in self.usable]
        return self.choices[self.usable[times.index(min(times))].route.route_id]


class Plan:
    """The groups for one kind of message, first to last; `first` is None when no route fits."""

    __slots__ = ("_connectors", "_groups", "_situations", "first")

    def __init__(self, routes: Sequence[Route]) -> None:
        """routes: those that fit, sorted by `rank_of`."""
        parts = groupby(routes, key=lambda route: (route.order, route.match))
        self._groups = tuple(Group(tuple(members)) for _, members in parts)
        self._connectors = tuple(route.connector for route in routes)
        self._situations: dict[tuple[str, ...], Situation | NoRoute] = {}
        self.first = self._groups[0] if self._groups else None

    def detour(self, facts: Facts, health: Mapping[str, str]) -> RouteChoice | NoRoute:
        """The choice in general: what is up, in order; else what is down, in order; else nothing."""
        excluded = facts.excluded
        states = tuple([_TRIED if name in excluded else health.get(name, "down") for name in self._connectors])
        situation = self._situations.get(states)
        if situation is None:
            if len(self._situations) >= SITUATIONS_LIMIT:
                self._situations.clear()
            situation = self._situations[states] = self._situation(states)
        return situation if isinstance(situation, NoRoute) else situation.pick(facts.sticky_key)

    def _situation(self, states: tuple[str, ...]) -> Situation | NoRoute:
        if not states:
            return NO_MATCH
        waiting = "up" not in states
        skipped: list[str] = []
        remaining = iter(states)
        for group in self._groups:
            usable: list[Member] = []
            for member, state in zip(group.members, remaining, strict=False):
                if state == "up" or (waiting and state not in _NEVER):
                    usable.append(member)
                else:
                    skipped.append(f"{member.connector} ({state})")
            if usable:
                return Situation(group, tuple(usable), _reworded(usable, skipped, waiting))
        return NoRoute("none_left", _fitted("no connector left", skipped))


def _member(route: Route, share: str) -> Member:
    choice = RouteChoice(route.connector, route.route_id, _fitted(described(route) + share))
    return Member(route, route.connector, route.weight, _salt(2 * route.route_id + 1), choice)


def _shared(routes: Sequence[Route], route: Route) -> str:
    name = next((f" in group {each.group}" for each in routes if each.group), "")
    if len(routes) == 1:
        return name
    return f", weight {route.weight} of {sum(each.weight for each in routes)}{name}"


def _race_time(member: Member, sticky_key: int) -> float:
    """Exponential variate of rate weight: the first of several to arrive wins in proportion to its weight."""
    return -log((draw(sticky_key, member.salt) + 0.5) * 2**-32) / member.weight


def _reworded(usable: Sequence[Member], skipped: Sequence[str], waiting: bool) -> dict[int, RouteChoice]:
    opening = "waiting, none up; " if waiting else ""
    return {
        member.route.route_id: RouteChoice(
            member.connector,
            member.route.route_id,
            _fitted(opening + member.choice.why, skipped),
            waiting,
        )
        for member in usable
    }


def _fitted(text: str, skipped: Sequence[str] = ()) -> str:
    """The text and, as far as `WHY_LIMIT` allows, what was passed over."""
    for count in range(len(skipped), 0, -1):
        rest = f" and {len(skipped) - count} more" if count < len(skipped) else ""
        whole = f"{text}; not {', '.join(skipped[:count])}{rest}"
        if len(whole) <= WHY_LIMIT:
            return whole
    if skipped and len(text) + len(f"; {len(skipped)} skipped") <= WHY_LIMIT:
        return f"{text}; {len(skipped)} skipped"
    return text if len(text) <= WHY_LIMIT else text[: WHY_LIMIT - 1] + "…"
