"""An ESME that is only a socket: it writes PDUs or octets as a test says, and reads what comes.

What must not enter: a session; what a peer may send when is the test's to decide.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.pdus import BindTransceiver, Pdu, SubmitSm

WITHIN_S = 60.0  # chosen: ends a test that would wait for ever


class RawPeer:
    """One connection. sequence_number of what it writes: counted up, unless the PDU has one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._sequence_number = 0

    def octets(self, *pdus: Pdu) -> bytes:
        """PDUs as octets, numbered."""
        for pdu in pdus:
            self._sequence_number += 1
            pdu.sequence_number = pdu.sequence_number or self._sequence_number
        return b"".join(map(encode_pdu, pdus))

    def write(self, *pdus: Pdu) -> None:
        """Write all of them at once."""
        self.writer.write(self.octets(*pdus))

    async def read(self) -> Any:
        """The next PDU."""
        async with asyncio.timeout(WITHIN_S):
            head = await self.reader.readexactly(4)
            pdu = decode_pdu(head + await self.reader.readexactly(int.from_bytes(head, "big") - 4), True)
        assert isinstance(pdu, Pdu), pdu
        return pdu

    async def ask(self, pdu: Pdu) -> Any:
        """Write one and read the next."""
        self.write(pdu)
        return await self.read()

    async def bind(self, kind: type[Pdu] = BindTransceiver, **fields: Any) -> int:
        """Bind; the status of the answer."""
        answer = await self.ask(kind(**{"system_id": "ours1", "password": "secret", **fields}))
        return int(answer.command_status)

    async def is_closed(self) -> bool:
        """Wait for the end of the connection; False: something else was said before."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WITHIN_S):
                return await self.reader.read(1) == b""
        return True


@contextlib.asynccontextmanager
async def raw_peer(port: int, **options: Any) -> AsyncIterator[RawPeer]:
    """A connection to 127.0.0.1, closed with the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def submit(text: bytes = b"hello", **fields: Any) -> SubmitSm:
    """A good submit_sm of our sender name, some fields replaced."""
    plain = {"source_addr_ton": 5, "source_addr": "ACME", "dest_addr_ton": 1, "dest_addr_npi": 1}
    plain |= {"destination_addr": "2290197000001", "registered_delivery": 1, "short_message": text}
    return SubmitSm(**{**plain, **fields})
