"""The coat of both simulators: a TCP connection that carries one SMPP session, and the outbox before the sockets.

SMPP v3.4 section 2.7 (the session's life over a connection). Octets leave once a loop turn, after the log is durable.
What must not enter: what is answered or asked; that is the owner's (SimulatedSmsc, SimulatedEsme).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from gateway.smpp.events import Event
from gateway.smpp.session import Session, SessionLimits
from gateway.smpp.session_states import Role
from simulators.log import SimulatorLog

WRITE_BUFFER_LIMIT = 1 << 20  # octets a slow reader may leave with us before we stop reading it; chosen


class WireOwner(Protocol):
    """Whose connections they are. Each call happens inside the loop and returns at once."""

    def wire_connected(self, wire: Wire) -> None:
        """The connection is there; the session is open."""

    def wire_events(self, wire: Wire, events: list[Event]) -> None:
        """What the session says. Octets to send are taken afterwards."""

    def wire_writable(self, wire: Wire) -> None:
        """The peer reads again."""

    def wire_lost(self, wire: Wire, contexts: list[object]) -> None:
        """The connection ended; contexts: of our requests that were neither answered nor reported overdue."""


class Wire(asyncio.Protocol):
    """One connection. Attributes to read: session, number, paused (the peer does not read), lost, muted."""

    def __init__(
        self,
        owner: WireOwner,
        outbox: Outbox,
        role: Role,
        limits: SessionLimits,
        number: int,
        octet_at_a_time: bool = False,
    ) -> None:
        self.number = number
        self.name = str(number)
        self.paused = False
        self.muted = False
        self.lost = False
        self.in_outbox = False
        self.closing = ""
        self._reads = True
        self._owner = owner
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._octet_at_a_time = octet_at_a_time
        self._octets: deque[int] = deque()
        self._transport: asyncio.Transport | None = None
        self.session = Session(role, limits, time.monotonic())
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_LIMIT)  # type: ignore[union-attr]
        plug = transport.get_extra_info("socket")
        if plug is not None and plug.family in (socket.AF_INET, socket.AF_INET6):
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner.wire_connected(self)
        self.wake()

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came."""
        if self.muted or self.lost:
            return
        session = self.session
        events = session.tick(time.monotonic())
        if self._octet_at_a_time:
            for position in range(len(data)):
                events += session.receive_data(data[position : position + 1])
        else:
            received = session.receive_data(data)
            events = events + received if events else received
        if events:
            self._owner.wire_events(self, events)
        self.wake()

    def tick(self, now_s: float) -> None:
        """Let the session see the time: time.monotonic(), which is finer than uvloop's loop time."""
        if self.muted or self.lost:
            return
        events = self.session.tick(now_s)
        if events:
            self._owner.wire_events(self, events)
        self.wake()

    def wake(self) -> None:
        """Have the session's octets sent at the end of this turn."""
        if not self.in_outbox:
            self.in_outbox = True
            self._outbox.wake(self)

    def send(self, octets: bytes) -> None:
        """Outbox: hand octets to the socket, and close when the session wants it."""
        if self.lost or self._transport is None:
            return
        if octets and not self.muted:
            if self._octet_at_a_time:
                self._octets.extend(octets)
                self._send_one_octet()
            else:
                self._transport.write(octets)
        if self.session.close_wanted and not self._octets:
            self.closing = self.closing or str(self.session.close_reason)
            self._transport.close()

    def _send_one_octet(self) -> None:
        """One octet a loop turn, so that neither asyncio nor uvloop joins them."""
        if self._octets and not self.lost and self._transport is not None:
            self._transport.write(bytes((self._octets.popleft(),)))
            if self._octets:
                self._loop.call_soon(self._send_one_octet)
            else:
                self.wake()

    def mute(self) -> None:
        """From here on nothing is understood and nothing is sent, while the connection stays: a half-open link."""
        self.muted = True

    def stop_reading(self) -> None:
        """Leave what the peer sends in its socket, for ever."""
        self._reads = False
        if self._transport is not None and not self.lost:
            self._transport.pause_reading()

    def close(self, reason: str) -> None:
        """End the connection after what was handed to the socket."""
        self.closing = self.closing or reason
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """End the connection at once, without a word."""
        self.closing = self.closing or reason
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        """asyncio: the peer does not read; so we do not read the peer."""
        self.paused = True
        if self._reads and self._transport is not None and not self.lost:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: the peer reads again."""
        self.paused = False
        if self._reads and self._transport is not None and not self.lost:
            self._transport.resume_reading()
        self._owner.wire_writable(self)
        self.wake()

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio: the connection ended."""
        self.lost = True
        self.closing = self.closing or ("connection lost" if error else "closed by peer")
        self._owner.wire_lost(self, self.session.abandon())
        if not self.closed.done():
            self.closed.set_result(None)
        self._outbox.wake_log()


class Outbox:
    """Takes the octets of all sessions once a loop turn and sends them when the log lines before them are durable.

    While one fsync runs in its thread the next turn's octets gather: the previous fsync is the clock.
    """

    def __init__(self, log: SimulatorLog | None, after_turn: Callable[[], None]) -> None:
        self._log = log
        self._after_turn = after_turn
        self._loop = asyncio.get_running_loop()
        self._awake: list[Wire] = []
        self._scheduled = False
        self._syncing = False
        self._thread = ThreadPoolExecutor(1, "simulator-log") if log is not None and log.fsync else None
        self.failure: OSError | None = None

    def wake(self, wire: Wire) -> None:
        """Take this wire's octets at the end of the turn."""
        self._awake.append(wire)
        self.wake_log()

    def wake_log(self) -> None:
        """Have a turn, also when only log lines or values changed."""
        if not self._scheduled and not self._syncing:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        awake, self._awake = self._awake, []
        batch = []
        for wire in awake:
            wire.in_outbox = False
            batch.append((wire, wire.session.data_to_send()))
        log = self._log
        if log is None or not log.pending:
            self._send(batch)
            return
        try:
            log.write()
        except OSError as error:
            self._fail(error)
            return
        if self._thread is None:
            self._send(batch)
            return
        self._syncing = True
        durable = self._loop.run_in_executor(self._thread, log.sync)
        durable.add_done_callback(lambda done: self._synced(done, batch))

    def _synced(self, done: asyncio.Future[None], batch: list[tuple[Wire, bytes]]) -> None:
        self._syncing = False
        error = None if done.cancelled() else done.exception()
        if isinstance(error, OSError):
            self._fail(error)
            return
        self._send(batch)
        if self._awake or (self._log is not None and self._log.pending):
            self.wake_log()

    def _send(self, batch: list[tuple[Wire, bytes]]) -> None:
        for wire, octets in batch:
            wire.send(octets)
        self._after_turn()

    def _fail(self, error: OSError) -> None:
        """The log cannot be kept: nothing that depends on it may leave."""
        self.failure = error
        self._after_turn()

    def stop(self) -> None:
        """Wait for the fsync under way and let the thread and the log go; its owner closes it."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
        self._log = None
