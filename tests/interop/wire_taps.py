"""Taps on the wire: small proxies that record every octet of real sessions, and tshark that judges the record.

The record is written as a capture (libpcap 2.4, LINKTYPE_IPV4), a segment ending where a PDU ends, because Wireshark
takes a shorter one than a header for no SMPP; the server's port becomes 2775. No rights are needed: anybody may run it.
What must not enter: our codec (the judge must not be ours).
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SMPP_PORT = 2775  # IANA
FIRST_CLIENT_PORT = 40_000  # chosen: one for each recorded connection
SEGMENT_LIMIT = 60_000  # octets of a recorded segment: an IPv4 packet has 65,535 at most
READ_LIMIT = 65_536
WARNING = 0x600000  # Wireshark: expert severity "warn"
LINKTYPE_IPV4 = 228  # libpcap: raw IPv4
TO_SERVER, TO_CLIENT = "to server", "to client"


@dataclass
class Recorded:
    """One connection: its segments in order, each (direction, octets)."""

    segments: list[tuple[str, bytes]] = field(default_factory=list)

    def stream(self, direction: str) -> bytes:
        """All octets of one direction."""
        return b"".join(octets for which, octets in self.segments if which == direction)


class Tap:
    """Listens on a port of its own and hands everything on to `target`, recording it."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections: list[Recorded] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._turns: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on 127.0.0.1, on a port the system chooses."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        if self._turns:
            await asyncio.wait(self._turns)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turn = asyncio.current_task()
        assert turn is not None
        self._turns.add(turn)
        self._writers.add(writer)
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(target_writer)
            recorded = Recorded()
            self.connections.append(recorded)
            async with asyncio.TaskGroup() as both:
                both.create_task(_hand_on(reader, target_writer, recorded, TO_SERVER))
                both.create_task(_hand_on(target_reader, writer, recorded, TO_CLIENT))
            self._writers.discard(target_writer)
        except OSError:  # nobody listens at the target
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._turns.discard(turn)


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recorded: Recorded, direction: str
) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(READ_LIMIT):
            recorded.segments.append((direction, octets))
            writer.write(octets)
            await writer.drain()
    writer.close()


@dataclass(frozen=True)
class Verdict:
    """What tshark says: command_ids it saw, in the order of the frames, and its complaints (one text a frame)."""

    command_ids: list[int]
    complaints: list[str]


def judge(connections: list[Recorded], folder: Path, tshark: str) -> Verdict:
    """Let tshark dissect recorded connections, all in one call."""
    capture = folder / "wire.pcap"
    capture.write_bytes(_capture(connections))
    fields = ("frame.number", "smpp.command_id", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
    words = [tshark, "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    for name in fields:
        words += ["-e", name]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    command_ids: list[int] = []
    complaints = []
    for line in told.stdout.splitlines():
        _, ids, malformed, severities, _ = line.split("|", 4)
        command_ids += [int(each, 0) for each in ids.split(",") if each]
        if malformed or any(int(each) >= WARNING for each in severities.split(",") if each):
            complaints.append(line)
    return Verdict(command_ids, complaints)


def count_pdus(stream: bytes) -> int:
    """How many PDUs a stream has, by their command_length; a cut one at its end does not count."""
    return len(_pdu_ends(stream))


def _pdu_ends(stream: bytes) -> list[int]:
    """Where each whole PDU ends, by command_length (SMPP v3.4 3.2)."""
    ends = []
    at = 0
    while at + 16 <= len(stream):
        (length,) = struct.unpack_from(">I", stream, at)
        assert length >= 16, f"command_length {length} at octet {at}"
        at += length
        if at <= len(stream):
            ends.append(at)
    return ends


def _capture(connections: list[Recorded]) -> bytes:
    packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, LINKTYPE_IPV4)]
    for number, recorded in enumerate(connections):
        packets += _packets(recorded, FIRST_CLIENT_PORT + number)
    return b"".join(packets)


def _whole_pdus(recorded: Recorded) -> Iterator[tuple[str, bytes]]:
    """The segments put together so that each ends with a PDU; what is cut at the end of the connection comes last."""
    waiting = {TO_SERVER: b"", TO_CLIENT: b""}
    for direction, octets in recorded.segments:
        waiting[direction] += octets
        ends = _pdu_ends(waiting[direction])
        if ends:
            yield direction, waiting[direction][: ends[-1]]
            waiting[direction] = waiting[direction][ends[-1] :]
    yield from waiting.items()


def _packets(recorded: Recorded, client_port: int) -> Iterator[bytes]:
    """One connection as IPv4 and TCP packets (RFC 791, RFC 9293), checksums left zero."""
    following = {TO_SERVER: 1, TO_CLIENT: 1}
    for direction, octets in _whole_pdus(recorded):
        other = TO_CLIENT if direction == TO_SERVER else TO_SERVER
        ports = (client_port, SMPP_PORT) if direction == TO_SERVER else (SMPP_PORT, client_port)
        for at in range(0, len(octets), SEGMENT_LIMIT):
            piece = octets[at : at + SEGMENT_LIMIT]
            tcp = struct.pack(">HHIIBBHHH", *ports, following[direction], following[other], 5 << 4, 0x18, 65535, 0, 0)
            following[direction] += len(piece)
            length = 20 + len(tcp) + len(piece)
            ends = (b"\x7f\x00\x00\x01", b"\x7f\x00\x00\x02")
            source, target = ends if direction == TO_SERVER else ends[::-1]
            header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 6, 0, source, target)
            yield struct.pack("<IIII", 0, 0, length, length) + header + tcp + piece
