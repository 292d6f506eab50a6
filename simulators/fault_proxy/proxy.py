"""The fault proxy on the wire: it listens, connects on, and lets octets pass as its settings say.

Two half connections make a link; each way of it is a queue with due times. Silence stops reading, as a network that
loses everything does: nothing is lost, and it comes when the silence ends. Limits: LINKS_LIMIT, QUEUE_LIMIT.
What must not enter: what becomes of octets (faults.py).
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType

from simulators.control_door import ControlDoor
from simulators.fault_proxy.faults import FaultyWay, Tally
from simulators.fault_proxy.log_lines import (
    ChangeLine,
    ConnectedLine,
    CutLine,
    DuplicateLine,
    EndedLine,
    UnreachableLine,
)
from simulators.fault_proxy.settings import Address, ProxySettings, Way
from simulators.log import LogLine, SimulatorLog, StartLine
from simulators.plain_values import Endpoint
from simulators.waiting import Conditions

LINKS_LIMIT = 1_000  # beyond: cut off at once; chosen
QUEUE_LIMIT = 1 << 20  # octets that wait on one way before no more is read; chosen
CONNECT_TIMEOUT_S = 10.0  # chosen


class FaultProxy:
    """A proxy in this process: `async with FaultProxy(settings) as proxy:` listens until the block ends.

    Attributes: settings (change by change()), port (bound; 0 on a Unix socket), control_port, tally, conditions
    (looked at after everything that passes).
    """

    def __init__(self, settings: ProxySettings) -> None:
        self.settings = settings
        self.port = self.control_port = 0
        self.connections = 0  # ever
        self.tally = Tally()  # of links that ended; report() adds the living
        self.conditions = Conditions()
        self.links: set[Link] = set()
        self.failure: OSError | None = None
        self._log: SimulatorLog | None = None
        self._server: asyncio.Server | None = None
        self._control = ControlDoor(self._obey)
        self.tasks = asyncio.TaskGroup()  # of connecting on; they end with the proxy

    # --- life

    async def __aenter__(self) -> FaultProxy:
        settings = self.settings
        if settings.log is not None:
            self._log = SimulatorLog(settings.log, settings.log_fsync)
        self.write(StartLine(role="proxy", seed=settings.seed))
        loop = asyncio.get_running_loop()
        await self.tasks.__aenter__()
        try:
            if isinstance(settings.listen, Endpoint):
                self._server = await loop.create_server(self._born, settings.listen.host, settings.listen.port)
                self.port = self._server.sockets[0].getsockname()[1]
            else:
                self._server = await loop.create_unix_server(self._born, str(settings.listen))
            if settings.control is not None:
                self.control_port = await self._control.open(settings.control)
        except BaseException:  # also a cancelled start leaves nothing open
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._control.close()
        ending = [link.over for link in self.links]
        for link in list(self.links):
            link.cut("the proxy ends")
        if ending:
            await asyncio.wait(ending)
        await self.tasks.__aexit__(None, None, None)
        if self._server is not None:
            await self._server.wait_closed()
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def endpoint(self) -> Address:
        """Where it listens."""
        listen = self.settings.listen
        return Endpoint(listen.host, self.port) if isinstance(listen, Endpoint) else listen

    def _born(self) -> Half:
        self.connections += 1
        link = Link(self, self.connections)
        return link.client

    def write(self, line: LogLine) -> None:
        """Add a line to the log, durable before what it tells of passes on."""
        if self._log is None:
            return
        line.at_ms = time.time_ns() // 1_000_000
        try:
            self._log.append(line)
            self._log.write()
            self._log.sync()
        except OSError as fault:
            self.failure = fault
            self.conditions.look()

    # --- control

    def report(self) -> dict[str, object]:
        """The statistics as plain values."""
        total = Tally()
        total.add(self.tally)
        for link in self.links:
            total.add(link.tally)
        return {"connections": self.connections, "open": len(self.links)} | dataclasses.asdict(total)

    def change(self, plain: Mapping[str, object]) -> None:
        """Change settings, for living connections too. ValueError says why not."""
        self.settings = self.settings.changed(plain)
        self.write(ChangeLine(values={name: _plain(getattr(self.settings, name)) for name in plain}))
        for link in list(self.links):
            link.look_again()

    def disconnect(self) -> int:
        """Cut every connection; return how many."""
        living = list(self.links)
        for link in living:
            link.cut("asked")
        return len(living)

    def _obey(self, asked: dict[str, object]) -> dict[str, object]:
        told: dict[str, object] = {}
        for name, argument in asked.items():
            match name, argument:
                case "statistics", _:
                    told["statistics"] = self.report()
                case "settings", _:
                    names = [field.name for field in dataclasses.fields(self.settings)]
                    told["settings"] = {each: _plain(getattr(self.settings, each)) for each in names}
                case "set", dict():
                    self.change(argument)
                case "disconnect", "drop":
                    told["disconnected"] = self.disconnect()
                case _:
                    raise ValueError(f"unknown request {name!r}")
        return told


def _plain(value: object) -> str:
    return value.value if isinstance(value, Way) else "" if value is None else str(value)


class Link:
    """One connection through the proxy: two halves, and a way to each."""

    def __init__(self, proxy: FaultProxy, number: int) -> None:
        self.proxy = proxy
        self.number = number
        self.tally = Tally()
        self.client = Half(self, Way.TO_SERVER)
        self.server = Half(self, Way.TO_CLIENT)
        self.client.other, self.server.other = self.server, self.client
        self.ended_by = ""
        loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = loop.create_future()
        self._connecting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The client is there: connect on, unless nobody may."""
        proxy = self.proxy
        proxy.links.add(self)
        if proxy.settings.away or len(proxy.links) > LINKS_LIMIT:
            proxy.write(UnreachableLine(link=self.number, why="away" if proxy.settings.away else "too many"))
            self.client.abort()
            return
        self._connecting = proxy.tasks.create_task(self._connect())

    async def _connect(self) -> None:
        loop, to = asyncio.get_running_loop(), self.proxy.settings.to
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                if isinstance(to, Endpoint):
                    await loop.create_connection(lambda: self.server, to.host, to.port)
                else:
                    await loop.create_unix_connection(lambda: self.server, str(to))
        except (OSError, TimeoutError) as fault:
            self.proxy.write(UnreachableLine(link=self.number, why=str(fault)))
            self.client.abort()
            return
        self.proxy.write(ConnectedLine(link=self.number))
        if self.client.gone:
            self.server.abort()
        self.look_again()

    def cut(self, why: str) -> None:
        """End both halves at once."""
        self._tell_cut(why)
        self.client.abort()
        self.server.abort()
        if self._connecting is not None and self.server.transport is None:
            self._connecting.cancel()

    def end_after(self, last: Half, why: str) -> None:
        """What was taken in still passes to the other side of `last`; then both end. Nothing more is read."""
        self._tell_cut(why)
        for half in (self.client, self.server):
            half.stop_reading()
        last.finish()

    def _tell_cut(self, why: str) -> None:
        if not self.ended_by:
            self.ended_by = "proxy"
            self.proxy.write(CutLine(link=self.number, why=why, octets=self.tally.octets, pdus=self.tally.pdus))

    def look_again(self) -> None:
        """Settings changed, or the server is there: octets may pass that waited."""
        self.client.pump()
        self.server.pump()

    def half_gone(self, half: Half) -> None:
        """asyncio told that one half ended: what it had sent passes, then the other half ends too."""
        self.ended_by = self.ended_by or ("client" if half is self.client else "server")
        if half is self.client and self.server.transport is None and self._connecting is not None:
            self._connecting.cancel()
        half.finish()
        if self.client.gone and (self.server.gone or self.server.transport is None) and not self.over.done():
            proxy = self.proxy
            proxy.links.discard(self)
            proxy.tally.add(self.tally)
            t = self.tally
            proxy.write(EndedLine(link=self.number, by=self.ended_by, octets=t.octets, pdus=t.pdus, flips=t.flips))
            self.over.set_result(None)
            proxy.conditions.look()


class Half(asyncio.Protocol):
    """One socket of a link, and the way that begins there: what it sends goes to `other`."""

    other: Half

    def __init__(self, link: Link, way: Way) -> None:
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._link = link
        self._way = way
        self._chance = random.Random(f"{link.proxy.settings.seed}/{link.number}/{way.value}")
        self._faults = FaultyWay(way, link.tally, self._chance)
        self._queue: deque[tuple[float, memoryview]] = deque()  # due (loop time), octets
        self._queued = 0  # octets
        self._timer: asyncio.Handle | None = None
        self._finishing = False  # nothing more comes; once the queue is empty the other half ends
        self._reads = True
        self._stopped = False
        self._blocked = False  # the other side does not read
        self._loop = asyncio.get_running_loop()

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        plug = transport.get_extra_info("socket")
        if plug is not None and plug.family in (socket.AF_INET, socket.AF_INET6):
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self is self._link.client:
            self._link.begin()

    def data_received(self, data: bytes) -> None:
        settings = self._link.proxy.settings
        passed = self._faults.take(data, settings)
        for length in passed.doubled:
            self._link.proxy.write(DuplicateLine(link=self._link.number, way=self._way.value, octets=length))
        delay_s = settings.delay_ms.draw(self._chance.random) / 1000
        due_s = max(self._loop.time() + delay_s, self._queue[-1][0] if self._queue else 0.0)
        if passed.octets:
            self._queue.append((due_s, memoryview(passed.octets)))
            self._queued += len(passed.octets)
        if passed.cut:
            self._link.end_after(self, passed.cut)
        else:
            self.pump()
        self._link.proxy.conditions.look()

    def pause_writing(self) -> None:
        self.other._blocked = True
        self.other._decide_reading()

    def resume_writing(self) -> None:
        self.other._blocked = False
        self.other.pump()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._link.half_gone(self)

    # --- this way

    def pump(self) -> None:
        """Pass on what is due."""
        if self._timer is not None:
            return  # it will
        settings = self._link.proxy.settings
        silent = settings.silence is self._way
        out = self.other.transport
        if self.other.gone:
            self._queue.clear()
        while self._queue and out is not None and not silent and not self._blocked:
            due_s, octets = self._queue[0]
            wait_s = due_s - self._loop.time()
            if wait_s > 0:
                self._timer = self._loop.call_later(wait_s, self._again)
                break
            if settings.octet_at_a_time and len(octets) > 1:
                self._queue[0] = (due_s, octets[1:])
                self._queued -= 1
                out.write(octets[:1])
                self._timer = self._loop.call_soon(self._again)
                break
            self._queue.popleft()
            self._queued -= len(octets)
            out.write(octets)
        if self._finishing and not self._queue and not silent:
            self.other.close()
            if self._stopped:
                self.close()
        self._decide_reading()

    def _again(self) -> None:
        self._timer = None
        self.pump()

    def _decide_reading(self) -> None:
        """Read as long as what is read may pass."""
        silent = self._link.proxy.settings.silence is self._way
        wished = not (silent or self._blocked or self._stopped or self._queued > QUEUE_LIMIT)
        if self.transport is None or self.gone or wished == self._reads or self.transport.is_closing():
            return
        self._reads = wished
        if wished:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def stop_reading(self) -> None:
        """Read no more, for ever."""
        self._stopped = True
        self._decide_reading()

    def finish(self) -> None:
        """Nothing more comes from here: when all has passed, the other half ends."""
        self._finishing = True
        self.pump()

    def close(self) -> None:
        """End after what was handed to the socket."""
        if self.transport is not None and not self.gone:
            self.transport.close()

    def abort(self) -> None:
        """End at once."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.transport is not None and not self.gone:
            self.transport.abort()
