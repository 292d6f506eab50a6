"""The SMPP connector beyond the contract: pace, several links, what each status leads to, dialects on the wire.

Source: smpp-answers, "As a client"; the far end is the SMSC simulator over a socket.
What must not enter: the contract's sentences (test_connector_contract.py).
"""

from __future__ import annotations

import asyncio
import re
import time

import pytest
import uvloop

from gateway.connector import (
    Doubtful,
    InboundArrived,
    ReceiptArrived,
    Rejected,
    Taken,
    TryLater,
)
from gateway.egress import adaptive_rate
from gateway.egress.answers import RULE_OF_WORD
from gateway.egress.outcomes import write_as_wanted
from gateway.egress.profile import CarrierProfile
from gateway.egress.smpp_connector import SmppConnector
from gateway.egress.submit_parts import parts_of
from gateway.message import Envelope
from gateway.tallies import Tallies
from simulators.log import SmscSubmitLine
from tests.eventually import eventually
from tests.gateway.egress.trunks import HANDSET, WITHIN_S, Open, message

# ---------------------------------------------------------------- pace and windows


async def test_parts_a_second_are_the_contracts_and_room_is_told_of(trunk_to: Open) -> None:
    trunk = await trunk_to(tps=20, window=100)
    connector = trunk.connector
    assert sum(connector.reserve(1) for _ in range(50)) == 20
    connector.room.clear()
    async with asyncio.timeout(WITHIN_S):
        await connector.room.wait()
    await eventually(lambda: connector.reserve(1), WITHIN_S, "a token")


async def test_pace_is_counted_in_parts_and_given_back_unused(trunk_to: Open) -> None:
    connector = (await trunk_to(tps=0.001, window=100)).connector
    assert connector.reserve(1)
    assert not connector.reserve(1)
    connector.give_back(1)
    assert connector.reserve(1)
    other = (await trunk_to(tps=4, window=100)).connector
    assert other.reserve(3)
    assert not other.reserve(3)


async def test_the_window_holds_on_each_of_several_links(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, bind_types=("transceiver",) * 3, window=2)
    messages = [message(n) for n in range(1, 7)]
    trunk.send(*messages)
    assert not trunk.connector.reserve(1)
    assert [link.session.unanswered for link in trunk.connector.links if link.session] == [2, 2, 2]
    await eventually(lambda: len(trunk.smsc.taken) == 6, WITHIN_S)


async def test_a_long_message_goes_over_one_link_with_one_reference(trunk_to: Open) -> None:
    trunk = await trunk_to(bind_types=("transceiver",) * 3, window=10)
    text = bytes(range(97, 123)) * 16
    for number in range(1, 4):
        trunk.send(message(number, text, 3))
    await trunk.outcomes(9)
    by_reference: dict[int, list[SmscSubmitLine]] = {}
    for line in trunk.smsc.taken:
        octets = bytes.fromhex(line.short_message)
        assert (octets[:3], octets[4], line.esm_class) == (b"\x05\x00\x03", 3, 0x40)
        by_reference.setdefault(octets[3], []).append(line)
    assert len(by_reference) == 3
    for lines in by_reference.values():
        assert len({line.bind for line in lines}) == 1
        assert b"".join(bytes.fromhex(line.short_message)[6:] for line in lines) == text
        assert [bytes.fromhex(line.short_message)[5] for line in lines] == [1, 2, 3]


async def test_a_resend_writes_only_the_parts_that_are_queued_with_the_same_reference(trunk_to: Open) -> None:
    trunk = await trunk_to()
    long = message(5, b"a" * 400, 3)
    trunk.send(long)
    await trunk.outcomes(3)
    long.part_states = "SQS"
    trunk.send(long)
    await trunk.outcomes(4)
    headers = [bytes.fromhex(line.short_message)[3:6] for line in trunk.smsc.taken]
    assert headers[3] == headers[1]


async def test_parts_that_waited_for_the_window_of_a_lost_link_were_surely_not_sent(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, window=2)
    trunk.send(message(1, b"a" * 153 * 5, 5))
    await eventually(lambda: len(trunk.smsc.taken) == 2, WITHIN_S)
    trunk.smsc.disconnect("drop")
    told = await trunk.outcomes(5)
    assert [(type(e), e.part_no) for e in told[:2]] == [(Doubtful, 0), (Doubtful, 1)]  # type: ignore[union-attr]
    assert [e.part_no for e in told[2:] if isinstance(e, TryLater) and e.after_s == 0] == [2, 3, 4]


async def test_a_lost_link_comes_back_and_the_connector_is_up_again(trunk_to: Open) -> None:
    trunk = await trunk_to()
    for lives in range(1, 4):
        trunk.smsc.disconnect("drop")
        await eventually(lambda n=lives: trunk.smsc.statistics.binds == n + 1, WITHIN_S, "bound again")  # type: ignore[misc]
    await eventually(lambda: trunk.health["carrier-a"] == "up", WITHIN_S)
    trunk.send(message())
    assert isinstance((await trunk.outcomes())[0], Taken)


async def test_one_lost_link_of_two_leaves_the_connector_up(trunk_to: Open) -> None:
    trunk = await trunk_to({"unbind_after": 1}, bind_types=("transceiver",) * 2)
    trunk.send(message())
    await trunk.outcomes()
    assert trunk.health["carrier-a"] == "up"


async def test_refused_credentials_leave_it_down_and_are_not_tried_again_at_once(trunk_to: Open) -> None:
    trunk = await trunk_to({"password": "other"}, bound=False)
    await eventually(lambda: trunk.smsc.statistics.binds_refused == 1, WITHIN_S)
    (link,) = trunk.connector.links
    await eventually(lambda: link.session is None, WITHIN_S)
    assert trunk.health["carrier-a"] == "down"
    assert not trunk.connector.reserve(1)
    assert link._end() == "refused"


async def test_a_suspended_connector_takes_nothing(trunk_to: Open) -> None:
    trunk = await trunk_to()
    trunk.connector.suspended = True
    assert not trunk.connector.reserve(1)
    await eventually(lambda: trunk.health["carrier-a"] == "suspended", WITHIN_S)


# ---------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (0x08, TryLater), (0x14, TryLater), (0x45, TryLater), (0x50, TryLater), (0x58, TryLater),
        (0x0A, Rejected), (0x0B, Rejected), (0x01, Rejected), (0x4FF, Rejected),
    ],
)  # fmt: skip
async def test_a_refusal_on_the_wire_is_told_by_its_row(trunk_to: Open, status: int, told: type) -> None:
    trunk = await trunk_to({"error_mix": f"0x{status:02X}=1"})
    trunk.send(message())
    (outcome,) = await trunk.outcomes()
    assert type(outcome) is told


async def test_a_carrier_s_own_status_map_is_asked_first(trunk_to: Open) -> None:
    own = {0x401: RULE_OF_WORD["throttle"], 0x08: RULE_OF_WORD["permanent"]}
    trunk = await trunk_to({"error_mix": "0x401=1"}, status_map=own)
    trunk.send(message())
    (outcome,) = await trunk.outcomes()
    assert isinstance(outcome, TryLater)
    assert not trunk.connector.reserve(1)  # it pauses
    other = await trunk_to({"error_mix": "0x08=1"}, status_map=own)
    other.send(message())
    assert isinstance((await other.outcomes())[0], Rejected)


async def test_a_refused_address_is_written_in_the_other_form_and_a_refused_validity_left_out(trunk_to: Open) -> None:
    trunk = await trunk_to({"error_mix": "0x51=1"}, send_validity=True)
    sent = message()
    sent.expires_at_ms = int(time.time() * 1000) + 3 * 86_400_000
    ((first, _),) = parts_of(sent, trunk.connector.profile)  # type: ignore[misc]  # no refusal
    assert (first.dest_addr_ton, first.dest_addr_npi) == (1, 1)
    assert re.fullmatch(r"0000(02|03)\d{6}000R", first.validity_period)
    for status in ("0x51", "0x62"):
        trunk.smsc.change({"error_mix": f"{status}=1"})
        trunk.send(sent)
        await eventually(lambda s=status: len(trunk.told) == (1 if s == "0x51" else 2), WITHIN_S)  # type: ignore[misc]
    write_as_wanted(sent)
    ((second, _),) = parts_of(sent, trunk.connector.profile)  # type: ignore[misc]
    assert (second.dest_addr_ton, second.dest_addr_npi, second.validity_period) == (0, 0, "")


async def test_a_throttled_part_is_handed_back_at_once_and_the_connector_pauses(
    trunk_to: Open,
) -> None:
    trunk = await trunk_to({"error_mix": "0x58=1"}, tps=100)
    trunk.send(message(1), message(2), message(3))
    told = await trunk.outcomes(3)
    assert [e.after_s for e in told if isinstance(e, TryLater)] == [0, 0, 0]
    assert trunk.connector._pace.rate_per_s == 50  # one window of answers is one throttling
    assert not trunk.connector.reserve(1)


async def test_pauses_double_while_throttling_goes_on_and_begin_anew_after_a_success(
    trunk_to: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptive_rate, "PAUSES_S", (0.02, 0.05))
    trunk = await trunk_to({"error_mix": "0x58=1"})
    rate = trunk.connector.rate
    for count in range(1, 5):
        await eventually(lambda: trunk.connector.reserve(1), WITHIN_S, "the pause is over")
        trunk.connector.submit([message(count)])
        await trunk.outcomes(count)
    assert rate._pause_s == 0.05
    trunk.smsc.change({"error_mix": ""})
    await eventually(lambda: trunk.connector.reserve(1), WITHIN_S)
    trunk.connector.submit([message(9)])
    assert isinstance((await trunk.outcomes(5))[4], Taken)
    trunk.smsc.change({"error_mix": "0x58=1"})
    await eventually(lambda: trunk.connector.reserve(1), WITHIN_S)
    trunk.connector.submit([message(10)])
    await trunk.outcomes(6)
    assert rate._pause_s == 0.02


async def test_a_learnt_rate_comes_back_to_the_contract(trunk_to: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptive_rate, "PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(adaptive_rate, "RAISE_EVERY_S", 0.05)
    trunk = await trunk_to({"error_mix": "0x58=1"}, tps=20)
    trunk.send(message(1))
    await trunk.outcomes(1)
    assert trunk.connector._pace.rate_per_s == 10
    trunk.smsc.change({"error_mix": ""})

    def is_back() -> bool:
        if trunk.connector.reserve(1):
            trunk.connector.submit([message(len(trunk.told) + 1)])
        return trunk.connector._pace.rate_per_s == 20

    await eventually(is_back, WITHIN_S, "the contract's rate")


async def test_several_full_queues_in_a_row_pause_the_connector(trunk_to: Open) -> None:
    trunk = await trunk_to({"congested": True})
    trunk.send(message(1))
    await trunk.outcomes(1)
    assert trunk.connector.reserve(1)
    trunk.connector.give_back(1)
    trunk.send(message(2), message(3))
    await trunk.outcomes(3)
    assert not trunk.connector.reserve(1)


async def test_a_silent_carrier_is_asked_whether_it_lives(trunk_to: Open) -> None:
    trunk = await trunk_to(response_timeout_s=0.05, enquire_link_s=1000.0, enquire_link_timeout_s=0.05)
    trunk.smsc.disconnect("half-open")
    trunk.send(message())
    assert isinstance((await trunk.outcomes())[0], Doubtful)
    await eventually(lambda: trunk.smsc.statistics.binds == 2, WITHIN_S, "no sign of life: a new link")


# ---------------------------------------------------------------- dialects, receipts, handsets


@pytest.mark.parametrize(
    ("alphabet", "octets"),
    [("gsm7", b"\x05t\x7f \x00"), ("latin1", "étà @".encode("latin-1")), ("utf8", "étà @".encode())],
)
async def test_the_default_alphabet_is_the_carriers(trunk_to: Open, alphabet: str, octets: bytes) -> None:
    trunk = await trunk_to(alphabet=alphabet)
    line = await trunk.sent(message(1, b"\x05t\x7f \x00"))
    assert (bytes.fromhex(line.short_message), line.data_coding) == (octets, 0)


async def test_ucs2_and_binary_texts_are_never_translated(trunk_to: Open) -> None:
    trunk = await trunk_to(alphabet="latin1")
    line = await trunk.sent(message(1, "é".encode("utf-16-be"), data_coding=8))
    assert (bytes.fromhex(line.short_message), line.data_coding) == ("é".encode("utf-16-be"), 8)


async def test_a_users_own_header_travels_untranslated(trunk_to: Open) -> None:
    trunk = await trunk_to(alphabet="latin1")
    header = b"\x05\x00\x03\x01\x02\x01"
    line = await trunk.sent(message(1, header + b"\x05", envelope=Envelope(source_addr_ton=5, esm_class=0x40)))
    assert (bytes.fromhex(line.short_message), line.esm_class) == (header + b"\xe9", 0x40)


async def test_every_submit_asks_for_a_receipt_whatever_the_customer_asked(trunk_to: Open) -> None:
    trunk = await trunk_to()
    line = await trunk.sent(message())
    assert (line.registered_delivery, line.source_addr, line.destination_addr) == (1, "ACME", HANDSET)


async def test_of_a_pair_the_transmitter_sends_and_the_receiver_hears(trunk_to: Open) -> None:
    trunk = await trunk_to({"no_receipt": 0}, bind_types=("transmitter", "receiver"), window=2)
    assert trunk.connector.reserve(2)
    assert not trunk.connector.reserve(1), "a receiver has no window for submits"
    trunk.connector.give_back(2)
    trunk.send(message())
    told = await trunk.outcomes(2)
    receipt = next(e for e in told if isinstance(e, ReceiptArrived))
    trunk.connector.acknowledge([receipt.token], True)
    await trunk.smsc.until(lambda s: s.receipts_acked == 1)


async def test_a_lone_receiver_is_not_up(trunk_to: Open) -> None:
    trunk = await trunk_to(bind_types=("receiver",))
    assert trunk.health["carrier-a"] == "down"
    assert not trunk.connector.reserve(1)


async def test_a_receipt_that_was_not_stored_comes_again(trunk_to: Open) -> None:
    trunk = await trunk_to({"no_receipt": 0})
    trunk.send(message())
    told = await trunk.outcomes(2)
    assert isinstance(told[1], ReceiptArrived)
    trunk.connector.acknowledge([told[1].token], False)
    told = await trunk.outcomes(3)
    assert isinstance(told[2], ReceiptArrived)
    trunk.connector.acknowledge([told[2].token], True)
    await trunk.smsc.until(lambda s: s.receipts_acked == 1)


async def test_a_token_of_a_lost_connection_is_not_answered_on_the_next(trunk_to: Open) -> None:
    trunk = await trunk_to({"no_receipt": 0})
    trunk.send(message())
    told = await trunk.outcomes(2)
    assert isinstance(told[1], ReceiptArrived)
    trunk.smsc.disconnect("drop")
    told = await trunk.outcomes(3)  # the carrier delivers it again over the new link
    assert isinstance(told[2], ReceiptArrived)
    trunk.connector.acknowledge([told[1].token], True)
    assert trunk.smsc.statistics.receipts_acked == 0
    trunk.connector.acknowledge([told[2].token], True)
    await trunk.smsc.until(lambda s: s.receipts_acked == 1)


async def test_a_handsets_message_arrives_with_its_fields(trunk_to: Open) -> None:
    trunk = await trunk_to()
    trunk.smsc.deliver_inbound(HANDSET, "36000", "yes")
    (inbound,) = await trunk.outcomes()
    assert isinstance(inbound, InboundArrived)
    assert (inbound.source_addr, inbound.destination_addr, inbound.user_data) == (HANDSET, "36000", b"yes")


async def test_unbinding_is_polite_and_bounded(trunk_to: Open) -> None:
    trunk = await trunk_to(bind_types=("transceiver",) * 2)
    await trunk.connector.unbind(WITHIN_S)
    await trunk.smsc.until(lambda s: s.bound == 0)
    deaf = await trunk_to()
    deaf.smsc.disconnect("half-open")
    await deaf.connector.unbind(0.05)


def test_a_pause_below_a_millisecond_ends_under_uvloop_too() -> None:
    """uvloop rounds a delay below a millisecond to none; what it gives then is no TimerHandle."""

    async def ask_often() -> None:
        profile = CarrierProfile(
            name="carrier-a", connector_id=1, host="127.0.0.1", port=1, system_id="gw", password="gw", tps=10
        )
        connector = SmppConnector(profile, {}, Tallies())
        loop = asyncio.get_running_loop()
        for overslept_s in (0.0, 0.0004, 0.0008, 0.002):
            connector.room.clear()
            asked = time.monotonic() + 0.0015
            connector._ask_again_at(asked)
            while time.monotonic() < asked + overslept_s:  # busy: the loop's own clock stands still meanwhile
                connector._ask_again_at(asked)
            async with asyncio.timeout(WITHIN_S):
                await connector.room.wait()
            assert loop.time() > 0

    uvloop.run(ask_often())


def test_a_timer_that_fired_a_little_early_is_wound_again() -> None:
    """uvloop's clock stands still within a turn, and may show less than the time a timer of this turn was set for."""

    async def wait_often() -> None:
        profile = CarrierProfile(
            name="carrier-a", connector_id=1, host="127.0.0.1", port=1, system_id="gw", password="gw", tps=10
        )
        connector = SmppConnector(profile, {}, Tallies())
        for turn in range(300):
            connector.room.clear()
            connector._ask_again_at(time.monotonic() + 0.001 + turn % 10 * 0.0001)
            async with asyncio.timeout(WITHIN_S):
                await connector.room.wait()

    uvloop.run(wait_often())
