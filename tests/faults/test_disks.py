"""The disk under PostgreSQL fails: fsync gives EIO, or no write finds room. Nothing acknowledged is lost.

Source: postgres, "Reliability" (data_sync_retry off: a failed fsync is a PANIC, and recovery from the WAL);
promises P1, P5, P6. faulty_disk.py is the disk. What must not enter: a database that is away (test_database.py).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulators.esme import SimulatedEsme
from tests.eventually import eventually
from tests.faults.faulty_disk import WRITING, FaultyDisk
from tests.faults.postgres import Cluster, cluster
from tests.faults.road import Road, road

CLIENT = {"rate": 100, "messages": 0, "window": 10, "reconnect": True, "resend": True, "retry": True}
HABITS = {"latency_ms": "0..20", "receipt_delay_ms": "0..500"}
TIMES = 3  # chosen: the second failure meets what the first one's recovery left


async def _comes_back(postgres: Cluster, way: Road, esme: SimulatedEsme, fault: str) -> None:
    """Operators put the disk right and start PostgreSQL whenever it ended."""
    wanted = esme.summary.accepted + 50

    async def serves() -> bool:
        if postgres.ended:
            await postgres.start()
        return esme.summary.accepted >= wanted

    await eventually(serves, 90, f"service after {fault}")
    await way.prove()


async def test_failed_fsyncs_end_postgresql_and_lose_nothing_acknowledged(tmp_path: Path) -> None:
    with FaultyDisk(tmp_path).attached() as disk:
        async with (
            cluster(tmp_path / "pg" / "data", disk) as postgres,
            road(tmp_path, postgres.dsn, smsc=HABITS) as way,
            way.esme(**CLIENT) as esme,
        ):
            for time in range(TIMES):
                await way.goes_on(esme, 60, "the start", messages=50)
                panics = postgres.last_words.count("PANIC")
                disk.fail_syncs()
                await eventually(lambda: postgres.last_words.count("PANIC") > panics, 30, "PostgreSQL's PANIC")  # noqa: B023
                disk.heal()
                await _comes_back(postgres, way, esme, f"failure {time} of fsync")
            esme.workload.stop()
            await way.quiet(60)
            await way.prove()
            assert way.node.exit_code is None


async def test_a_full_disk_refuses_what_is_new_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with FaultyDisk(tmp_path).attached() as disk:
        async with (
            cluster(tmp_path / "pg" / "data", disk) as postgres,
            road(tmp_path, postgres.dsn, smsc=HABITS) as way,
            way.esme(**CLIENT) as esme,
        ):
            for time in range(TIMES):
                await way.goes_on(esme, 60, "the start", messages=50)
                disk.fail_writes()
                await asyncio.to_thread(disk.until_refused, WRITING, 1)
                disk.heal()
                await _comes_back(postgres, way, esme, f"full disk {time}")
            esme.workload.stop()
            await way.quiet(60)
            await way.prove()
            assert way.node.exit_code is None
            assert set(esme.summary.refused) <= {"ESME_RSYSERR"}
