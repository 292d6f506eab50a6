"""The road under a test: a simulated carrier, a node, and a tap on each side of it.

What belongs here: building it for one test, and what every test asks at its end: the proofs, and tshark's verdict.
What must not enter: a peer.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.log import SmscSubmitLine
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.interop.peers import find_program
from tests.interop.wire_taps import TO_CLIENT, TO_SERVER, Tap, count_pdus, judge
from tests.running_node import Carrier, Login, RunningNode, running_node

ARRIVAL_TIMEOUT_S = 20.0  # chosen: messages and receipts of a test; 1 s when the machine has nothing else to do


@dataclass
class Road:
    """A carrier, a node between two taps. `port`: where peers connect (the tap), node.smpp_port: past the tap."""

    smsc: SimulatedSmsc
    smsc_log: Path
    node: RunningNode
    taps: tuple[Tap, Tap]

    @property
    def port(self) -> int:
        return self.taps[0].port

    async def until_taken(self, count: int) -> list[SmscSubmitLine]:
        """What the carrier took, once it took `count` submits. TimeoutError after ARRIVAL_TIMEOUT_S."""
        await self.smsc.until(lambda statistics: statistics.taken >= count, ARRIVAL_TIMEOUT_S)
        return list(self.smsc.taken)

    async def prove(self) -> None:
        """`passerelle check` finds nothing, and neither does tshark in what went over both wires."""
        await self.node.check([self.smsc_log])
        judge_taps(self.taps, self.node.folder)


def judge_taps(taps: Sequence[Tap], folder: Path) -> None:
    """tshark, where it is here (its own tests say when it is not), finds every PDU and no malformed one."""
    tshark = find_program("tshark")
    if tshark is None:
        return
    connections = [connection for tap in taps for connection in tap.connections]
    verdict = judge(connections, folder, tshark)
    assert verdict.complaints == []
    sent = sum(count_pdus(connection.stream(way)) for connection in connections for way in (TO_SERVER, TO_CLIENT))
    assert len(verdict.command_ids) == sent


@contextlib.asynccontextmanager
async def tapped(target: int) -> AsyncIterator[Tap]:
    """A tap in front of a port, closed with the block."""
    tap = Tap(target)
    await tap.open()
    try:
        yield tap
    finally:
        await tap.close()


@contextlib.asynccontextmanager
async def road(
    folder: Path, dsn: str, logins: Sequence[Login] = (Login(),), more: str = "", **smsc_settings: object
) -> AsyncIterator[Road]:
    """Carrier, tap, node, tap; all ended with the block. smsc_settings: as `passerelle simulate smsc`."""
    smsc_log = folder / "smsc.jsonl"
    async with (
        SimulatedSmsc(SmscSettings.parse(log=smsc_log, **smsc_settings)) as smsc,
        tapped(smsc.port) as carrier_tap,
        running_node(folder / "node", Carrier(port=carrier_tap.port), logins=logins, dsn=dsn, more=more) as node,
        tapped(node.smpp_port) as customer_tap,
    ):
        yield Road(smsc, smsc_log, node, (customer_tap, carrier_tap))
