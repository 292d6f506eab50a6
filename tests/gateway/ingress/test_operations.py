"""query_sm, cancel_sm, replace_sm, submit_multi and replace_if_present_flag over a socket: statuses, and what they did.

Source: smpp-answers "As a server"; SMPP v3.4 4.5, 4.8 to 4.10, 5.2.18; v5.0 4.7.15, 4.8.4.18.
What must not enter: where a message stands when it is taken back (tests/gateway/test_recall.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ingress.operations import standing_of
from gateway.lifecycle import LifePolicy
from gateway.message import Envelope, Message
from gateway.smpp.declared_tlvs import parse_declared
from gateway.smpp.pdus import (
    BindTransceiver,
    CancelSm,
    DeliverSmResp,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    UnsuccessSme,
)
from tests.gateway.conftest import HANDSET
from tests.gateway.ingress.conftest import Door
from tests.gateway.raw_peer import RawPeer, submit

IN_AN_HOUR = "000000010000000R"
OTHER_HANDSET = "2290197000002"


async def scheduled(peer: RawPeer, **fields: Any) -> str:
    """The id of a message that waits for its hour."""
    answer = await peer.ask(submit(schedule_delivery_time=IN_AN_HOUR, **fields))
    assert answer.command_status == 0
    return str(answer.message_id)


def multi(*destinations: str | SmeAddress | DistributionList, **fields: Any) -> SubmitMulti:
    addresses = tuple(SmeAddress(1, 1, each) if isinstance(each, str) else each for each in destinations)
    plain: dict[str, Any] = {"source_addr_ton": 5, "source_addr": "ACME", "short_message": b"hello"}
    return SubmitMulti(dest_address=addresses, **{**plain, **fields})


# ---------------------------------------------------------------- query_sm, cancel_sm, replace_sm


async def test_a_message_is_queried_cancelled_and_queried_again(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        message_id = await scheduled(peer)
        answer = await peer.ask(QuerySm(message_id=message_id, source_addr="ACME"))
        assert (answer.command_status, answer.message_id) == (0, message_id)
        assert (answer.message_state, answer.final_date, answer.error_code) == (1, "", 0)
        assert (await peer.ask(CancelSm(message_id=message_id, source_addr="ACME"))).command_status == 0
        row = await door.ground.connection.fetchrow("SELECT state, hold FROM messages")
        assert row is not None
        assert tuple(row) == ("deleted", "released")
        await door.life.settling.durable()
        await door.deliveries.run_due()
        told = await peer.read()
        assert b"stat:DELETED" in told.short_message
        peer.write(DeliverSmResp(sequence_number=told.sequence_number))
        answer = await peer.ask(QuerySm(message_id=message_id, source_addr="ACME"))
        assert (answer.message_state, len(answer.final_date), answer.error_code) == (4, 16, 255)


async def test_a_message_that_left_comes_too_late(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        message_id = (await peer.ask(submit())).message_id
        await door.life.written(1)
        for request_, status in (
            (CancelSm(message_id=message_id, source_addr="ACME"), 0x11),
            (CancelSm(source_addr="ACME", dest_addr_ton=1, destination_addr=HANDSET), 0x11),
            (ReplaceSm(message_id=message_id, source_addr="ACME", short_message=b"new"), 0x13),
        ):
            assert (await peer.ask(request_)).command_status == status


@pytest.mark.parametrize("named", ["", "abc", "1", "9" * 19, "9" * 64, "\xb2"])
async def test_ids_that_were_never_ours_are_unknown(door: Door, named: str) -> None:
    async with door.peer(bound=True) as peer:
        assert (await peer.ask(QuerySm(message_id=named, source_addr="ACME"))).command_status == 0x0C
        assert (await peer.ask(ReplaceSm(message_id=named, source_addr="ACME"))).command_status == 0x0C
        if named:
            assert (await peer.ask(CancelSm(message_id=named, source_addr="ACME"))).command_status == 0x0C


async def test_a_message_of_another_source_destination_or_account_is_unknown(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        message_id = await scheduled(peer)
        assert (await peer.ask(QuerySm(message_id=message_id, source_addr="OTHER"))).command_status == 0x0C
        wrong = CancelSm(message_id=message_id, source_addr="ACME", destination_addr=OTHER_HANDSET)
        assert (await peer.ask(wrong)).command_status == 0x0C
        account = await door.ground.value("INSERT INTO accounts (name) VALUES ('theirs') RETURNING account_id")
        await door.change("UPDATE esmes SET account_id = $1", account)
    async with door.peer(bound=True) as peer:
        assert (await peer.ask(QuerySm(message_id=message_id, source_addr="ACME"))).command_status == 0x0C
        assert (await peer.ask(CancelSm(message_id=message_id, source_addr="ACME"))).command_status == 0x0C


async def test_all_to_a_number_are_cancelled_without_an_id(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        for service_type in ("CMT", "CMT", "WAP"):
            await scheduled(peer, service_type=service_type, registered_delivery=0)
        fields = {"source_addr": "ACME", "dest_addr_ton": 1, "destination_addr": HANDSET}
        assert (await peer.ask(CancelSm(service_type="CMT", **fields))).command_status == 0  # type: ignore[arg-type]
        states = await door.ground.connection.fetch("SELECT state FROM messages ORDER BY message_id")
        assert [row["state"] for row in states] == ["deleted", "deleted", "queued"]
        assert (await peer.ask(CancelSm(source_addr="ACME"))).command_status == 0x0B


async def test_a_replacement_changes_text_times_and_receipt(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        message_id = await scheduled(peer)
        fields: dict[str, Any] = {"message_id": message_id, "source_addr": "ACME"}
        assert (await peer.ask(ReplaceSm(short_message=b"b" * 200, **fields))).command_status == 0
        payload = ReplaceSm(tlvs=((0x0424, b"c" * 400),), schedule_delivery_time="000000020000000R", **fields)
        assert (await peer.ask(payload)).command_status == 0
        row = await door.ground.connection.fetchrow("SELECT * FROM messages")
        assert row is not None
        assert (row["user_data"], row["part_count"], row["notify"]) == (b"c" * 400, 3, "no")
        assert row["not_before_ms"] == door.ground.clock.ms + 2 * 3_600_000
        assert await door.ground.credits() == (997, 3, 0)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"schedule_delivery_time": "tomorrow"}, 0x61),
        ({"schedule_delivery_time": "000003000000000R"}, 0x61),  # three days: beyond the validity it has
        ({"validity_period": "24h"}, 0x62),
        ({"validity_period": "000000003000000R"}, 0x62),  # ends before its schedule
        ({"registered_delivery": 0x20}, 0x07),
        ({"sm_default_msg_id": 1}, 0x63),
        ({"source_addr_ton": 9}, 0x48),
        ({"tlvs": ((0x0424, b"x" * 4000),)}, 0x01),
    ],
)
async def test_a_replacement_that_cannot_be_is_refused_by_its_field(
    door: Door, fields: dict[str, Any], status: int
) -> None:
    async with door.peer(bound=True) as peer:
        message_id = await scheduled(peer)
        request_ = ReplaceSm(message_id=message_id, source_addr="ACME", short_message=b"new", **fields)
        assert (await peer.ask(request_)).command_status == status
        assert await door.ground.value("SELECT user_data FROM messages") == b"hello"


async def test_without_postgresql_operations_are_told_to_come_again(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        message_id = await scheduled(peer)
        await door.ground.cut()
        for request_ in (
            QuerySm(message_id=message_id, source_addr="ACME"),
            ReplaceSm(message_id=message_id, source_addr="ACME", short_message=b"new"),
        ):
            assert (await peer.ask(request_)).command_status == 0x08
        door.ground.away = False


async def test_operations_count_against_the_rate(door: Door) -> None:
    await door.change("UPDATE esmes SET tps = 1")
    async with door.peer(bound=True) as peer:
        peer.write(*(QuerySm(message_id="1", source_addr="ACME") for _ in range(20)))
        assert {(await peer.read()).command_status for _ in range(20)} == {0x0C, 0x58}


async def test_version_5_knows_scheduled_messages(door: Door) -> None:
    async with door.peer() as peer:
        assert await peer.bind(BindTransceiver, interface_version=0x50) == 0
        message_id = await scheduled(peer)
        answer = await peer.ask(QuerySm(message_id=message_id, source_addr="ACME"))
        assert answer.message_state == 0


# ---------------------------------------------------------------- replace_if_present_flag


async def test_the_replace_flag_replaces_what_waits_and_submits_what_does_not(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        again: dict[str, Any] = {"replace_if_present_flag": 1, "schedule_delivery_time": IN_AN_HOUR}
        first = await peer.ask(submit(b"one", **again))
        second = await peer.ask(submit(b"two", **again))
        assert (first.command_status, second.command_status) == (0, 0)
        assert first.message_id == second.message_id
        other = await peer.ask(submit(b"three", service_type="WAP", **again))
        assert other.message_id != first.message_id
        texts = await door.ground.connection.fetch("SELECT user_data FROM messages ORDER BY message_id")
        assert [row["user_data"] for row in texts] == [b"two", b"three"]
        assert await door.ground.credits() == (998, 2, 0)


# ---------------------------------------------------------------- submit_multi


async def test_each_destination_is_a_message_and_its_hold(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        answer = await peer.ask(multi(HANDSET, OTHER_HANDSET, registered_delivery=1))
        assert (answer.command_status, answer.unsuccess_sme) == (0, ())
        rows = await door.ground.connection.fetch("SELECT * FROM messages ORDER BY message_id")
        assert [row["destination_addr"] for row in rows] == [HANDSET, OTHER_HANDSET]
        assert answer.message_id == str(rows[0]["message_id"])
        await door.life.until(lambda: len(door.life.carrier.written) == 2)
        for row in rows:
            smsc_id = f"{row['message_id'] & 0xFFFFFFFF}0"
            door.life.carrier.receipt(smsc_id, "delivered", row["destination_addr"])
        await door.life.until(lambda: not len(door.life.lifecycle.active), "both are final")
        await door.deliveries.run_due()
        told = [await peer.read(), await peer.read()]
        assert {each.source_addr for each in told} == {HANDSET, OTHER_HANDSET}
        assert {each.tlv(0x001E) for each in told} == {answer.message_id.encode() + b"\0"}
        peer.write(*(DeliverSmResp(sequence_number=each.sequence_number) for each in told))
        answer = await peer.ask(QuerySm(message_id=answer.message_id, source_addr="ACME"))
        assert answer.message_state == 2
        assert await door.ground.credits() == (998, 0, 2)


async def test_refused_destinations_are_named_and_the_others_sent(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        bad = SmeAddress(1, 1, "X!"), SmeAddress(7, 1, HANDSET), SmeAddress(1, 2, HANDSET), DistributionList("friends")
        answer = await peer.ask(multi(bad[0], HANDSET, *bad[1:]))
        assert answer.command_status == 0
        assert answer.unsuccess_sme == (
            UnsuccessSme(1, 1, "X!", 0x0B),
            UnsuccessSme(7, 1, HANDSET, 0x50),
            UnsuccessSme(1, 2, HANDSET, 0x51),
            UnsuccessSme(0, 0, "friends", 0x34),
        )
        assert await door.ground.count("messages") == 1
        assert (await peer.ask(multi(*bad[2:]))).command_status == 0x51


async def test_what_is_wrong_for_all_is_one_status(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        for fields, status in (
            ({"esm_class": 0x04}, 0x43),
            ({"replace_if_present_flag": 1}, 0x54),
            ({"sm_default_msg_id": 3}, 0x63),
            ({"source_addr": "STRANGER"}, 0x0A),
        ):
            assert (await peer.ask(multi(HANDSET, OTHER_HANDSET, **fields))).command_status == status
        assert await door.ground.count("messages") == 0


async def test_254_destinations_are_taken(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        numbers = [f"22901970{number:05}" for number in range(254)]
        answer = await peer.ask(multi(*numbers))
        assert (answer.command_status, answer.unsuccess_sme) == (0, ())
        assert await door.ground.count("messages") == 254
        assert sum(await door.ground.credits()) == 1000


async def test_credit_for_some_is_enough_for_some(door: Door) -> None:
    await door.ground.connection.execute("DELETE FROM ledger")
    await door.ground.connection.execute("UPDATE accounts SET balance_micros = 0, credit_limit_micros = 1000000")
    async with door.peer(bound=True) as peer:
        answer = await peer.ask(multi(HANDSET, OTHER_HANDSET))
        assert answer.unsuccess_sme == (UnsuccessSme(1, 1, OTHER_HANDSET, 0x400),)
        assert (await peer.ask(multi(HANDSET, OTHER_HANDSET))).command_status == 0x400
        assert await door.ground.count("messages") == 1


async def test_a_submit_multi_is_cancelled_whole_by_its_id(door: Door) -> None:
    async with door.peer(bound=True) as peer:
        fields: dict[str, Any] = {"schedule_delivery_time": IN_AN_HOUR}
        message_id = (await peer.ask(multi(HANDSET, OTHER_HANDSET, **fields))).message_id
        single = await scheduled(peer)
        replaced = await peer.ask(ReplaceSm(message_id=message_id, source_addr="ACME", short_message=b"new"))
        assert replaced.command_status == 0x13
        assert (await peer.ask(CancelSm(message_id=message_id, source_addr="ACME"))).command_status == 0
        rows = await door.ground.connection.fetch("SELECT message_id::text, state FROM messages")
        assert {row["message_id"]: row["state"] for row in rows}.pop(single) == "queued"
        assert sorted(row["state"] for row in rows) == ["deleted", "deleted", "queued"]
        assert await door.ground.credits() == (999, 1, 0)


# ---------------------------------------------------------------- what is told of many


def a_message(state: str, final_at_ms: int = 0, error: str = "") -> Message:
    sent = (1, 1, 1, 1, 1, "otp", 1, 0, 0, 0, 0, "ACME", HANDSET, "", b"", Envelope())
    return Message(*sent, state=state, final_at_ms=final_at_ms, error=error)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (("delivered", "delivered"), (2, "700101000002000+", 0)),
        (("delivered", "submitted"), (1, "", 0)),
        (("delivered", "undeliverable"), (5, "700101000002000+", 11)),
        (("expired", "queued"), (1, "", 0)),
    ],
)
def test_many_are_final_once_all_are(states: tuple[str, str], told: tuple[int, str, int]) -> None:
    messages = [
        a_message(state, (place + 1) * 1000 if state not in ("queued", "submitted") else 0, "011")
        for place, state in enumerate(states)
    ]
    answer = standing_of("7", messages, 0)
    assert (answer.message_state, answer.final_date, answer.error_code) == told


# ---------------------------------------------------------------- congestion_state


async def test_version_5_is_told_how_full_its_window_is_and_version_3_4_is_not(door: Door) -> None:
    await door.change("UPDATE esmes SET window_size = 4")
    async with door.peer() as peer:
        assert await peer.bind(BindTransceiver, interface_version=0x50) == 0
        peer.write(*(submit() for _ in range(4)))
        told = {(await peer.read()).tlv(0x0428) for _ in range(4)}
        assert told <= {bytes((percent,)) for percent in (0, 25, 50, 75, 100)}
    async with door.peer(bound=True) as peer:
        assert (await peer.ask(submit())).tlv(0x0428) is None


async def test_version_5_is_told_how_full_our_queues_are(door: Door) -> None:
    async with door.peer() as peer:
        assert await peer.bind(BindTransceiver, interface_version=0x50) == 0
        door.life.lifecycle.policy = LifePolicy(waiting_limit=4)
        door.life.lifecycle.refuse_new(disk_full=False)  # the limit is in force
        door.life.settling.waiting += 3
        assert (await peer.ask(QuerySm(message_id="1", source_addr="ACME"))).tlv(0x0428) == bytes((75,))
        door.life.settling.waiting += 30
        assert (await peer.ask(submit())).command_status == 0x14
        assert (await peer.ask(QuerySm(message_id="1", source_addr="ACME"))).tlv(0x0428) == bytes((100,))


# ---------------------------------------------------------------- TLVs of one carrier


async def test_a_declared_tlv_travels_when_it_fits_and_is_refused_when_not(door: Door) -> None:
    lifecycle = door.life.lifecycle
    lifecycle.declared_tlvs = {door.life.carrier.connector_id: parse_declared({"0x1401": "cstring 2-5"})}
    async with door.peer(bound=True) as peer:
        assert (await peer.ask(submit(tlvs=((0x1401, b"abc\0"), (0x1402, b"other"))))).command_status == 0
        assert (await peer.ask(submit(tlvs=((0x1401, b"abcde\0"),)))).command_status == 0xC2
        assert (await peer.ask(submit(tlvs=((0x1401, b"abc"),)))).command_status == 0xC4
        assert await door.ground.count("messages") == 1
