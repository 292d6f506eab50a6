"""Wireshark's dissector reads all that our server answers to the whole table: no frame malformed, none warned about.

It needs tshark; peers.py says what an absent one means. What is asked there is wrong on purpose, so only answers count.
What must not enter: whether an answer is the right one (tests/gateway/ingress/test_smpp_answers.py).
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from simulators.selftest import Subject, judge, load_cases
from tests.faults.road import road
from tests.interop import wire_taps
from tests.interop.peers import need_program
from tests.running_node import PASSWORD, SYSTEM_ID, Login

BINDS = 8  # at once; chosen


async def test_no_answer_of_the_whole_table_is_malformed(empty_database: str, tmp_path: Path) -> None:
    tshark = need_program("tshark")
    table = load_cases()
    only = {case.name for case in table.cases if not case.timer}
    async with (
        road(tmp_path, empty_database, logins=[Login(max_binds=2 * BINDS)]) as way,
        contextlib.AsyncExitStack() as stack,
    ):
        tap = wire_taps.Tap(way.node.smpp_port)
        await tap.open()
        stack.push_async_callback(tap.close)
        subject = Subject(host="127.0.0.1", port=tap.port, system_id=SYSTEM_ID, password=PASSWORD)
        await judge(subject, table, only=only, binds=BINDS)
    answered = [
        wire_taps.Recorded([segment for segment in each.segments if segment[0] == wire_taps.TO_CLIENT])
        for each in tap.connections
    ]
    verdict = wire_taps.judge(answered, tmp_path, tshark)
    assert verdict.complaints == []
    assert len(verdict.command_ids) > len(only)
