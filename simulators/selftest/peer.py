"""One connection to the SMSC under judgement: octets out, whole or one at a time; PDUs in, read by a reader of its own.

SMPP v3.4 3.2, 4, 5.3. What the SMSC asks by itself (enquire_link, deliver_sm) is answered here and is no answer to us.
What must not enter: what is expected, and the decoder of any server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from simulators.selftest.cases import QuestionManner
from simulators.selftest.octets import HEADER, HEADER_OCTETS, frame

RESPONSE_BIT = 0x80000000  # v3.4 5.1.2.1
LONGEST_ANSWER = 70_000  # a message_payload of 65,535 octets and what surrounds it
CONNECT_WITHIN_S = 10.0  # chosen
ALERT_NOTIFICATION, OUTBIND = 0x00000102, 0x0000000B  # v3.4 4.12, 4.1.7: requests without an answer
UNBIND, ENQUIRE_LINK = 0x00000006, 0x00000015
DELIVER_SM_RESP = 0x80000005
ASKING_BACK = {0x00000005, 0x00000103}  # deliver_sm, data_sm: their answers carry an (empty) message_id
# Bodies of answers with status 0: C-octet strings before the TLVs (v3.4 4); absent: other bodies, not looked into
C_STRINGS = {0x80000000: 0, 0x80000001: 1, 0x80000002: 1, 0x80000004: 1, 0x80000005: 1, 0x80000006: 0}
C_STRINGS |= {0x80000007: 0, 0x80000008: 0, 0x80000009: 1, 0x80000015: 0, 0x80000103: 1, 0x80000111: 1}
NAMED = {0x80000004, 0x80000103, 0x80000111, 0x80000021}  # success names a message: its message_id is not empty


class Closed(Exception):
    """The SMSC ended the connection."""


class Malformed(Exception):
    """What the SMSC sent is no PDU, or its body is none of its command_id; the text says where."""


@dataclass(frozen=True)
class Answer:
    """One PDU of the SMSC. body: behind the header; tlvs: (tag, value), None where the body is not looked into."""

    command_id: int
    command_status: int
    sequence_number: int
    body: bytes
    tlvs: tuple[tuple[int, bytes], ...] | None


class Peer:
    """An ESME that says exactly what it is told. questions: how it treats those it is asked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octetwise: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._octetwise = octetwise
        self.questions: QuestionManner = "answer"

    async def send(self, octets: bytes) -> None:
        """Write octets in one piece, or one at a time with the loop's turn between. The SMSC may close meanwhile."""
        pieces = [octets[at : at + 1] for at in range(len(octets))] if self._octetwise else [octets]
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # an early end is seen by the next receive()
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
                await asyncio.sleep(0)

    async def receive(self, within_s: float | None) -> Answer:
        """The next PDU that is not the SMSC's own question. Raises TimeoutError, Closed, Malformed."""
        async with asyncio.timeout(within_s):
            while True:
                answer = await self._read()
                if answer.command_id & RESPONSE_BIT or answer.command_id == UNBIND:
                    return answer
                await self._answer(answer)

    async def live(self) -> None:
        """Answer the SMSC's questions until the connection ends."""
        with contextlib.suppress(Closed, Malformed):
            while True:
                await self.receive(None)

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def _read(self) -> Answer:
        try:
            header = await self._reader.readexactly(HEADER_OCTETS)
            length, command_id, status, sequence_number = HEADER.unpack(header)
            if not HEADER_OCTETS <= length <= LONGEST_ANSWER:
                raise Malformed(f"a command_length of {length}")
            body = await self._reader.readexactly(length - HEADER_OCTETS)
        except asyncio.IncompleteReadError as end:
            if end.partial:
                raise Malformed("the connection ended inside a PDU") from end
            raise Closed from end
        except (ConnectionError, ssl.SSLError) as end:  # TLS: the end may come without its close_notify
            raise Closed from end
        return Answer(command_id, status, sequence_number, body, read_tlvs(command_id, status, body))

    async def _answer(self, asked: Answer) -> None:
        """What any ESME answers to a question of the SMSC."""
        if asked.command_id in (ALERT_NOTIFICATION, OUTBIND) or self.questions == "silence":
            return
        response = asked.command_id | RESPONSE_BIT
        if asked.command_id == ENQUIRE_LINK and self.questions == "another type":
            response = DELIVER_SM_RESP
        body = b"\x00" if response & ~RESPONSE_BIT in ASKING_BACK else b""
        with contextlib.suppress(ConnectionError):
            self._writer.write(frame(response, 0, asked.sequence_number, body))
            await self._writer.drain()


@contextlib.asynccontextmanager
async def connected(host: str, port: int, octetwise: bool, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A connection that ends with the block. Raises OSError (a certificate that is not believed, too), TimeoutError."""
    async with asyncio.timeout(CONNECT_WITHIN_S):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    plug = writer.get_extra_info("socket")
    if plug is not None and plug.family in (socket.AF_INET, socket.AF_INET6):
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield Peer(reader, writer, octetwise)
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await writer.wait_closed()


def read_tlvs(command_id: int, command_status: int, body: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """The TLVs of an answer, None for bodies that are not looked into. Malformed: the body has another form.

    A refusal may have no body at all (v3.4 4.1.2, 4.4.2).
    """
    strings = C_STRINGS.get(command_id)
    if strings is None or (command_status and not body):
        return None if strings is None else ()
    at = 0
    for _ in range(strings):
        end = body.find(0, at)
        if end < 0:
            raise Malformed("a C-octet string without NUL")
        if command_id in NAMED and not command_status and end == at:
            raise Malformed("a success without message_id")
        at = end + 1
    tlvs = []
    while at < len(body):
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        if len(body) - at < 4 or len(body) - at - 4 < length:
            raise Malformed("octets behind the body that are no TLV")
        tlvs.append((int.from_bytes(body[at : at + 2], "big"), body[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(tlvs)
