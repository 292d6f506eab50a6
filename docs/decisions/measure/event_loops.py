"""Decision 0008: a round trip of 160 octets over TCP on asyncio's own loop and on uvloop, both ends in one process.

Run: .venv/bin/python docs/decisions/measure/event_loops.py. What must not enter: anything but the loops' own work.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import asyncio
import statistics
import sys
import time

import uvloop

ROUNDS, TRIPS = 5, 20_000
OCTETS = b"x" * 160


class Echo(asyncio.Protocol):
    """Sends back what it reads; counts, where it began."""

    def __init__(self, done: asyncio.Future[None] | None = None) -> None:
        self.done, self.count = done, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if self.done is not None:
            transport.write(OCTETS)  # type: ignore[attr-defined]  # a transport by its methods

    def data_received(self, data: bytes) -> None:
        self.count += 1
        if self.done is not None and self.count == TRIPS:
            self.done.set_result(None)
        else:
            self.transport.write(data)  # type: ignore[attr-defined]


async def trip_us() -> float:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    done: asyncio.Future[None] = loop.create_future()
    began = time.perf_counter()
    transport, _ = await loop.create_connection(lambda: Echo(done), *server.sockets[0].getsockname())
    await done
    spent = time.perf_counter() - began
    transport.close()
    server.close()
    return spent / TRIPS * 1e6


def main() -> None:
    print(f"Python {sys.version.split()[0]}, uvloop {uvloop.__version__}; median of {ROUNDS}, in turn")
    found: dict[str, list[float]] = {"asyncio": [], "uvloop": []}
    for _ in range(ROUNDS):
        for name, factory in (("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop)):
            with asyncio.Runner(loop_factory=factory) as runner:
                found[name].append(runner.run(trip_us()))
    for name, trips in found.items():
        print(f"{name:10}{statistics.median(trips):6.1f} us a round trip ({min(trips):.1f} to {max(trips):.1f})")


if __name__ == "__main__":
    main()
