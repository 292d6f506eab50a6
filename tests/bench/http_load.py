"""A client of the HTTP API that costs little: requests written as octets over kept connections, answers counted.

A process of its own (`python -m tests.bench.http_load`): its task comes as JSON on stdin, its counts leave as JSON. At
a rate, a request's time begins when it was due, so an API that holds its client up is not excused.
What must not enter: what is asked (http_api.py), verdicts.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable

import msgspec

LENGTH = b"Content-Length: "


class Task(msgspec.Struct):
    """requests: their octets, taken in turn, `@@@@@@@@` replaced by a number. rate 0: as fast as they are answered."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    rate: float = 0.0
    first: int = 0  # of the numbers


class Told(msgspec.Struct):
    """What came of it: answers by status, seconds it took, milliseconds of each answer, and what the client cost."""

    statuses: dict[str, int]
    seconds: float
    answer_ms: list[float]
    cpu_s: float
    first_fault: str = ""


class Connection(asyncio.Protocol):
    """One at a time: a request, its answer."""

    def __init__(self, answered: Callable[[Connection, int, bytes], None]) -> None:
        self._answered = answered
        self._seen = b""
        self.transport: asyncio.Transport | None = None
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's; uvloop's is no asyncio.Transport

    def ask(self, request: bytes, due: float) -> None:
        assert self.transport is not None
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._seen = self._seen + data if self._seen else data
        head = self._seen.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._seen.index(LENGTH, 0, head + 2) + len(LENGTH)
        length = int(self._seen[at : self._seen.index(b"\r", at)])
        if len(self._seen) >= head + 4 + length:
            answer, self._seen = self._seen, b""
            self._answered(self, int(answer[9:12]), answer)


class Client:
    """All connections of one task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._number = task.first
        self._statuses: Counter[str] = Counter()
        self._answer_ms: list[float] = []
        self._first_fault = ""
        self._idle: list[Connection] = []
        self._due: list[float] = []  # those that no connection was free for
        self._done = asyncio.Event()
        self._open = 0
        self._until = 0.0

    async def run(self) -> Told:
        loop, task = asyncio.get_running_loop(), self._task
        for _ in range(task.connections):
            _, connection = await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", task.port)
            self._idle.append(connection)
        began, cpu = time.monotonic(), time.process_time()
        self._until = began + task.seconds
        if task.rate:
            await self._at_rate(began)
        else:
            for connection in [self._idle.pop() for _ in range(task.connections)]:
                self._ask(connection, time.monotonic())
        if self._open:
            await self._done.wait()
        seconds = time.monotonic() - began
        return Told(dict(self._statuses), seconds, self._answer_ms, time.process_time() - cpu, self._first_fault)

    async def _at_rate(self, began: float) -> None:
        asked = 0
        while (now := time.monotonic()) < self._until:
            while began + asked / self._task.rate <= now:
                due = began + asked / self._task.rate
                asked += 1
                if self._idle:
                    self._ask(self._idle.pop(), due)
                else:
                    self._due.append(due)
            await asyncio.sleep(max(0.0, began + asked / self._task.rate - time.monotonic()))

    def _ask(self, connection: Connection, due: float) -> None:
        self._number += 1
        self._open += 1
        self._done.clear()
        request = self._task.requests[self._number % len(self._task.requests)]
        connection.ask(request.replace(b"@@@@@@@@", b"%08d" % (self._number % 100_000_000)), due)

    def _answered(self, connection: Connection, status: int, answer: bytes) -> None:
        now = time.monotonic()
        self._open -= 1
        self._statuses[str(status)] += 1
        self._answer_ms.append((now - connection.due) * 1000)
        if status >= 300 and not self._first_fault:
            self._first_fault = answer[-400:].decode(errors="replace")
        if self._due:
            self._ask(connection, self._due.pop(0))
        elif not self._task.rate and now < self._until:
            self._ask(connection, now)
        else:
            self._idle.append(connection)
            if not self._open:
                self._done.set()


def main() -> None:
    """One task."""
    import uvloop

    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    told = uvloop.run(Client(task).run())
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
