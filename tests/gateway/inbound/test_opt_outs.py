"""STOP, START and HELP in the running rooms, over a real PostgreSQL: effective at once, everywhere, answered once.

Source: promise P9; defaults.md, "Opt-out words". What must not enter: which words they are (test_opt_out_words.py).
"""

from __future__ import annotations

from gateway.accept.refusals import Refusal
from gateway.daemon.inbound_jobs import refresh_opt_outs
from gateway.message import Message
from gateway.storage import inbound as rows
from tests.eventually import eventually
from tests.gateway.conftest import HANDSET, WITHIN_S, Life
from tests.gateway.inbound.conftest import SHORT_CODE, Desk

STOPPED = "ours : vous ne recevrez plus nos messages. Pour les recevoir \x7f nouveau, r\x05pondez START."
OTHER_HANDSET = "2290197000002"


async def answers(life: Life, count: int) -> list[str]:
    """The texts of what the gateway itself wrote, once there are so many."""

    async def stored() -> bool:
        return await life.ground.value("SELECT count(*) FROM messages WHERE esme_id = 0") >= count

    await eventually(stored, WITHIN_S, f"{count} answers")
    found = await life.ground.connection.fetch("SELECT user_data FROM messages WHERE esme_id = 0 ORDER BY message_id")
    return [row["user_data"].decode("latin-1") for row in found]


async def test_stop_is_effective_at_once_answered_once_free_and_still_delivered(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive(life, b"  Stop. "))
        assert await desk.send(life) is Refusal.DESTINATION_BLOCKED
        assert await desk.send(life, kind="marketing") is Refusal.DESTINATION_BLOCKED
        assert isinstance(await desk.send(life, kind="otp"), Message)
        assert isinstance(await desk.send(life, to=OTHER_HANDSET), Message)
        assert isinstance(await desk.send(life, from_other=True), Message)
        assert (await desk.told(life))[0].user_data == b"  Stop. "
        await desk.acknowledged(life, desk.arrive(life, b"STOP"), desk.arrive(life, b"arret"))
        assert await answers(life, 1) == [STOPPED]
        row = await life.ground.connection.fetchrow("SELECT * FROM messages WHERE esme_id = 0")
        assert row is not None
        assert (row["source_addr"], row["destination_addr"], row["price_micros"]) == (SHORT_CODE, HANDSET, 0)
        await life.until(lambda: any(number == row["message_id"] for number, _ in life.carrier.written))
        life.carrier.taken(next(m for (n, _), m in life.carrier.open.items() if n == row["message_id"]), "answer-1")
        desk.ground.clock.pass_s(24 * 3600)
        await desk.acknowledged(life, desk.arrive(life, b"STOP"))
        assert await answers(life, 2) == [STOPPED] * 2
    assert await desk.ground.count("inbound_messages") == 4
    assert await desk.ground.value("SELECT opted_out FROM opt_outs") is True


async def test_start_takes_it_back_and_help_is_answered_in_the_accounts_language(desk: Desk) -> None:
    await rows.set_language(desk.ground.connection, desk.ground.account_id, "en")
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive(life, b"STOP"))
        await desk.acknowledged(life, desk.arrive(life, b"start"))
        assert isinstance(await desk.send(life), Message)
        await desk.acknowledged(life, desk.arrive(life, b"HELP"))
        told = await answers(life, 3)
        assert [text.split(":")[0] for text in told] == ["ours"] * 3
        assert ["receive no more" in told[0], "again" in told[1], "reply STOP" in told[2]] == [True] * 3
    assert await desk.ground.value("SELECT opted_out FROM opt_outs") is False


async def test_it_holds_for_what_waited_and_after_a_crash(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        life.carrier.health = "down"
        waiting = await desk.send(life)
        assert isinstance(waiting, Message)
        await desk.acknowledged(life, desk.arrive(life, b"STOP"))
        life.carrier.health = "up"
        await life.until(lambda: waiting.state == "rejected")
        assert waiting.error == "destination_blocked"
    async with desk.live() as life:
        assert isinstance(await desk.send(life, to=OTHER_HANDSET), Message)
        await refresh_opt_outs(desk.ground.connection, life.lifecycle.opt_outs)
        assert await desk.send(life) is Refusal.DESTINATION_BLOCKED


async def test_another_node_hears_of_each_change_and_reads_no_more_than_it(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live() as life:
        here, connection = life.lifecycle.opt_outs, desk.ground.connection
        await rows.store_opt_out(connection, rows.OptOutChange(desk.ground.account_id, "111111", True), "letter", 1)
        await refresh_opt_outs(connection, here)
        assert len(here) == 1
        heard: list[str] = []
        await connection.add_listener(rows.OPT_OUTS_CHANNEL, lambda *told: heard.append(str(told[2])))
        facts_heard: list[str] = []
        await connection.add_listener("passerelle_facts", lambda *told: facts_heard.append(str(told[3])))
        await rows.store_opt_out(connection, rows.OptOutChange(desk.ground.account_id, "222222", True), "letter", 1)
        await rows.store_opt_out(connection, rows.OptOutChange(desk.ground.account_id, "111111", False), "letter", 2)
        changes, mark = await rows.read_opt_outs(connection, here.mark)
        assert {(c.number, c.opted_out) for c in changes} == {("222222", True), ("111111", False)}
        assert await rows.read_opt_outs(connection, mark) == ([], mark)
        assert heard
        assert not facts_heard, "nobody reads all facts for one opt-out"
        await refresh_opt_outs(connection, here)
        assert len(here) == 1


async def test_a_change_that_commits_late_is_not_missed(desk: Desk) -> None:
    late = await desk.ground.connect()
    try:
        transaction = late.transaction()
        await transaction.start()
        await rows.store_opt_out(late, rows.OptOutChange(desk.ground.account_id, "111111", True), "letter", 1)
        await rows.store_opt_out(
            desk.ground.connection, rows.OptOutChange(desk.ground.account_id, "222222", True), "letter", 1
        )
        changes, mark = await rows.read_opt_outs(desk.ground.connection, None)
        assert [c.number for c in changes] == ["222222"]
        await transaction.commit()
        changes, mark = await rows.read_opt_outs(desk.ground.connection, mark)
        assert "111111" in [c.number for c in changes]
    finally:
        await late.close()


async def test_on_a_shared_number_stop_is_for_who_wrote_last_else_for_all_that_share_it(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.give(SHORT_CODE, "meteo", to_other=True)
    async with desk.live() as life:
        await desk.send(life, from_other=True)
        await desk.acknowledged(life, desk.arrive(life, b"STOP"))
        assert await desk.send(life, from_other=True) is Refusal.DESTINATION_BLOCKED
        assert isinstance(await desk.send(life), Message)
        await desk.acknowledged(life, desk.arrive(life, b"STOP", source=OTHER_HANDSET))
        assert await desk.send(life, to=OTHER_HANDSET) is Refusal.DESTINATION_BLOCKED
        assert await desk.send(life, from_other=True, to=OTHER_HANDSET) is Refusal.DESTINATION_BLOCKED


async def test_a_keyword_called_info_is_no_cry_for_help(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    await desk.give(SHORT_CODE, "info")
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive(life, b"INFO"), desk.arrive(life, b"AIDE"))
        assert len(await answers(life, 1)) == 1


async def test_a_machine_that_says_stop_is_obeyed_and_not_answered(desk: Desk) -> None:
    await desk.give(SHORT_CODE)
    async with desk.live(pair_a_minute=1) as life:
        await desk.acknowledged(life, desk.arrive(life, b"hello"), desk.arrive(life, b"STOP"))
        assert await desk.send(life) is Refusal.DESTINATION_BLOCKED
        await desk.acknowledged(life, desk.arrive(life, b"START", source=OTHER_HANDSET))
        assert len(await answers(life, 1)) == 1


async def test_without_an_account_nobody_is_stopped_or_answered(desk: Desk) -> None:
    async with desk.live() as life:
        await desk.acknowledged(life, desk.arrive(life, b"STOP"))
        assert len(life.lifecycle.opt_outs) == 0
    assert await desk.ground.count("messages") == 0
