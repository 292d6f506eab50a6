"""Links that break: silence, half-open peers, refused binds, several addresses, and never two sessions for one link.

smpp-answers, "Client link". What must not enter: what a status of submit_sm means.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest

from gateway.connector import Doubtful, Taken
from gateway.daemon.configuration_schema import SmppConnector
from gateway.egress import smpp_connector
from gateway.smpp.events import UnexpectedResponse
from gateway.smpp.pdus import SubmitSmResp
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, Trunk, message
from tests.running_node import free_port

WATCHFUL: dict[str, Any] = {"enquire_link_s": 0.2, "enquire_link_timeout_s": 0.2}


def taken(trunk: Trunk) -> int:
    return sum(isinstance(event, Taken) for event in trunk.told)


@pytest.mark.parametrize("how", ["drop", "unbind", "half-open"])
async def test_a_link_that_is_replaced_is_gone_before_its_successor_binds(trunk_to: Open, how: str) -> None:
    trunk = await trunk_to(bind_types=("transceiver",) * 2, **WATCHFUL)
    for lives in range(1, 4):
        trunk.smsc.disconnect(how)
        await eventually(lambda n=lives: trunk.smsc.statistics.binds >= 2 * n + 2, WITHIN_S, "both bound again")  # type: ignore[misc]
        await eventually(lambda: all(link.bound for link in trunk.connector.links), WITHIN_S)
    assert trunk.smsc.statistics.bound_most == 2


async def test_a_half_open_link_is_found_out_also_while_answers_are_missing(trunk_to: Open) -> None:
    trunk = await trunk_to(window=2, response_timeout_s=60.0, **WATCHFUL)
    trunk.smsc.disconnect("half-open")
    trunk.send(message(1), message(2))
    told = await trunk.outcomes(2)
    assert [type(event) for event in told] == [Doubtful, Doubtful]
    await eventually(lambda: trunk.smsc.statistics.binds >= 2, WITHIN_S, "bound anew")
    assert trunk.smsc.statistics.bound_most == 1


def test_silence_is_found_out_within_45_s_by_the_defaults() -> None:
    defaults = {each.name: each.default for each in msgspec.structs.fields(SmppConnector)}
    assert defaults["enquire_link_s"] + defaults["enquire_link_timeout_s"] + smpp_connector.TICK_S <= 45


async def test_a_missing_answer_holds_its_place_in_the_window_until_its_grace_is_over(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, window=2, response_timeout_s=0.2, in_doubt_grace_s=1.5)
    (link,) = trunk.connector.links
    trunk.send(message(1))
    await trunk.outcomes(1)
    trunk.smsc.change({"silence": 0})
    await eventually(lambda: link.free() == 2, WITHIN_S, "the whole window again")
    trunk.send(message(2), message(3))
    await eventually(lambda: taken(trunk) == 2, WITHIN_S)
    assert trunk.smsc.statistics.binds == 1


async def test_the_window_is_not_filled_again_while_answers_are_missing(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, window=3, response_timeout_s=0.1, in_doubt_grace_s=1000.0)
    trunk.send(message(1), message(2))
    await trunk.outcomes(2)
    assert trunk.connector.links[0].free() == 1
    assert trunk.connector.reserve(1)
    assert not trunk.connector.reserve(1)


async def test_a_carrier_that_lives_and_answers_nothing_gets_a_new_session_after_the_grace(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, window=2, response_timeout_s=0.1, in_doubt_grace_s=0.3)
    trunk.send(message(1), message(2))
    told = await trunk.outcomes(2)
    assert [type(event) for event in told] == [Doubtful, Doubtful]
    await eventually(lambda: trunk.smsc.statistics.binds == 2, WITHIN_S, "bound anew")
    trunk.smsc.change({"silence": 0})
    await eventually(lambda: trunk.connector.links[0].free() == 2, WITHIN_S)
    trunk.send(message(3))
    await eventually(lambda: taken(trunk) == 1, WITHIN_S)
    assert trunk.smsc.statistics.bound_most == 1


async def test_a_late_answer_frees_its_place_at_once(trunk_to: Open) -> None:
    trunk = await trunk_to({"latency_ms": 300}, window=1, response_timeout_s=0.05, in_doubt_grace_s=1000.0)
    trunk.send(message(1))
    told = await trunk.outcomes(2)
    assert [type(event) for event in told] == [Doubtful, Taken]
    assert trunk.connector.reserve(1)


async def test_a_message_longer_than_the_window_passes_after_answers_were_lost_for_good(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, window=1, response_timeout_s=0.05, in_doubt_grace_s=0.1)
    trunk.send(message(1))
    await trunk.outcomes(1)
    trunk.smsc.change({"silence": 0})
    await eventually(lambda: trunk.connector.reserve(3), WITHIN_S, "idle again")
    assert trunk.connector.submit([message(2, b"a" * 153 * 3, 3)]) == []
    await eventually(lambda: taken(trunk) == 3, WITHIN_S)


async def test_the_next_address_is_tried_where_one_fails_and_kept_while_it_stands(trunk_to: Open) -> None:
    async with SimulatedSmsc(SmscSettings.parse(no_receipt=1)) as other:
        trunk = await trunk_to(
            {"away": True}, bound=False, more_addresses=(("127.0.0.1", free_port()), (other.host, other.port))
        )
        await eventually(lambda: all(link.bound for link in trunk.connector.links), WITHIN_S, "bound to the third")
        assert trunk.connector.links[0].peer == f"127.0.0.1:{other.port}"
        trunk.send(message())
        assert isinstance((await trunk.outcomes())[0], Taken)
        assert other.statistics.taken == 1


async def test_each_link_may_have_a_type_of_its_own(trunk_to: Open) -> None:
    trunk = await trunk_to(bind_types=("transmitter", "receiver", "receiver"))
    assert [link.free() for link in trunk.connector.links] == [10, 0, 0]
    assert trunk.smsc.statistics.bound == 3


@pytest.mark.parametrize(("status", "ends"), [("0x05", "already_bound"), ("0x0D", "refused"), ("0x0E", "refused")])
async def test_a_refused_bind_waits_as_its_status_says_and_credentials_raise_an_alarm(
    trunk_to: Open, status: str, ends: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "passerelle.egress"):
        trunk = await trunk_to({"bind_status": status}, bound=False)
        await eventually(lambda: any(r.msg == "carrier_link_down" for r in caplog.records), WITHIN_S)
    assert trunk.connector.links[0]._end() == ends
    alarms = [r for r in caplog.records if r.msg == "carrier_bind_refused"]
    assert [r.__dict__["again_s"] for r in alarms] == ([60.0] if ends == "refused" else [])
    assert trunk.smsc.statistics.binds_refused == 1


async def test_an_answer_without_an_id_is_taken_without_one(trunk_to: Open) -> None:
    trunk = await trunk_to({"id_dress": "none"})
    trunk.send(message())
    (outcome,) = await trunk.outcomes()
    assert isinstance(outcome, Taken)
    assert outcome.smsc_message_id == ""


async def test_answers_that_nobody_waits_for_are_counted(trunk_to: Open) -> None:
    trunk = await trunk_to()
    (link,) = trunk.connector.links
    trunk.connector.take_events(link, [UnexpectedResponse(SubmitSmResp.command_id, 77, 0)])
    assert trunk.connector._tallies.carrier_answers["carrier-a", "unexpected"] == 1
    assert trunk.told == []
