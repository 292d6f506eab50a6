"""The lines of the fault proxy's own log, so that a test can tell its faults from the peers'.

What belongs here: the shapes. The file and its durability: simulators/log.py. Format: chosen there.
What must not enter: user data; a proxy sees octets only.
"""

from __future__ import annotations

from simulators.log import LogLine


class ConnectedLine(LogLine, tag="connected", gc=False, kw_only=True):
    """Somebody connected, and the server took it. link: number of the connection in this run."""

    link: int


class UnreachableLine(LogLine, tag="unreachable", gc=False, kw_only=True):
    """Somebody connected, and was cut off: the server took nobody, or the proxy is told to be away."""

    link: int
    why: str


class CutLine(LogLine, tag="cut", gc=False, kw_only=True):
    """The proxy ended a connection. why: octets, PDUs, asked. octets, pdus: what it had carried."""

    link: int
    why: str
    octets: int
    pdus: int


class DuplicateLine(LogLine, tag="duplicate", gc=False, kw_only=True):
    """A PDU of so many octets left twice."""

    link: int
    way: str
    octets: int


class ChangeLine(LogLine, tag="change", gc=False, kw_only=True):
    """Settings changed while it ran; the names with the new values."""

    values: dict[str, str]


class EndedLine(LogLine, tag="ended", gc=False, kw_only=True):
    """A connection is over. by: client, server, proxy. flips: octets with a bit turned on it."""

    link: int
    by: str
    octets: int
    pdus: int
    flips: int
