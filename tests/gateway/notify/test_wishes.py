"""How logins wish to be told: newest first, a receipt for each part, replays, and binds that cannot carry everything.

Source: docs/smpp.md, "Receipts and inbound messages towards an ESME"; SMPP v3.4 5.3.2.22.
What must not enter: the ladder of retries and dead letters (test_esme_deliveries.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.message import Message
from gateway.notify import esme_deliveries, mailbox
from gateway.smpp.errors import LocalProtocolError
from gateway.smpp.pdus import DeliverSm
from gateway.storage import commands, facts
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground
from tests.gateway.notify.test_esme_deliveries import BindAtHand, Post, post_of

TWO_PARTS = b"a" * 200


async def wish(ground: Ground, post: Post, **given: object) -> None:
    for name, value in given.items():
        await ground.connection.execute(f"UPDATE esmes SET {name} = $1", value)
    post.deliveries.apply_facts((await ground.book()).esmes.values())


@pytest.mark.parametrize("queue_limit", [5_000, 6])
async def test_the_newest_go_first_where_the_login_wishes_so(
    ground: Ground, queue_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esme_deliveries, "PAGE", 3)
    monkeypatch.setattr(mailbox, "QUEUE_LIMIT", queue_limit)
    async with post_of(ground) as post:
        await wish(ground, post, receipts_first="newest")
        away = await post.final(10)
        bind = await post.attach(BindAtHand(1))
        assert bind.ids() == [away[-1].message_id]
        fresh = await post.final(1)
        while bind.open:
            post.answer(bind)
            await post.deliveries.run_due()
        expected = [away[-1], *fresh, *reversed(away[:-1])]
        assert bind.ids() == [m.message_id for m in expected]
        await post.notified("done", 11)
        assert await ground.count("waiting_notifications") == 0


async def test_a_wish_that_changes_reorders_what_waits_as_rows_and_tells_nothing_twice(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esme_deliveries, "PAGE", 2)
    monkeypatch.setattr(mailbox, "QUEUE_LIMIT", 4)
    async with post_of(ground) as post:
        messages = await post.final(8)
        bind = await post.attach(BindAtHand(1))
        await wish(ground, post, receipts_first="newest")
        while bind.open:
            post.answer(bind)
            await post.deliveries.run_due()
        assert bind.ids()[0] == messages[0].message_id
        assert sorted(bind.ids()) == [m.message_id for m in messages]
        await post.notified("done", 8)


# ---------------------------------------------------------------- a receipt for each part


async def two_parts(post: Post, states: tuple[str, str] = ("delivered", "delivered")) -> Message:
    post.life.carrier.answer = take_all
    message = await post.life.accept_one(text=TWO_PARTS)
    await post.life.until(lambda: message.part_states == "SS")
    for part_no, state in enumerate(states):
        post.life.carrier.receipt(message.smsc_message_ids.split("\x1f")[part_no], state, HANDSET)
    await post.life.until(lambda: message.final_at_ms)
    return message


def told(pdu: DeliverSm) -> tuple[bytes | None, bytes | None, bytes | None, str]:
    stat = pdu.short_message.decode().partition("stat:")[2][:7]
    return pdu.tlv(0x020E), pdu.tlv(0x020F), pdu.tlv(0x0427), stat


async def test_a_message_that_we_cut_has_one_receipt(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        await two_parts(post)
        await post.life.until(lambda: bind.open)
        post.answer(bind)
        await post.notified("done", 1)
        assert [told(pdu) for pdu in bind.delivered] == [(None, None, b"\x02", "DELIVRD")]
        assert b"sub:002 dlvrd:002" in bind.delivered[0].short_message


async def test_a_login_that_wishes_so_gets_a_receipt_for_each_part(ground: Ground) -> None:
    async with post_of(ground) as post:
        await wish(ground, post, receipt_for_each_part=True)
        bind = await post.attach(BindAtHand())
        message = await two_parts(post, ("delivered", "undeliverable"))
        await post.life.until(lambda: bind.open)
        post.answer(bind)
        assert (await ground.row(message))["notify"] == "asked"
        post.answer(bind)
        await post.notified("done", 1)
        assert [told(pdu) for pdu in bind.delivered] == [
            (b"\x02", b"\x01", b"\x02", "DELIVRD"),
            (b"\x02", b"\x02", b"\x05", "UNDELIV"),
        ]
        assert bind.ids() == [message.message_id] * 2


async def test_of_parts_told_before_an_absence_none_is_told_again(ground: Ground) -> None:
    async with post_of(ground) as post:
        await wish(ground, post, receipt_for_each_part=True)
        bind = await post.attach(BindAtHand())
        await two_parts(post)
        await post.life.until(lambda: bind.open)
        post.answer(bind)
        post.leave(bind)
        again = await post.attach(BindAtHand())
        await post.life.until(lambda: again.open)
        post.answer(again)
        await post.notified("done", 1)
        assert [told(pdu)[1] for pdu in again.delivered] == [b"\x02"]


# ---------------------------------------------------------------- replays


async def replay(
    ground: Ground, post: Post, *ended: str, after_id: int = 0, next_page: Any = commands.replay_receipts
) -> int:
    """What a node does with the command; how many were queued."""
    command_id = await commands.ask(ground.connection, "replay_receipts", {}, "test")
    page = await next_page(
        ground.connection,
        command_id,
        (ground.account_id, None),
        (after_id, 1 << 62),
        ended,
        100,
        (ground.clock.ms, ground.clock.ms + 1000),
    )
    for esme_id in page.esme_ids:
        post.deliveries.look_again(esme_id)
    await post.deliveries.run_due()
    return page.found


async def test_a_replay_tells_again_what_was_told_and_nothing_else_does(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        messages = await post.final(4)
        for _ in messages[:3]:
            post.answer(bind)
        await post.notified("done", 3)
        assert await replay(ground, post, "done", "dead", after_id=messages[0].message_id) == 2
        assert bind.ids() == [m.message_id for m in [*messages, messages[1], messages[2]]]
        while bind.open:
            post.answer(bind)
        await post.notified("done", 4)
        await post.life.settling.durable()
        assert await ground.count("waiting_notifications") == 0
        await post.deliveries.run_due()
        assert len(bind.delivered) == 6


async def test_a_dead_letter_that_is_replayed_and_taken_is_told(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        messages = await post.final(2)
        post.answer(bind, 0x45)
        post.answer(bind)
        await post.notified("dead", 1)
        assert await replay(ground, post, "dead") == 1
        assert bind.ids() == [messages[0].message_id, messages[1].message_id, messages[0].message_id]
        post.answer(bind)
        await post.notified("done", 2)


async def test_a_replay_that_nobody_takes_ends_without_undoing_what_was_told(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        (message,) = await post.final(1)
        post.answer(bind)
        await post.notified("done", 1)
        post.leave(bind)
        assert await replay(ground, post, "done") == 1
        ground.clock.pass_s(2)
        assert await post.deliveries.bury() == 1
        assert (await ground.row(message))["notify"] == "done"
        assert await ground.count("waiting_notifications") == 0


async def test_what_handsets_sent_is_told_again_and_stays_done_when_nobody_takes_it(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        for text in (b"one", b"two"):
            post.life.carrier.inbound(HANDSET, "36000", text)
        await post.life.until(lambda: len(bind.delivered) == 2)
        for status in (0, 0x45):
            post.answer(bind, status)
        await post.life.settling.durable()
        again = {"next_page": commands.replay_inbound}
        assert await replay(ground, post, "dead", **again) == 1
        assert await replay(ground, post, "done", "dead", **again) == 2  # what waits already waits once
        assert sorted(pdu.short_message for pdu in bind.delivered[2:]) == [b"one", b"two"]
        while bind.open:
            post.answer(bind)
        await post.life.settling.durable()
        assert await replay(ground, post, "done", **again) == 2
        for status in (0x45, 0x45):
            post.answer(bind, status)
        await post.life.settling.durable()
        assert await ground.value("SELECT count(*) FROM inbound_messages WHERE state = 'done'") == 2
        assert await ground.count("waiting_notifications") == 0


async def test_an_answer_for_one_object_of_a_message_does_not_disturb_the_other(ground: Ground) -> None:
    """The receipt is read back from its row while the object that was settled is stored once more."""
    async with post_of(ground) as post:
        life = post.life
        (message,) = await post.final(1)

        async def left_to_rows() -> bool:
            return await ground.count("waiting_notifications") == 1

        await eventually(left_to_rows, WITHIN_S, "the ESME is away: a row")
        bind = await post.attach(BindAtHand())
        assert bind.open
        life.settling.save(message)
        await life.settling.durable()
        post.answer(bind)
        await post.notified("done", 1)
        life.settling.save(message)
        await life.settling.durable()
        assert (await ground.row(message))["notify"] == "done"


# ---------------------------------------------------------------- binds that cannot carry everything


class OldBind(BindAtHand):
    """A v3.3 bind: nothing that needs a TLV goes through it."""

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        raise LocalProtocolError("a v3.3 peer takes no TLV")


@pytest.mark.parametrize("place", [0, 1])
async def test_what_one_bind_cannot_carry_goes_over_another_of_the_login(ground: Ground, place: int) -> None:
    async with post_of(ground) as post:
        binds = [BindAtHand(), BindAtHand()]
        binds[place] = OldBind()
        for bind in binds:
            await post.attach(bind)
        messages = await post.final(4)
        able = binds[1 - place]
        assert sorted(able.ids()) == [m.message_id for m in messages]
        while able.open:
            post.answer(able)
        await post.notified("done", 4)


async def test_what_waits_for_the_only_bind_that_can_carry_it_holds_up_nobody_and_is_not_lost(ground: Ground) -> None:
    async with post_of(ground) as post:
        await post.attach(OldBind())
        able = await post.attach(BindAtHand(1))
        messages = await post.final(3)
        while True:
            await post.deliveries.run_due()
            if not able.open:
                break
            post.answer(able)
        assert sorted(able.ids()) == [m.message_id for m in messages]
        await post.notified("done", 3)


async def test_what_no_bind_can_carry_is_a_dead_letter(ground: Ground) -> None:
    async with post_of(ground) as post:
        await post.attach(OldBind())
        await post.attach(OldBind())
        await post.final(1)
        await post.notified("dead", 1)
