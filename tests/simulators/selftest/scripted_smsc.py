"""An SMSC that is wrong on purpose: it frames and binds as it should, and says what a test wishes instead of the rest.

What belongs here: one listening socket, one wish a command_id. SMPP v3.4 3.2, 4.1.
What must not enter: gateway.smpp, and any rule: a test's wish is the rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping

from simulators.selftest.octets import HEADER, HEADER_OCTETS, frame

BINDS = (0x01, 0x02, 0x09)
UNBIND, ENQUIRE_LINK = 0x06, 0x15
RESPONSE_BIT = 0x80000000
VERSION = b"smsc\0\x02\x10\x00\x01\x34"  # system_id and sc_interface_version
# what is sent for (command_id, sequence_number); None: nothing, and the connection ends
Wish = Callable[[int, int], bytes | None]


def good(command_id: int, sequence_number: int) -> bytes | None:
    """What a right SMSC answers when nothing is wrong with what it is asked."""
    bodies = dict.fromkeys(BINDS, VERSION) | {0x04: b"id\0", 0x103: b"id\0"}
    return frame(command_id | RESPONSE_BIT, 0, sequence_number, bodies.get(command_id, b""))


class ScriptedSmsc:
    """wishes: by command_id; others are answered as good(). never_closes: an unbind is answered and nothing more.

    greeting: octets sent at once. patience_s: then the connection ends; None: never. whole_reads: each read is taken
    for a PDU, as the worst of servers do.
    """

    def __init__(
        self,
        wishes: Mapping[int, Wish],
        patience_s: float | None = None,
        never_closes: bool = False,
        whole_reads: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._wishes = wishes
        self._patience_s = patience_s
        self._never_closes = never_closes
        self._whole_reads = whole_reads
        self._tls = tls

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listen as long as the block runs; its port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            async with asyncio.timeout(self._patience_s):
                while await self._answer(reader, writer):
                    await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._whole_reads:
            octets = await reader.read(65536)
            if len(octets) < HEADER_OCTETS:
                return bool(octets)
            length, command_id, _, sequence_number = HEADER.unpack_from(octets)
        else:
            length, command_id, _, sequence_number = HEADER.unpack(await reader.readexactly(HEADER_OCTETS))
            await reader.readexactly(max(0, length - HEADER_OCTETS))
        said = self._wishes.get(command_id, good)(command_id, sequence_number)
        if said is None:
            return False
        writer.write(said)
        return command_id != UNBIND or self._never_closes
