"""PostgreSQL away at start, away under load, frozen, or unfit: said, refused temporarily, never lost.

Source: issue, "Bad input and faults"; smpp-answers (0x08 before COMMIT); promises P1, P6. For kill -9: test_kills.py.
What must not enter: a database imitated in memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.smpp.pdus import EnquireLink
from gateway.storage import embedded
from tests.eventually import eventually
from tests.faults.postgres import cluster
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import road

RSYSERR = 0x08  # SMPP v3.4 5.1.3
CLIENT = {"rate": 100, "messages": 0, "window": 10, "reconnect": True, "resend": True, "retry": True}


async def test_a_node_whose_database_is_away_says_so_and_starts_when_it_comes(tmp_path: Path) -> None:
    async with cluster(tmp_path / "pg" / "data") as postgres, road(tmp_path, postgres.dsn, start=False) as way:
        await postgres.stop()
        await way.node.start(wait=False)
        await eventually(lambda: way.events("database_away"), 15, "the node says that PostgreSQL is away")
        assert way.node.exit_code is None
        assert "remedy" in way.events("database_away")[0]
        await postgres.start()
        await way.node.until_ready()
        async with way.esme(messages=10, verify_receipts=True) as esme:
            assert (await esme.finish()).verified
        await way.quiet()
        await way.prove()


async def test_submissions_while_the_database_is_away_are_refused_as_temporary(tmp_path: Path) -> None:
    async with (
        cluster(tmp_path / "pg" / "data") as postgres,
        road(tmp_path, postgres.dsn, smsc={"receipt_delay_ms": "0..500"}) as way,
        way.esme(**CLIENT) as esme,
    ):
        await way.goes_on(esme, 10, "the start")

        async def is_refused() -> bool:
            async with raw_esme(way.node.smpp_port) as late:
                return await late.bind() == RSYSERR

        async with raw_esme(way.node.smpp_port) as quiet:
            assert await quiet.bind() == 0
            await postgres.stop()
            # the client's bind may end here (the outcome of its last batch is unknown): a quiet one has nothing open
            for number in range(2, 22):
                assert (await quiet.ask(a_submit(number))).command_status == RSYSERR
            await eventually(is_refused, 10, "new binds are refused with 0x08")
        assert set(esme.summary.refused) <= {"ESME_RSYSERR"}
        assert way.node.exit_code is None
        await postgres.start()
        await way.goes_on(esme, 20, "PostgreSQL came back")
        esme.workload.stop()
        await way.quiet()
        await way.prove()


async def test_a_frozen_database_delays_answers_and_nothing_else(tmp_path: Path) -> None:
    async with (
        cluster(tmp_path / "pg" / "data") as postgres,
        road(tmp_path, postgres.dsn, smsc={"receipt_delay_ms": "0..500"}) as way,
        way.esme(**CLIENT) as esme,
    ):
        await way.goes_on(esme, 10, "the start")
        postgres.freeze()
        total = esme.summary
        await eventually(lambda: total.submitted - total.accepted == CLIENT["window"], 10, "a window full of waiting")
        async with raw_esme(way.node.smpp_port) as other:
            other.send(EnquireLink(sequence_number=7))
            answer = await other.receive(within_s=15.0)  # from the reader: PostgreSQL is frozen all the while
            assert (answer.command_status, answer.sequence_number) == (0, 7)
        postgres.thaw()
        await way.goes_on(esme, 20, "PostgreSQL woke up")
        esme.workload.stop()
        await way.quiet()
        await way.prove()
        assert (total.refused, total.unanswered) == ({}, 0)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_may_lose_a_commit_is_refused(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedded.SETTINGS, setting, "off")
    async with cluster(tmp_path / "pg" / "data") as postgres, road(tmp_path, postgres.dsn, start=False) as way:
        await way.node.start(wait=False)
        assert await way.node.until_ended() != 0
        assert f"{setting} = on" in way.node.last_words()
        assert "Traceback" not in way.node.last_words()
