"""How nodes share binds: fairly, with few moves, and to an end from wherever they begin.

Source: decision 0016. What must not enter: rows, links.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.cluster.fair_shares import Change, change_of

FOUR = range(4)


def test_a_node_alone_takes_all() -> None:
    assert change_of(1, {1: 4}, {}, FOUR) == Change(frozenset(), frozenset(FOUR))


def test_a_node_that_joins_gets_half() -> None:
    owners = dict.fromkeys(FOUR, 1)
    assert change_of(1, {1: 4, 2: 4}, owners, FOUR) == Change(frozenset({0, 1}), frozenset())
    assert change_of(2, {1: 4, 2: 4}, owners, FOUR) == Change(frozenset(), frozenset())
    assert change_of(2, {1: 4, 2: 4}, {2: 1, 3: 1}, FOUR) == Change(frozenset(), frozenset({0, 1}))


def test_one_bind_stays_where_it_is() -> None:
    assert change_of(1, {1: 1, 2: 1}, {0: 2}, range(1)) == Change(frozenset(), frozenset())
    assert change_of(2, {1: 1, 2: 1}, {0: 2}, range(1)) == Change(frozenset(), frozenset())


def test_binds_of_a_node_that_is_not_fenced_yet_are_left_alone() -> None:
    assert change_of(1, {1: 4}, {0: 1, 1: 1, 2: 9, 3: 9}, FOUR) == Change(frozenset(), frozenset())


def test_what_only_one_node_configures_is_held_by_that_one() -> None:
    assert change_of(2, {1: 1, 2: 4}, {0: 2, 1: 2, 2: 2}, FOUR) == Change(frozenset({0}), frozenset({3}))
    assert change_of(1, {1: 1, 2: 4}, dict.fromkeys(range(1, 4), 2), FOUR) == Change(frozenset(), frozenset({0}))


def test_a_node_that_configures_none_keeps_none() -> None:
    assert change_of(1, {2: 4}, {0: 1, 1: 2}, FOUR) == Change(frozenset({0}), frozenset())


@given(
    st.dictionaries(st.integers(1, 6), st.integers(1, 8), min_size=1, max_size=5),
    st.dictionaries(st.integers(0, 7), st.integers(1, 6)),
)
def test_nodes_that_act_in_turns_come_to_rest_with_every_bind_held(
    configured: dict[int, int], owners: dict[int, int]
) -> None:
    numbers = range(max(configured.values()))
    owners = {n: node for n, node in owners.items() if node in configured and n < configured[node]}
    for _ in range(40):
        changes = {me: change_of(me, configured, owners, numbers) for me in configured}
        if not any(change.give_back or change.take for change in changes.values()):
            break
        for me, change in changes.items():
            owners = {n: node for n, node in owners.items() if n not in change.give_back}
            owners |= {n: me for n in change.take if n not in owners}
    else:
        raise AssertionError(owners)
    assert set(owners) == set(numbers)
    assert all(number < configured[node] for number, node in owners.items())
    if len(set(configured.values())) == 1:
        held = Counter(owners.values())
        counts = [held[node] for node in configured]
        assert max(counts) - min(counts) <= 1
