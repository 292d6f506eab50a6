"""An ESME whose every octet the test chooses: for what no well-behaved client would do.

What belongs here: sending octets or PDUs, reading one PDU, reading the end of the connection. SMPP v3.4 3.2.
What must not enter: a session's rules (simulators.esme has them).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import PduUnacceptable
from gateway.smpp.pdus import BindTransceiver, Pdu, SubmitSm
from tests.running_node import PASSWORD, SENDER, SYSTEM_ID

STREAM_LIMIT = 1 << 16  # asyncio's own: beyond it a stream reads no more
MANY = 500  # PDUs of one write; chosen
STUCK_S = 2.0  # nothing was taken for so long: it will not be; chosen
ANSWER_WITHIN_S = 60.0  # chosen: far beyond what an answer takes, argon2id included, on a machine that is busy


class RawEsme:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, *what: Pdu | bytes) -> None:
        """Write PDUs or octets as they are, in one piece."""
        self._writer.write(b"".join(each if isinstance(each, bytes) else encode_pdu(each) for each in what))

    async def receive(self, within_s: float = ANSWER_WITHIN_S) -> Pdu:
        """The next PDU. AssertionError when the connection ends instead, TimeoutError when nothing comes."""
        async with asyncio.timeout(within_s):
            try:
                length = await self._reader.readexactly(4)
                octets = length + await self._reader.readexactly(int.from_bytes(length, "big") - 4)
            except (asyncio.IncompleteReadError, ConnectionError) as fault:
                raise AssertionError("the gateway closed instead of answering") from fault
        pdu = decode_pdu(octets)
        assert not isinstance(pdu, PduUnacceptable), pdu
        return pdu

    async def ask(self, pdu: Pdu) -> Pdu:
        """Send one PDU and return what comes back."""
        self.send(pdu)
        return await self.receive()

    async def closed(self, within_s: float = ANSWER_WITHIN_S) -> bytes:
        """Read until the gateway closes; what it still said. TimeoutError when it does not close."""
        said = bytearray()
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while octets := await self._reader.read(65536):
                    said += octets
        return bytes(said)

    async def send_until_stuck(self, pdu: Pdu, within_s: float) -> int:
        """Send one PDU again and again, reading nothing, until the gateway reads no more; how many went out."""
        many = encode_pdu(pdu) * MANY
        sent = 0
        async with asyncio.timeout(within_s):
            while True:
                self._writer.write(many)
                sent += MANY
                try:
                    async with asyncio.timeout(STUCK_S):
                        await self._writer.drain()
                except TimeoutError:
                    return sent

    async def bind(self, system_id: str = SYSTEM_ID, password: str = PASSWORD) -> int:
        """Bind as transceiver; the command_status."""
        return (
            await self.ask(BindTransceiver(sequence_number=1, system_id=system_id, password=password))
        ).command_status


@contextlib.asynccontextmanager
async def raw_esme(port: int, receive_buffer: int = 0) -> AsyncIterator[RawEsme]:
    """A connection that ends with the block. receive_buffer: octets the kernel keeps for us; 0: its own choice."""
    connected = socket.socket()
    if receive_buffer:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connected.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
    limit = receive_buffer or STREAM_LIMIT
    reader, writer = await asyncio.open_connection(sock=connected, limit=limit)
    try:
        yield RawEsme(reader, writer)
    finally:
        writer.transport.abort()  # what was not read or taken is of no interest any more
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def a_submit(number: int, to: str = "2290197000001", source: str = SENDER) -> SubmitSm:
    """submit_sm with this sequence_number, a receipt asked for."""
    alphanumeric = not source.isdigit()
    return SubmitSm(
        sequence_number=number,
        source_addr_ton=5 if alphanumeric else 1,
        source_addr_npi=0 if alphanumeric else 1,
        source_addr=source,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=to,
        registered_delivery=1,
        short_message=b"number %d" % number,
    )
