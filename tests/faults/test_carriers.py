"""Carriers that are away, refuse, throttle, fall silent, cut the link or send receipts as they please.

Source: issue, "Bad input and faults"; smpp-answers, "As a client" and "Receipts"; promises P2, P4, P6 and P7.
Minutes of a production pause are skipped where they are rows: the row's due time is moved, as time would.
What must not enter: faults of our own side (test_kills.py, test_crash_points.py).
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.faults.road import Road, road
from tests.running_node import Login

NUMERIC_DRESSES = ("decimal", "hex", "HEX", "padded")
IN_STATE = "SELECT count(*) FROM messages WHERE state = $1"
DELAYED = "SELECT count(*) FROM delayed"


async def _in_state(way: Road, state: str, messages: int, within_s: float = 15.0) -> None:
    async def reached() -> bool:
        return await way.value(IN_STATE, state) == messages

    await eventually(reached, within_s, f"{messages} messages {state}")


async def _skip_pauses(way: Road) -> None:
    """Time passes for everything that is put off."""
    await way.value("UPDATE delayed SET due_at_ms = 0")


async def test_messages_for_an_absent_carrier_wait_as_rows_and_leave_in_order(
    empty_database: str, tmp_path: Path
) -> None:
    one_bind = {"binds": 1, "window": 10}
    few = "[limits]\nconnector_queue = 50"
    async with road(tmp_path, empty_database, connector=one_bind, more=few) as way:
        await way.carrier.leave()
        before_mib = way.resident_mib()
        async with way.esme(messages=1000, window=50, to="22901########") as esme:
            assert (await esme.finish()).accepted == 1000
        assert await way.value(IN_STATE, "queued") == 1000

        async def is_told() -> bool:
            queue = json.loads(await way.value("SELECT live -> 'queues' -> 0 FROM nodes"))
            return bool(0 < queue["queued"] <= 50 and queue["more_in_rows"])

        await eventually(is_told, 10, "at most 50 in memory, the others in rows")
        assert way.resident_mib() - before_mib < 32
        await way.carrier.arrive()
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        await way.prove()
        async with way.node.database() as connection:
            rows = await connection.fetch("SELECT destination_addr FROM messages ORDER BY message_id")
        assert [line.destination_addr for line in way.smsc.taken] == [row["destination_addr"] for row in rows]


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_messages_that_waited_over_a_restart_leave_in_order(
    end: str, empty_database: str, tmp_path: Path
) -> None:
    async with road(
        tmp_path, empty_database, connector={"binds": 1, "window": 10}, more="[limits]\nconnector_queue = 50"
    ) as way:
        await way.carrier.leave()
        async with way.esme(messages=400, window=50, to="22901########") as esme:
            await eventually(lambda: esme.summary.accepted >= 200, 10, "200 accepted")
            await (way.node.stop() if end == "stop" else way.node.kill())
        taken = await way.value(IN_STATE, "queued")
        assert taken >= esme.summary.accepted
        await way.node.start()
        async with way.esme(messages=100, window=50, to="22901########", bind_type="transmitter") as later:
            assert (await later.finish()).accepted == 100
        await way.carrier.arrive()
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        assert await way.states() == {"delivered": taken + 100}
        async with way.node.database() as connection:
            rows = await connection.fetch("SELECT destination_addr FROM messages ORDER BY message_id")
        assert [line.destination_addr for line in way.smsc.taken] == [row["destination_addr"] for row in rows]
        await way.prove()


async def test_what_was_put_off_is_tried_again_after_a_crash(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, smsc={"error_mix": "0x08=1"}) as way:
        async with way.esme(messages=20) as esme:
            await eventually(lambda: esme.summary.accepted == 20, 10, "20 accepted")

            async def are_put_off() -> bool:
                return await way.value(DELAYED) == 20

            await eventually(are_put_off, 10, "20 put off")
            await way.node.kill()
        way.smsc.change({"error_mix": ""})
        await way.node.start()
        await _skip_pauses(way)
        async with way.esme(bind_type="receiver"):
            await way.quiet()
        assert await way.states() == {"delivered": 20}
        assert await way.value(DELAYED) == 0
        await way.prove()


async def test_a_temporary_refusal_is_tried_again_later_on_the_same_route(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, smsc={"error_mix": "0x08=1"}) as way, way.esme(messages=20) as esme:
        await eventually(lambda: esme.summary.accepted == 20, 10, "20 accepted")

        async def are_put_off() -> bool:
            return await way.value(DELAYED) == 20

        await eventually(are_put_off, 10, "20 put off")
        assert await way.value("SELECT min(due_at_ms) - max(message_id >> 20) FROM delayed") > 20_000
        way.smsc.change({"error_mix": ""})
        await _skip_pauses(way)
        await way.quiet()
        assert await way.states() == {"delivered": 20}
        assert await way.value(DELAYED) == 0
        await way.prove()


async def test_temporary_refusals_without_end_lead_to_another_route(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database, smsc=[{"error_mix": "0x08=1"}, {}]) as way,
        way.esme(messages=5) as esme,
    ):
        await eventually(lambda: esme.summary.accepted == 5, 10, "5 accepted")

        async def are_delivered() -> bool:
            await _skip_pauses(way)
            return await way.value(IN_STATE, "delivered") == 5

        await eventually(are_delivered, 20, "delivered by the other route")
        assert way.smsc.statistics.submits == 5 * 4  # smpp-answers: 30 s, 2 m, 10 m, then another route
        await way.quiet()
        await way.prove()


async def test_a_destination_refused_by_one_carrier_goes_to_the_next(empty_database: str, tmp_path: Path) -> None:
    async with (
        road(tmp_path, empty_database, smsc=[{"error_mix": "0x0B=1"}, {}]) as way,
        way.esme(messages=50, verify_receipts=True) as esme,
    ):
        assert (await esme.finish()).verified
        assert (way.smsc.statistics.submits, way.carriers[1].smsc.statistics.taken) == (50, 50)
        await way.quiet()
        assert await way.states() == {"delivered": 50}
        await way.prove()


async def test_what_every_carrier_refuses_is_rejected_released_and_told(empty_database: str, tmp_path: Path) -> None:
    refusing = {"error_mix": "0x0B=1"}
    async with road(tmp_path, empty_database, smsc=[refusing, refusing]) as way, way.esme(messages=20) as esme:
        await eventually(lambda: esme.summary.accepted == 20, 10, "20 accepted")
        await way.quiet()
        assert esme.summary.receipts == {"REJECTD": 20}
        assert await way.value("SELECT count(*) FROM messages WHERE hold = 'released'") == 20
        await way.prove()


async def test_a_throttling_carrier_gets_everything_in_the_end(empty_database: str, tmp_path: Path) -> None:
    async with road(tmp_path, empty_database, smsc={"tps": 40}) as way, way.esme(messages=100, window=50) as esme:
        await eventually(lambda: esme.summary.accepted == 100, 10, "100 accepted")
        await way.quiet(45)
        assert await way.states() == {"delivered": 100}
        assert way.smsc.statistics.refused.get("0x00000058", 0) > 0
        await way.prove()


async def test_a_silent_carrier_gets_a_transactional_message_once_more(empty_database: str, tmp_path: Path) -> None:
    silent = {"silence": 1, "no_receipt": 1}
    async with (
        road(tmp_path, empty_database, smsc=silent, connector={"response_timeout_s": 4}) as way,
        way.esme(messages=10) as esme,
    ):
        await eventually(lambda: way.smsc.statistics.submits == 10, 10, "10 copies on the wire")
        way.smsc.change({"silence": 0, "no_receipt": 0})
        await way.quiet()
        assert await way.states() == {"delivered": 10}
        assert way.smsc.statistics.submits == 20
        assert esme.summary.receipts == {"DELIVRD": 10}
        await way.prove()


async def test_a_carrier_silent_for_ever_gets_two_copies_at_most(empty_database: str, tmp_path: Path) -> None:
    silent = {"silence": 1, "no_receipt": 1}
    impatient = {"response_timeout_s": 0.5, "in_doubt_grace_s": 0.3}
    async with (
        road(tmp_path, empty_database, smsc=silent, connector=impatient) as way,
        way.esme(messages=10, characters=0, texts=("court", "é" * 200)) as esme,
    ):
        await eventually(lambda: esme.summary.accepted == 10, 10, "10 accepted")
        await way.quiet()
        assert await way.states() == {"unknown": 10}
        parts = await way.value("SELECT sum(part_count) FROM messages")
        assert way.smsc.statistics.submits == 2 * parts
        assert esme.summary.receipts == {"UNKNOWN": 10}
        await way.prove()


async def test_a_marketing_message_in_doubt_is_never_sent_again(empty_database: str, tmp_path: Path) -> None:
    silent = {"silence": 1, "no_receipt": 1}
    impatient = {"response_timeout_s": 0.5, "in_doubt_grace_s": 0.3}
    logins = [Login(traffic_class="marketing")]
    async with (
        road(tmp_path, empty_database, smsc=silent, connector=impatient, logins=logins) as way,
        way.esme(messages=10) as esme,
    ):
        await eventually(lambda: esme.summary.accepted == 10, 10, "10 accepted")
        await way.quiet()
        assert await way.states() == {"unknown": 10}
        assert way.smsc.statistics.submits == 10
        assert esme.summary.receipts == {"UNKNOWN": 10}
        await way.prove()


@pytest.mark.parametrize("fault", [{"drop_after": 25}, {"unbind_after": 25}])
async def test_a_link_cut_again_and_again_loses_nothing(
    fault: dict[str, object], empty_database: str, tmp_path: Path
) -> None:
    async with road(tmp_path, empty_database, smsc=fault) as way, way.esme(messages=300, rate=300) as esme:
        await eventually(lambda: esme.summary.accepted == 300, 10, "300 accepted")
        await way.quiet(45)
        assert way.smsc.statistics.binds > 6
        assert set(await way.states()) <= {"delivered", "unknown"}
        await way.prove()


async def test_a_half_open_link_is_found_by_enquire_link_and_replaced(empty_database: str, tmp_path: Path) -> None:
    watchful = {"enquire_link_s": 0.5, "enquire_link_timeout_s": 0.5, "response_timeout_s": 1}
    async with (
        road(tmp_path, empty_database, smsc={"half_open_after": 40}, connector=watchful) as way,
        way.esme(messages=100) as esme,
    ):
        await eventually(lambda: way.smsc.statistics.binds > 2, 15, "a link replaced")
        way.smsc.change({"half_open_after": 0})
        await eventually(lambda: esme.summary.accepted == 100, 10, "100 accepted")
        await way.quiet()
        assert await way.states() == {"delivered": 100}
        await way.prove()


async def test_receipts_early_twice_and_out_of_order_are_told_once_each(empty_database: str, tmp_path: Path) -> None:
    unruly = {"receipt_early": 0.3, "receipt_duplicate": 0.5, "receipt_shuffle": True, "receipt_intermediate": True}
    unruly |= {"latency_ms": "0..20", "receipt_delay_ms": "0..300", "receipt_mix": "UNDELIV/011=0.2"}
    async with (
        road(tmp_path, empty_database, smsc=unruly) as way,
        way.esme(messages=300, rate=300, verify_receipts=True, characters=0, texts=("court", "é" * 200)) as esme,
    ):
        summary = await esme.finish()
        await way.quiet()
        assert (summary.verified, summary.duplicates, summary.contradictions) == (True, 0, 0)
        assert set(await way.states()) == {"delivered", "undeliverable"}
        await way.prove()


async def test_receipts_are_joined_whatever_the_dress_of_their_id(empty_database: str, tmp_path: Path) -> None:
    """Twelve pairs of dresses, one after another; ids count up from 1, so that many read as each other's."""
    pairs = list(itertools.permutations(NUMERIC_DRESSES, 2))
    assert len(pairs) == 12
    async with road(tmp_path, empty_database) as way, way.esme(messages=0, bind_type="receiver", reconnect=True):
        for place, (answered, receipted) in enumerate(pairs):
            await way.carrier.leave()
            await way.carrier.arrive(
                id_dress=answered,
                receipt_id_dress=receipted,
                first_id=1 + 1000 * place,
                receipt_tlv=False,
                receipt_shuffle=True,
                receipt_delay_ms="0..100",
            )
            async with way.esme(messages=40, bind_type="transmitter", to="22901########") as esme:
                assert (await esme.finish()).accepted == 40
            await way.quiet()
            assert await way.states() == {"delivered": 40 * (place + 1)}, (answered, receipted)
        assert await way.value("SELECT count(*) FROM parked_receipts") == 0
        await way.prove()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_receipts_that_come_after_a_restart_find_their_messages(
    end: str, empty_database: str, tmp_path: Path
) -> None:
    late = {"receipt_hold": True, "id_dress": "HEX", "receipt_id_dress": "decimal"}
    async with (
        road(tmp_path, empty_database, smsc=late) as way,
        way.esme(messages=60, reconnect=True, characters=0, texts=("court", "é" * 200)) as esme,
    ):
        await _in_state(way, "submitted", 60)
        await (way.node.stop() if end == "stop" else way.node.kill())
        await way.node.start()
        way.smsc.change({"receipt_hold": False})
        await eventually(lambda: esme.summary.receipts == {"DELIVRD": 60}, 20, "60 receipts")
        await way.quiet()
        await way.prove()


async def test_a_handset_s_message_reaches_the_owner_of_the_number_and_is_kept_without_one(
    empty_database: str, tmp_path: Path
) -> None:
    logins = [Login(inbound_numbers=["36000"]), Login(system_id="other", account="other")]
    async with (
        road(tmp_path, empty_database, logins=logins) as way,
        way.esme(messages=1) as owner,
        way.esme(messages=1, system_id="other") as other,
    ):
        await eventually(lambda: owner.bound and other.bound, 10, "both bound")
        for _ in range(3):
            way.smsc.deliver_inbound("2290197000001", "36000", "Où est mon colis ?")
        way.smsc.deliver_inbound("2290197000001", "36999", "Personne")
        await eventually(lambda: way.smsc.statistics.inbound_acked == 4, 10, "4 acknowledged to the carrier")
        await eventually(lambda: owner.summary.inbound == 3, 10, "3 delivered to the owner")
        assert other.summary.inbound == 0
        kept = "SELECT count(*) FROM inbound_messages WHERE state = $1"

        async def are_told() -> bool:
            return await way.value(kept, "done") == 3

        await eventually(are_told, 10, "3 stored as delivered")
        assert await way.value(kept, "unrouted") == 1
        await way.prove()
