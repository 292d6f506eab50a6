"""SIGTERM under load: the drain ends within its time, answers what it owes, and leaves nothing in doubt.

Source: defaults page, Operations (drain within 30 s); architecture 4. The carrier is healthy here.
What must not enter: ends without warning (test_kills.py).
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.road import road

DRAIN_S = 30.0  # defaults page


async def test_a_drain_under_load_answers_all_and_leaves_nothing_in_doubt(empty_database: str, tmp_path: Path) -> None:
    slow = {"latency_ms": "50..400", "receipt_delay_ms": "0..300"}
    client = {"rate": 300, "messages": 0, "binds": 3, "reconnect": True}
    async with road(tmp_path, empty_database, smsc=slow) as way, way.esme(**client) as esme:
        for _ in range(3):
            await way.goes_on(esme, 10, "the start", messages=200)
            began = time.monotonic()
            assert await way.node.stop() == 0
            assert time.monotonic() - began < DRAIN_S
            assert way.events("stopped")[-1]["in_doubt"] == 0
            assert await way.value("SELECT coalesce(sum(in_doubt_count), 0) FROM messages") == 0
            assert await way.value("SELECT count(*) FROM open_attempts") == 0
            await way.prove()
            await way.node.start()
        esme.workload.stop()
        await way.quiet()
        await way.prove()
        # nothing was taken and left unanswered: a client that sends again would send a second copy
        assert await way.states() == {"delivered": esme.summary.accepted}
        assert set(esme.summary.refused) <= {"ESME_RSYSERR"}
