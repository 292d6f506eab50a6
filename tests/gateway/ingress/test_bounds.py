"""Every connection has its own bounds: what it floods, drips, leaves unread or never says harms itself only.

Promise P7; smpp-answers "As a server". Facts that last are asserted, never how long they take.
What must not enter: binding (test_binding.py), TLS (test_tls.py).
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.ingress import esme_connection, smpp_server
from gateway.ingress.connection_limits import ConnectionLimits
from gateway.ingress.esme_connection import CHATTER, WARY_OCTETS, WINDOW, EsmeConnection
from gateway.smpp.pdus import BindTransceiver, EnquireLink, EnquireLinkResp, SubmitSmResp, Unbind, UnbindResp
from gateway.smpp.session import SessionLimits
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.gateway.ingress.conftest import Door, open_door
from tests.gateway.raw_peer import WITHIN_S, submit


class Holds:
    """Why connections were no longer read, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.why: list[int] = []
        hold = EsmeConnection._hold

        def noted(connection: EsmeConnection, why: int) -> None:
            self.why.append(why)
            hold(connection, why)

        monkeypatch.setattr(EsmeConnection, "_hold", noted)


# ---------------------------------------------------------------- connections


def test_connections_are_counted_in_all_and_unbound_by_source() -> None:
    limits = ConnectionLimits(max_sessions=4, unbound_per_address=2)
    assert [limits.admit(source) for source in "aaab"] == [None, None, "unbound_per_address", None]
    limits.bound("a")
    assert limits.admit("a") is None
    assert limits.admit("b") == "max_sessions"
    limits.gone("a", was_bound=True)
    assert limits.admit("a") == "unbound_per_address", "two are unbound still"
    limits.gone("a", was_bound=False)
    limits.gone("a", was_bound=False)
    limits.gone("b", was_bound=False)
    assert (limits.held, dict(limits.unbound)) == (0, {})


async def test_unbound_connections_of_an_address_are_bounded_and_others_come_in(ground: Ground) -> None:
    async with open_door(ground, unbound_per_address=3) as door, contextlib.AsyncExitStack() as stack:
        hostile = [await stack.enter_async_context(door.peer(local_addr=("127.0.0.2", 0))) for _ in range(4)]
        assert await hostile[3].is_closed()
        assert door.life.tallies.refused_connections == {"unbound_per_address": 1}
        async with door.peer(bound=True, local_addr=("127.0.0.3", 0)):
            assert await hostile[0].bind() == 0
            async with door.peer(bound=True, local_addr=("127.0.0.2", 0)):
                assert len(door.server.connections) == 5


# ---------------------------------------------------------------- slowloris


@pytest.mark.parametrize(
    "octets", [b"\0\0\0\x40\0\0", b"\0\0\0\x40" + bytes.fromhex("000000040000000000000007") + b"ab"]
)
async def test_a_pdu_that_never_ends_closes_its_connection(ground: Ground, octets: bytes) -> None:
    limits = SessionLimits(partial_pdu_timeout_s=0.1)
    async with open_door(ground, limits=limits) as door, door.peer(bound=True) as drip, door.peer(bound=True) as other:
        drip.writer.write(octets)
        assert await drip.is_closed()
        assert (await other.ask(submit())).command_status == 0


async def test_octets_that_drip_do_not_prolong_a_pdu(ground: Ground) -> None:
    limits = SessionLimits(partial_pdu_timeout_s=0.3)
    async with open_door(ground, limits=limits) as door, door.peer(bound=True) as drip:
        drip.writer.write(b"\0\0\xff\xff")

        async def dripped() -> bool:
            drip.writer.write(b"\0")
            return not door.server.connections

        await eventually(dripped, WITHIN_S, "each octet came in time, and the whole did not")


# ---------------------------------------------------------------- floods


async def test_a_flood_of_what_brings_nothing_is_read_in_measured_gulps_and_answered_whole(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esme_connection, "CHATTER_LIMIT", 10)
    holds = Holds(monkeypatch)
    async with door.peer(bound=True) as flood, door.peer(bound=True) as other:
        flood.write(*[EnquireLink() for _ in range(50)])
        for _ in range(50):
            assert type(await flood.read()) is EnquireLinkResp
        assert CHATTER in holds.why
        holds.why.clear()
        other.write(*[submit(registered_delivery=0) for _ in range(50)])
        assert {(await other.read()).command_status for _ in range(50)} == {0}
        assert not holds.why, "what is accepted is no chatter"
        flood.writer.write(bytes.fromhex("00000010 00000999 00000000 00001234") * 50)
        for _ in range(50):
            assert (await flood.read()).command_status == 0x03
        assert CHATTER in holds.why
        assert (await flood.ask(submit())).command_status == 0, "it is read again"


async def test_who_chatters_is_read_in_small_gulps_until_a_tick_passes_without(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esme_connection, "CHATTER_LIMIT", 10)
    gulps: list[int] = []
    updated = EsmeConnection.buffer_updated

    def noted(connection: EsmeConnection, nbytes: int) -> None:
        gulps.append(nbytes)
        updated(connection, nbytes)

    monkeypatch.setattr(EsmeConnection, "buffer_updated", noted)
    links = 2_500  # some of them are left in the socket, however much is read at first
    async with door.peer(bound=True) as flood:
        (connection,) = door.server.connections
        gulps.clear()
        flood.write(*[EnquireLink() for _ in range(links)])
        for _ in range(links):
            await flood.read()
        assert sum(gulps) == links * 16
        assert max(gulps[1:]) == WARY_OCTETS
        await eventually(lambda: len(connection.get_buffer(-1)) == smpp_server.READ_OCTETS, WITHIN_S, "trusted again")


async def test_beyond_the_hard_window_a_bind_is_not_read_then_throttled(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = Holds(monkeypatch)
    async with open_door(ground, hard_window=4) as door, door.peer(bound=True) as flood:
        flood.write(*[submit(registered_delivery=0) for _ in range(12)])
        answers = sorted([(await flood.read()).command_status for _ in range(12)])
        assert answers[:4] == [0] * 4
        assert answers[-1] == 0x58
        assert WINDOW in holds.why
        assert (await flood.ask(submit())).command_status == 0, "it is read again"


async def test_a_flood_is_read_piece_by_piece(door: Door) -> None:
    """Nothing allocates what a peer sends at once: the door's one buffer is the most that one turn reads."""
    async with door.peer(bound=True) as flood:
        text = b"x" * 250
        flood.write(*[submit(text, registered_delivery=0) for _ in range(99)])
        flood.write(EnquireLink(sequence_number=0x1234))
        read = [await flood.read() for _ in range(100)]
        assert {answer.command_status for answer in read} == {0}
        assert len(door.server.read_buffer) == smpp_server.READ_OCTETS


# ---------------------------------------------------------------- leaving


async def test_what_crosses_our_unbind_is_refused_as_temporary(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        await door.change("UPDATE esmes SET state = 'suspended'")
        unbind = await peer.read()
        assert type(unbind) is Unbind
        answer = await peer.ask(submit())
        assert (type(answer), answer.command_status) == (SubmitSmResp, 0x08)
        peer.writer.write(peer.octets(UnbindResp(sequence_number=unbind.sequence_number)))
        assert await peer.is_closed()
    assert await door.ground.count("messages") == 0


async def test_a_bind_that_must_end_is_answered_what_it_is_owed_before_our_unbind(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        peer.write(*[submit(registered_delivery=0) for _ in range(20)])
        (connection,) = door.server.connections
        kinds = [await peer.read()]  # the first answer: what is not answered yet is owed
        connection.begin_unbind()
        kinds += [await peer.read() for _ in range(20)]
        assert [type(each) for each in kinds] == [SubmitSmResp] * 20 + [Unbind]
        assert {each.command_status for each in kinds[:20]} <= {0, 0x08}
        assert kinds[0].command_status == 0


async def test_nobody_who_waits_for_a_refusal_holds_up_the_end(ground: Ground) -> None:
    # half a minute: the answer would wait a whole one
    async with asyncio.timeout(30), open_door(ground) as door, door.peer() as peer:
        for _ in range(12):
            door.server.binding._lockout.failed("127.0.0.1", "ours1", asyncio.get_running_loop().time())
        peer.write(BindTransceiver(system_id="ours1", password="wrong"))
        await eventually(lambda: door.server.binding._answering, WITHIN_S)
