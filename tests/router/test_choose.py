"""What the router chooses and why, case by case, then against the naive router on any table.

The sentences under test are those of the route table (order, closeness, weights, failover, waiting) and the promise
that explain never disagrees with choose. No figure of speed may enter: those are measured, not asserted.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.choose import Candidate, choose, explain
from router.facts import WHY_LIMIT, Facts, Health, NoRoute, RouteChoice
from router.route import MINUTES_OF_WEEK, Route
from router.table import RouteTable
from tests.router.known_tables import CONNECTORS, A, B, C, D, facts, route, table
from tests.router.naive_router import naive_choice

UP: dict[str, Health] = {A: "up", B: "up", C: "up", D: "up"}


def chosen(outcome: RouteChoice | NoRoute) -> str:
    assert isinstance(outcome, RouteChoice), outcome
    return outcome.connector


def verdicts(asked: Facts, routes: RouteTable, health: dict[str, Health]) -> dict[int, str]:
    return {each.route.route_id: each.verdict for each in explain(asked, routes, health).candidates}


def test_lower_order_wins_over_a_longer_prefix() -> None:
    routes = table(route(1, "22997", A, order=20), route(2, "229", B, order=10))
    assert chosen(choose(facts("22997000001"), routes, UP)) == B


def test_longest_prefix_wins_within_an_order() -> None:
    routes = table(route(1, "*", A), route(2, "229", B), route(3, "22997", C), route(4, "229979", D))
    assert chosen(choose(facts("22997000001"), routes, UP)) == C
    assert chosen(choose(facts("22961000001"), routes, UP)) == B
    assert chosen(choose(facts("33600000001"), routes, UP)) == A


def test_network_wins_over_prefix_and_prefix_over_country_and_country_over_everything() -> None:
    routes = table(route(1, "*", A), route(2, "616/*", B), route(3, "229", C), route(4, "616/03", D))
    assert chosen(choose(facts(), routes, UP)) == D
    assert chosen(choose(facts(mnc="02"), routes, UP)) == C
    assert chosen(choose(facts("33600000001", mnc=None), routes, UP)) == B
    assert chosen(choose(facts("33600000001", mcc=None, mnc=None), routes, UP)) == A


@pytest.mark.parametrize(
    ("written", "known", "verdict"),
    [
        ({"account_id": 8}, {}, "other_account"),
        ({"sender": "acme"}, {}, "other_sender"),
        ({"traffic_class": "otp"}, {}, "other_class"),
        ({"window": ((480, 1200),)}, {"minute_of_week": 479}, "outside_window"),
        ({"window": ((480, 1200),)}, {"minute_of_week": 1200}, "outside_window"),
        ({"enabled": False}, {}, "disabled"),
    ],
)
def test_route_that_does_not_fit_is_passed_over_and_explained(
    written: dict[str, Any], known: dict[str, Any], verdict: str
) -> None:
    routes = table(route(1, "229", A, **written), route(2, "*", B))
    assert chosen(choose(facts(**known), routes, UP)) == B
    assert verdicts(facts(**known), routes, UP) == {1: verdict, 2: "chosen"}


@pytest.mark.parametrize("minute", [480, 1199, MINUTES_OF_WEEK - 1])
def test_route_in_its_window_takes_the_message(minute: int) -> None:
    window = ((480, 1200), (10_000, MINUTES_OF_WEEK))
    routes = table(route(1, "229", A, window=window), route(2, "*", B))
    assert chosen(choose(facts(minute_of_week=479), routes, UP)) == B
    assert chosen(choose(facts(minute_of_week=minute), routes, UP)) == A


def test_no_fitting_route_is_a_reason_of_its_own() -> None:
    outcome = choose(facts("33600000001"), table(route(1, "229")), UP)
    assert outcome == NoRoute("no_match", "no route fits this destination, account, sender, class and time")
    assert choose(facts(), table(), {}) == outcome
    assert explain(facts("33600000001"), table(route(1, "229")), UP).elsewhere == 1


def test_down_connector_is_passed_over_for_a_later_order_that_is_up() -> None:
    routes = table(route(1, "229", A), route(2, "*", B, order=20))
    outcome = choose(facts(), routes, {A: "down", B: "up"})
    assert outcome == RouteChoice(B, 2, "route 2: order 20, any destination; not carrier-a (down)")


def test_message_waits_for_the_first_connector_when_all_are_down() -> None:
    routes = table(route(1, "229", A), route(2, "*", B, order=20))
    outcome = choose(facts(), routes, {A: "down", B: "down"})
    assert outcome == RouteChoice(A, 1, "waiting, none up; route 1: order 10, prefix 229", waiting=True)


def test_connector_nobody_reported_is_down() -> None:
    outcome = choose(facts(), table(route(1)), {})
    assert isinstance(outcome, RouteChoice)
    assert outcome.waiting


def test_suspended_connector_is_never_chosen_not_even_to_wait() -> None:
    routes = table(route(1, "229", A), route(2, "*", B, order=20))
    waiting = choose(facts(), routes, {A: "suspended", B: "down"})
    assert waiting == RouteChoice(
        B, 2, "waiting, none up; route 2: order 20, any destination; not carrier-a (suspended)", waiting=True
    )
    nothing = choose(facts(), routes, {A: "suspended", B: "suspended"})
    assert nothing == NoRoute("none_left", "no connector left; not carrier-a (suspended), carrier-b (suspended)")


def test_connector_already_tried_is_not_chosen_again_by_any_route() -> None:
    routes = table(route(1, "22997", A), route(2, "229", A), route(3, "*", B, order=20))
    assert chosen(choose(facts(excluded=frozenset({A})), routes, UP)) == B
    outcome = choose(facts(excluded=frozenset({A, B})), routes, UP)
    assert isinstance(outcome, NoRoute)
    assert outcome.reason == "none_left"


def test_parts_of_one_message_go_the_same_way_whatever_else_is_asked_between() -> None:
    routes = table(route(1, "*", A), route(2, "*", B), route(3, "*", C))
    first = choose(facts(sticky_key=99), routes, UP)
    for other in range(50):
        choose(facts(sticky_key=other), routes, UP)
    assert choose(facts(sticky_key=99), routes, UP) == first


def test_choice_of_a_group_is_the_same_in_every_process() -> None:
    routes = table(route(1, "*", A), route(2, "*", B))
    ways = "".join(chosen(choose(facts(sticky_key=key), routes, UP))[-1] for key in range(24))
    assert ways == "aaaababbabbabbbbbabaabba"


@pytest.mark.parametrize("step", [1, 1000, 2**32, 0xDEADBEEFCAFEF00D])
def test_weights_hold_within_two_percent(step: int) -> None:
    weights = {A: 50, B: 30, C: 15, D: 5}
    routes = table(
        *(route(number, "*", name, weight=weight) for number, (name, weight) in enumerate(weights.items(), 1))
    )
    keys = 100_000
    counts = Counter(chosen(choose(facts(sticky_key=key * step), routes, UP)) for key in range(keys))
    for name, weight in weights.items():
        assert abs(counts[name] / keys - weight / 100) < 0.02 * max(weight / 100, 0.25), (name, counts[name])


@pytest.mark.parametrize("out", ["down", "suspended", "tried"])
def test_only_the_traffic_of_a_missing_member_moves_and_it_spreads_by_weight(out: str) -> None:
    weights = {A: 50, B: 30, C: 15, D: 5}
    routes = table(
        *(route(number, "*", name, weight=weight) for number, (name, weight) in enumerate(weights.items(), 1))
    )
    health: dict[str, Health] = dict(UP) if out == "tried" else {**UP, A: "down" if out == "down" else "suspended"}
    excluded = frozenset({A} if out == "tried" else ())
    moved: Counter[str] = Counter()
    for key in range(40_000):
        before = chosen(choose(facts(sticky_key=key), routes, UP))
        after = chosen(choose(facts(sticky_key=key, excluded=excluded), routes, health))
        if before == A:
            moved[after] += 1
        else:
            assert after == before
    assert A not in moved
    total = moved.total()
    for name in (B, C, D):
        assert abs(moved[name] / total - weights[name] / 50) < 0.02, (name, moved[name])


def test_whole_group_stands_in_before_a_later_order() -> None:
    routes = table(route(1, "*", A, weight=1000), route(2, "*", B, weight=1), route(3, "*", C, order=20))
    health: dict[str, Health] = {**UP, A: "down"}
    assert {chosen(choose(facts(sticky_key=key), routes, health)) for key in range(200)} == {B}


def test_reason_names_the_group_the_weight_and_the_narrowing() -> None:
    narrow: dict[str, Any] = {"account_id": 7, "sender": "ACME", "traffic_class": "transactional"}
    routes = table(
        route(1, "229", A, weight=3, group="west", window=((0, 60),), **narrow), route(2, "229", B, weight=1)
    )
    whys = {choose(facts(sticky_key=key), routes, UP).why for key in range(50)}
    assert whys == {
        "route 1: order 10, prefix 229, account 7, sender ACME, class transactional, in its window, weight 3 of 4"
        " in group west",
        "route 2: order 10, prefix 229, weight 1 of 4 in group west",
    }


def test_reason_stays_within_its_limit_and_counts_what_it_cannot_name() -> None:
    names = [f"carrier-{number:02}-with-a-rather-long-name" for number in range(12)]
    written = [route(number, "*", name, order=number) for number, name in enumerate(names, 1)]
    routes = RouteTable.compile(written, names)
    assert isinstance(routes, RouteTable)
    outcome = choose(facts(), routes, {names[-1]: "up"})
    assert outcome.why == (
        "route 12: order 12, any destination; not carrier-00-with-a-rather-long-name (down) and 10 more"
    )
    long_name = "c" * 200
    cut = RouteTable.compile([route(1, "229", long_name, group="g" * 200)], [long_name])
    assert isinstance(cut, RouteTable)
    assert len(choose(facts(), cut, {long_name: "up"}).why) == WHY_LIMIT
    assert len(choose(facts(), cut, {}).why) == WHY_LIMIT
    assert choose(facts(), cut, {long_name: "suspended"}).why == "no connector left; 1 skipped"


def test_explanation_lists_every_candidate_in_the_order_asked() -> None:
    routes = table(
        route(1, "*", D, order=30),
        route(2, "229", A),
        route(3, "22997", B, account_id=8),
        route(4, "22997", C),
        route(5, "22997", D),
        route(6, "33", A),
    )
    asked = facts(excluded=frozenset({C}))
    explanation = explain(asked, routes, UP)
    assert explanation.outcome == choose(asked, routes, UP)
    assert explanation.candidates == (
        Candidate(routes.routes[0], "other_account"),
        Candidate(routes.routes[1], "tried"),
        Candidate(routes.routes[2], "chosen"),
        Candidate(routes.routes[3], "later"),
        Candidate(routes.routes[5], "later"),
    )
    assert explanation.elsewhere == 1


digits = st.sampled_from(["1", "2", "22", "229", "2299", "22997", "229970", "33", "336"])
matches = st.one_of(st.just("*"), digits, st.sampled_from(["616/03", "616/02", "616/*", "208/*", "208/01"]))
windows = st.sampled_from([((0, 60),), ((60, 600), (9000, MINUTES_OF_WEEK)), ((59, 61),)])


def rare(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), values)


written_routes = st.builds(
    Route,
    route_id=st.just(0),
    order=st.integers(0, 2),
    match=matches,
    connector=st.sampled_from(CONNECTORS),
    account_id=rare(st.sampled_from([7, 8])),
    sender=rare(st.sampled_from(["ACME", "BANK"])),
    traffic_class=rare(st.sampled_from(["otp", "marketing"])),
    window=rare(windows),
    weight=st.integers(1, 5),
    enabled=st.sampled_from([True, True, True, False]),
)
any_facts = st.builds(
    Facts,
    destination=st.builds(str.__add__, digits, st.text("0123456789", max_size=6)),
    mcc=st.sampled_from([None, "616", "208"]),
    mnc=st.sampled_from([None, "01", "02", "03"]),
    account_id=st.sampled_from([7, 8, 9]),
    sender=st.sampled_from(["ACME", "BANK", "OTHER"]),
    traffic_class=st.sampled_from(["otp", "marketing", "service"]),
    minute_of_week=st.sampled_from([0, 58, 59, 60, 61, 599, 600, 8999, 9000, MINUTES_OF_WEEK - 1]),
    sticky_key=st.one_of(st.integers(0, 40), st.integers(-(2**70), 2**70)),
    excluded=st.frozensets(st.sampled_from(CONNECTORS), max_size=3),
)
any_health = st.dictionaries(st.sampled_from(CONNECTORS), st.sampled_from(["up", "up", "down", "suspended"]))


@st.composite
def any_tables(draw: st.DrawFn) -> RouteTable:
    numbered: dict[tuple[object, ...], Route] = {}
    for route_id, each in enumerate(draw(st.lists(written_routes, max_size=12)), 1):
        rule = (each.order, each.match, each.account_id, each.sender, each.traffic_class, each.window, each.connector)
        fields = {name: getattr(each, name) for name in Route.__struct_fields__}
        numbered.setdefault(rule, Route(**(fields | {"route_id": route_id})))
    return table(*draw(st.permutations(list(numbered.values()))))


@settings(max_examples=400, deadline=None)
@given(routes=any_tables(), asked=st.lists(any_facts, min_size=1, max_size=8), health=any_health)
def test_choose_answers_like_the_naive_router_and_explain_agrees(
    routes: RouteTable, asked: list[Facts], health: dict[str, Health]
) -> None:
    for question in asked * 2:  # the second time from the memo
        outcome = choose(question, routes, health)
        expected = naive_choice(question, routes.routes, health)
        if isinstance(outcome, NoRoute):
            assert outcome.reason == expected
        else:
            assert (outcome.connector, outcome.route_id, outcome.waiting) == expected
        assert 0 < len(outcome.why) <= WHY_LIMIT
        check_explanation(question, routes, health, outcome)


def check_explanation(
    question: Facts, routes: RouteTable, health: dict[str, Health], outcome: RouteChoice | NoRoute
) -> None:
    explanation = explain(question, routes, health)
    assert explanation.outcome == outcome
    assert len(explanation.candidates) + explanation.elsewhere == len(routes.routes)
    taken = [each.route for each in explanation.candidates if each.verdict == "chosen"]
    if isinstance(outcome, NoRoute):
        assert taken == []
        assert not {"weight", "later", "down"} & {each.verdict for each in explanation.candidates}
        return
    assert [(each.route_id, each.connector) for each in taken] == [(outcome.route_id, outcome.connector)]
    place = [each.verdict for each in explanation.candidates].index("chosen")
    before = {each.verdict for each in explanation.candidates[:place]}
    assert "later" not in before
    if outcome.waiting:
        assert not {"weight", "later"} & {each.verdict for each in explanation.candidates}
