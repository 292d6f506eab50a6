"""Bad neighbours of an honest client: a slow reader, floods of garbage and of enquire_link, PDUs that drip, and wrong
passwords from ever new addresses, each over and over.

`python -m tests.bench.neighbours PORT floods|guesses|all` until SIGTERM. A process that steps back behind all others:
theirs are other machines, whose processors are not the gateway's.
What must not enter: measuring.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from gateway.smpp.codec import encode_pdu
from gateway.smpp.pdus import BindTransceiver, EnquireLink
from tests.bench.installation import PASSWORD

AGAIN_S = 0.1  # chosen: between two tries of a bad neighbour
DRIPS, GUESSERS = 20, 4
ADDRESS = "127.0.0.66"


async def misbehave(port: int, kind: str) -> None:
    """Until cancelled."""
    links = encode_pdu(EnquireLink(sequence_number=1)) * 500
    unknown = bytes.fromhex("00000010 00000999 00000000 00001234") * 500
    misdeeds: dict[str, list[Coroutine[Any, Any, None]]] = {
        "slow": [_flood(port, "hostile0", links, reads=False)],
        "unknown": [_flood(port, "hostile1", unknown, reads=True)],
        "links": [_flood(port, "hostile2", links, reads=True)],
        "garbage": [_flood(port, "", bytes(range(256)) * 64, reads=True)],
        "drips": [_drip(port) for _ in range(DRIPS)],
        "guesses": [_guess(port, number) for number in range(GUESSERS)],
    }
    wanted = {"floods": [each for each in misdeeds if each != "guesses"], "all": list(misdeeds)}.get(kind, [kind])
    for each in misdeeds.keys() - set(wanted):
        for idle in misdeeds[each]:
            idle.close()
    await asyncio.gather(*(misdeed for each in wanted for misdeed in misdeeds[each]))


@contextlib.asynccontextmanager
async def _connected(
    port: int, system_id: str, address: str = ADDRESS
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, bound when it has a name; from an address of its own, so that it is nobody's neighbour there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        if system_id:
            writer.write(encode_pdu(BindTransceiver(sequence_number=1, system_id=system_id, password=PASSWORD)))
            await reader.readexactly(16)
        yield reader, writer
    finally:
        writer.transport.abort()


async def _flood(port: int, system_id: str, octets: bytes, reads: bool) -> None:
    """Write as fast as it is taken; read what comes, or never."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, system_id) as (reader, writer):
                if not reads:
                    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a slow reader
                while not writer.is_closing():
                    writer.write(octets)
                    await writer.drain()
                    if reads and not await reader.read(1 << 16):
                        break
        await asyncio.sleep(AGAIN_S)


async def _drip(port: int) -> None:
    """An octet now and then of a PDU that never ends."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, "hostile3") as (_, writer):
                writer.write(b"\0\0\xff\xff")
                while not writer.is_closing():
                    writer.write(b"\0")
                    await asyncio.sleep(AGAIN_S)
        await asyncio.sleep(AGAIN_S)


async def _guess(port: int, number: int) -> None:
    """Wrong passwords, each a new one and from a new address: nothing slows them but the queue."""
    guesses = 0
    while True:
        guesses += 1
        address = f"127.{number + 1}.{guesses // 250 % 250}.{guesses % 250 + 1}"
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(port, "", address) as (reader, writer):
                password = f"{number}{guesses}"
                writer.write(encode_pdu(BindTransceiver(sequence_number=1, system_id="crowd0", password=password)))
                await reader.read()


async def main() -> None:
    """Begin, and end at SIGTERM."""
    os.nice(19)
    with contextlib.suppress(OSError):  # sched(7): where sessions are scheduled as groups, niceness is theirs
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
    running = asyncio.create_task(misbehave(int(sys.argv[1]), sys.argv[2]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(main())
