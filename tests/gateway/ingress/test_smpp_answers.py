"""The whole table of answers against a real node, whole and one octet at a time: every case holds.

Source: simulators/selftest/cases.toml, played by the judge that customers have; conditions are made here.
What must not enter: a case of its own, and what a message does after it was taken (tests/faults).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from gateway.smpp.pdus import EnquireLink, SubmitSmResp
from simulators.selftest import Outcome, Subject, Timers, Verdict, judge, load_cases
from simulators.selftest.runner import OCTETS, WHOLE, reach
from tests.eventually import eventually
from tests.faults.postgres import cluster
from tests.faults.raw_esme import a_submit, raw_esme
from tests.faults.road import OPEN, Road, road
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID, Login

TIMERS = Timers(bind_s=4.0, enquire_link_s=6.0, enquire_link_timeout_s=6.0)  # header_s: no setting of the node
SETTINGS = {"bind_timeout_s": 4.0, "enquire_link_s": 6.0, "enquire_link_timeout_s": 6.0}
BINDS = 8
BLOCKED = "2290197999999"
ELSEWHERE = {"draining", "database_away", "database_gone_while_bound", "queue_full"}  # the other tests of this file

LOGINS = [
    Login(max_binds=2 * BINDS),
    Login(system_id="poor", account="poor", credit_micros=0, senders=()),
    Login(system_id="masked", account="masked", credit_micros=0, senders=()),
    Login(system_id="suspended", account="suspended", senders=()),
    Login(system_id="closed", account="closed", senders=()),
    Login(system_id="elsewhere"),
    Login(system_id=f"bind-{WHOLE}", max_binds=1),
    Login(system_id=f"bind-{OCTETS}", max_binds=1),
    Login(system_id="one-tps", tps=2),
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
    words: dict[str, object] = {"system_id": SYSTEM_ID, "password": PASSWORD, "source": SENDER} | differing
    return Subject(host="127.0.0.1", port=way.node.smpp_port, **words)  # type: ignore[arg-type]  # as Subject has


def conditions_at(way: Road, manner: str, sent: str) -> dict[str, Subject]:
    """What LOGINS and FACTS have brought about; sent: the id of a message of the ordinary login that left long ago."""
    number = "22997"
    return {
        "sender_not_owned": subject_at(way, source="STRANGER"),
        "no_route": subject_at(way, destination="33612345678"),
        "destination_blocked": subject_at(way, destination=BLOCKED),
        "no_credit": subject_at(way, system_id="poor", source=number),
        "no_credit_masked": subject_at(way, system_id="masked", source=number),
        "account_suspended": subject_at(way, system_id="suspended", source=number),
        "account_closed": subject_at(way, system_id="closed", source=number),
        "address_not_allowed": subject_at(way, system_id="elsewhere"),
        "bind_limit": subject_at(way, system_id=f"bind-{manner}"),
        "rate": subject_at(way, system_id="one-tps"),
        "window": subject_at(way, system_id="small-window"),
        "own_message": subject_at(way, message_id=sent),
        "foreign_message": subject_at(way, system_id="poor", message_id=sent),
        "v34_bind_errors": subject_at(way, system_id="words-of-34"),
    }


def set_server(way: Road, settings: Mapping[str, object]) -> None:
    """Write keys into [smpp_server] before the node starts."""
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    text = way.node.config_file.read_text(encoding="utf-8")
    way.node.config_file.write_text(text.replace("[smpp_server]\n", f"[smpp_server]\n{lines}"), encoding="utf-8")


def broken(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(f"{each.name} ({each.manner}): {each.why}" for each in outcomes if each.verdict is Verdict.BROKEN)


async def test_every_case_holds_whole_and_one_octet_at_a_time(empty_database: str, tmp_path: Path) -> None:
    table = load_cases()
    async with road(tmp_path, empty_database, logins=LOGINS, start=False) as way:
        for fact in FACTS:
            await way.value(fact)
        set_server(way, SETTINGS)
        await way.node.start()
        async with raw_esme(way.node.smpp_port) as early:
            assert await early.bind() == 0
            untold = a_submit(2)
            untold.registered_delivery = 0  # nobody will be there to hear of it
            taken = await early.ask(untold)
            assert isinstance(taken, SubmitSmResp)
            sent = taken.message_id
        await way.quiet()
        async with asyncio.TaskGroup() as tasks:
            played = [
                tasks.create_task(
                    judge(
                        subject_at(way),
                        table,
                        conditions=conditions_at(way, manner, sent),
                        manners=(manner,),
                        timers=TIMERS,
                        binds=BINDS,
                    )
                )
                for manner in (WHOLE, OCTETS)
            ]
        outcomes = [outcome for task in played for outcome in task.result()]
        assert not broken(outcomes), "\n" + broken(outcomes)
        needs = {case.name: case.needs for case in table.cases}
        skipped = {each.name for each in outcomes if each.verdict is Verdict.SKIPPED and each.manner == WHOLE}
        assert {needs[name] for name in skipped} == ELSEWHERE
        await way.quiet()
        await way.prove()


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
