"""Two nodes share a carrier's binds and its rate: as they come, go and die; the carrier's own log is the witness.

Source: decision 0016; promises P1, P2, P5. The proof is `passerelle check` over the rows and all logs.
What must not enter: receipts and takeovers (test_several_nodes.py), rooms (tests/gateway/cluster).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from gateway.crash_points import CRASH_POINTS
from simulators.esme import SimulatedEsme
from tests.eventually import eventually
from tests.faults.test_several_nodes import WITHIN_S, Pair, pair

TPS = 60
SHARED: dict[str, object] = {"binds": 4, "tps": TPS}
HOLDERS = "SELECT n.name FROM bind_owners b JOIN nodes n USING (node_id, epoch)"
CRASHED = 137  # gateway.crash_points
POINTS = [name for name in CRASH_POINTS if name.startswith("handover.")]


async def held(two: Pair, **wanted: int) -> None:
    """Wait until so many binds are held by each node, and open at the carrier."""

    async def is_held() -> bool:
        async with two.way.node.database() as connection:
            found = Counter(row["name"] for row in await connection.fetch(HOLDERS))
        return found == Counter(wanted)

    await eventually(is_held, WITHIN_S, f"binds are held: {wanted}")


async def test_binds_and_rate_are_shared_whoever_comes_and_goes(tmp_path: Path, database: str) -> None:
    async with pair(tmp_path, database, {"receipt_delay_ms": "0..50"}, connector=SHARED) as two:
        client = {"rate": 35, "messages": 0, "reconnect": True, "resend": True, "retry": True}
        async with two.way.esme(**client) as at_a, two.esme_at_b(**client) as at_b:
            await held(two, a=2, b=2)
            await eventually(lambda: min(at_a.summary.accepted, at_b.summary.accepted) > 50, WITHIN_S, "traffic")
            assert await two.b.stop() == 0
            await held(two, a=4)
            await accepts(at_a, 50)
            await two.b.start()
            await held(two, a=2, b=2)
            await accepts(at_b, 50)
            at_a.workload.stop()
            at_b.workload.stop()
            await two.way.quiet(90)
        await two.way.prove()
        assert set(await two.way.states()) == {"delivered"}
        assert await two.way.value("SELECT coalesce(sum(in_doubt_count), 0) FROM messages") == 0
        lines = [json.loads(line) for line in two.way.carrier.logs[0].read_text(encoding="utf-8").splitlines()]
        assert most_sessions(lines) == 4
        at_s = sorted(line["at_ms"] / 1000 for line in lines if line["event"] == "submit")
        most = max(sum(at <= other < at + 1 for other in at_s) for at in at_s)
        span_s = at_s[-1] - at_s[0]
        print(f"{len(at_s)} parts in {span_s:.1f} s, at most {most} in a second of {TPS}")  # noqa: T201 - a figure
        # a busy machine delivers in bunches what was sent in order: the whole is what counts, and its first second
        assert len(at_s) <= 1.1 * TPS * (span_s + 1)


def most_sessions(lines: list[dict[str, Any]]) -> int:
    """The most binds that stood at once, by the carrier's log."""
    standing: set[str] = set()
    most = 0
    for line in lines:
        if line["event"] == "bind" and line["command_status"] == 0:
            standing.add(line["bind"])
        elif line["event"] in ("unbind", "close"):
            standing.discard(line["bind"])
        most = max(most, len(standing))
    return most


async def test_a_crash_between_two_nodes_loses_nothing(tmp_path: Path, database: str) -> None:
    """b accepts and has no carrier: it hands over to a, and passes on what it inherited once a is back."""
    async with pair(tmp_path, database, {"receipt_delay_ms": "0..50"}, carriers_of_b=0) as two:
        client = {"rate": 40, "messages": 0, "reconnect": True, "resend": True, "retry": True}
        async with two.esme_at_b(**client) as at_b:
            for name in POINTS:
                await crash_at(name, two, at_b)
            at_b.workload.stop()
            await two.way.quiet(90)
        await two.way.prove()


async def crash_at(name: str, two: Pair, at_b: SimulatedEsme) -> None:
    """The node that passes this point ends there, and comes back."""
    victim = two.a if name == "handover.told" else two.b
    await victim.stop()
    await victim.start({"PASSERELLE_CRASH_AT": name}, wait=victim is two.b)
    if victim is two.b:  # what it accepts, or inherits, while a is away waits for a
        await two.a.stop()
        await eventually(lambda: inherited(two), WITHIN_S, "b inherits a")  # else a itself takes up what waits for it
        await accepts(at_b, 20)
        await two.a.start()
    await eventually(lambda: victim.exit_code is not None, WITHIN_S, f"the crash at {name}")
    assert victim.exit_code == CRASHED, (name, victim.last_words())
    await victim.start()
    await accepts(at_b, 20)


async def inherited(two: Pair) -> bool:
    """Whether a holds nothing."""
    return bool(
        await two.way.value(
            "SELECT count(*) = 0 FROM held_spans s JOIN nodes n ON s.holder_node = n.node_id WHERE n.name = 'a'"
        )
    )


async def accepts(esme: SimulatedEsme, messages: int) -> None:
    """Wait until a client had so many more accepted."""
    wanted = esme.summary.accepted + messages
    await eventually(lambda: esme.summary.accepted >= wanted, WITHIN_S, f"{messages} more accepted")
