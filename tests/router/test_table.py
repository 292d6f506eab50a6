"""What a route table refuses, each fault with culprit and remedy, and the limits of what it remembers.

All faults of a table are told at once; a disabled route may name a connector that is gone.
No choice is judged here (test_choose.py does).
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import plan, table
from router.choose import choose
from router.facts import Health, RouteChoice
from router.route import Route
from router.route_checks import RouteFault
from router.table import RouteTable
from tests.router import known_tables
from tests.router.known_tables import CONNECTORS, A, B, facts, faults, route


@pytest.mark.parametrize(
    ("written", "fault", "remedy"),
    [
        ({"order": -1}, "order -1 is negative", "number orders from 0"),
        ({"weight": 0}, "weight 0 is outside 1..10000", "disable it"),
        ({"weight": 10_001}, "weight 10001 is outside", "from 1 on"),
        ({"match": "+229"}, "'+229' is not the opening of an E.164 number", "write 229"),
        ({"match": "00229"}, "'00229' is not the opening", "write 229"),
        ({"match": ""}, "'' is not the opening", "1 to 15 digits"),
        ({"match": "22x"}, "'22x' is not the opening", "1 to 15 digits"),
        ({"match": "\u0662\u0662"}, "is not the opening", "1 to 15 digits"),
        ({"match": "2299700000000001"}, "is not the opening", "1 to 15 digits"),
        ({"match": "61/03"}, "'61/03' is not a network", "616/03"),
        ({"match": "616/"}, "'616/' is not a network", "616/*"),
        ({"match": "616/0301"}, "'616/0301' is not a network", "616/*"),
        ({"account_id": 0}, "account 0 cannot exist", "leave the account out"),
        ({"sender": ""}, "sender '' has 0 characters", "1 to 20"),
        ({"sender": "S" * 21}, "has 21 characters", "1 to 20"),
        ({"traffic_class": "promo"}, "traffic class 'promo' is unknown", "otp, transactional, marketing, service"),
        ({"group": ""}, "group's name is empty", "name the group"),
        ({"window": ()}, "window is never open", "disable the route"),
        ({"window": ((-1, 60),)}, "window -1-60 leaves the week", "0 (Monday 00:00)"),
        ({"window": ((0, 10_081),)}, "window 0-10081 leaves the week", "10080 (end of Sunday)"),
        ({"window": ((600, 60),)}, "window 600-60 ends before it begins", "600-10080 and 0-60"),
        ({"window": ((60, 60),)}, "window 60-60 ends before it begins", "ends after it begins"),
        ({"connector": "carier-a"}, "connector 'carier-a' does not exist", "did you mean carrier-a?"),
        ({"connector": "xyz"}, "connector 'xyz' does not exist", "carrier-a, carrier-b, carrier-c, carrier-d"),
    ],
)
def test_wrong_value_is_refused_with_culprit_and_remedy(written: dict[str, Any], fault: str, remedy: str) -> None:
    (found,) = faults(route(5, **written), route(6, "44"))
    assert found.route_id == 5
    assert fault in found.fault
    assert remedy in found.remedy


def test_all_faults_are_told_at_once() -> None:
    found = faults(route(1, "x"), route(2, weight=0, order=-3), route(3, connector="gone"))
    assert [each.route_id for each in found] == [1, 2, 2, 3]


def test_two_routes_of_one_id_are_refused() -> None:
    assert faults(route(1, "229"), route(1, "33")) == [
        RouteFault(1, "two routes carry this id", "give one of them another id")
    ]


def test_route_that_says_the_same_as_another_is_refused() -> None:
    window = ((0, 60), (70, 80))
    (found,) = faults(route(1, "229", window=window), route(2, "229", window=window[::-1], weight=9))
    assert found == RouteFault(
        2, "says the same as route 1", "delete one of the two; for a larger share raise the weight of route 1"
    )


def test_group_name_may_not_span_two_matches_nor_two_names_share_one() -> None:
    (spanning,) = faults(route(1, "229", group="west"), route(2, "33", group="west"))
    assert spanning.fault == "names group 'west', which is order 10, match 229"
    (sharing,) = faults(route(1, "229", A, group="west"), route(2, "229", B, group="east"))
    assert sharing.fault == "names group 'east', but order 10, match 229 is 'west'"
    assert sharing.remedy == "join 'west', or give this route another order"


def test_disabled_route_may_name_a_connector_that_is_gone_and_repeat_another() -> None:
    kept = RouteTable.compile(
        [route(1), route(2, enabled=False), route(3, connector="gone", group="x", enabled=False)], CONNECTORS
    )
    assert isinstance(kept, RouteTable)


def test_disabled_route_still_has_its_own_values_checked() -> None:
    (found,) = faults(route(1, weight=0, enabled=False))
    assert found.route_id == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            Route,
            route_id=st.integers(0, 3),
            order=st.integers(-1, 2),
            match=st.one_of(st.text(max_size=6), st.text("0123456789/*+", max_size=8)),
            connector=st.sampled_from([*CONNECTORS, "", "gone"]),
            account_id=st.none() | st.integers(-1, 2),
            sender=st.none() | st.text(max_size=22),
            traffic_class=st.none() | st.text(max_size=4),
            window=st.none() | st.lists(st.tuples(st.integers(), st.integers()), max_size=2).map(tuple),
            weight=st.integers(-1, 3),
            group=st.none() | st.text(max_size=1),
            enabled=st.booleans(),
        ),
        max_size=4,
    )
)
def test_any_routes_give_a_table_that_answers_or_faults_that_name_them(routes: list[Route]) -> None:
    compiled = RouteTable.compile(routes, CONNECTORS)
    if isinstance(compiled, RouteTable):
        choose(facts(), compiled, {A: "up"})
        return
    assert compiled
    for fault in compiled:
        assert fault.route_id in {each.route_id for each in routes}
        assert fault.fault
        assert fault.remedy


def test_plans_remembered_stay_under_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "PLANS_LIMIT", 10)
    routes = known_tables.table(*(route(number, str(number)) for number in range(100, 200)))
    for number in range(100, 200):
        outcome = choose(facts(f"{number}5550001"), routes, {A: "up"})
        assert outcome == RouteChoice(A, number, f"route {number}: order 10, prefix {number}")
        assert len(routes._plans) <= 10


def test_accounts_and_numbers_no_route_names_share_one_plan() -> None:
    routes = known_tables.table(route(1, "229", account_id=7), route(2, "*", B))
    plans = {id(routes.plan_for(facts(f"229{number:08}", account_id=number))) for number in range(100, 300)}
    assert len(plans) == 1


def test_situations_remembered_stay_under_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SITUATIONS_LIMIT", 4)
    routes = known_tables.table(*(route(number, "*", name) for number, name in enumerate(CONNECTORS, 1)))
    for bits in range(1, 16):
        health: dict[str, Health] = {name: "up" for bit, name in enumerate(CONNECTORS) if bits >> bit & 1}
        for key in range(8):
            outcome = choose(facts(sticky_key=key), routes, health)
            assert isinstance(outcome, RouteChoice)
            assert health[outcome.connector] == "up"
            assert len(routes.plan_for(facts())._situations) <= 4
