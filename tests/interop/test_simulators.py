"""Our own simulators around a node, on both kinds of database, with faults on: and Wireshark judges every frame.

What must not enter: a real peer (each has its own file here).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.esme import EsmeSettings, SimulatedEsme
from simulators.esme.tally import EsmeSummary
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.interop.peers import need_program
from tests.interop.road import road
from tests.interop.wire_taps import TO_CLIENT, TO_SERVER, Recorded, judge
from tests.running_node import PASSWORD, SYSTEM_ID, Carrier, running_node

ENQUIRE_LINK = bytes.fromhex("00000010 00000015 00000000 00000007")
ENQUIRE_LINK_RESP = bytes.fromhex("00000010 80000015 00000000 00000007")
# system_id runs into the end of the PDU: v3.4 4.1.5 ends it with NUL
BIND_WITHOUT_END = bytes.fromhex("00000014 00000009 00000000 00000001 65736d65")


async def send(port: int, log: Path, **settings: object) -> EsmeSummary:
    """Run the simulated customer to its end."""
    plain = {"system_id": SYSTEM_ID, "password": PASSWORD, "log": log, "verify_receipts": True} | settings
    async with SimulatedEsme(EsmeSettings.parse(f"127.0.0.1:{port}", **plain)) as esme:
        return await esme.finish()


@pytest.mark.parametrize("embedded", [True, False])
async def test_receipts_of_all_messages_come_back(embedded: bool, empty_database: str, tmp_path: Path) -> None:
    dsn = None if embedded else empty_database
    smsc_log, esme_log = tmp_path / "smsc.jsonl", tmp_path / "esme.jsonl"
    async with (
        SimulatedSmsc(SmscSettings.parse(log=smsc_log)) as smsc,
        running_node(tmp_path / "node", Carrier(port=smsc.port), dsn=dsn) as node,
    ):
        summary = await send(node.smpp_port, esme_log, messages=50)
        await node.check([smsc_log], [esme_log])
        assert (summary.accepted, summary.verified, summary.problem) == (50, True, "")
        assert await node.stop() == 0


async def test_tshark_finds_no_malformed_frame_in_sessions_full_of_faults(database: str, tmp_path: Path) -> None:
    need_program("tshark")
    esme_log = tmp_path / "esme.jsonl"
    faults = {
        "receipt_mix": "UNDELIV/011=0.2,EXPIRED=0.1",
        "receipt_early": 0.3,
        "receipt_duplicate": 0.2,
        "receipt_shuffle": True,
        "receipt_intermediate": True,
        "error_mix": "0x58=0.02,0x0B=0.1",
        "id_dress": "HEX",
        "inbound_rate": 5,
    }
    async with road(tmp_path, database, **faults) as way:
        summary = await send(way.port, esme_log, messages=60, bind_type="pair", ucs2=True)
        assert (summary.verified, summary.problem) == (True, "")
        summary = await send(way.port, esme_log, messages=40, seed=2, octet_at_a_time=True, long_texts="udh")
        assert (summary.verified, summary.problem) == (True, "")
        summary = await send(way.port, esme_log, messages=1, password="wrong", verify_receipts=False)
        assert summary.problem == "bind refused: ESME_RBINDFAIL"
        assert await way.node.stop() == 0  # unbind on both wires
        await way.prove()


def test_tshark_would_find_a_malformed_frame(tmp_path: Path) -> None:
    tshark = need_program("tshark")
    good = Recorded(
        [(TO_SERVER, ENQUIRE_LINK * 2), (TO_CLIENT, ENQUIRE_LINK_RESP[:5]), (TO_CLIENT, ENQUIRE_LINK_RESP[5:])]
    )
    verdict = judge([good], tmp_path, tshark)
    assert (verdict.command_ids, verdict.complaints) == ([0x15, 0x15, 0x80000015], [])
    bad = Recorded([(TO_SERVER, ENQUIRE_LINK), (TO_SERVER, BIND_WITHOUT_END)])
    assert len(judge([good, bad], tmp_path, tshark).complaints) == 1
