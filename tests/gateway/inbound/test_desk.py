"""Handsets' messages in the running rooms, over a real PostgreSQL: whose they are, parts, loops; crashes between.

Source: architecture section 3, "MO"; promises P1 and P4 for what comes in. What must not enter: opt-outs
(test_opt_outs.py), wires (test_inbound_road.py).
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.inbound import desk as desk_module
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET, WITHIN_S
from tests.gateway.inbound.conftest import SHORT_CODE, Desk

OTHER_HANDSET = "2290197000002"


# ---------------------------------------------------------------- whose it is


async def test_a_keyword_and_the_number_decide_and_the_row_says_why(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        tokens = [desk.arrive(life, b"Meteo Cotonou"), desk.arrive(life, b"\x05t\x7f")]
        await desk.acknowledged(life, *tokens)
        told = await desk.told(life, 2)
        assert [t.account_id for t in told] == [desk.other_account, desk.ground.account_id]
    assert [(r["state"], r["why"]) for r in await desk.rows()] == [
        ("due", "number 36000, keyword meteo"),
        ("due", "number 36000, whatever the word"),
    ]


async def test_what_nobody_owns_is_stored_acknowledged_and_shown(desk: Desk) -> None:
    await desk.give(SHORT_CODE, "meteo")
    async with desk.live() as life:
        tokens = [desk.arrive(life, b"hello"), desk.arrive(life, b"hello", to="36999")]
        await desk.acknowledged(life, *tokens)
        assert life.told.inbound == []
        assert life.tallies.messages["mo", "unrouted"] == 2
    rows = await desk.rows()
    assert [(r["state"], r["account_id"]) for r in rows] == [("unrouted", None)] * 2
    assert [r["why"] for r in rows] == [
        "number 36000: no route for this keyword, and none without",
        "nobody has the number 36999",
    ]


async def test_a_reply_is_for_who_wrote_last_from_a_shared_number(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        await desk.send(life, from_other=True)
        await desk.acknowledged(life, desk.arrive(life, b"thanks"), desk.arrive(life, b"thanks", source=OTHER_HANDSET))
        told = await desk.told(life, 2)
        assert [t.account_id for t in told] == [desk.other_account, desk.ground.account_id]
        await desk.send(life)
        await desk.acknowledged(life, desk.arrive(life, b"and now?"), desk.arrive(life, b"METEO"))
        told = await desk.told(life, 4)
        assert [t.account_id for t in told[2:]] == [desk.ground.account_id, desk.other_account]
    assert (await desk.rows())[0]["why"] == "number 36000, other wrote last from it"


async def test_a_conversation_outlives_the_node_and_ends_after_seven_days(desk: Desk) -> None:
    await desk.give(SHORT_CODE, "quiz")
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        await desk.send(life)
        await life.settling.durable()
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive(life, b"thanks"))
        assert (await desk.told(life))[0].account_id == desk.ground.account_id
        desk.ground.clock.pass_s(7 * 24 * 3600 + 1)
        await desk.acknowledged(life, desk.arrive(life, b"thanks"))
        assert [r["state"] for r in await desk.rows()] == ["due", "unrouted"]
        await life.lifecycle.inbound.join_due(life.lifecycle.book)
    assert await desk.ground.count("conversations") == 0


async def test_a_number_of_one_account_notes_no_conversations(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.send(life)
        await life.settling.durable()
    assert await desk.ground.count("conversations") == 0


async def test_while_postgresql_is_away_a_shared_numbers_message_is_to_come_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "LOOK_UP_S", 0.2)
    await desk.give(SHORT_CODE)
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        await desk.ground.connection.execute("SELECT 1")
        desk.ground.away = True
        await life.reader.close()
        token = desk.arrive(life, b"thanks")
        await eventually(lambda: (token, False) in life.carrier.acknowledged, WITHIN_S, "to come again")
        desk.ground.away = False
        await desk.acknowledged(life, desk.arrive(life, b"thanks"))
        assert len(await desk.told(life)) == 1
    assert len(await desk.rows()) == 1


# ---------------------------------------------------------------- long messages


async def test_parts_in_any_order_are_one_message_each_acknowledged_when_stored(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 3), desk.arrive_part(life, 1))
        assert await desk.ground.count("inbound_parts") == 2
        assert life.told.inbound == []
        await desk.acknowledged(life, desk.arrive_part(life, 2))
        (told,) = await desk.told(life)
        assert (told.user_data, told.part_count, told.parts_missing) == (b"<1><2><3>", 3, 0)
        assert life.tallies.messages["mo", "joined"] == 1
    (row,) = await desk.rows()
    assert (row["user_data"], row["state"], row["part_count"]) == (b"<1><2><3>", "due", 3)


async def test_parts_are_kept_through_crashes_and_joined_by_whatever_life(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    for number in (2, 3):
        async with desk.live() as life:
            await desk.acknowledged(life, desk.arrive_part(life, number))
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 1))
        assert (await desk.told(life))[0].user_data == b"<1><2><3>"


async def test_a_whole_that_a_crash_left_in_parts_is_joined_by_the_sweep(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        life.lifecycle.inbound.has_more_to_do = lambda connector_id: False  # type: ignore[method-assign]  # the crash
        await desk.acknowledged(life, *(desk.arrive_part(life, number) for number in (1, 2, 3)))
        assert await desk.rows() == []
    async with desk.live() as life:
        assert await life.lifecycle.inbound.join_due(life.lifecycle.book) == 1
        await life.lifecycle.publish()
        assert (await desk.told(life))[0].user_data == b"<1><2><3>"
        assert await life.lifecycle.inbound.join_due(life.lifecycle.book) == 0


async def test_past_its_deadline_a_message_goes_on_with_what_is_there_and_says_so(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 1), desk.arrive_part(life, 3))
        desk.ground.clock.pass_s(599)
        assert await life.lifecycle.inbound.join_due(life.lifecycle.book) == 0
        desk.ground.clock.pass_s(2)
        assert await life.lifecycle.inbound.join_due(life.lifecycle.book) == 1
        await life.lifecycle.publish()
        (told,) = await desk.told(life)
        assert (told.user_data, told.part_count, told.parts_missing) == (b"<1>\x1b<...\x1b><3>", 3, 1)
        assert life.tallies.messages["mo", "incomplete"] == 1
        await desk.acknowledged(life, desk.arrive_part(life, 2))  # too late: the next of its reference
        assert len(life.told.inbound) == 1
    assert (await desk.rows())[0]["why"].endswith("; 1 of 3 parts lack (deadline)")


async def test_a_copy_of_a_part_is_no_news_before_and_after_the_whole(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        tokens = [desk.arrive_part(life, number) for number in (1, 1, 2, 1, 3)]
        await desk.acknowledged(life, *tokens)
        await desk.told(life)
        await desk.acknowledged(life, *(desk.arrive_part(life, number) for number in (1, 2, 3)))
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 3))
        desk.ground.clock.pass_s(700)
        await life.lifecycle.inbound.join_due(life.lifecycle.book)
        assert await desk.ground.count("inbound_parts") == 0
    assert [r["user_data"] for r in await desk.rows()] == [b"<1><2><3>"]


async def test_a_reference_may_be_used_again(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 1, 2, text=b"old"))
        await desk.acknowledged(life, *(desk.arrive_part(life, n, 2, text=b"new") for n in (1, 2)))
        told = await desk.told(life, 2)
        assert [t.user_data for t in told] == [b"old\x1b<...\x1b>", b"newnew"]
        desk.ground.clock.pass_s(601)
        await life.lifecycle.inbound.join_due(life.lifecycle.book)
        await desk.acknowledged(life, *(desk.arrive_part(life, n, 2, text=b"new") for n in (1, 2)))
        assert [t.user_data for t in await desk.told(life, 3)][2] == b"newnew"


async def test_handsets_numbers_and_references_are_kept_apart(desk: Desk) -> None:
    await desk.give("36*")
    async with desk.live() as life:
        for number in (1, 2):
            for source, to, reference in (
                (HANDSET, "36000", 7),
                (OTHER_HANDSET, "36000", 7),
                (HANDSET, "36001", 7),
                (HANDSET, "36000", 8),
            ):
                text = f"{source[-1]}{to[-1]}{reference}".encode()
                desk.arrive_part(life, number, 2, reference, text, source=source, to=to)
        told = await desk.told(life, 4)
        assert sorted(t.user_data for t in told) == [b"107107", b"108108", b"117117", b"207207"]


async def test_one_handset_keeps_no_more_than_its_share_open(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live(open_limit=2) as life:
        for reference in range(4):
            await desk.acknowledged(life, desk.arrive_part(life, 1, 2, reference, b"%d" % reference))
        told = await desk.told(life, 2)
        assert [t.user_data[:1] for t in told] == [b"0", b"1"]
    assert await desk.ground.value("SELECT count(*) FROM inbound_parts WHERE message_id = 0") == 2


async def test_sar_and_16_bit_references_join_too_and_keywords_are_read_from_the_whole(desk: Desk) -> None:
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        for number, text in ((2, b"onou"), (1, b"meteo Cot")):
            tlvs = ((0x020C, b"\x12\x34"), (0x020E, b"\2"), (0x020F, bytes((number,))))
            desk.arrive(life, text, tlvs=tlvs)
            desk.arrive(life, bytes((6, 8, 4, 0x12, 0x34, 2, number)) + text, esm_class=0x40)
        told = await desk.told(life, 2)
        assert [(t.user_data, t.account_id) for t in told] == [(b"meteo Cotonou", desk.other_account)] * 2


async def test_a_login_that_wants_parts_gets_them_as_they_came(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.ground.connection.execute(
        "UPDATE esmes SET long_inbound = 'parts' WHERE esme_id = $1", desk.ground.esme_id
    )
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive_part(life, 2, 2), desk.arrive_part(life, 1, 2))
        told = await desk.told(life, 2)
        assert [t.user_data for t in told] == [bytes((5, 0, 3, 7, 2, n)) + b"<%d>" % n for n in (1, 2)]
    assert {r["state"] for r in await desk.rows()} == {"due"}


async def test_two_nodes_that_join_at_once_deliver_once(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        inbound, book = life.lifecycle.inbound, life.lifecycle.book
        inbound.has_more_to_do = lambda connector_id: False  # type: ignore[method-assign]
        await desk.acknowledged(life, *(desk.arrive_part(life, number) for number in (1, 2, 3)))
        await asyncio.gather(*(inbound.join_due(book) for _ in range(4)))
    assert len(await desk.rows()) == 1


# ---------------------------------------------------------------- loops


async def test_a_loop_is_stored_and_goes_no_further(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live(pair_a_minute=3) as life:
        await desk.acknowledged(life, *(desk.arrive(life, b"auto reply") for _ in range(5)))
        assert len(life.told.inbound) == 3
        desk.ground.clock.pass_s(61)
        await desk.acknowledged(life, desk.arrive(life, b"auto reply"))
        await desk.told(life, 4)
        assert life.tallies.messages["mo", "loop"] == 2
    rows = await desk.rows()
    assert [r["state"] for r in rows] == ["due"] * 3 + ["unrouted"] * 2 + ["due"]
    assert rows[3]["why"] == "loop: more than 3 a minute"


async def test_what_our_own_number_wrote_is_neither_delivered_nor_obeyed(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.give("2290197555555")
    async with desk.live() as life:
        await desk.acknowledged(
            life, desk.arrive(life, b"STOP", source="+2290197555555"), desk.arrive(life, b"x", source="36000")
        )
        assert life.told.inbound == []
        assert len(life.lifecycle.opt_outs) == 0
    assert {(r["state"], r["why"]) for r in await desk.rows()} == {("unrouted", "loop: our own number wrote it")}


async def test_one_sweep_joins_so_many_handsets_and_the_next_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "JOIN_AT_ONCE", 2)
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        for number in range(3):
            await desk.acknowledged(life, desk.arrive_part(life, 1, source=f"229019700000{number}"))
        desk.ground.clock.pass_s(601)
        inbound, book = life.lifecycle.inbound, life.lifecycle.book
        assert [await inbound.join_due(book) for _ in range(3)] == [2, 1, 0]
    assert len(await desk.rows()) == 3
