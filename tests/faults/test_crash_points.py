"""The node ends at every named point of a message's life, under mixed load, as a power cut would.

Source: architecture 5, "Crash points"; promises P1 to P5. The load goes on over all crashes: clients come back.
PASSERELLE_CRASH_POINTS=name,name narrows the matrix. What must not enter: crashes at random moments (test_kills.py).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gateway.crash_points import CRASH_POINTS
from tests.eventually import eventually
from tests.faults.mixed_load import mixed_load, mixed_road

CRASH_WITHIN_S = 90.0  # chosen: every point is passed within seconds; the rest is for a busy machine
CRASHED = 137  # gateway.crash_points: as by SIGKILL
RATE = 120.0  # submissions a second; chosen for two busy cores
NEIGHBOURLY = "handover."  # passed by several nodes only: tests/faults/test_shared_binds.py
ALONE = [name for name in CRASH_POINTS if not name.startswith(NEIGHBOURLY)]
WISHED = [name for name in os.environ.get("PASSERELLE_CRASH_POINTS", "").split(",") if name] or ALONE
ONCE = {name for name in WISHED if name.partition(".")[0] in ("migrate", "start", "recover", "drain")}  # in a life
# passed a few times in a life of seconds: the second time stands for the 7th
SELDOM = {
    "send.refilled",
    "settle.doubted",
    "receipt.parked",
    "receipt.joined",
    "notify.read_back",
    "doubt.resent",
    "expire.found",
}


@pytest.mark.parametrize("nth", [1, 7])
async def test_a_crash_at_every_point_of_a_life_loses_nothing_and_pays_once(
    nth: int, empty_database: str, tmp_path: Path
) -> None:
    async with mixed_road(tmp_path, empty_database, start=False) as way, mixed_load(way, RATE) as load:
        for name in WISHED:
            if nth > 1 and name in ONCE:
                continue
            turn = 2 if nth > 1 and name in SELDOM else nth
            await way.node.start({"PASSERELLE_CRASH_AT": f"{name}:{turn}"}, wait=False)
            if name.startswith("drain."):
                await way.goes_on(load.customer, CRASH_WITHIN_S, f"the start before {name}")
                os.kill(way.node.pid, signal.SIGTERM)
            await eventually(lambda: way.node.exit_code is not None, CRASH_WITHIN_S, f"the crash at {name}:{turn}")
            assert way.node.exit_code == CRASHED, (name, way.node.last_words())
            await way.prove()
        await way.node.start()
        load.stop()
        await way.quiet(90)
        await way.prove()
        assert all(client.summary.accepted for client in load.clients.values())
