"""Which routes other routes leave nothing to, told from the routes alone and proved by asking the router.

router/coverage.py. What must not enter: how a remark is shown (command line).
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.choose import choose
from router.coverage import Shadow, covers, shadow_of
from router.facts import Facts, RouteChoice
from router.route import Route, misfit_of, reaches
from router.table import RouteTable


def route(route_id: int, match: str, order: int = 100, connector: str = "a", **given: object) -> Route:
    return Route(route_id, order, match, connector, **given)  # type: ignore[arg-type]  # a test names its fields


def test_behind_a_wider_route_that_is_asked_first_a_route_is_only_a_stand_in() -> None:
    routes = [route(1, "*", order=10, connector="b"), route(2, "229")]
    assert shadow_of(routes[1], routes) == Shadow("stand_in", 1)
    assert shadow_of(routes[0], routes) is None


def test_behind_one_with_the_same_connector_it_serves_never() -> None:
    routes = [route(1, "*", order=10), route(2, "22901", order=20)]
    assert shadow_of(routes[1], routes) == Shadow("unreachable", 1)


def test_a_longer_prefix_of_the_same_order_is_asked_first_and_keeps_its_own() -> None:
    routes = [route(1, "*"), route(2, "229")]
    assert [shadow_of(each, routes) for each in routes] == [None, None]


def test_members_of_one_group_shadow_nobody() -> None:
    routes = [route(1, "229"), route(2, "229", connector="b", weight=3)]
    assert [shadow_of(each, routes) for each in routes] == [None, None]


def test_what_is_narrowed_or_disabled_leaves_something() -> None:
    last = route(9, "229", order=50)
    for narrowed in (
        route(1, "*", order=1, account_id=7),
        route(1, "*", order=1, sender="ACME"),
        route(1, "*", order=1, traffic_class="otp"),
        route(1, "*", order=1, window=((0, 600),)),
        route(1, "616/*", order=1),
        route(1, "*", order=1, enabled=False),
    ):
        assert shadow_of(last, [narrowed, last]) is None
    inside = route(9, "616/03", order=50, window=((60, 120), (200, 300)))
    assert shadow_of(inside, [route(1, "616/*", order=1, window=((0, 600),)), inside]) == Shadow("unreachable", 1)
    assert shadow_of(route(9, "229", enabled=False), [route(1, "*", order=1)]) is None


MATCHES = st.sampled_from(("*", "2", "229", "22901", "33", "616/03", "616/*", "208/01"))
ROUTES = st.builds(
    Route,
    route_id=st.integers(1, 6),
    order=st.integers(1, 3),
    match=MATCHES,
    connector=st.sampled_from(("a", "b")),
    account_id=st.sampled_from((None, 1, 2)),
    sender=st.sampled_from((None, "ACME")),
    traffic_class=st.sampled_from((None, "otp")),
    window=st.sampled_from((None, ((0, 600),), ((60, 120),))),
    enabled=st.booleans(),
)
FACTS = st.builds(
    Facts,
    destination=st.sampled_from(("2290197000001", "22100", "33612345678", "44")),
    mcc=st.sampled_from((None, "616")),
    mnc=st.sampled_from((None, "03")),
    account_id=st.integers(1, 3),
    sender=st.sampled_from(("ACME", "x")),
    traffic_class=st.sampled_from(("otp", "marketing")),
    minute_of_week=st.sampled_from((0, 90, 599, 5000)),
    sticky_key=st.integers(0, 9),
)


@given(ROUTES, ROUTES, FACTS)
def test_what_fits_the_narrow_one_fits_the_one_that_covers_it(wide: Route, narrow: Route, facts: Facts) -> None:
    if covers(wide, narrow) and wide.enabled and reaches(narrow, facts) and misfit_of(narrow, facts) is None:
        assert reaches(wide, facts)
        assert misfit_of(wide, facts) is None


@given(st.lists(ROUTES, max_size=5, unique_by=lambda each: each.route_id), st.lists(FACTS, max_size=20))
def test_a_shadowed_route_is_never_chosen_while_all_are_up(routes: list[Route], many: list[Facts]) -> None:
    table = RouteTable.compile(routes, ("a", "b"))
    if isinstance(table, list):
        return
    shadowed = {each.route_id: found for each in routes if (found := shadow_of(each, routes)) is not None}
    for facts in many:
        for up in (("a", "b"), ("a",), ("b",)):
            outcome = choose(facts, table, dict.fromkeys(up, "up"))
            if isinstance(outcome, RouteChoice) and outcome.route_id in shadowed:
                assert shadowed[outcome.route_id].kind == "stand_in"
                assert len(up) == 1
