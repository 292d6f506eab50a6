"""The whole road for one fault test: a carrier (in this process), a node (a process of its own), clients, three logs.

What belongs here: building it, taking pieces away and giving them back, waiting for quiet, the proof at the end.
Source: issue "Bad input and faults that must be shown"; architecture 1 has the promises that are proven.
What must not enter: what one fault is expected to do (each test says it).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from gateway.command_line.checking import prove
from gateway.storage.database import DatabaseAway, connect
from simulators.esme import EsmeSettings, SimulatedEsme
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.eventually import eventually
from tests.running_node import PASSWORD, SYSTEM_ID, Carrier, Login, RunningNode, free_port, running_node

# A carrier one tick away: what takes a minute in production takes a second here, by configuration alone.
SOON = {"in_doubt_grace_s": 0.5, "reconnect_max_s": 0.5, "binds": 2, "window": 20}
OPEN = "SELECT count(*) FROM messages WHERE final_at_ms = 0"
LEFT = "SELECT * FROM messages WHERE final_at_ms = 0 OR notify = 'asked' ORDER BY message_id LIMIT 3"
OWED = "SELECT count(*) FROM messages WHERE final_at_ms > 0 AND notify = 'asked'"


class SimulatedCarrier:
    """One carrier on a port that stays its own: it may leave and come back. `smsc` is the one of the moment."""

    def __init__(self, folder: Path, name: str, plain: Mapping[str, object]) -> None:
        self.name = name
        self.port = free_port()
        self.plain = {"log_fsync": False} | dict(plain)
        self.logs: list[Path] = []
        self._folder = folder
        self._block = contextlib.AsyncExitStack()
        self._smsc: SimulatedSmsc | None = None

    @property
    def smsc(self) -> SimulatedSmsc:
        assert self._smsc is not None, "the carrier is away"
        return self._smsc

    async def arrive(self, **plain: object) -> SimulatedSmsc:
        """Listen; `plain` changes settings for good."""
        self.plain |= plain
        log = self._folder / f"{self.name}-{len(self.logs)}.jsonl"
        self.logs.append(log)
        settings = SmscSettings.parse(**({"seed": len(self.logs), "log": log} | self.plain | {"listen": self.address}))
        self._smsc = await self._block.enter_async_context(SimulatedSmsc(settings))
        return self._smsc

    async def leave(self) -> None:
        """Reset every connection and listen no more."""
        await self._block.aclose()
        self._smsc = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class Road:
    """What a test holds in its hands. Carriers in the order of their routes."""

    def __init__(self, folder: Path, node: RunningNode, carriers: list[SimulatedCarrier]) -> None:
        self.folder = folder
        self.node = node
        self.carriers = carriers
        self.esme_logs: list[Path] = []

    @property
    def carrier(self) -> SimulatedCarrier:
        return self.carriers[0]

    @property
    def smsc(self) -> SimulatedSmsc:
        return self.carriers[0].smsc

    def esme(self, connect: str = "", **plain: object) -> SimulatedEsme:
        """A client with a log of its own, to be entered by `async with`; 24 GSM characters a text.

        connect: HOST:PORT of a way to the node, else the node's own.
        """
        log = self.folder / f"esme-{len(self.esme_logs)}.jsonl"
        self.esme_logs.append(log)
        settings: dict[str, object] = {"system_id": SYSTEM_ID, "password": PASSWORD, "characters": 24}
        settings |= {"log": log, "log_fsync": False, "seed": len(self.esme_logs)} | plain
        return SimulatedEsme(EsmeSettings.parse(connect or f"127.0.0.1:{self.node.smpp_port}", **settings))

    async def goes_on(self, esme: SimulatedEsme, within_s: float, after: str, messages: int = 1) -> None:
        """Wait until a client has so many more submissions accepted than now."""
        wanted = esme.summary.accepted + messages
        node = self.node
        await eventually(
            lambda: esme.summary.accepted >= wanted or node.exit_code is not None, within_s, f"service after {after}"
        )
        assert esme.summary.accepted >= wanted, f"the node ended after {after}:\n{node.last_words()}"

    # -- rows

    async def value(self, sql: str, *arguments: object) -> Any:
        """One value of the rows, by a connection of its own. Raises DatabaseAway."""
        async with self.node.database() as connection:
            return await connection.fetchval(sql, *arguments)

    async def states(self) -> dict[str, int]:
        """How many messages are in which state."""
        async with self.node.database() as connection:
            rows = await connection.fetch("SELECT state, count(*) AS messages FROM messages GROUP BY state")
            return {row["state"]: row["messages"] for row in rows}

    async def quiet(self, within_s: float = 30.0) -> None:
        """Wait until every message is final and its customer told."""

        async def is_quiet() -> bool:
            with contextlib.suppress(DatabaseAway, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return await self.value(OPEN) == 0 and await self.value(OWED) == 0
            return False

        try:
            await eventually(is_quiet, within_s, "every message final and told")
        except AssertionError as late:
            async with self.node.database() as connection:
                left = await connection.fetch(LEFT)
                waiting = await connection.fetch("SELECT * FROM waiting_notifications LIMIT 3")
            raise AssertionError(f"not quiet: {await self.states()}\n{left}\n{waiting}") from late

    # -- the proof

    async def prove(self) -> None:
        """`passerelle check` over the rows and every log so far; AssertionError shows what failed."""
        carriers_logs = [log for carrier in self.carriers for log in carrier.logs]
        async with self.node.database() as connection:
            verdicts = await prove(connection, carriers_logs, self.esme_logs)
        failed = [verdict for verdict in verdicts if verdict.failed]
        assert not failed, "\n".join(f"{v.proof}: {v.failed} of {v.checked}, {v.offenders[:3]}" for v in failed)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the node's log that tell this event."""
        return [line for line in self.node.log_lines() if line.get("event") == name]

    def resident_mib(self) -> float:
        """Resident memory of the node, in MiB."""
        pages = int(Path(f"/proc/{self.node.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextlib.asynccontextmanager
async def road(
    folder: Path,
    dsn: str | None,
    *,
    smsc: Mapping[str, object] | Sequence[Mapping[str, object]] = (),
    connector: Mapping[str, object] | None = None,
    logins: Sequence[Login] = (Login(),),
    more: str = "",
    start: bool = True,
) -> AsyncIterator[Road]:
    """Carriers (settings each), a node with a route to each of them, logins. dsn None: the node's own PostgreSQL."""
    plains = [smsc] if isinstance(smsc, Mapping) else list(smsc) or [{}]
    carriers = [
        SimulatedCarrier(folder, f"carrier-{letter}", plain) for letter, plain in zip("abc", plains, strict=False)
    ]
    keys = SOON | dict(connector or {})
    lines = [Carrier(port=each.port, name=each.name, more=keys) for each in carriers]
    async with contextlib.AsyncExitStack() as block:
        for carrier in carriers:
            block.push_async_callback(carrier.leave)
            await carrier.arrive()
        node = running_node(folder / "node", *lines, logins=logins, dsn=dsn, more=more, start=False)
        built = Road(folder, await block.enter_async_context(node), carriers)
        if start:
            await built.node.start()
        yield built


async def is_reachable(dsn: str) -> bool:
    """Whether PostgreSQL takes connections now."""
    try:
        connection = await connect(dsn)
    except (DatabaseAway, OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True
