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
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import Road, road

RMSGQFUL = 0x14  # SMPP v3.4 5.1.3
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


async def test_on_a_disk_that_is_nearly_full_new_ones_are_refused_and_receipts_kept(tmp_path: Path) -> None:
    async with road(tmp_path, None, smsc={"receipt_hold": True}, more="[limits]\ndisk_full = 1.0", start=False) as way:
        await way.node.start()
        async with way.esme(messages=20) as esme:
            assert (await esme.finish()).accepted == 20
        await way.node.stop()
        toml = way.node.config_file.read_text(encoding="utf-8")
        way.node.config_file.write_text(toml.replace("disk_full = 1.0", "disk_full = 0.000001"), encoding="utf-8")
        await way.node.start()
        await eventually(lambda: way.events("disk_full"), 20, "the node says that its disk is full")
        async with raw_esme(way.node.smpp_port) as late:
            assert await late.bind() == 0
            assert (await late.ask(a_submit(2))).command_status == RMSGQFUL
        way.smsc.change({"receipt_hold": False})
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        assert await way.states() == {"delivered": 20}
        await way.prove()
