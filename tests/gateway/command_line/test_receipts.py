"""`passerelle receipt`: what is refused, and a replay through a living node's command row.

What must not enter: the delivering itself (tests/gateway/notify/test_wishes.py).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.command_line import receipts
from gateway.smpp.pdus import DeliverSm, DeliverSmResp, Pdu
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.faults.raw_esme import RawEsme, a_submit, raw_esme
from tests.gateway.command_line.conftest import Passerelle
from tests.running_node import SYSTEM_ID, Carrier, running_node

WITHIN_S = 30.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "1h"], "whose?"),
        (["--since", "1h", "--account", "ours", "--esme", "ours1"], "whose?"),
        (["--since", "1h", "--account", "nobody"], "account nobody is unknown"),
        (["--since", "1h", "--esme", "nobody"], "ESME nobody is unknown"),
        (["--since", "soon", "--account", "ours"], "soon is not a time"),
        (["--since", "1h", "--until", "2h", "--account", "ours"], "--since is not before --until"),
        (["--since", "1h", "--account", "ours", "--state", "lost"], "state lost is unknown"),
    ],
)
@pytest.mark.parametrize("what", ["receipt", "inbound"])
def test_a_replay_that_makes_no_sense_is_refused_with_a_remedy(
    passerelle: Passerelle, words: list[str], said: str, what: str
) -> None:
    assert passerelle("account", "add", "ours", "--credits", "10").code == 0
    outcome = passerelle(what, "replay", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 2
    assert passerelle("receipt", "replays", "--json").json == []


@pytest.mark.parametrize(("what", "told"), [("receipt", "receipts"), ("inbound", "inbound")])
def test_without_a_living_node_the_command_waits_as_a_row(
    passerelle: Passerelle, monkeypatch: pytest.MonkeyPatch, what: str, told: str
) -> None:
    monkeypatch.setattr(receipts, "ANSWER_PATIENCE_S", 0.0)
    assert passerelle("account", "add", "ours", "--credits", "10").code == 0
    outcome = passerelle(what, "replay", "--account", "ours", "--since", "1h")
    assert outcome.code == 0
    assert "no node has done it yet" in outcome.out
    (row,) = passerelle("receipt", "replays", "--json").json
    assert (row["state"], row["node"], row["what"]) == ("asked", None, told)
    assert json.loads(row["arguments"])["ended"] == ["done", "dead"]
    assert passerelle("receipt", "dead", "--json").json == {"dead": [], "cursor": None}
    assert passerelle("receipt", "dress", "--json").json == []
    assert passerelle("receipt", "orphans", "--connector", "carrier-a", "--json").json == []


async def next_receipt(esme: RawEsme) -> DeliverSm:
    """The next deliver_sm, acknowledged."""
    while True:
        pdu: Pdu = await esme.receive()
        if isinstance(pdu, DeliverSm):
            response = DeliverSmResp()
            response.sequence_number = pdu.sequence_number
            esme.send(response)
            return pdu


async def test_a_living_node_tells_a_range_again(tmp_path: Path, database: str) -> None:
    async with (
        SimulatedSmsc(SmscSettings()) as smsc,
        running_node(tmp_path, Carrier(port=smsc.port), dsn=database) as node,
        raw_esme(node.smpp_port) as esme,
    ):
        assert await esme.bind() == 0
        esme.send(a_submit(2))
        first = await next_receipt(esme)
        async with node.database() as connection:

            async def told() -> bool:
                return bool(await connection.fetchval("SELECT notify = 'done' FROM messages"))

            await eventually(told, WITHIN_S, "the first time")
            outcome = await node.command("receipt", "replay", "--esme", SYSTEM_ID, "--since", "1h", "--json")
            assert (outcome.code, outcome.json["count"]) == (0, 1), outcome
            again = await next_receipt(esme)
            assert (again.short_message, again.tlvs) == (first.short_message, first.tlvs)
            row = await connection.fetchrow("SELECT asked_by, state, taken_by FROM node_commands")
            assert row is not None
            assert (row["state"], row["taken_by"]) == ("done", 1)

            async def dropped() -> bool:
                return bool(await connection.fetchval("SELECT count(*) = 0 FROM waiting_notifications"))

            await eventually(dropped, WITHIN_S, "the second time is acknowledged")
        await node.check()


def test_what_cannot_be_adopted_is_refused_with_its_reason(passerelle: Passerelle) -> None:
    refused = passerelle("receipt", "adopt", "7", "1882444160850477065")
    assert (refused.code, "no receipt 7 was given up" in refused.err) == (1, True)
