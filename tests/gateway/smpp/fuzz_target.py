"""The room's fuzz target: any octets, cut in any way, to a session of either role in any state.

House style rule 12: any bytes give events or the blamed error, nothing else. An external fuzzer may call fuzz_once.
No expectation about particular PDUs may enter.
"""

from __future__ import annotations

import random

from gateway.smpp import pdus as p
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.errors import StreamCorrupt
from gateway.smpp.events import BindRequested, Event, RequestReceived
from gateway.smpp.pdus import PDU_TYPES, response_to
from gateway.smpp.session import BindType, Role, Session, SessionLimits
from gateway.smpp.walk import HEADER
from tests.gateway.smpp.pdu_strategies import bound_pair

LIMITS = SessionLimits(max_pdu=400, max_unexpected_responses_per_minute=5, window=4)


def session_by(selector: int) -> Session:
    """One of eight starting points: role (bit 0), bound or not (bit 1), requests outstanding (bit 2)."""
    if not selector & 2:
        session = Session(Role.ESME if selector & 1 else Role.SMSC, LIMITS)
        if selector & 5 == 5:
            session.bind(BindType.TRANSCEIVER, "a", "b")
    else:
        smsc, esme = bound_pair(smsc_limits=LIMITS, esme_limits=LIMITS)
        session = esme if selector & 1 else smsc
        if selector & 4:
            session.request(p.SubmitSm() if selector & 1 else p.DeliverSm(), "context")
    session.data_to_send()
    return session


def converse(session: Session, chunks: list[bytes]) -> tuple[list[Event], bytes]:
    """Give all chunks to a session whose shell answers only at the end; return events and octets sent."""
    events: list[Event] = []
    for chunk in chunks:
        session.tick(1.0)
        events += session.receive_data(chunk)
    for event in events:
        if isinstance(event, RequestReceived):
            session.respond(event.pdu, response_to(event.pdu, 0x08))
        elif isinstance(event, BindRequested):
            session.refuse_bind(event.pdu, 0x08, close=False)
    events += session.tick(1.0)
    return events, session.data_to_send()


def frames_of(octets: bytes) -> list[bytes]:
    """Cut octets into frames by their command_length; what we send must cut without rest."""
    frames = []
    while octets:
        length = int.from_bytes(octets[:4], "big")
        assert 16 <= length <= len(octets)
        frames.append(octets[:length])
        octets = octets[length:]
    return frames


def fuzz_once(data: bytes) -> None:
    """The first octet chooses the session, the second how the rest is cut; AssertionError or any exception: a find."""
    if len(data) < 2:
        return
    selector, step, octets = data[0], data[1] % 37 + 1, data[2:]
    whole = converse(session_by(selector), [octets])
    cut = converse(session_by(selector), [octets[at : at + step] for at in range(0, len(octets), step)])
    assert whole == cut
    for frame in frames_of(whole[1]):
        assert isinstance(decode_pdu(frame, tolerant=True), p.Pdu)
    try:
        pdu = decode_pdu(octets)
    except StreamCorrupt:
        return
    if isinstance(pdu, p.Pdu) and not pdu.command_id & p.RESPONSE_BIT:  # answers are read more generously than written
        assert decode_pdu(encode_pdu(pdu)) == pdu


def plausible_octets(chance: random.Random) -> bytes:
    """Octets that look like SMPP: a few PDUs of any type, damaged a little."""
    stream = bytearray((chance.randrange(256), chance.randrange(256)))
    for _ in range(chance.randint(1, 4)):
        pdu = chance.choice(list(PDU_TYPES.values()))(sequence_number=chance.choice((0, 1, 2, 3, 99, 0xFFFFFFFF)))
        if isinstance(pdu, p.SubmitMulti):
            pdu.dest_address = (p.SmeAddress(1, 1, "229"), p.DistributionList("all"))
        if chance.random() < 0.3:
            pdu.tlvs = ((chance.choice((0x0424, 0x0201, 0x0427, 0x1401)), chance.randbytes(chance.randint(0, 5))),)
        octets = encode_pdu(pdu)
        if chance.random() < 0.3:
            body = octets[16:] + chance.randbytes(chance.randint(0, 30))
            octets = HEADER.pack(16 + len(body), pdu.command_id, chance.choice((0, 8)), pdu.sequence_number) + body
        stream += octets
    for _ in range(chance.choice((0, 0, 1, 3))):
        stream[chance.randrange(2, len(stream))] = chance.randrange(256)
    return bytes(stream[: chance.randint(2, len(stream))] if chance.random() < 0.2 else stream)
