"""What becomes of the octets of one connection: cut, doubled, turned, and counted. No sockets, no time.

SMPP v3.4 section 3.2: a PDU begins with its length, four octets. What is no SMPP passes without boundaries.
What must not enter: delay and silence (proxy.py has the clock).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from simulators.fault_proxy.settings import ProxySettings, Way

LENGTH_OCTETS = 4
SHORTEST_PDU = 16  # SMPP v3.4 section 3.2: the header
LONGEST_PDU = 70_000  # as gateway.smpp's max_pdu: a message_payload of 65,535 octets and everything around it


@dataclass(slots=True)
class Tally:
    """What happened so far: over a connection, or summed over all of a proxy."""

    octets: int = 0  # taken in, both ways
    pdus: int = 0  # whole ones, both ways
    duplicates: int = 0
    flips: int = 0
    cuts: int = 0

    def add(self, other: Tally) -> None:
        """Sum another tally into this one."""
        self.octets += other.octets
        self.pdus += other.pdus
        self.duplicates += other.duplicates
        self.flips += other.flips
        self.cuts += other.cuts


class Boundaries:
    """Where PDUs end in a stream, however it is chunked. lost: this is no SMPP (any more), there are no boundaries."""

    def __init__(self) -> None:
        self.lost = False
        self._header = bytearray()
        self._left = 0  # octets of the current PDU that are still to come, once its length is known

    def ends_in(self, octets: bytes) -> list[int]:
        """The offsets in `octets` just behind each PDU that ends there."""
        ends: list[int] = []
        at = 0
        while at < len(octets) and not self.lost:
            if not self._left:
                taken = octets[at : at + LENGTH_OCTETS - len(self._header)]
                self._header += taken
                at += len(taken)
                if len(self._header) < LENGTH_OCTETS:
                    break
                length = int.from_bytes(self._header, "big")
                self._header.clear()
                if not SHORTEST_PDU <= length <= LONGEST_PDU:
                    self.lost = True
                    break
                self._left = length - LENGTH_OCTETS
            taken_now = min(self._left, len(octets) - at)
            self._left -= taken_now
            at += taken_now
            if not self._left:
                ends.append(at)
        return ends


@dataclass(slots=True)
class Passed:
    """What leaves for some octets taken in. cut: nothing follows, on neither way."""

    octets: bytes
    cut: str = ""  # why
    doubled: list[int] = field(default_factory=list)  # lengths of PDUs that leave twice


class FaultyWay:
    """One way of one connection; both ways share the connection's tally, by which it is cut."""

    def __init__(self, way: Way, tally: Tally, chance: random.Random) -> None:
        self._way = way
        self._tally = tally
        self._chance = chance
        self._boundaries = Boundaries()
        self._pdu = bytearray()  # of the current PDU, what passed so far: kept while duplicates are wished
        self._whole = True  # whether _pdu has it from its first octet
        self._until_flip: int | None = None  # octets to the next one with a bit turned; None: to be drawn
        self._flip = 0.0  # the share for which that was drawn

    def take(self, octets: bytes, settings: ProxySettings) -> Passed:
        """What leaves for these octets, by the settings of the moment."""
        faulty = settings.only in (None, self._way)
        ends = self._boundaries.ends_in(octets)
        keep, cut = self._cut(octets, ends, settings)
        ends = [end for end in ends if end <= keep]
        self._tally.octets += keep
        self._tally.pdus += len(ends)
        passed = Passed(b"", cut)
        if faulty and settings.duplicate:
            left = self._double(octets[:keep], ends, settings.duplicate, passed)
        else:
            left = octets[:keep]
            self._pdu.clear()
            self._whole = bool(ends) and ends[-1] == keep
        passed.octets = self._turn(left, settings.flip) if faulty and settings.flip else left
        self._tally.cuts += bool(cut)
        return passed

    def _cut(self, octets: bytes, ends: list[int], settings: ProxySettings) -> tuple[int, str]:
        """How many of these octets still pass, and why no more."""
        keep, why = len(octets), ""
        if settings.cut_after and self._tally.octets + keep >= settings.cut_after:
            keep, why = max(0, settings.cut_after - self._tally.octets), "octets"
        if settings.cut_at_pdu and self._tally.pdus + len(ends) >= settings.cut_at_pdu:
            index = settings.cut_at_pdu - self._tally.pdus - 1
            at = ends[index] if index >= 0 else 0
            if at <= keep:
                keep, why = at, "PDUs"
        return keep, why

    def _double(self, octets: bytes, ends: list[int], share: float, passed: Passed) -> bytes:
        left = bytearray()
        begin = 0
        for end in ends:
            self._pdu += octets[begin:end]
            left += octets[begin:end]
            if self._whole and self._chance.random() < share:
                left += self._pdu
                passed.doubled.append(len(self._pdu))
            self._pdu.clear()
            self._whole = True
            begin = end
        left += octets[begin:]
        if not self._boundaries.lost:
            self._pdu += octets[begin:]
        self._tally.duplicates += len(passed.doubled)
        return bytes(left)

    def _turn(self, octets: bytes, share: float) -> bytes:
        """Turn one bit in a share of the octets; distances are drawn, so that chunking changes nothing."""
        if self._flip != share:
            self._flip, self._until_flip = share, None
        if self._until_flip is None:
            self._until_flip = self._distance(share)
        turned = bytearray(octets)
        while self._until_flip < len(turned):
            turned[self._until_flip] ^= 1 << self._chance.randrange(8)
            self._tally.flips += 1
            self._until_flip += 1 + self._distance(share)
        self._until_flip -= len(turned)
        return bytes(turned)

    def _distance(self, share: float) -> int:
        """Octets left alone before the next one that is not: a geometric draw."""
        return 0 if share >= 1.0 else int(math.log(1.0 - self._chance.random()) / math.log(1.0 - share))
