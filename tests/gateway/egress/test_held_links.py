"""Links that this node holds, and those it gives up: nothing in doubt, no second session, and a part of the pace.

Source: decision 0016; the far end is the SMSC simulator over a socket.
What must not enter: whose a bind is (tests/gateway/cluster/test_bind_shares.py).
"""

from __future__ import annotations

from gateway.connector import Taken
from gateway.egress.adaptive_rate import AdaptiveRate
from gateway.pace import Pace
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, message

TWO = ("transceiver",) * 2


async def test_a_link_that_is_given_up_ends_once_its_answers_came(trunk_to: Open) -> None:
    trunk = await trunk_to({"latency_ms": 300}, bind_types=TWO, window=4)
    connector = trunk.connector
    trunk.send(*(message(n) for n in range(1, 9)))
    connector.hold(frozenset({1}), 2)
    assert connector.bound == 1
    assert not connector.reserve(1)  # the window of the other one is full
    told = await trunk.outcomes(8)
    assert all(isinstance(event, Taken) for event in told)
    await eventually(lambda: connector.open_binds == {1}, WITHIN_S, "the link has ended")
    assert connector.links[0].session is None
    assert trunk.health["carrier-a"] == "up"
    trunk.send(message(9))
    assert isinstance((await trunk.outcomes(9))[-1], Taken)


async def test_a_link_that_is_wished_again_while_it_ends_is_opened_anew(trunk_to: Open) -> None:
    trunk = await trunk_to({"latency_ms": 200}, bind_types=TWO, window=1)
    connector = trunk.connector
    trunk.send(message(1), message(2))
    connector.hold(frozenset({1}), 2)
    connector.hold(frozenset({0, 1}), 2)
    await trunk.outcomes(2)
    await eventually(lambda: trunk.smsc.statistics.binds == 3, WITHIN_S, "bound a third time")
    await eventually(lambda: connector.bound == 2, WITHIN_S, "both are up")
    assert all(isinstance(event, Taken) for event in trunk.told)


async def test_without_links_the_connector_is_down_unless_another_node_has_some(trunk_to: Open) -> None:
    trunk = await trunk_to()
    trunk.connector.hold(frozenset(), 1)
    await eventually(lambda: not trunk.connector.open_binds, WITHIN_S, "the link has ended")
    await eventually(lambda: trunk.health["carrier-a"] == "down", WITHIN_S)
    assert not trunk.connector.reserve(1)
    trunk.connector.note_elsewhere(is_bound=True)
    assert trunk.health["carrier-a"] == "up"
    trunk.connector.hold(frozenset({0}), 1)
    await eventually(lambda: trunk.connector.reserve(1), WITHIN_S, "it is ours again")


async def test_pace_is_that_of_the_senders_held(trunk_to: Open) -> None:
    connector = (await trunk_to(tps=100, window=100, bind_types=("transmitter", "receiver", *TWO))).connector
    assert connector.bind_groups == ((0, 2, 3), (1,))
    connector.hold(frozenset({0, 1}), 4)
    assert round(connector.rate.rate_per_s, 6) == round(100 / 3, 6)
    connector.hold(frozenset({0, 1, 2, 3}), 4)
    assert round(connector.rate.rate_per_s, 6) == 100


def test_nodes_together_never_send_more_than_a_tenth_above_the_rate_in_any_second() -> None:
    shares = (0.5, 0.25, 0.25)
    paces = []
    for share in shares:
        rate = AdaptiveRate(100, 0.0)
        rate.share(share)
        pace = Pace(100, 0.0)
        pace.rate_per_s, pace.burst_s = rate.rate_per_s, rate.burst_s
        paces.append(pace)
    sent = [step / 1000 for step in range(5_000) for pace in paces if pace.take(1, step / 1000)]
    assert all(later - at >= 1 for at, later in zip(sent, sent[111:], strict=False)), "111 in less than a second"
    assert len(sent) >= 4.9 * 100
