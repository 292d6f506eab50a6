"""The whole table of answers against a real node, whole and one octet at a time, plain and by TLS: every case holds.

Source: simulators/selftest/cases.toml, played by the judge that customers have; conditions are made here.
What must not enter: a case of its own, and what a message does after it was taken (tests/faults).
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gateway.smpp.pdus import EnquireLink, SubmitSmResp
from simulators.selftest import Outcome, Subject, Timers, Verdict, judge, load_cases
from simulators.selftest.runner import OCTETS, WHOLE, reach
from tests.eventually import eventually
from tests.faults.postgres import cluster
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import OPEN, Road, road
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID, Login, free_port
from tests.tls_material import make_authority, make_certificate

TIMERS = Timers(bind_s=4.0, enquire_link_s=6.0, enquire_link_timeout_s=6.0)  # header_s: no setting of the node
SETTINGS = {"bind_timeout_s": 4.0, "enquire_link_s": 6.0, "enquire_link_timeout_s": 6.0}
BINDS = 8
BLOCKED = "2290197999999"
ELSEWHERE = {"draining", "database_away", "database_gone_while_bound", "queue_full"}  # the other tests of this file
PLAYS = (WHOLE, OCTETS)

LOGINS = [
    Login(max_binds=len(PLAYS) * BINDS),
    Login(system_id="poor", account="poor", credit_micros=0, senders=()),
    Login(system_id="masked", account="masked", credit_micros=0, senders=()),
    Login(system_id="suspended", account="suspended", senders=()),
    Login(system_id="closed", account="closed", senders=()),
    Login(system_id="elsewhere"),
    *(Login(system_id=f"bind-{play}", max_binds=1) for play in PLAYS),
    *(Login(system_id=f"rate-{play}", tps=2) for play in PLAYS),
    Login(system_id="small-window", window=2),
    Login(system_id="words-of-34"),
]
FACTS = [
    "UPDATE accounts SET masked_refusals = true WHERE name = 'masked'",
    "UPDATE accounts SET state = name WHERE name IN ('suspended', 'closed')",
    "UPDATE esmes SET allow_cidrs = '{10.11.0.0/16}' WHERE system_id = 'elsewhere'",
    "UPDATE esmes SET v34_bind_errors = true WHERE system_id = 'words-of-34'",
    f"INSERT INTO blocks (prefix, kind, reason) VALUES ('{BLOCKED}', 'destination', 'test')",
    "UPDATE routes SET prefix = '229'",
]


def subject_at(way: Road, **differing: object) -> Subject:
    """The ordinary login of the node, or another one."""
    words: dict[str, object] = {"system_id": SYSTEM_ID, "password": PASSWORD, "source": SENDER}
    words |= {"host": "127.0.0.1", "port": way.node.smpp_port} | differing
    return Subject(**words)  # type: ignore[arg-type]  # as Subject has


def conditions_of(ordinary: Subject, play: str, sent: str) -> dict[str, Subject]:
    """What LOGINS and FACTS have brought about; sent: the id of a message of the ordinary login that left long ago."""

    def other(**differing: str) -> Subject:
        return dataclasses.replace(ordinary, **differing)  # type: ignore[arg-type]  # as Subject has

    number = "22997"
    return {
        "sender_not_owned": other(source="STRANGER"),
        "no_route": other(destination="33612345678"),
        "destination_blocked": other(destination=BLOCKED),
        "no_credit": other(system_id="poor", source=number),
        "no_credit_masked": other(system_id="masked", source=number),
        "account_suspended": other(system_id="suspended", source=number),
        "account_closed": other(system_id="closed", source=number),
        "address_not_allowed": other(system_id="elsewhere"),
        "bind_limit": other(system_id=f"bind-{play}"),
        "rate": other(system_id=f"rate-{play}"),
        "window": other(system_id="small-window"),
        "own_message": other(message_id=sent),
        "foreign_message": other(system_id="poor", message_id=sent),
        "v34_bind_errors": other(system_id="words-of-34"),
    }


def set_server(way: Road, settings: Mapping[str, object]) -> None:
    """Write keys into [smpp_server] before the node starts."""
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    text = way.node.config_file.read_text(encoding="utf-8")
    way.node.config_file.write_text(text.replace("[smpp_server]\n", f"[smpp_server]\n{lines}"), encoding="utf-8")


def broken(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(f"{each.name} ({each.manner}): {each.why}" for each in outcomes if each.verdict is Verdict.BROKEN)


@pytest.mark.parametrize("by_tls", [False, True], ids=["plain", "tls"])
async def test_every_case_holds_whole_and_one_octet_at_a_time(
    empty_database: str, tmp_path: Path, by_tls: bool
) -> None:
    table = load_cases()
    more, tls = door_by_tls(tmp_path) if by_tls else ("", {})
    async with road(tmp_path, empty_database, logins=LOGINS, more=more, start=False) as way:
        for fact in FACTS:
            await way.value(fact)
        set_server(way, SETTINGS)
        await way.node.start()
        sent = await sent_before(way)
        subject = subject_at(way, **tls)

        async def play(manner: str) -> list[Outcome]:
            conditions = conditions_of(subject, manner, sent)
            return await judge(subject, table, conditions=conditions, manners=(manner,), timers=TIMERS, binds=BINDS)

        async with asyncio.TaskGroup() as tasks:
            played = [tasks.create_task(play(manner)) for manner in PLAYS]
        outcomes = [outcome for task in played for outcome in task.result()]
        assert not broken(outcomes), "\n" + broken(outcomes)
        needs = {case.name: case.needs for case in table.cases}
        skipped = {each.name for each in outcomes if each.verdict is Verdict.SKIPPED and each.manner == WHOLE}
        assert {needs[name] for name in skipped} == ELSEWHERE
        await way.quiet()
        await way.prove()


def door_by_tls(folder: Path) -> tuple[str, dict[str, object]]:
    """A section [smpp_server.tls], and how a client that believes its certificate comes there."""
    authority = make_authority(folder)
    pair, port = make_certificate(folder, authority), free_port()
    files = f'certificate = {{ file = "{pair.certificate}" }}\nkey = {{ file = "{pair.key}" }}\n'
    trust = ssl.create_default_context(cafile=authority.certificate)
    return f'[smpp_server.tls]\n{files}listen = "127.0.0.1:{port}"\n', {"port": port, "tls": trust}


async def sent_before(way: Road) -> str:
    """The id of a message that is final before anything is judged."""
    async with raw_esme(way.node.smpp_port) as early:
        assert await early.bind() == 0
        untold = a_submit(2)
        untold.registered_delivery = 0  # nobody will be there to hear of it
        taken = await early.ask(untold)
        assert isinstance(taken, SubmitSmResp)
    await way.quiet()
    return taken.message_id


async def test_cases_of_an_overloaded_lonely_or_leaving_node_hold(tmp_path: Path) -> None:
    more = "[limits]\ngroup_commit_waiting = 1\n"
    async with cluster(tmp_path / "pg" / "data") as postgres, road(tmp_path, postgres.dsn, more=more) as way:
        port = way.node.smpp_port

        async def holds(condition: str, begin: Callable[[], Awaitable[object]] | None = None) -> bool:
            subject = subject_at(way, begin=begin)
            table = load_cases()
            only = {case.name for case in table.cases if case.needs == condition}
            outcomes = await judge(subject, table, conditions={condition: subject}, only=only)
            return [each.verdict for each in outcomes] == [Verdict.HELD]

        async with raw_esme(port) as neighbour:
            assert await neighbour.bind() == 0

            async def full_queue() -> None:
                postgres.freeze()
                neighbour.send(*(a_submit(number) for number in (2, 3, 4)))
                await neighbour.ask(EnquireLink(sequence_number=5))

            assert await holds("queue_full", full_queue)
            postgres.thaw()
            assert {(await neighbour.receive()).command_status for _ in range(3)} == {0}
            # outcomes that wait for PostgreSQL would be a full queue, before it is told to be away
            await eventually(lambda: all_final(way), 30, "every outcome stored")
            assert await holds("database_gone_while_bound", postgres.stop)
            await eventually(lambda: holds("database_away"), 10, "binds are refused while PostgreSQL is away")
            await postgres.start()
            await eventually(lambda: reach_it(subject_at(way)), 20, "binds are accepted again")

            async def leave() -> None:
                postgres.freeze()
                neighbour.send(a_submit(6))
                await neighbour.ask(EnquireLink(sequence_number=7))
                os.kill(way.node.pid, signal.SIGTERM)
                await eventually(lambda: is_deaf(port), 5, "the door closes")

            assert await holds("draining", leave)
            postgres.thaw()
            assert (await neighbour.receive()).command_status == 0
        assert await way.node.until_ended() == 0


async def all_final(way: Road) -> bool:
    return await way.value(OPEN) == 0


async def reach_it(subject: Subject) -> bool:
    return await reach(subject, load_cases()) == ""


async def is_deaf(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False
