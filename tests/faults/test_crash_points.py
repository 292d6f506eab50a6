"""The node ends at every named point of a message's life, under load, as a power cut would.

Source: architecture 5, "Crash points"; promises P1 to P5. The load goes on over all crashes: clients come back.
What must not enter: crashes at random moments (test_kills.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.crash_points import CRASH_POINTS
from tests.eventually import eventually
from tests.faults.road import SOON, road
from tests.running_node import Login

CRASH_WITHIN_S = 15.0  # chosen: under this load every point is passed many times a second
CRASHED = 137  # gateway.crash_points: as by SIGKILL


@pytest.mark.parametrize("nth", ["", ":7"])
async def test_a_crash_at_every_point_of_a_life_loses_nothing_and_pays_once(
    nth: str, empty_database: str, tmp_path: Path
) -> None:
    logins = [Login(inbound_numbers=["36000"])]
    smsc = {"latency_ms": "0..30", "receipt_delay_ms": "0..200", "inbound_rate": 40}
    narrow = SOON | {"window": 2}  # so that some messages leave at once and others from the queue
    client = {
        "rate": 150,
        "messages": 0,
        "reconnect": True,
        "resend": True,
        "retry": True,
        "characters": 0,
        "texts": TEXTS,
    }
    async with (
        road(tmp_path, empty_database, smsc=smsc, connector=narrow, logins=logins, start=False) as way,
        way.esme(**client) as esme,
    ):
        for name in CRASH_POINTS:
            await way.node.start({"PASSERELLE_CRASH_AT": name + nth}, wait=False)
            await eventually(lambda: way.node.exit_code is not None, CRASH_WITHIN_S, f"the crash at {name}{nth}")
            assert way.node.exit_code == CRASHED, (name, way.node.last_words())
            await way.prove()
        await way.node.start()
        esme.workload.stop()
        await way.quiet()
        await way.prove()
        assert esme.summary.accepted > 0


TEXTS = ("Bonjour", "Votre code est 123456", "é" * 200)  # one part, one part, two parts
