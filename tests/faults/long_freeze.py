"""PostgreSQL frozen beyond every patience of the gateway: a batch is given up, its outcome learnt when it wakes up.

Run by `make faults`, never by `make test` (it waits for a timeout of 30 s): the name is not test_*.
Source: smpp-answers, "outcome of COMMIT unknown"; promise P1.
What must not enter: short freezes (test_database.py).
"""

from __future__ import annotations

from pathlib import Path

from tests.eventually import eventually
from tests.faults.postgres import cluster
from tests.faults.road import road

CLIENT = {"rate": 100, "messages": 0, "window": 10, "reconnect": True, "resend": True, "retry": True}


async def test_a_database_frozen_beyond_every_patience_is_found_again(tmp_path: Path) -> None:
    async with (
        cluster(tmp_path / "pg" / "data") as postgres,
        road(tmp_path, postgres.dsn, smsc={"receipt_delay_ms": "0..500"}) as way,
        way.esme(**CLIENT) as esme,
    ):
        await way.goes_on(esme, 10, "the start")
        postgres.freeze()
        await eventually(lambda: way.events("accept_failed"), 60, "the batch is given up")
        postgres.thaw()
        await way.goes_on(esme, 30, "PostgreSQL woke up")
        esme.workload.stop()
        await way.quiet(60)
        await way.prove()
        assert way.node.exit_code is None
