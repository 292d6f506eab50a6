"""Who gets in at a full, watched or rotating door: limits by type, networks, two passwords, floods, half-open binds.

smpp-answers, bind rows; promise P7. Over sockets, real PostgreSQL behind. What must not enter: states of a session.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from gateway.ingress import binding as room
from gateway.ingress.binding import BindPolicy, is_allowed
from gateway.ingress.credentials import Credentials
from gateway.smpp.pdus import BindReceiver, BindTransceiver, BindTransmitter, EnquireLink, EnquireLinkResp, Pdu, Unbind
from gateway.storage import logins
from gateway.storage.facts import EsmeRow
from tests.eventually import eventually
from tests.gateway.conftest import Ground
from tests.gateway.ingress.conftest import CHEAP, Door, open_door
from tests.gateway.raw_peer import WITHIN_S, RawPeer, submit

NOW = BindPolicy(takeover_silence_s=0.0, takeover_answer_s=60.0)  # every bind may be asked; nobody is closed
SOON = BindPolicy(takeover_silence_s=0.0, takeover_answer_s=0.2)


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limit", "kind", "others"),
    [
        ("max_transmitters", BindTransmitter, (BindReceiver, BindTransceiver)),
        ("max_receivers", BindReceiver, (BindTransmitter, BindTransceiver)),
        ("max_transceivers", BindTransceiver, (BindTransmitter, BindReceiver)),
    ],
)
async def test_each_type_has_its_own_limit_beside_that_of_all(
    door: Door, limit: str, kind: type[Pdu], others: tuple[type[Pdu], type[Pdu]]
) -> None:
    await door.change(f"UPDATE esmes SET {limit} = 1, max_binds = 3")
    async with door.peer(bound=True, kind=kind), door.peer() as second:
        assert await second.bind(kind) == 0x0D
        assert await second.is_closed()
        async with door.peer(bound=True, kind=others[0]), door.peer(bound=True, kind=others[1]), door.peer() as fourth:
            assert await fourth.bind(others[0]) == 0x0D


async def test_a_type_may_be_forbidden_altogether(door: Door) -> None:
    await door.change("UPDATE esmes SET max_receivers = 0")
    async with door.peer() as peer:
        assert await peer.bind(BindReceiver) == 0x0D
    async with door.peer(bound=True, kind=BindTransmitter):
        pass


async def test_a_bind_that_is_closing_makes_room(door: Door) -> None:
    await door.change("UPDATE esmes SET max_binds = 1")
    async with door.peer(bound=True) as leaving, door.peer() as coming:
        await leaving.ask(Unbind())
        assert await coming.bind() == 0


@pytest.mark.parametrize(
    ("address", "cidrs", "allowed"),
    [
        ("192.0.2.7", [], True),
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("192.0.3.7", ["192.0.2.0/24", "192.0.3.7/32"], True),
        ("192.0.3.8", ["192.0.2.0/24", "192.0.3.7/32"], False),
        ("2001:db8::5", ["2001:db8::/32"], True),
        ("2001:db9::5", ["2001:db8::/32"], False),
        ("2001:db8::5", ["192.0.2.0/24"], False),
        ("192.0.2.7", ["2001:db8::/32"], False),
        ("::ffff:192.0.2.7", ["192.0.2.0/24"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
    ],
)
def test_networks_of_both_families_are_told_apart(address: str, cidrs: list[str], allowed: bool) -> None:
    assert is_allowed(address, cidrs) is allowed


async def test_a_peer_by_ipv6_is_refused_or_let_in_by_its_networks(ground: Ground) -> None:
    async with open_door(ground, host="::1") as door:
        for cidrs, status in (("{2001:db8::/32,127.0.0.0/8}", 0x0D), ("{::1/128}", 0)):
            await door.change("UPDATE esmes SET allow_cidrs = $1::text[]", cidrs.strip("{}").split(","))
            reader, writer = await asyncio.open_connection("::1", door.server.port)
            with contextlib.closing(writer):
                assert await RawPeer(reader, writer).bind() == status


# ---------------------------------------------------------------- two passwords in rotation


async def rotate(door: Door, password: str, grace_s: float) -> None:
    until_ms = door.ground.clock.ms + int(grace_s * 1000) if grace_s else 0
    assert await logins.rotate_password(door.ground.connection, "ours1", CHEAP.hash(password), until_ms)
    await door.take_facts()


async def test_in_rotation_both_passwords_bind_and_no_bind_ends(door: Door) -> None:
    async with door.peer(bound=True) as before:
        await rotate(door, "another1", 3600)
        async with door.peer() as former, door.peer() as newer:
            assert await former.bind(password="secret") == 0
            assert await newer.bind(password="another1") == 0
            assert (await before.ask(submit())).command_status == 0


async def test_when_the_grace_ends_so_do_the_binds_of_the_former_password_and_no_others(door: Door) -> None:
    await rotate(door, "another1", 3600)
    async with door.peer(bound=True) as former, door.peer() as newer:
        assert await newer.bind(password="another1") == 0
        door.ground.clock.pass_s(3600)
        await door.take_facts()
        assert type(await former.read()) is Unbind
        assert (await newer.ask(submit())).command_status == 0
        async with door.peer() as late:
            assert await late.bind(password="secret") == 0x0D


async def test_confirming_ends_the_former_password_at_once(door: Door) -> None:
    await rotate(door, "another1", 3600)
    async with door.peer(bound=True) as former:
        assert await logins.confirm_password(door.ground.connection, "ours1")
        await door.take_facts()
        assert type(await former.read()) is Unbind
    assert not await logins.confirm_password(door.ground.connection, "ours1")


async def test_without_grace_the_former_password_ends_with_its_binds(door: Door) -> None:
    async with door.peer(bound=True) as former:
        await rotate(door, "another1", 0)
        assert type(await former.read()) is Unbind


async def test_a_second_rotation_ends_the_oldest_password(door: Door) -> None:
    await rotate(door, "another1", 3600)
    await rotate(door, "another2", 3600)
    for password, status in (("secret", 0x0D), ("another1", 0), ("another2", 0)):
        async with door.peer() as peer:
            assert await peer.bind(password=password) == status


# ---------------------------------------------------------------- wrong words


class Proofs:
    """Which words were proven, in order; the first waits until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        prove = Credentials.prove

        async def watched(each: Credentials, esme: EsmeRow | None, password: str, now_ms: int) -> str | None:
            self.asked.append(password)
            await self.gate.wait()
            return await prove(each, esme, password, now_ms)

        monkeypatch.setattr(Credentials, "prove", watched)


@contextlib.asynccontextmanager
async def peers(door: Door, count: int, address: str) -> AsyncIterator[list[RawPeer]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(door.peer(local_addr=(address, 0))) for _ in range(count)]


def ask_to_bind(peer: RawPeer, password: str, system_id: str = "ours1") -> None:
    peer.write(BindTransceiver(system_id=system_id, password=password))


async def test_a_flood_of_wrong_words_delays_an_honest_first_bind_by_one_proof(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs = Proofs(monkeypatch)
    async with peers(door, 15, "127.0.0.2") as flood, peers(door, 1, "127.0.0.3") as (honest,):
        for number, peer in enumerate(flood):
            ask_to_bind(peer, f"wrong{number}")
        await eventually(lambda: len(door.server.binding._proving) == 15, WITHIN_S, "all wait for their proof")
        ask_to_bind(honest, "secret")
        await eventually(lambda: len(door.server.binding._proving) == 16, WITHIN_S)
        proofs.gate.set()
        assert (await honest.read()).command_status == 0
        assert proofs.asked.index("secret") <= 2
        for peer in flood[:2]:
            assert (await peer.read()).command_status == 0x0D


async def test_more_proofs_than_an_address_may_await_are_refused_at_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PROOFS_PER_LANE", 3)
    proofs = Proofs(monkeypatch)
    async with peers(door, 4, "127.0.0.2") as flood, peers(door, 1, "127.0.0.3") as (honest,):
        for number, peer in enumerate(flood[:3]):
            ask_to_bind(peer, f"wrong{number}")
        await eventually(lambda: len(door.server.binding._proving) == 3, WITHIN_S)
        ask_to_bind(flood[3], "wrong3")
        assert (await flood[3].read()).command_status == 0x0D
        assert "wrong3" not in proofs.asked
        ask_to_bind(honest, "secret")
        proofs.gate.set()
        assert (await honest.read()).command_status == 0


async def test_a_slowed_address_has_fewer_proofs_than_others(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = Proofs(monkeypatch)
    lockout = door.server.binding._lockout
    while not lockout.is_slowed("127.0.0.2", "ours1", asyncio.get_running_loop().time()):
        lockout.failed("127.0.0.2", "ours1", asyncio.get_running_loop().time())
    async with (
        peers(door, room.SLOWED_PROOFS_PER_LANE + 1, "127.0.0.2") as flood,
        peers(door, 5, "127.0.0.3") as others,
    ):
        for number, peer in enumerate(flood[:-1], 1):
            ask_to_bind(peer, f"wrong{number}")
            await eventually(lambda n=number: len(door.server.binding._proving) == n, WITHIN_S)  # type: ignore[misc]
        ask_to_bind(flood[-1], "one more")
        assert (await flood[-1].read()).command_status == 0x0D, "at once"
        for number, peer in enumerate(others):
            ask_to_bind(peer, f"other{number}")
        waiting = room.SLOWED_PROOFS_PER_LANE + 5
        await eventually(lambda: len(door.server.binding._proving) == waiting, WITHIN_S)
        assert len(proofs.asked) <= 1


async def test_all_binds_of_a_login_that_come_back_at_once_are_one_proof(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PROOFS_PER_LANE", 1)
    proofs = Proofs(monkeypatch)
    async with peers(door, 8, "127.0.0.2") as customers:
        for peer in customers:
            ask_to_bind(peer, "secret")
        await eventually(lambda: sum(map(len, door.server.binding._proving.values())) == 8, WITHIN_S)
        proofs.gate.set()
        assert [(await peer.read()).command_status for peer in customers] == [0] * 8
    assert proofs.asked == ["secret"]


async def test_wrong_words_from_elsewhere_never_slow_the_login_itself(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "passerelle.ingress"):
        async with peers(door, 4, "127.0.0.2") as hostile:
            for peer in hostile:
                ask_to_bind(peer, "wrong")
                answered = await peer.read() if peer is not hostile[-1] else None
                assert answered is None or answered.command_status == 0x0D
            async with peers(door, 1, "127.0.0.3") as (customer,):
                ask_to_bind(customer, "mistyped")
                assert (await customer.read()).command_status == 0x0D
            slowed = [record.peer for record in caplog.records if record.message == "bind_slowed"]  # type: ignore[attr-defined]
            assert [peer.partition(":")[0] for peer in slowed] in (["127.0.0.2"], ["127.0.0.2"] * 2)
            async with peers(door, 1, "127.0.0.3") as (customer,):
                ask_to_bind(customer, "secret")
                assert (await customer.read()).command_status == 0


async def test_a_wrong_name_and_a_wrong_word_are_slowed_alike(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []
    monkeypatch.setattr(asyncio, "sleep", _noting(delays))
    for system_id in ("ours1", "nobody"):
        for _ in range(5):
            async with door.peer() as peer:
                assert await peer.bind(system_id=system_id, password="wrong") == 0x0D
    noted = [delay for delay in delays if delay >= 1.0]
    assert noted[:3] == noted[3:6] == [1.0, 2.0, 4.0]


def _noting(delays: list[float]):  # type: ignore[no-untyped-def]  # a stand-in for asyncio.sleep: long ones are noted only
    sleep = asyncio.sleep

    async def note(seconds: float, result: object = None) -> None:
        delays.append(seconds)
        await sleep(min(seconds, 0.05))

    return note


# ---------------------------------------------------------------- half-open binds


async def test_a_half_open_bind_makes_room_for_a_new_one(ground: Ground) -> None:
    async with open_door(ground, binding=SOON) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True) as half_open, door.peer() as again:
            assert await again.bind() == 0
            assert type(await half_open.read()) is EnquireLink, "it was asked before"
            assert await half_open.is_closed()
            await eventually(lambda: len(door.server.connections) == 1, WITHIN_S)
            assert (await again.ask(submit())).command_status == 0


async def test_a_living_bind_is_never_thrown_out(ground: Ground) -> None:
    async with open_door(ground, binding=NOW) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True) as living, door.peer() as again:
            ask_to_bind(again, "secret")
            asked = await living.read()
            assert type(asked) is EnquireLink
            living.writer.write(living.octets(EnquireLinkResp(sequence_number=asked.sequence_number)))
            assert (await again.read()).command_status == 0x0D
            assert (await living.ask(submit())).command_status == 0


async def test_who_comes_while_the_living_are_asked_waits_for_the_same_answer(ground: Ground) -> None:
    async with open_door(ground, binding=NOW) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True) as living, door.peer() as again, door.peer() as too:
            ask_to_bind(again, "secret")
            asked = await living.read()
            assert type(asked) is EnquireLink
            ask_to_bind(too, "secret")
            waiting = door.server.binding._at_doors
            await eventually(lambda: [len(each) for each in waiting.values()] == [2], WITHIN_S)
            living.writer.write(living.octets(EnquireLinkResp(sequence_number=asked.sequence_number)))
            assert [(await peer.read()).command_status for peer in (again, too)] == [0x0D, 0x0D]
            assert not waiting
            assert (await living.ask(submit())).command_status == 0, "it was asked once"


async def test_only_the_dead_of_several_binds_is_closed(ground: Ground) -> None:
    async with open_door(ground, binding=BindPolicy(0.0, 1.0)) as door:
        await door.change("UPDATE esmes SET max_transmitters = 2")
        async with (
            door.peer(bound=True, kind=BindTransmitter) as dead,
            door.peer(bound=True, kind=BindTransmitter) as living,
            door.peer(bound=True, kind=BindReceiver) as receiver,
            door.peer() as again,
        ):
            again.write(BindTransmitter(system_id="ours1", password="secret"))
            asked = await living.read()
            living.writer.write(living.octets(EnquireLinkResp(sequence_number=asked.sequence_number)))
            assert (await again.read()).command_status == 0
            assert type(await dead.read()) is EnquireLink
            assert await dead.is_closed()
            assert (await living.ask(submit())).command_status == 0
            assert type(await receiver.ask(EnquireLink())) is EnquireLinkResp, "another type's bind was not asked"


async def test_who_waits_for_room_and_leaves_harms_nobody(ground: Ground) -> None:
    async with open_door(ground, binding=NOW) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True) as living:
            async with door.peer() as impatient:
                ask_to_bind(impatient, "secret")
                asked = await living.read()
            await eventually(lambda: len(door.server.connections) == 1, WITHIN_S)
            living.writer.write(living.octets(EnquireLinkResp(sequence_number=asked.sequence_number)))
            assert (await living.ask(submit())).command_status == 0


async def test_a_wrong_password_asks_nobody_for_a_sign_of_life(ground: Ground) -> None:
    async with open_door(ground, binding=SOON) as door:
        await door.change("UPDATE esmes SET max_binds = 1")
        async with door.peer(bound=True) as inside, door.peer() as hostile:
            assert await hostile.bind(password="wrong") == 0x0D
            assert type(await inside.ask(EnquireLink())) is EnquireLinkResp
